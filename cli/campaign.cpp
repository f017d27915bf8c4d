// SPDX-License-Identifier: GPL-2.0-or-later
//
// aio-cts campaign: pieces of programs in turn on each kernel, each by a process of its own, whose report goes into
// results.db before the next begins. Whatever ends the campaign, it loses the piece that it was at, and makes that
// again.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>

#include "cli/campaign_plan.h"
#include "cli/commands.h"
#include "cli/merging.h"
#include "cli/piece.h"
#include "cli/progress.h"
#include "cli/reporting.h"
#include "cli/run_summary.h"
#include "fixtures/descriptor.h"
#include "fixtures/interruption.h"
#include "fixtures/seconds_since.h"
#include "reports/comparison.h"
#include "reports/merge.h"
#include "reports/terminal.h"
#include "reports/trace_reader.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlanFile = "campaign.options";
constexpr const char* kUnfinished = ".new";  // behind that name
constexpr const char* kReport = "report";
constexpr const char* kPiece = "piece";
constexpr const char* kComparison = "comparison.html";

std::string duration_text(double seconds) {
  if (seconds < 600) return fmt::format("{:.0f} s", seconds);
  return seconds < 36000 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

// The directory, which one process at a time works in.
Descriptor locked(const std::string& directory, const CampaignPlan& given) {
  std::error_code error;
  if (!given.time_s && !given.cases && !fs::exists(fs::path(directory) / kPlanFile, error)) {
    throw wrong_usage(
        fmt::format("{} holds no campaign yet: how long is it to be? (--time 8h, or --cases N)", directory));
  }
  fs::create_directories(directory, error);
  Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw wrong_usage(fmt::format("cannot use {}: {}", directory, std::strerror(errno)));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) throw wrong_usage(directory + " is in use by a campaign that runs");
  return fd;
}

