// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <set>

#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/corpus.h"
#include "cli/formats.h"
#include "cli/profile_hint.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/reporting.h"
#include "cli/run_summary.h"
#include "cli/self_check.h"
#include "cli/shard.h"
#include "cli/suites.h"
#include "cli/target.h"
#include "fixtures/freezing.h"
#include "fixtures/interruption.h"
#include "fixtures/probe.h"
#include "fixtures/vm/journal.h"
#include "properties/campaign.h"
#include "reports/report.h"
#include "reports/trace_writer.h"

namespace aio::cli {
namespace {

struct RunOptions {
  std::optional<std::uint64_t> seed;
  std::string shard;  // "I/N"
  double time_s = 45;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> cases;
  std::vector<std::string> known;
  unsigned jobs = 0;  // 0: as many as there are usable CPUs
  SuiteOptions suites{{"none"}, {}, {}, false, false};
  TargetOptions target;
  std::string report;
  std::string corpus;
  std::string format = "text";
  std::optional<std::size_t> max_divergences;
  std::optional<double> minimize_time_s;
  bool held = false;
  bool stepped = false;
  std::string stop_at;
};

// How many divergences end a run, and how long each is minimized: of Linux few are expected, and each is worth a look;
// of another implementation many, of which each is to be followed by the next.
constexpr std::size_t kMostOfLinux = 10;
constexpr std::size_t kMostOfOthers = 1000;
constexpr double kMinimizeLinuxSeconds = 20;
constexpr double kMinimizeOthersSeconds = 4;

constexpr std::chrono::seconds kFreezePatience{20};

// Short, so that people can type it again.
std::uint64_t random_seed() { return std::random_device()(); }

// "io_submit.counts/count".
Signature signature_named(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::optional<Kind> kind = find_kind(slash == std::string::npos ? "" : text.substr(slash + 1));
  if (!kind) throw wrong_usage(fmt::format("--known {}: right would be REQUIREMENT/KIND", text));
  return {requirement_named(text.substr(0, slash)), *kind};
}

CampaignOptions campaign_options(const RunOptions& options, const Target& target, const Shard& shard) {
  const Machine& machine = target.setting().machine;
  const bool is_linux = target.implementation().is_linux();
  CampaignOptions campaign;
  campaign.seed = options.seed ? *options.seed : random_seed();
  campaign.first = options.from;
  campaign.cases = options.cases;
  for (const std::string& each : options.known) campaign.known.insert(signature_named(each));
  campaign.shard = shard.index;
  campaign.shards = shard.count;
  require_seed(shard, options.seed.has_value());
  campaign.time = milliseconds_of(options.time_s);
  campaign.jobs = options.jobs != 0 ? options.jobs : machine.usable_cpus;
  campaign.max_findings = options.max_divergences.value_or(is_linux ? kMostOfLinux : kMostOfOthers);
  campaign.adopt = !is_linux;
  if (options.held) campaign.kind = ProgramKind::kHeld;
  if (options.stepped) campaign.kind = ProgramKind::kStepped;
  campaign.minimize_budget =
      milliseconds_of(options.minimize_time_s.value_or(is_linux ? kMinimizeLinuxSeconds : kMinimizeOthersSeconds));
  if (!options.stop_at.empty()) campaign.stop_at = requirement_named(options.stop_at);
  return campaign;
}

std::set<std::string> requirements_of(const std::vector<Finding>& findings) {
  std::set<std::string> ids;
  for (const Finding& each : findings) {
    if (each.trace.divergence) ids.emplace(requirement(each.trace.divergence->signature.requirement).id);
  }
  return ids;
}

// What all shards of a run have in common.
std::string request_of(const RunOptions& options) {
  std::string words =
      options.cases ? fmt::format("--cases {}", *options.cases) : fmt::format("--time {}", options.time_s);
  if (options.from > 0) words += fmt::format(" --from {}", options.from);
  if (options.held) words += " --held";
  if (options.stepped) words += " --stepped";
  const auto add = [&](const char* name, const std::vector<std::string>& values) {
    if (!values.empty()) words += fmt::format(" {} {}", name, fmt::join(values, ","));
  };
  add("--suite", options.suites.suites);
  add("--entry", options.suites.entries);
  add("--gtest", options.suites.gtest_flags);
  if (options.suites.may_change_system) words += " --allow-system-changes";
  if (options.suites.may_crash) words += " --allow-crash";
  if (!options.stop_at.empty()) words += " --stop-at " + options.stop_at;
  return words;
}

suites::Selection part_of_suites(const SuiteOptions& options, const CampaignOptions& campaign) {
  suites::Selection selection = chosen_suites(options, campaign.jobs);
  selection.part = campaign.shard;
  selection.parts = campaign.shards;
  return selection;
}

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        target_(options.target),
        shard_(chosen_shard(options.shard, environment)),
        campaign_(campaign_options(options, target_, shard_)),
        selection_(part_of_suites(options.suites, campaign_)),
        out_(options.format == "text" ? stdout : stderr) {}

