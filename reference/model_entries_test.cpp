// SPDX-License-Identifier: GPL-2.0-or-later
//
// What differs by entry; and the timer, which came with it.
#include <gtest/gtest.h>

#include <tuple>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

constexpr Address kLowRing = 0xf7f00000;

FakeKernel::Answer fails(int error) {
  return [=](FakeKernel& k) { k.fails(error); };
}

class ModelEntries : public testing::Test {
 protected:
  void through(EntryKind entry) { ASSERT_FALSE(kernel.run(Through{entry}).divergence); }
  Verdict setup_low(const aio::Setup& op = {}) {
    return kernel.run(op, [op](FakeKernel& k) {
      const auto before = k.memory.get<std::uint32_t>(op.ctxp + 4);
      k.map_ring(op, kLowRing);
      k.store_word(op.ctxp + 4, before.value_or(0), 4);
    });
  }
  FakeKernel kernel;
};

TEST_F(ModelEntries, narrow_calls_use_half_of_the_variable) {
  through(EntryKind::kCompat);
  const aio::Setup half{.initial = std::uint64_t{5} << 32};
  EXPECT_EQ(kernel.opinion(half), (FakeKernel::Opinion{Req::kCompatVariable, 0}));
  EXPECT_EQ(kernel.opinion(aio::Setup{.initial = 5}), (FakeKernel::Opinion{Req::kSetupCtxpNotZero, -kEINVAL}));
  EXPECT_FALSE(setup_low(half).divergence);
  EXPECT_FALSE(kernel.run(Getevents{.ctx = static_cast<std::int64_t>(kLowRing)}).divergence);
}

TEST_F(ModelEntries, narrow_lists_and_segments_are_read_as_such) {
  through(EntryKind::kCompat);
  ASSERT_FALSE(setup_low().divergence);
  IocbSpec spec;
  spec.opcode = kPreadv;
  spec.fd = Fd::kZero;
  spec.buf = arena::kIovecs;
  spec.nbytes = 2;
  spec.segments = {{arena::kBuffers, 3}, {arena::kBuffers + 8, 2}};
  const Verdict verdict = kernel.submit({spec}, {{0, spec.at, 5, 0}});
  // The zeros are not in the fake's buffer.
  ASSERT_TRUE(verdict.divergence);
  EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kReadZeroDevice, Kind::kMemory}));
  spec.segments[1].len = 0x80000000;
  EXPECT_EQ(kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}),
            (FakeKernel::Opinion{Req::kVectorNegativeLength, -kEINVAL}));
  spec.opcode = kPoll;
  spec.buf = kPollIn;
  spec.nbytes = 0;
  spec.segments.clear();
  EXPECT_EQ(kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}), (FakeKernel::Opinion{Req::kSubmitCounts, 1}));
}

// Wide segments are copied first of all until 6.4, narrow ones are read and checked one by one in every release.
TEST_F(ModelEntries, narrow_segments_are_checked_in_order) {
  for (const auto& [entry, rule, error] : {std::tuple{EntryKind::kNative, Req::kVectorFault, kEFAULT},
                                           std::tuple{EntryKind::kCompat, Req::kVectorNegativeLength, kEINVAL}}) {
    FakeKernel old(*find_profile("6.1"));
    ASSERT_FALSE(old.setup().divergence);
    ASSERT_FALSE(old.run(Through{entry}).divergence);
    IocbSpec spec;
    spec.opcode = kPreadv;
    spec.fd = Fd::kZero;
    spec.nbytes = 2;
    spec.segments = {{arena::kBuffers, ~0ull}};
    spec.buf = arena::kIovecs + arena::kPage - (entry == EntryKind::kCompat ? 8 : 16);
    EXPECT_EQ(old.opinion(Submit{.ctx = old.ctx(), .iocbs = {spec}}), (FakeKernel::Opinion{rule, -error}));
  }
}

TEST_F(ModelEntries, narrow_times_are_two_signed_numbers) {
  through(EntryKind::kCompat);
  ASSERT_FALSE(setup_low().divergence);
  Getevents wait{.ctx = kernel.ctx(), .min_nr = 1, .sec = std::int64_t{7} << 32, .nsec = 0};
  EXPECT_EQ(kernel.opinion(wait), (FakeKernel::Opinion{Req::kGeteventsZeroTimeoutPolls, 0}));
  wait.sec = 0xffffffff;
  EXPECT_EQ(kernel.opinion(wait), (FakeKernel::Opinion{Req::kGeteventsNegativeWaits, -kEINTR}));
  wait.sec = 9'223'372'036;
  EXPECT_EQ(kernel.opinion(wait), (FakeKernel::Opinion{Req::kGeteventsHugeTimeoutWaits, -kEINTR}));
  through(EntryKind::kNative);
  wait.sec = std::int64_t{7} << 32;
  EXPECT_EQ(kernel.opinion(wait), (FakeKernel::Opinion{Req::kGeteventsHugeTimeoutWaits, -kEINTR}));
}

TEST_F(ModelEntries, narrow_sigsets_are_two_words) {
  through(EntryKind::kCompat);
  ASSERT_FALSE(setup_low().divergence);
  EXPECT_FALSE(kernel.run(Pgetevents{.ctx = kernel.ctx()}).divergence);
  EXPECT_EQ(kernel.opinion(Pgetevents{.ctx = kernel.ctx(), .size = 4}),
            (FakeKernel::Opinion{Req::kPgeteventsSigsetSize, -kEINVAL}));
}

