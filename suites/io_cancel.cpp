// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_cancel(2): which requests can be cancelled, and what then comes through the ring.
// Claims: the errno of each refusal and their order, that only the iocb's address and key count, that a cancelled
// request completes like any other, and that all but polls refuse. Provoked on pending polls and on requests held by a
// file system. Not seen: calls at the same time (io_cancel_races.cpp); USB gadgets, whose requests can be cancelled.
#include <sys/mman.h>

#include <stdexcept>

#include "fixtures/gate.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr Address kFirst = arena::iocb_slot(0);

}  // namespace

SUITE_TEST(io_cancel, an_unreadable_iocb_is_efault, {.holds = {"io_cancel.unreadable_iocb_is_efault"}}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped})
    EXPECT_ERROR(EFAULT, io_cancel(ctx, bad));
  // The key is the third word: it is not there.
  EXPECT_ERROR(EFAULT, io_cancel(ctx, arena::kIocbs + arena::kPage - offsetof(Iocb, key)));
}

SUITE_TEST(io_cancel, an_iocb_of_the_kernels_half_is_efault,
           {.holds = {"io_cancel.unreadable_iocb_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd}) {
    EXPECT_ERROR(EFAULT, io_cancel(ctx, bad));
  }
}

SUITE_TEST(io_cancel, efault_comes_before_the_context, {.holds = {"io_cancel.efault_before_context"}}) {
  const std::uint64_t ctx = setup();
  ASSERT_RETURNS(0, io_destroy(ctx));
  for (const std::uint64_t bad : {std::uint64_t{0}, arena::kUnmapped, arena::kVars, ctx}) {
    EXPECT_ERROR(EFAULT, io_cancel(bad, arena::kNull, arena::kNull)) << bad;
  }
}

SUITE_TEST(io_cancel, no_context_is_einval,
           {.holds = {"io_cancel.unknown_context_is_einval", "context.destroyed_id_is_einval"}}) {
  const std::uint64_t ctx = setup();
  iocb(0) = Iocb{};
  for (const std::uint64_t bad :
       {std::uint64_t{0}, std::uint64_t{0xffffffff}, arena::kUnmapped, arena::kVars, ctx + 8}) {
    EXPECT_ERROR(EINVAL, io_cancel(bad, kFirst)) << bad;
  }
  claim("context.destroyed_id_is_einval");
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
}

SUITE_TEST(io_cancel, only_the_key_is_read, {.holds = {"io_cancel.reads_only_the_key"}}) {
  const std::uint64_t ctx = setup();
  // The key is all of the iocb that is mapped: at the end of an area, and at the beginning of one.
  for (const Address key : {arena::kIocbs + arena::kPage - 4, arena::kIocbs}) {
    for (const std::uint32_t value : {0u, 1u}) {
      at<std::uint32_t>(key) = value;
      EXPECT_ERROR(EINVAL, io_cancel(ctx, key - offsetof(Iocb, key))) << value;
    }
  }
}

SUITE_TEST(io_cancel, an_iocb_that_was_not_submitted_is_einval, {.holds = {"io_cancel.not_pending_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn).key = 0;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  // Nor is one that io_submit has refused.
  prepare_poll(0, ends.read.get(), kPollIn).reserved2 = 1;
  ASSERT_ERROR(EINVAL, submit(ctx, {0}));
  iocb(0).key = 0;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
}

SUITE_TEST(io_cancel, a_completed_request_is_einval, {.holds = {"io_cancel.not_pending_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  // Whether or not its event was collected.
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  collect(ctx, 1);
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_cancel, a_poll_that_has_completed_is_einval,
           {.holds = {"io_cancel.not_pending_is_einval"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.write.get(), kPollOut);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  EXPECT_EQ(collect(ctx, 1).front().res, kPollOut);
  prepare_poll(1, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn);
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(1)));
}

SUITE_TEST(io_cancel, a_pending_poll_is_einprogress,
           {.holds = {"io_cancel.returns_einprogress", "io_cancel.event_is_delivered", "io_cancel.poll_result_is_zero",
                      "event.data_as_submitted", "event.res2_is_zero"},
            .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn).data = 0x1122334455667788;
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  claim("io_cancel.event_is_delivered");
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, kFirst);
  claim("io_cancel.poll_result_is_zero");
  EXPECT_EQ(event.res, 0);
  claim("event.data_as_submitted");
  EXPECT_EQ(event.data, 0x1122334455667788u);
  claim("event.res2_is_zero");
  EXPECT_EQ(event.res2, 0);
}

SUITE_TEST(io_cancel, the_result_is_zero_though_the_file_has_other_bits, {.holds = {"io_cancel.poll_result_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  prepare_poll(0, ends.read.get(), kPollPri);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  EXPECT_EQ(collect(ctx, 1).front().res, 0);
}

SUITE_TEST(io_cancel, a_cancelled_request_is_not_pending_any_more,
           {.holds = {"io_cancel.not_pending_is_einval", "event.none_without_request"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  collect(ctx, 1);
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
  claim("event.none_without_request");
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  // What is made later would come after a second event.
  EXPECT_EQ(complete(ctx, 0).res, kPollIn);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_cancel, the_result_argument_is_not_looked_at, {.holds = {"io_cancel.result_is_not_touched"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  const std::string before = get(arena::kCancelResult, sizeof(Event));
  for (const Address result :
       {arena::kCancelResult, arena::kNull, arena::kReadOnly, arena::kNoAccess, arena::kKernel}) {
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst, result)) << result;
    EXPECT_EQ(collect(ctx, 1).front().obj, kFirst);
    EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst, result)) << result;
  }
  EXPECT_EQ(get(arena::kCancelResult, sizeof(Event)), before);
}

SUITE_TEST(io_cancel, another_key_is_einval, {.holds = {"io_cancel.nonzero_key_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  const bool pending = submit(ctx, {0}).value == 1;  // not before 4.19
  for (const std::uint32_t key : {1u, 7u, 0x80000000u, 0xffffffffu}) {
    iocb(0).key = key;
    EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst)) << key;
  }
  iocb(0).key = 0;
  EXPECT_ERROR(pending ? EINPROGRESS : EINVAL, io_cancel(ctx, kFirst));
}

SUITE_TEST(io_cancel, only_the_address_counts, {.holds = {"io_cancel.finds_by_address"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  // A copy is none of the context's requests, nor is an address inside of it.
  iocb(1) = iocb(0);
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(1)));
  iocb(0).rw_flags = iocb(0).fildes = 0;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst + 4));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst + 12));
  // What stands at the address does not matter, if only the key is 0.
  prepare(0, kPwrite, -1, arena::kNoAccess, 100).key = 0;
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, kFirst);
  EXPECT_EQ(event.data, 100u);
}

