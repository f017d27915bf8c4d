// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/registry.h"

#include <algorithm>
#include <tuple>

namespace aio::suites {
namespace {

std::vector<TestEntry>& all() {
  static std::vector<TestEntry> tests;
  return tests;
}

}  // namespace

std::string TestEntry::full_name() const { return std::string(suite) + '.' + std::string(name); }

bool TestEntry::is_about(std::string_view requirement) const {
  return std::find(about.holds.begin(), about.holds.end(), requirement) != about.holds.end();
}

bool add_test(const TestEntry& test) {
  all().push_back(test);
  return true;
}

std::span<const TestEntry> tests() {
  static const bool kSorted = [] {
    std::stable_sort(all().begin(), all().end(), [](const TestEntry& a, const TestEntry& b) {
      return std::make_tuple(a.suite, std::string_view(a.file), a.line) <
             std::make_tuple(b.suite, std::string_view(b.file), b.line);
    });
    return true;
  }();
  (void)kSorted;
  return all();
}

std::vector<std::string_view> suite_names() {
  std::vector<std::string_view> names;
  for (const TestEntry& test : tests()) {
    if (names.empty() || names.back() != test.suite) names.push_back(test.suite);
  }
  return names;
}

}  // namespace aio::suites
