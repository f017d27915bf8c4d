// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes of regular files, devices, eventfds and sockets. Pipes are in files_pipe_test.cpp.
#include "reference/files.h"

#include <gtest/gtest.h>

#include "reference/files_harness.h"

namespace aio {
namespace {

using arena::kBuffers;
using arena::kPage;

struct Case {
  const char* what;
  Fd fd;
  std::vector<Iovec> segments;
  Transfer transfer;
  std::int64_t res;
  Req rule;
};

void expect_outcome(const Outcome& outcome, const Case& each) {
  EXPECT_EQ(outcome.res, each.res) << each.what;
  EXPECT_EQ(requirement(outcome.rule).id, requirement(each.rule).id) << each.what;
  EXPECT_TRUE(outcome.certain) << each.what;
}

TEST(Files, reads_of_regular_files_and_devices_end_as_they_must) {
  const Case cases[] = {
      {"inside", Fd::kFile, {{kBuffers, 100}}, {10}, 100, Req::kReadCount},
      {"up to the end", Fd::kFileRo, {{kBuffers, 100}}, {5900}, 100, Req::kReadCount},
      {"over the end", Fd::kFile, {{kBuffers, 101}}, {5900}, 100, Req::kReadStopsAtEnd},
      {"at the end", Fd::kFile, {{kBuffers, 1}}, {6000}, 0, Req::kReadEndOfFile},
      {"far beyond", Fd::kFile, {{kBuffers, 1}}, {1ull << 40}, 0, Req::kReadEndOfFile},
      {"nothing", Fd::kFile, {{kBuffers, 0}}, {10}, 0, Req::kReadZeroBytes},
      {"no segments", Fd::kFile, {}, {10}, 0, Req::kReadZeroBytes},
      {"two segments", Fd::kFile, {{kBuffers + 50, 10}, {kBuffers, 20}}, {0}, 30, Req::kReadCount},
      {"into a hole", Fd::kFile, {{kHole, 10}}, {0}, -kEFAULT, Req::kReadFaultIsResult},
      {"into read-only memory", Fd::kFile, {{arena::kReadOnly, 10}}, {0}, -kEFAULT, Req::kReadFaultIsResult},
      {"half into a hole", Fd::kFile, {{kLastTen, 20}}, {0}, 10, Req::kReadShortOnFault},
      {"then a hole", Fd::kFile, {{kBuffers, 7}, {kHole, 1}}, {0}, 7, Req::kReadShortOnFault},
      {"a hole first", Fd::kFile, {{kHole, 1}, {kBuffers, 7}}, {0}, -kEFAULT, Req::kReadFaultIsResult},
      {"a hole beyond the end", Fd::kFile, {{kHole, 1}}, {6000}, 0, Req::kReadEndOfFile},
      {"a fault beyond the end", Fd::kFile, {{kLastTen, 20}}, {5990}, 10, Req::kReadStopsAtEnd},
      {"null", Fd::kNull, {{kHole, 100}}, {0}, 0, Req::kReadNullDevice},
      {"zero", Fd::kZero, {{kBuffers, 8192}}, {77}, 8192, Req::kReadZeroDevice},
      {"zero, half into a hole", Fd::kZero, {{kLastTen, 20}}, {0}, 10, Req::kReadShortOnFault},
      {"zero into a hole", Fd::kZero, {{kHole, 1}}, {0}, -kEFAULT, Req::kReadFaultIsResult},
  };
  for (const Case& each : cases) {
    FilesHarness h;
    expect_outcome(h.read(each.fd, each.segments, each.transfer), each);
  }
}

TEST(Files, reads_deliver_the_bytes_from_the_offset_on) {
  FilesHarness h;
  h.read(Fd::kFile, {{kBuffers + 50, 10}, {kBuffers, 20}}, {100});
  for (unsigned i = 0; i < 10; ++i) EXPECT_EQ(h.byte(kBuffers + 50 + i), initial_file_byte(0, 100 + i));
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(h.byte(kBuffers + i), initial_file_byte(0, 110 + i));
  EXPECT_EQ(h.byte(kBuffers + 20), arena::initial_byte(kBuffers + 20));
  h.read(Fd::kFile, 2000, {5000});
  EXPECT_EQ(h.byte(kBuffers + 999), initial_file_byte(0, 5999));
  EXPECT_EQ(h.byte(kBuffers + 1000), arena::initial_byte(kBuffers + 1000));
  h.read(Fd::kZero, 2);
  EXPECT_EQ(h.byte(kBuffers + 1), 0);
}

TEST(Files, writes_to_regular_files_and_devices_end_as_they_must) {
  const Case cases[] = {
      {"inside", Fd::kFile, {{kBuffers, 100}}, {10}, 100, Req::kWriteCount},
      {"beyond", Fd::kFileWo, {{kBuffers, 100}}, {9000}, 100, Req::kWriteCount},
      {"nothing", Fd::kFile, {{kHole, 0}}, {10}, 0, Req::kWriteZeroBytes},
      {"append", Fd::kFileAppend, {{kBuffers, 100}}, {10}, 100, Req::kWriteAppendFile},
      {"append flag", Fd::kFile, {{kBuffers, 100}}, {10, kRwfAppend}, 100, Req::kWriteAppendFlag},
      {"no append", Fd::kFileAppend, {{kBuffers, 100}}, {10, kRwfNoappend}, 100, Req::kWriteCount},
      {"from a hole", Fd::kFile, {{kHole, 10}}, {0}, -kEFAULT, Req::kWriteFaultIsResult},
      {"from read-only memory", Fd::kFile, {{arena::kReadOnly, 10}}, {0}, 10, Req::kWriteCount},
      {"half from a hole", Fd::kFile, {{kLastTen, 20}}, {0}, 10, Req::kWriteShortOnFault},
      {"then a hole", Fd::kFile, {{kBuffers, 7}, {kHole, 1}}, {0}, 7, Req::kWriteShortOnFault},
      {"to the largest offset",
       Fd::kFile,
       {{kBuffers, 1}},
       {static_cast<std::uint64_t>(INT64_MAX)},
       -kEFBIG,
       Req::kWriteTooFar},
      {"null", Fd::kNull, {{kHole, 100}}, {0}, 100, Req::kWriteNullDevice},
      {"zero", Fd::kZero, {{kHole, 100}}, {0}, 100, Req::kWriteNullDevice},
  };
  for (const Case& each : cases) {
    FilesHarness h;
    expect_outcome(h.write(each.fd, each.segments, each.transfer), each);
  }
}

// Where a write of 20 bytes lands, and how long the file is then.
TEST(Files, writes_change_the_bytes_that_they_are_for_and_no_others) {
  const struct {
    Fd fd;
    Transfer transfer;
    std::uint64_t at, size;
  } cases[] = {
      {Fd::kFile, {10}, 10, 6000},
      {Fd::kFile, {5990}, 5990, 6010},
      {Fd::kFile, {7000}, 7000, 7020},
      {Fd::kFileAppend, {10}, 6000, 6020},
      {Fd::kFile, {10, kRwfAppend}, 6000, 6020},
      {Fd::kFileAppend, {10, kRwfNoappend}, 10, 6000},
  };
  for (const auto& each : cases) {
    FilesHarness h;
    ASSERT_EQ(h.write(each.fd, 20, each.transfer).res, 20);
    const RegularFile& file = h.files.regular(0);
    ASSERT_EQ(file.content.size(), each.size);
    for (std::uint64_t i = 0; i < each.size; ++i) {
      const bool written = i >= each.at && i < each.at + 20;
      const std::uint8_t old = i < kFileSize ? initial_file_byte(0, i) : std::uint8_t{0};
      const std::uint8_t right = written ? arena::initial_byte(kBuffers + i - each.at) : old;
      ASSERT_EQ(file.content[i], std::byte{right}) << "byte " << i;
    }
  }
}

// Before 5.16 a page of the file that can't be filled from the buffer is not written at all.
TEST(Files, a_write_that_faults_half_way_is_short_since_5_16) {
  const struct {
    const char* what;
    std::vector<Iovec> segments;
    std::uint64_t offset;
    std::int64_t before, since;
  } cases[] = {
      {"20 bytes, 10 mapped", {{kLastTen, 20}}, 0, -kEFAULT, 10},
      {"good and null", {{kBuffers, 5}, {arena::kNull, 5}}, 0, -kEFAULT, 5},
      {"8192 bytes, 4096 mapped", {{kBuffers + kPage, 8192}}, 0, 4096, 4096},
      {"8192 bytes, 4196 mapped", {{kBuffers + kPage - 100, 8192}}, 0, 4096, 4196},
      {"over a page of the file", {{kLastTen, 20}}, 4096 - 4, 4, 10},
  };
  for (const auto& each : cases) {
    for (const auto& [name, right] : {std::pair{"5.15", each.before}, std::pair{"6.1", each.since}}) {
      FilesHarness h(*find_profile(name));
      EXPECT_EQ(h.write(Fd::kFile, each.segments, {each.offset}).res, right) << each.what << " on " << name;
    }
  }
}

TEST(Files, the_file_systems_own_ways_are_the_machines) {
  Machine machine = tmpfs_machine();
  machine.max_file = 10000;
  FilesHarness small(profiles().back(), machine);
  EXPECT_EQ(small.write(Fd::kFile, 100, {9950}).res, 50);
  EXPECT_EQ(small.write(Fd::kFile, 100, {10000}).res, -kEFBIG);
  machine.nowait_write_error = kEOPNOTSUPP;
  FilesHarness waits(profiles().back(), machine);
  const Outcome refused = waits.write(Fd::kFile, 100, {0, kRwfNowait});
  EXPECT_EQ(refused.res, -kEOPNOTSUPP);
  EXPECT_EQ(refused.rule, Req::kWriteNowaitBuffered);
  for (const bool extends : {false, true}) {
    machine.fault_extends_file = extends;
    FilesHarness h(profiles().back(), machine);
    EXPECT_EQ(h.write(Fd::kFile, {{kHole, 10}}, {7000}).res, -kEFAULT);
    EXPECT_EQ(h.files.regular(0).content.size(), extends ? 7000 : kFileSize);
  }
}

TEST(Files, an_eventfd_gives_its_counter_once_or_one_by_one) {
  FilesHarness h;
  h.files.add(Fd::kNbEvent, 3);
  h.files.add(Fd::kSemEvent, 3);
  const auto read = [&](Fd fd, std::uint64_t size) { return h.read(fd, size).res; };
  EXPECT_EQ(read(Fd::kNbEvent, 7), -kEINVAL);
  EXPECT_EQ(read(Fd::kNbEvent, 100), 8);
  EXPECT_EQ(h.memory.get<std::uint64_t>(kBuffers), 3u);
  EXPECT_EQ(h.byte(kBuffers + 8), arena::initial_byte(kBuffers + 8));
  EXPECT_EQ(read(Fd::kNbEvent, 8), -kEAGAIN);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read(Fd::kSemEvent, 8), 8);
    EXPECT_EQ(h.memory.get<std::uint64_t>(kBuffers), 1u);
  }
  EXPECT_EQ(read(Fd::kSemEvent, 8), -kEAGAIN);
  const Outcome blocks = h.read(Fd::kEvent, 8);
  EXPECT_EQ(blocks.res, -kEINTR);
  EXPECT_TRUE(blocks.waited);
}

