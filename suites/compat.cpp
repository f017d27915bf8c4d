// SPDX-License-Identifier: GPL-2.0-or-later
//
// The i386 calls of a 64-bit process, made by int $0x80: contexts, and what is submitted to them.
// Claims: which arguments are cut or extended to how many bits, and which structures keep their 64 bits.
// Provoked by the same contexts through both entries, and by arguments at 2 GiB, at 4 GiB and at the ends of pages.
// Not seen: processes that are 32-bit themselves, x32, and kernels before 4.18, where a 64-bit process cannot use them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixtures/compat_entry.h"
#include "fixtures/native_entry.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr Address kFourGib = Address{1} << 32;
constexpr Address kVariable = arena::context_slot(0);
constexpr const char* kText = "0123456789";

// A page at 3 GiB: what took its address for a signed number would look elsewhere.
constexpr Address kHigh = 0xc0000000;
bool map_high() {
  void* const wanted = reinterpret_cast<void*>(kHigh);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  return ::mmap(wanted, arena::kPage, PROT_READ | PROT_WRITE, kFlags, -1, 0) == wanted;
}

// Where so many bytes end with the page that they lie on; the next one cannot be touched.
Address before_page_end(Address page, std::size_t size) { return page + arena::kPage - size; }

}  // namespace

SUITE_TEST(compat, rings_lie_below_4_gib, {.holds = {"compat.ring_below_4_gib"}, .entries = kCompatOnly}) {
  for (const std::uint32_t nr : {1u, 64u, 1000u, 4096u}) {
    const std::uint64_t ctx = setup(nr);
    EXPECT_LT(ctx + ring_bytes(ring(ctx).nr), kFourGib) << nr;
  }
}

SUITE_TEST(compat, a_context_is_the_same_to_both_entries,
           {.holds = {"compat.id_is_good_for_both_entries"}, .entries = kCompatOnly}) {
  NativeEntry native;
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  prepare(0, kPread, where.get(), arena::kBuffers, 4);
  prepare(1, kPread, where.get(), arena::kBuffers, 5);

  ASSERT_RETURNS(1, submit(ctx, {0}));
  at<std::uint64_t>(arena::kPointers) = arena::iocb_slot(1);
  EXPECT_RETURNS(1, native.io_submit(ctx, 1, arena::kPointers));
  EXPECT_RETURNS(1, native.io_getevents(ctx, 1, 1, arena::kEvents, 0));
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 4, 0}));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, 0));
  EXPECT_EQ(event(0), (Event{101, arena::iocb_slot(1), 5, 0}));
  EXPECT_RETURNS(0, native.io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
}

SUITE_TEST(compat, a_cut_id_is_no_context, {.holds = {"compat.ring_above_4_gib_is_einval"}, .entries = kCompatOnly}) {
  NativeEntry native;
  at<std::uint64_t>(kVariable) = 0;
  ASSERT_RETURNS(0, native.io_setup(1, kVariable));
  const auto ctx = at<std::uint64_t>(kVariable);
  if (ctx < kFourGib) skip("the ring of a 64-bit call lies below 4 GiB");
  prepare(0, kPread, -1).key = 0;
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0, 0));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, 0));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, 0));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  EXPECT_RETURNS(0, native.io_destroy(ctx));
}

SUITE_TEST(compat, a_ring_that_is_moved_below_4_gib_can_be_named,
           {.holds = {"compat.id_is_good_for_both_entries"}, .entries = kCompatOnly}) {
  NativeEntry native;
  at<std::uint64_t>(kVariable) = 0;
  ASSERT_RETURNS(0, native.io_setup(1, kVariable));
  const auto ctx = at<std::uint64_t>(kVariable);
  const std::size_t size = ring_bytes(ring(ctx).nr);
  const Address low = map(size);
  ASSERT_EQ(::mremap(reinterpret_cast<void*>(ctx), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, low),
            reinterpret_cast<void*>(low));
  EXPECT_RETURNS(0, io_submit(low, 0, 0));
  EXPECT_RETURNS(0, io_getevents(low, 0, 1, arena::kEvents, 0));
  EXPECT_RETURNS(0, io_destroy(low));
}

SUITE_TEST(compat, the_upper_half_of_a_wide_variable_is_left_alone,
           {.holds = {"compat.context_variable_is_32_bits"}, .entries = kCompatOnly}) {
  constexpr std::uint64_t kUpper = 0xdeadbeef00000000;
  at<std::uint64_t>(kVariable) = kUpper;
  ASSERT_RETURNS(0, io_setup(1, kVariable));
  const auto after = at<std::uint64_t>(kVariable);
  EXPECT_EQ(after & kUpper, kUpper);
  const std::uint64_t ctx = after & ~std::uint64_t{0xffffffff00000000};
  EXPECT_EQ(ring(ctx).magic, 0xa10a10a1u);
  EXPECT_RETURNS(0, io_submit(ctx, 0, 0));
}

