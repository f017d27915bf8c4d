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

// What is best to look at first: with a program that shows it, short, and shown always.
auto rank(const SavedDivergence& divergence) {
  return std::make_tuple(divergence.program.empty(), divergence.program.size(), !divergence.always(),
                         divergence.fingerprint);
}

}  // namespace

std::string foreign(const RunSummary& a, const RunSummary& b) {
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
      {"corpus", a.corpus, b.corpus},
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
  RunSummary& summary = shard.summary;
  const std::uint64_t number = summary.shard_numbers.front();
  said_[number] = {summary.profile_notes, summary.incomplete, summary.flaky, summary.seconds, summary.suites.seconds};
  file_systems_.insert(summary.file_system);
  add_requirements(shard, number);
  add_tests(summary.suites, number);
  add_matrix(summary.suites.matrix, number);
  add_divergences(std::move(shard.divergences), number);
  if (merged_) {
    add_counts(summary);
    return;
  }
  shard.divergences.clear();
  summary.suites = {};
  summary.profile_notes.clear();
  summary.incomplete.clear();
  summary.flaky.clear();
  merged_ = std::move(shard);
}

void Merge::add_counts(const RunSummary& shard) {
  RunSummary& sum = merged_->summary;
  sum.started = std::min(sum.started, shard.started);
  sum.usable_cpus = std::max(sum.usable_cpus, shard.usable_cpus);
  sum.possible_cpus = std::max(sum.possible_cpus, shard.possible_cpus);
  // What two shards have both reached is not known.
  sum.abstract_states = std::max(sum.abstract_states, shard.abstract_states);
  sum.features = std::max(sum.features, shard.features);
  sum.kernel_places = std::max(sum.kernel_places, shard.kernel_places);
  sum.corpus_added += shard.corpus_added;
  sum.programs += shard.programs;
  sum.program_hash += shard.program_hash;
  sum.operations += shard.operations;
  sum.judged_exactly += shard.judged_exactly;
  sum.judged_by_set += shard.judged_by_set;
  sum.widened += shard.widened;
  add_to(sum.undecided, shard.undecided);
  add_to(sum.left_out, shard.left_out);
  add_to(sum.refusals, shard.refusals);
}

void Merge::add_requirements(const SavedReport& shard, std::uint64_t number) {
  exercised_.insert(shard.exercised.begin(), shard.exercised.end());
  applicable_.insert(shard.exercised.begin(), shard.exercised.end());
  applicable_.insert(shard.not_exercised.begin(), shard.not_exercised.end());
  for (const SavedReport::Excluded& each : shard.excluded) {
    const auto [at, is_new] = excluded_.try_emplace(each.requirement, From<std::string>{number, each.why});
    if (!is_new && number < at->second.shard) at->second = {number, each.why};
  }
}

void Merge::add_tests(const SuitesSummary& shard, std::uint64_t number) {
  const auto rank = [](const SuiteRun& run, std::uint64_t of) { return std::make_pair(-gravity(run), of); };
  for (const SuiteRun& run : shard.runs) {
    const auto [at, is_new] = tests_.try_emplace({run.test, run.entry}, From<SuiteRun>{number, run});
    if (!is_new && rank(run, number) < rank(at->second.what, at->second.shard)) at->second = {number, run};
  }
}

// All shards have the same rows, in the same order.
void Merge::add_matrix(const std::vector<MatrixRow>& rows, std::uint64_t number) {
  for (const MatrixRow& row : rows) {
    const auto [at, is_new] = rows_.try_emplace(row.requirement, matrix_.size());
    if (is_new) matrix_.emplace_back();
    auto& [sum, why_not, not_run] = matrix_[at->second];
    sum.requirement = row.requirement;
    sum.reported = row.reported;
    sum.random += row.random;
    why_not.emplace(number, row.why_not);
    if (!row.not_run.empty()) not_run.insert(row.not_run);
    for (const auto& [entry, cell] : row.entries) {
      MatrixCell& to = sum.entries[entry];
      to.held += cell.held;
      to.failed += cell.failed;
      to.skipped += cell.skipped;
    }
  }
}

void Merge::add_divergences(std::vector<SavedDivergence> divergences, std::uint64_t number) {
  for (SavedDivergence& each : divergences) {
    const std::pair key(each.requirement, each.kind);
    const auto found = divergences_.find(key);
    if (found == divergences_.end()) {
      divergences_.emplace(key, From<SavedDivergence>{number, std::move(each)});
      continue;
    }
    auto& [shard, kept] = found->second;
    const std::uint64_t shards = kept.shards + each.shards;
    if (std::make_pair(rank(each), number) < std::make_pair(rank(kept), shard)) {
      shard = number;
      kept = std::move(each);
    }
    kept.shards = shards;
  }
}

void Merge::tell_what_was_said(RunSummary& summary) {
  summary.shard_numbers.clear();
  summary.seconds = 0;
  for (auto& [number, said] : said_) {
    summary.shard_numbers.push_back(number);
    summary.seconds += said.seconds;
    summary.suites.seconds += said.seconds_of_suites;
    add_new(summary.profile_notes, said.notes);
    for (const std::string& line : said.incomplete) {
      summary.incomplete.push_back(fmt::format("shard {}: {}", number, line));
    }
    summary.flaky.insert(summary.flaky.end(), said.flaky.begin(), said.flaky.end());
  }
  if (const auto missing = missing_shards(summary); !missing.empty()) {
    summary.incomplete.push_back(
        fmt::format("{} of {} shards are missing: {}", missing.size(), summary.shards, ranges_text(missing)));
  }
}

void Merge::tell_requirements(SavedReport& merged) const {
  merged.exercised.assign(exercised_.begin(), exercised_.end());
  merged.not_exercised.clear();
  std::set_difference(applicable_.begin(), applicable_.end(), exercised_.begin(), exercised_.end(),
                      std::back_inserter(merged.not_exercised));
  merged.applicable = applicable_.size();
  merged.excluded.clear();
  for (const auto& [id, why] : excluded_) {
    if (!applicable_.contains(id)) merged.excluded.push_back({id, why.what});
  }
}

void Merge::tell_matrix(SuitesSummary& suites) {
  for (auto& [row, why_not, not_run] : matrix_) {
    const bool applies =
        std::any_of(why_not.begin(), why_not.end(), [](const auto& each) { return each.second.empty(); });
    row.why_not = applies ? "" : why_not.begin()->second;
    if (not_run.size() > 1) not_run.erase(std::string(kNotChosen));
    row.not_run = row.exercised() || !applies ? "" : fmt::format("{}", fmt::join(not_run, "; "));
    suites.matrix.push_back(std::move(row));
  }
}

SavedReport Merge::take() {
  SavedReport merged = std::move(*merged_);
  RunSummary& summary = merged.summary;
  merged.version = kReportVersion;
  summary.file_system = fmt::format("{}", fmt::join(file_systems_, ", "));
  tell_what_was_said(summary);
  tell_requirements(merged);
  for (auto& [name, run] : tests_) summary.suites.runs.push_back(std::move(run.what));
  tell_matrix(summary.suites);
  std::set<std::string> known;
  for (auto& [key, kept] : divergences_) {
    known.insert(kept.what.requirement);
    found_by_.push_back(kept.shard);
    merged.divergences.push_back(std::move(kept.what));
  }
  summary.divergences = merged.divergences.size();
  if (summary.implementation == "Linux") summary.divergences += summary.suites.broken_beside(known).size();
  return merged;
}

}  // namespace aio
