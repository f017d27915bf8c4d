// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_setup and its limits, how calls find a context, io_destroy, and the orders of checks in io_cancel and
// io_pgetevents. Source: semantics.md A.0, A.1, A.4 to A.6.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Opinion = FakeKernel::Opinion;

struct SetupCase {
  const char* what;
  aio::Setup op;
  Req rule;
  int error;
};

TEST(ModelContext, io_setup_looks_at_its_arguments_in_order) {
  const SetupCase cases[] = {
      {"good", {.nr = 1}, Req::kSetupSucceeds, 0},
      {"null and none", {.nr = 0, .ctxp = arena::kNull}, Req::kSetupFaultBeforeNr, kEFAULT},
      {"null and too many", {.nr = 4194305, .ctxp = arena::kNull}, Req::kSetupCtxpUnreadable, kEFAULT},
      {"not zero and too many", {.nr = 4194305, .initial = 1}, Req::kSetupCtxpNotZero, kEINVAL},
      {"not zero and none", {.nr = 0, .initial = 1}, Req::kSetupCtxpNotZero, kEINVAL},
      {"none", {.nr = 0}, Req::kSetupNrZero, kEINVAL},
      {"largest that fits", {.nr = 4194304}, Req::kSetupNrOverMax, kEAGAIN},
      {"too many", {.nr = 4194305}, Req::kSetupNrTooLarge, kEINVAL},
      {"far too many", {.nr = 0x7fffffff}, Req::kSetupNrTooLarge, kEINVAL},
      {"doubles to nothing", {.nr = 0x80000000}, Req::kSetupNrWraps, kEAGAIN},
      {"doubles to two", {.nr = 0x80000001}, Req::kSetupNrOverMax, kEAGAIN},
      {"doubles to the most", {.nr = 0x80400000}, Req::kSetupNrOverMax, kEAGAIN},
      {"doubles to too many", {.nr = 0x80400001}, Req::kSetupNrTooLarge, kEINVAL},
      {"aio-max-nr", {.nr = 65536}, Req::kSetupSucceeds, 0},
      {"above aio-max-nr", {.nr = 65537}, Req::kSetupNrOverMax, kEAGAIN},
      {"unwritable and above aio-max-nr", {.nr = 65537, .ctxp = arena::kReadOnly}, Req::kSetupNrOverMax, kEAGAIN},
      {"unwritable", {.nr = 1, .ctxp = arena::kReadOnly}, Req::kSetupCtxpUnwritable, kEFAULT},
  };
  for (const SetupCase& each : cases) {
    FakeKernel kernel;
    EXPECT_EQ(kernel.opinion(each.op), (Opinion{each.rule, -each.error})) << each.what;
    if (each.error == 0) continue;
    EXPECT_FALSE(kernel.run(each.op, [&](FakeKernel& k) { k.fails(each.error); }).divergence) << each.what;
    const Verdict leaks = kernel.run(each.op, [&](FakeKernel& k) {
      k.fails(each.error);
      k.aio_nr += 1;
    });
    ASSERT_TRUE(leaks.divergence) << each.what;
    EXPECT_EQ(leaks.divergence->signature, (Signature{Req::kSetupFailureKeepsAioNr, Kind::kAioNr})) << each.what;
  }
}

struct Limit {
  const char* profile;
  std::uint64_t before;
  std::uint32_t nr;
  bool fits;
};

// 2 CPUs and aio-max-nr 65536; until 4.13 the doubled count, 16 at least, is held against twice that.
TEST(ModelContext, the_sum_of_all_contexts_stays_below_aio_max_nr) {
  constexpr Limit kLimits[] = {
      {"6.18", 65535, 1, true}, {"6.18", 65536, 1, false}, {"6.18", 60000, 5536, true}, {"6.18", 60000, 5537, false},
      {"4.9", 131056, 1, true}, {"4.9", 131057, 1, false}, {"4.9", 0, 65536, true},     {"4.9", 1, 65536, false},
      {"4.9", 131056, 8, true}, {"4.9", 131056, 9, false},
  };
  for (const Limit& each : kLimits) {
    FakeKernel kernel(*find_profile(each.profile));
    kernel.aio_nr = kernel.aio_nr_before = each.before;
    const Opinion right = each.fits ? Opinion{Req::kSetupSucceeds, 0} : Opinion{Req::kSetupSumOverMax, -kEAGAIN};
    EXPECT_EQ(kernel.opinion(aio::Setup{.nr = each.nr}), right) << each.profile << " " << each.before;
    EXPECT_EQ(kernel.setup(each.nr).divergence.has_value(), !each.fits);
  }
}

