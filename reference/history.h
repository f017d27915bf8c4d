// SPDX-License-Identifier: GPL-2.0-or-later
//
// A history: what lanes that ran at full speed asked and were answered, and in which order their calls began and ended.
// Calls that overlap may have happened in any order, and in parts: io_submit takes one iocb after the other,
// io_getevents looks at the ring once or more, io_destroy ends a context in steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aio {

// An iocb, or an event.
using RequestNumber = std::uint8_t;  // its aio_data, distinct in a history

struct HistoryRequest {
  enum class Kind : std::uint8_t {
    kAtOnce,  // it completes inside io_submit: a buffered transfer
    kLater,   // by a worker: an FSYNC
    kPoll,    // once its eventfd is not zero
  };
  Kind kind = Kind::kAtOnce;
  RequestNumber number = 0;
  std::uint8_t eventfd = 0;  // of kPoll
  std::int64_t res = 0;      // of its event, unless it is cancelled
  // The counter (an eventfd of its own kind, for IOCB_FLAG_RESFD) that one is added to once its event is in the ring.
  std::optional<std::uint8_t> resfd = {};
};

struct HistoryEvent {
  RequestNumber number = 0;
  std::int64_t res = 0;
  friend bool operator==(const HistoryEvent&, const HistoryEvent&) = default;
};

// What a call came to, but for its events.
struct HistoryAnswer {
  std::int64_t result = 0;
  int error = 0;
  bool may_time_out = false;  // of kGetevents: it took as long as its timeout
  // Where the lane blocks the signal: whether it was handled in this call. That ended when the handler began.
  bool handled = false;
  bool mask_is_back = true;
  // Where the ring is that the context is named by: where io_setup put it, or where a kMove did.
  std::uint8_t place = kFirstPlace;

  static constexpr std::uint8_t kFirstPlace = 0;
};

struct HistoryCall : HistoryAnswer {
  enum class Kind : std::uint8_t {
    kSubmit,
    kGetevents,
    kCancel,
    kDestroy,
    kWrite,      // to an eventfd
    kRead,       // of a counter: what it takes from it is the result
    kInterrupt,  // a signal for a lane, which has a handler for it
    kReap,       // the lane takes events off the ring by itself, as the only one that takes any
    kMove,       // mremap(2) of a ring
    kDie,        // the end of the process, with all its lanes
  };
  enum class Death : std::uint8_t { kExit, kKill, kExec };

  Kind kind = Kind::kGetevents;
  std::uint8_t lane = 0;
  std::uint8_t context = 0;
  std::vector<HistoryRequest> requests;  // of kSubmit
  unsigned min_nr = 0;                   // of kGetevents
  unsigned nr = 0;                       // and of kReap
  bool waits = false;                    // its timeout is not zero
  bool for_ever = false;                 // it has none
  bool unwritable = false;               // its events would go where nothing can be written
  bool turns_mask = false;  // io_pgetevents: its mask lets the signal in if that is blocked outside, or keeps it out
  RequestNumber cancelled = 0;  // of kCancel
  std::uint8_t eventfd = 0;     // of kWrite
  std::uint8_t counter = 0;     // of kRead
  std::uint8_t target = 0;      // of kInterrupt: a lane
  std::uint8_t new_place = 0;   // of kMove
  Death death = Death::kExit;   // of kDie

  std::vector<HistoryEvent> events;  // of the answer
  bool cut_off = false;              // its process died in it: there is no answer

  // By one counter for all lanes: of two that do not overlap the earlier one has ended before the other has begun.
  std::uint64_t began = kNever;
  std::uint64_t ended = kNever;

  static constexpr std::uint64_t kNever = UINT64_MAX;
};

struct History {
  unsigned contexts = 1;
  unsigned eventfds = 0;
  unsigned counters = 0;
  std::vector<bool> blocks;  // by lane: whether it blocks the signal outside of io_pgetevents
  std::vector<HistoryCall> calls;
  // By number, whether the bytes that a request writes are in the file at the end; none where that was not looked at.
  std::vector<bool> in_file = {};
  // Whether before the last calls all was waited for that is to come by itself, and they have taken it.
  bool settled = true;
  std::vector<bool> sharing = {};  // by lane: whether it is a process of its own that shares the memory, not a thread
};

// What holds by lane, for this one; false where nothing is said of it.
inline bool holds_for(const std::vector<bool>& by_lane, std::size_t lane) {
  return lane < by_lane.size() && by_lane[lane];
}

// Whether the signal ends a wait of this kGetevents.
bool lets_signal_in(const History& history, const HistoryCall& call);

// "io_getevents(ctx0, min 1, nr 4)", and "1 [3: 8]".
std::string asked_text(const HistoryCall& call);
std::string answer_text(const HistoryCall& call);

// Whether an io_destroy of it has succeeded.
bool is_destroyed(const History& history, unsigned context);

// Requests that io_submit said to have taken and that must have ended: all but polls that were neither woken nor
// cancelled, and those as well where the context was destroyed or its process has died.
std::vector<HistoryRequest> ended_requests(const History& history, unsigned context);

// Line by line what happened, with a column for each lane: + where it makes a call, | while it is in it, = where that
// returns. The call at `marked`, if any, is said to be the one that no order explains.
std::string history_text(const History& history, std::optional<std::size_t> marked);

}  // namespace aio
