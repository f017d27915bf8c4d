// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/work_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "reference/requirement.h"
#include "reference/verdict.h"

namespace aio {
namespace {

// Within a cell of a table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string program_text(const SavedDivergence& divergence) {
  std::string text;
  for (const std::string& operation : divergence.program) {
    text += fmt::format("{}`{}`", text.empty() ? "" : "; ", cell(operation));
  }
  return text;
}

// "io_setup" of "io_setup.ring_magic".
std::string_view group_of(std::string_view id) { return id.substr(0, id.find('.')); }

// The first failure that blames it: the test, and what it says.
std::string blamed_by(const SuitesSummary& suites, const std::string& requirement) {
  for (const SuiteRun& run : suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      if (each.requirement == requirement && !each.reported) {
        return fmt::format("`{}` through {}: {}", run.test, run.entry, cell(each.text));
      }
    }
  }
  return "";
}

}  // namespace

std::string work_list(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  std::vector<const SavedDivergence*> divergences;
  std::set<std::string> found;
  for (const SavedDivergence& each : report.divergences) {
    divergences.push_back(&each);
    found.insert(each.requirement);
  }
  const auto place = [](const SavedDivergence* each) {
    return std::make_pair(find_requirement(each->requirement), find_kind(each->kind));
  };
  std::stable_sort(divergences.begin(), divergences.end(),
                   [&](const auto* a, const auto* b) { return place(a) < place(b); });
  std::string text =
      fmt::format("# What {} {} answers otherwise than Linux {}\n\nSeed {}, {} divergences.\n", summary.implementation,
                  summary.kernel, summary.profile, summary.seed, divergences.size());
  std::string_view group;
  unsigned number = 0;
  for (const SavedDivergence* const each : divergences) {
    if (group_of(each->requirement) != group) {
      group = group_of(each->requirement);
      text += fmt::format(
          "\n## {}\n\n| | requirement | Linux | here | at | program | source |\n|---|---|---|---|---|---|---|\n",
          group);
    }
    text += fmt::format("| {} | `{}` ({}): {} | {} | {} | {} | {} | {} |\n", ++number, each->requirement, each->kind,
                        cell(each->sentence), cell(each->expected), cell(each->seen), each->operation,
                        program_text(*each), cell(each->source));
  }
  const std::vector<std::string> others = summary.suites.broken_beside(found);
  if (others.empty()) return text;
  text += "\n## Seen by tests of the suites alone\n\n| | requirement | test |\n|---|---|---|\n";
  for (const std::string& id : others) {
    const Requirement* const broken = find_in_catalogue(id);
    text += fmt::format("| {} | `{}`: {} | {} |\n", ++number, id,
                        cell(std::string(broken == nullptr ? "" : broken->sentence)), blamed_by(summary.suites, id));
  }
  return text;
}

}  // namespace aio
