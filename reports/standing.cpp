// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/standing.h"

#include <algorithm>

namespace aio {
namespace {

void raise(std::map<std::string, Standing>& columns, const std::string& column, Standing to) {
  const auto [at, fresh] = columns.try_emplace(column, to);
  if (!fresh) at->second = std::max(at->second, to);
}

Standing of_cell(const MatrixCell& cell, bool reported) {
  if (cell.failed > 0 && !reported) return Standing::kBroken;
  return cell.held > 0 || cell.failed > 0 ? Standing::kHolds : Standing::kNotRun;
}

// A test that failed blames one requirement, and may be excused.
void add_tests(const SuitesSummary& suites, std::map<std::string, RequirementStanding>& all) {
  for (const MatrixRow& row : suites.matrix) {
    RequirementStanding& standing = all[row.requirement];
    standing.why = row.why_not.empty() ? row.not_run : row.why_not;
    for (const auto& [entry, cell] : row.entries) {
      const Standing here = of_cell(cell, row.reported);
      raise(standing.columns, entry, here == Standing::kNotRun && !row.why_not.empty() ? Standing::kNotHere : here);
    }
    if (row.random > 0) raise(standing.columns, kProgramsColumn, Standing::kHolds);
  }
  std::map<std::pair<std::string, std::string>, bool> excused;
  for (const SuiteRun& run : suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      if (each.reported) continue;
      const auto [at, fresh] = excused.try_emplace({each.requirement, run.entry}, true);
      at->second = at->second && !each.waiver.empty();
    }
  }
  for (const auto& [key, waived] : excused) {
    all[key.first].columns[key.second] = waived ? Standing::kWaived : Standing::kBroken;
  }
}

void add_programs(const SavedReport& report, std::map<std::string, RequirementStanding>& all) {
  for (const std::string& id : report.exercised) raise(all[id].columns, kProgramsColumn, Standing::kHolds);
  for (const std::string& id : report.not_exercised) raise(all[id].columns, kProgramsColumn, Standing::kNotRun);
  for (const SavedReport::Excluded& each : report.excluded) {
    raise(all[each.requirement].columns, kProgramsColumn, Standing::kNotHere);
    if (all[each.requirement].why.empty()) all[each.requirement].why = each.why;
  }
  for (const SavedDivergence& each : report.divergences) {
    raise(all[each.requirement].columns, kProgramsColumn, each.waiver.empty() ? Standing::kBroken : Standing::kWaived);
  }
}

}  // namespace

std::string_view standing_text(Standing standing) {
  switch (standing) {
    case Standing::kNotHere:
      return "not here";
    case Standing::kNotRun:
      return "not run";
    case Standing::kHolds:
      return "holds";
    case Standing::kWaived:
      return "waived";
    case Standing::kBroken:
      break;
  }
  return "broken";
}

std::vector<RequirementStanding> standings(const SavedReport& report) {
  std::map<std::string, RequirementStanding> all;
  add_tests(report.summary.suites, all);
  add_programs(report, all);
  std::vector<RequirementStanding> list;
  for (auto& [id, each] : all) {
    each.id = id;
    each.overall = each.why.empty() ? Standing::kNotRun : Standing::kNotHere;
    for (const auto& [column, standing] : each.columns) each.overall = std::max(each.overall, standing);
    list.push_back(std::move(each));
  }
  return list;
}

std::string theme_of(const std::string& id) { return id.substr(0, id.find('.')); }

}  // namespace aio
