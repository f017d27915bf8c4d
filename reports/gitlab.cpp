// SPDX-License-Identifier: GPL-2.0-or-later
//
// A GitLab Code Quality report, which a merge request shows as new and resolved findings by their fingerprints. A place
// in a file is required: it is the one in the kernel's source that the requirement names, else fs/aio.c.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "reference/requirement.h"
#include "reports/formats.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

Json finding(const std::string& requirement, const std::string& what, const std::string& fingerprint,
             const std::string& source, bool waived) {
  static const std::regex kPlace(R"(\b((?:fs|include|arch|mm|drivers|net|kernel)/[\w/.-]+\.[ch]))");
  std::smatch place;
  const std::string path = std::regex_search(source, place, kPlace) ? place[1].str() : "fs/aio.c";
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
  for (const SavedDivergence& each : report.divergences) {
    all.push_back(finding(each.requirement,
                          fmt::format("{} Expected {}, seen {}.", each.sentence, each.expected, each.seen),
                          each.fingerprint, each.source, !each.waiver.empty()));
  }
  for (const SuiteRun& run : report.summary.suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      if (each.reported) continue;
      const Requirement* const broken = find_in_catalogue(each.requirement);
      all.push_back(finding(each.requirement, fmt::format("{} through {}: {}", run.test, run.entry, each.text),
                            fmt::format("{}/{}/{}", each.requirement, run.test, run.entry),
                            broken == nullptr ? "" : std::string(broken->source), !each.waiver.empty()));
    }
  }
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aio
