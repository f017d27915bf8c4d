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

TEST(Profile, names_are_the_releases) {
  for (const Profile& profile : profiles()) {
    EXPECT_EQ(profile.name, std::to_string(profile.release.major) + "." + std::to_string(profile.release.minor));
    EXPECT_EQ(find_profile(profile.name), &profile);
    EXPECT_EQ(&profile_for(profile.release), &profile);
  }
  EXPECT_EQ(find_profile("6.2"), nullptr);
  EXPECT_EQ(find_profile(""), nullptr);
}

TEST(Profile, a_release_between_two_profiles_takes_the_older) {
  EXPECT_STREQ(profile_for({4, 4}).name, "4.9");
  EXPECT_STREQ(profile_for({4, 20}).name, "4.19");
  EXPECT_STREQ(profile_for({6, 5}).name, "6.1");
  EXPECT_STREQ(profile_for({6, 13}).name, "6.12");
  EXPECT_STREQ(profile_for({7, 0}).name, "6.18");
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
