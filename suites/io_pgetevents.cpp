// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_pgetevents(2) without regard to its mask: what it refuses, in which order, and that it takes events otherwise.
// Claims: the errno of each bad argument and of pairs of them, and each rule of io_getevents that shows in one call.
// Provoked by one bad argument at a time, on empty rings and on rings with an event that must stay.
// Not seen: what the mask does (io_pgetevents_masks.cpp); waits that others end (waiting.cpp).

#include <climits>
#include <csignal>

#include "fixtures/compat_entry.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kNoCompatMask = "before 5.4 this entry reads the signal argument wrongly";

}  // namespace

SUITE_TEST(io_pgetevents, is_not_there_before_4_18, {.holds = {"io_pgetevents.enosys"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(ENOSYS, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  EXPECT_ERROR(ENOSYS, io_pgetevents(0, -1, -2, arena::kNull, arena::kNull, arena::kNull));
}

SUITE_TEST(io_pgetevents, takes_what_is_there, {.holds = {"io_pgetevents.returns_as_io_getevents"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, empty.get());
  for (const Address signals : {arena::kNull, sigset({}), sigset({SIGUSR1})}) {
    ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
    EXPECT_RETURNS(2, io_pgetevents(ctx, 1, 2, arena::kEvents, arena::kNull, signals));
    EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
    EXPECT_EQ(event(1).obj, arena::iocb_slot(1));
    EXPECT_EQ(in_ring(ctx), 1u);
    EXPECT_RETURNS(1, io_pgetevents(ctx, 1, 2, arena::kEvents, timeout(0, 10'000), signals));
    EXPECT_EQ(event(0).obj, arena::iocb_slot(2));
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 2, arena::kNull, arena::kNull, signals));
  }
}

SUITE_TEST(io_pgetevents, times_out_as_io_getevents, {.holds = {"io_pgetevents.waits_as_io_getevents"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 1), arena::kNull));
  Address ts = timeout(0, 20'000'000);
  Clock::time_point began = Clock::now();
  EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, ts, arena::kNull));
  EXPECT_GE(Clock::now() - began, milliseconds(20));
  // With some events; and a sum that no one checks.
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ts = timeout(-1, 1'020'000'000);
  began = Clock::now();
  EXPECT_RETURNS(1, io_pgetevents(ctx, 2, 2, arena::kEvents, ts, arena::kNull));
  EXPECT_GE(Clock::now() - began, milliseconds(20));
}

SUITE_TEST(io_pgetevents, polls_as_io_getevents,
           {.holds = {"io_pgetevents.waits_as_io_getevents"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  EXPECT_TRUE(stays_awake([&] {
    EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 0), arena::kNull));
    EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(1, -1'000'000'000), arena::kNull));
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 0, arena::kNull, arena::kNull, arena::kNull));
  }));
}

SUITE_TEST(io_pgetevents, bad_counts_are_einval, {.holds = {"io_pgetevents.bad_counts_are_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, -1, 1, arena::kEvents, timeout(0, 1), arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 1, -1, arena::kEvents, timeout(0, 1), arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, -1, arena::kEvents, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 2, 1, arena::kEvents, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, INT_MIN, INT_MAX, arena::kEvents, arena::kNull, arena::kNull));
  EXPECT_EQ(in_ring(ctx), 1u);
}

SUITE_TEST(io_pgetevents, counts_are_not_cut_to_32_bits,
           {.holds = {"io_pgetevents.counts_are_64_bits_wide"}, .entries = kNativeOnly | kLibaioOnly}) {
  constexpr std::int64_t kWide = std::int64_t{1} << 32;  // 0, if it were cut
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  EXPECT_RETURNS(2, io_pgetevents(ctx, 1, kWide, arena::kEvents, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, kWide, 1, arena::kEvents, timeout(0, 1), arena::kNull));
}

SUITE_TEST(io_pgetevents, the_null_context_is_einval, {.holds = {"io_pgetevents.unknown_context_is_einval"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  EXPECT_ERROR(EINVAL, io_pgetevents(0, 0, 0, arena::kNull, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_pgetevents(0, 1, 1, arena::kEvents, timeout(0, 1), sigset({SIGUSR1})));
}

SUITE_TEST(io_pgetevents, what_is_no_context_is_einval,
           {.holds = {"io_pgetevents.unknown_context_is_einval", "context.destroyed_id_is_einval"},
            .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  at<std::uint64_t>(arena::kBuffers) = 0;
  for (const std::uint64_t bad : {std::uint64_t{1}, ctx + 8, arena::kBuffers, arena::kNoAccess, arena::kUnmapped,
                                  arena::kKernel, ~std::uint64_t{0}}) {
    EXPECT_ERROR(EINVAL, io_pgetevents(bad, 0, 1, arena::kEvents, timeout(0, 1), arena::kNull)) << bad;
  }
  ASSERT_RETURNS(0, io_destroy(ctx));
  claim("context.destroyed_id_is_einval");
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
}

SUITE_TEST(io_pgetevents, an_unwritable_array_is_efault_and_keeps_events,
           {.holds = {"io_pgetevents.efault_as_io_getevents"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(2, submit(ctx, {0, 0}));
  for (const Address bad : {arena::kNull, arena::kReadOnly, arena::kNoAccess, arena::kUnmapped,
                            arena::kEvents + arena::kPage - sizeof(Event)}) {
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 1, 2, bad, arena::kNull, arena::kNull)) << bad;
    EXPECT_EQ(in_ring(ctx), 2u) << bad;
  }
}

SUITE_TEST(io_pgetevents, an_unreadable_timeout_is_efault,
           {.holds = {"io_pgetevents.unreadable_timeout_is_efault"}, .entries = kRawEntries}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNoAccess, arena::kUnmapped, arena::kVars + arena::kPage - 4}) {
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, bad, arena::kNull)) << bad;
  }
}

SUITE_TEST(io_pgetevents, an_unreadable_signal_argument_is_efault,
           {.holds = {"io_pgetevents.unreadable_sigset_is_efault"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNoAccess, arena::kUnmapped, arena::kVars + arena::kPage - 4}) {
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, bad)) << bad;
  }
}

SUITE_TEST(io_pgetevents, an_unreadable_mask_is_efault, {.holds = {"io_pgetevents.unreadable_mask_is_efault"}}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNoAccess, arena::kUnmapped, arena::kVars + arena::kPage - 4}) {
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(bad, 8))) << bad;
  }
}

