// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents(2) that waits on a context which another thread destroys, or whose ring it moves.
// Claims: io_destroy ends every wait at once, with what has come or EINVAL; a wait goes on where the ring is moved.
// Provoked by lanes that are seen asleep, then by io_destroy or mremap(2) in the test's own thread.
// Not seen: an io_destroy in the instant in which a wait begins or ends.
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <system_error>

#include "reference/geometry.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;

}  // namespace

SUITE_TEST(waiting_destroyed, without_events_a_wait_ends_with_einval,
           {.holds = {"io_getevents.destroyed_without_events_is_einval", "io_destroy.returns_zero"}}) {
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  for (const Address limit : {arena::kNull, timeout(3600, 0)}) {
    const std::uint64_t ctx = setup();
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, limit); });
    ASSERT_TRUE(waiter.asleep());
    claim("io_destroy.returns_zero");
    EXPECT_RETURNS(0, io_destroy(ctx));
    claim("io_getevents.destroyed_without_events_is_einval");
    ASSERT_TRUE(waiter.returned());
    EXPECT_ERROR(EINVAL, waiter.answer());
  }
}

SUITE_TEST(waiting_destroyed, what_had_come_before_the_wait_is_given,
           {.holds = {"io_getevents.destroyed_returns_partial_count", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 3, 4, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(0, io_destroy(ctx));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(2, waiter.answer());
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
}

SUITE_TEST(waiting_destroyed, what_came_during_the_wait_is_given,
           {.holds = {"io_getevents.destroyed_returns_partial_count", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 4, 4, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(2, submit(ctx, {1, 2}));
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(0, io_destroy(ctx));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(3, waiter.answer());
  claim("io_getevents.copies_events");
  for (const unsigned slot : {0u, 1u, 2u}) EXPECT_EQ(event(slot).obj, arena::iocb_slot(slot));
}

SUITE_TEST(waiting_destroyed, all_waiters_end, {.holds = {"io_getevents.destroyed_without_events_is_einval"}}) {
  constexpr unsigned kWaiters = 8;
  const std::uint64_t ctx = setup();
  std::vector<std::unique_ptr<Sleeper>> waiters;
  for (unsigned i = 0; i < kWaiters; ++i) {
    waiters.push_back(std::make_unique<Sleeper>(cpus().number(i % cpus().count()), numbers().io_getevents));
    waiters[i]->start([this, ctx, i] { return io_getevents(ctx, 1 + i, 8, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiters[i]->asleep());
  }
  ASSERT_RETURNS(0, io_destroy(ctx));
  for (const auto& waiter : waiters) {
    ASSERT_TRUE(waiter->returned());
    EXPECT_ERROR(EINVAL, waiter->answer());
  }
}

SUITE_TEST(waiting_destroyed, waiters_of_other_contexts_sleep_on,
           {.holds = {"io_destroy.other_contexts_go_on"}, .needs = "lanes"}) {
  const std::uint64_t kept = setup(1, 0);
  const std::uint64_t ctx = setup(1, 1);
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(kept, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(kept, {0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
}

SUITE_TEST(waiting_destroyed, a_wait_with_a_mask_ends_too, {.holds = {"io_pgetevents.destroyed_as_io_getevents"}}) {
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper waiter(cpus().number(0), numbers().io_pgetevents);
  for (const unsigned there : {0u, 1u}) {
    const std::uint64_t ctx = setup();
    ASSERT_RETURNS(there, io_submit(ctx, there, list({arena::iocb_slot(0)})));
    waiter.start([&] { return io_pgetevents(ctx, 2, 2, arena::kEvents, arena::kNull, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    ASSERT_RETURNS(0, io_destroy(ctx));
    ASSERT_TRUE(waiter.returned());
    if (there == 0) {
      EXPECT_ERROR(EINVAL, waiter.answer());
    } else {
      EXPECT_RETURNS(1, waiter.answer());
    }
  }
}

// io_destroy itself waits for the read of another thread; it has woken the waiter before.
SUITE_TEST(waiting_destroyed, a_wait_ends_before_io_destroy_does,
           {.holds = {"io_destroy.wakes_waiters_before_it_waits", "io_destroy.waits_for_what_is_in_flight"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  Sleeper destroyer(cpus().number(0), numbers().io_destroy);
  destroyer.start([&] { return io_destroy(ctx); });
  ASSERT_TRUE(waiter.returned());
  EXPECT_ERROR(EINVAL, waiter.answer());
  claim("io_destroy.waits_for_what_is_in_flight");
  EXPECT_TRUE(destroyer.asleep());
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  ASSERT_TRUE(destroyer.returned());
  EXPECT_RETURNS(0, destroyer.answer());
  EXPECT_RETURNS(1, submitter.answer());
}

SUITE_TEST(waiting_destroyed, a_wait_goes_on_where_the_ring_is_moved,
           {.holds = {"mapping.waiters_outlive_it", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, empty.get());
  const std::uint64_t size = ring_bytes(ring(ctx).nr);
  const Address target = map(size);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 2, 2, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  void* const moved = ::mremap(reinterpret_cast<void*>(ctx), size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
                               reinterpret_cast<void*>(target));
  if (moved == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot move the ring");
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(target, {1}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(2, waiter.answer());
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
}

SUITE_TEST(waiting_destroyed, a_moved_ring_that_is_destroyed_ends_its_waits,
           {.holds = {"mapping.waiters_outlive_it", "io_getevents.destroyed_without_events_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const std::uint64_t size = ring_bytes(ring(ctx).nr);
  const Address target = map(size);
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  void* const moved = ::mremap(reinterpret_cast<void*>(ctx), size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
                               reinterpret_cast<void*>(target));
  if (moved == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot move the ring");
  EXPECT_TRUE(waiter.asleep());
  ASSERT_RETURNS(0, io_destroy(target));
  claim("io_getevents.destroyed_without_events_is_einval");
  ASSERT_TRUE(waiter.returned());
  EXPECT_ERROR(EINVAL, waiter.answer());
}

// The kernel reads its own pages.
SUITE_TEST(waiting_destroyed, an_unmapped_ring_does_not_end_a_wait,
           {.holds = {"mapping.waiters_outlive_it", "io_getevents.copies_events"}}) {
  const std::uint64_t ctx = setup();
  const std::uint64_t size = ring_bytes(ring(ctx).nr);
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
  Sleeper submitter(cpus().number(0), numbers().io_submit);
  submitter.start([&] { return submit(ctx, {0}); });
  ASSERT_TRUE(submitter.asleep());
  Sleeper waiter(cpus().number(0), numbers().io_getevents);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_EQ(::munmap(reinterpret_cast<void*>(ctx), size), 0);
  EXPECT_TRUE(waiter.asleep());
  ASSERT_EQ(::write(ends.write.get(), "abc", 3), 3);
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
  claim("io_getevents.copies_events");
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 3, 0}));
  EXPECT_RETURNS(1, submitter.answer());
}

}  // namespace aio::suites
