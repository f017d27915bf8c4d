// SPDX-License-Identifier: GPL-2.0-or-later
//
// Observations: all that could be seen after an operation. Plain data; the spans point into storage of whoever made the
// observation (the executor's buffers, or a trace that was read) and hold until its next observation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reference/abi.h"
#include "reference/arena.h"
#include "reference/zoo.h"

namespace aio {

// A copy of one ring of the program, header first. A context is watched from its io_setup until an io_destroy of it
// has returned 0 or sleeps, or the case ends.
struct RingView {
  Address id = 0;
  std::span<const std::byte> bytes;  // empty where the mapping could not be read
  std::uint32_t tail_at_return = 0;  // the tail word when the call returned, before any waiting for what is still due
  bool anew = true;                  // false: the header is as before, and the rest was not looked at again
};

// A regular file, looked at after an operation that may have changed it and at the end of the case.
struct FileView {
  bool seen = false;
  std::uint64_t size = 0;
  std::span<const std::byte> content;  // the first min(size, kMaxObservedFile) bytes
};

// One end of a pipe or socket pair after all other descriptors of the program were closed.
struct PeerView {
  Fd fd = Fd::kPipeRead;
  bool end_seen = false;  // poll reported that no file of the other end is left
};

enum class GateCall : std::uint8_t { kRead, kWrite, kFsync, kFdatasync };
inline constexpr unsigned kGateCallCount = 4;

// A request as the gate file's file system saw it.
struct GateFacts {
  std::uint64_t id = 0;  // 1, 2, 3, ... in the order of their coming
  GateCall call = GateCall::kRead;
  std::uint64_t offset = 0;  // 0 for an fsync
  std::uint64_t length = 0;  // bytes; 0 for an fsync
  std::uint32_t uid = 0;     // on whose behalf
  std::uint32_t gid = 0;
  friend bool operator==(const GateFacts&, const GateFacts&) = default;
};
struct GateRequest : GateFacts {
  std::vector<std::uint8_t> data;  // what a write brought
  friend bool operator==(const GateRequest&, const GateRequest&) = default;
};

// The call of a lane that slept has returned.
struct LaneReturn {
  unsigned lane = 0;
  std::int64_t result = 0;  // as in Observation
  int error = 0;
  std::optional<unsigned> handlers = std::nullopt;  // how often signals ran one until then; none: nobody looked
  friend bool operator==(const LaneReturn&, const LaneReturn&) = default;
};

struct Observation {
  std::int64_t result = 0;  // what the call returned; -1 with `error` set where it failed
  int error = 0;
  bool skipped = false;  // not made: a file operation that would have blocked, one on a ring or lane that isn't there
  Address moved_to = 0;  // where an mremap has put the ring
  bool asleep = false;   // the call has not returned: its lane sleeps inside it
  unsigned lane = 0;     // that made the call
  unsigned cpu = 0;      // index of the CPU on which the call was made
  unsigned signals = 0;  // releasing signals that the lane has seen during the call
  std::uint64_t elapsed_ns = 0;  // of calls that may wait
  std::uint64_t mask_changed =
      0;                      // signals (bit 0: number 1) whose blocking an io_pgetevents that has returned changed
  bool ring_remains = false;  // an io_destroy returned 0, and at the ring's first or last page something is mapped

  std::array<std::span<const std::byte>, arena::kAreas.size()> memory;  // the areas of the arena, in their order
  std::vector<RingView> rings;                                          // in the order of their io_setup
  // Counters of Fd::kEvent, kNbEvent and kSemEvent; none where the descriptor is not open.
  std::array<std::optional<std::uint64_t>, 3> counters;
  std::array<FileView, 2> files;     // A and B
  std::span<const std::byte> data;   // what an FdRead got
  std::vector<PeerView> peers;       // only at the end of the case
  std::vector<LaneReturn> returns;   // of lanes that slept when the operation began, in the order of their numbers
  std::vector<GateRequest> arrived;  // what the gate file has got to hold since the operation before, in its order
  // fs.aio-nr before and after the call, read around calls that may change it; none where somebody else moved it.
  std::optional<std::uint64_t> aio_nr_before;
  std::optional<std::uint64_t> aio_nr_after;
};

}  // namespace aio
