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
#include "properties/campaign.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

// Operations of a program that shows a fault; one to hold requests and one to end that, or two to change the lane, come
// on top.
constexpr std::size_t kMaxMinimized = 6;
constexpr std::size_t kMaxMinimizedMore = 8;

// Added to the seed where no operation of the minimized program can go and yet it is too long: another program that
// shows the fault may have a shorter core.
constexpr std::uint64_t kOtherSeed = 1000;

struct ProveOptions {
  std::uint64_t seed = 1;
  unsigned seeds = 1;
  unsigned tries = 1;
  double time_s = 45;
  std::string only;
  unsigned part = 1;  // of `parts`
  unsigned parts = 1;
  TargetOptions target;
};

struct Case {
  std::string id;
  bool is_lie = false;
  std::optional<Req> rule;
  ProgramKind kind = ProgramKind::kMixed;  // with which it shows
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
  for (const Requirement& each : requirements()) add(each.id, each.req, each.needs);
  if (!options.only.empty()) {
    std::erase_if(all, [&](const Case& each) { return each.id.find(options.only) == std::string::npos; });
  }
  std::size_t index = 0;
  std::erase_if(all, [&](const Case&) { return index++ % options.parts != options.part - 1; });
  return all;
}

enum class Verdict { kFound, kNotFound, kTooLong };
constexpr std::array kVerdictNames{"found", "NOT FOUND", "TOO LONG"};

// One line of the table.
Verdict prove_one(const Case& each, const Setting& honest, std::uint64_t seed, const ProveOptions& options) {
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
  const auto start = std::chrono::steady_clock::now();
  const CampaignResult result = run_campaign(setting, campaign, {});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const bool found = !result.findings.empty();
  const std::size_t length = found ? result.findings[0].program.operations.size() : 0;
  const bool small = found && length <= most_operations(result.findings[0].program);
  const Verdict verdict = !found ? Verdict::kNotFound : small ? Verdict::kFound : Verdict::kTooLong;
  const std::string named = found ? std::string(requirement(result.findings[0].signature.requirement).id) : "-";
  fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}/{}\t{:.1f}\t{}\n", each.is_lie ? "lie" : "mutant", each.id, seed,
             kVerdictNames.at(static_cast<std::size_t>(verdict)), result.tally.programs, length,
             found ? result.findings[0].shown : 0, found ? result.findings[0].of : 0, seconds, named);
  std::fflush(stdout);
  return verdict;
}

bool prove(const Case& each, const Setting& honest, std::uint64_t seed, const ProveOptions& options) {
  for (unsigned tries = 0; tries < options.tries && !stop_requested(); ++tries) {
    const Verdict verdict = prove_one(each, honest, seed, options);
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
  if (all.empty()) throw wrong_usage(fmt::format("no lie and no mutant has '{}' in its id", options.only));
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
  command->add_option("--part", options->part, "Only every Nth of them, from this one on: much of the time is sleep")
      ->check(CLI::Range(1, 64));
  command->add_option("--parts", options->parts, "The N of --part")->check(CLI::Range(1, 64));
  command->add_option("--dir", options->target.directory, "Directory for the regular files");
  command->add_option("--hang-time", options->target.hang_time_s, "Seconds after which an event is lost")
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return prove(*options); }; });
}

}  // namespace aio::cli
