// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) that waits, and each kind of completion that may end the wait.
// Claims: whatever ends a request, in whatever task or interrupt, its event wakes who waits for it.
// Provoked by a lane that is seen asleep, then by requests that end inside io_submit, in a wake-up, in a work queue,
// through io_cancel, and when a file system in user space answers.
// Not seen: completions of devices, where no file queues O_DIRECT requests.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <csignal>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;

}  // namespace

SUITE_TEST(waiting_kinds, reads_and_writes_that_end_inside_io_submit,
           {.holds = {"waiting.request_done_inside_io_submit_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor regular = file("0123456789");
  const Pipe ends = pipe();
  iovecs({{arena::kBuffers, 3}, {arena::kBuffers + 100, 4}});
  prepare(0, kPread, regular.get(), arena::kBuffers, 10);
  prepare(1, kPwrite, regular.get(), arena::kBuffers, 9);
  prepare(2, kPreadv, regular.get(), arena::kIovecs, 2);
  prepare(3, kPwritev, regular.get(), arena::kIovecs, 2);
  prepare(4, kPwrite, ends.write.get(), arena::kBuffers, 5);
  prepare(5, kPread, ends.read.get(), arena::kBuffers, 5);
  prepare(6, kPread, regular.get(), arena::kReadOnly, 1);
  const std::vector<std::int64_t> results{10, 9, 7, 7, 5, 5, -EFAULT};
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (unsigned slot = 0; slot < results.size(); ++slot) {
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    ASSERT_TRUE(waiter.returned()) << slot;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0), (Event{100 + slot, arena::iocb_slot(slot), results[slot], 0}));
  }
}

SUITE_TEST(waiting_kinds, a_read_that_blocks_another_thread_in_io_submit,
           {.holds = {"waiting.request_done_inside_io_submit_wakes", "io_submit.waits_for_blocking_read"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  Answer submitted;
  Lane submitter(cpus().number(0));
  submitter.start([&] { submitted = submit(ctx, {0}); });
  claim("io_submit.waits_for_blocking_read");
  EXPECT_EQ(submitter.settle(numbers().io_submit), Lane::State::kAsleep);
  EXPECT_TRUE(waiter.asleep());
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  claim("waiting.request_done_inside_io_submit_wakes");
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
  EXPECT_EQ(event(0).res, 3);
  submitter.wait();
  EXPECT_RETURNS(1, submitted);
}

SUITE_TEST(waiting_kinds, polls_of_files_that_become_ready, {.holds = {"waiting.poll_wake_up_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  const Ends sockets = socket_pair();
  prepare_poll(0, ends.read.get(), kPollIn);
  prepare_poll(1, counter.get(), kPollIn);
  prepare_poll(2, sockets.one.get(), kPollIn);
  const std::function<void()> wake[] = {
      [&] { ASSERT_EQ(::write(ends.write.get(), "x", 1), 1); },
      [&] {
        const std::uint64_t one = 1;
        ASSERT_EQ(::write(counter.get(), &one, sizeof one), 8);
      },
      [&] { ASSERT_EQ(::write(sockets.other.get(), "x", 1), 1); },
  };
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const unsigned slot : {0u, 1u, 2u}) {
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    wake[slot]();
    ASSERT_TRUE(waiter.returned()) << slot;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0).obj, arena::iocb_slot(slot));
    EXPECT_EQ(event(0).res & kPollIn, kPollIn) << slot;
  }
}

// One is ready when it is submitted, one when the other side hangs up, one when its time has come.
SUITE_TEST(waiting_kinds, polls_that_end_otherwise, {.holds = {"waiting.poll_wake_up_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor ready = eventfd(1);
  Pipe ends = pipe();
  const Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  ASSERT_TRUE(static_cast<bool>(timer));
  prepare_poll(0, ready.get(), kPollIn);
  prepare_poll(1, ends.read.get(), kPollIn);
  prepare_poll(2, timer.get(), kPollIn);
  const std::function<void()> wake[] = {
      [] {},
      [&] { ends.write = Descriptor(); },
      [&] {
        const itimerspec soon{{0, 0}, {0, 5'000'000}};
        ASSERT_EQ(::timerfd_settime(timer.get(), 0, &soon, nullptr), 0);
      },
  };
  const std::int64_t wanted[] = {kPollIn, kPollHup, kPollIn};
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const unsigned slot : {0u, 1u, 2u}) {
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    wake[slot]();
    ASSERT_TRUE(waiter.returned()) << slot;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0).obj, arena::iocb_slot(slot));
    EXPECT_EQ(event(0).res & wanted[slot], wanted[slot]) << slot;
  }
}

