// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "cli/target.h"
#include "fixtures/interruption.h"
#include "fixtures/kcov.h"
#include "fixtures/lies.h"
#include "properties/bench_guidance.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

struct BenchOptions {
  double time_s = 40;
  std::uint64_t seed = 1;
  std::string directory;
  bool guidance = false;
  std::optional<std::string> lies;
  unsigned seeds = 1;
  std::uint64_t most = 20'000;
};

void line(const char* name, double value, const char* unit) { fmt::print("{}\t{:.4g}\t{}\n", name, value, unit); }
void count_line(const char* name, std::uint64_t value) { fmt::print("{}\t{}\tcount\n", name, value); }

double per_second(std::uint64_t count, const BenchThroughput& of) { return static_cast<double>(count) / of.seconds; }

struct GuideMode {
  const char* name;
  bool guided;
  bool kernel;
};

// Without a guide, with one, and with one that looks at the kernel too, where that tells.
std::vector<GuideMode> guide_modes(bool kernel_tells) {
  std::vector<GuideMode> modes{{"off", false, false}, {"on", true, false}};
  if (kernel_tells) modes.push_back({"on+kcov", true, true});
  return modes;
}

// What the same time reaches in each mode.
Exit bench_guidance(const Setting& setting, const BenchOptions& options) {
  const bool kernel_tells = Kcov::open() != nullptr;
  const std::vector<GuideMode> modes = guide_modes(kernel_tells);
  fmt::print("guide\tseed\tprograms\toperations\tseconds\tabstract_states\tfeatures\tkernel_places\n");
  for (unsigned i = 0; i < options.seeds; ++i) {
    for (const GuideMode& mode : modes) {
      const Search made = search(setting, {.seed = options.seed + i,
                                           .guided = mode.guided,
                                           .kernel = mode.kernel,
                                           .time = milliseconds_of(options.time_s)});
      if (stop_requested()) throw Failure(Exit::kIncomplete, "interrupted");
      fmt::print("{}\t{}\t{}\t{}\t{:.1f}\t{}\t{}\t{}\n", mode.name, options.seed + i, made.tally.programs,
                 made.tally.operations, made.seconds, made.reached.count(kStateFeatures),
                 made.reached.count(kModelFeatures),
                 kernel_tells ? fmt::format("{}", made.reached.count(kKernelFeatures)) : "-");
      std::fflush(stdout);
    }
  }
  return Exit::kConforming;
}

// How many programs it takes until each lie shows, in each mode.
Exit bench_lies(const Setting& honest, const BenchOptions& options) {
  const std::vector<GuideMode> modes = guide_modes(Kcov::open() != nullptr);
  fmt::print("lie\tseed\tguide\tfound\tprograms\toperations\tlength\tseconds\n");
  for (const Lie& lie : lies()) {
    if (lie.id.find(*options.lies) == std::string_view::npos) continue;
    if (!all_hold(lie.needs, *honest.profile, honest.machine)) continue;
    Setting setting = honest;
    setting.lie = lie.id;
    for (std::size_t i = 0; i < modes.size() * options.seeds; ++i) {
      const GuideMode& mode = modes[i % modes.size()];
      const std::uint64_t seed = options.seed + i / modes.size();
      const Search made = search(setting, {.seed = seed,
                                           .guided = mode.guided,
                                           .kernel = mode.kernel,
                                           .most_programs = options.most,
                                           .time = milliseconds_of(options.time_s),
                                           .until_found = true});
      if (stop_requested()) throw Failure(Exit::kIncomplete, "interrupted");
      fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.1f}\n", lie.id, seed, mode.name, made.found_after ? "yes" : "no",
                 made.found_after.value_or(made.tally.programs), made.tally.operations, made.found_length,
                 made.seconds);
      std::fflush(stdout);
    }
  }
  return Exit::kConforming;
}

Exit bench(const BenchOptions& options) {
  stop_on_signals();
  TargetOptions target_options;
  target_options.directory = options.directory;
  const Target target(target_options);
  const Setting& setting = target.setting();
  if (options.guidance) return bench_guidance(setting, options);
  if (options.lies) return bench_lies(setting, options);
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
  CLI::Option* const guidance =
      command->add_flag("--guidance", options->guidance,
                        "Instead: what programs reach in so much time, chosen as `run` does without and with --corpus, "
                        "and with what a kernel with KCOV tells");
  command
      ->add_option("--lies", options->lies,
                   "Instead: after how many programs each lie with this text in its id shows, in the same ways")
      ->excludes(guidance)
      ->type_name("TEXT");
  command->add_option("--seeds", options->seeds, "Of these two: how many, one after the other (default 1)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command->add_option("--most", options->most, "Programs after which a lie counts as not found (default 20000)")
      ->check(CLI::Range(64, 100'000'000))
      ->type_name("N");
  command->footer(
      "Prints a line each: name, value and unit, with a tab between them.\n\n"
      "  lockstep_ratio         operations per CPU second with the model, to those without it\n"
      "  observe_ratio          operations per CPU second with observations, to bare calls\n"
      "  cases_per_second       random programs as `run` makes them, on all usable CPUs\n"
      "  mean_length_of_case    with what user space does between the calls\n"
      "  operations_per_second  AIO calls in programs 16 times as long, on all usable CPUs\n"
      "  peak_memory_mib        of all processes together, AIO rings included\n\n"
      "Examples:\n"
      "  aio-cts bench --time 10 | awk '$1 == \"lockstep_ratio\" { print $2 }'\n"
      "  aio-cts bench --guidance --time 60 --seeds 3\n"
      "  aio-cts bench --lies '' --seeds 3 --time 120");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace aio::cli
