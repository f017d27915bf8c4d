// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/waivers.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/formats.h"
#include "cli/reporting.h"

namespace aio::cli {
namespace {

struct WaiversCommand {
  std::string file, report;
};

Exit check_waivers(const WaiversCommand& options) {
  const WaiverList waivers = open_waivers(options.file);
  WaiverUses uses(waivers.waivers.size());
  if (!options.report.empty()) {
    SavedReport report = open_report(options.report);
    uses = apply_waivers(waivers, today(), report);
  }
  const std::vector<std::string> stale = stale_waivers(waivers, uses, today());
  for (const std::string& each : stale) fmt::print("{}\n", each);
  if (stale.empty())
    fmt::print("{}: {} waivers, none expired{}\n", options.file, waivers.waivers.size(),
               options.report.empty() ? "" : ", each excuses something");
  return stale.empty() ? Exit::kConforming : Exit::kDivergences;
}

Exit update_waivers(const WaiversCommand& options) {
  SavedReport report = open_report(options.report);
  // The first ones go into a file that is not there yet.
  if (std::filesystem::exists(options.file)) apply_waivers(open_waivers(options.file), today(), report);
  fmt::print("{}", waivers_for(report));
  return Exit::kConforming;
}

Exit import_waivers(const WaiversCommand& options) {
  fmt::print("{}", waivers_from_list(checked(Exit::kUsage, read_bounded(options.file)), options.file));
  return Exit::kConforming;
}

}  // namespace

void add_waivers(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("waivers", "Look after a file of waivers");
  const auto options = std::make_shared<WaiversCommand>();
  const auto add = [&](const char* name, const char* what, const char* file, bool report,
                       Exit (*perform)(const WaiversCommand&)) {
    CLI::App* sub = command->add_subcommand(name, what);
    sub->add_option("file", options->file, file)->required()->type_name("FILE");
    if (report)
      sub->add_option("report", options->report, "A report")->required(perform == update_waivers)->type_name("REPORT");
    sub->callback([options, perform, &action] { action = [options, perform] { return perform(*options); }; });
  };
  add("check", "Is it right? Which expired, or excuse nothing?", "A waivers.toml", true, check_waivers);
  add("update", "Print waivers for what it does not excuse yet", "A waivers.toml", true, update_waivers);
  add("import", "Print waivers for another's list of tests", "Names of tests, one a line or a filter of gtest", false,
      import_waivers);
  command->require_subcommand(1);
  command->footer(
      "A waiver names a fingerprint or a requirement, a reason and a link, and may\n"
      "name kernels, profiles and a date by which it is to be reviewed; after that\n"
      "it excuses nothing.\n\n"
      "Examples:\n"
      "  aio-cts waivers check waivers.toml out\n"
      "  aio-cts waivers update waivers.toml out >>waivers.toml\n"
      "  aio-cts waivers import fails.txt >>waivers.toml");
}

}  // namespace aio::cli
