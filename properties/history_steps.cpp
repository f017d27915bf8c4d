// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "properties/history_state.h"
#include "reference/abi.h"

namespace aio {
namespace {

using Phase = LaneState::Phase;
using CallKind = HistoryCall::Kind;

template <class All>
auto find_number(All& all, RequestNumber number) {
  return std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.number == number; });
}

// Stages of a lane's call, see LaneState.
constexpr std::uint8_t kLooked = 1;
constexpr std::uint8_t kQueued = 1;
constexpr std::uint8_t kToSignal = 2;

// The steps of one lane's call from one configuration.
class Steps {
 public:
  Steps(const Configuration& from, std::size_t lane, const History& history, const Fates* fates,
        std::vector<Configuration>& next)
      : from_(from),
        lane_(lane),
        call_(*from.lanes[lane].call),
        lets_signal_in_(call_.kind == CallKind::kGetevents && lets_signal_in(history, call_)),
        blocks_(lets_signal_in_ && call_.turns_mask),
        fates_(fates),
        next_(next) {}

  void add() {
    const Phase phase = from_.lanes[lane_].phase;
    if (phase == Phase::kBegun) return begin();
    if (phase == Phase::kDead) return hide();
    if (phase == Phase::kMarked) return cancel_all();
    if (phase == Phase::kCancelled) return await_all();
    if (phase == Phase::kReturning) return leave();
    if (phase != Phase::kInside) return;
    if (call_.kind == CallKind::kSubmit) submit();
    if (call_.kind == CallKind::kGetevents) getevents();
    if (call_.kind == CallKind::kCancel) cancel();
    if (call_.kind == CallKind::kDestroy) destroy();
  }

 private:
  bool fails(int error) const { return call_.result == -1 && call_.error == error && call_.events.empty(); }

  Configuration& step(Phase phase) {
    Configuration& made = next_.emplace_back(from_);
    made.lanes[lane_].phase = phase;
    return made;
  }
  ContextState& context(Configuration& of) const { return of.contexts[call_.context]; }
  const ContextState& now() const { return from_.contexts[call_.context]; }

  void begin() {
    if (!call_.mask_is_back || (call_.handled && !lets_signal_in_)) return;
    if (call_.kind == CallKind::kWrite) return write();
    if (call_.kind == CallKind::kRead) return read();
    if (call_.kind == CallKind::kInterrupt) return interrupt();
    if (call_.kind == CallKind::kMove) return move();
    if (now().found && now().place == call_.place) {
      step(Phase::kInside);
    } else if (fails(kEINVAL)) {
      step(call_.kind == CallKind::kGetevents ? Phase::kReturning : Phase::kDone);
    }
  }

  // All polls of it are woken. A busy context leaves them to a worker.
  void write() {
    if (call_.result != 0) return;
    Configuration& made = step(Phase::kDone);
    made.signalled[call_.eventfd] = true;
    for (ContextState& each : made.contexts) {
      std::erase_if(each.pending, [&](const PendingPoll& poll) {
        if (poll.eventfd != call_.eventfd) return false;
        add_late(each, {poll.number, poll.res, poll.listed, poll.resfd});
        return true;
      });
    }
  }

  void interrupt() {
    if (call_.result != 0) return;
    Configuration& made = step(Phase::kDone);
    if (fates_ == nullptr || fates_->listens(call_.target)) made.hit[call_.target] = true;
  }

  void move() {
    if (now().dead) {
      if (fails(kEINVAL) || fails(kEFAULT)) step(Phase::kDone);
    } else if (now().place != call_.place) {
      if (fails(kEFAULT)) step(Phase::kDone);
    } else if (call_.result == 0) {
      context(step(Phase::kDone)).place = call_.new_place;
    }
  }

  void read() {
    const std::uint8_t there = from_.counters[call_.counter];
    if (there == 0 ? !fails(kEAGAIN) : call_.result != there) return;
    step(Phase::kDone).counters[call_.counter] = 0;
  }

  void submit() {
    const std::uint8_t taken = from_.lanes[lane_].progress;
    if (call_.result != static_cast<std::int64_t>(call_.requests.size())) return;
    if (taken == call_.requests.size()) {
      step(Phase::kDone);
      return;
    }
    const HistoryRequest& request = call_.requests[taken];
    if (from_.lanes[lane_].stage == kToSignal) {
      ++take().counters[*request.resfd];
      return;
    }
    if (request.kind == HistoryRequest::Kind::kPoll) return poll(request);
    if (request.kind == HistoryRequest::Kind::kLater) {
      add_late(context(take()), {request.number, request.res, false, request.resfd});
    } else {
      complete(request, step(Phase::kInside));
    }
  }

  // The event comes first.
  void complete(const HistoryRequest& request, Configuration& made) {
    if (!put_event(fates_, call_.context, context(made).ring, {request.number, request.res})) {
      next_.pop_back();
    } else if (request.resfd) {
      made.lanes[lane_].stage = kToSignal;
    } else {
      pass(made);
    }
  }

  Configuration& take() {
    Configuration& made = step(Phase::kInside);
    pass(made);
    return made;
  }
  // To the next request.
  void pass(Configuration& made) const {
    ++made.lanes[lane_].progress;
    made.lanes[lane_].stage = 0;
  }

