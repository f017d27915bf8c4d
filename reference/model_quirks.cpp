// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the model goes on behind a quirk (quirks.h). A call that failed where it should not have done anything else has
// changed nothing. Where a ring cannot be seen (its magic word is not there, which is how user space tells), events
// show only when a call hands them out, in whatever order, and what requests did shows before that.
#include <algorithm>
#include <cstring>

#include "reference/model.h"

namespace aio {

void Model::keep_for_undo() {
  if (quirks_ == nullptr || rehearsal_ || !in_kernel_ || in_child_) {
    before_.model.reset();
    return;
  }
  if (before_.model) {
    *before_.model = *this;
  } else {
    before_.model = std::make_unique<Model>(*this);
  }
}

// What ended the process before is not done again.
const char* Model::refuses_quirk(const Operation& operation) const {
  const auto* const destroy = std::get_if<Destroy>(&operation);
  if (destroy == nullptr || !is_quirk(Req::kDestroyReturns, Kind::kCrash)) return nullptr;
  const bool known = std::any_of(contexts_.begin(), contexts_.end(), [&](const Context& context) {
    return context.id == static_cast<std::uint64_t>(destroy->ctx.offset);
  });
  return known ? nullptr : "an io_destroy of what is no context has ended a process before";
}

// Back to before the call.
void Model::undo() {
  std::unique_ptr<Model> before = std::move(before_.model);
  const Rules rules = rules_;
  *this = *before;
  rules_ = rules;
  before_.model = std::move(before);
}

void Model::adopt_result(const Observation& seen, const Expected& expected) {
  if (seen.error == 0 || !in_kernel_ || !before_.model || expected.asleep) return undecided(kBehindQuirk);
  // One that was refused for its timeout or its counts has copied nothing.
  const bool refused = expected.rule == Req::kGeteventsTakes || expected.rule == Req::kGeteventsOddTimeoutPolls;
  if (expected.error == 0 || refused) undo();
}

// By which rule to say that an iocb was refused in which nothing is wrong. Without quirks one divergence of io_submit
// is like another; with them a refused opcode must not hide the others.
Req Model::refused_rule(const Iocb& iocb, std::int64_t nr) const {
  if (quirks_ == nullptr || nr > INT32_MAX) return Req::kSubmitCounts;
  if (iocb.opcode == kPoll) return Req::kPollReadyMask;
  if (iocb.opcode == kFsync || iocb.opcode == kFdsync) return Req::kFsyncResult;
  if (iocb.opcode != kPreadv && iocb.opcode != kPwritev) return Req::kSubmitCounts;
  if (iocb.nbytes > UINT32_MAX) return Req::kVectorCountTruncated;
  std::vector<Iovec> segments(iocb.nbytes == 1 ? 1 : 0);
  read_segments(iocb.buf, segments);
  const bool cut = std::any_of(segments.begin(), segments.end(), [this](const Iovec& each) {
    return !in_user_half(each.base, each.len, machine_->user_end);
  });
  return cut ? Req::kVectorCutFirst : Req::kSubmitCounts;
}

bool Model::has_ringless() const {
  return std::any_of(contexts_.begin(), contexts_.end(), [](const Context& each) { return each.ringless; });
}

bool Model::ends_unseen() const {
  if (signals_follow_) return true;
  return is_quirk(Req::kEventAtReturn, Kind::kEvent) &&
         std::any_of(contexts_.begin(), contexts_.end(),
                     [](const Context& each) { return each.ringless && !each.due.empty(); });
}

void Model::keep_unseen(Context& context) {
  context.unseen.insert(context.unseen.end(), context.due.begin(), context.due.end());
  context.due.clear();
  context.script.clear();
}

// Puts the events into the ring that the call is about to take off it: those that it was seen to return, or where it
// returned none all that it might have. Which of the requests they are of, and in which order, is taken from them.
void Model::hand_over(Context& context, Address events, std::int64_t nr) {
  const auto most = static_cast<std::size_t>(std::clamp<std::int64_t>(nr, 0, std::ssize(context.unseen)));
  if (most == 0) return;
  RingHeader header = context.header();
  const std::uint32_t size = context.geometry.ring_size;
  const auto slot = [&](std::size_t i) { return static_cast<std::uint32_t>((context.tail + i) % size); };
  std::vector<Event> handed;
  const auto returned =
      static_cast<std::size_t>(std::clamp<std::int64_t>(seen_->result, 0, std::ssize(context.unseen)));
  for (std::size_t i = 0; seen_->error == 0 && i < std::min(most, returned); ++i) {
    const std::vector<std::byte> bytes = seen_bytes(events + i * sizeof(Event), sizeof(Event));
    if (bytes.size() < sizeof(Event)) break;
    std::memcpy(&handed.emplace_back(), bytes.data(), sizeof(Event));
  }
  std::size_t count = handed.size();
  const std::size_t shown = std::min(most, context.shown);
  if (seen_->error == 0 && count < shown) {
    Check check{Check::What::kResult, 0, 0, {}, {}};
    for (std::size_t i = shown; i <= most && check.values.size() < kMaxCheckValues; ++i) {
      check.values.push_back(static_cast<std::int64_t>(i));
    }
    return diverge(Req::kGeteventsFaultKeepsEvents, Kind::kEvent,
                   std::to_string(shown) + " events that a call before failed to copy", std::to_string(count), check);
  }
  if (seen_->error == 0) context.shown -= std::min(context.shown, count);
  if (seen_->error == 0 && count < most && !is_quirk(Req::kEventAtReturn, Kind::kEvent)) {
    const auto at_return = std::count_if(context.unseen.begin(), context.unseen.end(),
                                         [](const Request& request) { return request.at_return; });
    if (static_cast<std::size_t>(at_return) > count) {
      return diverge(Req::kEventAtReturn, Kind::kEvent, std::to_string(most) + " events", std::to_string(count));
    }
  }
  if (seen_->error != 0) {
    // It has taken none; what it found is for the copies to fail on.
    for (count = 0; count < most; ++count) {
      const Request& request = context.unseen[count];
      context.set_event(slot(count), {request.data, request.iocb, request.res, 0});
    }
  } else {
    context.due.swap(context.unseen);
    const std::vector<std::size_t> order = assign_events(context, handed);
    for (std::size_t i = 0; i < order.size(); ++i) {
      context.handed_to = events + i * sizeof(Event);
      if (!compare_event(context, context.due[order[i]], slot(i), handed[i])) return;
      signals_follow_ = signals_follow_ || context.due[order[i]].resfd.has_value();
    }
    for (std::size_t i = 0; i < context.due.size(); ++i) {
      if (std::find(order.begin(), order.end(), i) == order.end()) context.unseen.push_back(context.due[i]);
    }
    context.due.clear();
  }
  context.tail = header.tail = slot(count);
  context.set_header(header);
}

// The call has failed, and what was in the ring stays there: among what comes next time. One event at least was there.
void Model::take_back(Context& context) const {
  const bool failed = seen_->error == kEFAULT && !is_quirk(Req::kGeteventsFaultKeepsEvents, Kind::kEvent);
  if (failed) context.shown = std::max<std::size_t>(context.shown, 1);
  RingHeader header = context.header();
  context.tail = header.tail = header.head;
  context.set_header(header);
}

// Whether a wait for events that come by themselves has ended before them and before its time, and the array has no
// room for the next: then that is why.
bool Model::stopped_short(const Context& context, Address events, std::int64_t min_nr, std::int64_t got,
                          std::int64_t until_ns) const {
  if (!context.ringless || rehearsal_ || got == 0 || got >= min_nr || until_ns == 0) return false;
  if (got + std::ssize(context.unseen) < min_nr) return false;
  const bool in_time = until_ns < 0 || seen_->elapsed_ns < static_cast<std::uint64_t>(until_ns);
  const Address next = events + static_cast<std::uint64_t>(got) * sizeof(Event);
  return in_time && memory_.writable(next, sizeof(Event)) < sizeof(Event);
}

// By which rule to say that a plain read of an eventfd gives another number. That completions have signalled it shows
// here where nothing tells its counter, once each of them has been handed out.
Req Model::read_rule(Fd fd) const {
  const bool counts = has_ringless() && traits(fd).kind == FileKind::kEventfd;
  if (!counts || files_.counter(traits(fd).index) != ~0ull) return Req::kUserActions;
  for (const std::vector<Context>* const all : {&contexts_, &lost_, &dying_}) {
    for (const Context& context : *all) {
      const bool more = std::any_of(context.unseen.begin(), context.unseen.end(),
                                    [fd](const Request& request) { return request.resfd == fd; });
      if (more) return Req::kUserActions;
    }
  }
  return Req::kResfdSaturates;
}

// Without a ring nothing says that requests of one io_submit ran in their order, or one after the other.
void Model::require_order(const Context& context) {
  if (!context.ringless) return;
  for (std::size_t i = 0; i < context.due.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const FdTraits& one = traits(context.due[i].fd);
      const FdTraits& other = traits(context.due[k].fd);
      if (one.kind == other.kind) return undecided("requests of one io_submit that share a file may run in any order");
    }
  }
}

}  // namespace aio