SUITE_TEST(io_cancel, the_iocbs_memory_may_be_another,
           {.holds = {"io_cancel.finds_by_address", "io_cancel.unreadable_iocb_is_efault"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const std::uint64_t size = machine().page_size;
  const Address page = map(size);
  at<Iocb>(page) = prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, io_submit(ctx, 1, list({page})));
  void* const memory = reinterpret_cast<void*>(page);
  ASSERT_EQ(::munmap(memory, size), 0);
  claim("io_cancel.unreadable_iocb_is_efault");
  EXPECT_ERROR(EFAULT, io_cancel(ctx, page));
  claim("io_cancel.finds_by_address");
  ASSERT_EQ(::mmap(memory, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), memory);
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, page));
  EXPECT_EQ(collect(ctx, 1).front().obj, page);
}

SUITE_TEST(io_cancel, of_equal_iocbs_the_oldest_goes_first,
           {.holds = {"io_cancel.oldest_of_equal_iocbs", "io_cancel.not_pending_is_einval"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  for (const std::uint64_t data : {11u, 22u, 33u}) {
    prepare_poll(0, ends.read.get(), kPollIn).data = data;
    ASSERT_RETURNS(1, submit(ctx, {0}));
  }
  for (const std::uint64_t data : {11u, 22u, 33u}) {
    EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
    EXPECT_EQ(collect(ctx, 1).front().data, data);
  }
  claim("io_cancel.not_pending_is_einval");
  EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst));
}

SUITE_TEST(io_cancel, others_stay_pending, {.holds = {"io_cancel.leaves_others_pending"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  for (const unsigned slot : {0u, 1u, 2u, 3u}) prepare_poll(slot, ends.read.get(), kPollIn);
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(2)));
  EXPECT_EQ(collect(ctx, 1).front().obj, arena::iocb_slot(2));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_EQ(collect(ctx, 1).front().obj, arena::iocb_slot(0));
  EXPECT_EQ(in_ring(ctx), 0u);
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  for (const Event& event : collect(ctx, 2)) {
    EXPECT_TRUE(event.obj == arena::iocb_slot(1) || event.obj == arena::iocb_slot(3)) << event.obj;
    EXPECT_EQ(event.res, 0x41);
  }
}

SUITE_TEST(io_cancel, another_context_does_not_have_it,
           {.holds = {"io_cancel.not_pending_is_einval"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup(1, 0);
  const std::uint64_t other = setup(1, 1);
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINVAL, io_cancel(other, kFirst));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  collect(ctx, 1);
  EXPECT_EQ(in_ring(other), 0u);
}

// Wherever it is.
SUITE_TEST(io_cancel, an_fsync_is_einval, {.holds = {"io_cancel.not_pending_is_einval"}, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  for (const Opcode opcode : {kFsync, kFdsync}) {
    prepare(0, opcode, data.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst)) << opcode;
    EXPECT_EQ(collect(ctx, 1).front().res, 0) << opcode;
  }
}

// Reads, writes and fsyncs that are in flight end as if nothing had been asked.
SUITE_TEST(io_cancel, what_a_file_system_holds_is_einval,
           {.holds = {"io_cancel.held_request_is_einval"}, .needs = "gate"}) {
  const std::uint64_t ctx = setup();
  const Gate gate;
  const Descriptor held(gate.open());
  std::uint64_t latest = 0;
  for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev, kFsync, kFdsync}) {
    const bool is_fsync = opcode == kFsync || opcode == kFdsync;
    if (is_fsync && !since(4, 18)) continue;
    prepare(0, opcode, held.get());
    if (!is_fsync) {
      iocb(0).buf = is_vectored(opcode) ? iovecs({{arena::kBuffers, 4096}}) : arena::kBuffers;
      iocb(0).nbytes = is_vectored(opcode) ? 1 : 4096;
    }
    ASSERT_RETURNS(1, submit(ctx, {0})) << opcode;
    const auto requests = gate.held(1, setting().patience, latest);
    if (requests.size() != 1) throw std::runtime_error("the gate file does not see the request");
    latest = requests[0].id;
    EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst)) << opcode;
    EXPECT_EQ(in_ring(ctx), 0u) << opcode;
    const std::int64_t result = is_fsync ? 0 : 4096;
    ASSERT_TRUE(gate.release(latest, result));
    EXPECT_EQ(collect(ctx, 1).front().res, result) << opcode;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

}  // namespace aio::suites
