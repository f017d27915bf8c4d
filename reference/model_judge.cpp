// SPDX-License-Identifier: GPL-2.0-or-later
//
// The judgement: every part of an answer beside what the rules say, in the order return, events, ring; then, in
// model_lanes.cpp, returns of other lanes, in model_gate.cpp requests that reached the gate file, and in
// model_judge_state.cpp memory, counters, files, aio-nr. The first part that differs names the requirement.
#include <algorithm>
#include <cstring>

#include "reference/byte_difference.h"
#include "reference/model.h"

namespace aio {
namespace {

std::string res_text(std::int64_t res) {
  return res < 0 && res >= -4095 ? "-" + std::string(errno_name(static_cast<int>(-res))) : std::to_string(res);
}

// Why the first event that did not come was due.
Req missing(const Context& context, const std::vector<std::size_t>& order) {
  for (std::size_t i = 0; i < context.due.size(); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) return context.due[i].due_rule;
  }
  return Req::kEventForEveryRequest;
}

}  // namespace

std::string result_text(std::int64_t result, int error) {
  if (error != 0) return std::string(errno_name(error)) + " (" + std::to_string(error) + ")";
  return std::to_string(result);
}

void Model::undecided(const char* reason) {
  // A rehearsal goes on: what the call does later decides whether it waits.
  if (done() || rehearsal_) return;
  verdict_.certainty = Certainty::kUndecided;
  verdict_.reason = reason;
  verdict_.lost_track = true;
}

void Model::diverge(Req rule, Kind kind, std::string expected, std::string seen, std::optional<Check> check) {
  if (done()) return;
  if (is_quirk(rule, kind)) return undecided(kBehindQuirk);
  // Where it is not Linux's, that pipes differ is no divergence of AIO, and it cannot be told which it is.
  if (quirks_ != nullptr && rule == Req::kUserActions) return undecided("a plain call answers otherwise than Linux's");
  Divergence divergence;
  divergence.signature = {rule, kind};
  divergence.expected = std::move(expected);
  divergence.seen = std::move(seen);
  divergence.check = std::move(check);
  verdict_.divergence = std::move(divergence);
}

void Model::compare_result(const Observation& seen, const Expected& expected) {
  if (seen.skipped || skips_) {
    if (seen.skipped != skips_) {
      diverge(missing_rule_.value_or(Req::kUserActions), Kind::kErrno,
              skips_ ? "nothing to do" : result_text(expected.result, expected.error),
              seen.skipped ? "would block" : result_text(seen.result, seen.error));
    }
    return;
  }
  if (expected.asleep || seen.asleep) {
    if (expected.asleep && seen.asleep) return rules_.exercise(expected.rule);
    const Kind kind = seen.asleep ? Kind::kHang : seen.error != 0 ? Kind::kErrno : Kind::kCount;
    diverge(expected.rule, kind, expected.asleep ? "the call sleeps" : result_text(expected.result, expected.error),
            seen.asleep ? "it sleeps" : result_text(seen.result, seen.error),
            Check{Check::What::kAsleep, seen.lane, 0, {expected.asleep ? 1 : 0}, {}});
    return;
  }
  if (rules_.wrong(returns_rule_)) {
    diverge(returns_rule_, Kind::kHang, "the call does not return", "it returned");
    return;
  }
  rules_.exercise(returns_rule_);
  const std::int64_t right = expected.result + (expected.rule == Req::kUserActions && rules_.wrong(Req::kUserActions));
  if (seen.result != right || seen.error != expected.error) {
    const std::int64_t value = expected.error != 0 ? -expected.error : expected.result;
    const Kind kind = seen.error != 0 || expected.error != 0 ? Kind::kErrno : Kind::kCount;
    const bool missing = missing_rule_ && (seen.error == kENOSYS || expected.rule == Req::kUserActions);
    const Req rule = missing ? *missing_rule_ : expected.rule;
    if (is_quirk(rule, kind)) return adopt_result(seen, expected);
    diverge(rule, kind, result_text(expected.result, expected.error), result_text(seen.result, seen.error),
            Check{Check::What::kResult, 0, 0, {value}, {}});
    return;
  }
  rules_.exercise(expected.rule);
  if (least_ns_ > 0) {
    if (seen.elapsed_ns < least_ns_) {
      diverge(Req::kGeteventsWaitsTimeout, Kind::kTime, "at least " + std::to_string(least_ns_) + " ns",
              std::to_string(seen.elapsed_ns) + " ns",
              Check{Check::What::kElapsed, 0, 0, {static_cast<std::int64_t>(least_ns_)}, {}});
    }
    rules_.exercise(Req::kGeteventsWaitsTimeout);
  }
  if (data_) {
    const std::size_t at = mismatch(*data_, seen.data);
    if (at != std::string::npos) {
      const Kind kind = data_rule_ == Req::kUserActions ? Kind::kFile : Kind::kCounter;
      diverge(data_rule_, kind, "byte " + std::to_string(at) + " " + byte_text(*data_, at), byte_text(seen.data, at),
              Check{Check::What::kReadBytes, 0, at, {}, bytes_at(*data_, at)});
    }
  }
}

