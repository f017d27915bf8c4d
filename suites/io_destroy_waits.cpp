// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_destroy(2) of a context with requests that are still in flight, or with a thread still inside io_submit(2).
// Claims: it sleeps until they are done, whatever signals come; the id is dead from its beginning; what ends meanwhile
// still moves its bytes and signals its eventfd.
// Provoked by requests that a file in user space holds (the gate file) and by reads of empty pipes that block
// io_submit. Not seen: devices that never answer.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "reference/zoo.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kPage = static_cast<std::int64_t>(arena::kPage);

}  // namespace

SUITE_TEST(io_destroy_waits, for_a_thread_inside_io_submit,
           {.holds = {"io_destroy.waits_for_what_is_in_flight", "io_destroy.returns_zero"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  EXPECT_TRUE(destroyer.returned());
  claim("io_destroy.returns_zero");
  EXPECT_RETURNS(0, destroyer.answer());
  EXPECT_RETURNS(1, submitter.answer());
  EXPECT_EQ(get(arena::kBuffers, 3), "abc");
}

SUITE_TEST(io_destroy_waits, no_signal_ends_its_sleep, {.holds = {"io_destroy.signal_does_not_end_it"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(destroyer.asleep());
  destroyer.interrupt();
  EXPECT_TRUE(destroyer.asleep());
  EXPECT_EQ(catches, 0);
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  EXPECT_RETURNS(0, destroyer.answer());
  EXPECT_TRUE(await([] { return catches == 1; }));
}

// The context that the call has found is good until the call ends.
SUITE_TEST(io_destroy_waits, a_submission_under_way_is_carried_out,
           {.holds = {"io_destroy.submission_under_way_goes_on", "io_destroy.late_completions_signal_resfd"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  const Descriptor regular = file("........");
  put(arena::kBuffers, "written");
  signal(prepare(0, kPread, ends.read.get(), arena::kBuffers + 100, 10), counter.get());
  signal(prepare(1, kPwrite, regular.get(), arena::kBuffers, 4), counter.get());
  signal(prepare(2, kPwrite, regular.get(), arena::kBuffers + 4, 3, 4), counter.get());
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0, 1, 2}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(destroyer.asleep());
  ASSERT_TRUE(await([&] { return !is_mapped(ctx); }));
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  EXPECT_TRUE(destroyer.returned());
  EXPECT_RETURNS(3, submitter.answer());
  EXPECT_EQ(content(regular.get()), "written.");
  claim("io_destroy.late_completions_signal_resfd");
  EXPECT_EQ(drain(counter.get()), 3u);
}

SUITE_TEST(io_destroy_waits, for_requests_that_a_file_system_holds,
           {.holds = {"io_destroy.waits_for_what_is_in_flight", "io_destroy.no_buffer_written_after"},
            .needs = "gate"}) {
  const Gate gate(cpus().number(0));
  const Descriptor held(gate.open());
  const std::uint64_t ctx = setup();
  prepare(0, kPread, held.get(), arena::kBuffers, arena::kPage, kPage);
  prepare(1, kPwrite, held.get(), arena::kBuffers + arena::kPage, arena::kPage);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  const std::vector<GateRequest> there = gate.held(2);
  ASSERT_EQ(there.size(), 2u);
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  EXPECT_TRUE(destroyer.asleep());
  // One after the other.
  ASSERT_TRUE(gate.release(there[1].id, kPage));
  EXPECT_EQ(gate.held(1).size(), 1u);
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_TRUE(gate.release(there[0].id, kPage));
  EXPECT_TRUE(destroyer.returned());
  EXPECT_RETURNS(0, destroyer.answer());
  claim("io_destroy.no_buffer_written_after");
  for (std::uint64_t i = 0; i < arena::kPage; ++i) {
    ASSERT_EQ(at<std::uint8_t>(arena::kBuffers + i), gate_byte(arena::kPage + i)) << i;
  }
}

SUITE_TEST(io_destroy_waits, for_a_held_fsync,
           {.holds = {"io_destroy.waits_for_what_is_in_flight"}, .needs = ">=4.18,gate"}) {
  const Gate gate(cpus().number(0));
  const Descriptor held(gate.open());
  for (const Opcode opcode : {kFsync, kFdsync}) {
    const std::uint64_t ctx = setup();
    prepare(0, opcode, held.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> there = gate.held(1);
    ASSERT_EQ(there.size(), 1u);
    Sleeper destroyer(cpus().number(0), numbers().io_destroy);
    destroyer.start([&] { return io_destroy(ctx); });
    EXPECT_TRUE(destroyer.asleep());
    ASSERT_TRUE(gate.release(there[0].id, 0));
    EXPECT_TRUE(destroyer.returned());
    EXPECT_RETURNS(0, destroyer.answer());
  }
}

SUITE_TEST(io_destroy_waits, for_requests_of_a_closed_descriptor,
           {.holds = {"io_destroy.waits_for_what_is_in_flight"}, .needs = "gate"}) {
  const Gate gate(cpus().number(0));
  Descriptor held(gate.open());
  const std::uint64_t ctx = setup();
  prepare(0, kPread, held.get(), arena::kBuffers, arena::kPage);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::vector<GateRequest> there = gate.held(1);
  ASSERT_EQ(there.size(), 1u);
  held = Descriptor();
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_TRUE(gate.release(there[0].id, kPage));
  EXPECT_TRUE(destroyer.returned());
  EXPECT_RETURNS(0, destroyer.answer());
}

SUITE_TEST(io_destroy_waits, what_ends_meanwhile_signals_its_eventfd,
           {.holds = {"io_destroy.late_completions_signal_resfd"}, .needs = "gate"}) {
  const Gate gate(cpus().number(0));
  const Descriptor held(gate.open());
  const Descriptor counter = eventfd();
  const std::uint64_t ctx = setup();
  for (const unsigned slot : {0u, 1u}) {
    signal(prepare(slot, kPread, held.get(), arena::kBuffers + arena::kPage * slot, arena::kPage), counter.get());
  }
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  const std::vector<GateRequest> there = gate.held(2);
  ASSERT_EQ(there.size(), 2u);
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(destroyer.asleep());
  EXPECT_EQ(drain(counter.get()), 0u);
  // One that succeeds and one that fails.
  ASSERT_TRUE(gate.release(there[0].id, kPage));
  ASSERT_TRUE(gate.release(there[1].id, -EIO));
  EXPECT_TRUE(destroyer.returned());
  EXPECT_RETURNS(0, destroyer.answer());
  EXPECT_EQ(drain(counter.get()), 2u);
}

SUITE_TEST(io_destroy_waits, what_can_be_cancelled_is_so_before, {.holds = {"io_destroy.cancels_before_it_waits"}}) {
  const Gate gate(cpus().number(0));
  const Descriptor held(gate.open());
  const Descriptor polled = eventfd();
  const Descriptor counter = eventfd();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, held.get(), arena::kBuffers, arena::kPage);
  signal(prepare_poll(1, polled.get(), kPollIn), counter.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  const std::vector<GateRequest> there = gate.held(1);
  ASSERT_EQ(there.size(), 1u);
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  EXPECT_TRUE(await([&] { return drain(counter.get()) == 1; }));
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_TRUE(gate.release(there[0].id, kPage));
  EXPECT_TRUE(destroyer.returned());
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(io_destroy_waits, every_other_call_is_einval_meanwhile,
           {.holds = {"context.dying_id_is_einval", "io_destroy.one_of_several_wins"}, .entries = kRawEntries}) {
  const Descriptor empty = file();
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  prepare(1, kPread, empty.get()).key = 0;
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(destroyer.asleep());
  ASSERT_TRUE(await([&] { return !is_mapped(ctx); }));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0, arena::kNull));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 1, list(std::array{arena::iocb_slot(1)}, arena::kPointers + 64)));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 1, 1, arena::kEvents, timeout(0, 1)));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(1)));
  if (profile().has_pgetevents) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  }
  claim("io_destroy.one_of_several_wins");
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  EXPECT_RETURNS(0, destroyer.answer());
}

