// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace aio {
namespace {

constexpr std::string_view kNotChosen = "no test of it was chosen";

template <class Map>
void add_to(Map& sum, const Map& more) {
  for (const auto& [key, count] : more) sum[key] += count;
}

void add_new(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  for (const std::string& line : more) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
}

// From the one that says least to the gravest.
int gravity(const SuiteRun& run) {
  constexpr std::array kVerdicts{"skipped", "holds", "broken", "fails"};
  return static_cast<int>(std::find(kVerdicts.begin(), kVerdicts.end(), run.verdict) - kVerdicts.begin());
}

// What is best to look at first: short, and shown always.
auto rank(const SavedDivergence& divergence) {
  return std::make_tuple(divergence.program.size(), !divergence.always(), divergence.fingerprint);
}

}  // namespace

std::string foreign(const SavedReport& report, const SavedReport& other) {
  const RunSummary& a = report.summary;
  const RunSummary& b = other.summary;
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  const struct {
    const char* what;
    std::string here, there;
  } all[] = {
      {"aio-cts", a.tool, b.tool},
      {"kernel", a.kernel, b.kernel},
      {"kernel build", a.kernel_build, b.kernel_build},
      {"implementation", a.implementation, b.implementation},
      {"profile", a.profile, b.profile},
      {"seed", text(a.seed), text(b.seed)},
      {"options", a.request, b.request},
      {"number of shards", text(a.shards), text(b.shards)},
      {"lie", a.lie, b.lie},
      {"mutant", a.mutant, b.mutant},
  };
  for (const auto& each : all) {
    if (each.here != each.there) return fmt::format("its {} is '{}' instead of '{}'", each.what, each.there, each.here);
  }
  return "";
}

std::string ranges_text(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (!text.empty()) text += ", ";
    text += begin == end ? fmt::format("{}", numbers[begin]) : fmt::format("{}-{}", numbers[begin], numbers[end]);
    begin = end + 1;
  }
  return text;
}

void Merge::add(SavedReport shard) {
  const std::uint64_t number = shard.summary.shard_numbers.front();
  for (std::string& line : shard.summary.incomplete) line = fmt::format("shard {}: {}", number, line);
  file_systems_.insert(shard.summary.file_system);
  add_requirements(shard);
  add_tests(shard.summary.suites);
  add_matrix(shard.summary.suites.matrix);
  add_divergences(std::move(shard.divergences), number);
  if (merged_) {
    add_counts(shard.summary);
    return;
  }
  shard.divergences.clear();
  shard.summary.suites.runs.clear();
  shard.summary.suites.matrix.clear();
  merged_ = std::move(shard);
}

void Merge::add_counts(const RunSummary& shard) {
  RunSummary& sum = merged_->summary;
  sum.started = std::min(sum.started, shard.started);
  sum.shard_numbers.insert(sum.shard_numbers.end(), shard.shard_numbers.begin(), shard.shard_numbers.end());
  add_new(sum.profile_notes, shard.profile_notes);
  sum.usable_cpus = std::max(sum.usable_cpus, shard.usable_cpus);
  sum.possible_cpus = std::max(sum.possible_cpus, shard.possible_cpus);
  sum.programs += shard.programs;
  sum.program_hash += shard.program_hash;
  sum.operations += shard.operations;
  sum.judged_exactly += shard.judged_exactly;
  sum.judged_by_set += shard.judged_by_set;
  sum.widened += shard.widened;
  add_to(sum.undecided, shard.undecided);
  add_to(sum.left_out, shard.left_out);
  add_to(sum.refusals, shard.refusals);
  add_new(sum.incomplete, shard.incomplete);
  sum.flaky.insert(sum.flaky.end(), shard.flaky.begin(), shard.flaky.end());
  sum.seconds += shard.seconds;
  sum.suites.seconds += shard.suites.seconds;
}

