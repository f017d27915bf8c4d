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

struct HistoryCall {
  enum class Kind : std::uint8_t { kSubmit, kGetevents, kCancel, kDestroy, kSignal, kRead };
  Kind kind = Kind::kGetevents;
  std::uint8_t lane = 0;
  std::uint8_t context = 0;
  std::vector<HistoryRequest> requests;  // of kSubmit
  unsigned min_nr = 0;                   // of kGetevents
  unsigned nr = 0;
  bool waits = false;           // its timeout is not zero
  bool for_ever = false;        // it has none
  bool may_time_out = false;    // and as long as that it took
  RequestNumber cancelled = 0;  // of kCancel
  std::uint8_t eventfd = 0;     // of kSignal: a write to it
  std::uint8_t counter = 0;     // of kRead: what a read takes from it is the result

  // The answer.
  std::int64_t result = 0;
  int error = 0;
  std::vector<HistoryEvent> events;

  // By one counter for all lanes: of two that do not overlap the earlier one has ended before the other has begun.
  std::uint64_t began = kNever;
  std::uint64_t ended = kNever;

  static constexpr std::uint64_t kNever = UINT64_MAX;
};

struct History {
  unsigned contexts = 1;
  unsigned eventfds = 0;
  unsigned counters = 0;
  std::vector<HistoryCall> calls;
  // Whether before the last calls all was waited for that is to come by itself, and they have taken it.
  bool settled = true;
};

// "io_getevents(ctx0, min 1, nr 4)", and "1 [3: 8]".
std::string asked_text(const HistoryCall& call);
std::string answer_text(const HistoryCall& call);

// Line by line what happened, with a column for each lane: + where it makes a call, | while it is in it, = where that
// returns. The call at `marked`, if any, is said to be the one that no order explains.
std::string history_text(const History& history, std::optional<std::size_t> marked);

}  // namespace aio
