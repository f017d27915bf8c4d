// SPDX-License-Identifier: GPL-2.0-or-later
//
// The numbers of semantics.md section B: its table, its worked examples, and what a user's head can do. They were
// measured on kernels.
#include "reference/quota.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "reference/arena.h"

namespace aio {
namespace {

// A ring as a kernel would drive its quota, with what user space sees of it.
class Ring {
 public:
  Ring(std::uint32_t cpus, std::uint32_t nr)
      : shape(geometry(nr, cpus, arena::kPage)), cpus_(cpus), quota_(shape, cpus, rules_) {
    slots = quota_.fresh();
  }

  bool submit(unsigned cpu) {
    const bool granted = quota_.take(slots, cpu, head, tail);
    if (granted) ++in_flight;
    return granted;
  }
  // A submission that fails once it has a slot.
  bool submit_bad(unsigned cpu) {
    if (!quota_.take(slots, cpu, head, tail)) return false;
    quota_.give_back(slots, cpu);
    return true;
  }
  std::uint32_t submit_until_refused(unsigned cpu) {
    std::uint32_t granted = 0;
    while (granted < 2 * shape.ring_size && submit(cpu)) ++granted;
    return granted;
  }
  void complete(unsigned cpu) {
    tail = (tail + 1) % shape.ring_size;
    quota_.complete(slots, cpu, head, tail);
    --in_flight;
  }
  // A request that is done inside io_submit.
  bool read(unsigned cpu) {
    if (!submit(cpu)) return false;
    complete(cpu);
    return true;
  }
  void reap(std::uint32_t count) { head = (head + count) % shape.ring_size; }
  void reap_all() { head = tail; }
  std::uint32_t unreaped() const { return (tail + shape.ring_size - head) % shape.ring_size; }
  // No step makes a slot or loses one.
  bool balanced() {
    std::uint32_t local = 0;
    for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) local += slots.local[cpu];
    return slots.global + local + slots.completed + in_flight == shape.available;
  }

  Geometry shape;
  Slots slots;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
  std::uint32_t in_flight = 0;

 private:
  std::uint32_t cpus_;
  Rules rules_;
  Quota quota_;
};

// Pinned to one CPU; unusable rest; after one unreaped request of another CPU; worst case.
struct Row {
  std::uint32_t cpus, nr, pinned_max, unusable, after_one_elsewhere, worst_case;
};
constexpr Row kRows[] = {
    {1, 1, 124, 2, 0, 124},      {1, 1000, 2044, 2, 0, 2044},     {2, 1, 120, 6, 105, 91}, {2, 64, 248, 6, 217, 187},
    {2, 128, 376, 6, 329, 283},  {2, 1000, 2040, 6, 1785, 1531},  {4, 1, 126, 0, 119, 87}, {4, 64, 240, 14, 225, 153},
    {4, 128, 368, 14, 345, 233}, {4, 1000, 2032, 14, 1905, 1273}, {6, 1, 125, 1, 120, 80},
};

std::string name_of(const Row& row) { return std::to_string(row.cpus) + " CPUs, nr " + std::to_string(row.nr); }

TEST(Quota, pinned_task_gets_all_full_batches_and_leaves_the_rest) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(name_of(row));
    for (const bool done_at_once : {false, true}) {
      Ring ring(row.cpus, row.nr);
      std::uint32_t granted = 0;
      while (granted < 5000 && (done_at_once ? ring.read(0) : ring.submit(0))) ++granted;
      EXPECT_EQ(granted, row.pinned_max);
      EXPECT_EQ(ring.slots.global, row.unusable);
      EXPECT_TRUE(ring.balanced());
    }
  }
}

TEST(Quota, one_unreaped_request_of_another_cpu_takes_a_batch) {
  for (const Row& row : kRows) {
    if (row.cpus == 1) continue;
    SCOPED_TRACE(name_of(row));
    Ring ring(row.cpus, row.nr);
    ASSERT_TRUE(ring.read(1));
    EXPECT_EQ(ring.submit_until_refused(0), row.after_one_elsewhere);
  }
}

// Every other CPU comes to hold two batches less one, which nobody else can use.
TEST(Quota, worst_case_is_reached_when_completions_pile_up_elsewhere) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(name_of(row));
    Ring ring(row.cpus, row.nr);
    const std::uint32_t most = 2 * ring.shape.batch - 1;
    for (unsigned cpu = 1; cpu < row.cpus; ++cpu) {
      ASSERT_TRUE(ring.submit_bad(cpu));
      for (std::uint32_t i = 0; i < ring.shape.ring_size && ring.slots.local[cpu] < most; ++i) {
        ASSERT_TRUE(ring.submit(0));
        ring.complete(cpu);
        ring.reap_all();
      }
      EXPECT_EQ(ring.slots.local[cpu], most);
    }
    ring.submit_until_refused(0);
    EXPECT_EQ(ring.in_flight + ring.unreaped(), row.worst_case);
    EXPECT_EQ(ring.slots.global, row.unusable);
  }
}

