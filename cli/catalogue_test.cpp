// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/catalogue.h"

#include <gtest/gtest.h>

#include "cli/exit.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

// A requirement that applies only where this does.
Requirement needing(std::string_view needs) { return {Req{}, "a.b", "It does.", "A", needs}; }

const Profile& newest() { return profiles().back(); }

TEST(Catalogue, what_applies_has_no_reason_not_to) {
  Machine machine;
  machine.usable_cpus = 2;
  EXPECT_EQ(why_not(needing(""), newest(), machine), "");
  EXPECT_EQ(why_not(needing(">=4.18,cpus2"), newest(), machine), "");
}

TEST(Catalogue, each_need_that_is_missing_is_named) {
  Machine machine;
  machine.file_system = "ext4";
  EXPECT_EQ(why_not(needing("cpus2"), newest(), machine), "this process may run on one CPU only");
  EXPECT_EQ(why_not(needing("cpus2,direct"), newest(), machine),
            "this process may run on one CPU only; ext4 refuses O_DIRECT; try --dir");
  EXPECT_EQ(why_not(needing(">=4.18"), *find_profile("4.14"), machine), "4.14 does not have it yet, 4.18 does");
}

TEST(Catalogue, every_need_of_the_catalogue_has_words_of_its_own) {
  for (const Requirement& each : requirements()) {
    for (const std::string_view token : split_needs(each.needs)) {
      for (const Profile& profile : profiles()) {
        EXPECT_EQ(why_not(needing(token), profile, Machine{}).find("it needs"), std::string::npos) << token;
      }
    }
  }
}

TEST(Catalogue, agrees_with_the_model_on_what_applies) {
  for (const Requirement& each : requirements()) {
    EXPECT_EQ(why_not(each, newest(), Machine{}).empty(), applies(each, newest(), Machine{})) << each.id;
  }
}

TEST(Catalogue, unknown_names_fail) {
  EXPECT_THROW(requirement_named("x"), Failure);
  EXPECT_THROW(profile_named("3.10"), Failure);
  EXPECT_THROW(require_lie("white"), Failure);
}

}  // namespace
}  // namespace aio::cli
