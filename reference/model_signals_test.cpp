// SPDX-License-Identifier: GPL-2.0-or-later
//
// Signals that hit a lane inside a call, in the model.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

constexpr std::uint64_t kRestartBit = signal_bit(SignalKind::kRestart);
constexpr std::uint64_t kBlockedBit = signal_bit(SignalKind::kBlocked);

Req broken(const Verdict& verdict) {
  return verdict.divergence ? verdict.divergence->signature.requirement : Req::kSetupSucceeds;
}

class ModelSignals : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(kernel.setup().divergence);
    kernel.lane = kProcessLane;
    ASSERT_FALSE(kernel.run(InLane{kProcessLane}).divergence);
  }
  static void sleeps(FakeKernel& k) { k.asleep = true; }
  Verdict wait() {
    return kernel.run(Getevents{.ctx = kernel.ctx(), .min_nr = 1, .events = arena::kEvents, .timeout = arena::kNull},
                      sleeps);
  }
  Verdict wait_with(std::uint64_t mask) {
    Pgetevents op{.ctx = kernel.ctx(), .min_nr = 1, .events = arena::kEvents, .timeout = arena::kNull};
    op.signals = mask;
    return kernel.run(op, sleeps);
  }
  // What the signal makes the lane's call return; nothing: it sleeps on.
  Verdict hit(SignalKind kind, std::optional<LaneReturn> returned = std::nullopt) {
    return kernel.run(Interrupt{kProcessLane, kind}, [&](FakeKernel& k) {
      if (returned) k.returns = {*returned};
    });
  }
  static LaneReturn eintr(unsigned handlers) { return {kProcessLane, -1, kEINTR, handlers}; }

  FakeKernel kernel{profiles().back(), {}, fake_machine(), true};
};

TEST_F(ModelSignals, with_sa_restart_a_wait_ends_too) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_FALSE(hit(SignalKind::kRestart, eintr(1)).divergence);
  ASSERT_FALSE(wait().divergence);
  EXPECT_EQ(broken(hit(SignalKind::kRestart)), Req::kWaiterNotRestarted);
}

TEST_F(ModelSignals, a_stop_ends_io_getevents_without_a_handler) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_FALSE(hit(SignalKind::kStop, eintr(0)).divergence);
  ASSERT_FALSE(wait().divergence);
  EXPECT_EQ(broken(hit(SignalKind::kStop)), Req::kWaiterStopped);
}

TEST_F(ModelSignals, a_stop_does_not_end_io_pgetevents) {
  ASSERT_FALSE(wait_with(0).divergence);
  EXPECT_FALSE(hit(SignalKind::kStop).divergence);
  EXPECT_EQ(broken(hit(SignalKind::kStop, eintr(0))), Req::kPgeteventsRestarts);
}

TEST_F(ModelSignals, a_stop_gives_what_io_pgetevents_finds_in_the_ring) {
  IocbSpec nothing;
  Pgetevents two{.ctx = kernel.ctx(), .min_nr = 2, .nr = 2, .events = arena::kEvents, .timeout = arena::kNull};
  ASSERT_FALSE(kernel.run(two, sleeps).divergence);
  kernel.lane = 0;
  ASSERT_FALSE(kernel.run(InLane{0}).divergence);
  const Event event{0, arena::iocb_slot(0), 0, 0};
  ASSERT_FALSE(kernel.submit({nothing}, {event}).divergence);
  const Verdict verdict = kernel.run(Interrupt{kProcessLane, SignalKind::kStop}, [&](FakeKernel& k) {
    k.memory.store(arena::kEvents, std::as_bytes(std::span(&event, 1)));
    k.rings[0].set_word(RingField::kHead, 1);
    k.returns = {{kProcessLane, 1, 0, 0}};
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelSignals, a_stop_is_refused_where_the_arguments_have_changed) {
  const Interrupt stop{kProcessLane, SignalKind::kStop};
  ASSERT_FALSE(wait_with(0).divergence);
  EXPECT_EQ(kernel.model.refuses(stop), nullptr);
  ASSERT_FALSE(kernel.run(Store{arena::kSignalMask, 1, 8}).divergence);
  EXPECT_NE(kernel.model.refuses(stop), nullptr);
  EXPECT_EQ(kernel.model.refuses(Interrupt{1, SignalKind::kStop}), nullptr);
}

TEST_F(ModelSignals, only_the_process_is_stopped) {
  kernel.lane = 1;
  ASSERT_FALSE(kernel.run(InLane{1}).divergence);
  ASSERT_FALSE(wait().divergence);
  const Verdict verdict = kernel.run(Interrupt{1, SignalKind::kStop}, [](FakeKernel& k) { k.skipped = true; });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelSignals, what_is_ignored_or_blocked_does_not_end_a_wait) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_FALSE(hit(SignalKind::kIgnored).divergence);
  EXPECT_FALSE(hit(SignalKind::kBlocked).divergence);
  EXPECT_EQ(broken(hit(SignalKind::kBlocked, eintr(0))), Req::kWaiterBlocked);
}

TEST_F(ModelSignals, an_ignored_signal_that_ends_a_wait_diverges) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_EQ(broken(hit(SignalKind::kIgnored, eintr(0))), Req::kWaiterIgnores);
}

