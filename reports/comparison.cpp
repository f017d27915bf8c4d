// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "reference/needs.h"
#include "reference/requirement.h"
#include "reports/terminal.h"
#include "reports/waivers.h"
#include "reports/wrapped.h"

namespace aio {
namespace {

double operations_a_second(const RunSummary& summary) {
  return summary.seconds > 0 ? static_cast<double>(summary.operations) / summary.seconds : 0;
}

std::vector<std::string> without(const std::vector<std::string>& all, const std::vector<std::string>& others) {
  std::vector<std::string> left;
  std::set_difference(all.begin(), all.end(), others.begin(), others.end(), std::back_inserter(left));
  return left;
}

void list(std::string& text, const char* first, const std::vector<std::string>& words) {
  for (const std::string& each : words) text += wrapped(first, each);
}

std::string pair_text(const SavedReport& before, const SavedReport& after) {
  const Comparison found = compare(before, after);
  std::string text = wrapped("old           ", name_of(before)) + wrapped("new           ", name_of(after));
  text += fmt::format("divergences   {} new, {} gone, {} the same\n", found.fresh.size(), found.gone.size(),
                      found.same.size());
  list(text, "  new         ", found.fresh);
  list(text, "  gone        ", found.gone);
  text += fmt::format("requirements  {} changed, {} added, {} removed, {:+} exercised\n", found.changed.size(),
                      found.added.size(), found.removed.size(), found.exercised);
  for (const StandingChange& each : found.changed) {
    text += wrapped("              ", fmt::format("{}: {} -> {}", each.requirement, standing_text(each.before),
                                                  standing_text(each.after)));
  }
  if (found.speed > 0) text += fmt::format("speed         {:.2f} times the operations a second\n", found.speed);
  return text;
}

// "io_submit.counts (native, libaio)": through what it was looked at before and is not now; empty where that is
// nothing.
std::string lost_columns(const RequirementStanding& was, const RequirementStanding& is) {
  std::vector<std::string> lost;
  for (const auto& [column, standing] : was.columns) {
    const auto now = is.columns.find(column);
    const bool looked_at = now != is.columns.end() && now->second >= Standing::kHolds;
    if (standing >= Standing::kHolds && !looked_at) lost.push_back(column);
  }
  return lost.empty() ? "" : fmt::format("{} ({})", was.id, fmt::join(lost, ", "));
}

// Whether it is no rule of the newer report's profile any more.
bool has_ended(const std::string& id, const SavedReport& before, const SavedReport& after) {
  const Profile* const profile = find_profile(after.summary.profile);
  const Requirement* const known = find_in_catalogue(id);
  return before.summary.profile != after.summary.profile && profile != nullptr && known != nullptr &&
         !in_release(known->needs, *profile);
}

}  // namespace

Comparison compare(const SavedReport& before, const SavedReport& after) {
  Comparison result;
  const std::vector<RequirementStanding> old = standings(before);
  const std::vector<RequirementStanding> now = standings(after);
  auto left = old.begin();
  const auto lose = [&](const RequirementStanding& was, const RequirementStanding& is) {
    const std::string columns = lost_columns(was, is);
    if (!columns.empty() && !has_ended(was.id, before, after)) result.lost.push_back(columns);
  };
  const auto remove = [&] {
    result.removed.push_back(left->id);
    lose(*left, {});
    ++left;
  };
  for (const RequirementStanding& each : now) {
    while (left != old.end() && left->id < each.id) remove();
    if (left == old.end() || left->id != each.id) {
      result.added.push_back(each.id);
      continue;
    }
    if (left->overall != each.overall) result.changed.push_back({each.id, left->overall, each.overall});
    lose(*left, each);
    ++left;
  }
  while (left != old.end()) remove();
  // A report without suites does not know what only suites look at.
  if (before.summary.suites.matrix.empty()) result.added.clear();
  const std::vector<std::string> was = all_findings(before);
  const std::vector<std::string> is = all_findings(after);
  result.fresh = without(is, was);
  result.gone = without(was, is);
  result.same = without(is, result.fresh);
  const double speed = operations_a_second(before.summary);
  if (speed > 0) result.speed = operations_a_second(after.summary) / speed;
  result.exercised = std::ssize(after.exercised) - std::ssize(before.exercised);
  return result;
}

std::string name_of(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  return fmt::format("{}, {} {}, profile {}, seed {}, {} operations{}", summary.kernel, summary.usable_cpus,
                     plural(summary.usable_cpus, "CPU"), summary.profile, summary.seed,
                     with_separators(summary.operations),
                     summary.started.empty() ? "" : ", " + summary.started.substr(0, 10));
}

std::string comparison_text(std::span<const SavedReport> reports) {
  std::string text;
  for (std::size_t i = 1; i < reports.size(); ++i) text += (i == 1 ? "" : "\n") + pair_text(reports[i - 1], reports[i]);
  return text;
}

std::string comparison_json(std::span<const SavedReport> reports) {
  using Json = nlohmann::ordered_json;
  Json steps = Json::array();
  for (std::size_t i = 1; i < reports.size(); ++i) {
    const Comparison found = compare(reports[i - 1], reports[i]);
    Json changed = Json::array();
    for (const StandingChange& each : found.changed) {
      changed.push_back({{"requirement", each.requirement},
                         {"before", standing_text(each.before)},
                         {"after", standing_text(each.after)}});
    }
    steps.push_back({{"old", name_of(reports[i - 1])},
                     {"new", name_of(reports[i])},
                     {"differs", found.differs()},
                     {"divergences", {{"new", found.fresh}, {"gone", found.gone}, {"same", found.same}}},
                     {"requirements",
                      {{"changed", changed}, {"added", found.added}, {"removed", found.removed}, {"lost", found.lost}}},
                     {"exercised", found.exercised},
                     {"speed", found.speed}});
  }
  return steps.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aio
