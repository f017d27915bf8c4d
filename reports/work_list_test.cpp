// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/work_list.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

SavedReport other() {
  SavedReport report;
  report.summary.implementation = "gVisor";
  report.summary.kernel = "4.4.0";
  report.summary.profile = "6.18";
  return report;
}

SavedDivergence divergence(const std::string& requirement, const std::string& seen) {
  SavedDivergence made;
  made.requirement = requirement;
  made.kind = "errno";
  made.expected = "EINVAL (22)";
  made.seen = seen;
  made.program = {"io_setup(0, &ctx0)"};
  return made;
}

TEST(WorkList, has_a_line_for_each_divergence_in_the_order_of_the_catalogue) {
  SavedReport report = other();
  report.divergences = {divergence("io_submit.negative_nr_is_einval", "0"),
                        divergence("io_setup.nr_zero_is_einval", "a | b")};
  const std::string text = work_list(report);
  EXPECT_NE(text.find("# What gVisor 4.4.0 answers otherwise than Linux 6.18"), std::string::npos) << text;
  const std::size_t first = text.find("| 1 | `io_setup.nr_zero_is_einval` (errno)");
  const std::size_t second = text.find("| 2 | `io_submit.negative_nr_is_einval` (errno)");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_NE(second, std::string::npos) << text;
  EXPECT_LT(first, second);
  EXPECT_LT(text.find("## io_setup"), text.find("## io_submit"));
  // Within a table.
  EXPECT_NE(text.find("| EINVAL (22) | a \\| b | 0 | `io_setup(0, &ctx0)` |"), std::string::npos) << text;
}

TEST(WorkList, tests_add_what_no_program_has_shown) {
  SavedReport report = other();
  report.divergences = {divergence("io_setup.nr_zero_is_einval", "0")};
  SuiteRun run;
  run.test = "io_setup.nr_zero";
  run.entry = "native";
  run.verdict = "fails";
  run.failures.push_back({"io_setup.nr_zero_is_einval", "suites/io_setup.cpp:1", "known", false});
  run.failures.push_back({"io_submit.key_written", "suites/io_submit.cpp:1", "two\nlines", false});
  report.summary.suites.runs.push_back(run);
  const std::string text = work_list(report);
  EXPECT_NE(text.find("`io_submit.key_written`"), std::string::npos) << text;
  EXPECT_NE(text.find("`io_setup.nr_zero` through native: two lines |"), std::string::npos) << text;
  EXPECT_EQ(text.find("known"), std::string::npos) << text;
}

}  // namespace
}  // namespace aio
