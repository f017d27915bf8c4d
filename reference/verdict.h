// SPDX-License-Identifier: GPL-2.0-or-later
//
// Verdicts on one operation: conforming, undecided with a reason, or a divergence.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/requirement.h"

namespace aio {

// What part of the answer differed. With the requirement it makes the signature by which the minimizer tells that a
// smaller program still shows the same.
enum class Kind : std::uint8_t {
  kErrno,    // another errno, or an errno instead of success or the other way round
  kCount,    // another return value; a slot more or less than the quota has, also where that shows as EAGAIN
  kEvent,    // an event with other contents, too many, or in the ring at the wrong time
  kLost,     // an event that never came
  kHeader,   // a word of the ring's header
  kMemory,   // bytes of the arena or of the ring
  kCounter,  // an eventfd's counter
  kFile,     // a regular file's content or size, or bytes read from a pipe or socket
  kAioNr,    // fs.aio-nr
  kTime,     // a wait that ended too early
  kHang,     // a call that did not return
  kCrash,    // the lane died
  kRequest,  // what reached a file system
  kKernel,   // the kernel complained of itself, or stopped
  kMask,     // the signal mask of a thread
};
inline constexpr unsigned kKindCount = 15;
std::string_view kind_name(Kind kind);
std::optional<Kind> find_kind(std::string_view name);

struct Signature {
  Req requirement{};
  Kind kind{};
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// What can be asked about a request that the gate file holds.
enum class HeldFact : std::uint64_t {
  kCall,  // a GateCall
  kOffset,
  kLength,
  kUid,
  kGid,
  kDataHash,  // of a write's bytes: 64-bit FNV-1a
  kCount,     // of no request: how many are held
};

// What to look at to see a divergence again, for a program that knows no model. "After the operation" means once all
// that is due has come.
struct Check {
  enum class What : std::uint8_t {
    kResult,      // what the call returns: the value, or -errno where it fails
    kArenaBytes,  // the memory at address `at`
    kRingBytes,   // bytes from offset `at` of ring `index` (as in Observation::rings): a header word, events
    kCounter,     // the counter of eventfd `index` (as in Observation::counters)
    kFileBytes,   // bytes from offset `at` of regular file `index`
    kFileLength,  // the size of regular file `index`
    kReadBytes,   // what an FdRead gets
    kAioNrDelta,  // fs.aio-nr after the call minus before
    kElapsed,     // nanoseconds that the call takes at least
    kHeld,        // a fact of request `index` that the gate file holds: `at` is a HeldFact
    kPeerEnd,     // whether descriptor `index` (an Fd) sees the end of its other side: 0 or 1
    kAsleep,      // whether lane `index` sleeps inside its call: 0 or 1
    kLaneResult,  // what the call of lane `index` that slept returns: as kResult
    kMask,        // signals whose blocking the call changed, as Observation::mask_changed; `index` 1: or one that slept
    kMapped,      // whether anything is mapped at the address that the variable at `at` holds: 0 or 1
    kHandlers,    // how often signals ran a handler until the call of lane `index` that slept has returned
  };
  What what = What::kResult;
  std::uint64_t index = 0;
  std::uint64_t at = 0;
  std::vector<std::int64_t> values;  // for What that is a number: those that are allowed, one at least
  std::vector<std::uint8_t> bytes;   // for What that is bytes: what they should be
  friend bool operator==(const Check&, const Check&) = default;
};
inline constexpr unsigned kCheckCount = 16;
inline constexpr std::size_t kMaxCheckValues = 1024;

struct Divergence {
  Signature signature;
  std::size_t operation = 0;   // index in the program; the program's length for what showed only at its end
  std::string expected;        // "EINVAL (22)"
  std::string seen;            // "EFAULT (14)"
  std::optional<Check> check;  // none for kHang, kCrash and kKernel, and where one number or range can't tell
};

enum class Certainty : std::uint8_t {
  kExact,      // one candidate state
  kSet,        // several candidate states
  kWidened,    // only the bound of the quota was left, or concurrent direct I/O
  kUndecided,  // not judged; `reason` says why
};

// Why an operation is undecided at which the model could not follow a quirk (quirks.h).
inline constexpr const char* kBehindQuirk = "it follows an answer that diverges as one before did";

struct Verdict {
  Certainty certainty = Certainty::kExact;
  const char* reason = "";  // a constant, for kUndecided
  bool lost_track = false;  // undecided, and what follows cannot be judged either
  std::optional<Divergence> divergence;
};

}  // namespace aio
