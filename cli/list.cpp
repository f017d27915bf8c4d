// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/by_source.h"
#include "cli/commands.h"
#include "cli/suites.h"
#include "fixtures/lies.h"
#include "fixtures/racing_lies.h"
#include "reference/profile.h"
#include "reference/program.h"
#include "reference/requirement.h"
#include "reports/formats.h"

namespace aio::cli {
namespace {

// A row a line; the name comes first.
using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

Rows requirement_rows() {
  Rows rows;
  const auto add = [&](const Requirement& each) {
    rows.push_back({std::string(each.id), releases(each), std::string(each.sentence)});
  };
  std::for_each(requirements().begin(), requirements().end(), add);
  std::for_each(suite_requirements().begin(), suite_requirements().end(), add);
  return rows;
}

Rows suite_rows() {
  check_suites();
  Rows rows;
  for (const std::string_view suite : suites::suite_names()) {
    const auto count = std::count_if(suites::tests().begin(), suites::tests().end(),
                                     [&](const suites::TestEntry& test) { return test.suite == suite; });
    rows.push_back({std::string(suite), fmt::format("{} tests", count)});
  }
  return rows;
}

// Each with its requirements and the entries that it is run through.
Rows test_rows() {
  check_suites();
  Rows rows;
  for (const suites::TestEntry& test : suites::tests()) {
    std::vector<std::string_view> entries;
    for (const EntryKind kind : kEntryKinds) {
      if (test.runs_through(kind)) entries.push_back(entry_name(kind));
    }
    rows.push_back({test.full_name(), fmt::format("{}", fmt::join(entries, ",")),
                    fmt::format("{}", fmt::join(test.about.holds, " "))});
  }
  return rows;
}

Rows entry_rows() {
  Rows rows;
  for (const EntryKind kind : kEntryKinds)
    rows.push_back({std::string(entry_name(kind)), std::string(entry_text(kind))});
  return rows;
}

template <std::size_t... indices>
Rows operation_rows(std::index_sequence<indices...>) {
  const auto row = [](const Operation& operation) {
    return Row{std::string(operation_name(operation)), is_system_call(operation) ? "system call" : "user space"};
  };
  return {row(std::variant_alternative_t<indices, Operation>{})...};
}

Rows profile_rows() {
  Rows rows;
  for (const Profile& each : profiles()) {
    const Release& since = each.release;
    std::string text = fmt::format("the rules of Linux {}.{}", since.major, since.minor);
    if (since.sublevel != 0) text += fmt::format(", from {}.{}.{} on", since.major, since.minor, since.sublevel);
    rows.push_back({each.name, text});
  }
  return rows;
}

Rows lie_rows() {
  Rows rows;
  for (const auto all : {lies(), racing_lies()}) {
    for (const Lie& each : all) rows.push_back({std::string(each.id), std::string(each.sentence)});
  }
  return rows;
}

Rows format_rows() {
  Rows rows;
  for (const Format& each : formats()) rows.push_back({std::string(each.name), std::string(each.what)});
  return rows;
}

Rows mutant_rows() {
  Rows rows;
  for (const Requirement& each : requirements()) {
    rows.push_back({std::string(each.id), fmt::format("the model decides wrongly: {}", each.sentence)});
  }
  return rows;
}

struct Kind {
  const char* name;
  Rows (*rows)();
};
constexpr std::array<Kind, 9> kKinds{{
    {"requirements", requirement_rows},
    {"suites", suite_rows},
    {"tests", test_rows},
    {"entries", entry_rows},
    {"operations", [] { return operation_rows(std::make_index_sequence<kOperationCount>()); }},
    {"profiles", profile_rows},
    {"lies", lie_rows},
    {"formats", format_rows},
    {"mutants", mutant_rows},
}};

void print_tsv(const Rows& rows) {
  for (const Row& row : rows) fmt::print("{}\n", fmt::join(row, "\t"));
}

void print_text(const Rows& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) fmt::print("{:<{}}  ", row[i], widths[i]);
    fmt::print("{}\n", row.back());
  }
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
  CLI::App* list = app.add_subcommand("list", "Names that other commands take");
  struct Options {
    std::string what;
    std::string format = "text";
    bool by_source = false;
  };
  const auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  names.reserve(std::size(kKinds));
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  list->add_option("what", options->what, fmt::format("{}", fmt::join(names, ", ")))
      ->check(CLI::IsMember(names))
      ->type_name("WHAT");
  list->add_flag("--by-source", options->by_source, "Requirements and tests by the functions of fs/aio.c");
  list->add_option("--format", options->format, "text, or tsv: a line each, the name first")
      ->check(CLI::IsMember({"text", "tsv"}))
      ->type_name("FORMAT");
  list->footer(
      "Examples:\n"
      "  aio-cts list requirements                    every rule of the catalogue\n"
      "  aio-cts list --by-source                     which of them each function of fs/aio.c keeps, and their tests\n"
      "  aio-cts list requirements --format tsv | cut -f1 | grep io_cancel");
  list->callback([options, &action] {
    action = [options] {
      if (options->by_source) {
        if (!options->what.empty()) throw wrong_usage("list takes either --by-source or the name of what to list");
        check_suites();
        (options->format == "tsv" ? print_by_source_tsv : print_by_source)();
        return Exit::kConforming;
      }
      if (options->what.empty()) throw wrong_usage("list needs the name of what to list (see aio-cts list --help)");
      const auto kind =
          std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& each) { return options->what == each.name; });
      (options->format == "tsv" ? print_tsv : print_text)(kind->rows());
      return Exit::kConforming;
    };
  });
}

}  // namespace aio::cli
