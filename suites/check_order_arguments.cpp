// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_setup(2), io_submit(2), io_getevents(2), io_pgetevents(2) and io_cancel(2) with two bad arguments: which decides.
// Claims: the order in which each call looks at its arguments, by release, and that a refusal does nothing.
// Provoked by tables of calls with two or three bad arguments whose errnos differ.
// Not seen: the order of arguments that give the same errno; failures for want of kernel memory.
#include <sys/resource.h>

#include "fixtures/arena_memory.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr Address kVariable = arena::context_slot(0);
constexpr std::uint64_t kNoContext = 0;

// Context variables that can be read and not written.
constexpr Address kReadOnlyZero = arena::kReadOnly;
constexpr Address kReadOnlyFull = arena::kReadOnly + 8;

void fill_read_only_variables() {
  const std::array<std::uint64_t, 2> words{0, 1};
  ArenaMemory::instance().store(kReadOnlyZero, std::as_bytes(std::span(words)));
}

struct SetupCall {
  const char* what;
  int error;
  std::uint32_t nr;
  Address variable;
};

// The ring of so many events would be too large, and so many are above fs.aio-max-nr as well.
constexpr std::uint32_t kTooMany = 4194305;

}  // namespace

SUITE_TEST(check_order, of_two_bad_arguments_of_io_setup_the_earlier_decides, {.holds = {"check_order.io_setup"}}) {
  if (machine().aio_max_nr >= kTooMany - 1) skip("fs.aio-max-nr is above what any ring can hold");
  const auto above_max = static_cast<std::uint32_t>(machine().aio_max_nr) + 1;
  at<std::uint64_t>(kVariable) = 1;
  fill_read_only_variables();
  for (const SetupCall& call : {
           SetupCall{"unreadable, none", EFAULT, 0, arena::kUnmapped},
           SetupCall{"unreadable, too many", EFAULT, kTooMany, arena::kUnmapped},
           SetupCall{"unreadable, above the limit", EFAULT, above_max, arena::kUnmapped},
           SetupCall{"not zero, above the limit", EINVAL, above_max, kVariable},
           SetupCall{"not zero, doubles to zero", EINVAL, 0x80000000, kVariable},
           SetupCall{"not zero, read-only", EINVAL, 1, kReadOnlyFull},
           SetupCall{"none, read-only", EINVAL, 0, kReadOnlyZero},
           SetupCall{"too many, above the limit, read-only", EINVAL, kTooMany, kReadOnlyZero},
           SetupCall{"above the limit, read-only", EAGAIN, above_max, kReadOnlyZero},
           SetupCall{"doubles to zero, read-only", EAGAIN, 0x80000000, kReadOnlyZero},
           SetupCall{"read-only", EFAULT, 1, kReadOnlyZero},
       }) {
    EXPECT_ERROR(call.error, io_setup(call.nr, call.variable)) << call.what;
  }
  EXPECT_EQ(at<std::uint64_t>(kVariable), 1u);
}

SUITE_TEST(check_order, no_room_for_the_ring_comes_late_in_io_setup, {.holds = {"check_order.io_setup"}}) {
  if (machine().aio_max_nr >= kTooMany - 1) skip("fs.aio-max-nr is above what any ring can hold");
  const auto above_max = static_cast<std::uint32_t>(machine().aio_max_nr) + 1;
  at<std::uint64_t>(kVariable) = 0;
  fill_read_only_variables();
  const std::array calls{
      SetupCall{"unreadable", EFAULT, 1, arena::kUnmapped},
      SetupCall{"not zero", EINVAL, 1, kReadOnlyFull},
      SetupCall{"none", EINVAL, 0, kVariable},
      SetupCall{"too many", EINVAL, kTooMany, kVariable},
      SetupCall{"above the limit", EAGAIN, above_max, kVariable},
      SetupCall{"read-only", ENOMEM, 1, kReadOnlyZero},
      SetupCall{"nothing else", ENOMEM, 1, kVariable},
  };
  std::array<Answer, calls.size()> seen;
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  const rlimit nothing{1, before.rlim_max};
  ::setrlimit(RLIMIT_AS, &nothing);
  for (std::size_t i = 0; i < calls.size(); ++i) seen[i] = io_setup(calls[i].nr, calls[i].variable);
  ::setrlimit(RLIMIT_AS, &before);
  for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_ERROR(calls[i].error, seen[i]) << calls[i].what;
}