TEST(ModelContext, an_unknown_aio_nr_leaves_the_sum_to_the_kernel) {
  for (const int error : {0, static_cast<int>(kEAGAIN), static_cast<int>(kENOMEM)}) {
    FakeKernel kernel;
    const aio::Setup op{.nr = 1};
    Observation seen = kernel.observe();
    seen.aio_nr_before.reset();
    seen.aio_nr_after.reset();
    seen.result = -1;
    seen.error = error;
    if (error == 0) {
      kernel.map_ring(op);
      seen = kernel.observe();
      seen.aio_nr_after.reset();
    }
    kernel.model.begin(op, seen);
    const Verdict verdict = kernel.model.judge(seen);
    EXPECT_EQ(verdict.divergence.has_value(), error == kENOMEM);
    if (error != kENOMEM) {
      EXPECT_EQ(verdict.certainty, Certainty::kUndecided);
      EXPECT_FALSE(verdict.lost_track);
    }
  }
}

std::vector<Operation> calls_on(const Value& ctx) {
  return {Submit{.ctx = ctx, .nr = 0, .iocbs = {}}, Getevents{.ctx = ctx}, Pgetevents{.ctx = ctx},
          Cancel{.ctx = ctx, .iocb = arena::context_slot(2)}, Destroy{.ctx = ctx}};
}

TEST(ModelContext, a_context_is_found_by_its_id_word_until_it_is_destroyed) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  const auto set_id = [&](std::uint32_t id) {
    return kernel.run(RingStore{.ctx = kernel.ctx(), .field = RingField::kId, .value = id},
                      [&](FakeKernel& k) { k.rings[0].set_word(RingField::kId, id); });
  };
  ASSERT_FALSE(set_id(1).divergence);
  const Value ctx = kernel.ctx();
  for (const Operation& call : calls_on(ctx)) {
    EXPECT_EQ(kernel.opinion(call), (Opinion{Req::kLookupIdWord, -kEINVAL}));
  }
  ASSERT_FALSE(set_id(0).divergence);
  for (const Operation& call : calls_on(ctx)) EXPECT_NE(kernel.opinion(call).rule, Req::kLookupIdWord);
  ASSERT_FALSE(kernel.run(Destroy{.ctx = ctx}, [](FakeKernel& k) { k.rings.clear(), k.aio_nr = 0; }).divergence);
  for (const Operation& call : calls_on(ctx)) {
    EXPECT_EQ(kernel.opinion(call), (Opinion{Req::kLookupDestroyed, -kEINVAL}));
  }
  const std::vector<Operation> unknown = calls_on(0x1234);
  const Req rules[] = {Req::kSubmitUnknown, Req::kGeteventsUnknown, Req::kPgeteventsUnknown, Req::kCancelUnknown,
                       Req::kDestroyUnknown};
  for (std::size_t i = 0; i < unknown.size(); ++i) EXPECT_EQ(kernel.opinion(unknown[i]), (Opinion{rules[i], -kEINVAL}));
}

TEST(ModelContext, ids_are_the_lowest_that_are_free) {
  for (const std::uint32_t id : {0u, 1u, 2u, 3u}) {
    FakeKernel kernel;
    for (int i = 0; i < 3; ++i) ASSERT_FALSE(kernel.setup().divergence);
    const Verdict gone = kernel.run(Destroy{.ctx = kernel.ctx(1)}, [](FakeKernel& k) {
      k.rings.erase(k.rings.begin() + 1);
      k.aio_nr -= 1;
    });
    ASSERT_FALSE(gone.divergence);
    const aio::Setup op{.nr = 1, .ctxp = arena::context_slot(3)};
    const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
      k.map_ring(op, 0x7e0000000000);
      k.rings.back().set_word(RingField::kId, id);
    });
    EXPECT_EQ(verdict.divergence.has_value(), id != 1) << id;
  }
}