TEST_F(ModelSignals, a_mask_lets_in_what_the_lane_blocks) {
  ASSERT_FALSE(wait_with(kRestartBit).divergence);
  EXPECT_FALSE(hit(SignalKind::kBlocked, eintr(1)).divergence);
  ASSERT_FALSE(wait_with(kRestartBit).divergence);
  EXPECT_EQ(broken(hit(SignalKind::kBlocked)), Req::kPgeteventsLetsIn);
}

TEST_F(ModelSignals, without_a_mask_nothing_is_let_in) {
  Pgetevents op{.ctx = kernel.ctx(), .min_nr = 1, .timeout = arena::kNull, .mask = arena::kNull};
  ASSERT_FALSE(kernel.run(op, sleeps).divergence);
  EXPECT_FALSE(hit(SignalKind::kBlocked).divergence);
}

TEST_F(ModelSignals, a_mask_keeps_out_what_comes_at_the_end) {
  ASSERT_FALSE(wait_with(kRestartBit | kBlockedBit).divergence);
  for (const SignalKind kind : {SignalKind::kRestart, SignalKind::kBlocked, SignalKind::kRestart}) {
    EXPECT_FALSE(hit(kind).divergence);
  }
  EXPECT_FALSE(hit(SignalKind::kCaught, eintr(2)).divergence);
}

TEST_F(ModelSignals, what_a_mask_keeps_out_comes_before_a_restart_too) {
  ASSERT_FALSE(wait_with(kRestartBit).divergence);
  for (const SignalKind kind : {SignalKind::kRestart, SignalKind::kStop, SignalKind::kRestart}) {
    EXPECT_FALSE(hit(kind).divergence);
  }
  EXPECT_FALSE(hit(SignalKind::kCaught, eintr(3)).divergence);
}

TEST_F(ModelSignals, a_signal_that_a_mask_does_not_keep_out_diverges) {
  ASSERT_FALSE(wait_with(kRestartBit).divergence);
  EXPECT_EQ(broken(hit(SignalKind::kRestart, eintr(1))), Req::kPgeteventsMaskBlocks);
}

TEST_F(ModelSignals, a_handler_that_does_not_run_diverges) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_EQ(broken(hit(SignalKind::kCaught, eintr(0))), Req::kSignalHandled);
}

TEST_F(ModelSignals, a_handler_that_does_not_run_at_the_end_diverges) {
  ASSERT_FALSE(wait_with(kRestartBit).divergence);
  ASSERT_FALSE(hit(SignalKind::kRestart).divergence);
  EXPECT_EQ(broken(hit(SignalKind::kCaught, eintr(1))), Req::kPgeteventsComesAfter);
}

TEST_F(ModelSignals, handlers_that_nobody_counted_are_not_judged) {
  ASSERT_FALSE(wait().divergence);
  EXPECT_FALSE(hit(SignalKind::kCaught, LaneReturn{kProcessLane, -1, kEINTR}).divergence);
}

TEST_F(ModelSignals, a_mask_that_stays_after_a_signal_diverges) {
  ASSERT_FALSE(wait_with(0).divergence);
  const Verdict verdict = kernel.run(Interrupt{kProcessLane, SignalKind::kBlocked}, [](FakeKernel& k) {
    k.returns = {eintr(1)};
    k.mask_changed = kBlockedBit;
  });
  EXPECT_EQ(broken(verdict), Req::kPgeteventsMaskRestored);
}

TEST_F(ModelSignals, a_wait_that_no_signal_ends_is_refused) {
  Pgetevents op{.ctx = kernel.ctx(), .min_nr = 1, .timeout = arena::kNull};
  EXPECT_EQ(kernel.model.refuses(op), nullptr);
  op.signals = signal_bit(SignalKind::kCaught);
  EXPECT_NE(kernel.model.refuses(op), nullptr);
}

class ModelSignalsInSubmit : public ModelSignals {
 protected:
  void SetUp() override {
    ModelSignals::SetUp();
    IocbSpec read;
    read.fd = Fd::kPipeRead;
    read.nbytes = 8;
    const Verdict verdict = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {read}}, [](FakeKernel& k) {
      k.asleep = true;
      k.store_word(arena::iocb_slot(0) + 8, 0, 4);
    });
    ASSERT_FALSE(verdict.divergence);
  }
  Verdict ends(SignalKind kind, std::int64_t res) {
    return kernel.run(Interrupt{kProcessLane, kind}, [&](FakeKernel& k) {
      k.rings[0].add({0, arena::iocb_slot(0), res, 0});
      k.returns = {{kProcessLane, 1, 0, kind == SignalKind::kStop ? 0 : 1}};
    });
  }
};

TEST_F(ModelSignalsInSubmit, sa_restart_does_not_restart_the_read) {
  EXPECT_FALSE(ends(SignalKind::kRestart, -kEINTR).divergence);
}

TEST_F(ModelSignalsInSubmit, a_stop_ends_the_read) { EXPECT_FALSE(ends(SignalKind::kStop, -kEINTR).divergence); }

TEST_F(ModelSignalsInSubmit, a_result_of_the_kernels_own_diverges) {
  constexpr std::int64_t kErestartsys = 512;
  EXPECT_EQ(broken(ends(SignalKind::kRestart, -kErestartsys)), Req::kSignalEndsRequest);
}

TEST_F(ModelSignalsInSubmit, a_blocked_signal_does_not_end_the_read) {
  EXPECT_FALSE(hit(SignalKind::kBlocked).divergence);
  EXPECT_EQ(broken(ends(SignalKind::kIgnored, -kEINTR)), Req::kEventOnlyForRequests);
}

}  // namespace
}  // namespace aio
