// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/record.h"
#include "cli/traces.h"
#include "fixtures/interruption.h"

namespace aio::cli {
namespace {

struct ReplayOptions {
  std::string trace;
  unsigned repeats = 20;
  TargetOptions target;
};

void print_divergence(const Target& target, const Program& program, const Signature& signature) {
  const Trace trace = record(target, program, signature);
  if (!trace.divergence) return;
  fmt::print("  at operation {}\n  expected  {}\n  seen      {}\n", trace.divergence->operation,
             trace.divergence->expected, trace.divergence->seen);
}

Exit replay(const ReplayOptions& options) {
  const Trace trace = open_trace(options.trace);
  stop_on_signals();
  const Target target = target_of(trace, options.target);
  const Program program = program_of(trace);
  std::map<Signature, unsigned> shown;
  unsigned undecided = 0;
  const char* reason = nullptr;
  const std::vector<Outcome> outcomes = run_alone(target.setting(), program, options.repeats);
  for (const Outcome& outcome : outcomes) {
    if (outcome.shown) ++shown[*outcome.shown];
    if (outcome.undecided == nullptr) continue;
    ++undecided;
    reason = outcome.undecided;
  }
  fmt::print("{} operations on Linux {}, judged by {}\n", program.operations.size(), target.kernel(),
             target.setting().profile->name);
  for (const auto& [signature, count] : shown) {
    fmt::print("diverged in {} of {} runs: {}{}\n", count, outcomes.size(), signature_text(signature),
               trace.divergence && trace.divergence->signature == signature ? ", as in the trace" : "");
    print_divergence(target, program, signature);
  }
  if (shown.empty()) fmt::print("no divergence in {} runs\n", outcomes.size());
  if (trace.divergence && !shown.contains(trace.divergence->signature)) {
    fmt::print("the trace's own divergence did not show: {}\n", signature_text(trace.divergence->signature));
  }
  if (undecided != 0) fmt::print("not everything was judged in {} runs: {}\n", undecided, reason);
  if (!shown.empty()) return Exit::kDivergences;
  if (stop_requested()) throw Failure(Exit::kIncomplete, "interrupted");
  return Exit::kConforming;
}

}  // namespace

void add_replay(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("replay", "Run the program of a trace on this kernel again");
  const auto options = std::make_shared<ReplayOptions>();
  command->add_option("trace", options->trace, "A trace, or a program that was written by hand")
      ->required()
      ->type_name("TRACE");
  command->add_option("--repeats", options->repeats, "Runs, each in a process of its own (default 20)")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  add_target_options(*command, options->target);
  command
      ->add_option("--hang-time", options->target.hang_time_s,
                   "After which a call that has not returned hangs (default 5)")
      ->check(CLI::Range(0.1, 1e4))
      ->type_name("SECONDS");
  command->footer(
      "Exits 0 if no run diverges from the profile, 1 if one does.\n\n"
      "Examples:\n"
      "  aio-cts replay out/divergence-1-io_setup.nr_zero_is_einval.json\n"
      "  echo '{\"version\":1, \"program\":[{\"op\":\"io_setup\",\"nr\":0}]}' >p.json && aio-cts replay p.json");
  command->callback([options, &action] { action = [options] { return replay(*options); }; });
}

}  // namespace aio::cli
