// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) and its timeout, a struct timespec that is relative and that nobody checks.
// Claims: which timeouts return at once, wait for their time or wait for ever, and what a wait returns that times out.
// Provoked by empty or nearly empty rings; those that wait for ever are seen asleep in a lane and ended by a signal.
// Not seen: how much later than its timeout a call returns; whether "for ever" is 292 years.

#include <climits>
#include <csignal>

#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSecond = 1'000'000'000;  // ns

struct Timeout {
  std::int64_t sec;
  std::int64_t nsec;
};

std::string text(const Timeout& timeout) {
  return '{' + std::to_string(timeout.sec) + ", " + std::to_string(timeout.nsec) + '}';
}

}  // namespace

SUITE_TEST(io_getevents_timeouts, a_zero_timeout_polls,
           {.holds = {"io_getevents.zero_timeout_returns_at_once"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  EXPECT_TRUE(stays_awake([&] { EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, timeout(0, 0))); }));
}

SUITE_TEST(io_getevents_timeouts, a_zero_timeout_gives_less_than_min_nr,
           {.holds = {"io_getevents.zero_timeout_returns_at_once"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  EXPECT_TRUE(stays_awake([&] {
    ASSERT_RETURNS(2, submit(ctx, {0, 0}));
    EXPECT_RETURNS(2, io_getevents(ctx, 3, 3, arena::kEvents, timeout(0, 0)));
  }));
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_getevents_timeouts, what_sums_to_zero_polls,
           {.holds = {"io_getevents.timeout_that_sums_to_zero_polls"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_TRUE(stays_awake([&] {
    for (const Timeout each : {Timeout{1, -kSecond}, {-1, kSecond}, {2, -2 * kSecond}}) {
      EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, timeout(each.sec, each.nsec))) << text(each);
    }
  }));
}

// 2^63 * 10^9 is 0 modulo 2^64, and 18446744073 * 10^9 is 2^64 - 709551616.
SUITE_TEST(io_getevents_timeouts, what_wraps_to_zero_polls,
           {.holds = {"io_getevents.timeout_that_sums_to_zero_polls", "io_getevents.timeout_is_an_unchecked_sum"},
            .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  EXPECT_TRUE(stays_awake([&] {
    for (const Timeout each : {Timeout{INT64_MIN, 0}, {-18446744073, -709551616}, {100, -100 * kSecond}}) {
      EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, timeout(each.sec, each.nsec))) << text(each);
    }
  }));
}

SUITE_TEST(io_getevents_timeouts, a_timeout_that_passes_gives_zero, {.holds = {"io_getevents.timeout_returns_zero"}}) {
  const std::uint64_t ctx = setup();
  for (const std::int64_t nsec : {1, 10, 1000, 1'000'000}) {
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, timeout(0, nsec))) << nsec;
  }
}

SUITE_TEST(io_getevents_timeouts, a_timeout_is_waited_for_in_whole, {.holds = {"io_getevents.waits_whole_timeout"}}) {
  const std::uint64_t ctx = setup();
  for (const milliseconds time : {milliseconds(1), milliseconds(20), milliseconds(60)}) {
    const Address ts = timeout(0, std::chrono::nanoseconds(time).count());
    const Clock::time_point began = Clock::now();
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, ts));
    EXPECT_GE(Clock::now() - began, time);
  }
}

SUITE_TEST(io_getevents_timeouts, what_has_come_is_given_when_time_is_over,
           {.holds = {"io_getevents.timeout_returns_partial_count", "io_getevents.waits_whole_timeout",
                      "io_getevents.moves_head"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  const Address ts = timeout(0, 30'000'000);
  const Clock::time_point began = Clock::now();
  EXPECT_RETURNS(2, io_getevents(ctx, 3, 4, arena::kEvents, ts));
  claim("io_getevents.waits_whole_timeout");
  EXPECT_GE(Clock::now() - began, milliseconds(30));
  claim("io_getevents.moves_head");
  EXPECT_EQ(ring(ctx).head, 2u);
}

SUITE_TEST(io_getevents_timeouts, odd_timeouts_wait_for_their_sum,
           {.holds = {"io_getevents.timeout_is_an_unchecked_sum", "io_getevents.waits_whole_timeout"}}) {
  struct Row {
    Timeout timeout;
    milliseconds sum;
  };
  const std::uint64_t ctx = setup();
  for (const Row& row : {Row{{0, kSecond}, milliseconds(1000)},
                         {{1, -9 * kSecond / 10}, milliseconds(100)},
                         {{-1, kSecond + 50'000'000}, milliseconds(50)}}) {
    const Address ts = timeout(row.timeout.sec, row.timeout.nsec);
    const Clock::time_point began = Clock::now();
    claim("io_getevents.timeout_is_an_unchecked_sum");
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, ts)) << text(row.timeout);
    claim("io_getevents.waits_whole_timeout");
    EXPECT_GE(Clock::now() - began, row.sum) << text(row.timeout);
  }
}

