// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/run_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/catalogue.h"
#include "cli/version.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

// Of undecided among all operations; above it the run has not looked at enough. A run of few operations may have as
// many as one of this size.
constexpr double kMostUndecided = 0.001;
constexpr std::uint64_t kFewOperations = 10'000;

}  // namespace

RunSummary summarize(const Target& target, std::uint64_t seed, const CampaignResult& result) {
  const Setting& setting = target.setting();
  RunSummary summary;
  summary.tool = tool_name();
  summary.file_system = setting.machine.file_system;
  summary.usable_cpus = setting.machine.usable_cpus;
  summary.possible_cpus = setting.machine.possible_cpus;
  summary.kernel = target.kernel();
  summary.implementation = target.implementation().name;
  summary.profile = setting.profile->name;
  summary.profile_notes = target.profile_notes();
  summary.seed = seed;
  summary.programs = result.tally.programs;
  summary.program_hash = result.program_hash;
  summary.operations = result.tally.operations;
  summary.judged_exactly = result.tally.exact;
  summary.judged_by_set = result.tally.by_set;
  summary.widened = result.tally.widened;
  summary.undecided = result.undecided;
  summary.left_out = result.left_out;
  summary.refusals = result.refused;
  for (const Unrepeated& each : result.unrepeated) {
    summary.flaky.push_back({std::string(requirement(each.signature.requirement).id),
                             std::string(kind_name(each.signature.kind)),
                             fmt::format("program {}: {}", each.index, each.how)});
  }
  for (std::size_t i = 0; i < result.exercised.size(); ++i) {
    if (result.exercised[i] > 0) summary.requirements_exercised.set(i);
  }
  // Otherwise nobody would read this.
  if (setting.machine.guest) summary.requirements_exercised.set(static_cast<std::size_t>(Req::kKernelSurvives));
  for (const Requirement& each : requirements()) {
    if (!in_release(each.needs, *setting.profile)) continue;
    const std::string why = why_not(each, *setting.profile, setting.machine);
    // What decided an answer applies, even where nobody could count on it.
    if (why.empty() || summary.requirements_exercised[static_cast<std::size_t>(each.req)]) {
      summary.requirements_applicable.set(static_cast<std::size_t>(each.req));
    } else {
      summary.excluded.push_back({each.req, why});
    }
  }
  summary.abstract_states = result.reached.count(kStateFeatures);
  summary.features = result.reached.count(kModelFeatures);
  summary.kernel_places = result.reached.count(kKernelFeatures);
  summary.seconds = result.seconds;
  summary.lie = setting.lie.empty() ? target.racing_lie() : setting.lie;
  if (setting.mutant) summary.mutant = requirement(*setting.mutant).id;
  return summary;
}

std::vector<std::string> shortcomings(const RunSummary& summary, const CampaignResult& result) {
  std::vector<std::string> lines;
  if (result.interrupted) lines.emplace_back(kInterrupted);
  if (result.not_tried > 0 && !result.interrupted) {
    lines.push_back(fmt::format("{} more different divergences were seen once and not confirmed (--max-divergences)",
                                result.not_tried));
  }
  for (const std::string& failure : result.failures) lines.push_back(failure);
  const auto undecided = static_cast<double>(undecided_operations(summary));
  // Behind a quirk much is undecided, and the run has found what it was made for.
  if (summary.implementation == "Linux" &&
      undecided > kMostUndecided * static_cast<double>(std::max(summary.operations, kFewOperations))) {
    lines.push_back(fmt::format("{} of {} operations are undecided, more than {} %; the reasons are above", undecided,
                                summary.operations, 100 * kMostUndecided));
  }
  return lines;
}

}  // namespace aio::cli
