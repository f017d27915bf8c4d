// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/formats.h"
#include "reports/comparison.h"

namespace aio::cli {
namespace {

struct CompareCommand {
  std::vector<std::string> reports;
  std::string format = "text";
};

Exit compare_reports(const CompareCommand& options) {
  std::vector<SavedReport> reports;
  for (const std::string& each : options.reports) reports.push_back(open_report(each));
  if (options.format == "text") {
    fmt::print("{}", comparison_text(reports));
  } else {
    fmt::print("{}", options.format == "json" ? comparison_json(reports) : comparison_html(reports));
  }
  const Comparison last = compare(reports[reports.size() - 2], reports.back());
  return last.fresh.empty() ? Exit::kConforming : Exit::kDivergences;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("compare", "What changed from one report to another");
  const auto options = std::make_shared<CompareCommand>();
  command->add_option("reports", options->reports, "Report directories, the oldest first; two or more")
      ->required()
      ->expected(2, 1000)
      ->type_name("OLD NEW");
  command->add_option("--format", options->format, "text, json or html")
      ->check(CLI::IsMember({"text", "json", "html"}))
      ->type_name("FORMAT");
  command->footer(
      "Requirements that stand otherwise, and divergences that are new, gone or the\n"
      "same: those with equal fingerprints, that is requirement, kind and calls of\n"
      "the minimized program. Of more than two reports each is compared with the one\n"
      "before it; the page has all of them side by side.\n"
      "Exits 1 if the last report has a divergence that the one before it has not.\n\n"
      "Examples:\n"
      "  aio-cts compare reports/6.1 reports/6.12\n"
      "  aio-cts compare nightly/* --format html >history.html");
  command->callback([options, &action] { action = [options] { return compare_reports(*options); }; });
}

}  // namespace aio::cli