TEST(Quota, no_history_is_refused_below_the_worst_case_or_granted_beyond_the_ring) {
  std::mt19937 dice(1);
  for (const Row& row : kRows) {
    if (row.nr != 1) continue;
    SCOPED_TRACE(name_of(row));
    Ring ring(row.cpus, row.nr);
    for (int i = 0; i < 100000; ++i) {
      const auto cpu = static_cast<unsigned>(dice() % row.cpus);
      const std::uint32_t held = ring.in_flight + ring.unreaped();
      switch (dice() % 8) {
        case 0:
          ring.reap(static_cast<std::uint32_t>(dice() % (ring.unreaped() + 1)));
          break;
        case 1:
          ring.submit_bad(cpu);
          break;
        case 2:
        case 3:
          if (ring.in_flight > 0) ring.complete(cpu);
          break;
        default:
          if (!ring.submit(cpu)) {
            ASSERT_GE(held, row.worst_case);
          }
      }
      ASSERT_TRUE(ring.balanced());
      ASSERT_LE(ring.in_flight + ring.unreaped(), ring.shape.ring_size - 1);
    }
  }
}

TEST(Quota, slots_of_one_cpu_wait_for_it_to_come_back) {
  Ring ring(2, 1);
  EXPECT_TRUE(ring.submit(0));
  EXPECT_EQ(ring.slots, (Slots{111, {14, 0}, 0}));
  EXPECT_EQ(ring.submit_until_refused(1), 105u);
  EXPECT_EQ(ring.slots, (Slots{6, {14, 0}, 0}));
  EXPECT_EQ(ring.submit_until_refused(0), 14u);
  EXPECT_EQ(ring.in_flight, 120u);
}

TEST(Quota, reaped_slots_come_back_late_and_where_the_next_completion_runs) {
  for (const bool done_at_once : {false, true}) {
    SCOPED_TRACE(done_at_once ? "reads" : "polls");
    Ring ring(2, 1);
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(ring.read(0));
    EXPECT_EQ(ring.slots, (Slots{96, {0, 0}, 30}));
    ring.reap(30);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(ring.read(0));
    ring.reap(2);
    EXPECT_EQ(ring.slots, (Slots{96, {28, 0}, 2}));
    std::uint32_t granted = 0;
    while (granted < 200 && (done_at_once ? ring.read(1) : ring.submit(1))) ++granted;
    EXPECT_EQ(granted, 92u);
    EXPECT_EQ(ring.submit_until_refused(0), 28u);
  }
}

TEST(Quota, a_single_completed_event_is_not_looked_at_by_its_completion) {
  Ring ring(2, 1);
  ASSERT_TRUE(ring.submit(0));
  ring.head = 1;  // as if it were reaped already
  ring.complete(0);
  EXPECT_EQ(ring.slots, (Slots{111, {14, 0}, 1}));
}

TEST(Quota, a_second_full_batch_goes_back_for_all) {
  Ring ring(2, 1);
  ASSERT_TRUE(ring.submit_bad(1));
  ASSERT_EQ(ring.submit_until_refused(0), 105u);
  for (std::uint32_t local = 15; local <= 29; ++local) {
    ring.complete(1);
    ring.reap_all();
    EXPECT_EQ(ring.slots, (Slots{6, {0, local}, 1}));
  }
  ring.complete(1);
  EXPECT_EQ(ring.slots, (Slots{21, {0, 15}, 1}));
}

TEST(Quota, failed_submissions_consume_nothing) {
  Ring ring(2, 1);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(ring.submit_bad(0));
  EXPECT_EQ(ring.slots, (Slots{111, {15, 0}, 0}));
  EXPECT_EQ(ring.submit_until_refused(0), 120u);
}

TEST(Quota, slots_come_back_however_often_the_ring_wraps) {
  Ring ring(2, 1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(ring.read(0)) << i;
    ring.reap(1);
  }
  EXPECT_EQ(ring.tail, 1000u % 127);
  EXPECT_EQ(ring.submit_until_refused(0), 120u);
}

Ring full_of_events() {
  Ring ring(2, 1);
  while (ring.read(0)) continue;
  return ring;
}

TEST(Quota, head_moved_over_unread_events_frees_their_slots) {
  Ring ring = full_of_events();
  ring.head += 17;
  EXPECT_EQ(ring.submit_until_refused(0), 17u);
}

TEST(Quota, head_moved_back_withholds_slots) {
  Ring ring = full_of_events();
  ring.reap(50);
  ring.head -= 20;
  EXPECT_EQ(ring.submit_until_refused(0), 30u);
  ring.head += 20;
  EXPECT_EQ(ring.submit_until_refused(0), 20u);
}

TEST(Quota, head_counts_modulo_the_ring_size) {
  for (const std::uint32_t head : {0u, 1u, 60u, 119u, 120u, 121u, 126u}) {
    Ring plain = full_of_events();
    plain.head = head;
    const std::uint32_t granted = plain.submit_until_refused(0);
    for (const std::uint32_t turns : {1u, 2u, 33818639u}) {
      Ring ring = full_of_events();
      ring.head = head + turns * ring.shape.ring_size;
      EXPECT_EQ(ring.submit_until_refused(0), granted) << "head " << ring.head;
    }
  }
}

TEST(Quota, no_head_mints_more_than_was_completed) {
  for (const std::uint32_t completed : {1u, 15u, 40u}) {
    for (std::uint32_t head = 0; head < 300; ++head) {
      Ring ring(2, 1);
      ASSERT_EQ(ring.submit_until_refused(0), 120u);
      for (std::uint32_t i = 0; i < completed; ++i) ring.complete(0);
      ring.head = head < 280 ? head : ~head;
      ASSERT_LE(ring.submit_until_refused(0), completed) << "head " << ring.head;
      ASSERT_TRUE(ring.balanced());
    }
  }
}

}  // namespace
}  // namespace aio
