// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_pgetevents(2) and its signal mask: in force during the call and at no other time.
// Claims: what the mask lets in runs its handler and turns 0 into EINTR, but no count and no other errno; the old mask
// is back on every way out. Provoked by signals that are pending before the call, which need not sleep then. Not seen:
// signals during the wait (io_pgetevents_waits.cpp); the race between a signal and the end of a call (F26).
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "suites/harness/case.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kNoCompatMask = "before 5.4 this entry reads the signal argument wrongly";

constexpr std::uint64_t bit(int number) { return std::uint64_t{1} << (number - 1); }

// The calling thread's mask, with the two signals that the C library keeps from sigset_t's users.
std::uint64_t blocked() {
  std::uint64_t mask = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, sizeof mask);
  return mask;
}

void block(std::uint64_t mask) { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask); }

// How often caught() was called, and the mask that it saw last.
std::atomic<int> catches{0};
std::atomic<std::uint64_t> mask_in_handler{0};

void caught(int /*number*/) {
  mask_in_handler = blocked();
  ++catches;
}

void catch_signal(int number, int flags = 0) {
  struct sigaction action {};
  action.sa_handler = caught;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

SUITE_TEST(io_pgetevents_masks, a_pending_signal_that_is_let_in_is_eintr,
           {.holds = {"io_pgetevents.signal_let_in_is_eintr"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  for (const int flags : {0, SA_RESTART}) {
    catch_signal(SIGUSR1, flags);
    for (const std::int64_t min_nr : {0, 1}) {
      for (const Address limit : {arena::kNull, timeout(3600, 0)}) {
        catches = 0;
        block(bit(SIGUSR1));
        ::raise(SIGUSR1);
        EXPECT_ERROR(EINTR, io_pgetevents(ctx, min_nr, 1, arena::kEvents, limit, sigset({SIGUSR2})));
        EXPECT_EQ(catches, 1);
      }
    }
  }
}

SUITE_TEST(io_pgetevents_masks, a_pending_signal_ends_a_poll_too,
           {.holds = {"io_pgetevents.signal_let_in_is_eintr"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  block(bit(SIGUSR1));
  ::raise(SIGUSR1);
  EXPECT_ERROR(EINTR, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 0), sigset({})));
  EXPECT_EQ(catches, 1);
}

SUITE_TEST(io_pgetevents_masks, events_and_signal_come_together,
           {.holds = {"io_pgetevents.events_and_signal_together"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  // Enough of them, and too few.
  for (const std::int64_t min_nr : {2, 3}) {
    ASSERT_RETURNS(2, submit(ctx, {0, 0}));
    catches = 0;
    block(bit(SIGUSR1));
    ::raise(SIGUSR1);
    EXPECT_RETURNS(2, io_pgetevents(ctx, min_nr, 4, arena::kEvents, arena::kNull, sigset({})));
    EXPECT_EQ(catches, 1);
    EXPECT_EQ(in_ring(ctx), 0u);
  }
}

SUITE_TEST(io_pgetevents_masks, a_refused_call_lets_the_signal_in,
           {.holds = {"io_pgetevents.refusal_lets_signal_in"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  block(bit(SIGUSR1));
  ::raise(SIGUSR1);
  EXPECT_ERROR(EINVAL, io_pgetevents(0, 0, 1, arena::kEvents, arena::kNull, sigset({})));
  EXPECT_EQ(catches, 1);
  ::raise(SIGUSR1);
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 2, 1, arena::kEvents, arena::kNull, sigset({})));
  EXPECT_EQ(catches, 2);
  ::raise(SIGUSR1);
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 1, 1, arena::kNull, arena::kNull, sigset({})));
  EXPECT_EQ(catches, 3);
  EXPECT_EQ(in_ring(ctx), 1u);
}

SUITE_TEST(io_pgetevents_masks, the_old_mask_is_back_after_each_answer, {.holds = {"io_pgetevents.mask_restored"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const std::uint64_t old = bit(SIGUSR1) | bit(SIGTERM) | bit(64);
  block(old);
  ASSERT_EQ(blocked(), old);
  at<std::uint64_t>(arena::kSignalMask) = ~std::uint64_t{0};
  for (const Address signals : {arena::kNull, sigset(arena::kSignalMask, 8), sigset(arena::kNull, 8)}) {
    EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 1000), signals));
    EXPECT_EQ(blocked(), old);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 1, 1, arena::kNull, arena::kNull, signals));
    EXPECT_EQ(blocked(), old);
    EXPECT_RETURNS(1, io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, signals));
    EXPECT_EQ(blocked(), old);
    EXPECT_ERROR(EINVAL, io_pgetevents(0, 1, 1, arena::kEvents, arena::kNull, signals));
    EXPECT_EQ(blocked(), old);
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 2, 1, arena::kEvents, arena::kNull, signals));
    EXPECT_EQ(blocked(), old);
  }
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset(arena::kUnmapped, 8)));
  EXPECT_EQ(blocked(), old);
  ::raise(SIGUSR1);
  EXPECT_ERROR(EINTR, io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset({SIGUSR2})));
  EXPECT_EQ(blocked(), old);
}

SUITE_TEST(io_pgetevents_masks, a_handler_runs_under_the_masks_of_call_and_action,
           {.holds = {"io_pgetevents.handler_runs_under_mask", "io_pgetevents.mask_restored"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const Address one = list({arena::iocb_slot(0)});
  const std::uint64_t old = bit(SIGUSR1) | bit(SIGTERM);
  block(old);
  for (const unsigned there : {0u, 1u}) {
    ASSERT_RETURNS(there, io_submit(ctx, there, one));
    ::raise(SIGUSR1);
    const Answer seen = io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, sigset({SIGUSR2, SIGHUP}));
    claim("io_pgetevents.handler_runs_under_mask");
    EXPECT_EQ(seen.value, there == 0 ? -1 : 1);
    EXPECT_EQ(mask_in_handler, bit(SIGUSR2) | bit(SIGHUP) | bit(SIGUSR1)) << there;
    claim("io_pgetevents.mask_restored");
    EXPECT_EQ(blocked(), old) << there;
  }
}

SUITE_TEST(io_pgetevents_masks, a_mask_that_lets_nothing_in_times_out,
           {.holds = {"io_pgetevents.mask_blocks_during_wait"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  block(bit(SIGUSR1));
  ::raise(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Clock::time_point began = Clock::now();
  EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 20'000'000), sigset({SIGUSR1})));
  EXPECT_GE(Clock::now() - began, milliseconds(20));
  EXPECT_EQ(catches, 0);
}

SUITE_TEST(io_pgetevents_masks, mask_and_signal_argument_are_only_read,
           {.holds = {"io_pgetevents.signal_argument_not_written"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  catch_signal(SIGUSR1);
  const std::uint64_t ctx = setup();
  const Address signals = sigset({SIGUSR2, SIGKILL, SIGSTOP});
  const std::string before = get(arena::kVars + 0x200, 0x200);
  ASSERT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 1000), signals));
  block(bit(SIGUSR1));
  ::raise(SIGUSR1);
  ASSERT_ERROR(EINTR, io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, signals));
  EXPECT_EQ(get(arena::kVars + 0x200, 0x200), before);
}

}  // namespace aio::suites
