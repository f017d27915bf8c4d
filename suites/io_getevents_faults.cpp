// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) into an array that cannot be written, or not all of it.
// Claims: EFAULT, and that no event is gone from the ring then, however many of them had been copied.
// Provoked by arrays that end before a page without access, and by rings whose events lie on both sides of a page's end
// or of the ring's own end, where the kernel copies in several pieces.
// Not seen: faults that end a wait with some events (waiting.cpp).
#include <sys/mman.h>

#include <climits>
#include <system_error>

#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint32_t kStep = 50;

// An events array with room for `bytes`, behind which nothing can be written. `page` is the first of two.
Address array_of(Address pages, std::uint64_t page_size, std::uint64_t bytes) { return pages + page_size - bytes; }

void forbid(Address page, std::uint64_t page_size, int protection = PROT_NONE) {
  if (::mprotect(reinterpret_cast<void*>(page), page_size, protection) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot protect a page");
  }
}

// Lets events come and go until the next one's place in the ring is `index`. `list` names the same iocb kStep times.
testing::AssertionResult advance(Entry& entry, std::uint64_t ctx, std::uint32_t index, Address list) {
  const auto& ring = *reinterpret_cast<const volatile RingHeader*>(ctx);
  while (ring.tail != index) {
    const std::uint32_t count = std::min(kStep, (index + ring.nr - ring.tail) % ring.nr);
    const Answer made = entry.io_submit(ctx, count, list);
    const Answer taken = entry.io_getevents(ctx, count, count, arena::kEvents, arena::kNull);
    if (made.value != count || taken.value != count) {
      return testing::AssertionFailure() << "io_submit and io_getevents of " << count << " events: " << made.value
                                         << " and " << taken.value;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace

SUITE_TEST(io_getevents_faults, an_unwritable_array_is_efault, {.holds = {"io_getevents.unwritable_array_is_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  for (const Address bad : {arena::kNull, arena::kReadOnly, arena::kNoAccess, arena::kUnmapped}) {
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 1, bad, arena::kNull)) << bad;
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 0, 1, bad, arena::kNull)) << bad;
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 2, 2, bad, timeout(0, 1000))) << bad;
  }
}

SUITE_TEST(io_getevents_faults, an_array_of_the_kernels_half_is_efault,
           {.holds = {"io_getevents.unwritable_array_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ~Address{0} - 31}) {
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 1, bad, arena::kNull)) << bad;
  }
}

SUITE_TEST(io_getevents_faults, events_stay_after_efault,
           {.holds = {"io_getevents.efault_keeps_events", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  ASSERT_ERROR(EFAULT, io_getevents(ctx, 3, 3, arena::kNoAccess, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(ring(ctx).tail, 3u);
  EXPECT_RETURNS(3, io_getevents(ctx, 3, 3, arena::kEvents, arena::kNull));
  claim("io_getevents.copies_events");
  for (const unsigned slot : {0u, 1u, 2u}) EXPECT_EQ(event(slot).obj, arena::iocb_slot(slot));
}

SUITE_TEST(io_getevents_faults, an_array_too_short_for_all_takes_none,
           {.holds = {"io_getevents.unwritable_array_is_efault", "io_getevents.efault_keeps_events"}}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  forbid(pages + page, page);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  // Room for none, less than one, one, two, and all but the last byte of three.
  for (const std::uint64_t room : {0u, 31u, 32u, 64u, 95u}) {
    claim("io_getevents.unwritable_array_is_efault");
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 3, array_of(pages, page, room), arena::kNull)) << room;
    claim("io_getevents.efault_keeps_events");
    EXPECT_EQ(ring(ctx).head, 0u) << room;
  }
  EXPECT_RETURNS(3, io_getevents(ctx, 1, 3, array_of(pages, page, 96), arena::kNull));
}

SUITE_TEST(io_getevents_faults, an_array_too_short_at_its_beginning_takes_none,
           {.holds = {"io_getevents.unwritable_array_is_efault", "io_getevents.efault_keeps_events"}}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  forbid(pages, page, PROT_READ);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  for (const std::uint64_t before : {1u, 32u, 95u}) {
    EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 3, array_of(pages, page, before), arena::kNull)) << before;
    EXPECT_EQ(in_ring(ctx), 3u) << before;
  }
  EXPECT_RETURNS(3, io_getevents(ctx, 1, 3, pages + page, arena::kNull));
}

