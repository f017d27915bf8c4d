// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the user does without AIO, and the one thing about the quota that the kernel is free to choose: the CPU on which
// direct I/O completes.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

void skip(FakeKernel& kernel) { kernel.skipped = true; }
FakeKernel::Answer returns(std::int64_t result) {
  return [=](FakeKernel& k) { k.result = result; };
}

TEST(ModelUser, what_would_block_or_has_no_ring_is_skipped_and_the_next_is_not) {
  const std::vector<Operation> skipped{FdRead{Fd::kPipeRead, 8}, FdRead{Fd::kEvent, 8},
                                       RingStore{.ctx = 0x5000, .field = RingField::kHead, .value = 1},
                                       Reap{.ctx = 0x5000}};
  for (const Operation& op : skipped) {
    FakeKernel kernel;
    EXPECT_FALSE(kernel.run(op, skip).divergence);
    const Verdict next = kernel.run(FdWrite{Fd::kPipeWrite, 8, 1}, skip);
    ASSERT_TRUE(next.divergence);
    EXPECT_EQ(next.divergence->signature, (Signature{Req::kUserActions, Kind::kErrno}));
    FakeKernel other;
    EXPECT_FALSE(other.run(op, skip).divergence);
    EXPECT_FALSE(other.run(FdWrite{Fd::kPipeWrite, 8, 1}, returns(8)).divergence);
    EXPECT_TRUE(FakeKernel().run(op, returns(0)).divergence);
  }
}

TEST(ModelUser, plain_reads_get_what_plain_writes_sent) {
  for (const std::uint64_t spoiled : {5u, 8u}) {
    FakeKernel kernel;
    ASSERT_FALSE(kernel.run(FdWrite{Fd::kPipeWrite, 8, 3}, returns(8)).divergence);
    const Verdict verdict = kernel.run(FdRead{Fd::kPipeRead, 100}, [&](FakeKernel& k) {
      k.result = 8;
      for (std::uint64_t i = 0; i < 8; ++i) k.data.push_back(std::byte{payload_byte(3, i)});
      if (spoiled < 8) k.data[spoiled] = std::byte{0};
    });
    ASSERT_EQ(verdict.divergence.has_value(), spoiled < 8);
    if (spoiled == 8) continue;
    EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kUserActions, Kind::kFile}));
    EXPECT_EQ(verdict.divergence->check, (Check{Check::What::kReadBytes, 0, 5, {}, {payload_byte(3, 5)}}));
  }
}

TEST(ModelUser, plain_calls_fail_as_the_descriptor_says) {
  const struct {
    Operation op;
    int error;
  } cases[] = {
      {FdWrite{Fd::kPipeRead, 8, 1}, kEBADF},     {FdWrite{Fd::kNever, 8, 1}, kEBADF}, {FdRead{Fd::kFileWo, 8}, kEBADF},
      {FdWrite{Fd::kNbEvent, 8, ~0ull}, kEINVAL}, {FdClose{Fd::kClosed}, kEBADF},
  };
  for (const auto& each : cases) {
    FakeKernel kernel;
    EXPECT_EQ(kernel.opinion(each.op).value, -each.error);
  }
}

TEST(ModelUser, a_plain_file_offset_moves_with_each_transfer) {
  FakeKernel kernel;
  for (const std::uint64_t at : {0u, 10u}) {
    const Verdict verdict = kernel.run(FdRead{Fd::kFile, 10}, [&](FakeKernel& k) {
      k.result = 10;
      k.data.assign(k.files[0].begin() + static_cast<std::ptrdiff_t>(at),
                    k.files[0].begin() + static_cast<std::ptrdiff_t>(at + 10));
    });
    EXPECT_FALSE(verdict.divergence) << at;
  }
}

// 30 reads were reaped when direct I/O completes: their slots go to the CPU that it completes on.
TEST(ModelUser, direct_io_may_complete_on_any_cpu_and_later_answers_tell_which) {
  Machine machine = fake_machine();
  machine.direct = machine.direct_queues = true;
  for (const std::int64_t granted : {103, 104, 105, 118, 119, 120}) {
    FakeKernel kernel(profiles().back(), {}, machine);
    ASSERT_FALSE(kernel.setup().divergence);
    IocbSpec spec;
    for (int i = 0; i < 30; ++i) ASSERT_FALSE(kernel.submit({spec}, {{0, spec.at, 0, 0}}).divergence);
    const auto reap = [](FakeKernel& k) {
      k.result = 30;
      k.rings[0].set_word(RingField::kHead, 30);
    };
    ASSERT_FALSE(kernel.run(Reap{.ctx = kernel.ctx(), .count = 30}, reap).divergence);
    spec.fd = Fd::kDirect;
    spec.nbytes = 512;
    const Verdict direct = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
      k.result = 1;
      k.store_word(spec.at + 8, 0, 4);
      k.memory.store(arena::kBuffers, std::span(k.files[1]).first(512));
      k.rings[0].add({0, spec.at, 512, 0});
    });
    ASSERT_FALSE(direct.divergence);
    EXPECT_EQ(direct.certainty, Certainty::kSet);
    spec.opcode = kPoll;
    spec.fd = Fd::kPipeRead;
    spec.buf = kPollIn;
    spec.nbytes = 0;
    const Submit fill{.ctx = kernel.ctx(), .nr = 125, .fill = 125, .iocbs = {spec}};
    const Verdict verdict = kernel.run(fill, returns(granted));
    const bool possible = granted == 104 || granted == 119;
    EXPECT_EQ(verdict.divergence.has_value(), !possible) << granted;
    if (granted == 119) {
      EXPECT_EQ(verdict.certainty, Certainty::kExact);
    }
  }
}

}  // namespace
}  // namespace aio