TEST(ModelContext, contexts_of_an_earlier_case_are_not_named_again_but_keep_their_ids) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  const Value ctx = kernel.ctx();
  for (const Operation& call : calls_on(ctx)) EXPECT_EQ(kernel.model.refuses(call), nullptr);
  kernel.model.begin_case({});
  kernel.memory.reset();
  kernel.rings.clear();
  for (const Operation& call : calls_on(ctx)) EXPECT_NE(kernel.model.refuses(call), nullptr);
  for (const Operation& call : calls_on(0)) EXPECT_EQ(kernel.model.refuses(call), nullptr);
  EXPECT_EQ(kernel.model.refuses(aio::Setup{}), nullptr);
  const aio::Setup op{.nr = 1};
  const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
    k.map_ring(op, 0x7d0000000000);
    k.rings[0].set_word(RingField::kId, 1);
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST(ModelContext, io_cancel_looks_at_the_key_then_the_context_then_the_requests) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  const Address zero_key = arena::context_slot(2) - 8;
  const Address other_key = arena::iocb_slot(0);
  const struct {
    const char* what;
    Cancel op;
    Req rule;
    int error;
  } cases[] = {
      {"null, no context", {.ctx = 8, .iocb = arena::kNull}, Req::kCancelIocbFault, kEFAULT},
      {"null", {.ctx = kernel.ctx(), .iocb = arena::kNull}, Req::kCancelIocbFault, kEFAULT},
      {"key, no context", {.ctx = 8, .iocb = other_key}, Req::kCancelKey, kEINVAL},
      {"key, not pending", {.ctx = kernel.ctx(), .iocb = other_key}, Req::kCancelKey, kEINVAL},
      {"no context, not pending", {.ctx = 8, .iocb = zero_key}, Req::kCancelUnknown, kEINVAL},
      {"not pending", {.ctx = kernel.ctx(), .iocb = zero_key}, Req::kCancelNotFound, kEINVAL},
      {"result is not looked at", {kernel.ctx(), zero_key, arena::kKernel}, Req::kCancelNotFound, kEINVAL},
  };
  for (const auto& each : cases) EXPECT_EQ(kernel.opinion(each.op), (Opinion{each.rule, -each.error})) << each.what;
}

TEST(ModelContext, io_pgetevents_looks_at_timeout_signals_size_mask_and_context_in_order) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  const Value ctx = kernel.ctx();
  using P = Pgetevents;
  const struct {
    const char* what;
    P op;
    Req rule;
    int error;
  } cases[] = {
      {"good", {.ctx = ctx}, Req::kGeteventsEmpty, 0},
      {"no signals", {.ctx = ctx, .sigset = 0}, Req::kGeteventsEmpty, 0},
      {"no mask of any size", {.ctx = ctx, .mask = 0, .size = 99}, Req::kGeteventsEmpty, 0},
      {"timeout, signals", {.ctx = ctx, .timeout = 1, .sigset = 1}, Req::kPgeteventsTimeoutFault, kEFAULT},
      {"signals, context", {.ctx = 8, .sigset = arena::kUnmapped}, Req::kPgeteventsSigsetFault, kEFAULT},
      {"size, mask", {.ctx = ctx, .mask = 1, .size = 4}, Req::kPgeteventsSigsetSize, kEINVAL},
      {"size, context", {.ctx = 8, .size = 4}, Req::kPgeteventsSigsetSize, kEINVAL},
      {"mask, context", {.ctx = 8, .mask = arena::kUnmapped}, Req::kPgeteventsMaskFault, kEFAULT},
      {"context, range", {.ctx = 8, .min_nr = -1}, Req::kPgeteventsUnknown, kEINVAL},
      {"range", {.ctx = ctx, .min_nr = 2}, Req::kGeteventsMinOverNr, kEINVAL},
  };
  for (const auto& each : cases) EXPECT_EQ(kernel.opinion(each.op), (Opinion{each.rule, -each.error})) << each.what;
  FakeKernel old(*find_profile("4.14"));
  EXPECT_EQ(old.opinion(P{.ctx = 8, .timeout = 1}), (Opinion{Req::kPgeteventsMissing, -kENOSYS}));
}

}  // namespace
}  // namespace aio
