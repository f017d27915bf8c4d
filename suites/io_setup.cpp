// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_setup(2): which arguments it refuses, in which order it looks at them, and what a new context is.
// Claims: the errno of each refusal, that a refusal leaves no trace, and size, words and ids of new rings.
// Provoked by one bad argument at a time, by pairs of them, and by limits of the process.
// Not seen: failures for want of kernel memory; those of fs.aio-max-nr as a sum, which would starve others
// (limits.cpp).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <fstream>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr Address kVariable = arena::context_slot(0);
// Page size, events before the first page ends, possible CPUs: what the size of a ring is made of.
std::uint32_t ring_nr(std::uint32_t nr, const Machine& machine) {
  const std::uint64_t wanted = 2 * std::max<std::uint64_t>(nr, 4 * machine.possible_cpus) + 2;
  const std::uint64_t bytes = sizeof(RingHeader) + sizeof(Event) * wanted;
  const std::uint64_t pages = (bytes + machine.page_size - 1) / machine.page_size;
  return static_cast<std::uint32_t>((pages * machine.page_size - sizeof(RingHeader)) / sizeof(Event));
}

}  // namespace

SUITE_TEST(io_setup, a_valid_call_returns_zero, {.holds = {"io_setup.returns_zero", "io_setup.stores_ring_address"}}) {
  EXPECT_RETURNS(0, io_setup(1, kVariable));
  claim("io_setup.stores_ring_address");
  const auto ctx = at<std::uint64_t>(kVariable);
  EXPECT_NE(ctx, 0u);
  EXPECT_EQ(ctx % machine().page_size, 0u);
}

SUITE_TEST(io_setup, an_unreadable_variable_is_efault,
           {.holds = {"io_setup.unreadable_ctxp_is_efault"}, .entries = kAllEntries}) {
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped}) EXPECT_ERROR(EFAULT, io_setup(1, bad));
}

