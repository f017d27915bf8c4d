// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/profile_hint.h"
#include "cli/traces.h"
#include "reference/print.h"

namespace aio::cli {
namespace {

Exit check(const std::string& path) {
  const Trace trace = open_trace(path);
  const bool has_seen = std::any_of(trace.steps.begin(), trace.steps.end(),
                                    [](const Step& step) { return step.observation.has_value(); });
  if (!has_seen) throw wrong_usage(path + ": it holds no observations; aio-cts replay runs its program");
  if (!trace.mutant.empty()) fmt::print("FALSIFIED: as the trace says, with the mutant {}\n", trace.mutant);
  if (!trace.lie.empty()) fmt::print("FALSIFIED: recorded with the lie {}\n", trace.lie);
  const CaseResult result = judge(trace, profile_named(trace.profile));
  fmt::print("{} operations recorded on Linux {}, judged by {}\n", trace.steps.size(), trace.kernel, trace.profile);
  if (result.undecided != nullptr) fmt::print("not everything was judged: {}\n", result.undecided);
  if (!result.divergence) {
    fmt::print("no divergence\n");
    return Exit::kConforming;
  }
  const Divergence& divergence = *result.divergence;
  const bool same = trace.divergence && trace.divergence->signature == divergence.signature;
  fmt::print("divergence: {}{}\n", signature_text(divergence.signature), same ? ", as in the trace" : "");
  if (divergence.operation < trace.steps.size()) {
    fmt::print("  operation {}  {}\n", divergence.operation,
               operation_text(trace.steps[divergence.operation].operation));
  } else {
    fmt::print("  at the end of the program\n");
  }
  fmt::print("  expected  {}\n  seen      {}\n", divergence.expected, divergence.seen);
  return Exit::kDivergences;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("check", "Judge again what a trace has recorded");
  const auto path = std::make_shared<std::string>();
  command->add_option("trace", *path, "A trace with observations")->required()->type_name("TRACE");
  command->footer(
      "Runs nothing: the model of today looks at the answers of then, by the profile and machine of the trace.\n"
      "Exits 0 if they conform, 1 if they diverge.\n\n"
      "Example:\n"
      "  aio-cts check out/divergence-1-io_setup.nr_zero_is_einval.json");
  command->callback([path, &action] { action = [path] { return check(*path); }; });
}

}  // namespace aio::cli
