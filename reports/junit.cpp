// SPDX-License-Identifier: GPL-2.0-or-later
//
// JUnit XML in the order that the Jenkins schema asks for. What there is to say of a failure stands in its text: some
// readers drop the attribute `message`.
#include <fmt/format.h>

#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "reports/cases.h"
#include "reports/formats.h"

namespace aio {
namespace {

// XML has no other control characters, not even escaped.
std::string xml_text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    for (const char letter : line) text += static_cast<unsigned char>(letter) < 0x20 && letter != '\t' ? '?' : letter;
    text += '\n';
  }
  return text;
}

void add_body(pugi::xml_node to, const char* element, const std::string& message, const Case& each) {
  pugi::xml_node body = to.append_child(element);
  if (!message.empty()) body.append_attribute("message") = message.c_str();
  if (std::string_view(element) != "skipped") body.append_attribute("type") = element;
  body.text() = xml_text(each.lines).c_str();
}

void add_case(pugi::xml_node suite, const Case& each) {
  pugi::xml_node made = suite.append_child("testcase");
  made.append_attribute("classname") = ("aio-cts." + each.group).c_str();
  made.append_attribute("name") = each.name.c_str();
  made.append_attribute("time") = fmt::format("{:.3f}", each.seconds).c_str();
  switch (each.outcome) {
    case CaseEnd::kPass:
      if (!each.lines.empty()) made.append_child("system-out").text() = xml_text(each.lines).c_str();
      break;
    case CaseEnd::kFail:
      add_body(made, "failure", each.lines.empty() ? "" : each.lines.front(), each);
      break;
    case CaseEnd::kBroken:
      add_body(made, "error", "the run could not be completed", each);
      break;
    case CaseEnd::kSkip:
    case CaseEnd::kWaived:
      add_body(made, "skipped", each.outcome == CaseEnd::kSkip ? each.reason : "waived: a known divergence", each);
      break;
  }
}

void add_property(pugi::xml_node to, const char* name, const std::string& value) {
  pugi::xml_node property = to.append_child("property");
  property.append_attribute("name") = name;
  property.append_attribute("value") = value.c_str();
}

void add_suite(pugi::xml_node root, const SavedReport& report, const std::string& group,
               const std::vector<const Case*>& cases) {
  std::array<std::size_t, kCaseEndCount> counts{};
  double seconds = 0;
  for (const Case* each : cases) {
    ++counts[static_cast<std::size_t>(each->outcome)];
    seconds += each->seconds;
  }
  const auto count = [&](CaseEnd outcome) { return counts[static_cast<std::size_t>(outcome)]; };
  pugi::xml_node suite = root.append_child("testsuite");
  suite.append_attribute("name") = ("aio-cts." + group).c_str();
  suite.append_attribute("tests") = cases.size();
  suite.append_attribute("failures") = count(CaseEnd::kFail);
  suite.append_attribute("errors") = count(CaseEnd::kBroken);
  suite.append_attribute("skipped") = count(CaseEnd::kSkip) + count(CaseEnd::kWaived);
  suite.append_attribute("time") = fmt::format("{:.3f}", seconds).c_str();
  const RunSummary& summary = report.summary;
  if (!summary.started.empty()) suite.append_attribute("timestamp") = summary.started.substr(0, 19).c_str();
  pugi::xml_node properties = suite.append_child("properties");
  add_property(properties, "kernel", summary.kernel);
  add_property(properties, "implementation", summary.implementation);
  add_property(properties, "profile", summary.profile);
  add_property(properties, "seed", std::to_string(summary.seed));
  if (!summary.lie.empty()) add_property(properties, "lie", summary.lie);
  if (!summary.mutant.empty()) add_property(properties, "mutant", summary.mutant);
  for (const Case* each : cases) add_case(suite, *each);
}

}  // namespace

std::string junit(const SavedReport& report) {
  const std::vector<Case> cases = cases_of(report);
  std::map<std::string, std::vector<const Case*>> groups;
  for (const Case& each : cases) groups[each.group].push_back(&each);
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node root = document.append_child("testsuites");
  root.append_attribute("name") = "aio-cts";
  for (const auto& [group, members] : groups) add_suite(root, report, group, members);
  std::ostringstream text;
  document.save(text, " ");
  return text.str();
}

}  // namespace aio