  Exit perform() {
    const Machine& machine = target_.setting().machine;
    if (options_.held && !machine.gate) {
      throw Failure(Exit::kSkipped, "skipped: there can be no gate file here: " + gate_obstacle());
    }
    if (options_.stepped && !machine.lanes) {
      throw Failure(Exit::kSkipped, "skipped: /proc/self/syscall does not show here in which call a thread sleeps");
    }
    fmt::print(out_, "seed {}{}\n", campaign_.seed, options_.stepped ? " --stepped" : options_.held ? " --held" : "");
    if (shard_) fmt::print(out_, "shard {}/{} ({})\n", shard_.index, shard_.count, shard_.said_by);
    if (!options_.target.lie.empty()) fmt::print(out_, "FALSIFIED RUN with the lie {}\n", options_.target.lie);
    if (!options_.target.mutant.empty()) fmt::print(out_, "FALSIFIED RUN with the mutant {}\n", options_.target.mutant);
    if (!options_.corpus.empty()) guide_ = open_guide(options_.corpus, campaign_, out_);
    std::fflush(out_);
    touch_status_file(shard_, environment);
    if (!options_.report.empty()) report_ = checked(Exit::kUsage, ReportDirectory::open(options_.report));
    std::vector<std::string> missing;
    if (shard_ && is_honest()) missing = self_check(target_.setting());
    SuitesSummary suites;
    if (!no_suites(options_.suites)) {
      suites = run_suites(target_, options_.suites, selection_, campaign_.seed, missing);
    }
    const CampaignResult result = campaign();
    freeze();
    RunSummary summary = summarize(target_, campaign_.seed, result);
    summary.divergences = findings_.size();
    if (guide_) note_corpus(*guide_, summary);
    if (target_.implementation().is_linux()) {
      if (const std::string hint = profile_hint(findings_); !hint.empty()) summary.profile_notes.push_back(hint);
    }
    if (!no_suites(options_.suites)) {
      make_matrix(suites, target_, selection_, result.exercised);
      // What a test saw broken may be of a divergence that is known, where not all of a context works.
      if (target_.implementation().is_linux())
        summary.divergences += suites.broken_beside(requirements_of(findings_)).size();
      summary.suites = std::move(suites);
    }
    if (shard_ && summary.programs == 0 && summary.suites.runs.empty() && !result.interrupted) {
      missing.push_back(fmt::format("nothing fell to shard {} of {}: take fewer shards", shard_.index, shard_.count));
    }
    const std::vector<std::string> more = shortcomings(summary, result);
    missing.insert(missing.end(), more.begin(), more.end());
    summary.started = started_;
    summary.kernel_build = kernel_build();
    summary.request = request_of(options_);
    summary.shards = shard_.count;
    summary.shard_numbers = {shard_.index};
    summary.incomplete = std::move(missing);
    if (report_) write_report(summary, result);
    return conclude(summary);
  }

 private:
  // Otherwise differences are what it is made to show.
  bool is_honest() const {
    return target_.implementation().is_linux() && options_.target.lie.empty() && options_.target.mutant.empty();
  }

  // Each divergence is written as soon as it is minimized: what comes later may end the run.
  CampaignResult campaign() {
    ProgressLine line;
    CampaignOptions campaign = campaign_;
    campaign.guide = guide_.get();
    if (journal() != nullptr) campaign.journaled_text = bare_trace_text;
    return run_campaign(
        target_.setting(), campaign,
        {[&](const CampaignProgress& progress) { line.show(progress); }, [this](const Found& found) { add(found); }});
  }