const RingView* Model::view_of(const Observation& observation, Address id) const {
  for (const RingView& view : observation.rings) {
    if (view.id == id) return &view;
  }
  return nullptr;
}

void Model::compare_rings(const Observation& observation) {
  for (Context& context : contexts_) {
    if (context.ringless) {
      keep_unseen(context);
      continue;
    }
    const RingView* view = view_of(observation, context.id);
    const bool mapped = view != nullptr && view->bytes.size() >= context.ring.size();
    if (!mapped && is_quirk(Req::kSetupRingMapped, Kind::kMemory)) {
      context.ringless = true;
      keep_unseen(context);
      continue;
    }
    if (view == nullptr || view->bytes.size() < context.ring.size() || rules_.wrong(Req::kSetupRingMapped)) {
      diverge(Req::kSetupRingMapped, Kind::kMemory, std::to_string(context.ring.size()) + " bytes of ring",
              std::to_string(view == nullptr ? 0 : view->bytes.size()));
      return;
    }
    rules_.exercise(Req::kSetupRingMapped);
    compare_ring(context, *view);
    if (done()) return;
  }
}

std::vector<std::size_t> Model::assign_events(const Context& context, const std::vector<Event>& events) const {
  std::vector<std::size_t> synchronous;
  std::vector<bool> left(context.due.size(), true);
  std::vector<bool> is_synchronous(context.due.size(), false);
  for (const ScriptStep& step : context.script) {
    if (step.what != ScriptStep::What::kComplete) continue;
    synchronous.push_back(step.index);
    is_synchronous[step.index] = true;
  }
  std::size_t next = 0;
  std::vector<std::size_t> order;
  for (const Event& event : events) {
    // How well a request fits the event: its identity counts most, then its result.
    const auto fit = [&](std::size_t i) {
      const Request& request = context.due[i];
      if (request.iocb != event.obj || request.data != event.data) return 0;
      return !request.certain || request.res == event.res || request.other_res == event.res ? 2 : 1;
    };
    std::size_t best = context.due.size();
    int best_fit = -1;
    if (next < synchronous.size()) {
      best = synchronous[next];
      best_fit = fit(best);
    }
    for (std::size_t i = 0; i < context.due.size() && best_fit < 2; ++i) {
      if (!left[i] || is_synchronous[i]) continue;
      if (const int how = fit(i); how > best_fit) {
        best = i;
        best_fit = how;
      }
    }
    if (best == context.due.size()) break;
    left[best] = false;
    if (is_synchronous[best]) ++next;
    order.push_back(best);
  }
  return order;
}

