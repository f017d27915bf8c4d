// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/formats.h"
#include "cli/reporting.h"
#include "reports/formats.h"

namespace aio::cli {
namespace {

struct ReportCommand {
  std::string report;
  std::string format;
  std::string waivers;
};

Exit report(const ReportCommand& options) {
  SavedReport saved = open_report(options.report);
  if (!options.waivers.empty()) apply_waivers(open_waivers(options.waivers), today(), saved);
  if (!options.format.empty()) {
    const std::string text = format_named(options.format).write(saved);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return Exit::kConforming;
  }
  checked(Exit::kIncomplete, ReportDirectory::write_formats(saved));
  for (const Format& each : formats()) {
    if (!each.file.empty())
      fmt::print("{:<10} {}  ({})\n", each.name, (saved.directory / each.file).string(), each.what);
  }
  return Exit::kConforming;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("report", "Write a report in the formats of others");
  const auto options = std::make_shared<ReportCommand>();
  command->add_option("report", options->report, "A report directory, or its report.json")
      ->required()
      ->type_name("REPORT");
  CLI::Option* const format =
      command->add_option("--format", options->format, "This one alone, to standard output")->type_name("FORMAT");
  command
      ->add_flag_callback(
          "--mail", [options] { options->format = "mail"; }, "As --format mail")
      ->excludes(format);
  command->add_option("--waivers", options->waivers, "Divergences that are shown as waived: a waivers.toml")
      ->type_name("FILE");
  std::string known;
  for (const Format& each : formats()) known += fmt::format("  {:<8} {}\n", each.name, each.what);
  command->footer("Without --format all that have a file are written beside report.json.\n\nFormats:\n" + known +
                  "\nExamples:\n"
                  "  aio-cts report out                          report.html and the others anew\n"
                  "  aio-cts report out --format ktap | tee log  the kernel's test format\n"
                  "  aio-cts report out --mail                   text for a mailing list");
  command->callback([options, &action] { action = [options] { return report(*options); }; });
}

}  // namespace aio::cli
