// SPDX-License-Identifier: GPL-2.0-or-later
//
// Trials: whether programs show a signature when run again, each in a worker that ran nothing that diverged before it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "properties/pool.h"

namespace aio {

// How long an event may stay away in a trial: enough for that of a small program on a busy machine.
inline constexpr std::chrono::milliseconds kTrialPatience{100};

class Trials {
 public:
  Trials(const Setting& setting, const Signature& wanted);

  // A Trial (minimizer.h): how often, in `repeats` runs, each candidate showed the signature. Returns while workers
  // still sleep in their exit; the destructor waits for them.
  std::vector<unsigned> operator()(const std::vector<Program>& candidates, unsigned repeats);
  // What at least half of the runs of the latest call showed instead; none if nothing.
  std::optional<Signature> mostly_instead() const;

 private:
  void start_some();
  void account(const FinishedBatch& batch);

  Setting setting_;
  Signature wanted_;
  // Of the current call:
  const std::vector<Program>* candidates_ = nullptr;
  unsigned repeats_ = 0;
  std::vector<BatchOrder> waiting_;
  std::vector<unsigned> shown_;
  std::map<Signature, unsigned> instead_;

  Pool pool_;
};

}  // namespace aio
