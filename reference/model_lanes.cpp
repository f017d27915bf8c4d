// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lanes: calls inside which one lane sleeps until an operation of another ends them. Source: semantics.md A.2 (blocking
// reads), A.3 step 5, A.6; fs/aio.c kill_ioctx, free_ioctx_users, free_ioctx_reqs.
#include <algorithm>

#include "reference/model.h"
#include "reference/stores.h"

namespace aio {

bool Model::skips_lane(const Operation& operation) const {
  const bool by_lane = is_system_call(operation) || is_plain_call(operation) || std::holds_alternative<Move>(operation);
  if (!by_lane) return false;
  return std::any_of(sleepers_.begin(), sleepers_.end(), [this](const Sleeper& each) { return each.lane == lane_; });
}

std::vector<Request> Model::in_flight(const Context& context) const {
  std::vector<Request> requests = context.pending;
  for (const std::vector<Held>* held : {&coming_, &held_}) {
    for (const Held& each : *held) {
      if (each.context == context.serial) requests.push_back(each.request);
    }
  }
  return requests;
}

Model::Expected Model::apply(const InLane& op) {
  lane_ = lane_of(op.number);
  return {0, 0, Req::kUserActions};
}

Model::Expected Model::fall_asleep(Sleeper sleeper, Req rule) {
  waited_ = true;
  if (!rehearsal_) {
    handlers_[lane_] = {};
    sleeper.lane = lane_;
    sleeper.cpu = seen_->cpu;
    sleepers_.push_back(std::move(sleeper));
  }
  return {0, 0, rule, !rules_.wrong(rule)};
}

bool Model::destroy_waits(std::uint64_t ctx) const {
  return std::any_of(contexts_.begin(), contexts_.end(), [&](const Context& each) {
    return each.id == ctx && each.header().id == each.index &&
           (in_flight(each.serial) || is_inside_submit(each.serial));
  });
}

const char* Model::refuses_submit(const Submit& submit) const {
  const bool inside = std::any_of(sleepers_.begin(), sleepers_.end(),
                                  [](const Sleeper& each) { return each.what == Sleeper::What::kSubmit; });
  const bool known =
      submit.list == arena::kPointers && submit.nr.offset <= static_cast<std::int64_t>(pointers_stored(submit));
  const bool meets = std::any_of(submit.iocbs.begin(), submit.iocbs.end(), [](const IocbSpec& spec) {
    return spec.fd == Fd::kPipeRead || spec.fd == Fd::kPipeWrite;
  });
  if (inside && submit.nr.offset > 1 && (meets || !known)) {
    return "io_submit of several iocbs that may meet a read in which a lane sleeps";
  }
  if (!gate_ && !may_wait(submit)) return nullptr;
  const Model& rehearsal = rehearse(submit);
  if (rehearsal.stuck_) return "io_submit would wait where nobody releases it";
  if (rehearsal.blocks_oddly_) return "io_submit would sleep where it cannot be told what comes then";
  return nullptr;
}

const char* Model::refuses_step(const Operation& operation) const {
  if (const auto* get = std::get_if<Getevents>(&operation); get != nullptr && may_wait(*get)) {
    return refuses_wait(static_cast<std::uint64_t>(get->ctx.offset), get->min_nr.offset, get->nr.offset, get->events);
  }
  if (const auto* get = std::get_if<Pgetevents>(&operation); get != nullptr && may_wait(*get)) {
    if ((get->signals & signal_bit(SignalKind::kCaught)) != 0) return "a wait that no signal ends";
    return refuses_wait(static_cast<std::uint64_t>(get->ctx.offset), get->min_nr.offset, get->nr.offset, get->events);
  }
  const auto* signal = std::get_if<Interrupt>(&operation);
  if (signal != nullptr && signal->kind == SignalKind::kStop && lane_of(signal->number) == kProcessLane) {
    return refuses_stop();
  }
  const auto* store = std::get_if<RingStore>(&operation);
  if (store == nullptr || (store->field != RingField::kHead && store->field != RingField::kTail)) return nullptr;
  for (const Sleeper& each : sleepers_) {
    const Context* context = each.what == Sleeper::What::kGetevents ? alive(each.context) : nullptr;
    if (context != nullptr && context->id == static_cast<std::uint64_t>(store->ctx.offset)) {
      return "user space writes head or tail of a ring for which a lane waits";
    }
  }
  return nullptr;
}

// Why a wait must not begin that would end in a way which cannot be told, or nullptr.
const char* Model::refuses_wait(std::uint64_t ctx, std::int64_t min_nr, std::int64_t nr, Address events) const {
  const auto found = std::find_if(contexts_.begin(), contexts_.end(), [ctx](const Context& c) { return c.id == ctx; });
  if (found == contexts_.end()) return nullptr;
  const std::uint32_t size = found->geometry.ring_size;
  // Just below min_nr, and then a whole ring.
  const auto bytes = [size](std::int64_t least, std::int64_t wanted) {
    constexpr std::int64_t kMuch = 1 << 20;
    const std::int64_t count = std::min(wanted, std::min(least, kMuch) + size);
    return sizeof(Event) * static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  };
  const std::uint64_t most = bytes(min_nr, nr);
  if (found->tail_is_users || found->header().head >= size) return "a wait on a ring whose indices the user wrote";
  if (memory_.writable(events, most) < most) return "a wait whose array cannot be written";
  for (const Sleeper& other : sleepers_) {
    if (other.what != Sleeper::What::kGetevents) continue;
    const std::uint64_t others = bytes(other.min_nr, other.nr);
    if (events < other.events + others && other.events < events + most) return "two waits share an array";
  }
  return nullptr;
}

bool Model::in_flight(std::uint64_t serial) const {
  const auto is_its = [serial](const Held& each) { return each.context == serial; };
  return std::any_of(held_.begin(), held_.end(), is_its) || std::any_of(coming_.begin(), coming_.end(), is_its);
}

bool Model::is_inside_submit(std::uint64_t serial) const {
  return std::any_of(sleepers_.begin(), sleepers_.end(), [serial](const Sleeper& each) {
    return each.what == Sleeper::What::kSubmit && each.context == serial;
  });
}

// Requests that can be cancelled are, once no call is inside the context: their events go with the ring, but their
// eventfds are signalled.
void Model::cancel_pending(Context& context) {
  const std::vector<Request> pending = std::move(context.pending);
  context.pending.clear();
  for (const Request& request : pending) {
    if (request.resfd && !rules_.wrong(Req::kDestroySignalsResfd)) files_.signal(*request.resfd, rules_);
    if (request.resfd) counter_rule_ = Req::kDestroySignalsResfd;
    files_.drop(request.fd);
  }
  deliver_wakes();
}

// io_destroy wakes all that wait for events of the context; they find what is in the ring.
void Model::end_waits(const Context& destroyed) {
  std::erase_if(sleepers_, [&](const Sleeper& each) {
    if (each.what != Sleeper::What::kGetevents || each.context != destroyed.serial) return false;
    destroyed_waiters_.push_back(each);
    return true;
  });
  if (destroyed_waiters_.empty()) return;
  const RingHeader header = destroyed.header();
  const std::uint32_t size = destroyed.geometry.ring_size;
  for (std::uint32_t slot = header.head % size; slot != destroyed.tail; slot = (slot + 1) % size) {
    destroyed_events_.push_back(destroyed.event(slot));
  }
}

// A read inside an io_submit goes on, if it can now.
bool Model::resume_read(const Sleeper& sleeper) {
  Outcome outcome{-kEINTR, Req::kSignalEndsRequest};
  Request request = sleeper.request;
  if (!sleeper.signalled) {
    outcome = files_.read(request.fd, sleeper.buffers, sleeper.transfer, memory_, rules_);
    if (outcome.waited) return false;
  }
  const WaitQueue queue = files_.queue_of(request.fd);
  for (const Context& context : contexts_) {
    for (const Request& polled : context.due) {
      if (polled.queue == queue && polled.resfd) undecided("a worker may ask for what a sleeping read takes");
    }
  }
  request.res = rules_.wrong(outcome.rule) ? outcome.res + 1 : outcome.res;
  request.rule = outcome.rule;
  completing_cpu_ = sleeper.cpu;
  complete_later(*alive(sleeper.context), request);
  completing_cpu_.reset();
  files_.drop(request.fd);
  const std::int64_t count = sleeper.accepted + (rules_.wrong(Req::kSubmitResumes) ? 1 : 0);
  returns_.push_back({{sleeper.lane, count, 0}, Req::kSubmitResumes});
  return true;
}

// What the operation has made possible for lanes that sleep, apart from waits for events.
void Model::go_on() {
  late_ = true;
  for (bool again = true; again;) {
    while (files_.release_unused()) deliver_wakes();
    again = std::erase_if(sleepers_, [this](const Sleeper& each) {
              return each.what == Sleeper::What::kSubmit && resume_read(each);
            }) > 0;
    for (Context& context : dying_) {
      if (context.pending.empty() || is_inside_submit(context.serial)) continue;
      cancel_pending(context);
      again = true;
    }
  }
  std::erase_if(sleepers_, [this](const Sleeper& each) {
    if (each.what != Sleeper::What::kDestroy) return false;
    if (in_flight(each.context) || is_inside_submit(each.context)) return false;
    returns_.push_back({{each.lane, 0, 0}, Req::kDestroyReturns});
    std::erase_if(dying_, [&each](const Context& context) { return context.serial == each.context; });
    return true;
  });
  late_ = false;
}

std::optional<Operation> Model::loose_end() const {
  if (sleepers_.empty()) return std::nullopt;
  if (!held_.empty()) return ReleaseAll{};
  for (const Sleeper& each : sleepers_) {
    if (each.what != Sleeper::What::kDestroy) return Interrupt{each.lane};
  }
  return ReleaseAll{};
}

void Model::compare_returns(const Observation& observation) {
  for (const Return& due : returns_) {
    const std::string lane = "lane " + std::to_string(due.seen.lane);
    const std::string expected = lane + " returns " + result_text(due.seen.result, due.seen.error);
    const Check check{Check::What::kLaneResult, due.seen.lane, 0, {due.seen.result}, {}};
    const auto found = std::find_if(observation.returns.begin(), observation.returns.end(),
                                    [&due](const LaneReturn& seen) { return seen.lane == due.seen.lane; });
    if (found == observation.returns.end()) return diverge(due.rule, Kind::kLost, expected, "it sleeps on", check);
    judged_returns_.set(due.seen.lane);
    if (found->result != due.seen.result || found->error != due.seen.error) {
      const Kind kind = found->error != 0 ? Kind::kErrno : Kind::kCount;
      return diverge(due.rule, kind, expected, result_text(found->result, found->error), check);
    }
    rules_.exercise(due.rule);
  }
  for (const LaneReturn& seen : observation.returns) {
    if (seen.lane >= kLanes || judged_returns_[seen.lane]) continue;
    const auto sleeper = std::find_if(sleepers_.begin(), sleepers_.end(),
                                      [&seen](const Sleeper& each) { return each.lane == seen.lane; });
    const bool destroys = sleeper != sleepers_.end() && sleeper->what == Sleeper::What::kDestroy;
    return diverge(destroys ? Req::kDestroyWaits : Req::kSubmitSleeps, seen.error != 0 ? Kind::kErrno : Kind::kCount,
                   "lane " + std::to_string(seen.lane) + " sleeps on", result_text(seen.result, seen.error),
                   Check{Check::What::kAsleep, seen.lane, 0, {1}, {}});
  }
}

}  // namespace aio
