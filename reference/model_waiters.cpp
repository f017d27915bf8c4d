// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lanes that wait for events: who is woken by what, and who gets which event. Source: semantics.md A.3 step 5 to 7,
// E40; fs/aio.c aio_complete, read_events, aio_read_events_ring.
#include <algorithm>
#include <set>

#include "reference/model.h"

namespace aio {
namespace {

const LaneReturn* return_of(const Observation& observation, unsigned lane) {
  for (const LaneReturn& each : observation.returns) {
    if (each.lane == lane) return &each;
  }
  return nullptr;
}

bool waits_for(const Sleeper& sleeper, std::uint64_t serial) {
  return sleeper.what == Sleeper::What::kGetevents && sleeper.context == serial;
}

// Finds how events went to waiters: each event, in the ring's order, into the next place of one waiter's array.
class Distribution {
 public:
  Distribution(const std::vector<Sleeper*>& waiters, const std::vector<Event>& events, const Observation& seen)
      : waiters_(waiters), events_(events), seen_(seen), taken_(waiters.size()) {}

  // All that fit what was seen, two at most: how many each waiter took.
  const std::set<std::vector<std::int64_t>>& find() {
    follow(0);
    return found_;
  }

 private:
  bool fits(std::size_t waiter, std::size_t event) const {
    const Sleeper& each = *waiters_[waiter];
    if (taken_[waiter] >= each.room()) return false;
    const Address at = each.events + sizeof(Event) * static_cast<std::uint64_t>(each.got + taken_[waiter]);
    for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
      const arena::Area& area = arena::kAreas[i];
      if (at < area.begin || at + sizeof(Event) > area.begin + area.size) continue;
      return std::memcmp(seen_.memory[i].data() + (at - area.begin), &events_[event], sizeof(Event)) == 0;
    }
    return false;
  }
  // Who returned took what it says, who sleeps on too little to return.
  bool is_whole() const {
    for (std::size_t i = 0; i < waiters_.size(); ++i) {
      const LaneReturn* returned = return_of(seen_, waiters_[i]->lane);
      const std::int64_t total = waiters_[i]->got + taken_[i];
      if (returned == nullptr ? total >= waiters_[i]->min_nr : total != std::max<std::int64_t>(returned->result, 0)) {
        return false;
      }
    }
    return true;
  }
  void follow(std::size_t event) {
    if (found_.size() > 1 || !visited_.insert(taken_).second) return;
    if (event == events_.size()) {
      if (is_whole()) found_.insert(taken_);
      return;
    }
    for (std::size_t i = 0; i < waiters_.size(); ++i) {
      if (!fits(i, event)) continue;
      ++taken_[i];
      follow(event + 1);
      --taken_[i];
    }
  }

  const std::vector<Sleeper*>& waiters_;
  const std::vector<Event>& events_;
  const Observation& seen_;
  std::vector<std::int64_t> taken_;
  std::set<std::vector<std::int64_t>> visited_;
  std::set<std::vector<std::int64_t>> found_;
};

}  // namespace

std::vector<Sleeper*> Model::waiters_of(std::uint64_t serial) {
  std::vector<Sleeper*> waiters;
  for (Sleeper& each : sleepers_) {
    if (waits_for(each, serial)) waiters.push_back(&each);
  }
  return waiters;
}

std::size_t Model::most_waiters() const {
  std::size_t most = destroyed_waiters_.size();
  for (const Context& context : contexts_) {
    const auto here = std::count_if(sleepers_.begin(), sleepers_.end(),
                                    [&](const Sleeper& each) { return waits_for(each, context.serial); });
    most = std::max(most, static_cast<std::size_t>(here));
  }
  return most;
}

// With so many events left in the ring a waiter that wants `wants` more does not sleep.
bool Model::ends_wait(std::int64_t wants, std::int64_t left) const {
  return left >= (profile_->min_nr_wakes ? std::max<std::int64_t>(wants, 1) : 1);
}

bool Model::lanes_settled(const Observation& observation) const {
  // Nothing more is judged: nothing is worth waiting for.
  if (done()) return true;
  const auto returned = [&](unsigned lane) { return return_of(observation, lane) != nullptr; };
  for (const Return& due : returns_) {
    if (!returned(due.seen.lane)) return false;
  }
  for (const Sleeper& each : destroyed_waiters_) {
    if (!returned(each.lane)) return false;
  }
  return std::all_of(contexts_.begin(), contexts_.end(),
                     [&](const Context& context) { return waiters_settled(context, observation); });
}

