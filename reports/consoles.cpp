// SPDX-License-Identifier: GPL-2.0-or-later
//
// Formats that are read off a console or a log: LTP's, LAVA's, GitHub's; and JSON lines.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/cases.h"
#include "reports/formats.h"

namespace aio {
namespace {

struct Words {
  const char* ltp;
  const char* lava;
  const char* plain;
};

Words words_for(CaseEnd outcome) {
  switch (outcome) {
    case CaseEnd::kPass:
      return {"TPASS", "pass", "pass"};
    case CaseEnd::kFail:
      return {"TFAIL", "fail", "fail"};
    case CaseEnd::kWaived:
      return {"TCONF", "skip", "waived"};
    case CaseEnd::kSkip:
      return {"TCONF", "skip", "skip"};
    case CaseEnd::kBroken:
      break;
  }
  return {"TBROK", "fail", "broken"};
}

// As workflow commands want it: one line, percent-encoded where it matters.
std::string encoded(const std::string& text, bool property) {
  std::string out;
  for (const char letter : text) {
    const bool special =
        letter == '%' || letter == '\r' || letter == '\n' || (property && (letter == ':' || letter == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(letter)) : std::string(1, letter);
  }
  return out;
}

std::string annotation(const char* level, const std::string& title, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return fmt::format("::{} title={}::{}\n", level, encoded("aio-cts: " + title, true), encoded(text, false));
}

// LAVA looks for its signals anywhere.
std::string without_signal(std::string line) {
  for (std::size_t at = 0; (at = line.find("<LAVA", at)) != std::string::npos;) line[at] = '(';
  return line;
}

}  // namespace

std::string ltp(const SavedReport& report) {
  const std::vector<Case> cases = cases_of(report);
  std::string text = fmt::format("aio-cts:1: TINFO: {}\n", headline(report));
  for (const Case& each : cases) {
    text += fmt::format("aio-cts:1: {}: {}{}{}\n", words_for(each.outcome).ltp, each.full_name(),
                        each.reason.empty() ? "" : ": ", each.reason);
    for (const std::string& line : each.lines) text += fmt::format("aio-cts:1: TINFO: {}\n", line);
  }
  const auto counts = count_ends(cases);
  const auto count = [&](CaseEnd outcome) { return counts[static_cast<std::size_t>(outcome)]; };
  return text + fmt::format("\nSummary:\npassed   {}\nfailed   {}\nbroken   {}\nskipped  {}\nwarnings 0\n",
                            count(CaseEnd::kPass), count(CaseEnd::kFail), count(CaseEnd::kBroken),
                            count(CaseEnd::kSkip) + count(CaseEnd::kWaived));
}

std::string lava(const SavedReport& report) {
  std::string text;
  std::string group;
  const auto stop = [&] { return group.empty() ? "" : fmt::format("<LAVA_SIGNAL_TESTSET STOP {}>\n", group); };
  std::vector<Case> cases = cases_of(report);
  std::stable_sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.group < b.group; });
  for (const Case& each : cases) {
    if (each.group != group) {
      text += stop() + fmt::format("<LAVA_SIGNAL_TESTSET START {}>\n", each.group);
      group = each.group;
    }
    for (const std::string& line : each.lines) text += without_signal(line) + "\n";
    text += fmt::format("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID={} RESULT={}>\n", each.name, words_for(each.outcome).lava);
  }
  return text + stop();
}

std::string github(const SavedReport& report) {
  std::string text;
  for (const Case& each : cases_of(report)) {
    if (each.outcome == CaseEnd::kFail) text += annotation("error", each.full_name(), each.lines);
    if (each.outcome == CaseEnd::kBroken) text += annotation("warning", each.full_name(), each.lines);
    if (each.outcome == CaseEnd::kWaived) text += annotation("notice", each.full_name() + " (waived)", each.lines);
  }
  return text + annotation("notice", "what was run", {headline(report)});
}

std::string json_lines(const SavedReport& report) {
  using Json = nlohmann::ordered_json;
  std::string text;
  for (const Case& each : cases_of(report)) {
    const Json line{{"case", each.full_name()},
                    {"outcome", words_for(each.outcome).plain},
                    {"reason", each.reason},
                    {"seconds", each.seconds},
                    {"lines", each.lines}};
    text += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

}  // namespace aio
