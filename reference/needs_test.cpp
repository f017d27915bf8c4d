// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/needs.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

using Tokens = std::vector<std::string_view>;

std::optional<bool> holds_on(const char* profile, std::string_view token) {
  return need_holds(token, *find_profile(profile), Machine{});
}

TEST(Needs, tokens_stand_between_commas) {
  EXPECT_EQ(split_needs(""), Tokens{});
  EXPECT_EQ(split_needs("rt"), Tokens{"rt"});
  EXPECT_EQ(split_needs(">=4.19,<6.8,cpus2"), (Tokens{">=4.19", "<6.8", "cpus2"}));
}

TEST(Needs, misplaced_commas_give_empty_tokens_and_those_are_unknown) {
  EXPECT_EQ(split_needs("rt,"), (Tokens{"rt", ""}));
  EXPECT_EQ(split_needs(",rt"), (Tokens{"", "rt"}));
  EXPECT_EQ(holds_on("6.18", ""), std::nullopt);
}

TEST(Needs, releases_are_compared_as_numbers) {
  EXPECT_EQ(holds_on("4.9", ">=4.19"), false);
  EXPECT_EQ(holds_on("4.19", ">=4.19"), true);
  EXPECT_EQ(holds_on("5.4", ">=4.19"), true);
  EXPECT_EQ(holds_on("6.1", "<6.8"), true);
  EXPECT_EQ(holds_on("6.8", "<6.8"), false);
  EXPECT_EQ(holds_on("6.12", "<6.8"), false);
}

TEST(Needs, a_switch_of_the_profile_is_a_need) {
  EXPECT_EQ(holds_on("6.6", "min_nr_wakes"), false);
  EXPECT_EQ(holds_on("6.8", "min_nr_wakes"), true);
}

TEST(Needs, each_fact_of_the_machine_decides_its_tokens) {
  Machine off;
  Machine on;
  off.aio_nr = false;
  on.usable_cpus = 2;
  on.file_nowait = on.file_dontcache = on.direct = on.direct_queues = on.may_use_rt_ioprio = true;
  const Profile& profile = profiles().back();
  for (const char* token : {"aio_nr", "cpus2", "nowait", "dontcache", "direct", "direct_queues", "rt"}) {
    EXPECT_EQ(need_holds(token, profile, off), false) << token;
    EXPECT_EQ(need_holds(token, profile, on), true) << token;
  }
  for (const char* token : {"no_nowait", "no_rt"}) {
    EXPECT_EQ(need_holds(token, profile, off), true) << token;
    EXPECT_EQ(need_holds(token, profile, on), false) << token;
  }
}

TEST(Needs, no_fact_stands_in_for_another) {
  Machine machine;
  machine.direct = true;
  EXPECT_EQ(need_holds("direct_queues", profiles().back(), machine), false);
  machine = {};
  machine.file_nowait = true;
  EXPECT_EQ(need_holds("dontcache", profiles().back(), machine), false);
}

TEST(Needs, misspelt_tokens_are_unknown) {
  for (const char* token : {"cpu2", "RT", " rt", "rt ", ">=", ">=6", ">=6.", ">=.8", ">=6.8.1", ">=6.x", "<-6.8",
                            "> =6.8", "=6.8", ">6.8", "<=6.8"}) {
    EXPECT_EQ(holds_on("6.18", token), std::nullopt) << token;
  }
}

TEST(Needs, releases_read_as_text) {
  EXPECT_EQ(releases_text(""), "all");
  EXPECT_EQ(releases_text("rt,cpus2"), "all");
  EXPECT_EQ(releases_text(">=4.19"), "4.19 and later");
  EXPECT_EQ(releases_text("nowait,<4.18"), "before 4.18");
  EXPECT_EQ(releases_text(">=4.19,direct,<6.8"), "4.19 and later, before 6.8");
  EXPECT_EQ(releases_text("min_nr_wakes"), "6.8 and later");
}

TEST(Needs, the_text_of_min_nr_wakes_agrees_with_the_profiles) {
  for (const Profile& profile : profiles()) {
    EXPECT_EQ(profile.min_nr_wakes, profile.release >= (Release{6, 8})) << profile.name;
  }
}

TEST(Needs, the_release_is_told_from_the_machine) {
  EXPECT_TRUE(in_release(">=4.18,cpus2", profiles().back()));
  EXPECT_FALSE(in_release("<4.18", profiles().back()));
}

}  // namespace
}  // namespace aio
