// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a context's slots lie on the CPUs: in batches that stay where they were taken, and where they come back to.
// Claims: the numbers that a task sees that moves between CPUs, and the fewest that it can come down to.
// Provoked by a task that is pinned to one CPU after the other, with reads that complete on the CPU that submits them
// and polls that complete on the CPU that ends them.
// Not seen: completions from interrupts; CPUs that are possible but not there.
#include <unistd.h>

#include <algorithm>

#include "suites/harness/case.h"
#include "suites/quota_slots.h"

namespace aio::suites {
namespace {

struct Row {
  std::uint32_t possible_cpus;
  std::uint32_t nr;
  std::uint32_t after_one_elsewhere;  // what a CPU gets after another has taken one slot
  std::uint32_t worst_case;           // in use when EAGAIN comes, with the slots lying as badly as they can
};
constexpr Row kRows[] = {
    {2, 1, 105, 91}, {2, 64, 217, 187}, {2, 128, 329, 283}, {2, 1000, 1785, 1531},
    {4, 1, 119, 87}, {4, 64, 225, 153}, {4, 128, 345, 233}, {4, 1000, 1905, 1273},
};

}  // namespace

SUITE_TEST(quota_cpus, the_table_of_moved_tasks,
           {.holds = {"quota.batches_stay_on_cpu", "quota.batch_is_quarter_share", "quota.worst_case"}}) {
  if (machine().page_size != 4096) skip("the table is for pages of 4096 bytes");
  if (cpus().count() != machine().possible_cpus) skip("the table is for tasks that may use all possible CPUs");
  const Descriptor data = file("x");
  const Address events = map(sizeof(Event) * kEnough);
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  bool known = false;
  for (const Row& row : kRows) {
    if (row.possible_cpus != machine().possible_cpus) continue;
    known = true;
    std::uint64_t ctx = setup(row.nr);
    const Slots slots(ring(ctx).nr, machine().possible_cpus);
    claim("quota.batch_is_quarter_share");
    cpus().move(0);
    ASSERT_RETURNS(1, io_submit(ctx, 1, read));
    cpus().move(1);
    EXPECT_EQ(fill(entry(), ctx, read), row.after_one_elsewhere) << "nr " << row.nr;
    claim("quota.batches_stay_on_cpu");
    cpus().move(0);
    EXPECT_EQ(fill(entry(), ctx, read), slots.quota - 1 - row.after_one_elsewhere) << "nr " << row.nr;

    // Each other CPU ends with two batches less one slot: one that it has begun, one that came back.
    claim("quota.worst_case");
    ctx = setup(row.nr);
    for (unsigned cpu = 1; cpu < cpus().count(); ++cpu) {
      cpus().move(cpu);
      for (std::uint32_t i = 0; i < slots.batch; ++i) ASSERT_RETURNS(1, io_submit(ctx, 1, read));
      ASSERT_RETURNS(slots.batch, io_getevents(ctx, slots.batch, slots.batch, events, arena::kNull));
      ASSERT_RETURNS(1, io_submit(ctx, 1, read));
    }
    cpus().move(0);
    fill(entry(), ctx, read);
    EXPECT_EQ(in_ring(ctx), row.worst_case) << "nr " << row.nr;
  }
  if (!known) skip("the table has no row for that many possible CPUs");
}

SUITE_TEST(quota_cpus, slots_wait_for_the_task_on_their_cpu, {.holds = {"quota.stranded_slots_stay_usable"}}) {
  const std::uint64_t ctx = setup(200);
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  cpus().move(0);
  ASSERT_RETURNS(1, io_submit(ctx, 1, read));
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, read), slots.quota - slots.batch);
  cpus().move(0);
  EXPECT_EQ(fill(entry(), ctx, read), slots.batch - 1);
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, read), 0u);
  EXPECT_EQ(in_ring(ctx), slots.quota);
}

SUITE_TEST(quota_cpus, a_cpu_keeps_less_than_two_batches, {.holds = {"quota.surplus_returns"}}) {
  const std::uint64_t ctx = setup();
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const Address events = map(sizeof(Event) * slots.all);
  cpus().move(0);
  for (std::uint32_t i = 0; i < 4 * slots.batch; ++i) ASSERT_RETURNS(1, io_submit(ctx, 1, read));
  ASSERT_RETURNS(4 * slots.batch, io_getevents(ctx, 0, slots.all, events, arena::kNull));
  // Its completion brings the four batches back to this CPU, which has the rest of a fifth.
  ASSERT_RETURNS(1, io_submit(ctx, 1, read));
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, read), slots.quota - 2 * slots.batch);
  cpus().move(0);
  EXPECT_EQ(fill(entry(), ctx, read), 2 * slots.batch - 1);
}

