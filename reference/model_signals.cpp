// SPDX-License-Identifier: GPL-2.0-or-later
//
// Signals that hit a lane inside a call: what ends it, and which handlers have run when it has returned. Source:
// semantics.md A.2 (list 8), A.3 step 5, A.4; fs/aio.c io_getevents, io_pgetevents, aio_rw_done; signal(7).
#include <algorithm>
#include <bit>

#include "reference/model.h"

namespace aio {

Model::Expected Model::apply(const Interrupt& op) {
  const auto lane = lane_of(op.number);
  const auto found = std::find_if(sleepers_.begin(), sleepers_.end(), [lane](const Sleeper& each) {
    return each.lane == lane && each.what != Sleeper::What::kDestroy;
  });
  skips_ = found == sleepers_.end() || (op.kind == SignalKind::kStop && lane != kProcessLane);
  if (skips_) return {0, 0, Req::kUserActions};
  in_kernel_ = true;
  const Effect effect = effect_of(op.kind, *found);
  note_handlers(op.kind, effect, lane);
  found->signal_rule = effect.rule;
  // Where it should sleep on by a rule that is wrong, it ends.
  found->signalled = effect.ends || (found->what == Sleeper::What::kGetevents && rules_.wrong(effect.rule));
  found->spared = !found->signalled;
  return {0, 0, Req::kUserActions};
}

Model::Effect Model::effect_of(SignalKind kind, const Sleeper& sleeper) const {
  const bool masked = sleeper.mask && (*sleeper.mask & signal_bit(kind)) != 0;
  switch (kind) {
    case SignalKind::kCaught:
      return {Req::kWaiterSignalled, true};
    case SignalKind::kRestart:
      return masked ? Effect{Req::kPgeteventsMaskBlocks, false} : Effect{Req::kWaiterNotRestarted, true};
    case SignalKind::kStop:
      // With nothing to return io_pgetevents is made again, as no handler has run.
      if (sleeper.call && !has_events(sleeper)) return {Req::kPgeteventsRestarts, false};
      return {Req::kWaiterStopped, true};
    case SignalKind::kIgnored:
      return {Req::kWaiterIgnores, false};
    case SignalKind::kBlocked:
      if (sleeper.mask && !masked) return {Req::kPgeteventsLetsIn, true};
      return {Req::kWaiterBlocked, false};
  }
  return {};
}

// What the mask of io_pgetevents keeps out, and the lane does not block, comes when that mask goes: at the call's end,
// or before it is made again.
void Model::note_handlers(SignalKind kind, const Effect& effect, unsigned lane) {
  Handlers& handlers = handlers_[lane];
  const bool kept_out = kind == SignalKind::kRestart && !effect.ends;
  const bool caught = kind == SignalKind::kCaught || kind == SignalKind::kRestart || kind == SignalKind::kBlocked;
  if (caught && (effect.ends || kept_out)) handlers.later |= signal_bit(kind);
  handlers.kept_out = handlers.kept_out || kept_out;
  if (kind != SignalKind::kStop || effect.ends) return;
  handlers.ran += static_cast<unsigned>(std::popcount(handlers.later));
  handlers.later = 0;
}

// Whether a wait has taken an event, or finds one in the ring.
bool Model::has_events(const Sleeper& sleeper) const {
  return sleeper.got > 0 || std::any_of(contexts_.begin(), contexts_.end(), [&](const Context& context) {
           return context.serial == sleeper.context && context.header().head != context.header().tail;
         });
}

std::vector<std::byte> Model::arguments_of(const Pgetevents& call) const {
  std::vector<std::byte> all;
  for (const auto& [at, size] : {std::pair<Address, std::size_t>{call.timeout, sizeof(Timespec)},
                                 {call.sigset, sizeof(AioSigset)},
                                 {call.mask, sizeof(std::uint64_t)}}) {
    std::vector<std::byte> part(size);
    part.resize(at == arena::kNull ? 0 : memory_.copy_from(at, part));
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// A call that is made again, but would not be as it was.
const char* Model::refuses_stop() const {
  for (const Sleeper& each : sleepers_) {
    if (each.lane != kProcessLane || !each.call || has_events(each)) continue;
    const auto id = static_cast<std::uint64_t>(each.call->ctx.offset);
    const bool found = std::any_of(contexts_.begin(), contexts_.end(), [&](const Context& context) {
      return context.id == id && context.serial == each.context && context.access != MapAction::kHide &&
             context.header().id == context.index;
    });
    if (!found || arguments_of(*each.call) != each.arguments) return "a stop would make a call again that has changed";
  }
  return nullptr;
}

void Model::compare_handlers(const Observation& observation) {
  for (const LaneReturn& seen : observation.returns) {
    if (seen.lane >= kLanes) continue;
    const Handlers& handlers = handlers_[seen.lane];
    restores_mask_ = restores_mask_ || handlers.masks;
    // A trace of before has not looked.
    if (!seen.handlers) continue;
    const Req rule = handlers.kept_out ? Req::kPgeteventsComesAfter : Req::kSignalHandled;
    const auto right = handlers.ran + static_cast<unsigned>(std::popcount(handlers.later));
    const unsigned expected = right + (rules_.wrong(rule) ? 1 : 0);
    if (*seen.handlers != expected) {
      return diverge(rule, Kind::kCount, "handlers ran " + std::to_string(expected) + " times",
                     std::to_string(*seen.handlers), Check{Check::What::kHandlers, seen.lane, 0, {expected}, {}});
    }
    if (right > 0) rules_.exercise(rule);
  }
}

}  // namespace aio
