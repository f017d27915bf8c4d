// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/by_source.h"

#include <fmt/format.h>

#include "reference/source_functions.h"
#include "suites/harness/registry.h"

namespace aio::cli {

std::vector<std::string> tests_of(std::string_view requirement) {
  std::vector<std::string> names;
  for (const suites::TestEntry& test : suites::tests()) {
    if (test.is_about(requirement)) names.push_back(test.full_name());
  }
  return names;
}

void print_by_source() {
  for (const SourceFunction& function : source_functions()) {
    fmt::print("{}  fs/aio.c of {}, lines {} to {}\n", function.name, function.tree, function.first, function.last);
    if (!function.unreachable.empty()) fmt::print("    not to be seen: {}\n", function.unreachable);
    for (const Requirement* const each : requirements_of(function)) {
      fmt::print("    {}\n", each->id);
      for (const std::string& test : tests_of(each->id)) fmt::print("        {}\n", test);
    }
  }
}

void print_by_source_tsv() {
  for (const SourceFunction& function : source_functions()) {
    const auto row = [&](std::string_view requirement, const std::string& rest) {
      fmt::print("{}\t{}\t{}-{}\t{}\t{}\n", function.name, function.tree, function.first, function.last, requirement,
                 rest);
    };
    if (!function.unreachable.empty()) row("-", std::string(function.unreachable));
    for (const Requirement* const each : requirements_of(function)) {
      row(each->id, fmt::format("{}", fmt::join(tests_of(each->id), ",")));
    }
  }
}

}  // namespace aio::cli
