// SPDX-License-Identifier: GPL-2.0-or-later
//
// Traces: a program with what was seen, owning all of its storage. A trace is the identity of a
// finding: it replays without the generator, is judged again without a kernel (TraceReplayer), and
// has a text form (trace_writer.h, trace_reader.h). Memory, rings and files are kept as what
// changed since the step before, so a trace is small and shows what each operation did.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reference/observation.h"
#include "reference/profile.h"
#include "reference/program.h"
#include "reference/verdict.h"

namespace aio {

// New contents of one range. Ranges of a list are ascending, disjoint and not empty.
struct ByteRange {
  std::uint64_t at = 0;  // an address for the arena; an offset for rings and files
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};
using ByteRanges = std::vector<ByteRange>;

struct RecordedRing {
  Address id = 0;
  std::uint64_t size = 0;  // of the mapping; 0 where it could not be read
  std::uint32_t tail_at_return = 0;
  std::array<std::uint32_t, 8> header{};  // the words of RingHeader, in the order of RingField
  ByteRanges changes;  // beyond the header, against the ring of that id one step ago, else against zeros
  friend bool operator==(const RecordedRing&, const RecordedRing&) = default;
};

struct RecordedFile {
  bool seen = false;
  std::uint64_t size = 0;
  ByteRanges changes;  // against what was last seen, at first initial_file_byte; zeros where it grew
  friend bool operator==(const RecordedFile&, const RecordedFile&) = default;
};

struct RecordedPeer {
  Fd fd = Fd::kPipeRead;
  bool end_seen = false;
  friend bool operator==(const RecordedPeer&, const RecordedPeer&) = default;
};

// An Observation (observation.h has the meaning of each member) that owns its storage.
struct RecordedObservation {
  std::int64_t result = 0;
  int error = 0;
  bool skipped = false;
  Address moved_to = 0;
  bool asleep = false;
  unsigned lane = 0;
  unsigned cpu = 0;
  unsigned signals = 0;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t mask_changed = 0;
  bool ring_remains = false;
  ByteRanges memory;  // against the step before, at first arena::initial_byte; user's stores included
  std::vector<RecordedRing> rings;
  std::array<std::optional<std::uint64_t>, 3> counters;
  std::array<RecordedFile, 2> files;
  std::vector<std::uint8_t> data;
  std::vector<RecordedPeer> peers;
  std::vector<LaneReturn> returns;
  std::vector<GateRequest> arrived;
  std::optional<std::uint64_t> aio_nr_before;
  std::optional<std::uint64_t> aio_nr_after;
  friend bool operator==(const RecordedObservation&, const RecordedObservation&) = default;
};

struct Step {
  Operation operation;
  Operation resolved;  // with its symbols replaced; equal to `operation` where nothing was observed
  std::optional<RecordedObservation> observation;  // none in a bare program, or where the call hung
  friend bool operator==(const Step&, const Step&) = default;
};

struct Trace {
  int version = 1;      // of the text form
  std::string profile;  // name of the profile that judged
  Release release;      // of the kernel under test
  std::string kernel;   // its release as uname(2) says it
  Machine machine;
  std::string lie;                               // normally empty: the lie that the entry told
  std::string mutant;                            // normally empty: the rule that was deliberately wrong
  std::optional<std::vector<Signature>> quirks;  // that the model took over, where it takes over any (quirks.h)
  std::vector<Step> steps;
  std::optional<RecordedObservation> end;  // after the last operation, with `peers`
  std::optional<Divergence> divergence;
  unsigned repeats_shown = 0;  // of `repeats_of` runs, those that showed the divergence
  unsigned repeats_of = 0;
  bool needs_history = false;  // shows only after what the worker ran before, which `steps` contains
};

// The bare program of a trace, and the trace of a bare program.
Program program_of(const Trace& trace);
Trace bare_trace(const Program& program);

// Bounds of what one observation may hold; a trace beyond them is refused.
inline constexpr std::uint64_t kMaxRingBytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMaxAllRingBytes = std::uint64_t{256} << 20;

// Arena, rings and files as they were last seen: the base of the next observation's changes.
struct ObservedMemory {
  ObservedMemory();

  std::vector<std::uint8_t> arena;                     // the areas back to back
  std::map<Address, std::vector<std::uint8_t>> rings;  // by id
  std::array<std::vector<std::uint8_t>, 2> files;
};

// Builds a trace from what the executor observes, step by step. Fill the other members of trace().
class TraceRecorder {
 public:
  void add(const Operation& operation, const Operation& resolved, const Observation& observation);
  // An operation of which nothing could be seen, because it did not return.
  void add(const Operation& operation, const Operation& resolved);
  void finish(const Observation& observation);
  Trace& trace() { return trace_; }

 private:
  RecordedObservation record(const Observation& observation);

  ObservedMemory last_;
  Trace trace_;
};

// Gives a trace's observations back. The spans point into the replayer and hold until its next call.
class TraceReplayer {
 public:
  // The observations must be given in their order, each once.
  const Observation& next(const RecordedObservation& recorded);

 private:
  ObservedMemory now_;
  std::vector<std::uint8_t> data_;
  Observation observation_;
};

}  // namespace aio