SUITE_TEST(io_getevents_faults, only_what_is_copied_needs_room,
           {.holds = {"io_getevents.array_written_as_far_as_used"}}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  forbid(pages + page, page);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  EXPECT_RETURNS(2, io_getevents(ctx, 1, 2, array_of(pages, page, 64), arena::kNull));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, INT_MAX, array_of(pages, page, 32), arena::kNull));
}

// Where the last of several pieces faults, those before it do not count either.
SUITE_TEST(io_getevents_faults, a_fault_behind_a_border_takes_none,
           {.holds = {"io_getevents.unwritable_array_is_efault", "io_getevents.efault_keeps_events",
                      "io_getevents.efault_keeps_head_at_borders", "io_getevents.efault_leaves_pieces_before_it"}}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  forbid(pages + page, page);
  const std::uint64_t ctx = setup(128);
  ASSERT_GT(32 * ring(ctx).nr, page);
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  for (const unsigned slot : {1u, 2u, 3u, 4u}) prepare(slot, kPread, empty.get());
  const std::vector<Address> same(kStep, arena::iocb_slot(0));
  const auto first_page = static_cast<std::uint32_t>(page / sizeof(Event)) - 1;
  for (const std::uint32_t border : {first_page, ring(ctx).nr}) {
    const std::uint32_t from = border - 2;
    ASSERT_TRUE(advance(entry(), ctx, from, list(same)));
    ASSERT_RETURNS(4, submit(ctx, {1, 2, 3, 4}));
    for (const std::uint64_t room : {2u, 3u}) {
      const Address array = array_of(pages, page, room * sizeof(Event));
      claim("io_getevents.unwritable_array_is_efault");
      EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 4, array, arena::kNull)) << border << ' ' << room;
      claim("io_getevents.efault_keeps_head_at_borders");
      EXPECT_EQ(ring(ctx).head, from) << border << ' ' << room;
      claim("io_getevents.efault_leaves_pieces_before_it");
      EXPECT_EQ(at<Event>(array).obj, arena::iocb_slot(1)) << border << ' ' << room;
      EXPECT_EQ(at<Event>(array + sizeof(Event)).obj, arena::iocb_slot(2)) << border << ' ' << room;
    }
    claim("io_getevents.efault_keeps_events");
    EXPECT_RETURNS(4, io_getevents(ctx, 1, 4, array_of(pages, page, 4 * sizeof(Event)), arena::kNull)) << border;
    for (unsigned i = 0; i < 4; ++i) {
      EXPECT_EQ(at<Event>(array_of(pages, page, 4 * sizeof(Event)) + sizeof(Event) * i).obj, arena::iocb_slot(1 + i));
    }
  }
}

SUITE_TEST(io_getevents_faults, what_is_not_asked_for_cannot_fault,
           {.holds = {"io_getevents.array_written_as_far_as_used"}}) {
  const std::uint64_t page = machine().page_size;
  const Address pages = map(2 * page);
  forbid(pages + page, page);
  const std::uint64_t ctx = setup(128);
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  const std::vector<Address> same(kStep, arena::iocb_slot(0));
  const auto first_page = static_cast<std::uint32_t>(page / sizeof(Event)) - 1;
  for (const std::uint32_t border : {first_page, ring(ctx).nr}) {
    ASSERT_TRUE(advance(entry(), ctx, border - 2, list(same)));
    ASSERT_RETURNS(4, submit(ctx, {0, 0, 0, 0}));
    EXPECT_RETURNS(3, io_getevents(ctx, 1, 3, array_of(pages, page, 3 * sizeof(Event)), arena::kNull)) << border;
    EXPECT_EQ(ring(ctx).head, (border + 1) % ring(ctx).nr);
    EXPECT_RETURNS(1, io_getevents(ctx, 1, 3, array_of(pages, page, sizeof(Event)), arena::kNull)) << border;
  }
}

}  // namespace aio::suites
