// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests: a report with one of each, as it is read back.
#pragma once

#include "reports/report_testing.h"
#include "reports/saved_report.h"

namespace aio::testing {

// A run with a divergence, tests of each verdict, something flaky, and not complete.
inline RunSummary sample_run() {
  RunSummary summary = sample_summary();
  summary.tool = "aio-cts 0.0.0 (abc)";
  summary.started = "2026-01-02T03:04:05+00:00";
  summary.file_system = "tmpfs";
  summary.usable_cpus = 2;
  summary.possible_cpus = 4;
  summary.divergences = 2;
  summary.incomplete = {"a test could not be completed"};
  summary.flaky = {{"io_submit.counts", "count", "program 12: at operation 3, expected 3, seen 4"}};
  const SuiteRun::Failure failure{"io_setup.nr_zero_is_einval", "suites/io_setup.cpp:63",
                                  "io_setup(0, &ctx)\n  expected  EINVAL & nothing else\n  seen      <0>", false, ""};
  const SuiteRun::Failure choice{"ring.order", "suites/ring.cpp:9", "the other order", true, ""};
  summary.suites.seconds = 1.5;
  summary.suites.runs = {
      {"io_setup.nr_zero_is_einval", "native", "fails", "", {failure}, 0.25},
      {"io_setup.nr_zero_is_einval", "libaio", "holds", "", {}, 0.01},
      {"ring.order", "native", "holds", "", {choice}, 0.01},
      {"rw.direct", "compat32", "skipped", "it needs what is not here: direct", {}, 0},
      {"rw.locks", "native", "broken", "cannot make a file", {}, 0.5},
  };
  MatrixRow broken{"io_setup.nr_zero_is_einval", "", "", {{"native", {0, 1, 0}}, {"libaio", {1, 0, 0}}}, 0, false};
  MatrixRow away{"rw.direct", "this file system has no O_DIRECT", "", {{"compat32", {0, 0, 1}}}, 0, false};
  summary.suites.matrix = {broken, away};
  return summary;
}

inline std::string sample_text() { return json_report(sample_run(), {sample_finding()}); }

inline SavedReport sample_report() {
  auto report = read_report(sample_text(), "report.json");
  EXPECT_TRUE(report) << report.error().text();
  return report ? *report : SavedReport();
}

}  // namespace aio::testing
