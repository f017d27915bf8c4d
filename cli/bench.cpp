// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/target.h"
#include "fixtures/interruption.h"

namespace aio::cli {
namespace {

struct BenchOptions {
  double time_s = 40;
  std::uint64_t seed = 1;
  std::string directory;
};

void line(const char* name, double value, const char* unit) { fmt::print("{}\t{:.4g}\t{}\n", name, value, unit); }
void count_line(const char* name, std::uint64_t value) { fmt::print("{}\t{}\tcount\n", name, value); }

double per_second(std::uint64_t count, const BenchThroughput& of) { return static_cast<double>(count) / of.seconds; }

Exit bench(const BenchOptions& options) {
  stop_on_signals();
  TargetOptions target_options;
  target_options.directory = options.directory;
  const Target target(target_options);
  const Setting& setting = target.setting();
  // The pool's last batches and the last round end after the time is up.
  const double time_s = options.time_s * 0.95;
  const BenchRatios ratios = measure_ratios(setting, options.seed, milliseconds_of(time_s * 0.35));
  const BenchThroughput fast = measure_throughput(setting, options.seed, milliseconds_of(time_s * 0.3), {}, false);
  // Long ones, so that making and ending a case does not hide what an operation costs.
  constexpr GeneratorConfig kLong{.max_operations = 960, .times_longer = 16};
  const BenchThroughput steady =
      measure_throughput(setting, options.seed, milliseconds_of(time_s * 0.25), kLong, false);
  const BenchThroughput sampled = measure_throughput(setting, options.seed, milliseconds_of(time_s * 0.1), {}, true);
  if (stop_requested()) throw Failure(Exit::kIncomplete, "interrupted; nothing was measured to its end");

  line("lockstep_ratio", ratios.lockstep, "ratio");
  line("observe_ratio", ratios.observe, "ratio");
  line("lockstep_us_per_operation", ratios.lockstep_us, "us");
  line("bare_us_per_operation", ratios.bare_us, "us");
  count_line("ratio_programs", ratios.programs);
  count_line("ratio_programs_left_out", ratios.left_out);
  line("cases_per_second", per_second(fast.tally.programs, fast), "1/s");
  line(
      "mean_operations_per_case",
      static_cast<double>(fast.tally.operations) / static_cast<double>(std::max<std::uint64_t>(fast.tally.programs, 1)),
      "operations");
  line("operations_per_second", per_second(steady.tally.operations, steady), "1/s");
  const BenchGenerator generator = measure_generator(options.seed);
  line("mean_length_of_case", generator.length, "operations");
  line("generate_us_per_case", generator.us, "us");
  line("peak_memory_mib", static_cast<double>(sampled.peak_memory_bytes) / (1 << 20), "MiB");
  count_line("usable_cpus", setting.machine.usable_cpus);
  count_line("divergences", fast.divergences + steady.divergences + sampled.divergences);
  return Exit::kConforming;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "How fast programs run, and what the model costs");
  const auto options = std::make_shared<BenchOptions>();
  command->add_option("--time", options->time_s, "For all of it (default 40)")
      ->check(CLI::Range(1.0, 1e5))
      ->type_name("SECONDS");
  command->add_option("--seed", options->seed, "Of the random programs (default 1)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  command->add_option("--dir", options->directory, "Where the programs' regular files lie (default: /dev/shm)")
      ->type_name("DIR");
  command->footer(
      "Prints a line each: name, value and unit, with a tab between them.\n\n"
      "  lockstep_ratio         operations per CPU second with the model, to those without it\n"
      "  observe_ratio          operations per CPU second with observations, to bare calls\n"
      "  cases_per_second       random programs as `run` makes them, on all usable CPUs\n"
      "  mean_length_of_case    with what user space does between the calls\n"
      "  operations_per_second  AIO calls in programs 16 times as long, on all usable CPUs\n"
      "  peak_memory_mib        of all processes together, AIO rings included\n\n"
      "Example:\n"
      "  aio-cts bench --time 10 | awk '$1 == \"lockstep_ratio\" { print $2 }'");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace aio::cli