bool Model::compare_event(Context& context, const Request& request, std::uint32_t slot, const Event& seen) {
  Event expected{request.data, request.iocb, request.res, 0};
  if (!request.certain || request.other_res == seen.res) expected.res = seen.res;
  if (rules_.wrong(Req::kEventData)) ++expected.data;
  if (rules_.wrong(Req::kEventObj)) expected.obj += 64;
  if (rules_.wrong(Req::kEventRes2Zero)) expected.res2 = 1;
  const std::uint64_t at = sizeof(RingHeader) + std::uint64_t{slot} * sizeof(Event);
  const auto index = static_cast<std::uint64_t>(&context - contexts_.data());
  const auto check = [&](std::uint64_t offset, auto word) {
    std::vector<std::uint8_t> bytes(8);
    std::memcpy(bytes.data(), &word, 8);
    if (context.ringless) return Check{Check::What::kArenaBytes, 0, context.handed_to + offset, {}, bytes};
    return Check{Check::What::kRingBytes, index, at + offset, {}, bytes};
  };
  if (seen.obj != expected.obj) {
    diverge(Req::kEventObj, Kind::kEvent, "obj " + hex(expected.obj), "obj " + hex(seen.obj), check(8, expected.obj));
  } else if (seen.data != expected.data) {
    diverge(request.data_rule, Kind::kEvent, "data " + hex(expected.data), "data " + hex(seen.data),
            check(0, expected.data));
  } else if (seen.res != expected.res) {
    diverge(request.rule, Kind::kEvent, "res " + res_text(expected.res), "res " + res_text(seen.res),
            check(16, expected.res));
  } else if (seen.res2 != expected.res2) {
    diverge(Req::kEventRes2Zero, Kind::kEvent, "res2 " + res_text(expected.res2), "res2 " + res_text(seen.res2),
            check(24, expected.res2));
  }
  if (done()) return false;
  for (const Req rule : {Req::kEventObj, request.data_rule, Req::kEventRes2Zero}) rules_.exercise(rule);
  if (request.certain) rules_.exercise(request.rule);
  context.set_event(slot, seen);
  return true;
}

