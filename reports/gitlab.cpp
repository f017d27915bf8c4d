// SPDX-License-Identifier: GPL-2.0-or-later
//
// A GitLab Code Quality report, which a merge request shows as new and resolved findings by their fingerprints. A place
// in a file is required: it is the one in the kernel's source that the requirement names, else fs/aio.c.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "reference/requirement.h"
#include "reports/formats.h"
#include "reports/waivers.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

Json finding(const std::string& requirement, const std::string& what, const std::string& fingerprint,
             const std::string& source, bool waived) {
  const std::size_t end = source.find(' ');
  const std::string first = source.substr(0, end);
  const std::string path = first.find('/') != 0 && first.ends_with(".c") ? first : "fs/aio.c";
  return Json{{"type", "issue"},
              {"check_name", requirement},
              {"description", what},
              {"fingerprint", fingerprint},
              {"severity", waived ? "info" : "critical"},
              {"location", {{"path", path}, {"lines", {{"begin", 1}}}}}};
}

}  // namespace

std::string gitlab(const SavedReport& report) {
  Json all = Json::array();
  std::set<std::string> seen;  // fingerprints: GitLab keeps one finding of each
  for (const SavedDivergence& each : report.divergences) {
    if (!seen.insert(each.fingerprint).second) continue;
    all.push_back(finding(each.requirement,
                          fmt::format("{} Expected {}, seen {}.", each.sentence, each.expected, each.seen),
                          each.fingerprint, each.source, !each.waiver.empty()));
  }
  for (const SuiteRun& run : report.summary.suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      const std::string fingerprint = fingerprint_of(run, each);
      if (each.reported || !seen.insert(fingerprint).second) continue;
      const Requirement* const broken = find_in_catalogue(each.requirement);
      all.push_back(finding(each.requirement, fmt::format("{} through {}: {}", run.test, run.entry, each.text),
                            fingerprint, broken == nullptr ? "" : std::string(broken->source), !each.waiver.empty()));
    }
  }
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aio
