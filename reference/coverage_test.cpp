// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each dimension of the abstract state is reached by a program made by hand; every state and feature has a number of
// its own.
#include "reference/coverage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <set>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Life = AbstractState::Life;
using Ring = AbstractState::Ring;
using Quota = AbstractState::Quota;
using Access = AbstractState::Access;

class Coverage : public testing::Test {
 protected:
  explicit Coverage(bool stepped = false) : kernel(profiles().back(), {}, fake_machine_with_gate(), stepped) {}
  void SetUp() override { ASSERT_FALSE(kernel.setup().divergence); }

  AbstractState state(unsigned cpu = 0) const {
    std::vector<ContextSurvey> all;
    kernel.model.survey(cpu, all);
    return all.at(0).state;
  }
  void expect_conforming(const Verdict& verdict) {
    ASSERT_FALSE(verdict.divergence) << verdict.divergence->expected << ", seen " << verdict.divergence->seen;
  }
  void complete(unsigned count) {
    for (unsigned i = 0; i < count; ++i) expect_conforming(kernel.submit({nothing_to_read(0)}, {event_of(0)}));
  }
  void poll(unsigned slot) {
    IocbSpec spec = nothing_to_read(slot);
    spec.opcode = kPoll;
    spec.fd = Fd::kNbPipeRead;
    spec.buf = kPollIn;
    expect_conforming(kernel.submit({spec}, {}));
  }
  void reap(std::int64_t count) {
    expect_conforming(kernel.run(Reap{kernel.ctx(), count}, [count](FakeKernel& k) {
      k.result = count;
      FakeRing& ring = k.rings[0];
      ring.set_word(RingField::kHead, (ring.word(RingField::kHead) + static_cast<std::uint32_t>(count)) % ring.size);
    }));
  }

  FakeKernel kernel;
};

TEST_F(Coverage, a_new_context_has_the_plainest_state) { EXPECT_EQ(state(), AbstractState()); }

TEST_F(Coverage, unread_events_are_none_one_some_and_as_many_as_the_quota_has) {
  complete(1);
  EXPECT_EQ(state().ring, Ring::kOne);
  EXPECT_EQ(state().quota, Quota::kSome);
  complete(1);
  EXPECT_EQ(state().ring, Ring::kSome);
  const std::uint32_t most = geometry(1, 2, 4096).pinned_max();
  complete(most - 2);
  EXPECT_EQ(state().ring, Ring::kFull);
  EXPECT_EQ(state().quota, Quota::kNone);
  reap(most);
  EXPECT_EQ(state().ring, Ring::kEmpty);
}

TEST_F(Coverage, events_may_run_over_the_end_of_the_ring) {
  const std::uint32_t size = kernel.rings[0].size;
  complete(100);
  reap(100);
  complete(size - 100 - 1);
  EXPECT_EQ(state().ring, Ring::kSome);
  complete(2);
  EXPECT_EQ(state().ring, Ring::kWrapped);
  complete(80);
  EXPECT_EQ(state().ring, Ring::kFullWrapped);
}

TEST_F(Coverage, words_beyond_the_ring_are_odd) {
  const auto store = [&](RingField field, std::uint32_t value) {
    expect_conforming(
        kernel.run(RingStore{kernel.ctx(), field, value}, [=](FakeKernel& k) { k.rings[0].set_word(field, value); }));
  };
  store(RingField::kHead, kernel.rings[0].size);
  EXPECT_EQ(state().ring, Ring::kOdd);
  EXPECT_FALSE(state().users_tail);
  store(RingField::kTail, 3);
  EXPECT_TRUE(state().users_tail);
}

TEST_F(Coverage, polls_take_slots_that_other_cpus_do_not_see) {
  poll(0);
  EXPECT_EQ(state().polls, Some::kOne);
  EXPECT_FALSE(state(0).elsewhere);
  EXPECT_TRUE(state(1).elsewhere);
  poll(1);
  EXPECT_EQ(state().polls, Some::kMore);
  const Geometry shape = geometry(1, 2, 4096);
  for (unsigned i = 2; i < shape.pinned_max() - 1; ++i) poll(i % 50);
  EXPECT_EQ(state(0).quota, Quota::kBelowBatch);
  EXPECT_EQ(state(1).quota, Quota::kNone);
}

TEST_F(Coverage, what_completed_is_accounted_for_by_the_next_refill) {
  EXPECT_FALSE(state().unaccounted);
  complete(1);
  EXPECT_TRUE(state().unaccounted);
}

TEST_F(Coverage, the_gate_file_holds_requests) {
  expect_conforming(kernel.run(Hold{}));
  for (unsigned slot = 0; slot < 2; ++slot) {
    IocbSpec spec = nothing_to_read(slot);
    spec.fd = Fd::kGate;
    spec.nbytes = 512;
    expect_conforming(kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
      k.result = 1;
      k.store_word(spec.at + 8, 0, 4);
      GateRequest request;
      request.id = slot + 1;
      request.call = GateCall::kRead;
      request.length = 512;
      request.uid = fake_machine_with_gate().uid;
      request.gid = fake_machine_with_gate().gid;
      k.arrived = {request};
    }));
    EXPECT_EQ(state().held, slot == 0 ? Some::kOne : Some::kMore);
  }
}

