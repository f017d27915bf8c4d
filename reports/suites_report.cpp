// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/suites_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "reports/wrapped.h"

namespace aio {
namespace {

// What one expectation of one test said: once, however many entries and rounds of a loop it failed through.
struct Told {
  const SuiteRun* run = nullptr;
  const SuiteRun::Failure* failure = nullptr;
  std::set<std::string> entries;
  std::size_t times = 0;
};

std::vector<Told> told_once(const std::vector<SuiteRun>& runs) {
  std::vector<Told> all;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> index;
  for (const SuiteRun& run : runs) {
    for (const SuiteRun::Failure& failure : run.failures) {
      const auto [at, is_new] = index.try_emplace({run.test, failure.requirement, failure.where}, all.size());
      if (is_new) all.push_back({&run, &failure, {}, 0});
      all[at->second].entries.insert(run.entry);
      ++all[at->second].times;
    }
  }
  return all;
}

std::string failure_text(const Told& told, const std::string& title) {
  std::string text = title + "\n";
  text += wrapped("  test      ", fmt::format("{}, through {}", told.run->test, fmt::join(told.entries, ", ")));
  text += wrapped("  where     ", told.failure->where);
  const std::string& body = told.failure->text;
  for (std::size_t begin = 0; begin <= body.size();) {
    const std::size_t end = std::min(body.find('\n', begin), body.size());
    text += wrapped("  ", body.substr(begin, end - begin));
    begin = end + 1;
  }
  if (told.times > told.entries.size()) text += fmt::format("  and {} more of this line\n", told.times - 1);
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

std::vector<std::string> SuitesSummary::broken_beside(const std::set<std::string>& known) const {
  std::vector<std::string> broken = broken_requirements();
  std::erase_if(broken, [&](const std::string& id) { return known.contains(id); });
  return broken;
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
  std::map<std::string, std::vector<std::string>> unexercised;
  for (const MatrixRow& row : suites.matrix) {
    if (row.why_not.empty() && !row.exercised()) unexercised[row.not_run].push_back(row.requirement);
  }
  for (const auto& [reason, ids] : unexercised) {
    const std::string why = reason.empty() ? "" : fmt::format(" ({})", reason);
    text += wrapped("              ", fmt::format("not exercised{}: {}", why, fmt::join(ids, ", ")));
  }

  for (const Told& told : told_once(suites.runs)) {
    const bool reported = told.failure->reported;
    std::string title = wrapped(reported ? "REPORTED " : "DIVERGENCE ", told.failure->requirement);
    title.pop_back();
    text += "\n";
    text += failure_text(told, reported ? title : fmt::format("{}{}{}", red_begin, title, red_end));
  }
  return text;
}

}  // namespace aio
