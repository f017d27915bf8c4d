// SPDX-License-Identifier: GPL-2.0-or-later
//
// A configuration of a history that is being explained: what contexts and eventfds hold, and how far each lane's call
// is.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reference/history.h"

namespace aio {

struct PendingPoll {
  RequestNumber number = 0;
  std::int64_t res = 0;
  std::uint8_t eventfd = 0;
  bool listed = false;  // io_cancel finds it; not while io_submit has yet to look whether it is ready
  std::optional<std::uint8_t> resfd = {};
};

struct LateRequest {  // its event is on its way
  RequestNumber number = 0;
  std::int64_t res = 0;
  bool listed = false;  // io_cancel may still find it
  std::optional<std::uint8_t> resfd = {};
  bool is_in_ring = false;  // and its RESFD is not signalled yet
};

struct ContextState {
  bool found = true;  // by a call that looks it up
  bool dead = false;
  std::uint8_t place = HistoryCall::kFirstPlace;  // where it is found
  std::vector<HistoryEvent> ring;
  std::vector<PendingPoll> pending;
  std::vector<LateRequest> late;
};

struct LaneState {
  enum class Phase : std::uint8_t {
    kIdle,
    kBegun,
    kInside,     // it has found its context
    kDead,       // of io_destroy: has marked the context dead, which others still find
    kMarked,     // nobody finds it any more
    kCancelled,  // what was in flight is cancelled
    kReturning,  // of a wait: signals are still looked at
    kEnding,     // of a process that dies: all contexts are dead
    kDone,
  };
  Phase phase = Phase::kIdle;
  std::uint8_t progress = 0;  // requests taken, or events got
  // How far that is: io_getevents has looked at the ring (1), io_submit has queued a poll (1), or its next request's
  // event is in the ring and its RESFD is to be signalled (2).
  std::uint8_t stage = 0;
  const HistoryCall* call = nullptr;

  // Whether the context cannot end because of this call.
  bool holds(std::uint8_t context) const {
    return call != nullptr && call->context == context && phase == Phase::kInside;
  }
};

// Which event was seen where. Steps that lead to another one explain nothing, and need not be followed.
class Fates {
 public:
  explicit Fates(const History& history);
  // Puts an event into a ring of this context. False where what was seen does not allow it behind those that are there.
  // Events that nobody gets are one, as it does not matter which they are.
  bool put(std::uint8_t context, std::vector<HistoryEvent>& ring, const HistoryEvent& next) const;
  // Whether io_cancel was called for it; otherwise it does not matter whether it would have been found.
  bool is_cancelled(RequestNumber number) const { return of_[number].is_cancelled; }
  // Whether the lane makes calls that a signal ends.
  bool listens(std::uint8_t lane) const { return listens_[lane]; }

 private:
  struct Fate {
    const HistoryCall* call = nullptr;  // that has got it
    std::size_t at = 0;                 // of its events
    bool is_cancelled = false;
  };
  std::array<Fate, 256> of_;  // by number
  std::array<bool, 256> listens_{};
  std::vector<bool> may_stay_;  // in a ring that is never read: by context
};

struct Configuration {
  std::vector<ContextState> contexts;
  std::vector<bool> signalled;  // eventfds
  std::vector<std::uint8_t> counters;
  std::vector<LaneState> lanes;
  std::vector<bool> hit;  // by lane: a signal waits for it

  // Equal for equal ones.
  std::string key() const;
  // Whether nothing is on its way, and nothing is left in a ring or a counter.
  bool at_rest() const;
  // The configurations that one step leads to: of a lane's call, of a request that completes, or of a signal that is
  // handled between calls. Without `fates` those as well that lead to other events than were seen.
  void add_steps(const History& history, const Fates* fates, std::vector<Configuration>& next) const;

 private:
  void complete(std::size_t at, std::size_t request, const Fates* fates, std::vector<Configuration>& next) const;
};

// Puts an event into a context's ring: false where `fates`, if there are any, do not allow it.
bool put_event(const Fates* fates, std::size_t context, std::vector<HistoryEvent>& ring, const HistoryEvent& event);
// In a constant order, as it says nothing.
void add_late(ContextState& context, const LateRequest& request);
// The steps of the call that a lane makes.
void add_lane_steps(const Configuration& from, std::size_t lane, const History& history, const Fates* fates,
                    std::vector<Configuration>& next);

}  // namespace aio
