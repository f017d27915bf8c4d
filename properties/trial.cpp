// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/trial.h"

#include <deque>

#include "properties/pool.h"

namespace aio {
namespace {

// Runs that one worker makes before another takes over the rest, where none diverges.
constexpr std::uint64_t kRunsPerWorker = 8;
constexpr std::size_t kMaxExisting = 48;

// What a batch that did not finish has shown.
Signature death_signature(const FinishedBatch& batch) {
  const auto rule = static_cast<Req>(batch.state->returns_by.load());
  return {rule, batch.end == BatchEnd::kHung ? Kind::kHang : Kind::kCrash};
}

}  // namespace

std::vector<unsigned> try_programs(const Setting& setting, const Signature& wanted,
                                   const std::vector<Program>& candidates, unsigned repeats,
                                   std::chrono::milliseconds patience) {
  std::vector<unsigned> shown(candidates.size(), 0);
  Setting impatient = setting;
  impatient.hang_time = std::min(setting.hang_time, patience);
  Pool pool(impatient, [&](std::uint64_t index) { return candidates[index / repeats]; });
  std::deque<BatchOrder> waiting;
  const std::uint64_t runs = candidates.size() * repeats;
  for (std::uint64_t first = 0; first < runs; first += kRunsPerWorker) {
    BatchOrder order;
    order.first = first;
    order.last = std::min(first + kRunsPerWorker, runs);
    order.patience = patience;
    order.ceiling = setting.machine.aio_max_nr * 3 / 4;
    waiting.push_back(order);
  }
  const std::size_t at_once = setting.machine.usable_cpus + 1;
  while (!waiting.empty() || pool.running() > 0) {
    while (!waiting.empty() && pool.running() < at_once && pool.existing() < kMaxExisting) {
      pool.start(0, waiting.front());
      waiting.pop_front();
    }
    for (const FinishedBatch& batch : pool.collect(std::chrono::milliseconds(50))) {
      std::uint64_t next = batch.state->next;
      if (batch.end != BatchEnd::kFinished) {
        next = batch.state->current.load() + 1;
        if (death_signature(batch) == wanted) ++shown[(next - 1) / repeats];
      } else if (batch.state->diverged && batch.state->signature == wanted) {
        ++shown[(next - 1) / repeats];
      }
      BatchOrder rest = batch.order;
      rest.first = next;
      if (rest.first < rest.last) waiting.push_front(rest);
    }
  }
  return shown;
}

}  // namespace aio