// Whole and on the disk before it has its name: neither kill -9 nor a loss of power leaves half of it.
void keep_plan(const fs::path& file, const std::string& text, const Descriptor& directory) {
  const std::string fresh = file.string() + kUnfinished;
  const Descriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  const bool kept = out && ::write(out.get(), text.data(), text.size()) == std::ssize(text) &&
                    ::fsync(out.get()) == 0 && ::rename(fresh.c_str(), file.c_str()) == 0 &&
                    ::fsync(directory.get()) == 0;
  if (!kept) throw wrong_usage(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
}

bool has_pieces(const fs::path& directory) {
  const std::string database = (directory / kResultsDb).string();
  return fs::exists(database) && done(checked(Exit::kUsage, ResultsDb::open(database)).took()) > 0;
}

void require_ours(const fs::path& directory) {
  for (const fs::directory_entry& each : fs::directory_iterator(directory)) {
    if (each.path().filename() == std::string(kPlanFile) + kUnfinished) continue;
    throw wrong_usage(fmt::format("{} has other files and no campaign: name a new directory", directory.string()));
  }
}

// As the campaign was begun; what is `given` must be that, or nothing. It takes the place of one that has done nothing
// yet, as one may have to be put right first.
CampaignPlan settled_plan(const fs::path& directory, const Descriptor& opened, CampaignPlan given) {
  const fs::path file = directory / kPlanFile;
  if (fs::exists(file)) {
    CampaignPlan plan = read_plan(checked(Exit::kUsage, read_bounded(file)), file.string());
    if (!given.seed) given.seed = plan.seed;
    CampaignPlan nothing;
    nothing.seed = plan.seed;
    const std::string text = plan_text(given);
    if (text == plan_text(plan) || text == plan_text(nothing)) return plan;
    if (has_pieces(directory) || !(given.time_s || given.cases)) {
      throw wrong_usage(fmt::format("the campaign in {} was begun with other options ({}): leave them out to go on",
                                    directory.string(), file.string()));
    }
  } else {
    require_ours(directory);
  }
  if (!given.seed) given.seed = std::random_device()();
  campaign_targets(given);  // are right
  for (const char* const name : {"", "-journal"}) fs::remove(directory / (std::string(kResultsDb) + name));
  keep_plan(file, plan_text(given), opened);
  return given;
}

class Campaign {
 public:
  Campaign(const std::string& directory, const CampaignPlan& given)
      : directory_(directory),
        lock_(locked(directory, given)),
        plan_(settled_plan(directory, lock_, given)),
        db_(checked(Exit::kUsage, ResultsDb::open_or_make((directory_ / kResultsDb).string()))) {
    for (const CampaignTarget& each : campaign_targets(plan_)) {
      const ResultsDb::Run run = done(db_.run_named(each.name));
      targets_.push_back({each, run, done(db_.shards(run)).size(), {}, {}});
    }
    took_ = done(db_.took());
  }

  Exit perform() {
    fmt::print("seed {}\n", *plan_.seed);
    if (took_ > 0) fmt::print("goes on after {} of work\n", duration_text(took_));
    std::fflush(stdout);
    for (Target* target = next(); target != nullptr && !stop_requested(); target = next()) run_piece(*target);
    return conclude();
  }

 private:
  struct Target {
    CampaignTarget what;
    ResultsDb::Run run = 0;
    std::uint64_t pieces = 0;         // that are done
    std::optional<RunSummary> first;  // of its first piece, once it was needed
    std::string trouble;              // why it is not gone on with
  };

  std::uint64_t programs_left(const Target& target) const {
    const std::uint64_t behind = target.pieces * plan_.piece;
    if (!plan_.cases) return plan_.piece;
    return std::min(plan_.piece, *plan_.cases - std::min(behind, *plan_.cases));
  }

  // The one with the fewest pieces; none where the campaign is over. Each is to have one at least.
  Target* next() {
    Target* fewest = nullptr;
    for (Target& each : targets_) {
      if (each.trouble.empty() && (fewest == nullptr || each.pieces < fewest->pieces)) fewest = &each;
    }
    if (fewest == nullptr || programs_left(*fewest) == 0) return nullptr;
    const bool time_is_up = plan_.time_s && took_ >= *plan_.time_s;
    return time_is_up && fewest->pieces > 0 ? nullptr : fewest;
  }

  // A kernel with which nothing can be done leaves the others to go on, unless it is the first and the user may be
  // wrong.
  void give_up(Target& target, const Failure& failure) const {
    const bool is_usage = failure.exit() == Exit::kUsage && took_ == 0;
    if (is_usage || (failure.exit() != Exit::kIncomplete && targets_.size() == 1)) throw failure;
    const std::string all = failure.what();
    fmt::print("{}  {}\n", target.what.name, all);
    std::fflush(stdout);
    // The rest is what the piece has said.
    target.trouble = all.substr(0, all.find(":\n"));
  }

  void run_piece(Target& target) {
    const fs::path report = directory_ / fmt::format("{}-{}", kPiece, target.what.name);
    const std::vector<std::string> words = piece_words(plan_, target.what, target.pieces * plan_.piece,
                                                       programs_left(target), done(db_.found(target.run)), report);
    const auto start = std::chrono::steady_clock::now();
    {
      ProgressLine line;
      const std::string name = fmt::format("piece {} on {}", target.pieces, target.what.name);
      try {
        const bool ended = run_piece_process(words, report, [&] {
          line.show(fmt::format("{}: {}; {}", name, duration_text(seconds_since(start)), progress()));
        });
        if (!ended) return;
      } catch (const Failure& failure) {
        return give_up(target, failure);
      }
    }
    take_piece(target, report, seconds_since(start));
  }

  void take_piece(Target& target, const fs::path& report, double seconds) {
    const auto [piece, files] = checked(Exit::kIncomplete, load_report_files(report));
    // By somebody else than this campaign's user: its programs are still to be run.
    const std::vector<std::string>& lines = piece.summary.incomplete;
    if (std::find(lines.begin(), lines.end(), kInterrupted) != lines.end()) {
      fmt::print("{}  piece {} was stopped, and is made again\n", target.what.name, target.pieces);
      return;
    }
    require_same_kernel(target, piece.summary);
    done(db_.add_shard(target.run, target.pieces, piece, files, seconds));
    std::error_code ignored;
    fs::remove_all(report, ignored);
    took_ += seconds;
    const std::uint64_t number = target.pieces++;
    fmt::print("{}  piece {}  {} programs, {} operations, {} new {}; {}\n", target.what.name, number,
               with_separators(piece.summary.programs), with_separators(piece.summary.operations),
               piece.divergences.size(), plural(piece.divergences.size(), "divergence"), progress());
    for (const SavedDivergence& each : piece.divergences) {
      fmt::print("  new: {} ({}), {} {}, shown by {} of {}\n", each.requirement, each.kind, each.program.size(),
                 plural(each.program.size(), "operation"), each.repeats_shown, each.repeats_of);
    }
    std::fflush(stdout);
  }

  // "12 min of 8.0 h", "40,000 of 100,000 programs".
  std::string progress() const {
    if (plan_.time_s) return fmt::format("{} of {}", duration_text(took_), duration_text(*plan_.time_s));
    std::uint64_t programs = 0;
    for (const Target& each : targets_) programs += std::min(each.pieces * plan_.piece, *plan_.cases);
    return fmt::format("{} of {} programs", with_separators(programs), with_separators(*plan_.cases * targets_.size()));
  }

  // A machine may come up with another kernel.
  void require_same_kernel(Target& target, const RunSummary& piece) const {
    if (!target.first) target.first = target.pieces == 0 ? piece : first_of(target);
    target.first->request = piece.request;
    const std::string why = foreign(*target.first, piece);
    if (!why.empty()) {
      throw wrong_usage(
          fmt::format("{} is not what the campaign in {} began with: {}", target.what.name, directory_.string(), why));
    }
  }

  RunSummary first_of(const Target& target) const {
    return checked(Exit::kIncomplete, read_report(done(db_.shard(target.run, 0)).report, kResultsDb)).summary;
  }

  Whole whole(const Target& target) const {
    Whole whole = whole_of(db_, target.run, [&](std::uint64_t number, SavedReport& report) {
      report.summary.shards = target.pieces;
      report.summary.shard_numbers = {number};
    });
    RunSummary& summary = whole.report.summary;
    summary.request = plan_.cases ? fmt::format("campaign --cases {}", *plan_.cases)
                                  : fmt::format("campaign --time {}", *plan_.time_s);
    if (stop_requested()) summary.incomplete.emplace_back(kInterrupted);
    if (!target.trouble.empty()) summary.incomplete.push_back(target.trouble);
    // In turn they would be one apart, if it had not been given up at some time.
    const auto most = std::max_element(targets_.begin(), targets_.end(),
                                       [](const Target& a, const Target& b) { return a.pieces < b.pieces; });
    if (target.pieces + 1 < most->pieces) {
      summary.incomplete.push_back(
          fmt::format("{} pieces were run here, on {} {}", target.pieces, most->what.name, most->pieces));
    }
    return whole;
  }

  Exit conclude() {
    std::vector<SavedReport> reports;
    bool diverged = false;
    bool incomplete = false;
    for (const Target& each : targets_) {
      if (each.pieces == 0) {
        fmt::print("{}  nothing was run{}{}\n", each.what.name, each.trouble.empty() ? "" : ": ", each.trouble);
        incomplete = true;
        continue;
      }
      const Whole all = whole(each);
      const RunSummary& summary = all.report.summary;
      done(db_.set_whole(each.run, all.report));
      const fs::path place = targets_.size() == 1 ? directory_ / kReport : directory_ / kReport / each.what.name;
      write_whole(all, place, ReportDirectory::Database::kRemove);
      fmt::print("{}  {} programs in {} {}, {} {}: {}\n", each.what.name, with_separators(summary.programs),
                 each.pieces, plural(each.pieces, "piece"), summary.divergences,
                 plural(summary.divergences, "divergence"), (place / "report.html").string());
      for (const std::string& line : summary.incomplete) fmt::print("incomplete: {}\n", line);
      diverged = diverged || summary.divergences > 0;
      incomplete = incomplete || !summary.incomplete.empty() || !summary.flaky.empty();
      reports.push_back(all.report);
    }
    if (reports.size() > 1) {
      const fs::path page = directory_ / kReport / kComparison;
      if (!(std::ofstream(page) << comparison_html(reports) << std::flush)) {
        throw Failure(Exit::kIncomplete, fmt::format("cannot write {}: {}", page.string(), std::strerror(errno)));
      }
      fmt::print("side by side: {}\n", page.string());
    }
    if (stop_requested()) fmt::print("interrupted; `aio-cts campaign {}` goes on\n", directory_.string());
    if (diverged) return Exit::kDivergences;
    return incomplete || stop_requested() ? Exit::kIncomplete : Exit::kConforming;
  }

  const fs::path directory_;
  const Descriptor lock_;
  const CampaignPlan plan_;
  ResultsDb db_;
  std::vector<Target> targets_;
  double took_ = 0;  // of pieces that are done
};

}  // namespace

void add_campaign(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("campaign", "Hours of programs, on several kernels, that survive interruption");
  const auto directory = std::make_shared<std::string>();
  const auto plan = std::make_shared<CampaignPlan>();
  command
      ->add_option("directory", *directory,
                   "Where it keeps what it has found; of one that was begun nothing else is needed")
      ->required()
      ->type_name("DIR");
  add_plan_options(*command, *plan);
  command->footer(
      "Runs pieces of programs in turn on each kernel, and keeps the results of each in\n"
      "DIR/results.db. After kill -9 or a reboot the same command goes on: no program counts\n"
      "twice, none is left out. Each new divergence is minimized once. The report is in\n"
      "DIR/report, of several kernels one for each, and all side by side.\n\n"
      "Examples:\n"
      "  aio-cts campaign night --time 8h\n"
      "  aio-cts campaign night                     goes on with it\n"
      "  aio-cts campaign rc1 --time 8h --kernel old/bzImage --kernel new/bzImage --cpus 1,2,4\n"
      "  aio-cts history night/results.db");
  command->callback([directory, plan, &action] {
    action = [directory, plan] {
      stop_on_signals();
      return Campaign(*directory, *plan).perform();
    };
  });
}

}  // namespace aio::cli
