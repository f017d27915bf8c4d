// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "reference/requirement.h"

namespace aio::suites {
namespace {

// Between the fields of a packed result. Texts with them in lose them.
constexpr char kSeparator = '\x1f';
// Stands for the end of a line inside a field.
constexpr char kNewLine = '\x1e';

std::string cleaned(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), kSeparator), text.end());
  std::replace(text.begin(), text.end(), '\n', kNewLine);
  return text;
}

std::string restored(std::string_view field) {
  std::string text(field);
  std::replace(text.begin(), text.end(), kNewLine, '\n');
  return text;
}

template <class T>
std::optional<T> number(std::string_view field) {
  T value{};
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find(kSeparator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

constexpr std::size_t kHeadFields = 6;
constexpr std::size_t kFailureFields = 4;

}  // namespace

Outcome& Outcome::now() {
  static Outcome outcome;
  return outcome;
}

void Outcome::begin(std::string_view requirement) {
  requirement_ = requirement;
  result_ = {};
}

void Outcome::fail(const std::string& text, const char* file, int line) {
  const Requirement* const blamed = find_in_catalogue(requirement_);
  if (blamed == nullptr || blamed->severity == Severity::kMust) result_.verdict = TestVerdict::kFails;
  result_.failures.push_back({requirement_, file == nullptr ? "" : file, line, text});
}

void Outcome::fail(const testing::TestPartResult& part) {
  if (part.failed()) fail(part.message(), part.file_name(), part.line_number());
}

void Outcome::skip(std::string_view reason) {
  if (result_.verdict != TestVerdict::kHolds) return;
  result_.verdict = TestVerdict::kSkipped;
  result_.reason = reason;
}

void Outcome::break_off(std::string_view reason) {
  if (result_.verdict == TestVerdict::kFails) return;
  result_.verdict = TestVerdict::kBroken;
  result_.reason = reason;
}

std::string packed(const TestResult& result) {
  std::vector<std::string> fields{result.suite,
                                  result.name,
                                  std::string(entry_name(result.entry)),
                                  std::to_string(static_cast<unsigned>(result.verdict)),
                                  result.reason,
                                  std::to_string(static_cast<std::int64_t>(result.seconds * 1e6))};
  for (const TestFailure& each : result.failures) {
    fields.insert(fields.end(), {each.requirement, each.file, std::to_string(each.line), each.text});
  }
  std::transform(fields.begin(), fields.end(), fields.begin(), cleaned);
  return fmt::format("{}", fmt::join(fields, std::string_view(&kSeparator, 1)));
}

std::optional<TestResult> unpacked(std::string_view line) {
  const std::vector<std::string_view> fields = fields_of(line);
  if (fields.size() < kHeadFields || (fields.size() - kHeadFields) % kFailureFields != 0) return std::nullopt;
  const auto entry = entry_of_name(fields[2]);
  const auto verdict = number<unsigned>(fields[3]);
  const auto microseconds = number<std::int64_t>(fields[5]);
  if (!entry || !verdict || *verdict > static_cast<unsigned>(TestVerdict::kBroken) || !microseconds) {
    return std::nullopt;
  }
  TestResult result;
  result.suite = restored(fields[0]);
  result.name = restored(fields[1]);
  result.entry = *entry;
  result.verdict = static_cast<TestVerdict>(*verdict);
  result.reason = restored(fields[4]);
  result.seconds = static_cast<double>(*microseconds) / 1e6;
  for (std::size_t i = kHeadFields; i < fields.size(); i += kFailureFields) {
    const auto where = number<int>(fields[i + 2]);
    if (!where) return std::nullopt;
    result.failures.push_back({restored(fields[i]), restored(fields[i + 1]), *where, restored(fields[i + 3])});
  }
  return result;
}

}  // namespace aio::suites