  // A guest's file system can be frozen once the programs are over, whatever they did.
  void freeze() {
    const Setting& setting = target_.setting();
    if (!setting.machine.guest || !options_.suites.may_change_system) return;
    const std::string trouble = freezing_trouble(setting.directory, kFreezePatience);
    if (trouble.empty()) return;
    Trace trace = about(target_, setting, bare_trace({}));
    trace.divergence = kernel_divergence(0, "no program's write keeps the file system from being frozen", trouble);
    add(std::move(trace));
  }

  void add(const Found& found) {
    Setting setting = target_.setting();
    setting.quirks = found.quirks;
    Trace trace = record(target_, setting, found.program, found.signature);
    trace.repeats_shown = found.shown;
    trace.repeats_of = found.of;
    trace.needs_history = found.needs_history;
    add(std::move(trace));
  }

  void add(Trace trace) {
    if (report_) {
      findings_.push_back(checked(Exit::kIncomplete, report_->add_divergence(std::move(trace))));
    } else {
      findings_.push_back({std::move(trace), ""});
    }
  }

  void write_report(const RunSummary& summary, const CampaignResult& result) {
    for (const Unrepeated& each : result.unrepeated) {
      checked(Exit::kIncomplete,
              report_->add_line(fmt::format(R"({{"unrepeated":"{}","kind":"{}","seed":{},"index":{}}})",
                                            requirement(each.signature.requirement).id, kind_name(each.signature.kind),
                                            summary.seed, each.index)));
    }
    checked(Exit::kIncomplete, report_->finish(summary));
  }

  Exit conclude(const RunSummary& summary) const {
    const bool conforming = summary.divergences == 0 && summary.incomplete.empty() && summary.flaky.empty();
    // Whoever reads the summary by a program wants no text unless there is something to tell.
    if (out_ == stdout || !conforming) print_report(out_, summary, findings_, options_.report);
    for (const std::string& line : summary.incomplete) fmt::print(out_, "incomplete: {}\n", line);
    for (const FlakyDivergence& each : summary.flaky) fmt::print(out_, "incomplete: {}\n", flaky_text(each));
    if (out_ == stderr) print_format(summary);
    if (summary.divergences > 0) return Exit::kDivergences;
    return conforming ? Exit::kConforming : Exit::kIncomplete;
  }

  void print_format(const RunSummary& summary) const {
    if (options_.format == "json") {
      fmt::print("{}\n", json_summary(summary));
      return;
    }
    SavedReport report = checked(Exit::kIncomplete, read_report(json_report(summary, findings_), "this run"));
    report.directory = options_.report;
    fmt::print("{}", format_named(options_.format).write(report));
  }

