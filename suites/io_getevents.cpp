// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2): which counts and contexts it refuses, in which order it looks at them, and what it takes.
// Claims: EINVAL for each bad count and context, exactly nr events in the ring's order, no look at what is not needed.
// Provoked by reads of nothing, whose events are in the ring when io_submit returns, and by one bad argument at a time.
// Not seen: calls that wait (io_getevents_timeouts.cpp, waiting.cpp); heads and tails that the user wrote (ring.cpp).

#include <climits>
#include <cstring>

#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

constexpr std::int64_t kHour = 3600;

}  // namespace

SUITE_TEST(io_getevents, takes_what_is_there,
           {.holds = {"io_getevents.returns_what_is_there", "io_getevents.copies_events", "io_getevents.moves_head",
                      "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  const std::string behind = get(arena::kEvents + 3 * sizeof(Event), 7 * sizeof(Event));
  EXPECT_RETURNS(3, io_getevents(ctx, 0, 10, arena::kEvents, timeout(0, 0)));
  claim("io_getevents.copies_events");
  for (const unsigned slot : {0u, 1u, 2u}) {
    EXPECT_EQ(event(slot), (Event{100 + slot, arena::iocb_slot(slot), 0, 0}));
  }
  claim("io_getevents.moves_head");
  EXPECT_EQ(ring(ctx).head, 3u);
  EXPECT_EQ(ring(ctx).tail, 3u);
  claim("memory.nothing_else_written");
  EXPECT_EQ(get(arena::kEvents + 3 * sizeof(Event), 7 * sizeof(Event)), behind);
}

SUITE_TEST(io_getevents, takes_no_more_than_nr,
           {.holds = {"io_getevents.at_most_nr", "io_getevents.copies_events", "io_getevents.moves_head"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  const std::string array_before = get(arena::kEvents + 2 * sizeof(Event), sizeof(Event));
  EXPECT_RETURNS(2, io_getevents(ctx, 1, 2, arena::kEvents, arena::kNull));
  EXPECT_EQ(get(arena::kEvents + 2 * sizeof(Event), sizeof(Event)), array_before);
  claim("io_getevents.moves_head");
  EXPECT_EQ(ring(ctx).head, 2u);
  claim("io_getevents.at_most_nr");
  EXPECT_RETURNS(1, io_getevents(ctx, 0, 2, arena::kEvents, arena::kNull));
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(2));
}

SUITE_TEST(io_getevents, an_empty_ring_gives_zero, {.holds = {"io_getevents.empty_ring_is_zero"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, timeout(0, 0)));
  // One that has been filled and emptied.
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  complete(ctx, 0);
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 1u);
}

SUITE_TEST(io_getevents, min_nr_zero_never_waits, {.holds = {"io_getevents.min_nr_zero_does_not_wait"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_TRUE(stays_awake([&] {
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, timeout(kHour, 0)));
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, timeout(-1, 0)));
  }));
}

SUITE_TEST(io_getevents, as_many_as_asked_for_are_not_waited_for,
           {.holds = {"io_getevents.enough_events_do_not_wait", "io_getevents.returns"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  EXPECT_TRUE(stays_awake([&] {
    ASSERT_RETURNS(4, submit(ctx, {0, 0, 0, 0}));
    EXPECT_RETURNS(2, io_getevents(ctx, 2, 2, arena::kEvents, timeout(kHour, 0)));
    EXPECT_RETURNS(2, io_getevents(ctx, 1, 10, arena::kEvents, arena::kNull));
  }));
}

SUITE_TEST(io_getevents, nr_zero_takes_nothing,
           {.holds = {"io_getevents.nr_zero_takes_nothing", "io_getevents.returns"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 0, arena::kNull, arena::kNull));
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 0, arena::kNull, arena::kNull));
  EXPECT_EQ(in_ring(ctx), 1u);
}

SUITE_TEST(io_getevents, no_array_is_needed_without_events, {.holds = {"io_getevents.array_unused_without_events"}}) {
  const std::uint64_t ctx = setup();
  for (const Address array : {arena::kNull, arena::kUnmapped, arena::kReadOnly}) {
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, array, arena::kNull)) << array;
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, array, timeout(0, 1))) << array;
  }
}

SUITE_TEST(io_getevents, nr_may_pass_all_there_is, {.holds = {"io_getevents.nr_has_no_upper_bound"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  EXPECT_RETURNS(3, io_getevents(ctx, 1, INT_MAX, arena::kEvents, arena::kNull));
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  EXPECT_RETURNS(2, io_getevents(ctx, INT_MAX, INT_MAX, arena::kEvents, timeout(0, 0)));
}

SUITE_TEST(io_getevents, counts_are_not_cut_to_32_bits,
           {.holds = {"io_getevents.counts_are_64_bits_wide"}, .entries = kNativeOnly | kLibaioOnly}) {
  constexpr std::int64_t kWide = std::int64_t{1} << 32;  // 0, if it were cut
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  EXPECT_RETURNS(3, io_getevents(ctx, 1, kWide, arena::kEvents, arena::kNull));
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  EXPECT_RETURNS(2, io_getevents(ctx, 2, INT64_MAX, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, kWide, 1, arena::kEvents, timeout(0, 1)));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, INT64_MIN, 1, arena::kEvents, timeout(0, 1)));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, INT64_MIN, arena::kEvents, timeout(0, 1)));
}

