// SPDX-License-Identifier: GPL-2.0-or-later
//
// How many requests a context takes before io_submit answers EAGAIN, for a task that stays on one CPU.
// Claims: exact numbers by ring size and possible CPUs; requests in flight and events that were not read count alike;
// refused iocbs cost nothing; what was reaped comes back all of it.
// Provoked by filling contexts with reads that complete inside io_submit and with polls that stay pending.
// Not seen: tasks that move (quota_cpus.cpp), heads that the user moved (quota_head.cpp).
#include <sys/mman.h>

#include <algorithm>

#include "suites/harness/case.h"
#include "suites/quota_slots.h"

namespace aio::suites {
namespace {

// What section B of the notes comes to, and what kernels from 4.9 to 6.18 were seen to give.
struct Row {
  std::uint32_t possible_cpus;
  std::uint32_t nr;
  std::uint32_t ring;   // the ring's nr word
  std::uint32_t quota;  // of a task on one CPU
};
constexpr Row kRows[] = {
    {1, 1, 127, 124}, {1, 1000, 2047, 2044},                                             //
    {2, 1, 127, 120}, {2, 64, 255, 248},     {2, 128, 383, 376}, {2, 1000, 2047, 2040},  //
    {4, 1, 127, 126}, {4, 64, 255, 240},     {4, 128, 383, 368}, {4, 1000, 2047, 2032},
};

constexpr std::int64_t kFar = 5000;

}  // namespace

SUITE_TEST(quota, the_table_of_rings_and_quotas,
           {.holds = {"quota.full_batches_only", "io_setup.ring_nr_fills_pages", "quota.all_full_batches"}}) {
  if (machine().page_size != 4096) skip("the table is for pages of 4096 bytes");
  const Descriptor data = file("x");
  const Address pointers = map(sizeof(Address) * kFar);
  bool known = false;
  for (const Row& row : kRows) {
    if (row.possible_cpus != machine().possible_cpus) continue;
    known = true;
    const std::uint64_t ctx = setup(row.nr);
    claim("io_setup.ring_nr_fills_pages");
    ASSERT_EQ(ring(ctx).nr, row.ring) << row.nr;
    claim("quota.all_full_batches");
    prepare(0, kPread, data.get(), arena::kBuffers, 1);
    list(std::vector<Address>(row.quota + 1, arena::iocb_slot(0)), pointers);
    ASSERT_RETURNS(row.quota, io_submit(ctx, row.quota, pointers)) << row.nr;
    claim("quota.full_batches_only");
    ASSERT_ERROR(EAGAIN, io_submit(ctx, 1, pointers)) << row.nr;
    EXPECT_EQ(in_ring(ctx), row.quota);
  }
  if (!known) skip("the table has no row for that many possible CPUs");
}

SUITE_TEST(quota, one_by_one_as_many_as_at_once, {.holds = {"quota.all_full_batches", "quota.full_batches_only"}}) {
  for (const std::uint32_t nr : {1u, 63u, 200u}) {
    const std::uint64_t ctx = setup(nr);
    const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
    const Descriptor data = file("x");
    prepare(0, kPread, data.get(), arena::kBuffers, 1);
    claim("quota.all_full_batches");
    for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << quota;
    claim("quota.full_batches_only");
    ASSERT_ERROR(EAGAIN, submit(ctx, {0})) << nr;
    ASSERT_ERROR(EAGAIN, submit(ctx, {0})) << nr;
  }
}

SUITE_TEST(quota, requests_in_flight_take_slots_like_unread_events,
           {.holds = {"quota.pending_requests_hold_slots"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor silent = eventfd();
  prepare_poll(0, silent.get(), kPollIn);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << quota;
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(quota, pending_and_unread_add_up, {.holds = {"quota.pending_requests_hold_slots"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor silent = eventfd();
  const Descriptor data = file("x");
  prepare_poll(0, silent.get(), kPollIn);
  prepare(1, kPread, data.get(), arena::kBuffers, 1);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {i % 2})) << i << " of " << quota;
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
  EXPECT_ERROR(EAGAIN, submit(ctx, {1}));
}

SUITE_TEST(quota, a_longer_list_is_taken_as_far_as_there_are_slots,
           {.holds = {"io_submit.count_beats_later_error", "io_submit.full_ring_is_eagain"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Address pointers = map(sizeof(Address) * kFar);
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  list(std::vector<Address>(kFar, arena::iocb_slot(0)), pointers);
  EXPECT_RETURNS(Slots(ring(ctx).nr, machine().possible_cpus).quota, io_submit(ctx, kFar, pointers));
  claim("io_submit.full_ring_is_eagain");
  EXPECT_ERROR(EAGAIN, io_submit(ctx, kFar, pointers));
}

SUITE_TEST(quota, no_fewer_slots_than_asked_for, {.holds = {"quota.no_fewer_than_asked_for"}}) {
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  for (const std::uint32_t nr : {1u, 32u, 100u, 127u, 128u, 500u, 4000u}) {
    const std::uint64_t ctx = setup(nr);
    for (std::uint32_t i = 0; i < nr; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << nr;
  }
}

SUITE_TEST(quota, refused_iocbs_cost_nothing, {.holds = {"quota.failed_iocb_returns_slot"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  const Pipe ends = pipe();
  const Address read_only = map(machine().page_size);
  at<Iocb>(read_only) = prepare(9, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_EQ(::mprotect(reinterpret_cast<void*>(read_only), machine().page_size, PROT_READ), 0);
  prepare(0, kPread, -1, arena::kBuffers, 1);                              // no such file
  signal(prepare(1, kPread, data.get(), arena::kBuffers, 1), -1);          // no such eventfd
  signal(prepare(2, kPread, data.get(), arena::kBuffers, 1), data.get());  // no eventfd at all
  prepare(3, kNoop, data.get(), arena::kBuffers, 1);                       // no such opcode
  prepare(4, kPread, ends.write.get(), arena::kBuffers, 1);                // not for reading
  prepare(5, kPreadv, data.get(), arena::kNoAccess, 1);                    // no such iovecs
  prepare(6, kPread, data.get(), arena::kBuffers, 1, -1);                  // a negative offset
  prepare(7, kPread, data.get(), arena::kBuffers, 1).reserved2 = 1;        // refused before it takes a slot
  const struct {
    int error;
    Address iocb;
  } refused[] = {
      {EFAULT, arena::kNoAccess},    {EBADF, arena::iocb_slot(0)},  {EBADF, arena::iocb_slot(1)},
      {EINVAL, arena::iocb_slot(2)}, {EINVAL, arena::iocb_slot(3)}, {EBADF, arena::iocb_slot(4)},
      {EFAULT, arena::iocb_slot(5)}, {EINVAL, arena::iocb_slot(6)}, {EINVAL, arena::iocb_slot(7)},
      {EFAULT, read_only},
  };
  for (const auto& each : refused) {
    const Address pointers = list({each.iocb});
    for (unsigned i = 0; i < 1000; ++i) {
      ASSERT_ERROR(each.error, io_submit(ctx, 1, pointers)) << "iocb at " << each.iocb - arena::kIocbs;
    }
  }
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << quota;
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
}

SUITE_TEST(quota, a_refused_iocb_in_a_full_ring_stays_full, {.holds = {"quota.failed_iocb_returns_slot"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  prepare(1, kPread, -1, arena::kBuffers, 1);
  for (std::uint32_t i = 1; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0}));
  for (unsigned i = 0; i < 100; ++i) ASSERT_ERROR(EBADF, submit(ctx, {1}));
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EAGAIN, submit(ctx, {1}));
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
}

SUITE_TEST(quota, as_many_come_back_as_were_reaped, {.holds = {"quota.reaped_slots_come_back_when_dry"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  const Address events = map(sizeof(Event) * quota);
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0}));
  for (const std::uint32_t reaped : {1u, 2u, 15u, 16u, 31u, quota - 1, quota}) {
    ASSERT_ERROR(EAGAIN, submit(ctx, {0}));
    ASSERT_RETURNS(reaped, io_getevents(ctx, reaped, reaped, events, arena::kNull));
    for (std::uint32_t i = 0; i < reaped; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << reaped;
  }
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
}

SUITE_TEST(quota, unread_events_hold_their_slots, {.holds = {"quota.unread_events_hold_slots"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t quota = Slots(ring(ctx).nr, machine().possible_cpus).quota;
  const Descriptor bell = eventfd();
  prepare_poll(0, bell.get(), kPollIn);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(bell.get(), &one, sizeof one), 8);
  ASSERT_TRUE(await([&] { return in_ring(ctx) == quota; }));
  // All are complete, none is read.
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
  ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
}

SUITE_TEST(quota, contexts_do_not_share, {.holds = {"quota.each_context_has_its_own"}}) {
  const std::uint64_t full = setup(1, 0);
  const std::uint64_t other = setup(1, 1);
  const std::uint32_t quota = Slots(ring(full).nr, machine().possible_cpus).quota;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(full, {0}));
  ASSERT_ERROR(EAGAIN, submit(full, {0}));
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(other, {0})) << i << " of " << quota;
  EXPECT_ERROR(EAGAIN, submit(other, {0}));
}

}  // namespace aio::suites
