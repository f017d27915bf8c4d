// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tests of tests: a suite of its own, whose tests hold, fail, crash and break, run as others are.
#include "suites/harness/run.h"

#include <algorithm>
#include <csignal>

#include "fixtures/probe.h"
#include "suites/harness/case.h"

namespace aio::suites {

SUITE_TEST(sample, holds, {.holds = {"io_setup.returns_zero"}}) {
  EXPECT_RETURNS(0, io_setup(1, arena::context_slot(0)));
}

SUITE_TEST(sample, fails, {.holds = {"io_setup.returns_zero", "io_setup.ring_magic"}, .entries = kNativeOnly}) {
  claim("io_setup.ring_magic");
  EXPECT_ERROR(EFAULT, io_setup(1, arena::context_slot(0))) << "as it should";
}

SUITE_TEST(sample, ends_at_what_it_requires, {.holds = {"io_setup.returns_zero"}, .entries = kNativeOnly}) {
  require(testing::AssertionFailure() << "required");
  throw std::runtime_error("it goes on");
}

SUITE_TEST(sample, crashes, {.holds = {"io_setup.returns_zero"}, .entries = kNativeOnly}) { ::raise(SIGSEGV); }

SUITE_TEST(sample, breaks, {.holds = {"io_setup.returns_zero"}, .entries = kNativeOnly}) {
  throw std::runtime_error("cannot find a thing");
}

SUITE_TEST(sample, skips, {.holds = {"io_setup.returns_zero"}, .entries = kNativeOnly}) {
  skip("there is no such thing");
}

SUITE_TEST(sample, is_of_another_release, {.holds = {"io_pgetevents.enosys"}, .entries = kNativeOnly}) { FAIL(); }

SUITE_TEST(sample, runs_alone, {.holds = {"io_setup.returns_zero"}, .entries = kNativeOnly, .alone = true}) {}

namespace {

// GoogleTest reads its command line once in a process, so these tests set what processes of shards inherit: above all
// that they run the tests of tests and not these here again.
class RunSuites : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(filter, "sample_*"); }
  void TearDown() override {
    GTEST_FLAG_SET(filter, filter_);
    GTEST_FLAG_SET(repeat, 1);
  }

  static SuitesResult run(const Selection& selection) {
    Setting setting;
    setting.directory = "/tmp";
    setting.profile = &profile_for({6, 18});
    setting.machine = probe_machine("/tmp");
    setting.patience = std::chrono::milliseconds(500);
    return run_suites(setting, selection, [](const Progress&) {});
  }
  static const TestResult* find(const SuitesResult& result, const std::string& name) {
    const auto found = std::find_if(result.results.begin(), result.results.end(),
                                    [&](const TestResult& each) { return each.name == name; });
    return found == result.results.end() ? nullptr : &*found;
  }

 private:
  const std::string filter_ = GTEST_FLAG_GET(filter);
};

TEST_F(RunSuites, each_test_has_its_verdict) {
  Selection selection;
  selection.shards = 3;
  const SuitesResult all = run(selection);
  EXPECT_TRUE(all.failures.empty());
  EXPECT_EQ(all.results.size(), count_tests(selection));
  const std::pair<const char*, TestVerdict> wanted[] = {
      {"holds", TestVerdict::kHolds},      {"fails", TestVerdict::kFails},
      {"crashes", TestVerdict::kFails},    {"ends_at_what_it_requires", TestVerdict::kFails},
      {"breaks", TestVerdict::kBroken},    {"skips", TestVerdict::kSkipped},
      {"runs_alone", TestVerdict::kHolds}, {"is_of_another_release", TestVerdict::kSkipped},
  };
  for (const auto& [name, verdict] : wanted) {
    const TestResult* const result = find(all, name);
    ASSERT_NE(result, nullptr) << name;
    EXPECT_EQ(result->verdict, verdict) << name;
  }
  EXPECT_EQ(find(all, "breaks")->reason, "cannot find a thing");
  EXPECT_EQ(find(all, "skips")->reason, "there is no such thing");
  ASSERT_EQ(find(all, "crashes")->failures.size(), 1u);
  EXPECT_EQ(find(all, "crashes")->failures[0].text, "the test's process: SIGSEGV");
}

TEST_F(RunSuites, a_failure_names_requirement_place_call_and_both_answers) {
  Selection selection;
  GTEST_FLAG_SET(filter, "sample_*.fails");
  const SuitesResult all = run(selection);
  ASSERT_EQ(all.results.size(), 1u);
  ASSERT_EQ(all.results[0].failures.size(), 1u);
  const TestFailure& failure = all.results[0].failures[0];
  EXPECT_EQ(failure.requirement, "io_setup.ring_magic");
  EXPECT_NE(failure.file.find("run_test.cpp"), std::string::npos);
  EXPECT_GT(failure.line, 0);
  EXPECT_EQ(failure.text, "io_setup(1, arena::context_slot(0))\n  expected  EFAULT\n  seen      0\nas it should");
}

TEST_F(RunSuites, a_test_runs_through_the_entries_that_are_asked_for) {
  Selection selection;
  selection.entries = {EntryKind::kNative};
  GTEST_FLAG_SET(filter, "sample_*.holds");
  GTEST_FLAG_SET(repeat, 3);
  const SuitesResult all = run(selection);
  ASSERT_EQ(all.results.size(), 1u);
  EXPECT_EQ(all.results[0].entry, EntryKind::kNative);
  EXPECT_EQ(all.results[0].verdict, TestVerdict::kHolds);
}

}  // namespace
}  // namespace aio::suites
