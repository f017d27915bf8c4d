// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ring that the process took away: unmapped, made unreadable, or hidden by other memory at its address.
// Claims: no call finds such a context, and none changes that but a readable word with its index at its address; what
// is in flight goes on, and io_destroy unmaps whatever lies there.
// Provoked by munmap, mprotect, and mmap over the ring.
// Not seen: what its count in fs.aio-nr does (limits.cpp).
#include <sys/mman.h>
#include <unistd.h>

#include "fixtures/lane.h"
#include "fixtures/user_memory.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

void* pointer(Address at) { return reinterpret_cast<void*>(at); }

// Zeroed memory where there may be something else.
void cover(Address at, std::size_t size) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (::mmap(pointer(at), size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "cannot map memory over a ring");
  }
}

}  // namespace

SUITE_TEST(mapping_gone, no_call_finds_an_unmapped_ring,
           {.holds = {"mapping.unmapped_ring_is_einval"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1).key = 0;
  ASSERT_EQ(::munmap(&ring(ctx), machine().page_size), 0);
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  if (since(4, 18)) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  }
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  // It is there still: its index in the table is taken.
  EXPECT_EQ(ring(setup(1, 1)).id, 1u);
}

SUITE_TEST(mapping_gone, an_unreadable_ring_is_found_again_when_it_can_be_read,
           {.holds = {"mapping.unreadable_ring_is_einval"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1).key = 0;
  ASSERT_EQ(::mprotect(&ring(ctx), machine().page_size, PROT_NONE), 0);
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  if (since(4, 18)) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  }
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  ASSERT_EQ(::mprotect(&ring(ctx), machine().page_size, PROT_READ | PROT_WRITE), 0);
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(mapping_gone, only_the_first_page_must_be_readable, {.holds = {"mapping.only_first_page_is_looked_at"}}) {
  const std::uint64_t ctx = setup(1000);
  const Descriptor data = file("x");
  const std::size_t page = machine().page_size;
  const std::size_t rest = ring_bytes(ring(ctx).nr) - page;
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_EQ(::mprotect(pointer(ctx + page), rest / 2, PROT_NONE), 0);
  ASSERT_EQ(::munmap(pointer(ctx + page + (rest / 2 + page - 1) / page * page), page), 0);
  // Far beyond the first page's events.
  for (std::uint64_t i = 0; i < ring(ctx).nr + 10; ++i) {
    iocb(0).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
    ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull)) << i;
    ASSERT_EQ(event(0).data, i);
  }
}

SUITE_TEST(mapping_gone, other_memory_with_the_index_will_do, {.holds = {"context.found_through_any_memory"}}) {
  setup(1, 0);
  const std::uint64_t ctx = setup(1, 1);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  cover(ctx, machine().page_size);
  // Zero is the index of the other context.
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  ring(ctx).id = 1;
  EXPECT_RETURNS(1, submit(ctx, {0}));
  // The kernel reads and writes its own pages.
  EXPECT_RETURNS(2, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(1), (Event{100, arena::iocb_slot(0), 1, 0}));
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_EQ(ring(ctx).tail, 0u);
  EXPECT_EQ(ring_event(ctx, 0), Event{});
}

SUITE_TEST(mapping_gone, io_destroy_unmaps_what_lies_there, {.holds = {"mapping.destroy_unmaps_the_range"}}) {
  const std::uint64_t ctx = setup(64);
  const std::size_t page = machine().page_size;
  const std::size_t size = ring_bytes(ring(ctx).nr);
  cover(ctx, size);
  ASSERT_RETURNS(0, io_destroy(ctx));
  for (std::size_t at = 0; at < size; at += page) EXPECT_FALSE(user_memory::load<std::uint32_t>(ctx + at)) << at;
}

SUITE_TEST(mapping_gone, requests_complete_behind_other_memory,
           {.holds = {"mapping.completions_go_on_without_it"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor bell = eventfd();
  const Descriptor counter = eventfd();
  signal(prepare_poll(0, bell.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_EQ(::munmap(&ring(ctx), machine().page_size), 0);
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(bell.get(), &one, sizeof one), 8);
  EXPECT_TRUE(await([&] { return drain(counter.get()) == 1; }));
  cover(ctx, machine().page_size);
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, timeout(5, 0)));
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
}

SUITE_TEST(mapping_gone, the_quota_goes_on_behind_other_memory, {.holds = {"mapping.completions_go_on_without_it"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const std::uint32_t nr = ring(ctx).nr;
  const Address events = map(sizeof(Event) * nr);
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  std::uint32_t quota = 0;
  while (quota < nr && submit(ctx, {0}).value == 1) ++quota;
  ASSERT_ERROR(EAGAIN, submit(ctx, {0}));
  cover(ctx, machine().page_size);
  ring(ctx).head = 5;  // in memory that the kernel does not look at
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
  EXPECT_RETURNS(quota, io_getevents(ctx, 0, nr, events, arena::kNull));
  for (std::uint32_t i = 0; i < quota; ++i) ASSERT_RETURNS(1, submit(ctx, {0})) << i << " of " << quota;
  EXPECT_ERROR(EAGAIN, submit(ctx, {0}));
}

SUITE_TEST(mapping_gone, who_waits_already_gets_its_events,
           {.holds = {"mapping.waiters_outlive_it"}, .needs = ">=4.19,lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor bell = eventfd();
  prepare_poll(0, bell.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Lane waiter(cpus().number(0));
  Answer answer{};
  waiter.start([&] { answer = io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  const Lane::State state = waiter.settle(numbers().io_getevents);
  ASSERT_EQ(::munmap(&ring(ctx), machine().page_size), 0);
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(bell.get(), &one, sizeof one), 8);
  waiter.wait();
  EXPECT_EQ(state, Lane::State::kAsleep);
  EXPECT_RETURNS(1, answer);
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
}

}  // namespace aio::suites
