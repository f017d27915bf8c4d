// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/trial.h"

#include <algorithm>

namespace aio {
namespace {

// Runs that one worker makes before another takes over the rest, where none diverges.
constexpr std::uint64_t kRunsPerWorker = 8;
constexpr std::size_t kWorkersPerCpu = 4;  // most of them sleep, in io_destroy or for an event
constexpr std::size_t kMaxExisting = 48;
constexpr std::chrono::milliseconds kTick{50};

Setting impatient(Setting setting) {
  setting.hang_time = std::min(setting.hang_time, kTrialPatience);
  return setting;
}

// What a batch has shown, if anything.
std::optional<Signature> shown_by(const FinishedBatch& batch) {
  if (batch.end == BatchEnd::kFinished) {
    return batch.state->diverged ? std::optional(batch.state->signature) : std::nullopt;
  }
  const auto rule = static_cast<Req>(batch.state->returns_by.load());
  return Signature{rule, batch.end == BatchEnd::kHung ? Kind::kHang : Kind::kCrash};
}

}  // namespace

Trials::Trials(const Setting& setting, const Signature& wanted)
    : setting_(impatient(setting)),
      wanted_(wanted),
      pool_(setting_, [this](std::uint64_t index) { return (*candidates_)[index / repeats_]; }) {}

std::vector<unsigned> Trials::run(const std::vector<Program>& candidates, unsigned repeats) {
  candidates_ = &candidates;
  repeats_ = repeats;
  shown_.assign(candidates.size(), 0);
  const std::uint64_t runs = candidates.size() * repeats;
  for (std::uint64_t first = 0; first < runs; first += kRunsPerWorker) {
    BatchOrder order;
    order.first = first;
    order.last = std::min(first + kRunsPerWorker, runs);
    order.patience = kTrialPatience;
    order.ceiling = setting_.machine.aio_max_nr * 3 / 4;
    waiting_.push_back(order);
  }
  while (!waiting_.empty() || pool_.running() > 0) {
    start_some();
    for (const FinishedBatch& batch : pool_.collect(kTick)) account(batch);
  }
  return shown_;
}

void Trials::start_some() {
  const std::size_t at_once = setting_.machine.usable_cpus * kWorkersPerCpu;
  while (!waiting_.empty() && pool_.running() < at_once) {
    // Those that sleep in their exit hold memory, but never all progress.
    if (pool_.existing() >= kMaxExisting && pool_.running() > 0) return;
    pool_.start(waiting_.back());
    waiting_.pop_back();
  }
}

void Trials::account(const FinishedBatch& batch) {
  const bool finished = batch.end == BatchEnd::kFinished;
  const std::uint64_t next = finished ? batch.state->next : batch.state->current.load() + 1;
  if (shown_by(batch) == wanted_) ++shown_[(next - 1) / repeats_];
  BatchOrder rest = batch.order;
  rest.first = next;
  if (rest.first < rest.last) waiting_.push_back(rest);
}

}  // namespace aio
