// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pool of workers: starts batches, watches that they move, and collects them. A batch counts as done as soon as its
// worker says so; the worker's exit, which sleeps for an RCU grace period while its contexts go, is reaped later.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "fixtures/control_request.h"
#include "fixtures/shared_memory.h"
#include "fixtures/worker.h"
#include "properties/batch.h"

namespace aio {

enum class BatchEnd : std::uint8_t {
  kFinished,  // all of BatchState holds
  kHung,      // killed because nothing moved for twice the hang time
  kDied,      // the worker crashed
  kFailed,    // the worker itself failed, or its model came to no end: that says nothing of the kernel
};

struct FinishedBatch {
  BatchOrder order;
  BatchEnd end = BatchEnd::kFinished;
  std::string death;                         // how the worker died, of kDied
  const BatchState* state;                   // until the next call of collect(), as the next
  const Discoveries* discoveries = nullptr;  // where the pool has a map

  // The divergence that ended it; a hang or crash is one of the rule by which the call returns.
  std::optional<Signature> shown() const;
  // Index of the first program that it has not run; the one that ended its worker was run.
  std::uint64_t next() const;
};

// How many workers keep a CPU busy in a long run, of whom most sleep in io_destroy, and how many may exist in all.
inline constexpr std::size_t kWorkersPerCpu = 8;
inline constexpr std::size_t kMaxWorkers = 64;

class Pool {
 public:
  // With a map workers tell what it does not have: as it is when each of them starts; with `kernel` also of the places
  // in the kernel, where it tells.
  Pool(const Setting& setting, ProgramSource source, const CoverageMap* known = nullptr, bool kernel = false);
  // Kills what still runs.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Workers that have not said that they are done.
  std::size_t running() const;
  // Workers whose end was waited for in vain.
  std::size_t stuck() const { return stuck_; }
  // The other workers that exist, those that sleep in their exit included.
  std::size_t existing() const { return slots_.size(); }
  void start(const BatchOrder& order);
  // Waits at most `patience` for batches to end, and returns them.
  std::vector<FinishedBatch> collect(std::chrono::milliseconds patience);
  // Programs and operations of the batches that run now, for progress lines.
  Tally in_progress() const;

 private:
  struct Slot;
  void check(Slot& slot, std::vector<FinishedBatch>& ended);
  bool is_stuck(const Slot& slot);

  const Setting& setting_;
  ProgramSource source_;
  const CoverageMap* known_;
  const bool kernel_;
  ControlRequest control_;
  int notify_ = -1;
  std::size_t stuck_ = 0;
  std::chrono::milliseconds reap_patience_ = Worker::kReapPatience;  // none once one could not be killed
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace aio
