// SPDX-License-Identifier: GPL-2.0-or-later
//
// Batches: programs that one worker process runs one after the other. The contexts of its cases are freed by its exit,
// which costs one wait for all of them where io_destroy would cost one each. What the worker finds it writes to shared
// memory as it goes, so nothing is lost if it dies.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "fixtures/ledger.h"
#include "properties/lockstep.h"
#include "reference/coverage.h"

namespace aio {

// What a run holds against what, and how.
struct Setting {
  const Profile* profile = nullptr;
  Machine machine;
  std::string directory;      // of the regular files
  std::string lie;            // a lying entry in front of the kernel, for tests; empty: none
  std::optional<Req> mutant;  // a model with a wrong rule, for tests
  Ledger* ledger = nullptr;
  std::optional<Quirks> quirks;               // what the model takes over; none, not even an empty set: nothing
  std::chrono::milliseconds hang_time{5000};  // after which something that has not come is lost
  std::string journaled_as;                   // what a journal says of the programs (campaign.h)
  // The text by which it tells each program, where it could not be made again by that.
  std::function<std::string(const Program&)> journaled_text;
};

// The same, but waiting for nothing longer than `patience`.
Setting impatient(Setting setting, std::chrono::milliseconds patience);
// How far a batch may take aio-nr where the machine is shared with others.
constexpr std::uint64_t usual_ceiling(const Machine& machine) { return machine.aio_max_nr * 3 / 4; }

// How many operations of a kind of undecidedness there were.
struct ReasonCount {
  const char* reason = nullptr;  // a constant: the same pointer in parent and worker
  std::uint64_t count = 0;
};
inline constexpr std::size_t kMaxReasons = 16;

// One batch, in memory that the worker shares with its parent. The worker writes, the parent reads after `finished` or
// the worker's death; the atomics may be read at any time.
struct BatchState {
  std::atomic<std::uint64_t> heartbeat{0};
  std::atomic<std::uint64_t> current{0};     // index of the program that runs
  std::atomic<std::uint32_t> operation{0};   // and of its operation
  std::atomic<std::uint32_t> returns_by{0};  // the Req by which that operation returns
  std::atomic<bool> finished{false};
  std::uint64_t next = 0;  // first index that was not run
  std::uint64_t live_nr = 0;
  Tally tally;
  std::uint64_t program_hash = 0;  // sum of the hashes of the programs that were run
  RequirementCounts exercised{};
  std::array<ReasonCount, kMaxReasons> reasons{};
  std::array<ReasonCount, kMaxReasons> left_out{};  // operations
  std::array<ReasonCount, kMaxReasons> refusals{};  // of programs
  // The divergence that ended the batch, if one did; it is of program `next` - 1.
  bool diverged = false;
  Signature signature;
  std::size_t diverged_at = 0;
  std::array<char, 160> diverged_how{};  // "expected 3, seen 4", cut where it is too long
};

// What the programs of a batch reached that the map of the run did not have when its worker began, each feature with
// the first program that reached it; in memory that is shared as BatchState is. Programs that were not judged to their
// end tell nothing.
struct Discovery {
  Feature feature = 0;
  std::uint32_t program = 0;  // its index less that of the batch's first
};
struct Discoveries {
  static constexpr std::size_t kMost = 8192;  // what is beyond comes up again
  std::atomic<std::uint32_t> count{0};
  std::array<Discovery, kMost> all{};

  std::span<const Discovery> found() const { return {all.data(), count.load(std::memory_order_acquire)}; }
};

// Where a batch tells it, if it does.
struct CoverageSink {
  const CoverageMap* known = nullptr;
  Discoveries* discoveries = nullptr;
  bool kernel = false;  // also the places in the kernel, if it tells
};

using ProgramSource = std::function<Program(std::uint64_t index)>;

struct BatchOrder {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // one beyond
  // The batch ends before its contexts take aio-nr above this.
  std::uint64_t ceiling = 65536;
  unsigned first_cpu = 0;
  std::chrono::milliseconds patience{5000};
  bool hasty = false;            // ExecutorOptions::hasty
  bool stop_at_signals = false;  // end between two programs once a stop was requested
};

// The body of a worker: runs programs first, first + 1, … until one diverges, the share is used up or all are run.
void run_batch(const Setting& setting, const ProgramSource& source, const BatchOrder& order, BatchState& state,
               const CoverageSink& sink = {});

// Runs one program in this process and records it.
CaseResult run_recorded(const Setting& setting, const Program& program, const Recorder& recorder);

}  // namespace aio