SUITE_TEST(io_pgetevents, arguments_of_the_kernels_half_are_efault,
           {.holds = {"io_pgetevents.unreadable_timeout_is_efault", "io_pgetevents.unreadable_sigset_is_efault",
                      "io_pgetevents.unreadable_mask_is_efault"},
            .entries = kNativeOnly}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ~Address{0}}) {
    claim("io_pgetevents.unreadable_timeout_is_efault");
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, bad, arena::kNull)) << bad;
    claim("io_pgetevents.unreadable_sigset_is_efault");
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, bad)) << bad;
    claim("io_pgetevents.unreadable_mask_is_efault");
    EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(bad, 8))) << bad;
  }
}

SUITE_TEST(io_pgetevents, a_mask_has_eight_bytes,
           {.holds = {"io_pgetevents.sigset_size_must_be_eight"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  sigset({});
  for (const std::uint64_t size : {0u, 1u, 4u, 7u, 9u, 16u, 128u, 0xffffffffu}) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(arena::kSignalMask, size)))
        << size;
  }
  EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(arena::kSignalMask, 8)));
}

SUITE_TEST(io_pgetevents, a_size_is_not_cut_to_32_bits,
           {.holds = {"io_pgetevents.sigset_size_must_be_eight"}, .entries = kNativeOnly}) {
  const std::uint64_t ctx = setup();
  sigset({});
  const std::uint64_t wide = (std::uint64_t{1} << 32) + 8;
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(arena::kSignalMask, wide)));
}

SUITE_TEST(io_pgetevents, without_a_mask_its_size_does_not_matter,
           {.holds = {"io_pgetevents.null_mask_ignores_size"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  for (const std::uint64_t size : {0u, 4u, 8u, 0xffffffffu}) {
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, sigset(arena::kNull, size))) << size;
  }
}

// Each row's first fault decides.
SUITE_TEST(io_pgetevents, faults_are_found_in_their_order,
           {.holds = {"io_pgetevents.order_of_checks"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip(kNoCompatMask);
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  sigset({});
  const Address bad = arena::kUnmapped;
  const Address events = arena::kEvents;
  // Timeout, then size; signal argument, mask and size, then context and counts.
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, events, bad, sigset(arena::kSignalMask, 4)));
  EXPECT_ERROR(EFAULT, io_pgetevents(0, 0, 1, events, bad, arena::kNull));
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 2, 1, events, bad, arena::kNull));
  EXPECT_ERROR(EFAULT, io_pgetevents(0, 0, 1, events, arena::kNull, bad));
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 2, 1, events, arena::kNull, bad));
  EXPECT_ERROR(EFAULT, io_pgetevents(0, 0, 1, events, arena::kNull, sigset(bad, 8)));
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, -1, 1, events, arena::kNull, sigset(bad, 8)));
  // The size before the mask is read; counts and context before the array is written.
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, events, arena::kNull, sigset(bad, 4)));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 1, 1, bad, arena::kNull, sigset(arena::kSignalMask, 4)));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 2, 1, bad, arena::kNull, sigset({})));
  EXPECT_EQ(in_ring(ctx), 1u);
}

// struct __kernel_timespec is the one of 64-bit programs.
SUITE_TEST(io_pgetevents, with_64_bit_times_through_the_32_bit_door,
           {.holds = {"io_pgetevents.time64_waits_as_io_getevents"}, .entries = kCompatOnly}) {
  CompatEntry door;
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  auto& ts = at<Timespec>(arena::kTimespec);
  ts = {0, 10'000};
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, door.io_pgetevents_time64(ctx, 1, 1, arena::kEvents, arena::kTimespec, arena::kNull));
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  ts = {0, 20'000'000};
  const Clock::time_point began = Clock::now();
  EXPECT_RETURNS(0, door.io_pgetevents_time64(ctx, 1, 1, arena::kEvents, arena::kTimespec, arena::kNull));
  EXPECT_GE(Clock::now() - began, milliseconds(20));
  EXPECT_ERROR(EFAULT, door.io_pgetevents_time64(ctx, 0, 1, arena::kEvents, arena::kUnmapped, arena::kNull));
  EXPECT_ERROR(EINVAL, door.io_pgetevents_time64(0, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
}

}  // namespace aio::suites