SUITE_TEST(compat, the_lower_half_of_a_wide_variable_must_be_zero,
           {.holds = {"io_setup.nonzero_context_is_einval"}, .entries = kCompatOnly, .needs = ">=4.18"}) {
  for (const std::uint64_t held : {std::uint64_t{1}, std::uint64_t{0x80000000}}) {
    at<std::uint64_t>(kVariable) = held;
    EXPECT_ERROR(EINVAL, io_setup(1, kVariable)) << held;
    EXPECT_EQ(at<std::uint64_t>(kVariable), held);
  }
}

SUITE_TEST(compat, a_variable_has_room_in_four_bytes,
           {.holds = {"compat.context_variable_is_32_bits"}, .entries = kCompatOnly}) {
  const Address variable = before_page_end(arena::kVars, 4);
  at<std::uint32_t>(variable) = 0;
  EXPECT_RETURNS(0, io_setup(1, variable));
  EXPECT_EQ(ring(at<std::uint32_t>(variable)).magic, 0xa10a10a1u);
}

SUITE_TEST(compat, a_list_has_room_in_four_bytes_a_pointer,
           {.holds = {"compat.list_holds_32_bit_pointers", "io_submit.count_beats_later_error"},
            .entries = kCompatOnly,
            .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, where.get(), arena::kBuffers, slot);
  const Address iocbs[] = {arena::iocb_slot(0), arena::iocb_slot(1), arena::iocb_slot(2)};
  const Address end = list(iocbs, before_page_end(arena::kPointers, 12));
  EXPECT_RETURNS(3, io_submit(ctx, 3, end));
  const std::vector<Event> events = collect(ctx, 3);
  for (const unsigned slot : {0u, 1u, 2u}) {
    EXPECT_EQ(events[slot], (Event{100 + slot, arena::iocb_slot(slot), slot, 0})) << slot;
  }
  claim("io_submit.count_beats_later_error");
  EXPECT_RETURNS(3, io_submit(ctx, 4, end));
}

SUITE_TEST(compat, more_than_512_iocbs_at_once, {.holds = {"compat.list_has_no_limit"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup(1000);
  const Descriptor where = file(kText);
  prepare(0, kPread, where.get(), arena::kBuffers, 1);
  const std::vector<Address> same(600, arena::iocb_slot(0));
  EXPECT_RETURNS(600, io_submit(ctx, 600, list(same)));
  EXPECT_EQ(in_ring(ctx), 600u);
}

SUITE_TEST(compat, everything_may_lie_above_2_gib,
           {.holds = {"compat.addresses_are_zero_extended", "compat.obj_is_zero_extended"}, .entries = kCompatOnly}) {
  if (!map_high()) skip("there is no room at 3 GiB");
  constexpr Address kIocb = kHigh + 0x100;
  constexpr Address kArray = kHigh + 0x200;
  constexpr Address kBuffer = kHigh + 0x800;
  const Descriptor where = file(kText);
  EXPECT_RETURNS(0, io_setup(1, kHigh));
  const std::uint64_t ctx = at<std::uint32_t>(kHigh);
  prepare(0, kPreadv, where.get(), kHigh + 0x40, 1);
  at<Iocb>(kIocb) = iocb(0);
  const Iovec segment[] = {{kBuffer, 10}};
  iovecs(segment, kHigh + 0x40);
  const Address pointers[] = {kIocb};
  EXPECT_RETURNS(1, io_submit(ctx, 1, list(pointers, kHigh + 0x20)));
  at<std::uint64_t>(kHigh + 0x60) = 0;  // a timeout
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, kArray, kHigh + 0x60));
  EXPECT_EQ(get(kBuffer, 10), kText);
  claim("compat.obj_is_zero_extended");
  EXPECT_EQ(at<Event>(kArray), (Event{100, kIocb, 10, 0}));
}

SUITE_TEST(compat, an_iocb_above_2_gib_can_be_cancelled,
           {.holds = {"compat.addresses_are_zero_extended", "compat.obj_is_zero_extended"},
            .entries = kCompatOnly,
            .needs = ">=4.19"}) {
  if (!map_high()) skip("there is no room at 3 GiB");
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  at<Iocb>(kHigh) = iocb(0);
  ASSERT_RETURNS(1, io_submit(ctx, 1, list({kHigh})));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kHigh));
  claim("compat.obj_is_zero_extended");
  EXPECT_EQ(collect(ctx, 1).front(), (Event{100, kHigh, 0, 0}));
}

