// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) and signals that come while it waits, or while it looks.
// Claims: a signal that is caught ends a wait, with what has come or with EINTR and never with a restart; a stop and
// continue ends it too; blocked and ignored signals do not.
// Provoked by signals to a lane that is seen asleep, and by a fast timer against calls that do not sleep.
// Not seen: signals that kill (process.cpp); masks of the call's own (io_pgetevents_masks.cpp).
#include <sys/time.h>
#include <unistd.h>

#include <csignal>

#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

}  // namespace

SUITE_TEST(io_getevents_signals, a_signal_ends_a_wait_without_events,
           {.holds = {"io_getevents.signal_without_events_is_eintr"}}) {
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Address limit : {arena::kNull, timeout(3600, 0)}) {
    catches = 0;
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, limit); });
    ASSERT_TRUE(waiter.asleep());
    waiter.signal(SIGUSR1);
    EXPECT_ERROR(EINTR, waiter.answer());
    EXPECT_EQ(catches, 1);
  }
}

SUITE_TEST(io_getevents_signals, no_wait_is_restarted,
           {.holds = {"io_getevents.sa_restart_has_no_effect"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1, SA_RESTART);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Address limit : {arena::kNull, timeout(3600, 0)}) {
    catches = 0;
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, limit); });
    ASSERT_TRUE(waiter.asleep());
    waiter.signal(SIGUSR1);
    EXPECT_ERROR(EINTR, waiter.answer());
    EXPECT_EQ(catches, 1);
  }
}

SUITE_TEST(io_getevents_signals, a_signal_gives_what_has_come,
           {.holds = {"io_getevents.signal_returns_partial_count", "io_getevents.copies_events",
                      "io_getevents.moves_head"},
            .needs = "lanes"}) {
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 5, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGUSR1);
  EXPECT_RETURNS(2, waiter.answer());
  EXPECT_EQ(catches, 1);
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
  claim("io_getevents.moves_head");
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_getevents_signals, a_signal_gives_what_came_during_the_wait,
           {.holds = {"io_getevents.signal_returns_partial_count"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 4, 4, arena::kEvents, timeout(3600, 0)); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGUSR1);
  EXPECT_RETURNS(3, waiter.answer());
}

SUITE_TEST(io_getevents_signals, stop_and_continue_end_a_wait,
           {.holds = {"io_getevents.stop_and_continue_is_eintr"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents, Lane::Kind::kProcess);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGSTOP);
  const bool stopped = await([&] { return waiter.stopped(); });
  waiter.signal(SIGCONT);
  ASSERT_TRUE(stopped);
  EXPECT_ERROR(EINTR, waiter.answer());
  EXPECT_EQ(catches, 0);
}

SUITE_TEST(io_getevents_signals, a_blocked_signal_does_not_end_a_wait,
           {.holds = {"io_getevents.blocked_signal_does_not_end_wait"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1);
  catch_signal(SIGUSR2);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);  // the lane inherits it
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  waiter.signal(SIGUSR2);
  EXPECT_TRUE(waiter.asleep());
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, waiter.answer());
  EXPECT_EQ(catches, 0);
}

SUITE_TEST(io_getevents_signals, a_pending_blocked_signal_is_no_eintr,
           {.holds = {"io_getevents.blocked_signal_does_not_end_wait"}}) {
  catch_signal(SIGUSR2);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  ::raise(SIGUSR2);
  const std::uint64_t ctx = setup();
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  const Clock::time_point began = Clock::now();
  EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, timeout(0, 10'000'000)));
  EXPECT_GE(Clock::now() - began, milliseconds(10));
  EXPECT_EQ(catches, 0);
}

SUITE_TEST(io_getevents_signals, an_ignored_signal_does_not_end_a_wait,
           {.holds = {"io_getevents.ignored_signal_does_not_end_wait"}, .needs = "lanes"}) {
  catch_signal(SIGUSR1);
  ::signal(SIGUSR2, SIG_IGN);
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  // SIGWINCH and SIGCONT do nothing unless they are caught.
  for (const int number : {SIGUSR2, SIGWINCH, SIGCONT}) {
    waiter.signal(number);
    EXPECT_TRUE(waiter.asleep()) << number;
  }
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, waiter.answer());
}

// No signal is pending when a call begins, so the timer must strike inside one: calls are made until it has.
SUITE_TEST(io_getevents_signals, a_signal_turns_zero_into_eintr_without_a_wait,
           {.holds = {"io_getevents.signal_turns_zero_into_eintr"}, .entries = kRawEntries}) {
  constexpr int kStrikes = 3000;
  catch_signal(SIGALRM, SA_RESTART);
  const std::uint64_t ctx = setup();
  const itimerval fast{{0, 500}, {0, 500}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &fast, nullptr), 0);
  Answer seen;
  while (seen.value == 0 && catches < kStrikes) seen = io_getevents(ctx, 0, 1, arena::kNull, timeout(0, 0));
  const itimerval off{};
  ::setitimer(ITIMER_REAL, &off, nullptr);
  EXPECT_ERROR(EINTR, seen);
}

// Many signals come while calls return an event, and none of the events is lost to EINTR.
SUITE_TEST(io_getevents_signals, a_signal_takes_no_event_away,
           {.holds = {"io_getevents.signal_keeps_events_of_finished_call"}}) {
  constexpr int kStrikes = 50;
  catch_signal(SIGALRM, SA_RESTART);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const Address one = list({arena::iocb_slot(0)});
  const itimerval fast{{0, 500}, {0, 500}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &fast, nullptr), 0);
  std::uint64_t wrong = 0;
  while (catches < kStrikes && wrong == 0) {
    const Answer made = io_submit(ctx, 1, one);
    const Answer taken = io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull);
    if (made.value != 1 || taken.value != 1) ++wrong;
  }
  const itimerval off{};
  ::setitimer(ITIMER_REAL, &off, nullptr);
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(in_ring(ctx), 0u);
}

}  // namespace aio::suites