SUITE_TEST(io_getevents_timeouts, sums_wrap_at_64_bits,
           {.holds = {"io_getevents.timeout_is_an_unchecked_sum", "io_getevents.waits_whole_timeout"},
            .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  for (const Timeout& each :
       {Timeout{INT64_MIN, 50'000'000}, {-18446744073, 50'000'000 - 709551616}, {0, 50'000'000}, {-3, 3'050'000'000}}) {
    const Address ts = timeout(each.sec, each.nsec);
    const Clock::time_point began = Clock::now();
    claim("io_getevents.timeout_is_an_unchecked_sum");
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, ts)) << text(each);
    claim("io_getevents.waits_whole_timeout");
    EXPECT_GE(Clock::now() - began, milliseconds(50)) << text(each);
  }
}

SUITE_TEST(io_getevents_timeouts, without_a_timeout_a_wait_lasts,
           {.holds = {"io_getevents.null_timeout_waits"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  EXPECT_TRUE(waiter.asleep());
  waiter.interrupt();
  EXPECT_ERROR(EINTR, waiter.answer());
}

SUITE_TEST(io_getevents_timeouts, a_negative_sum_lasts_for_ever,
           {.holds = {"io_getevents.negative_timeout_waits"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Timeout& each : {Timeout{-1, 0}, {0, -1}, {-1, kSecond - 1}, {1, -kSecond - 1}, {INT_MIN, 0}}) {
    const Address ts = timeout(each.sec, each.nsec);
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, ts); });
    EXPECT_TRUE(waiter.asleep()) << text(each);
    waiter.interrupt();
    EXPECT_ERROR(EINTR, waiter.answer()) << text(each);
  }
}

SUITE_TEST(io_getevents_timeouts, a_sum_that_wraps_below_zero_lasts_for_ever,
           {.holds = {"io_getevents.negative_timeout_waits", "io_getevents.timeout_is_an_unchecked_sum"},
            .entries = kNativeOnly | kLibaioOnly,
            .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Timeout& each : {Timeout{0, INT64_MIN}, {-9223372036, 0}, {9223372035, INT64_MAX}, {INT64_MIN, -1}}) {
    const Address ts = timeout(each.sec, each.nsec);
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, ts); });
    EXPECT_TRUE(waiter.asleep()) << text(each);
    waiter.interrupt();
    EXPECT_ERROR(EINTR, waiter.answer()) << text(each);
  }
}

SUITE_TEST(io_getevents_timeouts, a_huge_timeout_lasts_for_ever,
           {.holds = {"io_getevents.huge_timeout_waits"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Timeout& each : {Timeout{INT_MAX, 0}, {INT_MAX, INT_MAX}}) {
    const Address ts = timeout(each.sec, each.nsec);
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, ts); });
    EXPECT_TRUE(waiter.asleep()) << text(each);
    waiter.interrupt();
    EXPECT_ERROR(EINTR, waiter.answer()) << text(each);
  }
}

// From 9223372036 s on the nanoseconds do not count; below it the sum may be as large as 64 bits are.
SUITE_TEST(io_getevents_timeouts, what_no_clock_counts_to_lasts_for_ever,
           {.holds = {"io_getevents.huge_timeout_waits"}, .entries = kNativeOnly | kLibaioOnly, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Timeout& each : {Timeout{9223372036, 0},
                              {9223372036, -kSecond},
                              {9223372036, INT64_MIN},
                              {INT64_MAX, 0},
                              {INT64_MAX, INT64_MAX},
                              {0, INT64_MAX},
                              {-9223372037, 0}}) {
    const Address ts = timeout(each.sec, each.nsec);
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, ts); });
    EXPECT_TRUE(waiter.asleep()) << text(each);
    waiter.interrupt();
    EXPECT_ERROR(EINTR, waiter.answer()) << text(each);
  }
}

SUITE_TEST(io_getevents_timeouts, events_that_are_there_come_whatever_the_timeout,
           {.holds = {"io_getevents.enough_events_do_not_wait"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  for (const Timeout& each :
       {Timeout{0, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, -kSecond}, {INT_MAX, INT_MAX}, {INT_MIN, 0}}) {
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, timeout(each.sec, each.nsec))) << text(each);
  }
}

SUITE_TEST(io_getevents_timeouts, the_timeout_is_only_read, {.holds = {"io_getevents.timeout_not_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  const Address ts = timeout(0, 2'000'000);
  const std::string before = get(ts, sizeof(Timespec));
  ASSERT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, ts));
  EXPECT_EQ(get(ts, sizeof(Timespec)), before);
  // Also where time is left.
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, ts));
  EXPECT_EQ(get(ts, sizeof(Timespec)), before);
}

}  // namespace aio::suites