// Whether those who must have returned have, and who sleeps on can account for what was taken off the ring.
bool Model::waiters_settled(const Context& context, const Observation& observation) const {
  const RingView* const view = sleepers_.empty() ? nullptr : view_of(observation, context.id);
  if (view == nullptr || view->bytes.size() < sizeof(RingHeader)) return true;
  RingHeader header;
  std::memcpy(&header, view->bytes.data(), sizeof(header));
  const std::uint32_t size = context.geometry.ring_size;
  const std::uint32_t left = (header.tail % size + size - header.head % size) % size;
  std::int64_t taken = (header.head % size + size - context.header().head % size) % size;
  bool settled = true;
  for (const Sleeper& each : sleepers_) {
    if (!waits_for(each, context.serial)) continue;
    if (const LaneReturn* const seen = return_of(observation, each.lane)) {
      taken -= std::max<std::int64_t>(seen->result - each.got, 0);
    } else {
      taken -= each.wants() - 1;
      settled = settled && !each.signalled && !ends_wait(each.wants(), left);
    }
  }
  return settled && taken <= 0;
}

// How many of the events each waiter took. False, with a divergence or undecided, where that can't be told.
bool Model::distribute(const std::vector<Sleeper*>& waiters, const std::vector<Event>& events,
                       std::vector<std::int64_t>& takes) {
  takes.assign(waiters.size(), 0);
  if (waiters.size() == 1) {
    takes[0] = static_cast<std::int64_t>(events.size());
    if (takes[0] > waiters[0]->room()) {
      diverge(Req::kGeteventsAtMostNr, Kind::kHeader, "at most " + std::to_string(waiters[0]->room()) + " events taken",
              std::to_string(takes[0]));
      return false;
    }
  }
  if (waiters.size() > 1) {
    const std::set<std::vector<std::int64_t>> found = Distribution(waiters, events, *seen_).find();
    if (found.empty() || (!events.empty() && rules_.wrong(Req::kWaiterOwnEvents))) {
      diverge(Req::kWaiterOwnEvents, Kind::kEvent, "each of " + std::to_string(events.size()) + " events in one array",
              "arrays and counts that no distribution gives");
      return false;
    }
    if (found.size() > 1) {
      undecided("equal events went to several waiters");
      return false;
    }
    takes = *found.begin();
    if (!events.empty()) rules_.exercise(Req::kWaiterOwnEvents);
  }
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    const Address at = waiters[i]->events + sizeof(Event) * static_cast<std::uint64_t>(waiters[i]->got);
    const std::uint64_t size = sizeof(Event) * static_cast<std::uint64_t>(takes[i]);
    const bool alone = waiters.size() == 1;
    const std::vector<std::byte> found = alone ? std::vector<std::byte>() : seen_bytes(at, size);
    memory_.copy_to(at, alone ? std::as_bytes(std::span(events)) : std::span(found), Req::kGeteventsCopies);
  }
  return true;
}

// A waiter that sleeps on.
void Model::compare_asleep(const Sleeper& waiter, std::int64_t took, std::int64_t left, bool alone) {
  const std::string lane = "lane " + std::to_string(waiter.lane);
  const std::int64_t most = waiter.got + took + std::min(left, waiter.room() - took);
  const bool enough = ends_wait(waiter.wants() - took, left) || took >= waiter.wants();
  const Req rule = profile_->min_nr_wakes ? Req::kWaiterLeavesEvents : Req::kWaiterTakesEach;
  if (waiter.signalled || (enough && most >= waiter.min_nr)) {
    const Expected expected = most > 0 ? value(Req::kWaiterWoken, most) : fail(waiter.signal_rule, kEINTR);
    return diverge(
        waiter.signalled ? waiter.signal_rule : Req::kWaiterWoken, Kind::kLost,
        lane + " returns " + result_text(expected.result, expected.error), "it sleeps on",
        Check{Check::What::kLaneResult, waiter.lane, 0, {expected.error != 0 ? -expected.error : expected.result}, {}});
  }
  if (enough) return diverge(rule, Kind::kHeader, lane + " takes every event", std::to_string(left) + " are left");
  // Of several waiters one that was woken may find too little.
  const bool leaves = profile_->min_nr_wakes && alone;
  if ((leaves && took > 0) || (rules_.wrong(rule) && left + took > 0)) {
    return diverge(rule, Kind::kHeader, lane + " leaves all events in the ring", "it took " + std::to_string(took));
  }
  if (left > 0 || (took > 0 && !profile_->min_nr_wakes)) rules_.exercise(rule);
  if (waiter.spared) rules_.exercise(waiter.signal_rule);
}