SUITE_TEST(compat, nr_of_io_submit_is_signed, {.holds = {"compat.counts_are_signed_32_bits"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  prepare(0, kPread, where.get());
  const Address one = list({arena::iocb_slot(0)});
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0xffffffff, one));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0x80000000, one));
  const Address pointers[] = {arena::iocb_slot(0), arena::iocb_slot(0)};
  EXPECT_RETURNS(2, io_submit(ctx, 0x7fffffff, list(pointers, before_page_end(arena::kPointers, 8))));
}

SUITE_TEST(compat, vectors_have_room_in_eight_bytes_a_segment,
           {.holds = {"compat.iovecs_have_8_bytes"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  const Iovec segments[] = {{arena::kBuffers, 3}, {arena::kBuffers + 100, 7}};
  const Address end = iovecs(segments, before_page_end(arena::kIovecs, 16));
  put(arena::kBuffers, "012");
  put(arena::kBuffers + 100, "3456789");
  prepare(0, kPwritev, where.get(), end, 2);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_EQ(content(where.get()), kText);
  prepare(0, kPreadv, where.get(), end, 2, 1);
  EXPECT_EQ(result(ctx, 0), 9);
  EXPECT_EQ(get(arena::kBuffers, 3), "123");
  EXPECT_EQ(get(arena::kBuffers + 100, 6), "456789");
}

SUITE_TEST(compat, lengths_of_segments_are_signed,
           {.holds = {"compat.iovecs_have_8_bytes", "rw.negative_segment_is_einval"},
            .entries = kCompatOnly,
            .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  claim("rw.negative_segment_is_einval");
  for (const std::uint32_t length : {0x80000000u, 0xffffffffu}) {
    prepare(0, kPreadv, where.get(), iovecs({{arena::kBuffers, 1}, {arena::kBuffers, length}}), 2);
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << length;
  }
  claim("compat.iovecs_have_8_bytes");
  prepare(0, kPreadv, where.get(), iovecs({{arena::kBuffers, 0x7fffffff}}), 1);
  EXPECT_EQ(result(ctx, 0), 10);
}

SUITE_TEST(compat, buffers_may_lie_above_4_gib,
           {.holds = {"compat.iocb_members_are_not_cut"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  void* const far = ::mmap(nullptr, arena::kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(far, MAP_FAILED);
  const auto buffer = reinterpret_cast<Address>(far);
  if (buffer < kFourGib) skip("the memory of a 64-bit process lies below 4 GiB");
  put(buffer, kText);
  prepare(0, kPwrite, where.get(), buffer, 10);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_EQ(content(where.get()), kText);
  prepare(0, kPread, where.get(), buffer + 100, 10);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_EQ(get(buffer + 100, 10), kText);
  // The vector may, what it points to cannot.
  const Iovec segment[] = {{arena::kBuffers, 10}};
  prepare(0, kPreadv, where.get(), iovecs(segment, buffer + 200), 1);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_EQ(get(arena::kBuffers, 10), kText);
}

SUITE_TEST(compat, lengths_may_be_above_4_gib, {.holds = {"compat.iocb_members_are_not_cut"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  // Cut to 32 bits these would be 0, and 1.
  for (const std::uint64_t length : {std::uint64_t{1} << 40, (std::uint64_t{1} << 32) + 1}) {
    prepare(0, kPread, where.get(), arena::kBuffers, length);
    EXPECT_EQ(result(ctx, 0), 10) << length;
  }
}

SUITE_TEST(compat, offsets_and_data_have_64_bits,
           {.holds = {"compat.iocb_members_are_not_cut", "compat.iocb_and_event_are_the_same"},
            .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  constexpr std::int64_t kOffset = (std::int64_t{1} << 32) + 3;
  constexpr std::uint64_t kData = 0x123456789abcdef0;
  put(arena::kBuffers, "x");
  prepare(0, kPwrite, where.get(), arena::kBuffers, 1, kOffset).data = kData;
  EXPECT_EQ(complete(ctx, 0), (Event{kData, arena::iocb_slot(0), 1, 0}));
  char written = 0;
  EXPECT_EQ(::pread(where.get(), &written, 1, kOffset), 1);
  EXPECT_EQ(written, 'x');
  EXPECT_EQ(::pread(where.get(), &written, 1, 3), 1);
  EXPECT_EQ(written, '3');
}

SUITE_TEST(compat, results_are_64_bit_numbers,
           {.holds = {"compat.iocb_and_event_are_the_same"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  prepare(0, kPread, where.get(), arena::kUnmapped, 10);
  prepare(1, kPread, where.get(), arena::kBuffers, 10);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  const Address end = before_page_end(arena::kEvents, 64);
  EXPECT_RETURNS(2, io_getevents(ctx, 2, 2, end, 0));
  EXPECT_EQ(at<Event>(end), (Event{100, arena::iocb_slot(0), -EFAULT, 0}));
  EXPECT_EQ(at<Event>(end + 32), (Event{101, arena::iocb_slot(1), 10, 0}));
}

}  // namespace aio::suites
