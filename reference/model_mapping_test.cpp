// SPDX-License-Identifier: GPL-2.0-or-later
//
// The user's mapping of a ring, and children.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

constexpr Address kNew = 0x7f5500000000;

FakeKernel::Answer returns(std::int64_t result) {
  return [=](FakeKernel& k) { k.result = result; };
}
FakeKernel::Answer fails(int error) {
  return [=](FakeKernel& k) { k.fails(error); };
}

class ModelMapping : public testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(kernel.setup().divergence); }

  RingMap map(MapAction action) const { return {kernel.ctx(), action}; }
  // The kernel moves the ring, and the user notes where to.
  void move(Address to = kNew) {
    const Verdict verdict = kernel.run(map(MapAction::kMove), [to](FakeKernel& k) {
      k.moved_to = to;
      k.store_word(arena::context_slot(0), to, 8);
      k.rings[0].id = to;
    });
    ASSERT_FALSE(verdict.divergence) << verdict.divergence->expected;
  }
  IocbSpec poll_with_resfd() const {
    IocbSpec spec;
    spec.opcode = kPoll;
    spec.fd = Fd::kNbPipeRead;
    spec.buf = kPollIn;
    spec.flags = kFlagResfd;
    spec.resfd = Fd::kNbEvent;
    return spec;
  }

  FakeKernel kernel;
};

TEST_F(ModelMapping, a_moved_ring_takes_its_context_along) {
  const Value old = kernel.ctx();
  move();
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = old}), (FakeKernel::Opinion{Req::kMapMoves, -kEINVAL}));
  EXPECT_FALSE(kernel.run(Getevents{.ctx = static_cast<std::int64_t>(kNew)}).divergence);
}

TEST_F(ModelMapping, a_move_that_fails_or_leads_nowhere_diverges) {
  EXPECT_EQ(kernel.opinion(map(MapAction::kMove)), (FakeKernel::Opinion{Req::kMapMoves, 0}));
  const Verdict verdict = kernel.run(map(MapAction::kMove), [](FakeKernel& k) { k.moved_to = kNew + 8; });
  ASSERT_TRUE(verdict.divergence);
  EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kMapMoves, Kind::kMemory}));
}

TEST_F(ModelMapping, a_ring_neither_grows_nor_doubles) {
  EXPECT_EQ(kernel.opinion(map(MapAction::kGrow)), (FakeKernel::Opinion{Req::kMapGrows, -kEFAULT}));
  EXPECT_EQ(kernel.opinion(map(MapAction::kDuplicate)), (FakeKernel::Opinion{Req::kMapDuplicates, -kEFAULT}));
  EXPECT_EQ(kernel.opinion(map(MapAction::kDontUnmap)), (FakeKernel::Opinion{Req::kMapDontUnmap, -kEINVAL}));
}

TEST_F(ModelMapping, in_place_it_does_not_grow_either) {
  EXPECT_EQ(kernel.opinion(map(MapAction::kGrowHere)), (FakeKernel::Opinion{Req::kMapGrows, -kEFAULT}));
}

TEST_F(ModelMapping, its_pages_may_be_dropped_though_the_user_has_locked_them) {
  EXPECT_EQ(kernel.opinion(map(MapAction::kDrop)), (FakeKernel::Opinion{Req::kMapDropKeeps, 0}));
  EXPECT_FALSE(kernel.run(map(MapAction::kLock)).divergence);
  EXPECT_EQ(kernel.opinion(map(MapAction::kDrop)), (FakeKernel::Opinion{Req::kMapLockIgnored, 0}));
}

TEST_F(ModelMapping, other_memory_in_its_place_is_no_context) {
  EXPECT_FALSE(kernel.run(map(MapAction::kReplace), [](FakeKernel& k) { k.rings[0].bytes.clear(); }).divergence);
  EXPECT_EQ(kernel.opinion(Destroy{kernel.ctx()}), (FakeKernel::Opinion{Req::kLookupIdWord, -kEINVAL}));
}

TEST_F(ModelMapping, another_ring_may_come_to_a_free_place) {
  const Value place = kernel.ctx();
  EXPECT_FALSE(kernel.run(map(MapAction::kFree), [](FakeKernel& k) { k.rings.clear(); }).divergence);
  EXPECT_EQ(kernel.opinion(Getevents{.ctx = place}), (FakeKernel::Opinion{Req::kMapUnmapped, -kEINVAL}));
  const aio::Setup again{.nr = 1, .ctxp = arena::context_slot(1)};
  const Verdict verdict = kernel.run(again, [&](FakeKernel& k) {
    k.map_ring(again);
    k.rings[0].set_word(RingField::kId, 1);
  });
  EXPECT_FALSE(verdict.divergence);
  EXPECT_FALSE(kernel.run(Getevents{.ctx = place}).divergence);
}

TEST_F(ModelMapping, a_hidden_ring_is_no_context_until_it_is_shown) {
  const RingStore store{.ctx = kernel.ctx(), .field = RingField::kMagic, .value = 1};
  EXPECT_FALSE(kernel.run(map(MapAction::kHide)).divergence);
  EXPECT_EQ(kernel.opinion(Destroy{kernel.ctx()}), (FakeKernel::Opinion{Req::kMapUnreadable, -kEINVAL}));
  EXPECT_FALSE(kernel.run(store, [](FakeKernel& k) { k.skipped = true; }).divergence);
  EXPECT_FALSE(kernel.run(map(MapAction::kFreeze)).divergence);
  EXPECT_FALSE(kernel.run(store, [](FakeKernel& k) { k.skipped = true; }).divergence);
  EXPECT_FALSE(kernel.run(Getevents{.ctx = kernel.ctx()}).divergence);
  EXPECT_FALSE(kernel.run(map(MapAction::kOpen)).divergence);
  EXPECT_TRUE(kernel.run(store, [](FakeKernel& k) { k.skipped = true; }).divergence);
}

