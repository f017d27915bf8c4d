// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/suites_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/wrapped.h"

namespace aio {
namespace {

// The same failure through several entries is told once.
using Told = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

std::string failure_text(const std::string& test, const SuiteRun::Failure& failure,
                         const std::vector<std::string>& entries, const std::string& title) {
  std::string text = title + "\n";
  text += wrapped("  test      ", fmt::format("{}, through {}", test, fmt::join(entries, ", ")));
  text += wrapped("  where     ", failure.where);
  std::size_t begin = 0;
  while (begin <= failure.text.size()) {
    const std::size_t end = std::min(failure.text.find('\n', begin), failure.text.size());
    text += wrapped("  ", failure.text.substr(begin, end - begin));
    begin = end + 1;
  }
  return text;
}

}  // namespace

bool MatrixRow::exercised() const {
  return random > 0 || std::any_of(entries.begin(), entries.end(),
                                   [](const auto& each) { return each.second.held + each.second.failed > 0; });
}

std::uint64_t SuitesSummary::count(const std::string& verdict) const {
  return static_cast<std::uint64_t>(
      std::count_if(runs.begin(), runs.end(), [&](const SuiteRun& run) { return run.verdict == verdict; }));
}

std::vector<std::string> SuitesSummary::broken_requirements() const {
  std::set<std::string> ids;
  for (const SuiteRun& run : runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      if (!each.reported) ids.insert(each.requirement);
    }
  }
  return {ids.begin(), ids.end()};
}

std::string suites_text(const SuitesSummary& suites, const std::string& red_begin, const std::string& red_end) {
  if (suites.matrix.empty()) return "";
  std::string numbers =
      fmt::format("{} runs of tests in {:.1f} s: {} hold", suites.runs.size(), suites.seconds, suites.count("holds"));
  for (const char* const verdict : {"fails", "skipped", "broken"}) {
    if (const auto count = suites.count(verdict); count > 0) {
      numbers += fmt::format(", {} {}", count, verdict == std::string("fails") ? "fail" : verdict);
    }
  }
  std::string text = wrapped("suites        ", numbers);
  std::map<std::string, std::uint64_t> skipped;
  for (const SuiteRun& run : suites.runs) {
    if (run.verdict == "skipped") ++skipped[run.reason];
    if (run.verdict == "broken")
      text += wrapped("              ", fmt::format("broken: {} through {}: {}", run.test, run.entry, run.reason));
  }
  for (const auto& [reason, count] : skipped)
    text += wrapped("              ", fmt::format("{} skipped: {}", count, reason));
  std::vector<std::string> unexercised;
  for (const MatrixRow& row : suites.matrix) {
    if (row.why_not.empty() && !row.exercised()) unexercised.push_back(row.requirement);
  }
  if (!unexercised.empty()) {
    text += wrapped("              ", fmt::format("not exercised: {}", fmt::join(unexercised, ", ")));
  }

  Told told;
  std::vector<std::pair<const SuiteRun*, const SuiteRun::Failure*>> order;
  for (const SuiteRun& run : suites.runs) {
    for (const SuiteRun::Failure& failure : run.failures) {
      auto& entries = told[{run.test, failure.where + failure.text}];
      if (entries.empty()) order.emplace_back(&run, &failure);
      entries.push_back(run.entry);
    }
  }
  for (const auto& [run, failure] : order) {
    std::string title = wrapped(failure->reported ? "REPORTED " : "DIVERGENCE ", failure->requirement);
    title.pop_back();
    if (!failure->reported) title = red_begin + title + red_end;
    text += "\n" + failure_text(run->test, *failure, told[{run->test, failure->where + failure->text}], title);
  }
  return text;
}

}  // namespace aio
