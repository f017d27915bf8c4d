// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the head that the user writes does to the number of free slots.
// Claims: the head says which completed events still hold slots, taken modulo the ring's size; no head frees the slot
// of a request that is not complete; the tail that the user writes says nothing.
// Provoked by full rings whose head, or tail, the test moves.
// Not seen: moves while requests complete on another CPU.
#include <algorithm>

#include "suites/harness/case.h"
#include "suites/quota_slots.h"

namespace aio::suites {
SUITE_TEST(quota_head, each_event_that_the_head_passes_frees_a_slot, {.holds = {"quota.user_head_frees_slots"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  ASSERT_EQ(fill(entry(), ctx, read), quota);
  for (const std::uint32_t passed : {1u, 10u, 15u, 31u, 64u, quota}) {
    ring(ctx).head = (ring(ctx).head + passed) % nr;
    EXPECT_EQ(fill(entry(), ctx, read), passed);
  }
}

SUITE_TEST(quota_head, a_head_moved_back_holds_slots, {.holds = {"quota.head_moved_back_holds_slots"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const Address events = map(sizeof(Event) * nr);
  ASSERT_EQ(fill(entry(), ctx, read), quota);
  ASSERT_RETURNS(quota, io_getevents(ctx, 0, nr, events, arena::kNull));
  ring(ctx).head -= 10;
  EXPECT_EQ(fill(entry(), ctx, read), quota - 10);
  ring(ctx).head += 10;
  EXPECT_EQ(fill(entry(), ctx, read), 10u);
}

SUITE_TEST(quota_head, the_head_counts_modulo_the_size, {.holds = {"quota.head_modulo_size"}}) {
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const std::uint32_t nr = ring(setup()).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  for (const std::uint32_t head : {quota + nr, 5 * nr + 20, 0x80000000u, 0xffffffffu}) {
    const std::uint64_t ctx = setup();
    ASSERT_EQ(fill(entry(), ctx, read), quota);
    ring(ctx).head = head;
    // A head beyond the tail claims more than was ever completed.
    EXPECT_EQ(fill(entry(), ctx, read), head % nr <= quota ? head % nr : 0) << head;
  }
}

SUITE_TEST(quota_head, no_head_frees_a_pending_request, {.holds = {"quota.head_mints_no_slots"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  const Descriptor silent = eventfd();
  prepare_poll(0, silent.get(), kPollIn);
  const Address poll = list({arena::iocb_slot(0)});
  ASSERT_EQ(fill(entry(), ctx, poll), quota);
  for (const std::uint32_t head : {1u, quota / 2, nr - 1, nr, 0x80000000u, 0xffffffffu}) {
    ring(ctx).head = head;
    EXPECT_EQ(fill(entry(), ctx, poll), 0u) << head;
  }
}

SUITE_TEST(quota_head, a_head_frees_no_more_than_was_completed,
           {.holds = {"quota.head_mints_no_slots"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  const Descriptor silent = eventfd();
  const Descriptor data = file("x");
  prepare_poll(0, silent.get(), kPollIn);
  prepare(1, kPread, data.get(), arena::kBuffers, 1);
  for (unsigned i = 0; i < 20; ++i) ASSERT_RETURNS(1, submit(ctx, {1}));
  const Address poll = list({arena::iocb_slot(0)});
  ASSERT_EQ(fill(entry(), ctx, poll), quota - 20);
  for (const std::uint32_t head : {21u, 30u, nr - 1}) {
    ring(ctx).head = head;
    EXPECT_EQ(fill(entry(), ctx, poll), 0u) << head;
  }
  ring(ctx).head = 5;
  EXPECT_EQ(fill(entry(), ctx, poll), 5u);
  ring(ctx).head = 20;
  EXPECT_EQ(fill(entry(), ctx, poll), 15u);
  // All are pending now, and nothing is in the ring.
  for (const std::uint32_t head : {0u, 19u, 21u, nr - 1}) {
    ring(ctx).head = head;
    EXPECT_EQ(fill(entry(), ctx, poll), 0u) << head;
  }
}

SUITE_TEST(quota_head, the_users_tail_frees_nothing, {.holds = {"quota.user_tail_is_not_read"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  const std::uint32_t quota = Slots(nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  ASSERT_EQ(fill(entry(), ctx, read), quota);
  for (const std::uint32_t tail : {0u, 1u, nr - 1, nr, 0xffffffffu}) {
    ring(ctx).tail = tail;
    EXPECT_EQ(fill(entry(), ctx, read), 0u) << tail;
  }
  ring(ctx).head = 3;
  EXPECT_EQ(fill(entry(), ctx, read), 3u);
}

}  // namespace aio::suites
