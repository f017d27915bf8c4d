// SPDX-License-Identifier: GPL-2.0-or-later
//
// report.json and the lines of results.jsonl.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reports/saved_report.h"

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

Json summary_json(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  return Json{
      {"kernel", summary.kernel},
      {"profile", summary.profile},
      {"seed", summary.seed},
      {"programs", summary.programs},
      {"operations", summary.operations},
      {"judged_exactly", summary.judged_exactly},
      {"undecided", undecided_operations(summary)},
      {"divergences", summary.divergences},
      {"requirements_applicable", report.applicable},
      {"requirements_exercised", report.exercised.size()},
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
      {"kernel_build", summary.kernel_build},
      {"request", summary.request},
      {"shards", {{"of", summary.shards}, {"here", summary.shard_numbers}}},
      {"abstract_states", summary.abstract_states},
      {"features", summary.features},
      {"kernel_places", summary.kernel_places},
      {"corpus", summary.corpus},
      {"corpus_programs", summary.corpus_programs},
      {"corpus_added", summary.corpus_added},
  };
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

Json divergence_json(const SavedDivergence& divergence) {
  Json steps = Json::array();
  for (const StepView& view : divergence.steps) steps.push_back(step_json(view));
  return Json{
      {"requirement", divergence.requirement},
      {"sentence", divergence.sentence},
      {"source", divergence.source},
      {"kind", divergence.kind},
      {"operation", divergence.operation},
      {"expected", divergence.expected},
      {"seen", divergence.seen},
      {"kernel", divergence.kernel},
      {"repeats_shown", divergence.repeats_shown},
      {"repeats_of", divergence.repeats_of},
      {"needs_history", divergence.needs_history},
      {"lie", divergence.lie},
      {"mutant", divergence.mutant},
      {"program", divergence.program},
      {"steps", steps},
      {"trace", divergence.trace},
      {"reproducer", divergence.reproducer},
      {"shards", divergence.shards},
  };
}

}  // namespace

std::string json_summary(const SavedReport& report) { return dump(summary_json(report)); }

std::string json_divergence(const SavedDivergence& divergence) { return dump(divergence_json(divergence)); }

std::string json_report(const SavedReport& report) {
  Json excluded = Json::array();
  for (const SavedReport::Excluded& each : report.excluded) {
    excluded.push_back({{"id", each.requirement}, {"why", each.why}});
  }
  Json divergences = Json::array();
  for (const SavedDivergence& each : report.divergences) divergences.push_back(divergence_json(each));
  const Json json{
      {"version", kReportVersion},
      {"summary", summary_json(report)},
      {"requirements",
       {{"exercised", report.exercised}, {"not_exercised", report.not_exercised}, {"excluded", excluded}}},
      {"suites", suites_json(report.summary.suites)},
      {"matrix", matrix_json(report.summary.suites)},
      {"divergences", divergences},
  };
  return dump(json, 1) + "\n";
}

}  // namespace aio
