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
    if (phase == Phase::kEnding) return await_end();
    if (phase != Phase::kInside) return;
    if (call_.kind == CallKind::kSubmit) submit();
    if (call_.kind == CallKind::kGetevents) getevents();
    if (call_.kind == CallKind::kCancel) cancel();
    if (call_.kind == CallKind::kDestroy) destroy();
  }

 private:
  // Whether this is its answer. Of a call that was cut off it may be any.
  bool fails(int error) const {
    return call_.cut_off || (call_.result == -1 && call_.error == error && call_.events.empty());
  }
  bool returns(std::size_t value) const { return call_.cut_off || call_.result == static_cast<std::int64_t>(value); }

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
    if (call_.kind == CallKind::kReap) return reap();
    if (call_.kind == CallKind::kMove) return move();
    if (call_.kind == CallKind::kDie) return die();
    if (now().found && now().place == call_.place) {
      step(Phase::kInside);
    } else if (fails(kEINVAL)) {
      step(call_.kind == CallKind::kGetevents ? Phase::kReturning : Phase::kDone);
    }
  }

  // All polls of it are woken. A busy context leaves them to a worker.
  void write() {
    if (!returns(0)) return;
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
    if (!returns(0)) return;
    Configuration& made = step(Phase::kDone);
    if (fates_ == nullptr || fates_->listens(call_.target)) made.hit[call_.target] = true;
  }

  void reap() {
    const std::vector<HistoryEvent>& ring = now().ring;
    const std::size_t taken = std::min<std::size_t>(ring.size(), call_.nr);
    if (!returns(taken) || (!call_.cut_off && !are_next(ring, 0, taken))) return;
    take_first(context(step(Phase::kDone)).ring, taken);
  }

  static void take_first(std::vector<HistoryEvent>& ring, std::size_t count) {
    ring.erase(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(count));
  }

  void move() {
    if (now().dead) {
      if (fails(kEINVAL) || fails(kEFAULT)) step(Phase::kDone);
    } else if (now().place != call_.place) {
      if (fails(kEFAULT)) step(Phase::kDone);
    } else if (returns(0)) {
      context(step(Phase::kDone)).place = call_.new_place;
    }
  }

  void read() {
    const std::uint8_t there = from_.counters[call_.counter];
    if (there == 0 ? !fails(kEAGAIN) : !returns(there)) return;
    step(Phase::kDone).counters[call_.counter] = 0;
  }

  void submit() {
    const std::uint8_t taken = from_.lanes[lane_].progress;
    if (!returns(call_.requests.size())) return;
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
      complete(request, request.res, step(Phase::kInside));
      // A buffered write ends where a fatal signal comes.
      if (call_.cut_off) complete(request, -kEINTR, step(Phase::kInside));
    }
  }

  // The event comes first.
  void complete(const HistoryRequest& request, std::int64_t res, Configuration& made) {
    if (!put_event(fates_, call_.context, context(made).ring, {request.number, res})) {
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
      complete(request, request.res, made);
    } else {
      find_number(context(take()).pending, request.number)->listed = is_sought(request.number);
    }
  }

  bool is_sought(RequestNumber number) const { return fates_ == nullptr || fates_->is_cancelled(number); }

  void getevents() {
    const LaneState& lane = from_.lanes[lane_];
    const std::size_t got = lane.progress;
    const bool passed = lane.stage == kLooked;
    if (passed && (call_.cut_off || got == call_.events.size())) finish_getevents(got);
    if (passed && (!call_.waits || got >= call_.min_nr)) return;
    const std::vector<HistoryEvent>& ring = now().ring;
    const std::size_t taken = std::min<std::size_t>(ring.size(), call_.nr - got);
    if (taken > 0 && call_.unwritable) {
      if (fails(now().dead ? kEINVAL : kEFAULT)) step(Phase::kReturning);
      return;
    }
    if (passed && taken == 0) return;
    if (!call_.cut_off && !are_next(ring, got, taken)) return;
    Configuration& made = step(Phase::kInside);
    made.lanes[lane_].stage = kLooked;
    made.lanes[lane_].progress = static_cast<std::uint8_t>(got + taken);
    take_first(context(made).ring, taken);
  }

  // Whether the first of the ring, `taken` of them, are what it has got after `got`.
  bool are_next(const std::vector<HistoryEvent>& ring, std::size_t got, std::size_t taken) const {
    const auto end = ring.begin() + static_cast<std::ptrdiff_t>(taken);
    return taken <= call_.events.size() - got &&
           std::equal(ring.begin(), end, call_.events.begin() + static_cast<std::ptrdiff_t>(got));
  }

  void finish_getevents(std::size_t got) {
    if (now().dead && got == 0) {
      if (fails(kEINVAL)) step(Phase::kReturning);
      return;
    }
    const bool may_return = got >= call_.min_nr || call_.may_time_out || now().dead || is_hit();
    const bool is_refused = !call_.cut_off && (fails(kEINVAL) || fails(kEFAULT));
    if (may_return && !is_refused) step(Phase::kReturning);
  }

  bool is_hit() const { return lets_signal_in_ && from_.hit[lane_]; }

  // It holds its context no more. A signal that is there is handled on the way out, and makes nothing into EINTR.
  void leave() {
    const bool hit = is_hit();
    const std::size_t got = from_.lanes[lane_].progress;
    const bool right = fails(kEINVAL) || fails(kEFAULT) || (got == 0 && hit ? fails(kEINTR) : returns(got));
    if (!right || (!call_.cut_off && call_.handled != (hit && blocks_))) return;
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
    if (!returns(0)) return;
    context(step(Phase::kDead)).dead = true;
  }

  void hide() { context(step(Phase::kMarked)).found = false; }

  // Once no other call is inside.
  void cancel_all() {
    const auto holds = [&](const LaneState& lane) { return lane.holds(call_.context); };
    if (std::any_of(from_.lanes.begin(), from_.lanes.end(), holds)) return;
    end_polls(context(step(Phase::kCancelled)));
  }

  void await_all() {
    if (now().late.empty()) step(Phase::kDone);
  }

  // Calls that are cut off go on as far as they must: io_submit to the end of its list, io_destroy to its own. Then all
  // contexts end at once.
  void die() {
    if (!others_can_end()) return;
    Configuration& made = step(Phase::kEnding);
    for (std::size_t i = 0; i < made.lanes.size(); ++i) {
      if (i != lane_) made.lanes[i] = {};
    }
    for (ContextState& each : made.contexts) {
      each.dead = true;
      each.found = false;
      end_polls(each);
    }
  }

  bool others_can_end() const {
    for (std::size_t i = 0; i < from_.lanes.size(); ++i) {
      const LaneState& each = from_.lanes[i];
      if (i == lane_ || each.call == nullptr || each.phase == Phase::kBegun || each.phase == Phase::kDone) continue;
      if (!each.call->cut_off || each.call->kind != CallKind::kGetevents) return false;
    }
    return true;
  }

  void await_end() {
    const auto is_over = [](const ContextState& each) { return each.late.empty(); };
    if (std::all_of(from_.contexts.begin(), from_.contexts.end(), is_over)) step(Phase::kDone);
  }

  static void end_polls(ContextState& context) {
    for (const PendingPoll& each : context.pending) add_late(context, {each.number, 0, false, each.resfd});
    context.pending.clear();
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