SUITE_TEST(io_getevents, a_negative_min_nr_is_einval, {.holds = {"io_getevents.negative_min_nr_is_einval"}}) {
  const std::uint64_t ctx = setup();
  for (const std::int64_t min_nr : {std::int64_t{-1}, std::int64_t{INT_MIN}}) {
    EXPECT_ERROR(EINVAL, io_getevents(ctx, min_nr, 1, arena::kEvents, arena::kNull)) << min_nr;
    EXPECT_ERROR(EINVAL, io_getevents(ctx, min_nr, 0, arena::kEvents, arena::kNull)) << min_nr;
    EXPECT_ERROR(EINVAL, io_getevents(ctx, min_nr, -1, arena::kEvents, arena::kNull)) << min_nr;
  }
}

SUITE_TEST(io_getevents, a_min_nr_above_nr_is_einval, {.holds = {"io_getevents.min_nr_above_nr_is_einval"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 1, 0, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 3, 2, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, INT_MAX, INT_MAX - 1, arena::kEvents, arena::kNull));
  // A negative nr is below any min_nr.
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, -1, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 1, -1, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 1, INT_MIN, arena::kEvents, arena::kNull));
}

SUITE_TEST(io_getevents, bad_counts_take_no_events, {.holds = {"io_getevents.refusal_keeps_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 3, 2, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, -1, 2, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(in_ring(ctx), 3u);
}

SUITE_TEST(io_getevents, the_null_context_is_einval, {.holds = {"io_getevents.unknown_context_is_einval"}}) {
  EXPECT_ERROR(EINVAL, io_getevents(0, 0, 0, arena::kNull, arena::kNull));
  setup();
  EXPECT_ERROR(EINVAL, io_getevents(0, 0, 0, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(0, 1, 1, arena::kEvents, timeout(0, 1)));
}

// An id is an address at which the kernel looks for the context's index: 0 for the first.
SUITE_TEST(io_getevents, what_is_no_context_is_einval,
           {.holds = {"io_getevents.unknown_context_is_einval"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  at<std::uint64_t>(arena::kBuffers) = 0;
  for (const std::uint64_t bad :
       {std::uint64_t{1}, ctx + 8, ctx - 1, ctx + machine().page_size - 4, arena::kBuffers, arena::context_slot(0),
        arena::kNoAccess, arena::kUnmapped, arena::kKernel, ~std::uint64_t{0}}) {
    EXPECT_ERROR(EINVAL, io_getevents(bad, 0, 1, arena::kEvents, timeout(0, 1))) << bad;
    EXPECT_ERROR(EINVAL, io_getevents(bad, 0, 0, arena::kNull, arena::kNull)) << bad;
  }
}

SUITE_TEST(io_getevents, a_destroyed_context_is_einval,
           {.holds = {"context.destroyed_id_is_einval"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
}

SUITE_TEST(io_getevents, an_unreadable_timeout_is_efault,
           {.holds = {"io_getevents.unreadable_timeout_is_efault"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNoAccess, arena::kUnmapped, arena::kVars + arena::kPage - 4}) {
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 0, 1, arena::kEvents, bad)) << bad;
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 0, 0, arena::kEvents, bad)) << bad;
  }
}

SUITE_TEST(io_getevents, a_timeout_of_the_kernels_half_is_efault,
           {.holds = {"io_getevents.unreadable_timeout_is_efault"}, .entries = kNativeOnly}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ~Address{0}}) {
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 0, 1, arena::kEvents, bad)) << bad;
  }
}

SUITE_TEST(io_getevents, an_unreadable_timeout_takes_no_events,
           {.holds = {"io_getevents.unreadable_timeout_is_efault", "io_getevents.refusal_keeps_events"},
            .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 2, arena::kEvents, arena::kUnmapped));
  claim("io_getevents.refusal_keeps_events");
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(in_ring(ctx), 2u);
}

SUITE_TEST(io_getevents, the_timeout_is_looked_at_before_context_and_counts,
           {.holds = {"io_getevents.timeout_checked_first"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EFAULT, io_getevents(0, 0, 1, arena::kEvents, arena::kUnmapped));
  EXPECT_ERROR(EFAULT, io_getevents(ctx, -1, 1, arena::kEvents, arena::kUnmapped));
  EXPECT_ERROR(EFAULT, io_getevents(ctx, 2, 1, arena::kEvents, arena::kUnmapped));
  EXPECT_ERROR(EFAULT, io_getevents(0, 2, 1, arena::kNull, arena::kUnmapped));
}

SUITE_TEST(io_getevents, the_timeout_is_looked_at_after_context_and_counts,
           {.holds = {"io_getevents.timeout_checked_last"}, .entries = kNativeOnly}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EINVAL, io_getevents(0, 0, 1, arena::kEvents, arena::kUnmapped));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, -1, 1, arena::kEvents, arena::kUnmapped));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 2, 1, arena::kEvents, arena::kUnmapped));
}

SUITE_TEST(io_getevents, arguments_need_no_alignment, {.holds = {"io_getevents.arguments_may_be_misaligned"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  constexpr Address kOdd = arena::kVars + 0x501;
  put(kOdd, get(timeout(0, 1000), 16));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents + 3, kOdd));
  Event seen;
  std::memcpy(&seen, reinterpret_cast<const void*>(arena::kEvents + 3), sizeof seen);
  EXPECT_EQ(seen, (Event{100, arena::iocb_slot(0), 0, 0}));
  EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, kOdd));
}

}  // namespace aio::suites
