// SPDX-License-Identifier: GPL-2.0-or-later
//
// aio-cts prove: the proof that the checks notice. Every lie is told and every rule of the model is made wrong, one at
// a time; each must be found, named and minimized.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "cli/commands.h"
#include "cli/target.h"
#include "fixtures/interruption.h"
#include "fixtures/lies.h"
#include "fixtures/racing_lies.h"
#include "fixtures/seconds_since.h"
#include "properties/campaign.h"
#include "properties/free_campaign.h"
#include "properties/free_programs.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Operations of a program that shows a fault; one to hold requests and one to end that, or two to change the lane, come
// on top.
constexpr std::size_t kMaxMinimized = 6;
constexpr std::size_t kMaxMinimizedMore = 8;  // and of free lanes

// Added to the seed where no operation of the minimized program can go and yet it is too long: another program that
// shows the fault may have a shorter core.
constexpr std::uint64_t kOtherSeed = 1000;

// How often a program of free lanes is run while it is made smaller, and then.
constexpr std::uint64_t kTriesOfFree = 64;
constexpr std::uint64_t kRepeatsOfFree = 20;
constexpr std::chrono::seconds kMinimizeFree{20};

struct ProveOptions {
  std::uint64_t seed = 1;
  unsigned seeds = 1;
  unsigned tries = 1;
  double time_s = 45;
  std::string only;
  std::string without;
  unsigned part = 1;  // of `parts`
  unsigned parts = 1;
  TargetOptions target;
};

struct Case {
  std::string id;
  bool is_lie = false;
  std::optional<Req> rule;
  ProgramKind kind = ProgramKind::kMixed;  // with which it shows
  bool is_racing = false;                  // it shows in free lanes
};

ProgramKind kind_that_shows(std::string_view needs) {
  const std::vector<std::string_view> tokens = split_needs(needs);
  const auto has = [&](std::string_view token) {
    return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
  };
  if (has("lanes")) return ProgramKind::kStepped;
  return has("gate") ? ProgramKind::kHeld : ProgramKind::kMixed;
}

std::size_t most_operations(const Program& program) {
  const bool is_more =
      std::any_of(program.operations.begin(), program.operations.end(), [](const Operation& operation) {
        return std::holds_alternative<Hold>(operation) || std::holds_alternative<InLane>(operation);
      });
  return is_more ? kMaxMinimizedMore : kMaxMinimized;
}

std::vector<Case> cases(const ProveOptions& options, const Setting& setting) {
  std::vector<Case> all;
  const auto add = [&](std::string_view id, std::optional<Req> rule, std::string_view needs) {
    if (!all_hold(needs, *setting.profile, setting.machine)) return;
    all.push_back({std::string(id), !rule, rule, kind_that_shows(needs)});
  };
  for (const Lie& lie : lies()) add(lie.id, std::nullopt, lie.needs);
  for (const Lie& lie : racing_lies()) {
    add(lie.id, std::nullopt, lie.needs);
    if (!all.empty() && all.back().id == lie.id) all.back().is_racing = true;
  }
  for (const Requirement& each : requirements()) add(each.id, each.req, each.needs);
  if (!options.only.empty()) {
    std::erase_if(all, [&](const Case& each) { return each.id.find(options.only) == std::string::npos; });
  }
  if (!options.without.empty()) {
    std::erase_if(all, [&](const Case& each) { return each.id.find(options.without) != std::string::npos; });
  }
  std::size_t index = 0;
  std::erase_if(all, [&](const Case&) { return index++ % options.parts != options.part - 1; });
  return all;
}

enum class Verdict { kFound, kNotFound, kTooLong };
constexpr std::array kVerdictNames{"found", "NOT FOUND", "TOO LONG"};

struct Proof {
  bool found = false;
  bool small = false;
  std::uint64_t programs = 0;
  std::size_t length = 0;
  std::uint64_t shown = 0;
  std::uint64_t of = 0;
  double seconds = 0;
  std::string named = "-";
};

// One line of the table.
Verdict print(const Case& each, std::uint64_t seed, const Proof& proof) {
  const Verdict verdict = !proof.found ? Verdict::kNotFound : proof.small ? Verdict::kFound : Verdict::kTooLong;
  fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}/{}\t{:.1f}\t{}\n", each.is_lie ? "lie" : "mutant", each.id, seed,
             kVerdictNames.at(static_cast<std::size_t>(verdict)), proof.programs, proof.length, proof.shown, proof.of,
             proof.seconds, proof.named);
  std::fflush(stdout);
  return verdict;
}

