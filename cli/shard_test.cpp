// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/shard.h"

#include <gtest/gtest.h>

#include <map>

#include "cli/exit.h"

namespace aio::cli {
namespace {

using Values = std::map<std::string, std::string>;

Shard chosen(const std::string& option, const Values& values = {}) {
  return chosen_shard(option, [&](const std::string& name) {
    const auto found = values.find(name);
    return found != values.end() ? std::optional(found->second) : std::nullopt;
  });
}

std::string refusal(const std::string& option, const Values& values = {}) {
  try {
    chosen(option, values);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit(), Exit::kUsage);
    return failure.what();
  }
  return "";
}

TEST(Shard, is_the_whole_where_nobody_says_otherwise) {
  const Shard shard = chosen("");
  EXPECT_EQ(shard.index, 0u);
  EXPECT_EQ(shard.count, 1u);
  EXPECT_EQ(shard.said_by, "");
}

TEST(Shard, is_what_the_option_says_whatever_the_environment_has) {
  const Shard shard = chosen("2/8", {{"CI_NODE_INDEX", "1"}, {"GTEST_SHARD_INDEX", "7"}});
  EXPECT_EQ(shard.index, 2u);
  EXPECT_EQ(shard.count, 8u);
  EXPECT_EQ(shard.said_by, "--shard");
}

TEST(Shard, is_what_one_engine_says) {
  const struct {
    Values values;
    std::uint64_t index;
    std::uint64_t count;
    const char* said_by;
  } cases[] = {
      {{{"GTEST_SHARD_INDEX", "0"}, {"GTEST_TOTAL_SHARDS", "3"}}, 0, 3, "GoogleTest"},
      {{{"TEST_SHARD_INDEX", "2"}, {"TEST_TOTAL_SHARDS", "3"}}, 2, 3, "Bazel"},
      {{{"SLURM_ARRAY_TASK_ID", "5"},
        {"SLURM_ARRAY_TASK_COUNT", "4"},
        {"SLURM_ARRAY_TASK_MIN", "3"},
        {"SLURM_ARRAY_TASK_MAX", "6"}},
       2,
       4,
       "Slurm"},
      {{{"JOB_COMPLETION_INDEX", "1"}, {"AIO_CTS_SHARDS", "2"}}, 1, 2, "Kubernetes"},
      {{{"CI_NODE_INDEX", "1"}, {"CI_NODE_TOTAL", "5"}}, 0, 5, "GitLab"},
      {{{"SHARD_INDEX", "4"}, {"SHARD_NUMBER", "4"}}, 3, 4, "LAVA"},
  };
  for (const auto& each : cases) {
    const Shard shard = chosen("", each.values);
    EXPECT_EQ(shard.index, each.index) << each.said_by;
    EXPECT_EQ(shard.count, each.count) << each.said_by;
    EXPECT_EQ(shard.said_by, each.said_by);
  }
}

// GitLab sets the total in jobs that are not parallel.
TEST(Shard, a_total_alone_says_nothing) { EXPECT_EQ(chosen("", {{"CI_NODE_TOTAL", "1"}}).count, 1u); }

TEST(Shard, what_cannot_be_is_refused_and_says_what_would_be_right) {
  EXPECT_EQ(refusal("3"), "--shard 3: right would be I/N, such as 0/4, the first of four");
  EXPECT_EQ(refusal("4/4"), "--shard 4/4: right would be 0/4 to 3/4");
  EXPECT_EQ(refusal("0/0"), "--shard 0/0: right would be at least one shard");
  EXPECT_EQ(refusal("-1/4"), "the I of --shard is '-1': right would be a number");
  EXPECT_EQ(refusal("", {{"CI_NODE_INDEX", "0"}, {"CI_NODE_TOTAL", "4"}}),
            "CI_NODE_INDEX is 0 and CI_NODE_TOTAL is 4: right would be 1 to 4");
  EXPECT_EQ(refusal("", {{"JOB_COMPLETION_INDEX", "0"}}),
            "JOB_COMPLETION_INDEX is set and AIO_CTS_SHARDS is not: how many shards are there? (Kubernetes; or give "
            "--shard I/N)");
  EXPECT_EQ(refusal("", {{"AIO_CTS_SHARDS", "4"}}),
            "AIO_CTS_SHARDS is set and JOB_COMPLETION_INDEX is not: right would be a Kubernetes Job with "
            "completionMode: Indexed, or --shard I/N");
  EXPECT_EQ(refusal("", {{"CI_NODE_INDEX", "1"}, {"SHARD_INDEX", "1"}}),
            "both CI_NODE_INDEX (GitLab) and SHARD_INDEX (LAVA) are set: which shard is this? (give --shard I/N)");
}

TEST(Shard, a_slurm_array_with_gaps_is_refused) {
  EXPECT_EQ(refusal("", {{"SLURM_ARRAY_TASK_ID", "5"},
                         {"SLURM_ARRAY_TASK_COUNT", "3"},
                         {"SLURM_ARRAY_TASK_MIN", "1"},
                         {"SLURM_ARRAY_TASK_MAX", "7"}}),
            "the Slurm array has 3 tasks from 1 to 7: which shard is task 5? (right would be --array=0-2)");
}

TEST(Shard, has_a_seed_that_all_have) {
  EXPECT_NO_THROW(require_seed(chosen(""), false));
  EXPECT_NO_THROW(require_seed(chosen("0/1"), true));
  EXPECT_THROW(require_seed(chosen("0/1"), false), Failure);
}

}  // namespace
}  // namespace aio::cli
