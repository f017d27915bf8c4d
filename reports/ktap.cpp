// SPDX-License-Identifier: GPL-2.0-or-later
//
// KTAP and TAP. Flat, since the parsers of kernel CI drop what is indented; reasons behind # are constant words, since
// they make names of the rest. What there is to say stands before the result it explains.
#include <fmt/format.h>

#include "reports/cases.h"
#include "reports/formats.h"

namespace aio {
namespace {

std::string diagnostics(const Case& each) {
  std::string text;
  for (const std::string& line : each.lines) text += "# " + line + "\n";
  return text;
}

bool is_ok(CaseEnd outcome) { return outcome == CaseEnd::kPass || outcome == CaseEnd::kSkip; }

}  // namespace

std::string ktap(const SavedReport& report) {
  const std::vector<Case> cases = cases_of(report);
  std::string text = fmt::format("KTAP version 1\n1..{}\n# {}\n", cases.size(), headline(report));
  std::size_t number = 0;
  for (const Case& each : cases) {
    text += diagnostics(each);
    const bool waived = each.outcome == CaseEnd::kWaived;
    const char* const directive = each.outcome == CaseEnd::kSkip     ? " # SKIP "
                                  : waived                           ? " # XFAIL "
                                  : each.outcome == CaseEnd::kBroken ? " # ERROR "
                                                                     : "";
    text += fmt::format("{} {} {}{}", is_ok(each.outcome) || waived ? "ok" : "not ok", ++number, each.full_name(),
                        directive);
    if (*directive != '\0') text += each.outcome == CaseEnd::kBroken ? "broken" : each.reason;
    text += "\n";
  }
  const auto counts = count_ends(cases);
  const auto count = [&](CaseEnd outcome) { return counts[static_cast<std::size_t>(outcome)]; };
  return text + fmt::format("# Totals: pass:{} fail:{} xfail:{} xpass:0 skip:{} error:{}\n", count(CaseEnd::kPass),
                            count(CaseEnd::kFail), count(CaseEnd::kWaived), count(CaseEnd::kSkip),
                            count(CaseEnd::kBroken));
}

std::string tap(const SavedReport& report) {
  const std::vector<Case> cases = cases_of(report);
  std::string text = fmt::format("TAP version 13\n1..{}\n# {}\n", cases.size(), headline(report));
  std::size_t number = 0;
  for (const Case& each : cases) {
    text += diagnostics(each);
    text += fmt::format("{} {} - {}", is_ok(each.outcome) ? "ok" : "not ok", ++number, each.full_name());
    if (each.outcome == CaseEnd::kSkip) text += " # SKIP " + each.reason;
    if (each.outcome == CaseEnd::kWaived) text += " # TODO " + each.reason;
    text += "\n";
  }
  return text;
}

}  // namespace aio