Proof prove_racing(const Case& each, const Setting& honest, std::uint64_t seed, const ProveOptions& options) {
  FreeSetting setting;
  setting.directory = honest.directory;
  setting.lie = each.id;
  setting.processes = free_processes(honest.machine.usable_cpus);
  setting.patience = honest.hang_time;
  const auto programs = [seed](std::uint64_t index) { return free_program(seed, index); };
  const auto start = Clock::now();
  const FreeResult result =
      run_free_programs(setting, programs, 0, UINT64_MAX, 1, start + milliseconds_of(options.time_s));
  if (!result.problems.empty()) throw Failure(Exit::kIncomplete, result.problems.front());
  Proof proof;
  proof.programs = result.programs;
  proof.seconds = seconds_since(start);
  if (result.findings.empty()) return proof;
  const FreeFinding& found = result.findings.front();
  const SmallFree small =
      minimize_free(setting, programs(found.program), found.text, kTriesOfFree, Clock::now() + kMinimizeFree);
  const auto again = [&](std::uint64_t index) { return with_pauses(small.program, seed, index); };
  proof.found = true;
  proof.length = calls_in(small.program);
  proof.small = proof.length <= kMaxMinimizedMore;
  proof.of = kRepeatsOfFree;
  proof.shown = run_free_programs(setting, again, 0, kRepeatsOfFree, kRepeatsOfFree).findings.size();
  proof.named = "lanes.answers_have_an_order";
  return proof;
}

Proof prove_stepped(const Case& each, const Setting& honest, std::uint64_t seed, const ProveOptions& options) {
  Setting setting = honest;
  if (each.is_lie) setting.lie = each.id;
  setting.mutant = each.rule;
  CampaignOptions campaign;
  campaign.seed = seed;
  campaign.time = milliseconds_of(options.time_s);
  campaign.jobs = setting.machine.usable_cpus;
  campaign.max_findings = 1;
  campaign.stop_at = each.rule;
  campaign.kind = each.kind;
  const auto start = Clock::now();
  const CampaignResult result = run_campaign(setting, campaign, {});
  Proof proof;
  proof.programs = result.tally.programs;
  proof.seconds = seconds_since(start);
  if (result.findings.empty()) return proof;
  const Found& found = result.findings[0];
  proof.found = true;
  proof.length = found.program.operations.size();
  proof.small = proof.length <= most_operations(found.program);
  proof.shown = found.shown;
  proof.of = found.of;
  proof.named = requirement(found.signature.requirement).id;
  return proof;
}

bool prove(const Case& each, const Setting& honest, std::uint64_t seed, const ProveOptions& options) {
  for (unsigned tries = 0; tries < options.tries && !stop_requested(); ++tries) {
    const auto prove_one = each.is_racing ? prove_racing : prove_stepped;
    const Verdict verdict = print(each, seed, prove_one(each, honest, seed, options));
    if (verdict == Verdict::kFound) return true;
    if (verdict == Verdict::kTooLong) seed += kOtherSeed;
  }
  return false;
}

Exit prove(const ProveOptions& options) {
  stop_on_signals();
  const Target target(options.target);
  const std::vector<Case> all = cases(options, target.setting());
  if (options.part > options.parts) {
    throw wrong_usage(
        fmt::format("--part {} of --parts {}: right would be 1 to {}", options.part, options.parts, options.parts));
  }
  if (all.empty())
    throw wrong_usage(fmt::format("no lie and no mutant has '{}' in its id{}", options.only,
                                  options.without.empty() ? "" : " and not '" + options.without + "'"));
  fmt::print("kind\tid\tseed\tverdict\tprograms\tminimized_operations\trepeats\tseconds\tnamed\n");
  std::size_t failed = 0;
  std::size_t run = 0;
  for (unsigned i = 0; i < options.seeds; ++i) {
    for (const Case& each : all) {
      if (stop_requested()) return Exit::kIncomplete;
      ++run;
      if (!prove(each, target.setting(), options.seed + i, options)) ++failed;
    }
  }
  fmt::print("{} of {} found, named and minimized to at most {} operations, {} with lanes or requests held\n",
             run - failed, run, kMaxMinimized, kMaxMinimizedMore);
  return failed == 0 ? Exit::kConforming : Exit::kDivergences;
}

}  // namespace

void add_prove(CLI::App& app, Action& action) {
  auto options = std::make_shared<ProveOptions>();
  CLI::App* command = app.add_subcommand("prove", "Show that every lie and every wrong rule is noticed");
  command->footer(
      "Prints a tab-separated line for each lie and mutant: after how many programs it was found,\n"
      "how long the minimized program is, how often it repeats, and the requirement that is named.\n"
      "Example: aio-cts prove --only io_submit --seeds 5");
  command->add_option("--seed", options->seed, "First seed")->capture_default_str();
  command->add_option("--seeds", options->seeds, "How many seeds, one after the other")->capture_default_str();
  command
      ->add_option("--tries", options->tries,
                   "How often: a busy machine may find nothing in time; one too long is tried with another seed")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--time", options->time_s, "Seconds after which a fault counts as not found")
      ->capture_default_str();
  command->add_option("--only", options->only, "Only ids that contain this text");
  command->add_option("--without", options->without, "Not those that contain this text");
  command->add_option("--part", options->part, "Only every Nth of them, from this one on: much of the time is sleep")
      ->check(CLI::Range(1, 64));
  command->add_option("--parts", options->parts, "The N of --part")->check(CLI::Range(1, 64));
  command->add_option("--dir", options->target.directory, "Directory for the regular files");
  command->add_option("--hang-time", options->target.hang_time_s, "Seconds after which an event is lost")
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return prove(*options); }; });
}

}  // namespace aio::cli
