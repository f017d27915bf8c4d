// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/profile.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aio {
namespace {

const Profile& named(std::string_view name) {
  const Profile* profile = find_profile(name);
  EXPECT_NE(profile, nullptr) << name;
  return profile != nullptr ? *profile : profiles().back();
}

TEST(Profile, profiles_come_oldest_first) {
  const auto older = [](const Profile& a, const Profile& b) { return a.release < b.release; };
  EXPECT_TRUE(std::is_sorted(profiles().begin(), profiles().end(), older));
}

TEST(Profile, names_are_those_of_the_releases) {
  for (const Profile& profile : profiles()) {
    const Release& since = profile.release;
    const std::string name = std::to_string(since.major) + "." + std::to_string(since.minor);
    const bool last = &profile == &profiles().back() || (&profile + 1)->release.sublevel == 0;
    EXPECT_EQ(profile.name, last ? name : name + "." + std::to_string(since.sublevel));
    EXPECT_EQ(find_profile(profile.name), &profile);
    EXPECT_EQ(&profile_for(since), &profile);
  }
  for (const char* name : {"", "6", "6.", "6.19", "7.0", "4.8", "4.21", "5.20", "6.1.", "6.1.1.1", "6.1-", "6.1+x"}) {
    EXPECT_EQ(find_profile(name), nullptr) << name;
  }
}

TEST(Profile, every_release_has_one_and_every_stable_version_from_which_a_rule_differs) {
  const struct {
    Release release;
    const char* name;
  } releases[] = {
      {{4, 4}, "4.9"},
      {{4, 13}, "4.13"},
      {{4, 19, 37}, "4.19.0"},
      {{4, 19, 38}, "4.19.38"},
      {{4, 19, kLastSublevel}, "4.19"},
      {{5, 12, 7}, "5.12"},
      {{5, 15, 151}, "5.15.151"},
      {{6, 5, 1}, "6.5"},
      {{6, 8, 4}, "6.8.0"},
      {{6, 8, 5}, "6.8"},
      {{6, 18, 44}, "6.18"},
      {{7, 0}, "6.18"},
  };
  for (const auto& each : releases) EXPECT_STREQ(profile_for(each.release).name, each.name);
  EXPECT_STREQ(find_profile("4.19.20")->name, "4.19.0");
  EXPECT_STREQ(find_profile("6.18.44")->name, "6.18");
}

// semantics.md E: a stable version that took a rule over, and the one before it.
TEST(Profile, stable_versions_differ_from_those_before_them) {
  const struct {
    bool Profile::*rule;
    Release without, with;
  } changes[] = {
      {&Profile::compat_setup_undone, {4, 9}, {4, 10}},
      {&Profile::nowait_buffered, {4, 13, 16}, {4, 14}},
      {&Profile::fd_before_resfd, {4, 18, 20}, {4, 19, 38}},
      {&Profile::fd_before_resfd, {4, 19, 37}, {4, 19, 38}},
      {&Profile::fd_before_resfd, {5, 0, 10}, {5, 0, 11}},
      {&Profile::fd_before_resfd, {4, 20, 17}, {4, 17}},
      {&Profile::poll_ready_anywhere, {4, 20, 17}, {5, 0, 11}},
      {&Profile::poll_ready_anywhere, {4, 19, 37}, {5, 1}},
      {&Profile::compat_sigset, {5, 3, 15}, {5, 3, 16}},
      {&Profile::compat_sigset, {4, 19, 222}, {5, 4}},
      {&Profile::fsync_as_submitter, {5, 7}, {5, 8}},
      {&Profile::nice_may_use_rt, {5, 4, 286}, {5, 10, 198}},
      {&Profile::guards_eventfds, {5, 10, 198}, {5, 15, 135}},
      {&Profile::child_mremap_fails, {4, 19, 222}, {5, 4, 286}},
      {&Profile::child_mremap_fails, {6, 1, 191}, {6, 2}},
      {&Profile::cancel_in_progress, {5, 4, 271}, {5, 4, 272}},
      {&Profile::cancel_in_progress, {5, 10, 212}, {5, 10, 211}},
      {&Profile::cancel_in_progress, {5, 15, 151}, {5, 15, 152}},
      {&Profile::cancel_in_progress, {6, 1, 81}, {6, 1, 82}},
      {&Profile::cancel_in_progress, {6, 6, 21}, {6, 6, 22}},
      {&Profile::cancel_in_progress, {6, 7, 9}, {6, 8}},
      {&Profile::ioprio_hints, {6, 4}, {6, 1, 192}},
      {&Profile::ioprio_hints, {6, 1, 81}, {6, 5}},
  };
  for (const auto& each : changes) {
    const Profile& without = profile_for(each.without);
    const Profile& with = profile_for(each.with);
    EXPECT_FALSE(without.*each.rule) << without.name << ", " << with.name;
    EXPECT_TRUE(with.*each.rule) << without.name << ", " << with.name;
  }
}

TEST(Profile, what_was_probed_is_part_of_the_name) {
  const Profile& plain = *find_profile("5.15");
  for (const ProbedRule& rule : probed_rules()) {
    const bool holds = plain.*rule.rule;
    EXPECT_EQ(&with_rule(plain, rule, holds), &plain);
    const Profile& other = with_rule(plain, rule, !holds);
    EXPECT_EQ(other.name, std::string("5.15") + (holds ? "-" : "+") + rule.name);
    EXPECT_EQ(other.*rule.rule, !holds);
    EXPECT_EQ(other.release, plain.release);
    EXPECT_EQ(find_profile(other.name), &other);
  }
  const Profile* two = find_profile("5.15-poll_ready_anywhere+ioprio_hints");
  ASSERT_NE(two, nullptr);
  EXPECT_TRUE(two->ioprio_hints && !two->poll_ready_anywhere);
}

// What was seen on running kernels: semantics.md E and A.2, marks [V ...].
struct Seen {
  const char* name;
  std::uint32_t rw_flags;
  bool user_nr, timeout_first, since_4_18, poll, two_queues, eventfd_reads, hints, min_nr, pipe_nowait, null_nowait,
      unkeyed, short_write;
};

constexpr Seen kSeen[] = {
    {"4.9", 0, false, false, false, false, false, false, false, false, false, false, false, false},
    {"4.19", 0x1f, true, true, true, true, false, false, false, false, false, false, false, false},
    {"5.4", 0x1f, true, true, true, true, false, false, false, false, false, false, false, false},
    {"5.10", 0x1f, true, true, true, true, true, true, false, false, false, false, true, false},
    {"6.1", 0x1f, true, true, true, true, true, true, true, false, false, true, true, true},
    {"6.12", 0x7f, true, true, true, true, true, true, true, true, true, true, true, true},
    {"6.18", 0x1ff, true, true, true, true, true, true, true, true, true, true, true, true},
};

TEST(Profile, rules_are_what_running_kernels_showed) {
  for (const Seen& seen : kSeen) {
    SCOPED_TRACE(seen.name);
    const Profile& profile = named(seen.name);
    EXPECT_EQ(profile.rw_flags, seen.rw_flags);
    EXPECT_EQ(profile.counts_user_nr, seen.user_nr);
    EXPECT_EQ(profile.timeout_before_lookup, seen.timeout_first);
    EXPECT_EQ(profile.has_fsync, seen.since_4_18);
    EXPECT_EQ(profile.has_pgetevents, seen.since_4_18);
    EXPECT_EQ(profile.has_ioprio, seen.since_4_18);
    EXPECT_EQ(profile.clamps_nr, seen.since_4_18);
    EXPECT_EQ(profile.has_poll, seen.poll);
    EXPECT_EQ(profile.pipe_has_two_queues, seen.two_queues);
    EXPECT_EQ(profile.eventfd_reads, seen.eventfd_reads);
    EXPECT_EQ(profile.ioprio_hints, seen.hints);
    EXPECT_EQ(profile.min_nr_wakes, seen.min_nr);
    EXPECT_EQ(profile.pipe_nowait, seen.pipe_nowait);
    EXPECT_EQ(profile.null_nowait, seen.null_nowait);
    EXPECT_EQ(profile.hangup_unkeyed, seen.unkeyed);
    EXPECT_EQ(profile.flags_before_key, false) << "4.14 alone";
    EXPECT_EQ(profile.short_write_on_fault, seen.short_write);
    // The same on every kernel that was run.
    EXPECT_TRUE(profile.fd_before_resfd);
    EXPECT_TRUE(profile.cancel_in_progress);
  }
}

TEST(Profile, rw_flags_grow_with_the_releases) {
  EXPECT_EQ(named("4.14").rw_flags, 0xfu);
  EXPECT_EQ(named("6.8").rw_flags, 0x1fu);
  EXPECT_EQ(named("6.14").rw_flags, 0xffu);
}

TEST(Profile, minor_releases_compare_as_numbers) {
  EXPECT_LT((Release{4, 9}), (Release{4, 19}));
  EXPECT_LT((Release{4, 19}), (Release{5, 4}));
}

}  // namespace
}  // namespace aio
