// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/history_state.h"

#include <algorithm>

namespace aio {
namespace {

using Phase = LaneState::Phase;

template <class Number>
void append(std::string& key, Number number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

}  // namespace

void add_late(ContextState& context, const LateRequest& request) {
  const auto at = std::find_if(context.late.begin(), context.late.end(),
                               [&](const LateRequest& each) { return each.number > request.number; });
  context.late.insert(at, request);
}

bool put_event(const Fates* fates, std::size_t context, std::vector<HistoryEvent>& ring, const HistoryEvent& event) {
  if (fates != nullptr) return fates->put(static_cast<std::uint8_t>(context), ring, event);
  ring.push_back(event);
  return true;
}

std::string Configuration::key() const {
  std::string key;
  for (const ContextState& each : contexts) {
    append(key, static_cast<std::uint8_t>((each.found ? 1 : 0) | (each.dead ? 2 : 0)));
    append(key, each.place);
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
  for (const LaneState& each : lanes) append(key, each.phase), append(key, each.progress), append(key, each.stage);
  for (const bool each : hit) append(key, each);
  return key;
}

bool Configuration::at_rest() const {
  return std::all_of(contexts.begin(), contexts.end(),
                     [](const ContextState& each) { return each.late.empty() && (each.dead || each.ring.empty()); }) &&
         std::all_of(counters.begin(), counters.end(), [](std::uint8_t each) { return each == 0; });
}

Fates::Fates(const History& history) : may_stay_(history.contexts, !history.settled) {
  for (const HistoryCall& call : history.calls) {
    if (call.kind == HistoryCall::Kind::kCancel) of_[call.cancelled].is_cancelled = true;
    for (std::size_t i = 0; i < call.events.size(); ++i) {
      of_[call.events[i].number].call = &call;
      of_[call.events[i].number].at = i;
    }
    if (call.kind == HistoryCall::Kind::kGetevents && lets_signal_in(history, call)) listens_[call.lane] = true;
    if (call.kind == HistoryCall::Kind::kDie) may_stay_.assign(history.contexts, true);
    if (call.kind == HistoryCall::Kind::kDestroy && call.result == 0) may_stay_[call.context] = true;
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

void Configuration::add_steps(const History& history, const Fates* fates, std::vector<Configuration>& next) const {
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const Phase phase = lanes[lane].phase;
    if (lanes[lane].call != nullptr) add_lane_steps(*this, lane, history, fates, next);
    const bool outside = phase == Phase::kIdle || phase == Phase::kBegun || phase == Phase::kDone;
    if (hit[lane] && outside && !holds_for(history.blocks, lane)) next.emplace_back(*this).hit[lane] = false;
  }
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    for (std::size_t j = 0; j < contexts[i].late.size(); ++j) complete(i, j, fates, next);
  }
}

// A request's event comes into its ring, and then, if it has a RESFD, that counts it.
void Configuration::complete(std::size_t at, std::size_t request, const Fates* fates,
                             std::vector<Configuration>& next) const {
  Configuration& made = next.emplace_back(*this);
  ContextState& context = made.contexts[at];
  LateRequest& late = context.late[request];
  if (late.is_in_ring) {
    ++made.counters[*late.resfd];
  } else if (!put_event(fates, at, context.ring, {late.number, late.res})) {
    next.pop_back();
    return;
  } else if (late.resfd) {
    late.is_in_ring = true;
    return;
  }
  context.late.erase(context.late.begin() + static_cast<std::ptrdiff_t>(request));
}

}  // namespace aio
