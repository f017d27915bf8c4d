// SPDX-License-Identifier: GPL-2.0-or-later
//
// The i386 calls of a 64-bit process that collect events: 247, 385 and 416.
// Claims: the shapes of timeout and sigset of each, and what is made of their numbers.
// Provoked by structures that end with their page, by numbers that differ once cut or extended, by blocked signals.
// Not seen: masks through 416 before 6.10 and through 385 before 5.4, where the kernel read other structures.
#include <sys/time.h>

#include <csignal>

#include "fixtures/compat_entry.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

Address before_page_end(Address page, std::size_t size) { return page + arena::kPage - size; }

// The structures as words of 32 or 64 bits.
template <class Word>
Address words(Address where, std::initializer_list<std::uint64_t> values) {
  Address at = where;
  for (const std::uint64_t value : values) {
    *reinterpret_cast<Word*>(at) = static_cast<Word>(value);
    at += sizeof(Word);
  }
  return where;
}
Address timeout32(std::uint64_t sec, std::uint64_t nsec, Address where = arena::kTimespec) {
  return words<std::uint32_t>(where, {sec, nsec});
}
Address timeout64(std::uint64_t sec, std::uint64_t nsec, Address where = arena::kTimespec) {
  return words<std::uint64_t>(where, {sec, nsec});
}
Address sigset32(std::uint64_t mask, std::uint64_t size, Address where = arena::kSigset) {
  return words<std::uint32_t>(where, {mask, size});
}

std::uint64_t mask_of(int signal) { return std::uint64_t{1} << (signal - 1); }

// From now on no wait is for ever: a signal comes after `first`, and again and again.
void alarm_every(std::chrono::milliseconds first) {
  catch_signal(SIGALRM);
  const timeval span{first.count() / 1000, first.count() % 1000 * 1000};
  const itimerval timer{span, span};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}
constexpr std::chrono::milliseconds kSoon{20};
constexpr std::chrono::milliseconds kMuchLater{10000};

// An io_pgetevents, by either number.
using Wait = Answer (*)(CompatEntry&, std::uint64_t ctx, Address timeout, Address sigset);
Answer wait_385(CompatEntry& entry, std::uint64_t ctx, Address timeout, Address sigset) {
  return entry.io_pgetevents(ctx, 1, 1, arena::kEvents, timeout, sigset);
}
Answer wait_416(CompatEntry&, std::uint64_t ctx, Address timeout, Address sigset) {
  return CompatEntry::io_pgetevents_time64(ctx, 1, 1, arena::kEvents, timeout, sigset);
}

// The mask of the argument lets in what the thread blocks, and nothing else; afterwards all is as before. Signals are
// taken from both of the mask's 32-bit halves.
void expect_mask_is_used(Wait wait, std::uint64_t ctx, Address timeout) {
  CompatEntry entry;
  const int high = SIGRTMIN;
  int expected = 0;
  for (const int signal : {SIGUSR1, high}) {
    catch_signal(signal);
    block(signal);
    ::raise(signal);
    *reinterpret_cast<std::uint64_t*>(arena::kSignalMask) = ~std::uint64_t{0};
    EXPECT_RETURNS(0, wait(entry, ctx, timeout, sigset32(arena::kSignalMask, 8))) << signal;
    *reinterpret_cast<std::uint64_t*>(arena::kSignalMask) = mask_of(signal);
    EXPECT_RETURNS(0, wait(entry, ctx, timeout, sigset32(arena::kSignalMask, 8))) << signal;
    EXPECT_EQ(catches, expected) << signal;
    *reinterpret_cast<std::uint64_t*>(arena::kSignalMask) = ~mask_of(signal);
    EXPECT_ERROR(EINTR, wait(entry, ctx, timeout, sigset32(arena::kSignalMask, 8))) << signal;
    EXPECT_EQ(catches, ++expected) << signal;
    ::raise(signal);
    EXPECT_EQ(catches, expected) << signal;
    EXPECT_ERROR(EINTR, wait(entry, ctx, timeout, sigset32(arena::kSignalMask, 8))) << signal;
    EXPECT_EQ(catches, ++expected) << signal;
  }
}

}  // namespace

