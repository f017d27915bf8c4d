// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/trial.h"

#include <algorithm>

namespace aio {
namespace {

// Runs that one worker makes before another takes over the rest, where none diverges.
constexpr std::uint64_t kRunsPerWorker = 2;
constexpr std::uint64_t kRunsPerWorkerOfOthers = 8;  // where a process may cost far more than a wait in its exit
constexpr std::size_t kTrialsPerCpu = 16;            // most of them sleep, in io_destroy or for an event
constexpr std::size_t kMaxExisting = 48;
constexpr std::chrono::milliseconds kTick{50};

}  // namespace

Trials::Trials(const Setting& setting, const Signature& wanted)
    : setting_(impatient(setting, kTrialPatience)),
      wanted_(wanted),
      pool_(setting_, [this](std::uint64_t index) { return (*candidates_)[index / repeats_]; }) {}

std::vector<unsigned> Trials::operator()(const std::vector<Program>& candidates, unsigned repeats) {
  candidates_ = &candidates;
  repeats_ = repeats;
  shown_.assign(candidates.size(), 0);
  instead_.clear();
  const std::uint64_t runs = candidates.size() * repeats;
  // What nothing explains may come from a request of the run before.
  const bool may_be_anothers =
      wanted_.requirement == Req::kMemoryOnlyByRules || wanted_.requirement == Req::kFilesOnlyByRules;
  const std::uint64_t few = setting_.quirks && may_be_anothers ? 1 : kRunsPerWorker;
  const std::uint64_t share = setting_.quirks && !may_be_anothers ? kRunsPerWorkerOfOthers : few;
  for (std::uint64_t first = 0; first < runs; first += share) {
    BatchOrder order;
    order.first = first;
    order.last = std::min(first + share, runs);
    order.patience = kTrialPatience;
    // The one that is kept is tried alone at last.
    order.hasty = candidates.size() > 1 || setting_.quirks;
    order.ceiling = usual_ceiling(setting_.machine);
    waiting_.push_back(order);
  }
  while (!waiting_.empty() || pool_.running() > 0) {
    start_some();
    for (const FinishedBatch& batch : pool_.collect(kTick)) account(batch);
  }
  return shown_;
}

std::optional<Signature> Trials::mostly_instead() const {
  const std::size_t runs = candidates_ == nullptr ? 0 : candidates_->size() * repeats_;
  for (const auto& [signature, count] : instead_) {
    if (2 * count >= runs) return signature;
  }
  return std::nullopt;
}

void Trials::start_some() {
  const std::size_t at_once = setting_.machine.usable_cpus * kTrialsPerCpu;
  while (!waiting_.empty() && pool_.running() < at_once) {
    // Those that sleep in their exit hold memory, but never all progress.
    if (pool_.existing() >= kMaxExisting && pool_.running() > 0) return;
    pool_.start(waiting_.back());
    waiting_.pop_back();
  }
}

void Trials::account(const FinishedBatch& batch) {
  BatchOrder rest = batch.order;
  rest.first = batch.next();
  if (const auto shown = batch.shown()) ++(*shown == wanted_ ? shown_[(rest.first - 1) / repeats_] : instead_[*shown]);
  if (rest.first < rest.last) waiting_.push_back(rest);
}

}  // namespace aio
