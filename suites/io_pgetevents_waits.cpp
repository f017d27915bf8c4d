// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_pgetevents(2) that sleeps, and signals that come meanwhile.
// Claims: EINTR for what the mask lets in and nothing for what it blocks; where no handler runs the wait begins again,
// with its whole timeout; SIGKILL and SIGSTOP are not to be blocked.
// Provoked by signals to a lane, a thread or a process of the same memory, that is seen asleep in the call.
// Not seen: the race between a signal and the end of a call (F26).
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "fixtures/lane.h"
#include "fixtures/proc_stat.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kNoCompatMask = "before 5.4 this entry reads the signal argument wrongly";
constexpr std::uint64_t kAllSignals = ~std::uint64_t{0};

// Whether the process with this folder in /proc sleeps in the call with this number.
bool sleeps_in(const std::string& folder, long number) {
  long seen = -1;
  std::ifstream(folder + "/syscall") >> seen;
  const auto stat = proc_stat(folder);
  return seen == number && stat && stat->state == 'S';
}

}  // namespace

SUITE_TEST(io_pgetevents_waits, a_signal_that_comes_during_the_wait_is_eintr,
           {.holds = {"io_pgetevents.signal_let_in_is_eintr"}, .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1, SA_RESTART);
  block(SIGUSR1);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset({SIGUSR2})); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGUSR1);
  EXPECT_ERROR(EINTR, waiter.answer());
  EXPECT_EQ(catches, 1);
}

SUITE_TEST(io_pgetevents_waits, without_a_mask_a_signal_is_eintr,
           {.holds = {"io_pgetevents.caught_signal_is_eintr"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1, SA_RESTART);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGUSR1);
  EXPECT_ERROR(EINTR, waiter.answer());
  EXPECT_EQ(catches, 1);
}

SUITE_TEST(io_pgetevents_waits, what_the_mask_blocks_comes_after_the_call,
           {.holds = {"io_pgetevents.mask_blocks_during_wait", "io_pgetevents.blocked_signal_comes_after"},
            .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  for (const int number : {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMAX}) catch_signal(number);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  at<std::uint64_t>(arena::kSignalMask) = kAllSignals;
  const Address everything = sigset(arena::kSignalMask, 8);
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, everything); });
  ASSERT_TRUE(waiter.asleep());
  for (const int number : {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMAX}) {
    waiter.signal(number);
    EXPECT_TRUE(waiter.asleep()) << number;
  }
  EXPECT_EQ(catches, 0);
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, waiter.answer());
  claim("io_pgetevents.blocked_signal_comes_after");
  EXPECT_EQ(catches, 4);
}

SUITE_TEST(io_pgetevents_waits, a_polled_pipe_ends_a_wait_with_a_mask,
           {.holds = {"io_pgetevents.waits_as_io_getevents"}, .needs = ">=4.19,lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset({SIGUSR2})); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  EXPECT_RETURNS(1, waiter.answer());
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
}

SUITE_TEST(io_pgetevents_waits, a_stop_and_continue_begins_the_wait_again,
           {.holds = {"io_pgetevents.restarts_without_handler"}, .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  for (const Address signals : {arena::kNull, sigset({SIGUSR2})}) {
    Sleeper waiter(cpus().number(0), numbers().io_pgetevents, Lane::Kind::kProcess);
    waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, signals); });
    ASSERT_TRUE(waiter.asleep());
    waiter.signal(SIGSTOP);
    const bool stopped = await([&] { return waiter.stopped(); });
    waiter.signal(SIGCONT);
    ASSERT_TRUE(stopped);
    EXPECT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_RETURNS(1, waiter.answer());
  }
}

SUITE_TEST(io_pgetevents_waits, a_wait_that_begins_again_has_its_whole_timeout,
           {.holds = {"io_pgetevents.restart_has_whole_timeout"}, .needs = "lanes"}) {
  constexpr milliseconds kTimeout{400};
  constexpr int kTries = 5;
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents, Lane::Kind::kProcess);
  const Address ts = timeout(0, std::chrono::nanoseconds(kTimeout).count());
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point began = Clock::now();
    waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, ts, arena::kNull); });
    const bool asleep = waiter.asleep();
    // Of what is left of the time by now a kernel that does not begin again would return too early.
    if (asleep) await([&] { return Clock::now() - began > kTimeout / 4; });
    waiter.signal(SIGSTOP);
    const bool stopped = await([&] { return waiter.stopped(); });
    const bool in_time = Clock::now() - began < kTimeout;
    const Clock::time_point continued = Clock::now();
    waiter.signal(SIGCONT);
    EXPECT_RETURNS(0, waiter.answer());
    // On a busy machine the time may have been over before the stop.
    if (!asleep || !stopped || !in_time) continue;
    EXPECT_GE(waiter.returned_at() - continued, kTimeout);
    return;
  }
  skip("the machine is too busy to stop a wait in time");
}

SUITE_TEST(io_pgetevents_waits, an_ignored_signal_begins_the_wait_again,
           {.holds = {"io_pgetevents.restarts_without_handler"}, .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  ::signal(SIGUSR2, SIG_IGN);
  block(SIGUSR2);  // so that it becomes pending
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  waiter.start([&] {
    ::raise(SIGUSR2);
    return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset({}));
  });
  EXPECT_TRUE(waiter.asleep());
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, waiter.answer());
}

SUITE_TEST(io_pgetevents_waits, no_mask_keeps_a_stop_out,
           {.holds = {"io_pgetevents.kill_and_stop_not_blocked"}, .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  at<std::uint64_t>(arena::kSignalMask) = kAllSignals;
  const Address everything = sigset(arena::kSignalMask, 8);
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents, Lane::Kind::kProcess);
  waiter.start([&] { return io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, everything); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGSTOP);
  EXPECT_TRUE(await([&] { return waiter.stopped(); }));
  waiter.signal(SIGCONT);
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, waiter.answer());
}

SUITE_TEST(io_pgetevents_waits, no_mask_keeps_a_kill_out,
           {.holds = {"io_pgetevents.kill_and_stop_not_blocked"}, .needs = "lanes"}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  at<std::uint64_t>(arena::kSignalMask) = kAllSignals;
  const Address everything = sigset(arena::kSignalMask, 8);
  Worker child([&] {
    at<std::uint64_t>(arena::context_slot(0)) = 0;
    if (io_setup(1, arena::context_slot(0)).value != 0) return 1;
    io_pgetevents(at<std::uint64_t>(arena::context_slot(0)), 1, 1, arena::kEvents, arena::kNull, everything);
    return 0;
  });
  const std::string folder = "/proc/" + std::to_string(child.pid());
  const long number = numbers().io_pgetevents;
  ASSERT_TRUE(await([&] { return sleeps_in(folder, number); }));
  ::kill(child.pid(), SIGKILL);
  const auto status = child.wait_exit(Worker::kReapPatience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status_text(*status), "SIGKILL");
}

}  // namespace aio::suites