SUITE_TEST(compat, counts_of_io_getevents_are_signed,
           {.holds = {"compat.counts_are_signed_32_bits"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  prepare(0, kPread, where.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 0xffffffff, arena::kEvents, 0));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0xffffffff, 1, arena::kEvents, 0));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0x80000000, 0x7fffffff, arena::kEvents, 0));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 0xffffffff, arena::kEvents, 0, 0));
  EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0xffffffff, 1, arena::kEvents, 0, 0));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 0x7fffffff, arena::kEvents, 0));
}

SUITE_TEST(compat, a_timeout_has_room_in_eight_bytes,
           {.holds = {"compat.timeout_has_two_32_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Address end = timeout32(0, 30000000, before_page_end(arena::kVars, 8));
  const auto began = Clock::now();
  EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, end));
  EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, end, 0));
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds(60));
  EXPECT_ERROR(EFAULT, io_getevents(ctx, 0, 1, arena::kEvents, end + 4));
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, end + 4, 0));
}

SUITE_TEST(compat, nanoseconds_of_a_timeout_are_signed,
           {.holds = {"compat.timeout_has_two_32_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  // 2 s less 2 s. Extended with zeros it would be more than 4 s, so one quick answer of several is enough.
  const Address poll = timeout32(2, static_cast<std::uint64_t>(-2000000000));
  bool quick = false;
  for (int i = 0; i < 5 && !quick; ++i) {
    const auto began = Clock::now();
    EXPECT_RETURNS(0, io_getevents(ctx, 1, 1, arena::kEvents, poll));
    EXPECT_RETURNS(0, io_pgetevents(ctx, 1, 1, arena::kEvents, poll, 0));
    quick = Clock::now() - began < std::chrono::seconds(2);
  }
  EXPECT_TRUE(quick);
}

SUITE_TEST(compat, a_timeout_with_all_bits_set_waits,
           {.holds = {"compat.timeout_has_two_32_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  alarm_every(kSoon);
  EXPECT_ERROR(EINTR, io_getevents(ctx, 1, 1, arena::kEvents, timeout32(0xffffffff, 0xffffffff)));
  EXPECT_ERROR(EINTR, io_pgetevents(ctx, 1, 1, arena::kEvents, timeout32(0x7fffffff, 0), 0));
  EXPECT_GT(catches, 0);
}

SUITE_TEST(compat, a_sigset_has_room_in_eight_bytes,
           {.holds = {"compat.sigset_has_two_32_bit_words"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  at<std::uint64_t>(arena::kSignalMask) = 0;
  const Address end = sigset32(arena::kSignalMask, 8, before_page_end(arena::kEvents, 8));
  EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, end));
  EXPECT_ERROR(EFAULT, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, end + 4));
}

SUITE_TEST(compat, a_mask_is_used, {.holds = {"compat.sigset_has_two_32_bit_words"}, .entries = kCompatOnly}) {
  expect_mask_is_used(wait_385, setup(), timeout32(0, 1000000));
}

SUITE_TEST(compat, masks_have_a_size_of_eight,
           {.holds = {"compat.sigset_size_must_be_eight"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  at<std::uint64_t>(arena::kSignalMask) = 0;
  for (const std::uint32_t size : {0u, 4u, 7u, 9u, 16u, 128u, 0xffffffffu}) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, sigset32(arena::kSignalMask, size))) << size;
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, sigset32(0, size))) << size << ", no mask";
  }
  EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, 0, sigset32(arena::kSignalMask, 8)));
}