// With 2 possible CPUs: 30 reads, reaped; 2 more, reaped; then the other CPU gets 92 slots, and this one 28.
SUITE_TEST(quota_cpus, reaped_slots_come_back_late_and_where_a_request_ends,
           {.holds = {"quota.reaped_slots_come_back_on_completion"}}) {
  const std::uint64_t ctx = setup();
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const Address events = map(sizeof(Event) * slots.all);
  cpus().move(0);
  for (const std::uint32_t count : {2 * slots.batch, 2u}) {
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_RETURNS(1, io_submit(ctx, 1, read));
    ASSERT_RETURNS(count, io_getevents(ctx, count, count, events, arena::kNull));
  }
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, read), slots.quota - 2 * slots.batch + 2);
  cpus().move(0);
  EXPECT_EQ(fill(entry(), ctx, read), 2 * slots.batch - 2);
}

SUITE_TEST(quota_cpus, slots_come_back_to_the_cpu_that_ends_a_poll,
           {.holds = {"quota.reaped_slots_come_back_on_completion"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const Descriptor first = eventfd();
  const Descriptor second = eventfd();
  const Descriptor silent = eventfd();
  prepare_poll(0, first.get(), kPollIn);
  prepare_poll(1, second.get(), kPollIn);
  prepare_poll(2, silent.get(), kPollIn);
  const Address events = map(sizeof(Event) * slots.all);
  const std::uint64_t one = 1;
  cpus().move(0);
  for (std::uint32_t i = 0; i < slots.quota - 2; ++i) ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(2, submit(ctx, {1, 1}));
  ASSERT_ERROR(EAGAIN, submit(ctx, {2}));
  cpus().move(1);
  ASSERT_EQ(::write(first.get(), &one, sizeof one), 8);
  ASSERT_TRUE(await([&] { return in_ring(ctx) == slots.quota - 2; }));
  ASSERT_RETURNS(slots.quota - 2, io_getevents(ctx, 0, slots.all, events, arena::kNull));
  ASSERT_EQ(::write(second.get(), &one, sizeof one), 8);
  ASSERT_TRUE(await([&] { return in_ring(ctx) == 2; }));
  // This CPU keeps what is no full batch and one batch.
  const Address poll = list({arena::iocb_slot(2)});
  cpus().move(0);
  EXPECT_EQ(fill(entry(), ctx, poll), slots.quota - 2 * slots.batch);
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, poll), 2 * slots.batch - 2);
}

SUITE_TEST(quota_cpus, no_walk_between_cpus_finds_fewer, {.holds = {"quota.worst_case"}}) {
  const std::uint64_t ctx = setup();
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const std::uint32_t fewest = slots.quota - (machine().possible_cpus - 1) * (2 * slots.batch - 1);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const Address events = map(sizeof(Event) * slots.all);
  std::uint32_t state = 1;
  const auto below = [&](std::uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  unsigned refused = 0;
  for (unsigned step = 0; step < 3000; ++step) {
    cpus().move(below(cpus().count()));
    if (below(4) == 0) {
      ASSERT_GE(io_getevents(ctx, 0, below(3 * slots.batch), events, arena::kNull).value, 0);
      continue;
    }
    for (std::uint32_t i = below(2 * slots.batch); i > 0; --i) {
      const Answer answer = io_submit(ctx, 1, read);
      if (answer.value == 1) continue;
      ASSERT_ERROR(EAGAIN, answer) << "step " << step;
      ASSERT_GE(in_ring(ctx), fewest) << "step " << step;
      ++refused;
      break;
    }
  }
  EXPECT_GT(refused, 0u) << "times that the ring was full";
}

SUITE_TEST(quota_cpus, a_dry_cpu_gets_what_another_has_reaped,
           {.holds = {"quota.reaped_slots_come_back_when_dry"}, .needs = "cpus2"}) {
  const std::uint64_t ctx = setup();
  const Slots slots(ring(ctx).nr, machine().possible_cpus);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const Address read = list({arena::iocb_slot(0)});
  const Address events = map(sizeof(Event) * slots.all);
  cpus().move(0);
  ASSERT_EQ(fill(entry(), ctx, read), slots.quota);
  ASSERT_RETURNS(slots.quota, io_getevents(ctx, 0, slots.all, events, arena::kNull));
  cpus().move(1);
  EXPECT_EQ(fill(entry(), ctx, read), slots.quota);
}

}  // namespace aio::suites
