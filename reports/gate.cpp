// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/comparison.h"
#include "reports/terminal.h"

namespace aio {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string named(const std::vector<std::string>& all) {
  std::string text = fmt::format(
      "{}", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostNamed)), ", "));
  if (all.size() > kMostNamed) text += fmt::format(" and {} more", all.size() - kMostNamed);
  return text;
}

std::string counted(std::size_t count, const char* what) { return fmt::format("{} {}", count, plural(count, what)); }

}  // namespace

GateResult judge_gate(const SavedReport& report, const SavedReport* baseline, const WaiverList& waivers,
                      const WaiverUses& uses, const std::string& today, const GateOptions& options) {
  GateResult result;
  const RunSummary& summary = report.summary;
  const std::vector<std::string> stale = stale_waivers(waivers, uses, today);
  result.notes = stale;
  if (!falsifications(summary).empty()) {
    return {GateEnd::kUnusable, "the run was falsified on purpose and says nothing about a kernel", {}};
  }
  if (baseline != nullptr && !falsifications(baseline->summary).empty()) {
    return {GateEnd::kUnusable, "the baseline was falsified on purpose and says nothing about a kernel", {}};
  }
  std::vector<std::string> open = open_findings(report);
  std::vector<std::string> lost;
  if (baseline != nullptr) {
    const std::vector<std::string> known = all_findings(*baseline);
    const std::size_t before = open.size();
    std::erase_if(open, [&](const std::string& each) { return std::binary_search(known.begin(), known.end(), each); });
    if (open.size() != before)
      result.notes.push_back(counted(before - open.size(), "divergence") + " as in the baseline");
    const Comparison found = compare(*baseline, report);
    lost = found.lost;
    if (!found.gone.empty()) result.notes.push_back("gone: " + named(found.gone));
    if (baseline->summary.kernel != summary.kernel) {
      result.notes.push_back(fmt::format("the baseline is of another kernel: {}", baseline->summary.kernel));
    }
  }
  const auto end = [&](GateEnd how, std::string why) {
    result.end = how;
    result.why = std::move(why);
    return result;
  };
  if (!open.empty()) {
    return end(GateEnd::kRegression,
               fmt::format("{}: {}", counted(open.size(), baseline == nullptr ? "divergence" : "new divergence"),
                           named(open)));
  }
  if (report.version < 2) {
    return end(GateEnd::kLess, "a report of version 1 does not say whether its run was complete");
  }
  if (report.exercised.empty() && summary.suites.count("holds") == 0) {
    return end(GateEnd::kLess, "the run has exercised no requirement");
  }
  if (!summary.incomplete.empty()) return end(GateEnd::kLess, "the run is incomplete: " + summary.incomplete.front());
  if (summary.flaky.size() > options.most_flaky) {
    return end(GateEnd::kLess, fmt::format("{} showed once and never again, more than {}: {}",
                                           counted(summary.flaky.size(), "divergence"), options.most_flaky,
                                           summary.flaky.front().requirement));
  }
  if (!lost.empty())
    return end(GateEnd::kLess,
               fmt::format("{} exercised before and not now: {}", counted(lost.size(), "requirement"), named(lost)));
  if (options.strict_waivers && !stale.empty()) return end(GateEnd::kLess, stale.front());
  const std::size_t waived = all_findings(report).size() - open_findings(report).size();
  return end(GateEnd::kPass,
             fmt::format("{} on {}: no new divergence{}", counted(report.exercised.size(), "requirement"),
                         summary.kernel, waived == 0 ? "" : fmt::format(", {} waived", waived)));
}

}  // namespace aio
