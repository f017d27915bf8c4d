// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/suites.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "cli/catalogue.h"
#include "cli/exit.h"
#include "cli/nearest.h"
#include "cli/progress.h"
#include "cli/run_summary.h"
#include "reference/requirement.h"

namespace aio::cli {
namespace {

// Tests that sleep in the kernel while others run, for each CPU.
constexpr unsigned kShardsPerCpu = 6;

const char* verdict_name(suites::TestVerdict verdict) {
  switch (verdict) {
    case suites::TestVerdict::kHolds:
      return "holds";
    case suites::TestVerdict::kFails:
      return "fails";
    case suites::TestVerdict::kSkipped:
      return "skipped";
    case suites::TestVerdict::kBroken:
      return "broken";
  }
  return "";
}

// A path from the top folder of the sources on.
std::string place(const suites::TestFailure& failure) {
  const std::size_t at = failure.file.rfind("suites/");
  return fmt::format("{}:{}", at == std::string::npos ? failure.file : failure.file.substr(at), failure.line);
}

bool is_reported(const std::string& id) {
  const Requirement* const found = find_in_catalogue(id);
  return found != nullptr && found->severity == Severity::kReported;
}

SuiteRun as_data(const suites::TestResult& result) {
  SuiteRun run{
      result.full_name(), std::string(entry_name(result.entry)), verdict_name(result.verdict), result.reason, {},
      result.seconds};
  for (const suites::TestFailure& each : result.failures) {
    run.failures.push_back({each.requirement, place(each), each.text, is_reported(each.requirement)});
  }
  return run;
}

using RunOf = std::map<std::pair<std::string_view, std::string_view>, const SuiteRun*>;  // by test and entry

RunOf by_test(const SuitesSummary& summary) {
  RunOf runs;
  for (const SuiteRun& run : summary.runs)
    runs.emplace(std::make_pair(std::string_view(run.test), std::string_view(run.entry)), &run);
  return runs;
}

// A test that failed says nothing of the requirements that it does not blame: it may have ended before them.
void count_run(const SuiteRun& run, std::string_view requirement, MatrixCell& cell) {
  const bool blamed = std::any_of(run.failures.begin(), run.failures.end(),
                                  [&](const SuiteRun::Failure& each) { return each.requirement == requirement; });
  if (blamed) {
    ++cell.failed;
  } else if (run.verdict == "holds") {
    ++cell.held;
  } else {
    ++cell.skipped;
  }
}

// Calls f(entry, run) for each test of the requirement through each of its entries; run is none where it was not
// chosen.
template <class F>
void visit_tests(const RunOf& runs, std::string_view requirement, F&& f) {
  for (const suites::TestEntry& test : suites::tests()) {
    if (!test.is_about(requirement)) continue;
    const std::string name = test.full_name();
    for (const EntryKind kind : kEntryKinds) {
      if (!test.runs_through(kind)) continue;
      const auto run = runs.find({name, entry_name(kind)});
      f(entry_name(kind), run == runs.end() ? nullptr : run->second);
    }
  }
}

// Why no test of it was made: what each of them says for itself.
std::string reasons_of(const RunOf& runs, const Requirement& requirement) {
  std::set<std::string> reasons;
  visit_tests(runs, requirement.id, [&](std::string_view, const SuiteRun* run) {
    if (run != nullptr) reasons.insert(run->reason);
  });
  if (reasons.empty()) return "no test of it was chosen";
  return fmt::format("{}", fmt::join(reasons, "; "));
}

MatrixRow matrix_row(const RunOf& runs, const Requirement& requirement) {
  MatrixRow row;
  row.requirement = requirement.id;
  row.reported = requirement.severity == Severity::kReported;
  visit_tests(runs, requirement.id, [&](std::string_view entry, const SuiteRun* run) {
    MatrixCell& cell = row.entries[std::string(entry)];
    if (run != nullptr) count_run(*run, requirement.id, cell);
  });
  return row;
}

bool is_about(const suites::Selection& selection, const Requirement& requirement) {
  if (selection.suites.empty()) return true;
  return std::any_of(suites::tests().begin(), suites::tests().end(), [&](const suites::TestEntry& test) {
    return std::find(selection.suites.begin(), selection.suites.end(), test.suite) != selection.suites.end() &&
           test.is_about(requirement.id);
  });
}

std::string progress_text(const suites::Progress& progress) {
  return fmt::format("suites: {} of {} tests, {} failed", progress.done, progress.of, progress.failed);
}

}  // namespace

bool no_suites(const SuiteOptions& options) { return options.suites == std::vector<std::string>{"none"}; }

suites::Selection chosen_suites(const SuiteOptions& options, unsigned jobs) {
  suites::Selection selection;
  for (const std::string& flag : options.gtest_flags) selection.gtest_flags.push_back("--gtest_" + flag);
  selection.shards = jobs * kShardsPerCpu;
  const std::vector<std::string_view> names = suites::suite_names();
  for (const std::string& each : options.suites) {
    if (each == "all" || each == "none") continue;
    if (std::find(names.begin(), names.end(), each) == names.end()) throw unknown_name("suite", each, names);
    selection.suites.push_back(each);
  }
  if (!options.entries.empty()) selection.entries.clear();
  for (const std::string& each : options.entries) {
    const auto kind = entry_of_name(each);
    if (!kind) {
      std::vector<std::string_view> known;
      std::transform(kEntryKinds.begin(), kEntryKinds.end(), std::back_inserter(known), entry_name);
      throw unknown_name("entry", each, known);
    }
    selection.entries.push_back(*kind);
  }
  return selection;
}

void check_suites() {
  for (const suites::TestEntry& test : suites::tests()) {
    if (test.about.holds.empty()) {
      throw Failure(Exit::kIncomplete, fmt::format("test {} names no requirement", test.full_name()));
    }
    for (const std::string_view id : test.about.holds) {
      if (find_in_catalogue(id) != nullptr) continue;
      throw Failure(Exit::kIncomplete,
                    fmt::format("test {} names the requirement '{}', which there is not", test.full_name(), id));
    }
  }
}

SuitesSummary run_suites(const Target& target, const SuiteOptions& options, const suites::Selection& selection,
                         std::uint64_t seed, std::vector<std::string>& shortcomings) {
  check_suites();
  const Setting& from = target.setting();
  suites::Setting setting{from.directory, from.profile,        from.machine,
                          from.lie,       target.racing_lie(), seed,
                          from.hang_time, options.may_crash,   options.may_change_system};
  ProgressLine line;
  const suites::SuitesResult result = suites::run_suites(
      setting, selection, [&](const suites::Progress& progress) { line.show(progress_text(progress)); });
  SuitesSummary summary;
  summary.seconds = result.seconds;
  std::transform(result.results.begin(), result.results.end(), std::back_inserter(summary.runs), as_data);
  shortcomings.insert(shortcomings.end(), result.failures.begin(), result.failures.end());
  for (SuiteRun& run : summary.runs) {
    if (run.verdict != "broken") continue;
    // What surrounds AIO may be missing as well where it is not Linux's own.
    if (!target.implementation().is_linux()) {
      run.verdict = "skipped";
      continue;
    }
    shortcomings.push_back(fmt::format("test {} through {}: {}", run.test, run.entry, run.reason));
  }
  if (result.interrupted) shortcomings.emplace_back(kInterrupted);
  return summary;
}

void make_matrix(SuitesSummary& summary, const Target& target, const suites::Selection& selection,
                 const RequirementCounts& random) {
  const Setting& setting = target.setting();
  const RunOf runs = by_test(summary);
  const auto add = [&](const Requirement& each) {
    if (!is_about(selection, each)) return;
    MatrixRow row = matrix_row(runs, each);
    row.why_not = why_not(each, *setting.profile, setting.machine);
    const auto index = static_cast<std::size_t>(each.req);
    if (index < random.size()) row.random = random[index];
    if (row.why_not.empty() && !row.exercised()) row.not_run = reasons_of(runs, each);
    summary.matrix.push_back(std::move(row));
  };
  for (const Requirement& each : requirements()) add(each);
  for (const Requirement& each : suite_requirements()) add(each);
}

}  // namespace aio::cli