TEST_F(ModelEntries, the_library_answers_for_empty_rings_alone) {
  through(EntryKind::kLibaio);
  ASSERT_FALSE(kernel.setup().divergence);
  const Value ctx = kernel.ctx();
  const FakeKernel::Opinion itself{Req::kLibaioEmpty, 0};
  // Even where the kernel would refuse.
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = ctx, .min_nr = -1}), itself);
  EXPECT_EQ(kernel.opinion(Pgetevents{.ctx = ctx, .size = 4}), itself);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = ctx, .min_nr = -1, .nsec = 1}).rule, Req::kGeteventsMinNegative);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = ctx, .min_nr = -1, .timeout = arena::kNull}).rule,
            Req::kGeteventsMinNegative);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = 0, .min_nr = -1}).rule, Req::kGeteventsUnknown);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = static_cast<std::int64_t>(arena::kIocbs)}).rule, Req::kGeteventsUnknown);
  ASSERT_FALSE(kernel
                   .run(RingStore{.ctx = ctx, .field = RingField::kMagic, .value = 1},
                        [](FakeKernel& k) { k.rings[0].set_word(RingField::kMagic, 1); })
                   .divergence);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = ctx, .min_nr = -1}).rule, Req::kGeteventsMinNegative);
}

TEST_F(ModelEntries, the_library_hands_on_the_mask_alone) {
  through(EntryKind::kLibaio);
  ASSERT_FALSE(kernel.setup().divergence);
  const Pgetevents wait{.ctx = kernel.ctx(), .timeout = arena::kNull, .size = 4};
  EXPECT_FALSE(kernel.run(wait).divergence);
  FakeKernel strict(profiles().back(), Rules(Req::kLibaioSigset));
  ASSERT_FALSE(strict.run(Through{EntryKind::kLibaio}).divergence);
  ASSERT_FALSE(strict.setup().divergence);
  EXPECT_TRUE(strict.run(wait).divergence);
}

TEST_F(ModelEntries, an_entry_that_is_not_there_is_not_taken) {
  Machine machine = fake_machine();
  machine.compat = false;
  FakeKernel other(profiles().back(), {}, machine);
  EXPECT_TRUE(other.run(Through{EntryKind::kCompat}).divergence);
  FakeKernel another(profiles().back(), {}, machine);
  EXPECT_FALSE(another.run(Through{EntryKind::kCompat}, [](FakeKernel& k) { k.skipped = true; }).divergence);
}

IocbSpec timer_request(std::uint16_t opcode, std::uint64_t buf, std::uint64_t nbytes) {
  IocbSpec spec;
  spec.opcode = opcode;
  spec.fd = Fd::kTimer;
  spec.buf = buf;
  spec.nbytes = nbytes;
  return spec;
}

TEST_F(ModelEntries, a_timer_that_expires_completes_polls) {
  ASSERT_FALSE(kernel.setup().divergence);
  const IocbSpec poll = timer_request(kPoll, kPollIn, 0);
  ASSERT_FALSE(kernel.submit({poll}, {}).divergence);
  EXPECT_FALSE(kernel.run(Expire{}, [&](FakeKernel& k) { k.rings[0].add({0, poll.at, kPollIn, 0}); }).divergence);
  EXPECT_FALSE(kernel.submit({poll}, {{0, poll.at, kPollIn, 0}}).divergence);
}

TEST_F(ModelEntries, a_timer_is_read_once_each_time) {
  ASSERT_FALSE(kernel.setup().divergence);
  const IocbSpec read = timer_request(kPread, arena::kBuffers, 8);
  EXPECT_FALSE(kernel.submit({read}, {{0, read.at, -kEAGAIN, 0}}).divergence);
  ASSERT_FALSE(kernel.run(Expire{}).divergence);
  ASSERT_FALSE(kernel.run(Expire{}).divergence);
  const IocbSpec little = timer_request(kPread, arena::kBuffers, 7);
  EXPECT_FALSE(kernel.submit({little}, {{0, little.at, -kEINVAL, 0}}).divergence);
  kernel.store_word(arena::kBuffers, 1, 8);
  EXPECT_FALSE(kernel.submit({read}, {{0, read.at, 8, 0}}).divergence);
  EXPECT_FALSE(kernel.submit({read}, {{0, read.at, -kEAGAIN, 0}}).divergence);
}

TEST_F(ModelEntries, timers_are_not_written_and_were_not_always_read) {
  ASSERT_FALSE(kernel.setup().divergence);
  const Submit write{.ctx = kernel.ctx(), .iocbs = {timer_request(kPwrite, arena::kBuffers, 8)}};
  EXPECT_EQ(kernel.opinion(write), (FakeKernel::Opinion{Req::kRwNeedsMethod, -kEINVAL}));
  FakeKernel old(profile_for({6, 8}));
  ASSERT_FALSE(old.setup().divergence);
  const Submit read{.ctx = old.ctx(), .iocbs = {timer_request(kPread, arena::kBuffers, 8)}};
  EXPECT_EQ(old.opinion(read), (FakeKernel::Opinion{Req::kRwNeedsMethod, -kEINVAL}));
  EXPECT_FALSE(old.run(read, fails(kEINVAL)).divergence);
}

}  // namespace
}  // namespace aio
