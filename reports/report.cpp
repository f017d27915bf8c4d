// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reference/print.h"
#include "reports/step_views.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json flaky_json(const RunSummary& summary) {
  Json flaky = Json::array();
  for (const FlakyDivergence& each : summary.flaky) {
    flaky.push_back({{"requirement", each.requirement}, {"kind", each.kind}, {"how", each.how}});
  }
  return flaky;
}

Json summary_json(const RunSummary& summary) {
  return Json{
      {"kernel", summary.kernel},
      {"profile", summary.profile},
      {"seed", summary.seed},
      {"programs", summary.programs},
      {"operations", summary.operations},
      {"judged_exactly", summary.judged_exactly},
      {"undecided", undecided_operations(summary)},
      {"divergences", summary.divergences},
      {"requirements_applicable", summary.requirements_applicable.count()},
      {"requirements_exercised", summary.requirements_exercised.count()},
      {"seconds", summary.seconds},
      {"judged_by_set", summary.judged_by_set},
      {"widened", summary.widened},
      {"undecided_by_reason", Json(summary.undecided)},
      {"left_out", Json(summary.left_out)},
      {"refusals", Json(summary.refusals)},
      {"program_hash", fmt::format("{:016x}", summary.program_hash)},
      {"lie", summary.lie},
      {"mutant", summary.mutant},
      {"profile_notes", summary.profile_notes},
      {"implementation", summary.implementation},
      {"tool", summary.tool},
      {"started", summary.started},
      {"file_system", summary.file_system},
      {"usable_cpus", summary.usable_cpus},
      {"possible_cpus", summary.possible_cpus},
      {"incomplete", summary.incomplete},
      {"flaky", flaky_json(summary)},
  };
}

Json ids_of(const RequirementSet& set) {
  Json ids = Json::array();
  for (const Requirement& each : requirements()) {
    if (set[static_cast<std::size_t>(each.req)]) ids.push_back(each.id);
  }
  return ids;
}

Json suites_json(const SuitesSummary& suites) {
  Json tests = Json::array();
  for (const SuiteRun& run : suites.runs) {
    Json failures = Json::array();
    for (const SuiteRun::Failure& each : run.failures) {
      failures.push_back(
          {{"requirement", each.requirement}, {"where", each.where}, {"text", each.text}, {"reported", each.reported}});
    }
    tests.push_back({{"test", run.test},
                     {"entry", run.entry},
                     {"verdict", run.verdict},
                     {"reason", run.reason},
                     {"seconds", run.seconds},
                     {"failures", failures}});
  }
  return Json{{"seconds", suites.seconds}, {"tests", tests}};
}

Json matrix_json(const SuitesSummary& suites) {
  Json rows = Json::array();
  for (const MatrixRow& row : suites.matrix) {
    Json entries = Json::object();
    for (const auto& [entry, cell] : row.entries) {
      entries[entry] = {{"held", cell.held}, {"failed", cell.failed}, {"skipped", cell.skipped}};
    }
    rows.push_back({{"requirement", row.requirement},
                    {"why_not", row.why_not},
                    {"not_run", row.not_run},
                    {"reported", row.reported},
                    {"entries", entries},
                    {"random", row.random}});
  }
  return rows;
}

Json ring_json(const RingPicture& ring) {
  Json json{{"context", ring.context}, {"slots", ring.slots}, {"head", ring.head}, {"tail", ring.tail}};
  json["in_flight"] = ring.in_flight;
  if (ring.unreserved) {
    json["unreserved"] = *ring.unreserved;
    json["reserved"] = Json::object();
    for (const auto& [cpu, slots] : ring.reserved) json["reserved"][std::to_string(cpu)] = slots;
  }
  return json;
}

Json step_json(const StepView& view) {
  Json rings = Json::array();
  for (const RingPicture& each : view.rings) rings.push_back(ring_json(each));
  return Json{{"operation", view.operation},
              {"lanes", view.lanes},
              {"kernel", view.kernel},
              {"model", view.model},
              {"rings", rings}};
}

Json finding_json(const Finding& finding) {
  const Trace& trace = finding.trace;
  Json json = Json::object();
  if (trace.divergence) {
    const Requirement& broken = requirement(trace.divergence->signature.requirement);
    json["requirement"] = broken.id;
    json["sentence"] = broken.sentence;
    json["source"] = broken.source;
    json["kind"] = kind_name(trace.divergence->signature.kind);
    json["operation"] = trace.divergence->operation;
    json["expected"] = trace.divergence->expected;
    json["seen"] = trace.divergence->seen;
  }
  json["kernel"] = trace.kernel;
  json["repeats_shown"] = trace.repeats_shown;
  json["repeats_of"] = trace.repeats_of;
  json["needs_history"] = trace.needs_history;
  json["lie"] = trace.lie;
  json["mutant"] = trace.mutant;
  json["program"] = Json::array();
  for (const Step& step : trace.steps) json["program"].push_back(operation_text(step.operation));
  json["steps"] = Json::array();
  for (const StepView& view : step_views(trace)) json["steps"].push_back(step_json(view));
  json["trace"] = trace_file_name(finding);
  json["reproducer"] = reproducer_file_name(finding);
  return json;
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

std::string json_summary(const RunSummary& summary) { return dump(summary_json(summary)); }

std::string json_finding(const Finding& finding) { return dump(finding_json(finding)); }

std::string json_report(const RunSummary& summary, const std::vector<Finding>& findings) {
  Json excluded = Json::array();
  for (const ExcludedRequirement& each : summary.excluded) {
    excluded.push_back({{"id", requirement(each.requirement).id}, {"why", each.why}});
  }
  Json divergences = Json::array();
  for (const Finding& finding : findings) divergences.push_back(finding_json(finding));
  const RequirementSet missed = summary.requirements_applicable & ~summary.requirements_exercised;
  const Json report{
      {"version", kReportVersion},
      {"summary", summary_json(summary)},
      {"requirements",
       {{"exercised", ids_of(summary.requirements_exercised)},
        {"not_exercised", ids_of(missed)},
        {"excluded", excluded}}},
      {"suites", suites_json(summary.suites)},
      {"matrix", matrix_json(summary.suites)},
      {"divergences", divergences},
  };
  return dump(report, 1) + "\n";
}

}  // namespace aio