  // It waits for the eventfd first, and then looks whether it is ready. What wakes it in between completes it, not
  // io_submit (aio_poll).
  void poll(const HistoryRequest& request) {
    if (from_.lanes[lane_].stage == 0) {
      Configuration& made = step(Phase::kInside);
      made.lanes[lane_].stage = kQueued;
      context(made).pending.push_back({request.number, request.res, request.eventfd, false, request.resfd});
      return;
    }
    const auto waiting = find_number(now().pending, request.number);
    if (waiting == now().pending.end()) {
      take();
      // It has been woken. Until the worker has taken it off the queue it can be cancelled.
      const auto late = find_number(now().late, request.number);
      if (late == now().late.end() || late->is_in_ring || !is_sought(request.number)) return;
      find_number(context(take()).late, request.number)->listed = true;
    } else if (from_.signalled[request.eventfd]) {
      Configuration& made = step(Phase::kInside);
      ContextState& into = context(made);
      into.pending.erase(find_number(into.pending, request.number));
      complete(request, made);
    } else {
      find_number(context(take()).pending, request.number)->listed = is_sought(request.number);
    }
  }

  bool is_sought(RequestNumber number) const { return fates_ == nullptr || fates_->is_cancelled(number); }

  void getevents() {
    const LaneState& lane = from_.lanes[lane_];
    const std::size_t got = lane.progress;
    const bool passed = lane.stage == kLooked;
    if (passed && got == call_.events.size()) finish_getevents(got);
    if (passed && (!call_.waits || got >= call_.min_nr)) return;
    const std::vector<HistoryEvent>& ring = now().ring;
    const std::size_t taken = std::min<std::size_t>(ring.size(), call_.nr - got);
    if (passed && taken == 0) return;
    if (taken > call_.events.size() - got) return;
    const auto taken_end = ring.begin() + static_cast<std::ptrdiff_t>(taken);
    if (!std::equal(ring.begin(), taken_end, call_.events.begin() + static_cast<std::ptrdiff_t>(got))) return;
    Configuration& made = step(Phase::kInside);
    made.lanes[lane_].stage = kLooked;
    made.lanes[lane_].progress = static_cast<std::uint8_t>(got + taken);
    std::vector<HistoryEvent>& left = context(made).ring;
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void finish_getevents(std::size_t got) {
    if (now().dead && got == 0) {
      if (fails(kEINVAL)) step(Phase::kReturning);
      return;
    }
    const bool may_return = got >= call_.min_nr || call_.may_time_out || now().dead || is_hit();
    if (may_return && !fails(kEINVAL)) step(Phase::kReturning);
  }

  bool is_hit() const { return lets_signal_in_ && from_.hit[lane_]; }

  // It holds its context no more. A signal that is there is handled on the way out, and makes nothing into EINTR.
  void leave() {
    const bool hit = is_hit();
    const auto got = static_cast<std::int64_t>(from_.lanes[lane_].progress);
    const bool right = fails(kEINVAL) || (got == 0 && hit ? fails(kEINTR) : call_.result == got);
    if (!right || call_.handled != (hit && blocks_)) return;
    Configuration& made = step(Phase::kDone);
    if (hit) made.hit[lane_] = false;
  }

  void cancel() {
    ContextState copy = now();
    const auto pending = find_number(copy.pending, call_.cancelled);
    const auto late = find_number(copy.late, call_.cancelled);
    if (pending != copy.pending.end() && pending->listed) {
      if (!fails(kEINPROGRESS)) return;
      const std::optional<std::uint8_t> resfd = pending->resfd;
      copy.pending.erase(pending);
      add_late(copy, {call_.cancelled, 0, false, resfd});
      context(step(Phase::kDone)) = std::move(copy);
    } else if (late != copy.late.end() && late->listed && !late->is_in_ring) {
      // It was woken. Either it is off the list already, or it ends by whichever comes first.
      late->listed = false;
      if (fails(kEINVAL) || fails(kEINPROGRESS)) context(step(Phase::kDone)) = copy;
      late->res = 0;
      if (fails(kEINPROGRESS)) context(step(Phase::kDone)) = std::move(copy);
    } else if (fails(kEINVAL)) {
      step(Phase::kDone);
    }
  }

  void destroy() {
    if (now().dead) {
      if (fails(kEINVAL)) step(Phase::kDone);
      return;
    }
    if (call_.result != 0) return;
    context(step(Phase::kDead)).dead = true;
  }

  void hide() { context(step(Phase::kMarked)).found = false; }

  // Once no other call is inside.
  void cancel_all() {
    const auto holds = [&](const LaneState& lane) { return lane.holds(call_.context); };
    if (std::any_of(from_.lanes.begin(), from_.lanes.end(), holds)) return;
    ContextState& cleared = context(step(Phase::kCancelled));
    for (const PendingPoll& each : cleared.pending) add_late(cleared, {each.number, 0, false, each.resfd});
    cleared.pending.clear();
  }

  void await_all() {
    if (now().late.empty()) step(Phase::kDone);
  }

  const Configuration& from_;
  const std::size_t lane_;
  const HistoryCall& call_;
  const bool lets_signal_in_;
  const bool blocks_;  // the signal, outside of the call
  const Fates* const fates_;
  std::vector<Configuration>& next_;
};

}  // namespace

void add_lane_steps(const Configuration& from, std::size_t lane, const History& history, const Fates* fates,
                    std::vector<Configuration>& next) {
  Steps(from, lane, history, fates, next).add();
}

}  // namespace aio