// One waiter after the operation, of which it took some events while `left` remained in the ring.
void Model::compare_waiter(const Sleeper& waiter, std::int64_t took, std::int64_t left, bool alone) {
  const LaneReturn* const seen = return_of(*seen_, waiter.lane);
  const std::int64_t total = waiter.got + took;
  const std::string lane = "lane " + std::to_string(waiter.lane);
  const auto check = [&](std::int64_t value) { return Check{Check::What::kLaneResult, waiter.lane, 0, {value}, {}}; };
  if (seen == nullptr) return compare_asleep(waiter, took, left, alone);
  judged_returns_.set(waiter.lane);
  Expected expected;
  if (waiter.signalled) {
    if (left > 0 && took < waiter.room()) {
      const std::int64_t most = total + std::min(left, waiter.room() - took);
      return diverge(Req::kGeteventsSignalKeepsCount, Kind::kHeader, lane + " takes what is in the ring",
                     std::to_string(left) + " events are left there", check(most));
    }
    expected = total > 0 ? value(Req::kGeteventsSignalKeepsCount, total) : fail(waiter.signal_rule, kEINTR);
  } else if (total < waiter.min_nr || rules_.wrong(Req::kWaiterWoken)) {
    const Req unasked = profile_->min_nr_wakes ? Req::kWaiterLeavesEvents : Req::kWaiterTakesEach;
    const Req early = waiter.spared ? waiter.signal_rule : unasked;
    return diverge(rules_.wrong(Req::kWaiterWoken) ? Req::kWaiterWoken : early,
                   seen->error != 0 ? Kind::kErrno : Kind::kCount, lane + " sleeps on",
                   result_text(seen->result, seen->error), Check{Check::What::kAsleep, waiter.lane, 0, {1}, {}});
  } else {
    expected = value(Req::kWaiterCount, total);
    rules_.exercise(Req::kWaiterWoken);
  }
  compare_return(*seen, expected);
}

void Model::compare_return(const LaneReturn& seen, const Expected& expected) {
  judged_returns_.set(seen.lane);
  rules_.exercise(expected.rule);
  if (seen.result == expected.result && seen.error == expected.error) return;
  const std::int64_t value = expected.error != 0 ? -expected.error : expected.result;
  diverge(expected.rule, seen.error != 0 || expected.error != 0 ? Kind::kErrno : Kind::kCount,
          "lane " + std::to_string(seen.lane) + " returns " + result_text(expected.result, expected.error),
          result_text(seen.result, seen.error), Check{Check::What::kLaneResult, seen.lane, 0, {value}, {}});
}

// What waiters took off a ring whose tail is `tail` by now.
void Model::compare_waiters(Context& context, const RingHeader& seen, std::uint32_t tail) {
  const std::vector<Sleeper*> waiters = waiters_of(context.serial);
  if (waiters.empty()) return;
  RingHeader header = context.header();
  const std::uint32_t size = context.geometry.ring_size;
  const std::uint32_t there = (tail + size - header.head) % size;
  const std::uint32_t taken = (seen.head + size - header.head) % size;
  // Any other head is nobody's.
  if (seen.head >= size || taken > there) return;
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < taken; ++i) events.push_back(context.event((header.head + i) % size));
  std::vector<std::int64_t> takes;
  if (!distribute(waiters, events, takes)) return;
  for (std::size_t i = 0; i < waiters.size() && !done(); ++i) {
    compare_waiter(*waiters[i], takes[i], there - taken, waiters.size() == 1);
    waiters[i]->got += takes[i];
  }
  if (done()) return;
  header.head = seen.head;
  context.set_header(header);
  if (taken > 0) context.head_rule = Req::kGeteventsMovesHead;
  // A single waiter takes all in one pass; of several, and where each event is taken, a pass may be of any length.
  if (waiters.size() == 1 && profile_->min_nr_wakes) {
    context.takes.assign(taken > 0 ? 1 : 0, taken);
  } else {
    context.takes.assign(taken, 1);
  }
  std::erase_if(sleepers_, [&](const Sleeper& each) {
    return waits_for(each, context.serial) && return_of(*seen_, each.lane) != nullptr;
  });
}

void Model::compare_destroyed_waiters() {
  if (destroyed_waiters_.empty()) return;
  std::vector<Sleeper*> waiters;
  std::int64_t room = 0;
  for (Sleeper& each : destroyed_waiters_) {
    waiters.push_back(&each);
    room += each.room();
    if (return_of(*seen_, each.lane) != nullptr) continue;
    return diverge(Req::kWaiterDestroyed, Kind::kLost, "lane " + std::to_string(each.lane) + " returns", "it sleeps on",
                   Check{Check::What::kAsleep, each.lane, 0, {0}, {}});
  }
  const auto there = static_cast<std::int64_t>(destroyed_events_.size());
  destroyed_events_.resize(static_cast<std::size_t>(std::min(there, room)));
  std::vector<std::int64_t> takes;
  if (!distribute(waiters, destroyed_events_, takes)) return;
  for (std::size_t i = 0; i < waiters.size() && !done(); ++i) {
    const std::int64_t total = waiters[i]->got + takes[i];
    compare_return(*return_of(*seen_, waiters[i]->lane),
                   total > 0 ? value(Req::kWaiterDestroyedCount, total) : fail(Req::kWaiterDestroyed, kEINVAL));
  }
}

std::vector<std::byte> Model::seen_bytes(Address at, std::uint64_t size) const {
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    const arena::Area& area = arena::kAreas[i];
    if (at < area.begin || at + size > area.begin + area.size) continue;
    const auto bytes = seen_->memory[i].subspan(at - area.begin, size);
    return {bytes.begin(), bytes.end()};
  }
  return std::vector<std::byte>(size);
}

}  // namespace aio
