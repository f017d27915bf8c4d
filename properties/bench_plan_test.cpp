// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench_plan.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

Plan example() {
  Plan plan;
  plan.operations = {{false, {}}, {true, {{0, 3}, {2, 70000}}}, {false, {}}};
  plan.peers = {Fd::kPipeRead, Fd::kSocket1};
  return plan;
}

TEST(BenchPlan, text_and_plan_are_the_same) {
  const std::optional<Plan> plan = read_plan(plan_text(example()));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->operations.size(), 3U);
  EXPECT_FALSE(plan->operations[0].release_by_signal);
  EXPECT_TRUE(plan->operations[1].release_by_signal);
  ASSERT_EQ(plan->operations[1].tails.size(), 2U);
  EXPECT_EQ(plan->operations[1].tails[1].slot, 2U);
  EXPECT_EQ(plan->operations[1].tails[1].tail, 70000U);
  EXPECT_EQ(plan->peers, (std::vector<Fd>{Fd::kPipeRead, Fd::kSocket1}));
}

TEST(BenchPlan, no_plan_reads_as_none) {
  EXPECT_FALSE(read_plan(plan_text(std::nullopt)));
  EXPECT_FALSE(read_plan(""));
}

}  // namespace
}  // namespace aio