// A new one may lie where the dying one's ring was, and has its table entry.
SUITE_TEST(io_destroy_waits, new_contexts_can_be_made_meanwhile,
           {.holds = {"io_destroy.id_is_free_before_it_waits", "io_destroy.waits_for_what_is_in_flight"}}) {
  const Descriptor empty = file();
  const std::uint64_t ctx = setup(1, 0);
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  prepare(1, kPread, empty.get());
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(destroyer.asleep());
  ASSERT_TRUE(await([&] { return !is_mapped(ctx); }));
  const std::uint64_t next = setup(1, 1);
  EXPECT_EQ(ring(next).id, 0u);
  EXPECT_EQ(in_ring(next), 0u);
  EXPECT_EQ(result(next, 1), 0);
  claim("io_destroy.waits_for_what_is_in_flight");
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  EXPECT_RETURNS(0, destroyer.answer());
  EXPECT_RETURNS(1, submitter.answer());
  // The late event went to nobody.
  EXPECT_EQ(in_ring(next), 0u);
  EXPECT_RETURNS(0, io_destroy(next));
}

SUITE_TEST(io_destroy_waits, one_of_several_destroyers_wins, {.holds = {"io_destroy.one_of_several_wins"}}) {
  constexpr unsigned kDestroyers = 4;
  constexpr int kRounds = 12;
  std::vector<std::unique_ptr<Lane>> lanes;
  for (unsigned i = 0; i < kDestroyers; ++i) {
    lanes.push_back(std::make_unique<Lane>(cpus().number(i % cpus().count())));
  }
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t ctx = setup();
    std::array<Answer, kDestroyers> seen;
    std::atomic<unsigned> ready{0};
    for (unsigned i = 0; i < kDestroyers; ++i) {
      lanes[i]->start([&, i] {
        // All at once, as far as there are CPUs.
        for (++ready; ready < kDestroyers;) std::this_thread::yield();
        seen[i] = io_destroy(ctx);
      });
    }
    for (const auto& lane : lanes) lane->wait();
    const auto won = std::count_if(seen.begin(), seen.end(), [](const Answer& each) { return each.value == 0; });
    const auto lost = std::count_if(seen.begin(), seen.end(), [](const Answer& each) { return each.error == EINVAL; });
    ASSERT_EQ(won, 1) << round;
    ASSERT_EQ(lost, kDestroyers - 1) << round;
  }
}

SUITE_TEST(io_destroy_waits, contexts_are_destroyed_side_by_side, {.holds = {"io_destroy.returns_zero"}}) {
  constexpr unsigned kContexts = 16;
  std::array<Answer, kContexts> seen;
  {
    std::vector<std::unique_ptr<Lane>> lanes;
    for (unsigned i = 0; i < kContexts; ++i) {
      const std::uint64_t ctx = setup();
      lanes.push_back(std::make_unique<Lane>(cpus().number(i % cpus().count())));
      lanes[i]->start([&, i, ctx] { seen[i] = io_destroy(ctx); });
    }
  }
  for (const Answer& each : seen) EXPECT_RETURNS(0, each);
  EXPECT_EQ(ring(setup()).id, 0u);
}

}  // namespace aio::suites
