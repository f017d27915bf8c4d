// SPDX-License-Identifier: GPL-2.0-or-later
//
// Calls that sleep while other lanes act, in the model: who must return when, with what.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

constexpr Address kArray = arena::kEvents;              // of lane 1
constexpr Address kOtherArray = arena::kEvents + 1024;  // of lane 2

Req broken(const Verdict& verdict) {
  return verdict.divergence ? verdict.divergence->signature.requirement : Req::kSetupSucceeds;
}

class ModelLanes : public testing::Test {
 protected:
  explicit ModelLanes(const Profile& profile = profiles().back())
      : kernel(profile, {}, fake_machine_with_gate(), true) {}
  void SetUp() override { ASSERT_FALSE(kernel.setup().divergence); }

  void change_lane(unsigned lane) {
    kernel.lane = lane;
    ASSERT_FALSE(kernel.run(InLane{lane}).divergence);
  }
  Verdict wait(unsigned lane, std::int64_t min_nr, std::int64_t nr, Address events, std::int64_t takes = 0) {
    change_lane(lane);
    const Getevents op{.ctx = kernel.ctx(), .min_nr = min_nr, .nr = nr, .events = events, .timeout = arena::kNull};
    return kernel.run(op, [&](FakeKernel& k) {
      k.asleep = true;
      take(k, events, takes);
    });
  }
  // The oldest events go from the ring to an array.
  static void take(FakeKernel& k, Address to, std::int64_t count) {
    FakeRing& ring = k.rings[0];
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t head = ring.word(RingField::kHead);
      const auto bytes = std::span(ring.bytes).subspan(sizeof(RingHeader) + std::size_t{head} * 32, 32);
      k.memory.store(to + 32 * static_cast<Address>(i), bytes);
      ring.set_word(RingField::kHead, (head + 1) % ring.size);
    }
  }
  // Lane 0 makes events 0 to count - 1; `then` is what the others do about it.
  Verdict complete(unsigned count, const std::function<void(FakeKernel&)>& then = {}) {
    change_lane(0);
    std::vector<IocbSpec> iocbs;
    for (unsigned slot = 0; slot < count; ++slot) iocbs.push_back(nothing_to_read(slot));
    const Submit op{.ctx = kernel.ctx(), .nr = count, .fill = count, .iocbs = iocbs};
    return kernel.run(op, [&](FakeKernel& k) {
      k.result = count;
      for (const IocbSpec& spec : iocbs) k.store_word(spec.at + 8, 0, 4);
      for (unsigned slot = 0; slot < count; ++slot) k.rings[0].add(event_of(slot));
      if (then) then(k);
    });
  }
  Verdict destroy(unsigned lane, const std::function<void(FakeKernel&)>& then) {
    change_lane(lane);
    return kernel.run(Destroy{kernel.ctx()}, [&](FakeKernel& k) {
      then(k);
      k.rings.clear();
      k.aio_nr -= 1;
    });
  }

  FakeKernel kernel;
};

