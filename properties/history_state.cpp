// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/history_state.h"

#include <algorithm>

#include "reference/abi.h"

namespace aio {
namespace {

using Phase = LaneState::Phase;
using CallKind = HistoryCall::Kind;

template <class Each>
auto find_number(std::vector<Each>& all, RequestNumber number) {
  return std::find_if(all.begin(), all.end(), [&](const Each& each) { return each.number == number; });
}

// In a constant order, as it says nothing.
void add_late(ContextState& context, const LateRequest& request) {
  const auto at = std::find_if(context.late.begin(), context.late.end(),
                               [&](const LateRequest& each) { return each.number > request.number; });
  context.late.insert(at, request);
}

bool put(const Fates* fates, std::size_t context, std::vector<HistoryEvent>& ring, const HistoryEvent& event) {
  if (fates != nullptr) return fates->put(static_cast<std::uint8_t>(context), ring, event);
  ring.push_back(event);
  return true;
}

// The steps of one lane's call from one configuration.
class Steps {
 public:
  Steps(const Configuration& from, std::size_t lane, const Fates* fates, std::vector<Configuration>& next)
      : from_(from), lane_(lane), call_(*from.lanes[lane].call), fates_(fates), next_(next) {}

  void add() {
    const Phase phase = from_.lanes[lane_].phase;
    if (phase == Phase::kBegun) return begin();
    if (phase == Phase::kDead) return hide();
    if (phase == Phase::kMarked) return cancel_all();
    if (phase == Phase::kCancelled) return await_all();
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
    if (call_.kind == CallKind::kSignal) return signal();
    if (call_.kind == CallKind::kRead) return read();
    if (now().found) {
      step(Phase::kInside);
    } else if (fails(kEINVAL)) {
      step(Phase::kDone);
    }
  }

