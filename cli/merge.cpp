// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/merge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/merging.h"
#include "cli/progress.h"
#include "reports/terminal.h"
#include "reports/wrapped.h"

namespace aio::cli {
namespace {

struct MergeCommand {
  std::vector<std::string> directories;
  std::string report;
  std::string format = "text";
};

void print_line(const char* label, const std::string& text) {
  fmt::print("{}", wrapped(fmt::format("{:<14}", label), text));
}

void print_whole(const SavedReport& whole, const std::string& directory) {
  const RunSummary& summary = whole.summary;
  for (const std::string& how : falsifications(summary)) print_line("FALSIFIED RUN ", how);
  print_line("shards", fmt::format("{} of {}", summary.shard_numbers.size(), summary.shards));
  print_line("kernel", summary.kernel);
  print_line("profile", summary.profile);
  print_line("seed", fmt::format("{}", summary.seed));
  print_line("programs", fmt::format("{} in {:.1f} s of all shards together, hash {:016x}",
                                     with_separators(summary.programs), summary.seconds, summary.program_hash));
  print_line("operations", fmt::format("{}, {} undecided", with_separators(summary.operations),
                                       with_separators(undecided_operations(summary))));
  print_line("requirements", fmt::format("{} exercised of {} applicable", whole.exercised.size(), whole.applicable));
  if (!summary.suites.runs.empty()) {
    const auto count = [&](const char* verdict) { return summary.suites.count(verdict); };
    print_line("suites",
               fmt::format("{} runs of tests: {} hold, {} fail, {} skipped, {} broken", summary.suites.runs.size(),
                           count("holds"), count("fails"), count("skipped"), count("broken")));
  }
  for (const SavedDivergence& each : whole.divergences) {
    fmt::print("\n{}", wrapped("DIVERGENCE ", each.requirement));
    fmt::print("{}", wrapped("  ", each.sentence));
    fmt::print("{}", wrapped("  expected  ", each.expected));
    fmt::print("{}", wrapped("  seen      ", each.seen));
    fmt::print("{}", wrapped("  found by  ", fmt::format("{} {}", each.shards, plural(each.shards, "shard"))));
    if (!directory.empty()) fmt::print("{}", wrapped("  trace     ", directory + "/" + each.trace));
  }
  fmt::print("\n{}\n", summary.divergences == 0 ? "no divergence"
                                                : fmt::format("{} {}", with_separators(summary.divergences),
                                                              plural(summary.divergences, "divergence")));
}

Exit merge(const MergeCommand& options) {
  Merging merging;
  {
    ProgressLine line;
    std::size_t taken = 0;
    for (const std::string& each : options.directories) {
      line.show(fmt::format("reading {} of {}", ++taken, options.directories.size()));
      merging.take(each);
    }
  }
  for (const std::string& problem : merging.problems()) fmt::print(stderr, "aio-cts: {}\n", problem);
  const Whole all = merging.whole();
  const SavedReport& whole = all.report;
  if (!options.report.empty()) merging.write(options.report, all);
  if (options.format == "json") {
    fmt::print("{}\n", json_summary(whole));
  } else {
    print_whole(whole, options.report);
  }
  std::FILE* const to = options.format == "json" ? stderr : stdout;
  for (const std::string& line : whole.summary.incomplete) fmt::print(to, "incomplete: {}\n", line);
  for (const FlakyDivergence& each : whole.summary.flaky) fmt::print(to, "incomplete: {}\n", flaky_text(each));
  if (whole.summary.divergences > 0) return Exit::kDivergences;
  return whole.summary.incomplete.empty() && whole.summary.flaky.empty() ? Exit::kConforming : Exit::kIncomplete;
}

}  // namespace

void add_merge(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("merge", "The reports of all shards of a run as one");
  const auto options = std::make_shared<MergeCommand>();
  command->add_option("directories", options->directories, "What the shards, or merges of some of them, have reported")
      ->required()
      ->expected(1, 1'000'000)
      ->type_name("DIR");
  command
      ->add_option("--report", options->report, "Write the report of the whole, with results.db, into this directory")
      ->type_name("DIR");
  command->add_option("--format", options->format, "text, or json: the summary as an object, all else on stderr")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  command->footer(
      "Sums what was counted, and keeps of each divergence the shortest program. It does not\n"
      "matter in what order shards come, whether one comes twice, or whether some were merged\n"
      "before. A shard that is missing or did not come to its end is named, and the result is\n"
      "no pass (exit 3); one of another build, kernel, seed or call is refused (exit 2).\n\n"
      "Examples:\n"
      "  aio-cts run --seed 7 --cases 100000 --shard 0/4 --report out/0     and 1/4, 2/4, 3/4\n"
      "  aio-cts merge out/* --report whole\n"
      "  aio-cts merge whole out/5 --report whole                           one that was late");
  command->callback([options, &action] { action = [options] { return merge(*options); }; });
}

}  // namespace aio::cli