void Merge::add_requirements(const SavedReport& shard) {
  exercised_.insert(shard.exercised.begin(), shard.exercised.end());
  applicable_.insert(shard.exercised.begin(), shard.exercised.end());
  applicable_.insert(shard.not_exercised.begin(), shard.not_exercised.end());
  for (const SavedReport::Excluded& each : shard.excluded) excluded_.emplace(each.requirement, each.why);
}

void Merge::add_tests(const SuitesSummary& shard) {
  for (const SuiteRun& run : shard.runs) {
    const auto [at, is_new] = tests_.try_emplace({run.test, run.entry}, run);
    if (!is_new && gravity(run) > gravity(at->second)) at->second = run;
  }
}

void Merge::add_matrix(const std::vector<MatrixRow>& rows) {
  for (const MatrixRow& row : rows) {
    if (!row.not_run.empty()) not_run_[row.requirement].insert(row.not_run);
    const auto [at, is_new] = matrix_.try_emplace(row.requirement, row);
    if (is_new) {
      rows_.push_back(row.requirement);
      continue;
    }
    MatrixRow& sum = at->second;
    if (row.why_not.empty()) sum.why_not.clear();
    sum.random += row.random;
    for (const auto& [entry, cell] : row.entries) {
      MatrixCell& to = sum.entries[entry];
      to.held += cell.held;
      to.failed += cell.failed;
      to.skipped += cell.skipped;
    }
  }
}

void Merge::add_divergences(std::vector<SavedDivergence> divergences, std::uint64_t shard) {
  for (SavedDivergence& each : divergences) {
    const std::pair key(each.requirement, each.kind);
    const auto found = divergences_.find(key);
    if (found == divergences_.end()) {
      divergences_.emplace(key, Kept{std::move(each), shard});
      continue;
    }
    Kept& kept = found->second;
    each.shards += kept.divergence.shards;
    if (rank(each) < rank(kept.divergence)) {
      kept = {std::move(each), shard};
    } else {
      kept.divergence.shards = each.shards;
    }
  }
}

SavedReport Merge::take() {
  SavedReport merged = std::move(*merged_);
  merged_.reset();
  RunSummary& summary = merged.summary;
  merged.version = kReportVersion;
  summary.file_system = fmt::format("{}", fmt::join(file_systems_, ", "));
  merged.exercised.assign(exercised_.begin(), exercised_.end());
  merged.not_exercised.clear();
  std::set_difference(applicable_.begin(), applicable_.end(), exercised_.begin(), exercised_.end(),
                      std::back_inserter(merged.not_exercised));
  merged.applicable = applicable_.size();
  merged.excluded.clear();
  for (const auto& [id, why] : excluded_) {
    if (!applicable_.contains(id)) merged.excluded.push_back({id, why});
  }
  for (auto& [name, run] : tests_) summary.suites.runs.push_back(std::move(run));
  for (const std::string& id : rows_) {
    MatrixRow& row = matrix_.at(id);
    std::set<std::string>& reasons = not_run_[id];
    if (reasons.size() > 1) reasons.erase(std::string(kNotChosen));
    row.not_run = row.exercised() || !row.why_not.empty() ? "" : fmt::format("{}", fmt::join(reasons, "; "));
    summary.suites.matrix.push_back(std::move(row));
  }
  std::set<std::string> known;
  for (auto& [key, kept] : divergences_) {
    known.insert(kept.divergence.requirement);
    found_by_.push_back(kept.shard);
    merged.divergences.push_back(std::move(kept.divergence));
  }
  summary.divergences = merged.divergences.size();
  if (summary.implementation == "Linux") summary.divergences += summary.suites.broken_beside(known).size();
  if (const auto missing = missing_shards(summary); !missing.empty()) {
    summary.incomplete.push_back(
        fmt::format("{} of {} shards are missing: {}", missing.size(), summary.shards, ranges_text(missing)));
  }
  return merged;
}

}  // namespace aio
