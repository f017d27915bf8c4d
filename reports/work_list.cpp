// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/work_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reference/print.h"

namespace aio {
namespace {

// Within a cell of a table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string program_text(const Trace& trace) {
  std::string text;
  for (const Step& step : trace.steps) {
    text += fmt::format("{}`{}`", text.empty() ? "" : "; ", cell(operation_text(step.operation)));
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

std::vector<std::string> broken_in_suites_alone(const SuitesSummary& suites, const std::vector<Finding>& findings) {
  std::set<std::string> found;
  for (const Finding& each : findings) {
    if (each.trace.divergence) found.emplace(requirement(each.trace.divergence->signature.requirement).id);
  }
  return suites.broken_beside(found);
}

std::string work_list(const RunSummary& summary, const std::vector<Finding>& findings) {
  std::vector<const Trace*> traces;
  for (const Finding& each : findings) {
    if (each.trace.divergence) traces.push_back(&each.trace);
  }
  std::stable_sort(traces.begin(), traces.end(),
                   [](const Trace* a, const Trace* b) { return a->divergence->signature < b->divergence->signature; });
  std::string text = fmt::format("# What {} {} answers otherwise than Linux {}\n\nSeed {}, {} divergences.\n",
                                 summary.implementation, summary.kernel, summary.profile, summary.seed, traces.size());
  std::string_view group;
  unsigned number = 0;
  for (const Trace* const trace : traces) {
    const Divergence& divergence = *trace->divergence;
    const Requirement& broken = requirement(divergence.signature.requirement);
    if (group_of(broken.id) != group) {
      group = group_of(broken.id);
      text += fmt::format(
          "\n## {}\n\n| | requirement | Linux | here | at | program | source |\n|---|---|---|---|---|---|---|\n",
          group);
    }
    text += fmt::format("| {} | `{}` ({}): {} | {} | {} | {} | {} | {} |\n", ++number, broken.id,
                        kind_name(divergence.signature.kind), cell(std::string(broken.sentence)),
                        cell(divergence.expected), cell(divergence.seen), divergence.operation, program_text(*trace),
                        cell(std::string(broken.source)));
  }
  const std::vector<std::string> others = broken_in_suites_alone(summary.suites, findings);
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
