// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/waivers.h"

#include <fmt/format.h>

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "reports/cases.h"
#include "reports/wrapped.h"

namespace aio {
namespace {

constexpr std::string_view kToDo = "TODO";

struct Wrong {
  unsigned line;
  std::string reason;
};

[[noreturn]] void refuse(const toml::node& node, std::string reason) {
  throw Wrong{node.source().begin.line, std::move(reason)};
}

std::string text_of(const toml::node& node, std::string_view name) {
  if (const auto* const text = node.as_string(); text != nullptr && !text->get().empty()) {
    return one_line(text->get());
  }
  refuse(node, fmt::format("\"{}\" is no text in quotes", name));
}

std::vector<std::string> texts_of(const toml::node& node, std::string_view name) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) refuse(node, fmt::format("\"{}\" is no list, such as [\"6.1.*\"]", name));
  std::vector<std::string> texts;
  for (const toml::node& each : *array) texts.push_back(text_of(each, name));
  return texts;
}

std::string date_of(const toml::node& node) {
  const auto* const date = node.as_date();
  if (date == nullptr) refuse(node, "\"review_by\" is no date, such as 2027-03-01 (without quotes)");
  return fmt::format("{:04}-{:02}-{:02}", date->get().year, date->get().month, date->get().day);
}

void take_member(Waiver& waiver, std::string_view name, const toml::node& node) {
  if (name == "fingerprint") {
    waiver.fingerprint = text_of(node, name);
  } else if (name == "requirement") {
    waiver.requirement = text_of(node, name);
  } else if (name == "kernels") {
    waiver.kernels = texts_of(node, name);
  } else if (name == "profiles") {
    waiver.profiles = texts_of(node, name);
  } else if (name == "reason") {
    waiver.reason = text_of(node, name);
  } else if (name == "link") {
    waiver.link = text_of(node, name);
  } else if (name == "review_by") {
    waiver.review_by = date_of(node);
  } else {
    refuse(node,
           fmt::format("there is no member \"{}\"; known are fingerprint, requirement, kernels, profiles, reason, "
                       "link, review_by",
                       name));
  }
}

Waiver waiver_of(const toml::node& node) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) refuse(node, "a waiver is a table: [[waiver]]");
  Waiver waiver;
  waiver.line = node.source().begin.line;
  for (const auto& [key, value] : *table) take_member(waiver, key.str(), value);
  if (waiver.fingerprint.empty() == waiver.requirement.empty()) {
    refuse(node, "a waiver has either a fingerprint or a requirement");
  }
  if (waiver.reason.empty() || waiver.link.empty()) refuse(node, "a waiver needs a reason and a link");
  if (waiver.reason == kToDo || waiver.link == kToDo) refuse(node, "reason and link are still to be filled in");
  return waiver;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const std::string& pattern) { return matches(pattern, text); });
}

bool is_about(const Waiver& waiver, const SavedReport& report) {
  return any_matches(waiver.kernels, report.summary.kernel) && any_matches(waiver.profiles, report.summary.profile);
}

bool excuses(const Waiver& waiver, const std::string& fingerprint, const std::string& requirement) {
  return waiver.fingerprint.empty() ? matches(waiver.requirement, requirement)
                                    : matches(waiver.fingerprint, fingerprint);
}

template <class Each>
void for_findings(const SavedReport& report, Each&& each) {
  for (const SavedDivergence& divergence : report.divergences) each(divergence.fingerprint, divergence.waiver);
  for (const SuiteRun& run : report.summary.suites.runs) {
    for (const SuiteRun::Failure& failure : run.failures) {
      if (!failure.reported) each(fingerprint_of(run, failure), failure.waiver);
    }
  }
}

std::string quoted(const std::string& text) {
  std::string safe;
  for (const char letter : text) safe += letter == '"' || letter == '\\' || letter < ' ' ? '?' : letter;
  return "\"" + safe + "\"";
}

