// SPDX-License-Identifier: GPL-2.0-or-later
//
// mremap of the ring: whole, in part, shorter, longer, twice.
// Claims: the context's id is the address to which the ring, or a piece of it, was last moved; what is in flight or
// unread comes along; what would make a ring longer or map it twice is refused.
// Provoked by moves to addresses of the test's own, with reads unread, polls pending and io_getevents waiting.
// Not seen: what is left mapped of a destroyed ring, which nobody may touch; a child's mremap (process.cpp).
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "fixtures/lane.h"
#include "fixtures/user_memory.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr int kDontUnmap = 4;  // MREMAP_DONTUNMAP, for which <sys/mman.h> may be too old
constexpr const char* kContent = "ring";
constexpr std::int64_t kLength = 4;

void* pointer(Address at) { return reinterpret_cast<void*>(at); }

// mremap(2): 0 if what was asked for lies at `to` now, 1 if elsewhere.
Answer remap(Address from, std::size_t old_length, std::size_t new_length, int flags, Address to) {
  void* const moved = ::mremap(pointer(from), old_length, new_length, flags, pointer(to));
  if (moved == MAP_FAILED) return {-1, errno};
  return {moved == pointer(to) ? 0 : 1, 0};
}

Answer move(Address from, std::size_t size, Address to) {
  return remap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

void ring_bell(int eventfd) {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(eventfd, &one, sizeof one), 8);
}

}  // namespace

SUITE_TEST(mapping_move, a_moved_ring_takes_its_context_along, {.holds = {"mapping.move_changes_id"}}) {
  for (const std::uint32_t nr : {1u, 1000u}) {
    const std::uint64_t old = setup(nr);
    const std::size_t size = ring_bytes(ring(old).nr);
    const Descriptor data = file(kContent);
    prepare(0, kPread, data.get(), arena::kBuffers, kLength);
    ASSERT_RETURNS(1, submit(old, {0}));
    const RingHeader before = ring(old);
    const Address ctx = map(size, PROT_NONE);
    ASSERT_RETURNS(0, move(old, size, ctx));
    EXPECT_EQ(ring(ctx).id, before.id);
    EXPECT_EQ(ring(ctx).tail, 1u);
    EXPECT_FALSE(user_memory::load<std::uint32_t>(old));
    EXPECT_RETURNS(1, submit(ctx, {0}));
    EXPECT_EQ(ring(ctx).tail, 2u);
    EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
    EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), kLength, 0}));
    if (since(4, 18)) {
      EXPECT_RETURNS(1, io_pgetevents(ctx, 1, 1, arena::kEvents, arena::kNull, arena::kNull));
    }
    EXPECT_RETURNS(0, io_destroy(ctx));
    EXPECT_FALSE(user_memory::load<std::uint32_t>(ctx));
    EXPECT_FALSE(user_memory::load<std::uint32_t>(ctx + size - machine().page_size));
  }
}

SUITE_TEST(mapping_move, the_old_address_is_no_id_any_more,
           {.holds = {"mapping.move_changes_id"}, .entries = kRawEntries}) {
  const std::uint64_t old = setup();
  const Descriptor data = file(kContent);
  const std::size_t page = machine().page_size;
  prepare(0, kPread, data.get(), arena::kBuffers, kLength).key = 0;
  const Address ctx = map(page, PROT_NONE);
  ASSERT_RETURNS(0, move(old, page, ctx));
  // Nothing lies there, then the context's index.
  for (const bool index : {false, true}) {
    if (index) {
      const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
      ASSERT_EQ(::mmap(pointer(old), page, PROT_READ | PROT_WRITE, flags, -1, 0), pointer(old));
      at<std::uint32_t>(old) = ring(ctx).id;
    }
    EXPECT_ERROR(EINVAL, submit(old, {0})) << index;
    EXPECT_ERROR(EINVAL, io_getevents(old, 0, 1, arena::kEvents, arena::kNull)) << index;
    if (since(4, 18)) {
      EXPECT_ERROR(EINVAL, io_pgetevents(old, 0, 1, arena::kEvents, arena::kNull, arena::kNull)) << index;
    }
    EXPECT_ERROR(EINVAL, io_cancel(old, arena::iocb_slot(0))) << index;
    EXPECT_ERROR(EINVAL, io_destroy(old)) << index;
  }
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(mapping_move, unread_events_come_along, {.holds = {"mapping.move_keeps_requests"}}) {
  const std::uint64_t first = setup(64);
  const std::size_t size = ring_bytes(ring(first).nr);
  const Descriptor data = file(kContent);
  for (unsigned slot = 0; slot < 3; ++slot) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(first, {0}));
  const Address second = map(size, PROT_NONE);
  ASSERT_RETURNS(0, move(first, size, second));
  ASSERT_RETURNS(1, submit(second, {1}));
  const Address ctx = map(size, PROT_NONE);
  ASSERT_RETURNS(0, move(second, size, ctx));
  ASSERT_RETURNS(1, submit(ctx, {2}));
  EXPECT_EQ(ring_event(ctx, 0).obj, arena::iocb_slot(0));
  EXPECT_EQ(ring_event(ctx, 2).obj, arena::iocb_slot(2));
  ASSERT_RETURNS(3, io_getevents(ctx, 3, 10, arena::kEvents, arena::kNull));
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(event(i), (Event{100 + i, arena::iocb_slot(i), kLength, 0}));
}

