// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/profile_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/catalogue.h"

namespace aio::cli {
namespace {

// Of fewer divergences nothing can be told.
constexpr std::size_t kFewest = 3;

bool explains(const Profile& profile, const Finding& finding) {
  if (finding.trace.steps.empty() || !finding.trace.steps.back().observation) return false;  // it was not seen whole
  const CaseResult result = judge(finding.trace, profile);
  return !result.divergence && result.undecided == nullptr;
}

}  // namespace

CaseResult judge(const Trace& trace, const Profile& profile) {
  const Rules rules(trace.mutant.empty() ? std::nullopt : std::optional(requirement_named(trace.mutant)));
  TraceReplayer replayer;
  const auto step = [&](std::size_t i) -> std::optional<RecordedStep> {
    if (i >= trace.steps.size()) return std::nullopt;
    const Step& recorded = trace.steps[i];
    const Observation* seen = recorded.observation ? &replayer.next(*recorded.observation) : nullptr;
    return RecordedStep{recorded.operation, recorded.resolved, seen};
  };
  const auto end = [&] { return trace.end ? &replayer.next(*trace.end) : nullptr; };
  std::optional<Quirks> quirks;
  if (trace.quirks) quirks.emplace();
  for (const Signature& each : trace.quirks.value_or(std::vector<Signature>())) quirks->add(each);
  return judge_recorded(profile, trace.machine, rules, program_of(trace), step, end, quirks ? &*quirks : nullptr);
}

std::string profile_hint(std::span<const Finding> findings) {
  if (findings.size() < kFewest) return "";
  const std::span<const Profile> all = profiles();
  std::vector<std::size_t> explained;
  for (const Profile& profile : all) {
    const auto by_it = [&](const Finding& finding) { return explains(profile, finding); };
    explained.push_back(static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), by_it)));
  }
  const std::size_t most = *std::max_element(explained.begin(), explained.end());
  if (2 * most <= findings.size()) return "";
  // The newest releases that lie side by side; an older stretch as good would be one that a rule came back to.
  auto last = all.size();
  while (explained[last - 1] != most) --last;
  auto first = last;
  while (first > 0 && explained[first - 1] == most) --first;
  const std::string like =
      first + 1 == last ? all[first].name : fmt::format("{} to {}", all[first].name, all[last - 1].name);
  return fmt::format("this behaves like {}: {} of {} divergences are none by those rules (--profile {})", like, most,
                     findings.size(), all[last - 1].name);
}

}  // namespace aio::cli
