// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/option_value.h"

#include <gtest/gtest.h>

namespace aio::cli {
namespace {

TEST(OptionValue, is_the_next_word_or_what_follows_the_equals_sign) {
  const struct {
    std::vector<std::string> words;
    std::optional<std::string> value;
  } cases[] = {
      {{}, std::nullopt},
      {{"run", "--seed", "7"}, "7"},
      {{"run", "--seed=7", "--cases", "1"}, "7"},
      {{"--seed=", "7"}, ""},
      {{"--seed"}, ""},
      {{"--seeds", "7"}, std::nullopt},
      {{"--seeds=7", "--seed", "8"}, "8"},
      {{"seed", "-seed"}, std::nullopt},
      {{"--seed", "7", "--seed=8"}, "7"},
  };
  for (const auto& each : cases) EXPECT_EQ(option_value(each.words, "--seed"), each.value) << each.words.size();
}

TEST(OptionValue, suites_are_run_where_some_are_named) {
  EXPECT_TRUE(runs_suites({"run", "--suite", "poll,ring"}));
  EXPECT_TRUE(runs_suites({"run", "--suite=all"}));
  EXPECT_FALSE(runs_suites({"run", "--suite", "none"}));
  EXPECT_FALSE(runs_suites({"run", "--cases", "1"}));
}

}  // namespace
}  // namespace aio::cli
