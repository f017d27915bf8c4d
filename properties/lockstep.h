// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lockstep driver: runs one program on the kernel and on the model, operation by operation, and stops at the first
// divergence.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "fixtures/executor.h"
#include "reference/coverage.h"
#include "reference/model.h"

namespace aio {

// How many AIO system calls were judged, and how well.
struct Tally {
  std::uint64_t programs = 0;
  std::uint64_t operations = 0;  // AIO system calls made
  std::uint64_t exact = 0;
  std::uint64_t by_set = 0;
  std::uint64_t widened = 0;
  std::uint64_t undecided = 0;
  Tally& operator+=(const Tally& other);
};

// Told of every operation as it was written, as it was run, and what was seen; at the end of a case with no operation.
using Recorder = std::function<void(const Operation* written, const Operation* run, const Observation& seen)>;

struct CaseResult {
  std::optional<Divergence> divergence;
  const char* undecided = nullptr;    // why an operation was not judged, if one was not
  std::vector<const char*> left_out;  // why operations were not made
  const char* refused = nullptr;      // why the program was not run, if it was not (danger.h)
  bool lost_track = false;            // and the program was not run further
  Tally tally;
};

struct LockstepOptions {
  // How long something may stay away that must come, before it counts as lost.
  std::chrono::milliseconds patience{5000};
  // Where to note the rule by which the call that is running returns, for a watchdog in another process.
  std::atomic<std::uint32_t>* returns_by = nullptr;
  std::atomic<std::uint32_t>* operation = nullptr;
  const Quirks* quirks = nullptr;       // must outlive the driver; none: each divergence is one
  CoverageTracker* coverage = nullptr;  // follows what is judged
};

class Lockstep {
 public:
  Lockstep(const Profile& profile, const Machine& machine, Executor& executor, const Rules& rules,
           LockstepOptions options);
  // A dangerous program (danger.h) is not run; `refused` says why.
  CaseResult run(const Program& program, const Recorder& recorder = {});
  const RequirementCounts& exercised() const { return model_.rules().exercised(); }

 private:
  bool step(const Operation& operation, CaseResult& result, const Recorder& recorder);
  bool wait_once(const std::vector<Model::Due>& due, std::chrono::milliseconds patience);
  bool await_lanes(bool events_came, std::chrono::milliseconds patience);
  void await(const std::vector<Model::Due>& due);

  Executor& executor_;
  const Profile& profile_;
  const Machine& machine_;
  Model model_;
  LockstepOptions options_;
  bool stepped_ = false;  // the program has lanes
  std::size_t made_ = 0;  // operations, without those that were refused
};

// One operation of a recorded case.
struct RecordedStep {
  Operation written;
  Operation run;                      // with its symbols resolved
  const Observation* seen = nullptr;  // none: not judged from here on
};

// Judges a recorded case again, without a system call. `step(i)` gives operation i, none after the last; `end` is what
// was seen after it, nullptr where the recording stops before.
CaseResult judge_recorded(const Profile& profile, const Machine& machine, const Rules& rules, const Program& program,
                          const std::function<std::optional<RecordedStep>(std::size_t)>& step,
                          const std::function<const Observation*()>& end, const Quirks* quirks = nullptr);

}  // namespace aio
