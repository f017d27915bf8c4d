// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/outcome.h"

namespace aio::suites {
namespace {

TestResult sample() {
  TestResult result;
  result.suite = "io_setup";
  result.name = "nr_zero_is_einval";
  result.entry = EntryKind::kCompat;
  result.verdict = TestVerdict::kFails;
  result.seconds = 1.25;
  result.failures = {
      {"io_setup.nr_zero_is_einval", "suites/io_setup.cpp", 12, "io_setup(0, kVariable)\n  expected  EINVAL"},
      {"", "", 0, ""}};
  return result;
}

TEST(Outcome, a_packed_result_is_one_line_and_comes_back) {
  const TestResult result = sample();
  const std::string line = packed(result);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto back = unpacked(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->full_name(), "io_setup.nr_zero_is_einval");
  EXPECT_EQ(back->entry, EntryKind::kCompat);
  EXPECT_EQ(back->verdict, TestVerdict::kFails);
  EXPECT_DOUBLE_EQ(back->seconds, 1.25);
  ASSERT_EQ(back->failures.size(), 2u);
  EXPECT_EQ(back->failures[0].requirement, "io_setup.nr_zero_is_einval");
  EXPECT_EQ(back->failures[0].line, 12);
  EXPECT_EQ(back->failures[0].text, "io_setup(0, kVariable)\n  expected  EINVAL");
  EXPECT_EQ(back->failures[1].text, "");
}

TEST(Outcome, an_empty_result_comes_back) {
  const auto back = unpacked(packed({}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->verdict, TestVerdict::kHolds);
  EXPECT_TRUE(back->failures.empty());
}

TEST(Outcome, what_is_no_packed_result_is_none) {
  const std::string whole = packed(sample());
  EXPECT_FALSE(unpacked(""));
  EXPECT_FALSE(unpacked("done"));
  EXPECT_FALSE(unpacked(whole + '\x1f'));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto cut = unpacked(std::string_view(whole).substr(0, size));
    EXPECT_FALSE(cut && packed(*cut) == whole);
  }
}

TEST(Outcome, failures_are_of_the_claimed_requirement) {
  Outcome outcome;
  outcome.begin("io_setup.returns_zero");
  outcome.fail("one", "a.cpp", 1);
  outcome.claim("io_setup.ring_magic");
  outcome.fail("two", "a.cpp", 2);
  ASSERT_EQ(outcome.result().failures.size(), 2u);
  EXPECT_EQ(outcome.result().failures[0].requirement, "io_setup.returns_zero");
  EXPECT_EQ(outcome.result().failures[1].requirement, "io_setup.ring_magic");
  EXPECT_EQ(outcome.result().verdict, TestVerdict::kFails);
}

TEST(Outcome, the_gravest_stays) {
  Outcome outcome;
  outcome.begin("io_setup.returns_zero");
  outcome.fail("it does not", "a.cpp", 1);
  outcome.skip("the machine has none");
  outcome.break_off("cannot open a file");
  EXPECT_EQ(outcome.result().verdict, TestVerdict::kFails);
  outcome.begin("io_setup.returns_zero");
  outcome.skip("the machine has none");
  EXPECT_EQ(outcome.result().verdict, TestVerdict::kSkipped);
  outcome.break_off("cannot open a file");
  EXPECT_EQ(outcome.result().verdict, TestVerdict::kBroken);
}

}  // namespace
}  // namespace aio::suites