SUITE_TEST(check_order, of_two_bad_arguments_of_io_submit_the_earlier_decides, {.holds = {"check_order.io_submit"}}) {
  const std::uint64_t ctx = setup();
  const Address null_iocb = list({arena::kNull});
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped}) {
    EXPECT_ERROR(EINVAL, io_submit(ctx, -1, bad)) << bad;
    EXPECT_ERROR(EINVAL, io_submit(kNoContext, 1, bad)) << bad;
    EXPECT_ERROR(EINVAL, io_submit(kNoContext, 0, bad)) << bad;
    EXPECT_RETURNS(0, io_submit(ctx, 0, bad)) << bad;
  }
  EXPECT_ERROR(EINVAL, io_submit(ctx, -1, null_iocb));
  EXPECT_ERROR(EINVAL, io_submit(kNoContext, 1, null_iocb));
  EXPECT_ERROR(EINVAL, io_submit(kNoContext, 0, null_iocb));
}

SUITE_TEST(check_order, a_list_outside_the_users_half_counts_when_its_turn_comes,
           {.holds = {"check_order.io_submit"}, .entries = kNativeOnly | kLibaioOnly, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd}) {
    EXPECT_ERROR(EINVAL, io_submit(ctx, INT64_MIN, bad)) << bad;
    EXPECT_ERROR(EINVAL, io_submit(kNoContext, 1, bad)) << bad;
    EXPECT_RETURNS(0, io_submit(ctx, 0, bad)) << bad;
    EXPECT_ERROR(EFAULT, io_submit(ctx, 1, bad)) << bad;
  }
  EXPECT_ERROR(EINVAL, io_submit(kNoContext, INT64_MAX, arena::kPointers));
}

