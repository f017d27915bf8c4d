// SPDX-License-Identifier: GPL-2.0-or-later
//
// KernelCI's database. The report knows nothing of how the kernel came about, so checkout and build are named as such
// and hold what uname said; whoever submits replaces them by their own. A waived divergence is an issue with an
// incident.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reports/cases.h"
#include "reports/formats.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxExcerpt = 16'384;  // bytes of log_excerpt
constexpr const char* kOrigin = "aiocts";

std::string id_of(const std::string& what) { return fmt::format("{}:{}", kOrigin, what); }

const char* status_of(CaseEnd outcome) {
  switch (outcome) {
    case CaseEnd::kPass:
      return "PASS";
    case CaseEnd::kFail:
    case CaseEnd::kWaived:
      return "FAIL";
    case CaseEnd::kSkip:
      return "SKIP";
    case CaseEnd::kBroken:
      break;
  }
  return "ERROR";
}

Json test_of(const SavedReport& report, const Case& each, const std::string& run) {
  std::string excerpt;
  for (const std::string& line : each.lines) excerpt += line + "\n";
  if (excerpt.size() > kMaxExcerpt) excerpt.resize(kMaxExcerpt);
  Json test{{"id", id_of(run + "." + each.full_name())},
            {"build_id", id_of(run)},
            {"origin", kOrigin},
            {"path", "aio-cts." + each.full_name()},
            {"status", status_of(each.outcome)},
            {"duration", each.seconds},
            {"environment", {{"misc", {{"kernel", report.summary.kernel}, {"profile", report.summary.profile}}}}},
            {"misc", {{"seed", report.summary.seed}}}};
  if (!report.summary.started.empty()) test["start_time"] = report.summary.started;
  if (!excerpt.empty()) test["log_excerpt"] = excerpt;
  return test;
}

}  // namespace

std::string kcidb(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  // Equal for one run, however often it is written; different for two.
  const std::string run =
      fmt::format("{}-{}-{}-{:016x}", summary.kernel, summary.started, summary.seed, summary.program_hash);
  Json tests = Json::array();
  Json issues = Json::array();
  Json incidents = Json::array();
  for (const Case& each : cases_of(report)) {
    tests.push_back(test_of(report, each, run));
    if (each.outcome != CaseEnd::kWaived) continue;
    const std::string issue = id_of("waived." + each.full_name());
    issues.push_back({{"id", issue},
                      {"version", 1},
                      {"origin", kOrigin},
                      {"report_subject", "known divergence: " + each.full_name()},
                      {"culprit", {{"code", true}, {"tool", false}, {"harness", false}}}});
    incidents.push_back({{"id", id_of(run + ".waived." + each.full_name())},
                         {"origin", kOrigin},
                         {"issue_id", issue},
                         {"issue_version", 1},
                         {"test_id", id_of(run + "." + each.full_name())},
                         {"present", true}});
  }
  const Json whole{
      {"version", {{"major", 5}, {"minor", 3}}},
      {"checkouts", {{{"id", id_of(run)}, {"origin", kOrigin}, {"comment", headline(report)}}}},
      {"builds", {{{"id", id_of(run)}, {"checkout_id", id_of(run)}, {"origin", kOrigin}, {"architecture", "x86_64"}}}},
      {"tests", tests},
      {"issues", issues},
      {"incidents", incidents},
  };
  return whole.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aio