SUITE_TEST(io_setup, a_variable_of_the_kernels_half_is_efault,
           {.holds = {"io_setup.unreadable_ctxp_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd}) {
    EXPECT_ERROR(EFAULT, io_setup(1, bad));
  }
}

SUITE_TEST(io_setup, efault_comes_before_nr, {.holds = {"io_setup.efault_before_nr"}}) {
  for (const std::uint32_t nr : {0u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffffc18u}) {
    EXPECT_ERROR(EFAULT, io_setup(nr, arena::kNull)) << nr;
  }
}

SUITE_TEST(io_setup, a_variable_that_is_not_zero_is_einval, {.holds = {"io_setup.nonzero_context_is_einval"}}) {
  for (const std::uint64_t held : {std::uint64_t{1}, std::uint64_t{0x01010101}}) {
    at<std::uint64_t>(kVariable) = held;
    EXPECT_ERROR(EINVAL, io_setup(1, kVariable)) << held;
  }
}

SUITE_TEST(io_setup, a_live_context_is_einval,
           {.holds = {"io_setup.nonzero_context_is_einval", "io_setup.failure_leaves_variable"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EINVAL, io_setup(1, kVariable));
  claim("io_setup.failure_leaves_variable");
  EXPECT_EQ(at<std::uint64_t>(kVariable), ctx);
}

SUITE_TEST(io_setup, a_destroyed_context_is_einval, {.holds = {"io_setup.destroyed_variable_is_einval"}}) {
  const std::uint64_t ctx = setup();
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_setup(1, kVariable));
}

SUITE_TEST(io_setup, nr_zero_is_einval, {.holds = {"io_setup.nr_zero_is_einval", "io_setup.failure_leaves_variable"}}) {
  EXPECT_ERROR(EINVAL, io_setup(0, kVariable));
  claim("io_setup.failure_leaves_variable");
  EXPECT_EQ(at<std::uint64_t>(kVariable), 0u);
}

SUITE_TEST(io_setup, too_large_a_nr_is_einval, {.holds = {"io_setup.nr_too_large_is_einval"}}) {
  for (const std::uint32_t nr : {4194305u, 0x7fffffffu, 0x80400001u, 0xfffffc18u, 0xffffffffu}) {
    EXPECT_ERROR(EINVAL, io_setup(nr, kVariable)) << nr;
  }
  EXPECT_EQ(at<std::uint64_t>(kVariable), 0u);
}

SUITE_TEST(io_setup, too_large_a_ring_beats_aio_max_nr, {.holds = {"io_setup.einval_before_eagain"}}) {
  if (machine().aio_max_nr >= 4194305) skip("fs.aio-max-nr is above what any ring can hold");
  EXPECT_ERROR(EINVAL, io_setup(4194305, kVariable));
  EXPECT_ERROR(EAGAIN, io_setup(4194304, kVariable));
}

SUITE_TEST(io_setup, a_nr_above_aio_max_nr_is_eagain,
           {.holds = {"io_setup.nr_over_aio_max_nr_is_eagain", "io_setup.failure_leaves_variable"}}) {
  if (machine().aio_max_nr >= 4194304) skip("fs.aio-max-nr is above what any ring can hold");
  EXPECT_ERROR(EAGAIN, io_setup(static_cast<std::uint32_t>(machine().aio_max_nr) + 1, kVariable));
  claim("io_setup.failure_leaves_variable");
  EXPECT_EQ(at<std::uint64_t>(kVariable), 0u);
}

SUITE_TEST(io_setup, a_nr_that_doubles_to_zero_is_eagain, {.holds = {"io_setup.nr_that_doubles_to_zero_is_eagain"}}) {
  EXPECT_ERROR(EAGAIN, io_setup(0x80000000u, kVariable));
}

SUITE_TEST(io_setup, a_nr_that_wraps_is_no_small_one, {.holds = {"io_setup.nr_that_wraps_is_eagain"}}) {
  if (machine().aio_max_nr >= 0x80000001) skip("fs.aio-max-nr is above what any ring can hold");
  EXPECT_ERROR(EAGAIN, io_setup(0x80000001u, kVariable));
  EXPECT_ERROR(EAGAIN, io_setup(0x80400000u, kVariable));
}

SUITE_TEST(io_setup, a_nr_that_wraps_is_a_small_one, {.holds = {"io_setup.nr_that_wraps_is_taken"}}) {
  ASSERT_RETURNS(0, io_setup(0x80000001u, kVariable));
  EXPECT_EQ(ring(at<std::uint64_t>(kVariable)).nr, ring_nr(1, machine()));
}

SUITE_TEST(io_setup, an_unwritable_variable_is_efault, {.holds = {"io_setup.unwritable_ctxp_is_efault"}}) {
  const Address page = map(machine().page_size);
  ASSERT_EQ(::mprotect(reinterpret_cast<void*>(page), machine().page_size, PROT_READ), 0);
  EXPECT_ERROR(EFAULT, io_setup(1, page));
  // No context stays: the first index of the table is free.
  EXPECT_EQ(ring(setup()).id, 0u);
}

SUITE_TEST(io_setup, a_ring_fills_its_pages, {.holds = {"io_setup.ring_nr_fills_pages", "io_setup.maps_whole_ring"}}) {
  for (const std::uint32_t nr : {1u, 62u, 63u, 64u, 126u, 127u, 128u, 1000u, 4096u}) {
    const std::uint64_t ctx = setup(nr);
    claim("io_setup.ring_nr_fills_pages");
    EXPECT_EQ(ring(ctx).nr, ring_nr(nr, machine())) << nr;
    claim("io_setup.maps_whole_ring");
    EXPECT_EQ(ring_event(ctx, ring(ctx).nr - 1), Event{}) << nr;
  }
}

SUITE_TEST(io_setup, the_words_of_a_new_ring,
           {.holds = {"io_setup.ring_magic", "io_setup.ring_features", "io_setup.ring_header_length",
                      "io_setup.ring_starts_empty", "io_setup.ring_starts_zeroed"}}) {
  const std::uint64_t ctx = setup();
  claim("io_setup.ring_magic");
  EXPECT_EQ(ring(ctx).magic, 0xa10a10a1u);
  claim("io_setup.ring_features");
  EXPECT_EQ(ring(ctx).compat_features, 1u);
  EXPECT_EQ(ring(ctx).incompat_features, 0u);
  claim("io_setup.ring_header_length");
  EXPECT_EQ(ring(ctx).header_length, 32u);
  claim("io_setup.ring_starts_empty");
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(ring(ctx).tail, 0u);
  claim("io_setup.ring_starts_zeroed");
  for (std::uint32_t i = 0; i < ring(ctx).nr; ++i) ASSERT_EQ(ring_event(ctx, i), Event{}) << i;
}

SUITE_TEST(io_setup, ids_are_the_lowest_free_ones, {.holds = {"io_setup.lowest_free_table_index"}}) {
  std::vector<std::uint64_t> contexts;
  for (std::uint32_t id = 0; id < 7; ++id) {
    contexts.push_back(setup());
    EXPECT_EQ(ring(contexts.back()).id, id);
  }
  ASSERT_RETURNS(0, io_destroy(contexts[2]));
  ASSERT_RETURNS(0, io_destroy(contexts[5]));
  for (const std::uint32_t id : {2u, 5u, 7u}) EXPECT_EQ(ring(setup()).id, id);
}

SUITE_TEST(io_setup, the_table_of_contexts_grows, {.holds = {"io_setup.table_grows"}}) {
  for (std::uint32_t id = 0; id < 70; ++id) ASSERT_EQ(ring(setup()).id, id);
}

SUITE_TEST(io_setup, no_descriptor_is_taken, {.holds = {"io_setup.needs_no_descriptor"}}) {
  limit(RLIMIT_NOFILE, 0);
  ASSERT_EQ(::open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
  EXPECT_RETURNS(0, io_setup(1, kVariable));
}

SUITE_TEST(io_setup, no_locked_memory_is_taken, {.holds = {"io_setup.needs_no_locked_memory"}}) {
  limit(RLIMIT_MEMLOCK, 0);
  EXPECT_RETURNS(0, io_setup(1, kVariable));
}

SUITE_TEST(io_setup, no_room_for_the_ring_is_enomem,
           {.holds = {"io_setup.no_address_space_is_enomem", "io_setup.failure_leaves_variable"}}) {
  limit(RLIMIT_AS, 1);
  const Answer seen = io_setup(1, kVariable);
  limit(RLIMIT_AS, RLIM_INFINITY);
  EXPECT_ERROR(ENOMEM, seen);
  claim("io_setup.failure_leaves_variable");
  EXPECT_EQ(at<std::uint64_t>(kVariable), 0u);
  EXPECT_EQ(ring(setup()).id, 0u);
}

}  // namespace aio::suites