SUITE_TEST(check_order, a_list_outside_the_users_half_counts_first,
           {.holds = {"check_order.list_range_first"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  EXPECT_ERROR(EINVAL, io_submit(ctx, INT64_MIN, arena::kKernel));
  EXPECT_ERROR(EFAULT, io_submit(kNoContext, 1, arena::kKernel));
  EXPECT_ERROR(EFAULT, io_submit(ctx, 0, arena::kKernel));
  EXPECT_ERROR(EFAULT, io_submit(kNoContext, INT64_MAX, arena::kPointers));
  EXPECT_ERROR(EFAULT, io_submit(ctx, INT64_MAX, arena::kPointers));
}

SUITE_TEST(check_order, the_list_comes_before_the_free_slot, {.holds = {"check_order.io_submit"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (std::uint32_t i = 0; i < ring(ctx).nr && submit(ctx, {0}).value == 1; ++i) {
  }
  ASSERT_ERROR(EAGAIN, submit(ctx, {0}));
  EXPECT_ERROR(EFAULT, io_submit(ctx, 1, arena::kUnmapped));
  EXPECT_ERROR(EINVAL, io_submit(ctx, -1, arena::kUnmapped));
  EXPECT_RETURNS(0, io_submit(ctx, 0, arena::kUnmapped));
}

namespace {

struct WaitCall {
  const char* what;
  int error;
  std::uint64_t ctx;
  std::int64_t min_nr;
  std::int64_t nr;
  Address events;
  Address timeout;
  Address sigset = 0;
};

}  // namespace

SUITE_TEST(check_order, of_two_bad_arguments_of_io_getevents_the_earlier_decides,
           {.holds = {"check_order.io_getevents", "check_order.timeout_last"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(4, 15)) skip("the compat call reads its timeout first in these releases");
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  claim(since(4, 15) ? "check_order.io_getevents" : "check_order.timeout_last");
  const int timeout_or_argument = since(4, 15) ? EFAULT : EINVAL;
  const Address zero = timeout(0, 0);
  for (const WaitCall& call : {
           WaitCall{"timeout, context", timeout_or_argument, kNoContext, 0, 1, arena::kEvents, arena::kUnmapped},
           WaitCall{"timeout, min_nr below 0", timeout_or_argument, ctx, -1, 1, arena::kEvents, arena::kUnmapped},
           WaitCall{"timeout, min_nr above nr", timeout_or_argument, ctx, 2, 1, arena::kEvents, arena::kUnmapped},
           WaitCall{"timeout, nothing asked for", EFAULT, ctx, 0, 0, arena::kEvents, arena::kUnmapped},
           WaitCall{"timeout, enough events", EFAULT, ctx, 1, 1, arena::kEvents, arena::kUnmapped},
           WaitCall{"context, events", EINVAL, kNoContext, 0, 1, arena::kUnmapped, zero},
           WaitCall{"min_nr below 0, events", EINVAL, ctx, -1, 1, arena::kUnmapped, zero},
           WaitCall{"min_nr above nr, events", EINVAL, ctx, 2, 1, arena::kUnmapped, zero},
           WaitCall{"nr below 0, events", EINVAL, ctx, 0, -1, arena::kUnmapped, zero},
           WaitCall{"events", EFAULT, ctx, 0, 1, arena::kUnmapped, zero},
       }) {
    EXPECT_ERROR(call.error, io_getevents(call.ctx, call.min_nr, call.nr, call.events, call.timeout)) << call.what;
    EXPECT_EQ(in_ring(ctx), 1u) << call.what;
  }
}

SUITE_TEST(check_order, of_two_bad_arguments_of_io_pgetevents_the_earlier_decides,
           {.holds = {"check_order.io_pgetevents"}, .entries = kRawEntries}) {
  if (kind() == EntryKind::kCompat && !since(5, 4)) skip("the compat call takes another struct in these releases");
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const Address zero = timeout(0, 0), bad = arena::kUnmapped;
  // The signal argument lies at one address, so one table for each content.
  const Address bad_size = sigset(bad, 4);
  for (const WaitCall& call : {
           WaitCall{"timeout, size", EFAULT, ctx, 0, 1, arena::kEvents, bad, bad_size},
           WaitCall{"size, mask", EINVAL, ctx, 0, 1, arena::kEvents, zero, bad_size},
           WaitCall{"size, mask, events", EINVAL, ctx, 0, 1, bad, zero, bad_size},
           WaitCall{"size, mask, nothing asked for", EINVAL, ctx, 0, 0, arena::kEvents, zero, bad_size},
           WaitCall{"timeout, context", EFAULT, kNoContext, 0, 1, arena::kEvents, bad},
           WaitCall{"timeout, min_nr above nr", EFAULT, ctx, 2, 1, arena::kEvents, bad},
           WaitCall{"signals, context", EFAULT, kNoContext, 0, 1, arena::kEvents, zero, bad},
           WaitCall{"signals, min_nr below 0", EFAULT, ctx, -1, 1, arena::kEvents, zero, bad},
           WaitCall{"signals, min_nr above nr", EFAULT, ctx, 2, 1, arena::kEvents, zero, bad},
           WaitCall{"signals, nothing asked for", EFAULT, ctx, 0, 0, arena::kEvents, zero, bad},
       }) {
    EXPECT_ERROR(call.error, io_pgetevents(call.ctx, call.min_nr, call.nr, call.events, call.timeout, call.sigset))
        << call.what;
  }
  const Address bad_mask = sigset(bad, 8);
  for (const WaitCall& call : {
           WaitCall{"mask, context", EFAULT, kNoContext, 0, 1, arena::kEvents, zero, bad_mask},
           WaitCall{"mask, min_nr below 0", EFAULT, ctx, -1, 1, arena::kEvents, zero, bad_mask},
           WaitCall{"mask, min_nr above nr", EFAULT, ctx, 2, 1, arena::kEvents, zero, bad_mask},
           WaitCall{"mask, nothing asked for", EFAULT, ctx, 0, 0, arena::kEvents, zero, bad_mask},
           WaitCall{"context, events", EINVAL, kNoContext, 0, 1, bad, zero},
           WaitCall{"min_nr above nr, events", EINVAL, ctx, 2, 1, bad, zero},
           WaitCall{"events", EFAULT, ctx, 0, 1, bad, zero},
       }) {
    EXPECT_ERROR(call.error, io_pgetevents(call.ctx, call.min_nr, call.nr, call.events, call.timeout, call.sigset))
        << call.what;
  }
  EXPECT_EQ(in_ring(ctx), 1u);
}

SUITE_TEST(check_order, of_two_bad_arguments_of_io_cancel_the_earlier_decides, {.holds = {"check_order.io_cancel"}}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped}) {
    EXPECT_ERROR(EFAULT, io_cancel(kNoContext, bad)) << bad;
    EXPECT_ERROR(EFAULT, io_cancel(ctx, bad)) << bad;
  }
  prepare(0, kPread, -1);
  EXPECT_ERROR(EINVAL, io_cancel(kNoContext, arena::iocb_slot(0)));
}

SUITE_TEST(check_order, a_wrong_key_or_context_spares_the_request,
           {.holds = {"check_order.io_cancel", "io_cancel.returns_einprogress"}, .needs = ">=4.19"}) {
  const Descriptor never = eventfd();
  const std::uint64_t ctx = setup();
  prepare_poll(0, never.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_cancel(kNoContext, arena::iocb_slot(0)));
  iocb(0).key = 7;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_cancel(kNoContext, arena::iocb_slot(0)));
  iocb(0).key = 0;
  claim("io_cancel.returns_einprogress");
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
}

}  // namespace aio::suites