TEST_F(ModelMapping, requests_complete_without_a_ring) {
  ASSERT_FALSE(kernel.submit({poll_with_resfd()}, {}).divergence);
  const Value ctx = kernel.ctx();
  EXPECT_FALSE(kernel.run(map(MapAction::kUnmap), [](FakeKernel& k) { k.rings.clear(); }).divergence);
  EXPECT_EQ(kernel.opinion(Destroy{ctx}), (FakeKernel::Opinion{Req::kMapUnmapped, -kEINVAL}));
  EXPECT_TRUE(kernel.model.completes_unseen());
  const Verdict silent = kernel.run(FdWrite{Fd::kNbPipeWrite, 8, 1}, returns(8));
  ASSERT_TRUE(silent.divergence);
  EXPECT_EQ(silent.divergence->signature.requirement, Req::kMapCompletesUnmapped);
}

TEST_F(ModelMapping, what_an_unseen_completion_sets_off_comes_at_any_time_as_well) {
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(kernel.submit({poll_with_resfd()}, {}).divergence);
  IocbSpec polls_resfd;
  polls_resfd.at = arena::iocb_slot(1);
  polls_resfd.opcode = kPoll;
  polls_resfd.fd = Fd::kNbEvent;
  polls_resfd.buf = kPollIn;
  const Submit submit{.ctx = kernel.ctx(1), .nr = 1, .fill = 1, .iocbs = {polls_resfd}};
  const FakeKernel::Answer accepts = [&](FakeKernel& k) {
    k.result = 1;
    k.store_word(polls_resfd.at + 8, 0, 4);
  };
  ASSERT_FALSE(kernel.run(submit, accepts).divergence);
  const FakeKernel::Answer unmaps = [](FakeKernel& k) { k.rings.erase(k.rings.begin()); };
  ASSERT_FALSE(kernel.run(map(MapAction::kUnmap), unmaps).divergence);
  const Verdict verdict = kernel.run(FdWrite{Fd::kNbPipeWrite, 8, 1}, [&](FakeKernel& k) {
    k.result = 8;
    k.counters[traits(Fd::kNbEvent).index] = 1;
    k.rings[0].add({0, polls_resfd.at, kPollIn, 0});
    k.rings[0].tail_at_return = 0;
  });
  EXPECT_FALSE(verdict.divergence) << verdict.divergence->expected << " not " << verdict.divergence->seen;
}

TEST_F(ModelMapping, a_child_has_the_ring_but_no_context) {
  const Value ctx = kernel.ctx();
  const std::vector<std::pair<Operation, FakeKernel::Opinion>> rows{
      {Getevents{.ctx = ctx}, {Req::kChildHasNoContexts, -kEINVAL}},
      {Destroy{ctx}, {Req::kChildHasNoContexts, -kEINVAL}},
      {Getevents{.ctx = 0}, {Req::kGeteventsUnknown, -kEINVAL}},
      {map(MapAction::kMove), {Req::kChildMovesNothing, -kEINVAL}},
      {aio::Setup{.ctxp = arena::context_slot(1)}, {Req::kSetupSucceeds, 0}},
  };
  for (const auto& [operation, opinion] : rows) {
    ASSERT_FALSE(kernel.run(InChild{}).divergence);
    EXPECT_EQ(kernel.opinion(operation), opinion) << operation_name(operation);
    ASSERT_FALSE(kernel.run(Store{.at = arena::kIocbs, .value = 1}, returns(0)).divergence);
  }
}

TEST_F(ModelMapping, what_a_child_stores_is_its_own_but_for_the_ring) {
  ASSERT_FALSE(kernel.run(InChild{}).divergence);
  // The fake's memory has the store; the parent's would not.
  EXPECT_FALSE(kernel.run(Store{.at = arena::kIocbs, .value = 1}).divergence);
  const Verdict leaked = kernel.run(Cancel{.ctx = 0, .iocb = arena::kIocbs}, fails(kEINVAL));
  ASSERT_TRUE(leaked.divergence);
  EXPECT_EQ(leaked.divergence->signature.kind, Kind::kMemory);

  FakeKernel other;
  ASSERT_FALSE(other.setup().divergence);
  ASSERT_FALSE(other.run(InChild{}).divergence);
  const Verdict kept = other.run(RingStore{.ctx = other.ctx(), .field = RingField::kHead, .value = 3});
  ASSERT_TRUE(kept.divergence);
  EXPECT_EQ(kept.divergence->signature.requirement, Req::kChildSharesRing);
}

TEST_F(ModelMapping, a_childs_contexts_end_with_it) {
  ASSERT_FALSE(kernel.run(InChild{}).divergence);
  const Verdict verdict = kernel.run(aio::Setup{.ctxp = arena::context_slot(1)}, [](FakeKernel& k) { ++k.aio_nr; });
  ASSERT_TRUE(verdict.divergence);
  EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kExitGivesBackNr, Kind::kAioNr}));
}

TEST_F(ModelMapping, operations_on_lanes_are_no_childs) {
  ASSERT_FALSE(kernel.run(InChild{}).divergence);
  ASSERT_FALSE(kernel.run(Move{1}).divergence);
  EXPECT_EQ(kernel.opinion(Destroy{kernel.ctx()}).rule, Req::kChildHasNoContexts);
}

}  // namespace
}  // namespace aio