SUITE_TEST(waiting_kinds, a_poll_of_the_eventfd_that_another_request_signals,
           {.holds = {"waiting.poll_wake_up_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd();
  const Descriptor empty = file();
  prepare_poll(0, counter.get(), kPollIn);
  signal(prepare(1, kPread, empty.get()), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 3, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(2, waiter.answer());
  EXPECT_EQ(event(0).obj + event(1).obj, arena::iocb_slot(0) + arena::iocb_slot(1));
}

SUITE_TEST(waiting_kinds, a_poll_that_is_cancelled, {.holds = {"waiting.cancelled_request_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd();
  prepare_poll(0, counter.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  io_cancel(ctx, arena::iocb_slot(0));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 0, 0}));
}

SUITE_TEST(waiting_kinds, fsyncs, {.holds = {"waiting.fsync_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor regular = file("content");
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Opcode opcode : {kFsync, kFdsync}) {
    prepare(0, opcode, regular.get());
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_TRUE(waiter.returned()) << opcode;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 0, 0})) << opcode;
  }
}

SUITE_TEST(waiting_kinds, direct_reads_and_writes, {.holds = {"waiting.direct_io_wakes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor direct = file(std::string(8192, 'a'), O_DIRECT);
  prepare(0, kPread, direct.get(), arena::kBuffers, 4096, 4096);
  prepare(1, kPwrite, direct.get(), arena::kBuffers, 8192, 0);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const unsigned slot : {0u, 1u}) {
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    ASSERT_TRUE(waiter.returned()) << slot;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0).res, slot == 0 ? 4096 : 8192);
  }
}

SUITE_TEST(waiting_kinds, requests_that_a_file_system_held, {.holds = {"waiting.held_request_wakes"}}) {
  const Gate gate(cpus().number(0));
  const Descriptor held(gate.open());
  const std::uint64_t ctx = setup();
  prepare(0, kPread, held.get(), arena::kBuffers, 4096);
  prepare(1, kPwrite, held.get(), arena::kBuffers, 4096);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const unsigned slot : {0u, 1u}) {
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    const std::vector<GateRequest> there = gate.held(1);
    ASSERT_EQ(there.size(), 1u);
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_TRUE(gate.release(there[0].id, 4096));
    ASSERT_TRUE(waiter.returned()) << slot;
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0), (Event{100 + slot, arena::iocb_slot(slot), 4096, 0}));
  }
}

// Several at once, of which the last to end completes the number.
SUITE_TEST(waiting_kinds, several_kinds_count_together,
           {.holds = {"waiting.poll_wake_up_wakes", "io_getevents.waiter_returns_at_min_nr"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor regular = file("content");
  const Descriptor counter = eventfd();
  const Descriptor other = eventfd();
  prepare_poll(0, counter.get(), kPollIn);
  prepare_poll(1, other.get(), kPollIn);
  prepare(2, kPread, regular.get(), arena::kBuffers, 7);
  prepare(3, kFsync, regular.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 4, 8, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(2, submit(ctx, {2, 3}));
  io_cancel(ctx, arena::iocb_slot(1));
  claim("io_getevents.waiter_returns_at_min_nr");
  EXPECT_TRUE(waiter.asleep());
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(counter.get(), &one, sizeof one), 8);
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(4, waiter.answer());
}

}  // namespace aio::suites