// Of one line of another's list. In a filter of gtest those that are left out: behind the first dash, with colons
// between. Else the line is one name, behind which a comma may say how it fails; `.*` is a star.
std::vector<std::string> names_of(std::string line) {
  if (line.find(':') != std::string::npos || line.starts_with('-')) line.erase(0, line.find('-') + 1);
  std::vector<std::string> names;
  std::istringstream words(line);
  for (std::string word; std::getline(words, word, ':');) {
    std::istringstream(word) >> word;
    word.resize(std::min(word.size(), word.find(',')));
    for (std::size_t at; (at = word.find(".*")) != std::string::npos;) word.erase(at, 1);
    // All tests are nobody's known failures.
    if (word.find_first_not_of("*?") != std::string::npos) names.push_back(word);
  }
  return names;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // The last star and what it has taken so far is all that ever has to be tried again.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && pattern[p] == text[t]))) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

tl::expected<WaiverList, ReadError> read_waivers(std::string_view text, const std::string& file) {
  try {
    const toml::table root = toml::parse(text, file);
    WaiverList list{file, {}};
    for (const auto& [key, value] : root) {
      if (key.str() != "waiver" || value.as_array() == nullptr) {
        refuse(value, fmt::format("\"{}\" is unknown; a waiver begins with [[waiver]]", key.str()));
      }
      for (const toml::node& each : *value.as_array()) list.waivers.push_back(waiver_of(each));
    }
    return list;
  } catch (const toml::parse_error& error) {
    return tl::unexpected(ReadError{file, error.source().begin.line, std::string(error.description())});
  } catch (const Wrong& wrong) {
    return tl::unexpected(ReadError{file, wrong.line, wrong.reason});
  }
}

tl::expected<WaiverList, ReadError> load_waivers(const std::string& path) {
  const auto text = read_bounded(path);
  if (!text) return tl::unexpected(text.error());
  return read_waivers(*text, path);
}

WaiverUses apply_waivers(const WaiverList& list, const std::string& today, SavedReport& report) {
  WaiverUses uses;
  for (const Waiver& each : list.waivers) uses.push_back(is_about(each, report) ? std::optional(0u) : std::nullopt);
  const auto apply = [&](const std::string& fingerprint, const std::string& requirement, std::string& waived) {
    for (std::size_t i = 0; i < list.waivers.size(); ++i) {
      const Waiver& waiver = list.waivers[i];
      if (waiver.expired(today) || !is_about(waiver, report) || !excuses(waiver, fingerprint, requirement)) continue;
      ++*uses[i];
      if (waived.empty()) waived = fmt::format("{} ({})", waiver.reason, waiver.link);
    }
  };
  for (SavedDivergence& each : report.divergences) apply(each.fingerprint, each.requirement, each.waiver);
  for (SuiteRun& run : report.summary.suites.runs) {
    for (SuiteRun::Failure& each : run.failures) {
      if (!each.reported) apply(fingerprint_of(run, each), each.requirement, each.waiver);
    }
  }
  return uses;
}

std::vector<std::string> stale_waivers(const WaiverList& waivers, const WaiverUses& uses, const std::string& today) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < waivers.waivers.size(); ++i) {
    const Waiver& waiver = waivers.waivers[i];
    const std::string what = waiver.fingerprint.empty() ? waiver.requirement : waiver.fingerprint;
    const std::string where = fmt::format("{}:{}", waivers.file, waiver.line);
    if (waiver.expired(today)) {
      lines.push_back(fmt::format("{}: the waiver of {} was to be reviewed by {}", where, what, waiver.review_by));
    } else if (uses[i] == 0u) {
      lines.push_back(fmt::format("{}: the waiver of {} excuses nothing in this report", where, what));
    }
  }
  return lines;
}

std::string fingerprint_of(const SuiteRun& run, const SuiteRun::Failure& failure) {
  return fmt::format("{}/test/{}/{}", failure.requirement, run.test, run.entry);
}

std::vector<std::string> open_findings(const SavedReport& report) {
  std::set<std::string> open;
  for_findings(report, [&](const std::string& fingerprint, const std::string& waiver) {
    if (waiver.empty()) open.insert(fingerprint);
  });
  return {open.begin(), open.end()};
}

std::vector<std::string> all_findings(const SavedReport& report) {
  std::set<std::string> all;
  for_findings(report, [&](const std::string& fingerprint, const std::string&) { all.insert(fingerprint); });
  return {all.begin(), all.end()};
}

std::string waivers_for(const SavedReport& report) {
  std::string text;
  for (const std::string& each : open_findings(report)) {
    text += fmt::format("[[waiver]]\nfingerprint = {0}\nkernels = [{1}]\nreason = \"{2}\"\nlink = \"{2}\"\n\n",
                        quoted(each), quoted(report.summary.kernel), kToDo);
  }
  return text;
}

std::string waivers_from_list(std::string_view text, const std::string& what) {
  std::string made;
  for (std::string line : split_lines(std::string(text))) {
    line.resize(std::min(line.size(), line.find('#')));
    for (const std::string& name : names_of(line)) {
      made += fmt::format("[[waiver]]\nfingerprint = {}\nreason = {}\nlink = \"{}\"\n\n",
                          quoted("*/test/" + name + "/*"), quoted("listed in " + what), kToDo);
    }
  }
  return made;
}

}  // namespace aio
