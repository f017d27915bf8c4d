// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/suites_report.h"

#include <gtest/gtest.h>

#include "reports/report_testing.h"
#include "reports/terminal.h"

namespace aio {
namespace {

SuitesSummary sample() {
  SuitesSummary suites;
  suites.seconds = 12.5;
  const SuiteRun::Failure failure{"io_setup.nr_zero_is_einval", "suites/io_setup.cpp:83",
                                  "io_setup(0, kVariable)\n  expected  EINVAL\n  seen      EFAULT", false};
  const SuiteRun::Failure choice{"event.order_of_unordered", "suites/ring.cpp:12", "the later request came first",
                                 true};
  suites.runs = {
      {"io_setup.nr_zero_is_einval", "native", "fails", "", {failure}, 0.01},
      {"io_setup.nr_zero_is_einval", "libaio", "holds", "", {}, 0.01},
      {"io_setup.nr_zero_is_einval", "compat32", "fails", "", {failure}, 0.01},
      {"ring.order", "native", "holds", "", {choice}, 0.01},
      {"rw.realtime", "native", "skipped", "this process may use real-time priorities", {}, 0},
      {"rw.file", "native", "broken", "cannot make a file: No space left on device", {}, 0},
  };
  suites.matrix = {
      {"io_setup.nr_zero_is_einval",
       "",
       "",
       {{"native", {0, 1, 0}}, {"libaio", {1, 0, 0}}, {"compat32", {0, 1, 0}}},
       7,
       false},
      {"io_setup.returns_zero", "", "it changes what others see (--allow-system-changes)", {}, 0, false},
      {"io_setup.ring_magic", "", "", {}, 0, false},
      {"io_pgetevents.enosys", "it needs <4.18", "", {}, 0, false},
  };
  return suites;
}

TEST(SuitesReport, is_told_as_approved) {
  RunSummary summary = testing::sample_summary();
  summary.suites = sample();
  summary.divergences = 1;
  testing::expect_approved("terminal-suites.txt", terminal_report(summary, {}, {}));
}

TEST(SuitesReport, without_suites_there_is_no_text) { EXPECT_EQ(suites_text({}, "", ""), ""); }

TEST(SuitesReport, requirements_count_once_and_choices_do_not) {
  EXPECT_EQ(sample().broken_requirements(), std::vector<std::string>{"io_setup.nr_zero_is_einval"});
}

TEST(SuitesReport, a_row_is_exercised_by_tests_or_by_programs) {
  const SuitesSummary suites = sample();
  EXPECT_TRUE(suites.matrix[0].exercised());
  EXPECT_FALSE(suites.matrix[1].exercised());
  MatrixRow row = suites.matrix[1];
  row.random = 1;
  EXPECT_TRUE(row.exercised());
}

}  // namespace
}  // namespace aio
