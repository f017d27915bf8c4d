// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit(2): its three arguments.
// Claims: which contexts, counts and lists it takes, how far it reads the list, and who may call it.
// Provoked by each argument's bad values, by lists that end at the end of what is mapped, and from other threads and
// processes. Order of the checks: check_order_arguments.cpp. Other ways to lose a context: mapping.cpp.
// Not seen: that nr is cut to the ring's size where the free slots end it before.
#include <fcntl.h>
#include <unistd.h>

#include <limits>

#include "fixtures/arena_memory.h"
#include "fixtures/lane.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint32_t kKeyBefore = 7;

// A list of so many pointers that ends where its page does; behind it nothing is mapped.
Address list_at_end(EntryKind kind, std::uint64_t count) {
  return arena::kPointers + arena::kPage - word_size(kind) * count;
}

// The largest nr that there is.
std::int64_t largest_nr(EntryKind kind) {
  return kind == EntryKind::kCompat ? std::numeric_limits<std::int32_t>::max()
                                    : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

SUITE_TEST(io_submit, iocbs_with_nothing_wrong_are_counted, {.holds = {"io_submit.returns_number_accepted"}}) {
  const Descriptor file = Case::file("bytes");
  const std::uint64_t ctx = setup(64);
  for (const unsigned count : {1u, 2u, 8u, 32u, 64u}) {
    std::vector<Address> pointers;
    for (unsigned slot = 0; slot < count; ++slot) {
      prepare(slot, kPread, file.get(), arena::kBuffers, 5);
      pointers.push_back(arena::iocb_slot(slot));
    }
    EXPECT_RETURNS(count, io_submit(ctx, count, list(pointers)));
    collect(ctx, count);
  }
}

SUITE_TEST(io_submit, what_is_no_context_is_einval, {.holds = {"io_submit.unknown_context_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list({arena::iocb_slot(0)});
  // Memory that begins as the ring does, with the index of a context that there is.
  at<RingHeader>(arena::kBuffers) = ring(ctx);
  at<std::uint64_t>(arena::context_slot(1)) = 0;
  for (const std::uint64_t bogus :
       {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, ctx + 8, ctx - 1, arena::kNoAccess, arena::kUnmapped,
        arena::kBuffers, arena::context_slot(1), arena::kReadOnly}) {
    EXPECT_ERROR(EINVAL, io_submit(bogus, 1, pointers)) << std::hex << bogus;
    EXPECT_ERROR(EINVAL, io_submit(bogus, 0, pointers)) << std::hex << bogus;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, an_address_outside_the_users_half_is_no_context,
           {.holds = {"io_submit.unknown_context_is_einval"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  for (const std::uint64_t bogus :
       {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ctx | std::uint64_t{1} << 63}) {
    EXPECT_ERROR(EINVAL, io_submit(bogus, 0, arena::kNull)) << std::hex << bogus;
  }
}

SUITE_TEST(io_submit, a_destroyed_context_is_einval, {.holds = {"context.destroyed_id_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t other = setup(1, 0), ctx = setup(1, 1);
  prepare(0, kPread, file.get(), arena::kBuffers);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(0, io_destroy(ctx));
  iocb(0).key = kKeyBefore;
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0, arena::kNull));
  EXPECT_EQ(iocb(0).key, kKeyBefore);
  EXPECT_RETURNS(1, submit(other, {0}));
}

SUITE_TEST(io_submit, a_negative_nr_is_einval, {.holds = {"io_submit.negative_nr_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list({arena::iocb_slot(0)});
  for (const std::int64_t nr : {std::int64_t{-1}, std::int64_t{-2}, std::int64_t{INT32_MIN}}) {
    EXPECT_ERROR(EINVAL, io_submit(ctx, nr, pointers)) << nr;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, a_nr_of_64_bits_is_negative_as_a_whole,
           {.holds = {"io_submit.nr_is_64_bits_wide"}, .entries = kNativeOnly | kLibaioOnly}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list({arena::iocb_slot(0)});
  for (const std::int64_t nr : {INT64_MIN, INT64_MIN + 1, std::int64_t{-1} << 32, (std::int64_t{-1} << 32) + 1}) {
    EXPECT_ERROR(EINVAL, io_submit(ctx, nr, pointers)) << nr;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
}

SUITE_TEST(io_submit, a_nr_of_64_bits_counts_as_a_whole,
           {.holds = {"io_submit.nr_is_64_bits_wide"}, .entries = kNativeOnly | kLibaioOnly}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list(std::array{arena::iocb_slot(0), arena::iocb_slot(0)}, list_at_end(kind(), 2));
  for (const std::int64_t nr : {std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1, std::int64_t{0xffffffff}}) {
    EXPECT_RETURNS(2, io_submit(ctx, nr, pointers)) << nr;
  }
}

SUITE_TEST(io_submit, nr_zero_submits_nothing, {.holds = {"io_submit.nr_zero_returns_zero"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (const Address pointers : {arena::kNull, arena::kNoAccess, list({arena::iocb_slot(0)})}) {
    EXPECT_RETURNS(0, io_submit(ctx, 0, pointers)) << pointers;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, an_unreadable_list_is_efault, {.holds = {"io_submit.unreadable_list_is_efault"}}) {
  const std::uint64_t ctx = setup();
  const Address half_a_pointer = arena::kPointers + arena::kPage - word_size(kind()) / 2;
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped, half_a_pointer, ~std::uint64_t{0}}) {
    EXPECT_ERROR(EFAULT, io_submit(ctx, 1, bad)) << std::hex << bad;
    EXPECT_ERROR(EFAULT, io_submit(ctx, 2, bad)) << std::hex << bad;
  }
}

SUITE_TEST(io_submit, a_list_outside_the_users_half_is_efault,
           {.holds = {"io_submit.unreadable_list_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, arena::kUserEnd - 4}) {
    EXPECT_ERROR(EFAULT, io_submit(ctx, 1, bad)) << std::hex << bad;
  }
}

SUITE_TEST(io_submit, a_list_that_ends_too_early_counts_to_its_end,
           {.holds = {"io_submit.count_beats_later_error", "io_submit.unreadable_list_is_efault"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list(std::array{arena::iocb_slot(0), arena::iocb_slot(0)}, list_at_end(kind(), 2));
  for (const std::int64_t nr : {3, 4, 100}) EXPECT_RETURNS(2, io_submit(ctx, nr, pointers)) << nr;
  EXPECT_EQ(in_ring(ctx), 6u);
  claim("io_submit.unreadable_list_is_efault");
  EXPECT_ERROR(EFAULT, io_submit(ctx, 1, list_at_end(kind(), 0)));
}

SUITE_TEST(io_submit, the_largest_nr_reads_the_list_as_far_as_it_goes,
           {.holds = {"io_submit.list_checked_as_far_as_used"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list(std::array{arena::iocb_slot(0), arena::iocb_slot(0)}, list_at_end(kind(), 2));
  EXPECT_RETURNS(2, io_submit(ctx, largest_nr(kind()), pointers));
  EXPECT_ERROR(EFAULT, io_submit(ctx, largest_nr(kind()), list_at_end(kind(), 0)));
}

SUITE_TEST(io_submit, a_list_may_lie_at_any_address, {.holds = {"io_submit.addresses_need_no_alignment"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (const unsigned shift : {1u, 2u, 3u, 4u, 7u}) {
    EXPECT_RETURNS(1, io_submit(ctx, 1, list(std::array{arena::iocb_slot(0)}, arena::kPointers + shift))) << shift;
  }
}

SUITE_TEST(io_submit, a_list_is_only_read, {.holds = {"io_submit.list_is_only_read"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list({arena::iocb_slot(0), arena::iocb_slot(0)});
  const std::string words = get(pointers, 2 * word_size(kind()));
  ArenaMemory::instance().store(arena::kReadOnly, std::as_bytes(std::span(words)));
  EXPECT_RETURNS(2, io_submit(ctx, 2, arena::kReadOnly));
  EXPECT_RETURNS(2, io_submit(ctx, 2, pointers));
  EXPECT_EQ(get(pointers, words.size()), words);
}

// Slots come free while the call sleeps half-way, so that they would last for all of the list.
SUITE_TEST(io_submit, one_call_takes_no_more_than_the_ring_holds,
           {.holds = {"io_submit.nr_is_cut_to_ring_size", "io_submit.nr_is_not_cut"}, .needs = "lanes"}) {
  const Descriptor file = Case::file();
  const Pipe blocking = pipe();
  const std::uint64_t ctx = setup();
  const std::uint32_t size = ring(ctx).nr, before = size / 2, nr = size + size / 8;
  prepare(0, kPread, file.get(), arena::kBuffers);
  prepare(1, kPread, blocking.read.get(), arena::kBuffers, 1);
  std::vector<Address> pointers(nr, arena::iocb_slot(0));
  pointers[before] = arena::iocb_slot(1);
  const Address where = list(pointers, map(nr * sizeof(Address)));
  Answer seen;
  Lane lane(cpus().number(0));
  lane.start([&] { seen = io_submit(ctx, nr, where); });
  const Lane::State state = lane.settle(numbers().io_submit);
  for (std::uint32_t left = before; left != 0 && state == Lane::State::kAsleep;) {
    const std::uint32_t some = std::min<std::uint32_t>(left, arena::kEventSlots);
    if (io_getevents(ctx, some, some, arena::kEvents, timeout(5, 0)).value != some) break;
    left -= some;
  }
  ASSERT_EQ(::write(blocking.write.get(), "x", 1), 1);
  lane.wait();
  ASSERT_EQ(state, Lane::State::kAsleep);
  claim(since(4, 18) ? "io_submit.nr_is_cut_to_ring_size" : "io_submit.nr_is_not_cut");
  EXPECT_RETURNS((since(4, 18) ? size : nr), seen);
  // It was not for want of slots.
  if (since(4, 18)) {
    EXPECT_RETURNS(1, submit(ctx, {0}));
  }
}

SUITE_TEST(io_submit, a_running_call_goes_on_in_a_dying_context,
           {.holds = {"io_submit.goes_on_in_dying_context", "context.dying_id_is_einval"}, .needs = "lanes"}) {
  const Pipe blocking = pipe(), behind = pipe(O_NONBLOCK);
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "behind");
  prepare(0, kPread, blocking.read.get(), arena::kBuffers + 64, 1);
  prepare(1, kPwrite, behind.write.get(), arena::kBuffers, 6);
  const Address pointers = list({arena::iocb_slot(0), arena::iocb_slot(1)});
  Answer submitted, destroyed;
  Lane submitter(cpus().number(0)), destroyer(cpus().number(0));
  submitter.start([&] { submitted = io_submit(ctx, 2, pointers); });
  const Lane::State sleeping = submitter.settle(numbers().io_submit);
  destroyer.start([&] { destroyed = io_destroy(ctx); });
  const Lane::State waiting = destroyer.settle(numbers().io_destroy);
  const Answer meanwhile = io_submit(ctx, 1, pointers + word_size(kind()));
  ASSERT_EQ(::write(blocking.write.get(), "x", 1), 1);
  submitter.wait();
  destroyer.wait();
  ASSERT_EQ(sleeping, Lane::State::kAsleep);
  ASSERT_EQ(waiting, Lane::State::kAsleep);
  EXPECT_RETURNS(2, submitted);
  EXPECT_RETURNS(0, destroyed);
  char bytes[8]{};
  EXPECT_EQ(::read(behind.read.get(), bytes, sizeof bytes), 6);
  EXPECT_STREQ(bytes, "behind");
  claim("context.dying_id_is_einval");
  EXPECT_ERROR(EINVAL, meanwhile);
}

SUITE_TEST(io_submit, a_list_of_600_is_not_cut,
           {.holds = {"io_submit.compat_list_is_not_cut"}, .entries = kCompatOnly}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup(1000);
  prepare(0, kPread, file.get(), arena::kBuffers);
  const std::vector<Address> pointers(600, arena::iocb_slot(0));
  EXPECT_RETURNS(600, io_submit(ctx, 600, list(pointers, map(600 * sizeof(Address)))));
}

SUITE_TEST(io_submit, a_forked_child_has_no_context, {.holds = {"io_submit.forked_child_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  const Address pointers = list({arena::iocb_slot(0)});
  WorkerDeath how;
  const auto seen = run_in_worker(
      [&] { return answer_text(io_submit(ctx, 0, arena::kNull)) + ", " + answer_text(io_submit(ctx, 1, pointers)); },
      std::chrono::seconds(5), &how);
  EXPECT_EQ(seen.value_or(how.text()), "EINVAL, EINVAL");
  EXPECT_EQ(in_ring(ctx), 0u);
  EXPECT_RETURNS(1, io_submit(ctx, 1, pointers));
}

SUITE_TEST(io_submit, a_process_of_the_same_memory_may_submit, {.holds = {"io_submit.shared_memory_is_enough"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "written");
  prepare(0, kPwrite, file.get(), arena::kBuffers, 7);
  const Address pointers = list({arena::iocb_slot(0)});
  Answer seen;
  {
    Lane other(cpus().number(0), Lane::Kind::kProcess);
    other.start([&] { seen = io_submit(ctx, 1, pointers); });
  }
  EXPECT_RETURNS(1, seen);
  EXPECT_EQ(collect(ctx, 1).front().res, 7);
  EXPECT_EQ(content(file.get()), "written");
}

}  // namespace aio::suites
