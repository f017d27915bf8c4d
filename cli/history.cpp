// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/formats.h"
#include "cli/merging.h"
#include "cli/reporting.h"
#include "reports/comparison.h"
#include "reports/merge.h"
#include "reports/results_db.h"
#include "reports/terminal.h"

namespace aio::cli {
namespace {

struct HistoryCommand {
  std::string database;
  std::vector<std::string> add;
  std::string format = "text";
};

// Of the same run the same one, and of no two runs.
std::string run_name(const RunSummary& summary) {
  return fmt::format("{} {} {} {:016x}", summary.started, summary.kernel, summary.request, summary.program_hash);
}

void add_run(ResultsDb& db, const std::string& directory) {
  const auto [report, files] = checked(Exit::kUsage, load_report_files(directory));
  if (const auto missing = missing_shards(report.summary); !missing.empty()) {
    throw wrong_usage(fmt::format("{} is not the whole run: of {} shards {} are missing; merge them first", directory,
                                  report.summary.shards, ranges_text(missing)));
  }
  const ResultsDb::Run run = done(db.run_named(run_name(report.summary)));
  if (done(db.add_shard(run, 0, report, files)) == ResultsDb::Added::kOther) {
    throw wrong_usage(fmt::format("{} is in the history with other results", directory));
  }
  done(db.set_whole(run, report));
}

void print_table(const std::vector<SavedReport>& runs) {
  fmt::print("{:<16}  {:<26} {:>12} {:>11} {:>5} {:>5}\n", "started", "kernel", "programs", "divergences", "new",
             "gone");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunSummary& summary = runs[i].summary;
    fmt::print("{:<16.16}  {:<26.26} {:>12} {:>11}", summary.started, summary.kernel, with_separators(summary.programs),
               summary.divergences);
    if (i > 0) {
      const Comparison found = compare(runs[i - 1], runs[i]);
      fmt::print(" {:>5} {:>5}", found.fresh.size(), found.gone.size());
    }
    fmt::print("{}\n", summary.incomplete.empty() ? "" : "  incomplete");
  }
}

Exit history(const HistoryCommand& options) {
  if (!options.add.empty()) {
    ResultsDb db = checked(Exit::kUsage, ResultsDb::open_or_make(options.database));
    for (const std::string& each : options.add) add_run(db, each);
  }
  const ResultsDb db = checked(Exit::kUsage, ResultsDb::open(options.database));
  std::vector<SavedReport> runs;
  for (const ResultsDb::Run run : done(db.runs())) runs.push_back(done(db.whole(run)));
  for (const std::string& name : done(db.unfinished())) {
    fmt::print(stderr, "{} is not there yet: its campaign goes on, or was broken off\n", name);
  }
  if (options.format == "html") {
    fmt::print("{}", comparison_html(runs));
  } else if (options.format == "json") {
    fmt::print("{}", comparison_json(runs));
  } else {
    print_table(runs);
  }
  return Exit::kConforming;
}

}  // namespace

void add_history(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("history", "Runs over time: a database of their results");
  const auto options = std::make_shared<HistoryCommand>();
  command->add_option("database", options->database, "A results.db; with --add one is made where there is none")
      ->required()
      ->type_name("FILE");
  command->add_option("--add", options->add, "Report directories of whole runs, which it takes in, each once")
      ->type_name("DIR");
  command
      ->add_option("--format", options->format,
                   "text: a line for each run; json: what changed from each to the next; html: a page with a picture")
      ->check(CLI::IsMember({"text", "json", "html"}))
      ->type_name("FORMAT");
  command->footer(
      "New and gone are divergences that the run before does not have, or this one does not.\n"
      "The database is SQLite's: tables run, shard, divergence and test (report-schema.md).\n\n"
      "Examples:\n"
      "  aio-cts history nightly.db --add out/merged        tonight's, and all before it\n"
      "  aio-cts history nightly.db --format html >history.html\n"
      "  sqlite3 nightly.db \"SELECT started, requirement, fingerprint\n"
      "                      FROM divergence JOIN run ON run.id = run\"");
  command->callback([options, &action] { action = [options] { return history(*options); }; });
}

}  // namespace aio::cli
