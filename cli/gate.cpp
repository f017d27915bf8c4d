// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/gate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/formats.h"

namespace aio::cli {
namespace {

struct GateCommand {
  std::string report, baseline, waivers;
  GateOptions gate;
};

Exit exit_of(GateEnd end) {
  switch (end) {
    case GateEnd::kPass:
      return Exit::kConforming;
    case GateEnd::kRegression:
      return Exit::kDivergences;
    case GateEnd::kUnusable:
      return Exit::kUsage;
    case GateEnd::kLess:
      break;
  }
  return Exit::kIncomplete;
}

Exit gate(const GateCommand& options) {
  SavedReport report = open_report(options.report);
  std::optional<SavedReport> baseline;
  if (!options.baseline.empty()) baseline = open_report(options.baseline);
  const WaiverList waivers = options.waivers.empty() ? WaiverList() : open_waivers(options.waivers);
  const WaiverUses uses = apply_waivers(waivers, today(), report);
  const GateResult result = judge_gate(report, baseline ? &*baseline : nullptr, waivers, uses, today(), options.gate);
  fmt::print("{}: {}\n", result.end == GateEnd::kPass ? "PASS" : "FAIL", result.why);
  for (const std::string& each : result.notes) fmt::print("  {}\n", each);
  return exit_of(result.end);
}

}  // namespace

void add_gate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("gate", "Whether a report lets a build pass");
  const auto options = std::make_shared<GateCommand>();
  command->add_option("report", options->report, "The report of the build")->required()->type_name("REPORT");
  command->add_option("--baseline", options->baseline, "An earlier report: what it has is not new")->type_name("OLD");
  command->add_option("--waivers", options->waivers, "Divergences that are excused: a waivers.toml")->type_name("FILE");
  command->add_option("--max-flaky", options->gate.most_flaky, "So many may show once and never again (default 0)")
      ->type_name("N");
  command->add_flag("--strict-waivers", options->gate.strict_waivers,
                    "Fail where a waiver has expired or excuses nothing");
  command->footer(
      "Says PASS or FAIL and why in one line. Exit codes:\n"
      "  0 nothing new   1 a divergence that is neither waived nor in the baseline\n"
      "  2 a report that cannot be read, or was falsified\n"
      "  3 the run says less than it must: incomplete, flaky, or requirements are no\n"
      "    longer exercised; with --strict-waivers also a waiver without use\n\n"
      "Examples:\n"
      "  aio-cts gate out\n"
      "  aio-cts gate out --baseline main/report --waivers waivers.toml");
  command->callback([options, &action] { action = [options] { return gate(*options); }; });
}

}  // namespace aio::cli