SUITE_TEST(compat, call_416_is_not_there, {.holds = {"compat.time64_is_enosys"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(ENOSYS, CompatEntry::io_pgetevents_time64(ctx, 0, 1, arena::kEvents, 0, 0));
}

SUITE_TEST(compat, call_416_takes_events,
           {.holds = {"compat.time64_timeout_has_two_64_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file("content");
  prepare(0, kPread, where.get(), arena::kBuffers, 7);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(1, CompatEntry::io_pgetevents_time64(ctx, 1, 2, arena::kEvents, timeout64(0, 1000000), 0));
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 7, 0}));
}

SUITE_TEST(compat, a_timeout_of_call_416_has_sixteen_bytes,
           {.holds = {"compat.time64_timeout_has_two_64_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  const Address end = timeout64(0, 30000000, before_page_end(arena::kVars, 16));
  const auto began = Clock::now();
  EXPECT_RETURNS(0, CompatEntry::io_pgetevents_time64(ctx, 1, 1, arena::kEvents, end, 0));
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds(30));
  EXPECT_ERROR(EFAULT, CompatEntry::io_pgetevents_time64(ctx, 0, 1, arena::kEvents, end + 8, 0));
}

SUITE_TEST(compat, seconds_of_call_416_are_not_cut,
           {.holds = {"compat.time64_timeout_has_two_64_bit_numbers"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  alarm_every(kSoon);
  // Of 32 bits this would be no time at all.
  const Address long_time = timeout64(std::uint64_t{1} << 32, 0);
  EXPECT_ERROR(EINTR, CompatEntry::io_pgetevents_time64(ctx, 1, 1, arena::kEvents, long_time, 0));
  EXPECT_GT(catches, 0);
}

SUITE_TEST(compat, upper_nanoseconds_of_call_416_are_ignored,
           {.holds = {"compat.time64_nanoseconds_are_32_bits"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  alarm_every(kMuchLater);
  // With their upper halves these would be negative, which is for ever.
  const Address poll = timeout64(0, 0xffffffff00000000);
  EXPECT_RETURNS(0, CompatEntry::io_pgetevents_time64(ctx, 1, 1, arena::kEvents, poll, 0));
  const Address a_while = timeout64(0, 0xffffffff00000000 + 30000000);
  const auto began = Clock::now();
  EXPECT_RETURNS(0, CompatEntry::io_pgetevents_time64(ctx, 1, 1, arena::kEvents, a_while, 0));
  EXPECT_GE(Clock::now() - began, std::chrono::milliseconds(30));
}

SUITE_TEST(compat, counts_of_call_416_are_signed,
           {.holds = {"compat.time64_counts_are_signed_32_bits"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EINVAL, CompatEntry::io_pgetevents_time64(ctx, 0, 0xffffffff, arena::kEvents, 0, 0));
  EXPECT_ERROR(EINVAL, CompatEntry::io_pgetevents_time64(ctx, 0xffffffff, 1, arena::kEvents, 0, 0));
  EXPECT_RETURNS(0, CompatEntry::io_pgetevents_time64(ctx, 0, 0x7fffffff, arena::kEvents, 0, 0));
}

SUITE_TEST(compat, a_mask_of_call_416_is_used,
           {.holds = {"compat.time64_sigset_has_two_32_bit_words"}, .entries = kCompatOnly}) {
  expect_mask_is_used(wait_416, setup(), timeout64(0, 1000000));
}

SUITE_TEST(compat, masks_of_call_416_have_a_size_of_eight,
           {.holds = {"compat.time64_sigset_has_two_32_bit_words"}, .entries = kCompatOnly}) {
  const std::uint64_t ctx = setup();
  at<std::uint64_t>(arena::kSignalMask) = 0;
  for (const std::uint32_t size : {0u, 4u, 16u, 128u}) {
    const Address wrong = sigset32(arena::kSignalMask, size);
    EXPECT_ERROR(EINVAL, CompatEntry::io_pgetevents_time64(ctx, 0, 1, arena::kEvents, 0, wrong)) << size;
  }
  const Address end = sigset32(arena::kSignalMask, 8, before_page_end(arena::kEvents, 8));
  EXPECT_RETURNS(0, CompatEntry::io_pgetevents_time64(ctx, 0, 1, arena::kEvents, 0, end));
}

}  // namespace aio::suites