TEST(Files, an_eventfd_saturates_and_loses_what_it_cannot_deliver) {
  FilesHarness h;
  h.files.add(Fd::kEvent, ~0ull - 1);
  for (int i = 0; i < 3; ++i) h.files.signal(Fd::kEvent, h.rules);
  EXPECT_EQ(h.files.counter(0), ~0ull);
  EXPECT_EQ(h.read(Fd::kEvent, {{kLastTen + 6, 8}}).res, -kEFAULT);
  EXPECT_EQ(h.files.counter(0), 0u);
  h.files.signal(Fd::kFile, h.rules);
  EXPECT_EQ(h.files.counter(0), 0u);
}

TEST(Files, sockets_deliver_in_order_and_refuse_offsets) {
  FilesHarness h;
  EXPECT_EQ(h.write(Fd::kSocket0, 1, {1}).res, -kESPIPE);
  EXPECT_EQ(h.read(Fd::kSocket1, 1, {1}).rule, Req::kSocketOffset);
  EXPECT_EQ(h.send(Fd::kSocket0, 10, 5).res, 5);
  EXPECT_EQ(h.send(Fd::kSocket0, 20, 5).res, 5);
  EXPECT_EQ(h.read(Fd::kSocket1, 0).res, 0);
  EXPECT_EQ(h.read(Fd::kSocket1, 7).res, 7);
  EXPECT_EQ(h.byte(kBuffers + 4), 14);
  EXPECT_EQ(h.byte(kBuffers + 6), 21);
  EXPECT_EQ(h.read(Fd::kSocket1, {{kHole, 1}}).res, -kEFAULT);
  EXPECT_EQ(h.read(Fd::kSocket1, 7).res, 3);
  EXPECT_EQ(h.byte(kBuffers), 22);
  EXPECT_TRUE(h.read(Fd::kSocket1, 7).waited);
  EXPECT_EQ(h.read(Fd::kSocket1, 7, {0, kRwfNowait}).res, -kEAGAIN);
  EXPECT_EQ(h.write(Fd::kSocket0, {{kBuffers, 1}, {kHole, 1}}).res, -kEFAULT);
  EXPECT_TRUE(h.read(Fd::kSocket1, 7).waited);
}

TEST(Files, a_closed_peer_ends_a_socket_after_its_bytes_and_resets_it_once) {
  FilesHarness h;
  h.send(Fd::kSocket0, 10, 2);
  h.send(Fd::kSocket1, 10, 2);
  h.close(Fd::kSocket0);
  EXPECT_EQ(h.write(Fd::kSocket1, 1).res, -kEPIPE);
  EXPECT_EQ(h.read(Fd::kSocket1, 8).res, 2);
  const Outcome reset = h.read(Fd::kSocket1, 8);
  EXPECT_EQ(reset.res, -kECONNRESET);
  EXPECT_EQ(reset.rule, Req::kSocketReset);
  EXPECT_EQ(h.read(Fd::kSocket1, 8).rule, Req::kSocketReadEnd);
  FilesHarness read_all;
  read_all.close(Fd::kSocket1);
  EXPECT_EQ(read_all.read(Fd::kSocket0, 8).res, 0);
}

}  // namespace
}  // namespace aio