TEST_F(Coverage, the_mapping_of_the_ring_may_be_closed_or_gone) {
  const auto map = [&](MapAction action) { expect_conforming(kernel.run(RingMap{kernel.ctx(), action})); };
  poll(0);
  map(MapAction::kFreeze);
  EXPECT_EQ(state().access, Access::kFrozen);
  map(MapAction::kOpen);
  EXPECT_EQ(state().access, Access::kOpen);
  expect_conforming(kernel.run(RingMap{kernel.ctx(), MapAction::kUnmap}, [](FakeKernel& k) { k.rings.clear(); }));
  EXPECT_EQ(state().life, Life::kUnmapped);
  EXPECT_EQ(state().polls, Some::kOne);
}

class CoverageOfLanes : public Coverage {
 protected:
  CoverageOfLanes() : Coverage(true) {}
};

TEST_F(CoverageOfLanes, lanes_sleep_in_calls) {
  for (unsigned lane = 1; lane < 3; ++lane) {
    kernel.lane = lane;
    expect_conforming(kernel.run(InLane{lane}));
    const Getevents op{.ctx = kernel.ctx(),
                       .min_nr = 1,
                       .nr = 1,
                       .events = arena::kEvents + 1024 * Address{lane},
                       .timeout = arena::kNull};
    expect_conforming(kernel.run(op, [](FakeKernel& k) { k.asleep = true; }));
    EXPECT_EQ(state().waiters, lane == 1 ? Some::kOne : Some::kMore);
  }
}

TEST(CoverageMap, every_state_has_a_number_of_its_own) {
  std::set<std::uint32_t> seen;
  AbstractState state;
  for (unsigned life = 0; life < 3; ++life) {
    for (unsigned ring = 0; ring < 7; ++ring) {
      for (unsigned bits = 0; bits < 4 * 2 * 2 * 2 * 2; ++bits) {
        state.life = static_cast<Life>(life);
        state.ring = static_cast<Ring>(ring);
        state.quota = static_cast<Quota>(bits % 4);
        state.elsewhere = (bits & 4) != 0;
        state.unaccounted = (bits & 8) != 0;
        state.submitting = (bits & 16) != 0;
        state.users_tail = (bits & 32) != 0;
        for (unsigned rest = 0; rest < 81; ++rest) {
          state.polls = static_cast<Some>(rest % 3);
          state.held = static_cast<Some>(rest / 3 % 3);
          state.waiters = static_cast<Some>(rest / 9 % 3);
          state.access = static_cast<Access>(rest / 27);
          seen.insert(index_of(state));
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), kAbstractStates);
  EXPECT_EQ(*seen.rbegin(), kAbstractStates - 1);
}

TEST(CoverageMap, counts_are_exact_in_every_family) {
  CoverageMap map;
  EXPECT_TRUE(map.add(kStepFeatures.first));
  EXPECT_FALSE(map.add(kStepFeatures.first));
  EXPECT_TRUE(map.add(kStepFeatures.end() - 1));
  EXPECT_TRUE(map.add(kRequirementFeatures.end() - 1));
  EXPECT_EQ(map.count(kStateFeatures), 0u);
  EXPECT_EQ(map.count(kStepFeatures), 2u);
  EXPECT_EQ(map.count(kRequirementFeatures), 1u);
  EXPECT_EQ(map.count(kModelFeatures), 3u);
}

TEST_F(Coverage, a_tracker_tells_what_is_new_alone) {
  CoverageTracker tracker{CoverageMap()};
  const Reap reap_none{kernel.ctx(), 0};
  const auto note = [&] {
    const Observation seen = kernel.observe();
    tracker.note(kernel.model, reap_none, seen);
  };
  tracker.begin_program();
  expect_conforming(kernel.run(reap_none));
  note();
  EXPECT_EQ(tracker.fresh().size(), 4u);  // state, step, pair and rule
  tracker.end_program(kernel.model.rules().exercised());
  EXPECT_GT(tracker.fresh().size(), 4u);
  tracker.begin_program();
  note();
  EXPECT_TRUE(tracker.fresh().empty());
  // It finds a context now, and follows an operation.
  note();
  EXPECT_EQ(tracker.fresh().size(), 2u);
  // What could not be judged may be reached by another one.
  const std::vector<Feature> both = tracker.fresh();
  tracker.forget_program();
  EXPECT_TRUE(tracker.fresh().empty());
  tracker.begin_program();
  note();
  note();
  EXPECT_EQ(tracker.fresh(), both);
  tracker.end_program(kernel.model.rules().exercised());
  EXPECT_EQ(tracker.fresh(), both);  // nothing was exercised since
}

TEST_F(Coverage, cost_is_reported) {
  constexpr int kTimes = 100'000;
  CoverageTracker tracker{CoverageMap()};
  const Reap reap_none{kernel.ctx(), 0};
  expect_conforming(kernel.run(reap_none));
  const Observation seen = kernel.observe();
  tracker.begin_program();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) tracker.note(kernel.model, reap_none, seen);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.0f ns an operation\n", took.count() / kTimes);
  EXPECT_EQ(tracker.fresh().size(), 6u);
}

}  // namespace
}  // namespace aio
