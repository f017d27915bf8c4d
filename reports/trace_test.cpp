// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/testing.h"

namespace aio {
namespace {

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void expect_same(const Observation& a, const Observation& b) {
  EXPECT_EQ(a.result, b.result);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.skipped, b.skipped);
  EXPECT_EQ(a.cpu, b.cpu);
  EXPECT_EQ(a.signals, b.signals);
  EXPECT_EQ(a.elapsed_ns, b.elapsed_ns);
  EXPECT_EQ(a.mask_changed, b.mask_changed);
  EXPECT_EQ(a.ring_remains, b.ring_remains);
  for (std::size_t i = 0; i < a.memory.size(); ++i) {
    EXPECT_TRUE(same_bytes(a.memory[i], b.memory[i])) << arena::kAreas[i].name;
  }
  ASSERT_EQ(a.rings.size(), b.rings.size());
  for (std::size_t i = 0; i < a.rings.size(); ++i) {
    EXPECT_EQ(a.rings[i].id, b.rings[i].id);
    EXPECT_EQ(a.rings[i].tail_at_return, b.rings[i].tail_at_return);
    EXPECT_TRUE(same_bytes(a.rings[i].bytes, b.rings[i].bytes)) << "ring " << i;
  }
  EXPECT_EQ(a.counters, b.counters);
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    EXPECT_EQ(a.files[i].seen, b.files[i].seen);
    EXPECT_EQ(a.files[i].size, b.files[i].size);
    EXPECT_TRUE(same_bytes(a.files[i].content, b.files[i].content)) << "file " << i;
  }
  EXPECT_TRUE(same_bytes(a.data, b.data));
  ASSERT_EQ(a.peers.size(), b.peers.size());
  for (std::size_t i = 0; i < a.peers.size(); ++i) {
    EXPECT_EQ(a.peers[i].fd, b.peers[i].fd);
    EXPECT_EQ(a.peers[i].end_seen, b.peers[i].end_seen);
  }
  EXPECT_EQ(a.aio_nr_before, b.aio_nr_before);
  EXPECT_EQ(a.aio_nr_after, b.aio_nr_after);
}

TEST(Trace, ReplayingGivesBackWhatWasObserved) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    // Observations point into their maker, so a second world makes the same ones to compare with.
    testing::RandomWorld recorded(seed);
    TraceRecorder recorder;
    for (int i = 0; i < 20; ++i) recorder.add(Move{}, Move{}, recorded.observe());
    testing::RandomWorld again(seed);
    TraceReplayer replayer;
    for (const Step& step : recorder.trace().steps) {
      expect_same(again.observe(), replayer.next(*step.observation));
    }
  }
}

TEST(Trace, MemoryIsRecordedAsWhatChanged) {
  ObservedMemory memory;
  Observation seen;
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    seen.memory[i] = std::as_bytes(std::span(memory.arena).subspan(begin, arena::kAreas[i].size));
    begin += arena::kAreas[i].size;
  }
  TraceRecorder recorder;
  recorder.add(Move{}, Move{}, seen);
  memory.arena[8] = 0x11;
  memory.arena[10] = 0x22;
  recorder.add(Move{}, Move{}, seen);
  recorder.add(Move{}, Move{}, seen);
  EXPECT_TRUE(recorder.trace().steps[0].observation->memory.empty());
  EXPECT_EQ(recorder.trace().steps[1].observation->memory, (ByteRanges{{arena::kVars + 8, {0x11, 0, 0x22}}}));
  EXPECT_TRUE(recorder.trace().steps[2].observation->memory.empty());
}

TEST(Trace, ARingThatComesBackIsAnotherRing) {
  std::vector<std::byte> bytes(4096, std::byte{7});
  Observation with;
  with.rings.push_back({0x1000, bytes, 0});
  TraceRecorder recorder;
  recorder.add(Move{}, Move{}, with);
  recorder.add(Move{}, Move{}, Observation{});
  recorder.add(Move{}, Move{}, with);
  EXPECT_EQ(recorder.trace().steps[2].observation->rings[0].changes.at(0).bytes.size(), 4096 - 32);
}

TEST(Trace, ProgramOfATraceIsItsOperations) {
  testing::RandomWorld world(1);
  const Trace trace = world.trace(3);
  const Program program = program_of(trace);
  ASSERT_EQ(program.operations.size(), 3u);
  EXPECT_EQ(program.operations[2], trace.steps[2].operation);
}

}  // namespace
}  // namespace aio