SUITE_TEST(mapping_move, requests_in_flight_end_in_the_moved_ring,
           {.holds = {"mapping.move_keeps_requests"}, .needs = ">=4.19"}) {
  const std::uint64_t first = setup();
  const std::size_t page = machine().page_size;
  const Descriptor bell = eventfd();
  const Descriptor silent = eventfd();
  prepare_poll(0, bell.get(), kPollIn);
  prepare_poll(1, silent.get(), kPollIn);
  ASSERT_RETURNS(2, submit(first, {0, 1}));
  const Address second = map(page, PROT_NONE);
  ASSERT_RETURNS(0, move(first, page, second));
  const Address ctx = map(page, PROT_NONE);
  ASSERT_RETURNS(0, move(second, page, ctx));
  ring_bell(bell.get());
  EXPECT_TRUE(await([&] { return in_ring(ctx) == 1; }));
  EXPECT_EQ(ring_event(ctx, 0), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(1)));
  EXPECT_TRUE(await([&] { return in_ring(ctx) == 2; }));
  EXPECT_EQ(ring_event(ctx, 1), (Event{101, arena::iocb_slot(1), 0, 0}));
}

SUITE_TEST(mapping_move, who_waits_already_gets_its_events,
           {.holds = {"mapping.waiters_outlive_it"}, .needs = ">=4.19,lanes"}) {
  const std::uint64_t old = setup();
  const std::size_t page = machine().page_size;
  const Descriptor bell = eventfd();
  prepare_poll(0, bell.get(), kPollIn);
  ASSERT_RETURNS(1, submit(old, {0}));
  const Address ctx = map(page, PROT_NONE);
  Lane waiter(cpus().number(0));
  Answer answer{};
  waiter.start([&] { answer = io_getevents(old, 1, 1, arena::kEvents, arena::kNull); });
  const Lane::State state = waiter.settle(numbers().io_getevents);
  const Answer moved = move(old, page, ctx);
  ring_bell(bell.get());
  waiter.wait();
  EXPECT_EQ(state, Lane::State::kAsleep);
  EXPECT_RETURNS(0, moved);
  EXPECT_RETURNS(1, answer);
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
  EXPECT_EQ(ring(ctx).head, 1u);
}

SUITE_TEST(mapping_move, a_ring_does_not_grow,
           {.holds = {"mapping.growing_is_efault", "mapping.duplicating_is_efault", "mapping.dontunmap_is_einval"}}) {
  const std::uint64_t ctx = setup(64);
  const std::size_t page = machine().page_size;
  const std::size_t size = ring_bytes(ring(ctx).nr);
  const Address target = map(size + page, PROT_NONE);
  const struct {
    const char* what;
    const char* requirement;
    int error;
    std::size_t old_length;
    std::size_t new_length;
    int flags;
  } rows[] = {
      {"longer, in place", "mapping.growing_is_efault", EFAULT, size, size + page, 0},
      {"longer, anywhere", "mapping.growing_is_efault", EFAULT, size, size + page, MREMAP_MAYMOVE},
      {"longer, there", "mapping.growing_is_efault", EFAULT, size, size + page, MREMAP_MAYMOVE | MREMAP_FIXED},
      {"a second time, anywhere", "mapping.duplicating_is_efault", EFAULT, 0, size, MREMAP_MAYMOVE},
      {"a second time, there", "mapping.duplicating_is_efault", EFAULT, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED},
      {"not unmapped, anywhere", "mapping.dontunmap_is_einval", EINVAL, size, size, MREMAP_MAYMOVE | kDontUnmap},
      {"not unmapped, there", "mapping.dontunmap_is_einval", EINVAL, size, size,
       MREMAP_MAYMOVE | MREMAP_FIXED | kDontUnmap},
  };
  for (const auto& row : rows) {
    claim(row.requirement);
    EXPECT_ERROR(row.error, remap(ctx, row.old_length, row.new_length, row.flags, target)) << row.what;
    EXPECT_RETURNS(0, io_submit(ctx, 0, arena::kNull)) << row.what;
  }
  claim("mapping.growing_is_efault");
  EXPECT_RETURNS(0, remap(ctx, size, size, 0, ctx));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(mapping_move, a_shortened_ring_is_whole_to_the_kernel, {.holds = {"mapping.shrinking_changes_nothing"}}) {
  const std::uint64_t ctx = setup(1000);
  const std::size_t page = machine().page_size;
  const std::uint32_t nr = ring(ctx).nr;
  const Descriptor data = file(kContent);
  const Address events = map(sizeof(Event) * nr);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(0, remap(ctx, ring_bytes(ring(ctx).nr), page, 0, ctx));
  ASSERT_FALSE(user_memory::load<std::uint32_t>(ctx + page));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    iocb(0).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
  }
  EXPECT_EQ(ring(ctx).tail, 1000u);
  ASSERT_RETURNS(1000, io_getevents(ctx, 0, nr, events, arena::kNull));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(at<Event>(events + sizeof(Event) * i), (Event{i, arena::iocb_slot(0), kLength, 0}));
  }
}