void Model::compare_ring(Context& context, const RingView& view) {
  const bool same_header = std::memcmp(view.bytes.data(), context.ring.data(), sizeof(RingHeader)) == 0;
  if (!view.anew && same_header && context.script.empty() && !rules_.mutant() && sleepers_.empty()) return;
  RingHeader seen;
  std::memcpy(&seen, view.bytes.data(), sizeof(seen));
  const std::uint32_t size = context.geometry.ring_size;
  const auto due = static_cast<std::uint32_t>(context.due.size());
  RingHeader expected = context.header();
  if (seen.magic != expected.magic && is_quirk(Req::kSetupRingMagic, Kind::kHeader)) {
    context.ringless = true;
    context.index = seen.id;
    expected.id = seen.id;
    context.set_header(expected);
    return keep_unseen(context);
  }
  const std::uint32_t head_before = expected.head;
  const auto index = static_cast<std::uint64_t>(&context - contexts_.data());
  if (due > 0) {
    const std::uint32_t came = (seen.tail + size - context.tail) % size;
    std::vector<Event> events(std::min(came, due));
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      const std::size_t from = sizeof(RingHeader) + std::size_t{(context.tail + i) % size} * sizeof(Event);
      std::memcpy(&events[i], view.bytes.data() + from, sizeof(Event));
    }
    const std::vector<std::size_t> order = assign_events(context, events);
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      if (!compare_event(context, context.due[order[i]], (context.tail + i) % size, events[i])) return;
    }
    std::uint32_t wanted = due;
    if (rules_.wrong(Req::kEventOnlyForRequests)) --wanted;
    const std::uint32_t wanted_tail = (context.tail + wanted) % size;
    std::vector<std::uint8_t> tail_bytes(4);
    std::memcpy(tail_bytes.data(), &wanted_tail, 4);
    const Check check{Check::What::kRingBytes, index, 12, {}, tail_bytes};
    if (came != wanted) {
      const bool lost = came < wanted;
      diverge(lost ? missing(context, order) : Req::kEventOnlyForRequests, lost ? Kind::kLost : Kind::kEvent,
              std::to_string(wanted) + " new events", std::to_string(came), check);
      return;
    }
    for (const Request& request : context.due) rules_.exercise(request.due_rule);
    rules_.exercise(Req::kEventOnlyForRequests);
    std::uint32_t at_return = 0;
    for (const Request& request : context.due) at_return += request.at_return ? 1 : 0;
    if (rules_.wrong(Req::kEventAtReturn)) ++at_return;
    const std::uint32_t came_at_return = (view.tail_at_return + size - context.tail) % size;
    // A call that sleeps has not returned: what it has done so far may still be on its way.
    if (at_return > 0 && !seen_->asleep) {
      if (came_at_return < at_return) {
        diverge(Req::kEventAtReturn, Kind::kEvent, std::to_string(at_return) + " events when the call returned",
                std::to_string(came_at_return));
        return;
      }
      rules_.exercise(Req::kEventAtReturn);
    }
    compare_waiters(context, seen, wanted_tail);
    if (done()) return;
    run_quota(context, order, head_before);
    if (done()) return;
    expected.head = context.header().head;
    context.tail_rule = context.tail + due >= size ? Req::kRingWraps : Req::kRingTailCounts;
    context.tail = (context.tail + due) % size;
    expected.tail = context.tail;
    context.set_header(expected);
    context.tail_is_users = false;
  } else {
    compare_waiters(context, seen, context.tail);
    if (done()) return;
    run_quota(context, {}, head_before);
    if (done()) return;
    expected.head = context.header().head;
  }
  const auto word = [&](Req rule, const char* name, std::uint32_t want, std::uint32_t got, std::uint64_t offset) {
    rules_.exercise(rule);
    if (want == got || is_quirk(rule, Kind::kHeader)) return;
    std::vector<std::uint8_t> bytes(4);
    std::memcpy(bytes.data(), &want, 4);
    const auto text = [&](std::uint32_t number) {
      return std::string(name) + " " + (rule == Req::kSetupRingMagic ? hex(number) : std::to_string(number));
    };
    diverge(rule, Kind::kHeader, text(want), text(got), Check{Check::What::kRingBytes, index, offset, {}, bytes});
  };
  for (const Req rule : {Req::kRingWordsKept, Req::kRingHeadKept, Req::kChildSharesRing}) {
    if (rules_.wrong(rule) && context.head_rule == rule) ++expected.head;
  }
  for (const Req rule : {Req::kRingTailCounts, Req::kRingWraps}) {
    if (rules_.wrong(rule) && context.tail_rule == rule) ++expected.tail;
  }
  if (due == 0 && seen.tail != expected.tail && context.tail_rule == Req::kEventOnlyForRequests) {
    diverge(Req::kEventOnlyForRequests, Kind::kEvent, "tail " + std::to_string(expected.tail),
            "tail " + std::to_string(seen.tail));
    return;
  }
  // What has not this word is no ring, whatever else is in it.
  word(Req::kSetupRingMagic, "magic", expected.magic, seen.magic, 16);
  word(context.tail_rule, "tail", expected.tail, seen.tail, 12);
  word(context.head_rule, "head", expected.head, seen.head, 8);
  word(Req::kSetupLowestId, "id", expected.id, seen.id, 0);
  word(Req::kSetupRingSize, "nr", expected.nr, seen.nr, 4);
  word(Req::kSetupRingFeatures, "compat_features", expected.compat_features, seen.compat_features, 20);
  word(Req::kSetupRingFeatures, "incompat_features", expected.incompat_features, seen.incompat_features, 24);
  word(Req::kSetupRingHeaderLength, "header_length", expected.header_length, seen.header_length, 28);
  if (done()) return;
  if (quirks_ != nullptr) {
    if (seen.id != expected.id) context.index = seen.id;
    context.set_header(seen);
  }
  // What moves them from now on without a reason is another rule's affair.
  const auto is_users = [](Req rule) { return rule == Req::kRingWordsKept || rule == Req::kChildSharesRing; };
  if (!is_users(context.head_rule)) context.head_rule = Req::kRingHeadKept;
  if (!is_users(context.tail_rule)) context.tail_rule = Req::kEventOnlyForRequests;
  std::size_t at = view.anew ? mismatch(context.ring, view.bytes.first(context.ring.size())) : std::string::npos;
  if (context.tail > 0) rules_.exercise(Req::kRingOnlyEvents);
  if (context.tail > 0 && rules_.wrong(Req::kRingOnlyEvents)) at = sizeof(RingHeader);
  rules_.exercise(Req::kSetupRingZeroed);
  if (at == std::string::npos) return;
  const bool past_events = at >= sizeof(RingHeader) + std::size_t{context.tail} * sizeof(Event);
  diverge(past_events ? Req::kSetupRingZeroed : Req::kRingOnlyEvents, Kind::kMemory,
          "byte " + std::to_string(at) + " of the ring " + byte_text(context.ring, at), byte_text(view.bytes, at),
          Check{Check::What::kRingBytes, index, at, {}, bytes_at(context.ring, at)});
}

}  // namespace aio