  // All polls of it are woken. A busy context leaves them to a worker.
  void signal() {
    if (call_.result != 0) return;
    Configuration& made = step(Phase::kDone);
    made.signalled[call_.eventfd] = true;
    for (ContextState& each : made.contexts) {
      std::erase_if(each.pending, [&](const PendingPoll& poll) {
        if (poll.eventfd != call_.eventfd) return false;
        add_late(each, {poll.number, poll.res, poll.listed});
        return true;
      });
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
    if (request.kind == HistoryRequest::Kind::kPoll) return poll(request, taken);
    if (request.resfd && from_.lanes[lane_].passed) {
      ++take(taken).counters[*request.resfd];
      return;
    }
    Configuration& made = take(taken);
    if (request.kind == HistoryRequest::Kind::kLater) {
      add_late(context(made), {request.number, request.res, false, request.resfd});
      return;
    }
    // The event comes first.
    if (request.resfd) made.lanes[lane_] = {Phase::kInside, taken, true, &call_};
    if (!put(fates_, call_.context, context(made).ring, {request.number, request.res})) {
      next_.pop_back();
    }
  }

  Configuration& take(std::uint8_t taken) {
    Configuration& made = step(Phase::kInside);
    made.lanes[lane_].progress = static_cast<std::uint8_t>(taken + 1);
    made.lanes[lane_].passed = false;
    return made;
  }

  // It waits for the eventfd first, and then looks whether it is ready. What wakes it in between completes it, not
  // io_submit (aio_poll).
  void poll(const HistoryRequest& request, std::uint8_t taken) {
    if (!from_.lanes[lane_].passed) {
      Configuration& made = step(Phase::kInside);
      made.lanes[lane_].passed = true;
      context(made).pending.push_back({request.number, request.res, request.eventfd, false});
      return;
    }
    Configuration& made = take(taken);
    ContextState& into = context(made);
    const auto waiting = find_number(into.pending, request.number);
    if (waiting == into.pending.end()) {
      // It has been woken. Until the worker has taken it off the queue it can be cancelled.
      const auto late = find_number(into.late, request.number);
      if (late == into.late.end() || !is_sought(request.number)) return;
      Configuration listed = made;
      find_number(context(listed).late, request.number)->listed = true;
      next_.push_back(std::move(listed));
    } else if (from_.signalled[request.eventfd]) {
      into.pending.erase(waiting);
      if (!put(fates_, call_.context, into.ring, {request.number, request.res})) next_.pop_back();
    } else {
      waiting->listed = is_sought(request.number);
    }
  }

  bool is_sought(RequestNumber number) const { return fates_ == nullptr || fates_->is_cancelled(number); }

  void getevents() {
    const LaneState& lane = from_.lanes[lane_];
    const std::size_t got = lane.progress;
    if (lane.passed && got == call_.events.size()) finish_getevents(got);
    if (lane.passed && (!call_.waits || got >= call_.min_nr)) return;
    const std::vector<HistoryEvent>& ring = now().ring;
    const std::size_t taken = std::min<std::size_t>(ring.size(), call_.nr - got);
    if (lane.passed && taken == 0) return;
    if (taken > call_.events.size() - got) return;
    const auto taken_end = ring.begin() + static_cast<std::ptrdiff_t>(taken);
    if (!std::equal(ring.begin(), taken_end, call_.events.begin() + static_cast<std::ptrdiff_t>(got))) return;
    Configuration& made = step(Phase::kInside);
    made.lanes[lane_].passed = true;
    made.lanes[lane_].progress = static_cast<std::uint8_t>(got + taken);
    std::vector<HistoryEvent>& left = context(made).ring;
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void finish_getevents(std::size_t got) {
    if (now().dead && got == 0) {
      if (fails(kEINVAL)) step(Phase::kDone);
      return;
    }
    const bool may_return = got >= call_.min_nr || call_.may_time_out || now().dead;
    if (may_return && call_.result == static_cast<std::int64_t>(got)) step(Phase::kDone);
  }

  void cancel() {
    ContextState copy = now();
    const auto pending = find_number(copy.pending, call_.cancelled);
    const auto late = find_number(copy.late, call_.cancelled);
    if (pending != copy.pending.end() && pending->listed) {
      if (!fails(kEINPROGRESS)) return;
      copy.pending.erase(pending);
      add_late(copy, {call_.cancelled, 0, false});
      context(step(Phase::kDone)) = std::move(copy);
    } else if (late != copy.late.end() && late->listed) {
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
    for (const PendingPoll& each : cleared.pending) add_late(cleared, {each.number, 0, false});
    cleared.pending.clear();
  }

  void await_all() {
    if (now().late.empty()) step(Phase::kDone);
  }

  const Configuration& from_;
  const std::size_t lane_;
  const HistoryCall& call_;
  const Fates* const fates_;
  std::vector<Configuration>& next_;
};

template <class Number>
void append(std::string& key, Number number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

std::string Configuration::key() const {
  std::string key;
  for (const ContextState& each : contexts) {
    append(key, static_cast<std::uint8_t>((each.found ? 1 : 0) | (each.dead ? 2 : 0)));
    append(key, static_cast<std::uint8_t>(each.ring.size()));
    for (const HistoryEvent& event : each.ring) append(key, event.number), append(key, event.res);
    append(key, static_cast<std::uint8_t>(each.pending.size()));
    for (const PendingPoll& poll : each.pending) append(key, poll.number), append(key, poll.listed);
    append(key, static_cast<std::uint8_t>(each.late.size()));
    for (const LateRequest& late : each.late)
      append(key, late.number), append(key, late.res), append(key, late.listed), append(key, late.is_in_ring);
  }
  for (const bool each : signalled) append(key, each);
  for (const std::uint8_t each : counters) append(key, each);
  for (const LaneState& each : lanes) append(key, each.phase), append(key, each.progress), append(key, each.passed);
  return key;
}

bool Configuration::at_rest() const {
  return std::all_of(contexts.begin(), contexts.end(),
                     [](const ContextState& each) { return each.late.empty() && (each.dead || each.ring.empty()); }) &&
         std::all_of(counters.begin(), counters.end(), [](std::uint8_t each) { return each == 0; });
}

Fates::Fates(const History& history) : may_stay_(history.contexts, !history.settled) {
  for (const HistoryCall& call : history.calls) {
    if (call.kind == CallKind::kCancel) of_[call.cancelled].is_cancelled = true;
    for (std::size_t i = 0; i < call.events.size(); ++i) {
      of_[call.events[i].number].call = &call;
      of_[call.events[i].number].at = i;
    }
    if (call.kind == CallKind::kDestroy && call.result == 0) may_stay_[call.context] = true;
  }
}

bool Fates::put(std::uint8_t context, std::vector<HistoryEvent>& ring, const HistoryEvent& next) const {
  constexpr HistoryEvent kNobodys{0, INT64_MAX};
  const bool ends = !ring.empty() && ring.back() == kNobodys;
  const Fate& after = of_[next.number];
  if (after.call == nullptr) {
    if (!ends) ring.push_back(kNobodys);
    return may_stay_[context];
  }
  if (ends || after.call->events[after.at] != next) return false;
  if (!ring.empty()) {
    const Fate& before = of_[ring.back().number];
    const bool in_order = before.call == after.call ? before.at < after.at : before.call->began < after.call->ended;
    if (!in_order) return false;
  }
  ring.push_back(next);
  return true;
}

void Configuration::add_steps(const Fates* fates, std::vector<Configuration>& next) const {
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    if (lanes[lane].call != nullptr) Steps(*this, lane, fates, next).add();
  }
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    for (std::size_t j = 0; j < contexts[i].late.size(); ++j) {
      Configuration& made = next.emplace_back(*this);
      ContextState& context = made.contexts[i];
      LateRequest& late = context.late[j];
      if (late.is_in_ring) {
        ++made.counters[*late.resfd];
      } else if (!put(fates, i, context.ring, {context.late[j].number, context.late[j].res})) {
        next.pop_back();
        continue;
      } else if (late.resfd) {
        late.is_in_ring = true;
        continue;
      }
      context.late.erase(context.late.begin() + static_cast<std::ptrdiff_t>(j));
    }
  }
}

}  // namespace aio
