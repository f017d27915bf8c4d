// SPDX-License-Identifier: GPL-2.0-or-later
//
// Holds the whole catalogue to its form.
#include "reference/requirement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "reference/abi.h"
#include "reference/needs.h"

namespace aio {
namespace {

// Lower-case words joined by underscores, in two or more parts joined by dots.
bool well_formed(std::string_view id) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  const auto joint = [](char c) { return c == '_' || c == '.'; };
  if (id.empty() || id.front() < 'a' || id.front() > 'z' || joint(id.back())) return false;
  if (!std::all_of(id.begin(), id.end(), allowed)) return false;
  const auto doubled = std::adjacent_find(id.begin(), id.end(), [&](char a, char b) { return joint(a) && joint(b); });
  return doubled == id.end() && id.find('.') != std::string_view::npos;
}

// Those of the model and those of the suites.
std::vector<Requirement> catalogue() {
  std::vector<Requirement> all(requirements().begin(), requirements().end());
  all.insert(all.end(), suite_requirements().begin(), suite_requirements().end());
  return all;
}

TEST(Requirement, each_is_found_in_the_catalogue) {
  for (const Requirement& each : requirements()) EXPECT_EQ(find_in_catalogue(each.id), &each) << each.id;
  for (const Requirement& each : suite_requirements()) {
    EXPECT_EQ(find_in_catalogue(each.id), &each) << each.id;
    EXPECT_EQ(find_requirement(each.id), std::nullopt) << each.id;
  }
  EXPECT_EQ(find_in_catalogue("io_submit"), nullptr);
}

TEST(Requirement, there_are_300_at_least) { EXPECT_GE(catalogue().size(), 300u); }

TEST(Requirement, each_is_found_by_its_id_and_its_enumerator) {
  for (const Requirement& each : requirements()) {
    EXPECT_EQ(find_requirement(each.id), each.req) << each.id;
    EXPECT_EQ(&requirement(each.req), &each) << each.id;
  }
  EXPECT_EQ(requirements().size(), kRequirementCount);
}

TEST(Requirement, other_ids_are_not_found) {
  EXPECT_EQ(find_requirement(""), std::nullopt);
  EXPECT_EQ(find_requirement("io_submit"), std::nullopt);
  EXPECT_EQ(find_requirement(std::string(requirements().front().id) + "_"), std::nullopt);
}

TEST(Requirement, ids_are_unique) {
  std::set<std::string_view> ids;
  for (const Requirement& each : catalogue()) {
    EXPECT_TRUE(ids.insert(each.id).second) << each.id;
  }
}

TEST(Requirement, ids_are_words_with_dots_and_underscores) {
  for (const Requirement& each : catalogue()) EXPECT_TRUE(well_formed(each.id)) << each.id;
}

TEST(Requirement, the_form_of_ids_is_strict) {
  for (const char* id :
       {"", "a", ".a", "a.", "a.b_", "_a.b", "a..b", "a._b", "a__b.c", "A.b", "a.b c", "a/b.c", "1a.b", "a.b-c"}) {
    EXPECT_FALSE(well_formed(id)) << id;
  }
  for (const char* id : {"a.b", "io_submit.key_written", "a.b.c2"}) {
    EXPECT_TRUE(well_formed(id)) << id;
  }
}

TEST(Requirement, sentences_are_unique_and_end_with_a_full_stop) {
  std::set<std::string_view> sentences;
  for (const Requirement& each : catalogue()) {
    EXPECT_TRUE(each.sentence.ends_with('.')) << each.id;
    EXPECT_TRUE(sentences.insert(each.sentence).second) << each.id;
  }
}

TEST(Requirement, each_has_a_source) {
  for (const Requirement& each : catalogue()) EXPECT_FALSE(each.source.empty()) << each.id;
}

TEST(Requirement, needs_are_known_tokens) {
  for (const Requirement& each : catalogue()) {
    for (const std::string_view token : split_needs(each.needs)) {
      EXPECT_TRUE(need_holds(token, profiles().back(), Machine{}).has_value())
          << each.id << " needs \"" << token << '"';
    }
  }
}

// A machine with the facts that are set in `bits`.
Machine machine_with(unsigned bits) {
  Machine machine;
  machine.usable_cpus = (bits & 1) != 0 ? 2 : 1;
  machine.file_nowait = (bits & 2) != 0;
  machine.file_dontcache = (bits & 4) != 0;
  machine.direct = (bits & 8) != 0;
  machine.direct_queues = (bits & 16) != 0;
  machine.may_use_rt_ioprio = (bits & 32) != 0;
  machine.nowait_write_error = (bits & 64) != 0 ? kEOPNOTSUPP : 0;
  machine.gate = (bits & 256) != 0;
  machine.lanes = (bits & 512) != 0;
  machine.compat = (bits & 1024) != 0;
  machine.guest = true;
  machine.max_file = (bits & 128) != 0 ? 1ull << 44 : INT64_MAX;
  return machine;
}

bool applies_anywhere(const Requirement& each) {
  for (const Profile& profile : profiles()) {
    for (unsigned bits = 0; bits < 2048; ++bits) {
      if (applies(each, profile, machine_with(bits))) return true;
    }
  }
  return false;
}

TEST(Requirement, each_applies_on_some_release_and_machine) {
  for (const Requirement& each : catalogue()) EXPECT_TRUE(applies_anywhere(each)) << each.id;
}

TEST(Requirement, all_tokens_of_needs_must_hold) {
  Machine machine;
  machine.usable_cpus = 2;
  const Profile& profile = profiles().back();
  const auto needing = [](std::string_view needs) { return Requirement{Req{}, "", "", "", needs}; };
  EXPECT_TRUE(applies(needing(""), profile, machine));
  EXPECT_TRUE(applies(needing("cpus2,>=4.19"), profile, machine));
  EXPECT_FALSE(applies(needing("cpus2,<4.19"), profile, machine));
  EXPECT_FALSE(applies(needing("rt,cpus2"), profile, machine));
}

TEST(Requirement, releases_are_text_of_needs) {
  for (const Requirement& each : catalogue()) {
    EXPECT_EQ(releases(each), releases_text(each.needs)) << each.id;
  }
}

}  // namespace
}  // namespace aio
