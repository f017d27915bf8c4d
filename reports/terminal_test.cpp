// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/terminal.h"

#include <gtest/gtest.h>

#include <sstream>

#include "reports/report_testing.h"

namespace aio {
namespace {

using testing::sample_finding;
using testing::sample_summary;

RunSummary diverging_summary() {
  RunSummary summary = sample_summary();
  summary.divergences = 1;
  return summary;
}

TEST(Terminal, ReportsAConformingRunAsApproved) {
  testing::expect_approved("terminal-conforming.txt", terminal_report(sample_summary(), {}, {}));
}

TEST(Terminal, SaysWhatTheProfilesNameDoesNot) {
  RunSummary summary = sample_summary();
  summary.profile_notes = {"probed: ioprio_hints holds"};
  const std::string text = terminal_report(summary, {}, {});
  EXPECT_NE(text.find("profile       6.18\n              probed: ioprio_hints holds\n"), std::string::npos) << text;
}

TEST(Terminal, ReportsADivergenceAsApproved) {
  testing::expect_approved("terminal-divergence.txt",
                           terminal_report(diverging_summary(), {sample_finding()}, {false, "build/report"}));
}

TEST(Terminal, ReportsAFalsifiedRunAsApproved) {
  RunSummary summary = diverging_summary();
  summary.lie = "io_submit reports one request more than it took";
  summary.mutant = "io_setup.nr_zero_is_einval";
  Finding finding = sample_finding();
  finding.trace.needs_history = true;
  finding.trace.divergence->operation = 3;
  testing::expect_approved("terminal-falsified.txt", terminal_report(summary, {finding}, {true, ""}));
}

TEST(Terminal, ReportsLanesInColumnsAsApproved) {
  Finding finding = sample_finding();
  Trace& trace = finding.trace;
  trace.steps.clear();
  const auto step = [&trace](const Operation& operation, unsigned lane, bool asleep = false) {
    RecordedObservation seen;
    seen.lane = lane;
    seen.asleep = asleep;
    trace.steps.push_back({operation, operation, seen});
  };
  step(aio::Setup{}, 0);
  step(InLane{1}, 1);
  step(Getevents{.min_nr = 2, .nr = 2, .timeout = arena::kNull}, 1, true);
  step(InLane{3}, 3);
  step(Getevents{.min_nr = 1, .nr = 1, .events = arena::kEvents + 1024, .timeout = arena::kNull}, 3, true);
  step(InLane{0}, 0);
  step(Submit{}, 0);
  trace.steps.back().observation->returns = {{3, 1, 0}};
  step(Interrupt{1}, 0);
  trace.steps.back().observation->returns = {{1, -1, 4}};
  trace.divergence->operation = 6;
  testing::expect_approved("terminal-lanes.txt", terminal_report(diverging_summary(), {finding}, {false, ""}));
}

TEST(Terminal, StaysWithinEightyColumns) {
  RunSummary summary = diverging_summary();
  summary.kernel = std::string(200, 'k');
  summary.lie = "a lie of many words " + std::string(300, 'x') + " and more of them";
  Finding finding = sample_finding();
  finding.trace.divergence->expected = "one of " + std::string(100, 'e');
  std::istringstream lines(terminal_report(summary, {finding}, {false, std::string(90, 'd')}));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Terminal, ShowsNoControlCharactersOfATrace) {
  Finding finding = sample_finding();
  finding.trace.divergence->seen = "\033]0;x\007";
  const std::string text = terminal_report(diverging_summary(), {finding}, {});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\007'), std::string::npos);
}

TEST(Terminal, SeparatesThousands) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(18446744073709551615u), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace aio
