// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/geometry.h"

#include <gtest/gtest.h>

#include "reference/arena.h"

namespace aio {
namespace {

// A row of the table in semantics.md, section B; its numbers were measured on kernels.
struct Row {
  std::uint32_t cpus, nr, wanted;
  std::uint64_t pages;
  std::uint32_t ring_size, available, batch, pinned_max, unusable;
  std::uint32_t aio_nr;               // grows by this since 4.14
  std::uint32_t old_aio_nr;           // and by this before
  std::uint32_t after_one_elsewhere;  // usable once another CPU has taken a batch; 0: no such CPU
  std::int64_t worst_case;
};

constexpr Row kRows[] = {
    {1, 1, 8, 1, 127, 126, 31, 124, 2, 1, 8, 0, 124},
    {1, 1000, 2000, 16, 2047, 2046, 511, 2044, 2, 1000, 2000, 0, 2044},
    {2, 1, 16, 1, 127, 126, 15, 120, 6, 1, 16, 105, 91},
    {2, 64, 128, 2, 255, 254, 31, 248, 6, 64, 128, 217, 187},
    {2, 128, 256, 3, 383, 382, 47, 376, 6, 128, 256, 329, 283},
    {2, 1000, 2000, 16, 2047, 2046, 255, 2040, 6, 1000, 2000, 1785, 1531},
    {4, 1, 32, 1, 127, 126, 7, 126, 0, 1, 32, 119, 87},
    {4, 64, 128, 2, 255, 254, 15, 240, 14, 64, 128, 225, 153},
    {4, 128, 256, 3, 383, 382, 23, 368, 14, 128, 256, 345, 233},
    {4, 1000, 2000, 16, 2047, 2046, 127, 2032, 14, 1000, 2000, 1905, 1273},
};

TEST(Geometry, agrees_with_the_measured_table) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(::testing::Message() << row.cpus << " CPUs, nr " << row.nr);
    const Geometry ring = geometry(row.nr, row.cpus, arena::kPage);
    EXPECT_EQ(ring.wanted, row.wanted);
    EXPECT_EQ(wanted_events(row.nr, row.cpus), row.wanted);
    EXPECT_EQ(ring.pages, row.pages);
    EXPECT_EQ(ring.ring_size, row.ring_size);
    EXPECT_EQ(ring_bytes(ring.ring_size), ring.pages * arena::kPage);
    EXPECT_EQ(ring.available, row.available);
    EXPECT_EQ(ring.batch, row.batch);
    EXPECT_EQ(ring.pinned_max(), row.pinned_max);
    EXPECT_EQ(ring.available - ring.pinned_max(), row.unusable);
    EXPECT_EQ(row.nr, row.aio_nr);
    EXPECT_EQ(ring.wanted, row.old_aio_nr);
    if (row.after_one_elsewhere != 0) {
      EXPECT_EQ((ring.available - ring.batch) / ring.batch * ring.batch, row.after_one_elsewhere);
    }
    EXPECT_EQ(ring.worst_case(row.cpus), row.worst_case);
  }
}

TEST(Geometry, ring_size_rounds_up_to_whole_pages) {
  // nr and R with two possible CPUs: semantics.md A.1, ring maths.
  constexpr std::uint32_t kSizes[][2] = {{1, 127},   {62, 127},  {63, 255},    {126, 255},   {127, 383},
                                         {190, 383}, {191, 511}, {1000, 2047}, {4096, 8319}, {65536, 131199}};
  for (const auto& [nr, size] : kSizes) {
    EXPECT_EQ(geometry(nr, 2, arena::kPage).ring_size, size) << "nr " << nr;
  }
}

TEST(Geometry, ring_size_is_the_same_on_one_two_and_four_cpus) {
  for (const std::uint32_t nr : {1u, 62u, 63u, 126u, 127u, 190u, 1000u, 4096u, 65536u}) {
    const std::uint32_t size = geometry(nr, 2, arena::kPage).ring_size;
    EXPECT_EQ(geometry(nr, 1, arena::kPage).ring_size, size) << "nr " << nr;
    EXPECT_EQ(geometry(nr, 4, arena::kPage).ring_size, size) << "nr " << nr;
  }
}

TEST(Geometry, possible_cpus_count_even_if_offline) {
  // Six possible CPUs, two online, 4.9.337: a batch of 5, 125 usable, aio-nr grew by 48.
  const Geometry ring = geometry(1, 6, arena::kPage);
  EXPECT_EQ(ring.batch, 5u);
  EXPECT_EQ(ring.pinned_max(), 125u);
  EXPECT_EQ(ring.wanted, 48u);
}

TEST(Geometry, doubling_wraps_at_32_bits) {
  EXPECT_EQ(wanted_events(0x80000000, 2), 0u);
  EXPECT_EQ(wanted_events(0x80000001, 2), 2u);
  EXPECT_EQ(wanted_events(0x80000040, 2), 128u);
  EXPECT_EQ(wanted_events(0x80400000, 2), 8388608u);
  EXPECT_EQ(wanted_events(0x80400001, 2), 8388610u);
  EXPECT_EQ(wanted_events(0xffffffff, 2), 0xfffffffeu);
  EXPECT_EQ(geometry(0x80000001, 2, arena::kPage).ring_size, 127u);
  EXPECT_EQ(geometry(0x80000040, 2, arena::kPage).ring_size, 255u);
}

TEST(Geometry, limit_of_io_setup_lies_between_4194304_and_4194305) {
  EXPECT_EQ(wanted_events(4194304, 2), 8388608u);
  EXPECT_EQ(wanted_events(4194305, 2), 8388610u);
  EXPECT_EQ(wanted_events(0x7fffffff, 2), 0xfffffffeu);
  EXPECT_EQ(geometry(4194304, 2, arena::kPage).ring_size, 8388735u);
}

TEST(Geometry, batch_is_at_least_one) {
  // Only a request that wrapped can get a ring with fewer slots than 4 a CPU.
  const Geometry ring = geometry(0x80000001, 64, arena::kPage);
  EXPECT_EQ(ring.ring_size, 127u);
  EXPECT_EQ(ring.batch, 1u);
  EXPECT_EQ(ring.pinned_max(), 126u);
}

TEST(Geometry, larger_pages_give_larger_rings) {
  const Geometry ring = geometry(1, 2, 65536);
  EXPECT_EQ(ring.pages, 1u);
  EXPECT_EQ(ring.ring_size, 2047u);
}

}  // namespace
}  // namespace aio
