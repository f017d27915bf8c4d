// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) that waits for events that another thread causes, and the number that it waits for.
// Claims: a wait ends with the event that completes min_nr, no sooner and no later, and how events below that number
// are shared with others: left in the ring since 6.8, taken one by one before. Provoked by a lane that is seen asleep
// in the call, and reads of nothing, each of which is one event at once. Not seen: how fast a waiter is woken; several
// waiters (waiting_many.cpp).
#include <sys/mman.h>

#include <system_error>

#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

}  // namespace

SUITE_TEST(waiting, the_event_that_completes_min_nr_ends_a_wait,
           {.holds = {"io_getevents.waiter_returns_at_min_nr", "io_getevents.waiter_returns_what_it_took",
                      "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 3, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_TRUE(waiter.returned());
  claim("io_getevents.waiter_returns_what_it_took");
  EXPECT_RETURNS(2, waiter.answer());
  EXPECT_EQ(in_ring(ctx), 0u);
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
}

SUITE_TEST(waiting, an_event_ends_a_wait_before_its_timeout, {.holds = {"io_getevents.waiter_returns_at_min_nr"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Address limit : {timeout(3600, 0), timeout(-1, 0), arena::kNull}) {
    waiter.start([&] { return io_getevents(ctx, 1, 2, arena::kEvents, limit); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_TRUE(waiter.returned());
    EXPECT_RETURNS(1, waiter.answer());
  }
}

SUITE_TEST(waiting, a_wait_takes_no_more_than_nr, {.holds = {"io_getevents.at_most_nr"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 3, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(5, submit(ctx, {0, 0, 0, 0, 0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(3, waiter.answer());
  EXPECT_EQ(in_ring(ctx), 2u);
}

// It may find more than min_nr when it comes to look.
SUITE_TEST(waiting, a_wait_returns_as_many_as_it_took,
           {.holds = {"io_getevents.waiter_returns_what_it_took", "io_getevents.waiter_returns_at_min_nr"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 10, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(4, submit(ctx, {0, 0, 0, 0}));
  claim("io_getevents.waiter_returns_at_min_nr");
  ASSERT_TRUE(waiter.returned());
  claim("io_getevents.waiter_returns_what_it_took");
  const std::int64_t taken = waiter.answer().value;
  EXPECT_GE(taken, 1);
  EXPECT_EQ(taken + in_ring(ctx), 4);
}

SUITE_TEST(waiting, what_is_there_is_taken_before_the_wait,
           {.holds = {"io_getevents.waiter_takes_what_is_there_first", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u, 3u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 4, 4, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  EXPECT_EQ(ring(ctx).head, 2u);
  ASSERT_RETURNS(2, submit(ctx, {2, 3}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(4, waiter.answer());
  claim("io_getevents.copies_events");
  for (const unsigned slot : {0u, 1u, 2u, 3u}) EXPECT_EQ(event(slot).obj, arena::iocb_slot(slot));
}

SUITE_TEST(waiting, too_few_events_stay_in_the_ring, {.holds = {"io_getevents.waiter_leaves_events_below_min_nr"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 3, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  EXPECT_TRUE(waiter.asleep());
  EXPECT_EQ(ring(ctx).head, 0u);
  ASSERT_RETURNS(1, submit(ctx, {2}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(3, waiter.answer());
  EXPECT_EQ(ring(ctx).head, 3u);
}

// Of min_nr only what is still missing counts.
SUITE_TEST(waiting, too_few_of_the_rest_stay_in_the_ring,
           {.holds = {"io_getevents.waiter_leaves_events_below_min_nr"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 4, 4, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_TRUE(waiter.asleep());
  EXPECT_EQ(ring(ctx).head, 2u);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(4, waiter.answer());
}

SUITE_TEST(waiting, others_may_take_what_a_waiter_leaves,
           {.holds = {"io_getevents.waiter_leaves_events_below_min_nr", "io_getevents.waiter_returns_at_min_nr"},
            .needs = ">=6.8"}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (unsigned slot = 0; slot < 5; ++slot) prepare(slot, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 3, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  EXPECT_TRUE(waiter.asleep());
  EXPECT_RETURNS(2, io_getevents(ctx, 0, 3, arena::kBuffers, arena::kNull));
  EXPECT_EQ(at<Event>(arena::kBuffers).obj, arena::iocb_slot(0));
  EXPECT_TRUE(waiter.asleep());
  claim("io_getevents.waiter_returns_at_min_nr");
  ASSERT_RETURNS(3, submit(ctx, {2, 3, 4}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(3, waiter.answer());
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(event(i).obj, arena::iocb_slot(2 + i));
}

SUITE_TEST(waiting, each_event_is_taken_when_it_comes, {.holds = {"io_getevents.waiter_takes_each_event"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 3, arena::kEvents, arena::kNull); });
  for (const std::uint32_t taken : {1u, 2u}) {
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_TRUE(await([&] { return ring(ctx).head == taken; }));
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 3, arena::kBuffers, arena::kNull));
  }
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(3, waiter.answer());
}

SUITE_TEST(waiting, more_than_the_ring_holds_never_come, {.holds = {"waiting.min_nr_above_ring_is_not_reached"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const std::uint32_t wanted = ring(ctx).nr + 1;
  const Address events = map(sizeof(Event) * wanted);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, wanted, wanted, events, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  std::uint32_t accepted = 0;
  Answer last{1, 0};
  for (; last.value == 1 && accepted < wanted; accepted += last.value == 1 ? 1 : 0) last = submit(ctx, {0});
  EXPECT_ERROR(EAGAIN, last);
  EXPECT_TRUE(waiter.asleep());
  EXPECT_EQ(in_ring(ctx), accepted);
  waiter.interrupt();
  EXPECT_RETURNS(accepted, waiter.answer());
}

SUITE_TEST(waiting, more_than_the_ring_holds_come_one_after_the_other,
           {.holds = {"waiting.min_nr_above_ring_is_reached"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const std::uint32_t wanted = ring(ctx).nr + 1;
  const Address events = map(sizeof(Event) * wanted);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, wanted, wanted, events, arena::kNull); });
  for (std::uint32_t i = 0; i < wanted; ++i) {
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(1, submit(ctx, {0}));
  }
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(wanted, waiter.answer());
}

SUITE_TEST(waiting, what_came_during_the_wait_is_given_when_time_is_over,
           {.holds = {"io_getevents.timeout_returns_partial_count", "io_getevents.waits_whole_timeout"},
            .needs = "lanes"}) {
  constexpr milliseconds kTimeout{300};
  constexpr int kTries = 5;
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  const Address ts = timeout(0, std::chrono::nanoseconds(kTimeout).count());
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point began = Clock::now();
    waiter.start([&] { return io_getevents(ctx, 3, 3, arena::kEvents, ts); });
    const bool asleep = waiter.asleep();
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const bool in_time = Clock::now() - began < kTimeout;
    const Answer seen = waiter.answer();
    claim("io_getevents.waits_whole_timeout");
    EXPECT_GE(Clock::now() - began, kTimeout);
    // On a busy machine the time may have been over before the event came.
    if (!asleep || !in_time) {
      ASSERT_RETURNS(1 - seen.value, io_getevents(ctx, 0, 3, arena::kEvents, arena::kNull));
      continue;
    }
    claim("io_getevents.timeout_returns_partial_count");
    EXPECT_RETURNS(1, seen);
    EXPECT_EQ(in_ring(ctx), 0u);
    return;
  }
  skip("the machine is too busy to cause an event during a wait");
}

SUITE_TEST(waiting, a_fault_after_some_events_gives_their_count,
           {.holds = {"io_getevents.fault_after_events_is_count", "io_getevents.efault_keeps_events"},
            .needs = "lanes"}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  if (::mprotect(reinterpret_cast<void*>(pages + page), page, PROT_NONE) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot protect a page");
  }
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const Address room_for_one = pages + page - sizeof(Event);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 2, room_for_one, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
  EXPECT_EQ(at<Event>(room_for_one).obj, arena::iocb_slot(0));
  claim("io_getevents.efault_keeps_events");
  EXPECT_RETURNS(1, io_getevents(ctx, 0, 2, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(0).obj, arena::iocb_slot(1));
}

SUITE_TEST(waiting, a_fault_at_the_first_event_is_efault,
           {.holds = {"io_getevents.unwritable_array_is_efault", "io_getevents.efault_keeps_events"},
            .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kNull, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_ERROR(EFAULT, waiter.answer());
  claim("io_getevents.efault_keeps_events");
  EXPECT_EQ(in_ring(ctx), 1u);
}

// A program that reaps by itself moves the head, and with it the number that the waiter misses.
SUITE_TEST(waiting, events_that_user_space_reaps_do_not_count,
           {.holds = {"io_getevents.waiter_counts_from_users_head"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 2, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_TRUE(waiter.asleep());
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(ring_event(ctx, 0).obj, arena::iocb_slot(0));
  ring(ctx).head = 1;
  ASSERT_RETURNS(1, submit(ctx, {1}));
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {2}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(2, waiter.answer());
  EXPECT_EQ(event(0).obj, arena::iocb_slot(1));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(2));
}

// The kernel may wake the waiter for it, which then finds that it is not enough.
SUITE_TEST(waiting, a_head_beyond_the_ring_does_not_end_a_wait, {.holds = {"waiting.head_beyond_ring_is_harmless"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 2, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ring(ctx).head = 3 * ring(ctx).nr;  // 0 modulo the size
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(2, waiter.answer());
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
}

}  // namespace aio::suites
