// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference/print.h"
#include "reports/saved_report.h"

namespace aio {
namespace {

std::vector<std::string> ids_of(const RequirementSet& set) {
  std::vector<std::string> ids;
  for (const Requirement& each : requirements()) {
    if (set[static_cast<std::size_t>(each.req)]) ids.emplace_back(each.id);
  }
  return ids;
}

SavedDivergence saved(const Finding& finding) {
  const Trace& trace = finding.trace;
  SavedDivergence saved;
  if (trace.divergence) {
    const Requirement& broken = requirement(trace.divergence->signature.requirement);
    saved.requirement = broken.id;
    saved.sentence = broken.sentence;
    saved.source = broken.source;
    saved.kind = kind_name(trace.divergence->signature.kind);
    saved.operation = trace.divergence->operation;
    saved.expected = trace.divergence->expected;
    saved.seen = trace.divergence->seen;
  }
  saved.kernel = trace.kernel;
  saved.repeats_shown = trace.repeats_shown;
  saved.repeats_of = trace.repeats_of;
  saved.needs_history = trace.needs_history;
  saved.lie = trace.lie;
  saved.mutant = trace.mutant;
  for (const Step& step : trace.steps) saved.program.push_back(operation_text(step.operation));
  saved.steps = step_views(trace);
  saved.trace = trace_file_name(finding);
  saved.reproducer = reproducer_file_name(finding);
  return saved;
}

SavedReport saved(const RunSummary& summary) {
  SavedReport report;
  report.summary = summary;
  report.applicable = summary.requirements_applicable.count();
  report.exercised = ids_of(summary.requirements_exercised);
  report.not_exercised = ids_of(summary.requirements_applicable & ~summary.requirements_exercised);
  for (const ExcludedRequirement& each : summary.excluded) {
    report.excluded.push_back({std::string(requirement(each.requirement).id), each.why});
  }
  return report;
}

}  // namespace

std::string trace_file_name(const Finding& finding) {
  if (finding.stem.empty()) return "";
  return "divergence-" + finding.stem + ".json";
}

std::string reproducer_file_name(const Finding& finding) {
  if (finding.stem.empty()) return "";
  return "reproducer-" + finding.stem + ".c";
}

std::vector<std::string> falsifications(const RunSummary& summary) {
  std::vector<std::string> lines;
  if (!summary.lie.empty()) lines.push_back("the kernel's answers were changed: " + summary.lie);
  if (!summary.mutant.empty()) lines.push_back("a rule was deliberately wrong: " + summary.mutant);
  return lines;
}

std::string flaky_text(const FlakyDivergence& flaky) {
  return fmt::format("{} ({}) was seen once and never again: {}", flaky.requirement, flaky.kind, flaky.how);
}

std::uint64_t undecided_operations(const RunSummary& summary) {
  std::uint64_t total = 0;
  for (const auto& [reason, count] : summary.undecided) total += count;
  return total;
}

std::vector<std::uint64_t> missing_shards(const RunSummary& summary) {
  std::vector<std::uint64_t> missing;
  for (std::uint64_t i = 0; i < summary.shards; ++i) {
    if (!std::binary_search(summary.shard_numbers.begin(), summary.shard_numbers.end(), i)) missing.push_back(i);
  }
  return missing;
}

std::string json_summary(const RunSummary& summary) { return json_summary(saved(summary)); }

std::string json_finding(const Finding& finding) { return json_divergence(saved(finding)); }

std::string json_report(const RunSummary& summary, const std::vector<Finding>& findings) {
  SavedReport report = saved(summary);
  for (const Finding& finding : findings) report.divergences.push_back(saved(finding));
  return json_report(report);
}

}  // namespace aio
