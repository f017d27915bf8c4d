// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace aio {
namespace {

void add_failure(Case& to, const SuiteRun::Failure& failure) {
  to.lines.push_back((failure.reported ? "may be so: " : "breaks ") + failure.requirement);
  if (!failure.waiver.empty()) to.lines.push_back("waived: " + failure.waiver);
  to.lines.push_back("at " + failure.where);
  for (std::string& line : split_lines(failure.text)) to.lines.push_back(std::move(line));
}

Case case_of(const SuiteRun& run) {
  Case result{run.entry, run.test, CaseEnd::kPass, "", {}, run.seconds};
  if (!run.reason.empty()) result.lines.push_back(run.reason);
  bool fails = run.failures.empty();
  for (const SuiteRun::Failure& each : run.failures) {
    add_failure(result, each);
    fails = fails || (!each.reported && each.waiver.empty());
  }
  if (run.verdict == "skipped") {
    result.outcome = CaseEnd::kSkip;
    result.reason = "not here";
  } else if (run.verdict == "fails") {
    result.outcome = fails ? CaseEnd::kFail : CaseEnd::kWaived;
    if (!fails) result.reason = "known";
  } else if (run.verdict != "holds") {
    result.outcome = CaseEnd::kBroken;
  }
  return result;
}

void add_divergence(Case& to, const SavedDivergence& divergence) {
  const bool waived = !divergence.waiver.empty();
  if (to.outcome != CaseEnd::kFail) to.outcome = waived ? CaseEnd::kWaived : CaseEnd::kFail;
  to.reason = to.outcome == CaseEnd::kWaived ? "known" : "";
  for (std::string& line : lines_of(divergence)) to.lines.push_back(std::move(line));
  if (waived) to.lines.push_back("waived: " + divergence.waiver);
}

std::map<std::string, Case> programs_of(const SavedReport& report) {
  std::map<std::string, Case> cases;
  const auto add = [&](const std::string& id, CaseEnd outcome, const char* reason, const std::string& line) {
    Case& made = cases[id] = {"programs", id, outcome, reason, {}, 0};
    if (!line.empty()) made.lines.push_back(line);
  };
  for (const std::string& id : report.exercised) add(id, CaseEnd::kPass, "", "");
  for (const std::string& id : report.not_exercised) add(id, CaseEnd::kSkip, "not exercised", "");
  for (const SavedReport::Excluded& each : report.excluded) {
    add(each.requirement, CaseEnd::kSkip, "not here", each.why);
  }
  for (const SavedDivergence& each : report.divergences) {
    auto [at, fresh] =
        cases.try_emplace(each.requirement, Case{"programs", each.requirement, CaseEnd::kPass, "", {}, 0});
    if (at->second.outcome == CaseEnd::kSkip) at->second.outcome = CaseEnd::kPass;
    add_divergence(at->second, each);
  }
  return cases;
}

}  // namespace

std::vector<Case> cases_of(const SavedReport& report) {
  std::vector<Case> cases;
  for (const SuiteRun& run : report.summary.suites.runs) cases.push_back(case_of(run));
  for (auto& [id, each] : programs_of(report)) cases.push_back(std::move(each));
  Case& complete = cases.emplace_back(Case{"run", "complete", CaseEnd::kPass, "", report.summary.incomplete, 0});
  for (const FlakyDivergence& each : report.summary.flaky) complete.lines.push_back(flaky_text(each));
  if (!complete.lines.empty()) complete.outcome = CaseEnd::kBroken;
  complete.seconds = report.summary.seconds;
  return cases;
}

std::string headline(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  const std::string who =
      summary.implementation == "Linux" ? "Linux" : summary.implementation + ", which says it is Linux";
  std::string text =
      fmt::format("aio-cts on {} {} (profile {}, seed {})", who, summary.kernel, summary.profile, summary.seed);
  if (!summary.lie.empty()) text += fmt::format(", FALSIFIED with the lie {}", summary.lie);
  if (!summary.mutant.empty()) text += fmt::format(", FALSIFIED with the mutant {}", summary.mutant);
  return text;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> lines_of(const SavedDivergence& divergence) {
  std::vector<std::string> lines{
      fmt::format("breaks {}: {}", divergence.requirement, divergence.sentence),
      fmt::format("expected {}", divergence.expected),
      fmt::format("seen {}", divergence.seen),
  };
  if (divergence.repeats_of != 0) {
    lines.push_back(fmt::format("repeats {} of {}", divergence.repeats_shown, divergence.repeats_of));
  }
  for (std::size_t i = 0; i < divergence.program.size(); ++i) {
    lines.push_back(fmt::format("{}{:>3}  {}", i == divergence.operation ? "->" : "  ", i, divergence.program[i]));
  }
  if (!divergence.trace.empty()) lines.push_back("trace " + divergence.trace);
  if (!divergence.reproducer.empty()) lines.push_back("C file " + divergence.reproducer);
  return lines;
}

std::array<std::size_t, kCaseEndCount> count_ends(const std::vector<Case>& cases) {
  std::array<std::size_t, kCaseEndCount> counts{};
  for (const Case& each : cases) ++counts[static_cast<std::size_t>(each.outcome)];
  return counts;
}

}  // namespace aio