SUITE_TEST(mapping_move, io_destroy_unmaps_what_came_after_a_shortened_ring,
           {.holds = {"mapping.destroy_unmaps_the_range"}}) {
  const std::uint64_t ctx = setup(1000);
  const std::size_t page = machine().page_size;
  const std::size_t size = ring_bytes(ring(ctx).nr);
  // A place of the test's own, with a page behind the ring's.
  const Address there = map(size + page);
  ASSERT_RETURNS(0, move(ctx, size, there));
  ASSERT_RETURNS(0, remap(there, size, page, 0, there));
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  ASSERT_EQ(::mmap(pointer(there + page), size - page, PROT_READ | PROT_WRITE, flags, -1, 0), pointer(there + page));
  ASSERT_RETURNS(0, io_destroy(there));
  for (std::size_t at = 0; at < size; at += page) EXPECT_FALSE(user_memory::load<std::uint32_t>(there + at)) << at;
  EXPECT_TRUE(user_memory::load<std::uint32_t>(there + size)) << "beyond the ring's length";
}

SUITE_TEST(mapping_move, the_first_page_alone_is_the_id, {.holds = {"mapping.moved_piece_is_the_id"}}) {
  const std::uint64_t old = setup(200);
  const std::size_t page = machine().page_size;
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  const Address ctx = map(page, PROT_NONE);
  ASSERT_RETURNS(0, move(old, page, ctx));
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(ring(ctx).tail, 1u);
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
  // Where the rest of it still lies.
  EXPECT_ERROR(EINVAL, io_submit(old + page, 0, arena::kNull));
}

SUITE_TEST(mapping_move, another_page_alone_is_the_id, {.holds = {"mapping.moved_piece_is_the_id"}}) {
  const std::size_t page = machine().page_size;
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  for (const std::uint32_t id : {0u, 1u}) {
    const std::uint64_t old = setup(200);
    ASSERT_EQ(ring(old).id, id);
    const Address ctx = map(page, PROT_NONE);
    ASSERT_RETURNS(0, move(old + page, page, ctx));
    EXPECT_ERROR(EINVAL, submit(old, {0})) << "index " << id;
    // The moved page is empty: a zero, which is the first context's index.
    ASSERT_EQ(at<std::uint32_t>(ctx), 0u);
    if (id != 0) {
      EXPECT_ERROR(EINVAL, submit(ctx, {0}));
      at<std::uint32_t>(ctx) = id;
    }
    EXPECT_RETURNS(1, submit(ctx, {0})) << "index " << id;
    EXPECT_EQ(ring(old).tail, 1u) << "index " << id;
    EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull)) << "index " << id;
  }
}

// What is left of the ring where it was must not be touched from here on.
SUITE_TEST(mapping_move, io_destroy_unmaps_what_lies_behind_a_moved_page,
           {.holds = {"mapping.destroy_unmaps_the_range"}}) {
  const std::uint64_t old = setup(200);
  const std::size_t page = machine().page_size;
  const std::size_t size = ring_bytes(ring(old).nr);
  const Address ctx = map(size + page);
  ASSERT_RETURNS(0, move(old, page, ctx));
  ASSERT_TRUE(user_memory::load<std::uint32_t>(ctx + page));
  ASSERT_RETURNS(0, io_destroy(ctx));
  for (std::size_t at = 0; at < size; at += page) EXPECT_FALSE(user_memory::load<std::uint32_t>(ctx + at)) << at;
  EXPECT_TRUE(user_memory::load<std::uint32_t>(ctx + size)) << "beyond the ring's length";
}

// Nor here.
SUITE_TEST(mapping_move, what_is_left_of_a_destroyed_ring_does_not_move,
           {.holds = {"mapping.rest_of_dead_ring_does_not_move"}}) {
  const std::uint64_t old = setup(200);
  const std::size_t page = machine().page_size;
  const std::size_t size = ring_bytes(ring(old).nr);
  const Address ctx = map(size, PROT_NONE);
  const Address target = map(page, PROT_NONE);
  ASSERT_RETURNS(0, move(old, page, ctx));
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, move(old + page, page, target));
  // A new context is not mistaken for it.
  const std::uint64_t fresh = setup(1, 1);
  EXPECT_ERROR(EINVAL, move(old + page, page, target));
  EXPECT_RETURNS(0, io_submit(fresh, 0, arena::kNull));
}

}  // namespace aio::suites