TEST_F(ModelLanes, a_waiter_returns_once_min_nr_events_are_there) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  ASSERT_FALSE(complete(1).divergence);
  const Verdict verdict = complete(1, [&](FakeKernel& k) {
    take(k, kArray, 2);
    k.returns = {{1, 2, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
  EXPECT_FALSE(kernel.model.loose_end());
}

TEST_F(ModelLanes, a_wake_up_that_is_lost_diverges) {
  ASSERT_FALSE(wait(1, 1, 2, kArray).divergence);
  const Verdict verdict = complete(1);
  EXPECT_EQ(broken(verdict), Req::kWaiterWoken);
  EXPECT_EQ(verdict.divergence->signature.kind, Kind::kLost);
}

TEST_F(ModelLanes, a_waiter_that_takes_an_event_below_min_nr_diverges) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  EXPECT_EQ(broken(complete(1, [&](FakeKernel& k) { take(k, kArray, 1); })), Req::kWaiterLeavesEvents);
}

TEST_F(ModelLanes, a_waiter_that_returns_too_early_diverges) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  const Verdict verdict = complete(1, [&](FakeKernel& k) {
    take(k, kArray, 1);
    k.returns = {{1, 1, 0}};
  });
  EXPECT_EQ(broken(verdict), Req::kWaiterLeavesEvents);
}

TEST_F(ModelLanes, a_waiter_returns_as_many_as_it_took) {
  ASSERT_FALSE(wait(1, 1, 4, kArray).divergence);
  const Verdict verdict = complete(3, [&](FakeKernel& k) {
    take(k, kArray, 2);
    k.returns = {{1, 3, 0}};
  });
  EXPECT_EQ(broken(verdict), Req::kWaiterCount);
}

TEST_F(ModelLanes, a_woken_waiter_may_take_some_or_all_of_what_comes) {
  for (const std::int64_t takes : {1, 2, 3}) {
    SCOPED_TRACE(takes);
    FakeKernel fresh(profiles().back(), {}, fake_machine_with_gate(), true);
    ASSERT_FALSE(fresh.setup().divergence);
    ASSERT_FALSE(fresh.run(InLane{1}).divergence);
    const Getevents op{.ctx = fresh.ctx(), .min_nr = 1, .nr = 4, .events = kArray, .timeout = arena::kNull};
    ASSERT_FALSE(fresh.run(op, [](FakeKernel& k) { k.asleep = true; }).divergence);
    ASSERT_FALSE(fresh.run(InLane{0}).divergence);
    const Submit three{
        .ctx = fresh.ctx(), .nr = 3, .fill = 3, .iocbs = {nothing_to_read(0), nothing_to_read(1), nothing_to_read(2)}};
    const Verdict verdict = fresh.run(three, [&](FakeKernel& k) {
      k.result = 3;
      for (unsigned slot = 0; slot < 3; ++slot) {
        k.store_word(arena::iocb_slot(slot) + 8, 0, 4);
        k.rings[0].add(event_of(slot));
      }
      take(k, kArray, takes);
      k.returns = {{1, takes, 0}};
    });
    EXPECT_FALSE(verdict.divergence);
  }
}

TEST_F(ModelLanes, of_two_waiters_each_event_goes_to_one) {
  ASSERT_FALSE(wait(1, 1, 1, kArray).divergence);
  ASSERT_FALSE(wait(2, 1, 1, kOtherArray).divergence);
  const Verdict verdict = complete(2, [&](FakeKernel& k) {
    take(k, kOtherArray, 1);
    take(k, kArray, 1);
    k.returns = {{1, 1, 0}, {2, 1, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelLanes, an_event_that_two_waiters_got_diverges) {
  ASSERT_FALSE(wait(1, 1, 1, kArray).divergence);
  ASSERT_FALSE(wait(2, 1, 1, kOtherArray).divergence);
  const Verdict verdict = complete(2, [&](FakeKernel& k) {
    take(k, kArray, 2);
    const Event first = event_of(0);
    k.memory.store(kOtherArray, std::as_bytes(std::span(&first, 1)));
    k.returns = {{1, 1, 0}, {2, 1, 0}};
  });
  EXPECT_EQ(broken(verdict), Req::kWaiterOwnEvents);
}

TEST_F(ModelLanes, one_of_two_waiters_sleeps_on_where_there_is_one_event) {
  ASSERT_FALSE(wait(1, 1, 1, kArray).divergence);
  ASSERT_FALSE(wait(2, 1, 1, kOtherArray).divergence);
  const Verdict verdict = complete(1, [&](FakeKernel& k) {
    take(k, kOtherArray, 1);
    k.returns = {{2, 1, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
  EXPECT_TRUE(kernel.model.loose_end());
}

TEST_F(ModelLanes, a_signal_ends_a_wait_with_what_is_in_the_ring_or_eintr) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  EXPECT_FALSE(kernel.run(Interrupt{1}, [](FakeKernel& k) { k.returns = {{1, -1, kEINTR}}; }).divergence);
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  ASSERT_FALSE(complete(1).divergence);
  const Verdict partial = kernel.run(Interrupt{1}, [&](FakeKernel& k) {
    take(k, kArray, 1);
    k.returns = {{1, 1, 0}};
  });
  EXPECT_FALSE(partial.divergence);
}

TEST_F(ModelLanes, a_partial_count_that_a_signal_loses_diverges) {
  ASSERT_FALSE(complete(1).divergence);
  ASSERT_FALSE(wait(1, 2, 2, kArray, 1).divergence);
  const Verdict verdict = kernel.run(Interrupt{1}, [](FakeKernel& k) { k.returns = {{1, -1, kEINTR}}; });
  EXPECT_EQ(broken(verdict), Req::kGeteventsSignalKeepsCount);
}

TEST_F(ModelLanes, a_signal_that_leaves_events_in_the_ring_diverges) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  ASSERT_FALSE(complete(1).divergence);
  const Verdict verdict = kernel.run(Interrupt{1}, [](FakeKernel& k) { k.returns = {{1, -1, kEINTR}}; });
  EXPECT_EQ(broken(verdict), Req::kGeteventsSignalKeepsCount);
}

TEST_F(ModelLanes, a_waiter_that_takes_more_than_nr_diverges) {
  ASSERT_FALSE(wait(1, 1, 2, kArray).divergence);
  const Verdict verdict = complete(3, [&](FakeKernel& k) {
    take(k, kArray, 3);
    k.returns = {{1, 3, 0}};
  });
  EXPECT_EQ(broken(verdict), Req::kGeteventsAtMostNr);
}

TEST_F(ModelLanes, io_destroy_ends_waits_with_einval_or_what_they_have) {
  ASSERT_FALSE(complete(1).divergence);
  ASSERT_FALSE(wait(1, 2, 2, kArray, 1).divergence);
  ASSERT_FALSE(wait(2, 1, 1, kOtherArray).divergence);
  const Verdict verdict = destroy(0, [](FakeKernel& k) { k.returns = {{1, 1, 0}, {2, -1, kEINVAL}}; });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelLanes, a_waiter_that_a_destroyed_context_leaves_asleep_diverges) {
  ASSERT_FALSE(wait(1, 1, 1, kArray).divergence);
  EXPECT_EQ(broken(destroy(0, [](FakeKernel&) {})), Req::kWaiterDestroyed);
}

class ModelLanesOfOld : public ModelLanes {
 protected:
  ModelLanesOfOld() : ModelLanes(*find_profile("6.6")) {}
};

TEST_F(ModelLanesOfOld, a_waiter_takes_each_event_as_it_comes) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  ASSERT_FALSE(complete(1, [&](FakeKernel& k) { take(k, kArray, 1); }).divergence);
  const Verdict verdict = complete(1, [&](FakeKernel& k) {
    take(k, kArray + 32, 1);
    k.returns = {{1, 2, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
}

// There are more ways to take and to complete than can be followed: the quota is given up soon, not after minutes. Of a
// whole ring or more, head and tail tell nothing.
TEST_F(ModelLanesOfOld, a_waiter_that_takes_many_events_is_judged_at_once) {
  const struct {
    unsigned count;
    Certainty certainty;
  } cases[] = {{110, Certainty::kWidened}, {kernel.rings[0].size, Certainty::kUndecided}};
  for (const auto& each : cases) {
    ASSERT_FALSE(wait(1, each.count, each.count, kArray).divergence);
    change_lane(0);
    const IocbSpec spec = nothing_to_read(0);
    const Submit op{.ctx = kernel.ctx(), .nr = each.count + 1, .fill = each.count + 1, .iocbs = {spec}};
    const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
      k.result = each.count;
      k.store_word(spec.at + 8, 0, 4);
      for (unsigned i = 0; i < each.count; ++i) k.rings[0].add(event_of(0));
      take(k, kArray, each.count);
      k.returns = {{1, each.count, 0}};
    });
    EXPECT_FALSE(verdict.divergence) << each.count;
    EXPECT_EQ(verdict.certainty, each.certainty) << each.count;
  }
}

TEST_F(ModelLanesOfOld, a_waiter_that_leaves_an_event_in_the_ring_diverges) {
  ASSERT_FALSE(wait(1, 2, 2, kArray).divergence);
  EXPECT_EQ(broken(complete(1)), Req::kWaiterTakesEach);
}

// A request that the gate file holds, with an eventfd to signal.
class ModelLanesHeld : public ModelLanes {
 protected:
  void SetUp() override {
    ModelLanes::SetUp();
    ASSERT_FALSE(kernel.run(Hold{}).divergence);
    IocbSpec spec = nothing_to_read(0);
    spec.fd = Fd::kGate;
    spec.nbytes = 8;
    spec.flags = kFlagResfd;
    spec.resfd = Fd::kNbEvent;
    const Verdict verdict = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [](FakeKernel& k) {
      k.result = 1;
      k.store_word(arena::iocb_slot(0) + 8, 0, 4);
      GateRequest request;
      request.id = 1;
      request.length = 8;
      request.uid = request.gid = fake_machine_with_gate().uid;
      k.arrived = {request};
    });
    ASSERT_FALSE(verdict.divergence);
  }
  static void read_comes(FakeKernel& k) {
    for (std::uint64_t i = 0; i < 8; ++i) k.store_word(arena::kBuffers + i, gate_byte(i), 1);
  }
};

TEST_F(ModelLanesHeld, io_destroy_returns_when_the_last_request_has_ended) {
  const Value ctx = kernel.ctx();
  ASSERT_TRUE(kernel.model.waits(Destroy{ctx}));
  ASSERT_FALSE(destroy(1, [](FakeKernel& k) { k.asleep = true; }).divergence);
  change_lane(0);
  EXPECT_FALSE(kernel.run(Destroy{ctx}, [](FakeKernel& k) { k.fails(kEINVAL); }).divergence);
  const Verdict verdict = kernel.run(ReleaseHeld{}, [](FakeKernel& k) {
    read_comes(k);
    k.counters[1] = 1;
    k.returns = {{1, 0, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelLanesHeld, an_io_destroy_that_returns_before_diverges) {
  EXPECT_EQ(broken(destroy(1, [](FakeKernel&) {})), Req::kDestroyWaits);
}

TEST_F(ModelLanesHeld, an_io_destroy_that_returns_while_it_should_wait_diverges) {
  ASSERT_FALSE(destroy(1, [](FakeKernel& k) { k.asleep = true; }).divergence);
  change_lane(0);
  EXPECT_EQ(broken(kernel.run(Hold{}, [](FakeKernel& k) { k.returns = {{1, 0, 0}}; })), Req::kDestroyWaits);
}

TEST_F(ModelLanesHeld, an_io_destroy_that_sleeps_on_diverges) {
  ASSERT_FALSE(destroy(1, [](FakeKernel& k) { k.asleep = true; }).divergence);
  const Verdict verdict = kernel.run(ReleaseHeld{}, [](FakeKernel& k) {
    read_comes(k);
    k.counters[1] = 1;
  });
  EXPECT_EQ(broken(verdict), Req::kDestroyReturns);
}

TEST_F(ModelLanesHeld, a_late_completion_that_signals_nobody_diverges) {
  ASSERT_FALSE(destroy(1, [](FakeKernel& k) { k.asleep = true; }).divergence);
  const Verdict verdict = kernel.run(ReleaseHeld{}, [](FakeKernel& k) {
    read_comes(k);
    k.returns = {{1, 0, 0}};
  });
  EXPECT_EQ(broken(verdict), Req::kDestroyLateResfd);
}

TEST_F(ModelLanesHeld, aio_nr_that_comes_down_late_diverges) {
  const Verdict verdict = kernel.run(Destroy{kernel.ctx()}, [](FakeKernel& k) {
    k.asleep = true;
    k.rings.clear();
  });
  EXPECT_EQ(broken(verdict), Req::kDestroyNrFirst);
}

IocbSpec pipe_read() {
  IocbSpec spec = nothing_to_read(0);
  spec.fd = Fd::kPipeRead;
  spec.nbytes = 8;
  return spec;
}

TEST_F(ModelLanes, io_submit_sleeps_in_a_read_of_an_empty_pipe_until_another_lane_writes) {
  change_lane(1);
  const Submit op{.ctx = kernel.ctx(), .iocbs = {pipe_read()}};
  ASSERT_EQ(kernel.model.refuses(op), nullptr);
  ASSERT_TRUE(kernel.model.waits(op));
  const Verdict sleeps = kernel.run(op, [](FakeKernel& k) {
    k.asleep = true;
    k.store_word(arena::iocb_slot(0) + 8, 0, 4);
  });
  ASSERT_FALSE(sleeps.divergence);
  EXPECT_TRUE(kernel.model.skips_lane(op));
  change_lane(0);
  EXPECT_FALSE(kernel.model.skips_lane(op));
  const Verdict verdict = kernel.run(FdWrite{Fd::kPipeWrite, 4, 1}, [](FakeKernel& k) {
    k.result = 4;
    for (std::uint64_t i = 0; i < 4; ++i) k.store_word(arena::kBuffers + i, payload_byte(1, i), 1);
    k.rings[0].add(event_of(0, 4));
    k.returns = {{1, 1, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelLanes, what_would_sleep_where_the_rest_cannot_be_told_is_refused) {
  IocbSpec second = nothing_to_read(1);
  const Submit not_last{.ctx = kernel.ctx(), .nr = 2, .fill = 2, .iocbs = {pipe_read(), second}};
  EXPECT_NE(kernel.model.refuses(not_last), nullptr);
  const Getevents op{.ctx = kernel.ctx(), .min_nr = 1, .nr = 1, .events = arena::kReadOnly, .timeout = arena::kNull};
  EXPECT_NE(kernel.model.refuses(op), nullptr);
  ASSERT_FALSE(wait(1, 1, 1, kArray).divergence);
  EXPECT_NE(kernel.model.refuses(RingStore{.ctx = kernel.ctx(), .field = RingField::kTail, .value = 3}), nullptr);
}

TEST_F(ModelLanes, of_two_pending_requests_of_one_iocb_the_older_is_cancelled) {
  const auto poll = [](std::uint64_t data) {
    IocbSpec spec = nothing_to_read(0);
    spec.opcode = kPoll;
    spec.fd = Fd::kNbPipeRead;
    spec.buf = kPollIn;
    spec.data = data;
    return spec;
  };
  ASSERT_FALSE(kernel.submit({poll(7)}, {}).divergence);
  ASSERT_FALSE(kernel.submit({poll(8)}, {}).divergence);
  const Verdict verdict = kernel.run(Cancel{.ctx = kernel.ctx()}, [](FakeKernel& k) {
    k.fails(kEINPROGRESS);
    k.rings[0].add({8, arena::iocb_slot(0), 0, 0});
  });
  EXPECT_EQ(broken(verdict), Req::kCancelOldest);
}

}  // namespace
}  // namespace aio