  const RunOptions& options_;
  const std::string started_ = now();
  const Target target_;
  const Shard shard_;
  const CampaignOptions campaign_;
  const suites::Selection selection_;
  std::FILE* const out_;
  std::unique_ptr<Guide> guide_;  // only with a corpus
  std::optional<ReportDirectory> report_;
  std::vector<Finding> findings_;
};

std::string known_format(const std::string& name) {
  if (name != "text" && name != "json") format_named(name);
  return "";
}

Exit run(const RunOptions& options) {
  stop_on_signals();
  return Run(options).perform();
}

void add_options(CLI::App& run, RunOptions& options) {
  const auto seconds = CLI::Range(0.0, 1e6);
  run.add_option("--seed", options.seed, "The same seed gives the same programs everywhere (default: a random one)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  run.add_option("--shard", options.shard,
                 "Only the I-th (from 0) of N parts of programs and tests; default: what Slurm, GitLab and others say "
                 "of this job")
      ->type_name("I/N");
  run.add_option("--time", options.time_s, "How long programs run (default 45)")->check(seconds)->type_name("SECONDS");
  run.add_option("--cases", options.cases, "This many programs, however long they take")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  run.add_option("--from", options.from, "The index of the first program: 640 with --cases 64 are programs 640 to 703")
      ->check(CLI::NonNegativeNumber)
      ->type_name("INDEX");
  run.add_option("--jobs", options.jobs, "CPUs to keep busy (default: all that may be used)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  CLI::Option* const held =
      run.add_flag("--held", options.held, "Only programs that hold requests in flight (needs FUSE)");
  run.add_flag("--stepped", options.stepped, "Only programs of several threads, some of which wait for others")
      ->excludes(held);
  run.add_option("--suite", options.suites.suites, "Suites to run before: names, all or none (default none)")
      ->delimiter(',')
      ->type_name("NAMES");
  run.add_option("--entry", options.suites.entries, "Entries for the suites: native, libaio, compat32 (default all)")
      ->delimiter(',')
      ->type_name("NAMES");
  run.add_flag("--allow-crash", options.suites.may_crash, "Also tests that a kernel with old bugs may not survive");
  run.add_flag("--allow-system-changes", options.suites.may_change_system,
               "Also tests that change what others see: sysctls, loop devices, mounts");
  run.add_option("--gtest", options.suites.gtest_flags, "For the suites: filter=GLOB, shuffle, repeat=N")
      ->delimiter(',')
      ->type_name("FLAGS");
  add_target_options(run, options.target);
  run.add_option("--implementation", options.target.implementation,
                 "auto, linux or other: of another one each divergence is taken over once found (default auto)")
      ->check(CLI::IsMember({"auto", "linux", "other"}))
      ->type_name("WHOSE");
  run.add_option("--report", options.report, "Write a report into this directory")->type_name("DIR");
  run.add_option("--corpus", options.corpus,
                 "Guide the programs by what they reach: these traces, and mutants of them; new ones are added")
      ->type_name("DIR");
  run.add_option(
         "--format", options.format,
         "text; json (one summary object) or one of `aio-cts report --help`: that on stdout, all else on stderr")
      ->check(known_format)
      ->type_name("FORMAT");
  run.add_option("--hang-time", options.target.hang_time_s, "After which what has not come is lost (default 5)")
      ->check(CLI::Range(0.1, 1e4))
      ->type_name("SECONDS");
  run.add_option("--known", options.known, "Divergences that are neither confirmed nor minimized again")
      ->delimiter(',')
      ->type_name("REQ/KIND");
  run.add_option("--max-divergences", options.max_divergences,
                 "End after so many different ones (default 10, or 1000 if not Linux)")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  run.add_option("--minimize-time", options.minimize_time_s, "For each divergence (default 20, or 4 if not Linux)")
      ->check(seconds)
      ->type_name("SECONDS");
  const std::string group = "For tests of the tool itself";
  run.add_option("--lie", options.target.lie, "A wrong kernel: aio-cts list lies")->type_name("ID")->group(group);
  run.add_option("--mutant", options.target.mutant, "A wrong model: aio-cts list mutants")
      ->type_name("REQ")
      ->group(group);
  run.add_option("--stop-at", options.stop_at, "Look for divergences of this requirement only; end with the first")
      ->type_name("REQ")
      ->group(group);
}

}  // namespace

RunSummary announced(const std::vector<std::string>& words) {
  CLI::App app;
  RunOptions options;
  add_options(app, options);
  app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));  // it wants them reversed
  const Shard shard = chosen_shard(options.shard, environment);
  RunSummary summary;
  summary.request = request_of(options);
  summary.seed = options.seed.value_or(0);
  summary.shards = shard.count;
  summary.shard_numbers = {shard.index};
  summary.lie = options.target.lie;
  summary.mutant = options.target.mutant;
  return summary;
}

void add_run(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("run", "Hold the running kernel against the ABI");
  const auto options = std::make_shared<RunOptions>();
  add_options(*command, *options);
  command->footer(
      "Runs generated programs on the kernel and on the model, side by side. Each divergence is run again,\n"
      "minimized and shown. Nothing outside the run's own directory and processes is changed.\n\n"
      "Examples:\n"
      "  aio-cts run                                  45 seconds, a random seed\n"
      "  aio-cts run --seed 42 --cases 10000          the same 10,000 programs on any machine\n"
      "  aio-cts run --dir /mnt/ext4 --report out     files on ext4; traces and C files in out/\n"
      "  aio-cts run --corpus traces                  go on from what earlier runs have reached\n"
      "  aio-cts run --suite all --cases 0            the hand-written tests alone\n"
      "  aio-cts run --lie submit_einval_as_ebadf     is a wrong kernel noticed?");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace aio::cli
