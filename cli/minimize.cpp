// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/record.h"
#include "cli/traces.h"
#include "fixtures/interruption.h"
#include "properties/minimizer.h"
#include "properties/trial.h"
#include "reference/print.h"
#include "reports/trace_writer.h"

namespace aio::cli {
namespace {

struct MinimizeCommand {
  std::string trace;
  std::string output;
  TargetOptions target;
  double time_s = 20;
};

// "x.json" becomes "x.min.json".
std::string default_output(const std::string& input) {
  const std::string ending = ".json";
  const std::string stem = input.ends_with(ending) ? input.substr(0, input.size() - ending.size()) : input;
  return stem + ".min.json";
}

std::string output_of(const MinimizeCommand& options) {
  std::string output = options.output.empty() ? default_output(options.trace) : options.output;
  std::error_code error;
  if (std::filesystem::equivalent(options.trace, output, error)) {
    throw wrong_usage(output + " is the input; name another file by -o");
  }
  return output;
}

// What is to be kept: the trace's divergence, or the first that the program shows.
std::optional<Signature> wanted_of(const Trace& trace, const Target& target, const Program& program) {
  if (trace.divergence) return trace.divergence->signature;
  constexpr unsigned kRuns = 20;
  for (const Outcome& outcome : run_alone(target.setting(), program, kRuns)) {
    if (outcome.shown) return *outcome.shown;
  }
  return std::nullopt;
}

Minimized minimized_of(const Target& target, const Program& program, const Signature& wanted, double time_s) {
  MinimizeOptions options;
  options.budget = milliseconds_of(time_s);
  // Ctrl-C uses up the time: what was reached so far is kept.
  options.now = [] {
    return stop_requested() ? std::chrono::steady_clock::time_point::max() : std::chrono::steady_clock::now();
  };
  Trials trials(target.setting(), wanted);
  return minimize(program, std::ref(trials), options);
}

Exit minimize_trace(const MinimizeCommand& options) {
  const Trace trace = open_trace(options.trace);
  const std::string output = output_of(options);
  stop_on_signals();
  const Target target = target_of(trace, options.target);
  const Program program = program_of(trace);
  const std::optional<Signature> shown = wanted_of(trace, target, program);
  if (!shown) {
    fmt::print("no divergence; nothing was written\n");
    return Exit::kConforming;
  }
  const Signature wanted = *shown;
  const Minimized minimized = minimized_of(target, program, wanted, options.time_s);
  if (minimized.shown == 0) {
    fmt::print("{} does not show here; nothing was written\n", signature_text(wanted));
    return Exit::kConforming;
  }
  Trace smaller = record(target, minimized.program, wanted);
  smaller.repeats_shown = minimized.shown;
  smaller.repeats_of = minimized.of;
  std::ofstream file(output, std::ios::binary);
  if (!(file << trace_text(smaller) << std::flush)) throw wrong_usage("cannot write " + output);
  fmt::print("{} shows in {} of {} runs of these {} operations (before: {}){}\n{}trace: {}\n", signature_text(wanted),
             minimized.shown, minimized.of, minimized.program.operations.size(), program.operations.size(),
             minimized.out_of_budget ? "; more time may find fewer" : "", program_text(minimized.program), output);
  return Exit::kDivergences;
}

}  // namespace

void add_minimize(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("minimize", "Make the program of a trace smaller");
  const auto options = std::make_shared<MinimizeCommand>();
  command->add_option("trace", options->trace, "A trace, or a program that was written by hand")
      ->required()
      ->type_name("TRACE");
  command->add_option("-o,--output", options->output, "The new trace (default: TRACE with .min.json)")
      ->type_name("FILE");
  command->add_option("--time", options->time_s, "How long to try (default 20)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  add_target_options(*command, options->target);
  command->footer(
      "Keeps what shows the trace's divergence on this kernel. Exits 1 if it shows, 0 if it does not.\n\n"
      "Example:\n"
      "  aio-cts minimize trace.json -o smaller.json --time 60");
  command->callback([options, &action] { action = [options] { return minimize_trace(*options); }; });
}

}  // namespace aio::cli
