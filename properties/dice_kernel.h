// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests: a kernel that keeps the rules, and makes one step of one lane after the other, by dice.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "fixtures/free_lanes.h"
#include "properties/dice.h"
#include "reference/abi.h"

namespace aio {

class DiceKernel {
  using CallKind = HistoryCall::Kind;
  using RequestKind = HistoryRequest::Kind;

 public:
  DiceKernel(const FreeProgram& program, std::uint64_t seed)
      : program_(program),
        dice_(rc::Random(rc::Random::Key{seed, 5, 0, 0})),
        contexts_(program.contexts),
        signalled_(program.eventfds),
        counters_(program.counters),
        lanes_(program.lanes.size()) {}

  History run() {
    while (const auto lane = lane_that_can()) {
      if (dice_.one_in(3)) complete_one();
      step(*lane);
    }
    for (std::uint8_t i = 0; i < program_.contexts; ++i) take_the_rest(i);
    for (std::uint8_t i = 0; i < program_.counters; ++i) read_the_rest(i);
    History history = blank_history(program_);
    history.calls = std::move(calls_);
    return history;
  }

 private:
  struct Late {
    RequestNumber number;
    std::int64_t res;
    bool listed;
    std::optional<std::uint8_t> resfd = {};
    bool is_in_ring = false;
  };

  struct Poll {
    HistoryRequest request;
    bool listed;
  };

  struct Context {
    bool found = true;
    bool dead = false;
    std::uint8_t place = HistoryCall::kFirstPlace;
    std::uint8_t told_place = HistoryCall::kFirstPlace;  // by the mremap that has returned
    std::vector<HistoryEvent> ring;
    std::vector<Poll> polls;
    std::vector<Late> late;
  };

  struct Lane {
    std::size_t next = 0;           // call of the program
    std::optional<HistoryCall> at;  // the call that is made
    enum class Phase : std::uint8_t { kBegun, kInside, kDead, kMarked, kCancelled, kReturning } phase = Phase::kBegun;
    std::size_t progress = 0;
    bool queued = false;  // the poll that is next
    bool counts = false;  // the next request's event is in the ring, and its RESFD is to be signalled
    int error = 0;        // of kReturning
    bool hit = false;     // a signal waits for it
  };

  Context& context(const Lane& lane) { return contexts_[lane.at->context]; }

  std::optional<std::size_t> lane_that_can() {
    std::vector<std::size_t> able;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (lanes_[i].at || lanes_[i].next < program_.lanes[i].size()) able.push_back(i);
    }
    if (able.empty()) return std::nullopt;
    return able[dice_.below(static_cast<std::uint32_t>(able.size()))];
  }

  void complete_one() {
    const std::uint32_t first = dice_.below(static_cast<std::uint32_t>(contexts_.size()));
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
      Context& each = contexts_[(first + i) % contexts_.size()];
      if (each.late.empty()) continue;
      const std::size_t at = dice_.below(static_cast<std::uint32_t>(each.late.size()));
      Late& late = each.late[at];
      if (!late.is_in_ring) each.ring.push_back({late.number, late.res});
      if (!late.is_in_ring && late.resfd) {
        late.is_in_ring = true;
        return;
      }
      if (late.resfd) ++counters_[*late.resfd];
      each.late.erase(each.late.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
  }

  void step(std::size_t number) {
    Lane& lane = lanes_[number];
    if (!lane.at) {
      lane.at = program_.lanes[number][lane.next++];
      lane.at->for_ever = false;  // nobody would end it
      lane.phase = Lane::Phase::kBegun;
      lane.progress = 0;
      lane.at->place = contexts_[lane.at->context].told_place;
      lane.at->began = clock_++;
      if (lane.hit && !blocks(number) && dice_.one_in(2)) lane.hit = false;
    } else if (lane.at->kind == CallKind::kWrite) {
      write(lane);
    } else if (lane.at->kind == CallKind::kInterrupt) {
      lanes_[lane.at->target].hit = true;
      end(lane, 0);
    } else if (lane.at->kind == CallKind::kMove) {
      move(lane);
    } else if (lane.at->kind == CallKind::kReap) {
      take(lane);
      end(lane, std::ssize(lane.at->events));
    } else if (lane.at->kind == CallKind::kDie) {
      die(lane);
    } else if (lane.phase == Lane::Phase::kReturning) {
      leave(lane);
    } else if (lane.at->kind == CallKind::kRead) {
      const std::int64_t count = std::exchange(counters_[lane.at->counter], 0);
      count == 0 ? end(lane, -1, kEAGAIN) : end(lane, count);
    } else if (lane.phase == Lane::Phase::kBegun) {
      const bool found = context(lane).found && context(lane).place == lane.at->place;
      if (!found && lane.at->kind != CallKind::kGetevents) return end(lane, -1, kEINVAL);
      lane.phase = found ? Lane::Phase::kInside : Lane::Phase::kReturning;
      lane.error = kEINVAL;
    } else if (lane.at->kind == CallKind::kSubmit) {
      submit(lane);
    } else if (lane.at->kind == CallKind::kGetevents) {
      getevents(lane);
    } else if (lane.at->kind == CallKind::kCancel) {
      cancel(lane);
    } else {
      destroy(lane);
    }
  }

  void end(Lane& lane, std::int64_t result, int error = 0) {
    lane.at->result = result;
    lane.at->error = error;
    lane.at->ended = clock_++;
    calls_.push_back(*lane.at);
    lane.at.reset();
  }

  void write(Lane& lane) {
    const std::uint8_t eventfd = lane.at->eventfd;
    signalled_[eventfd] = true;
    for (Context& each : contexts_) {
      std::erase_if(each.polls, [&](const Poll& poll) {
        const bool woken = poll.request.eventfd == eventfd;
        if (woken) each.late.push_back({poll.request.number, poll.request.res, poll.listed, poll.request.resfd});
        return woken;
      });
    }
    end(lane, 0);
  }

  void submit(Lane& lane) {
    if (lane.progress == lane.at->requests.size()) return end(lane, static_cast<std::int64_t>(lane.progress));
    const HistoryRequest& request = lane.at->requests[lane.progress];
    Context& into = context(lane);
    if (lane.counts) {
      ++counters_[*request.resfd];
      lane.counts = false;
      ++lane.progress;
    } else if (request.kind == RequestKind::kPoll) {
      poll(lane, into, request);
    } else if (request.kind == RequestKind::kLater) {
      into.late.push_back({request.number, request.res, false, request.resfd});
      ++lane.progress;
    } else {
      complete(lane, into, request);
    }
  }

  static void complete(Lane& lane, Context& into, const HistoryRequest& request) {
    into.ring.push_back({request.number, request.res});
    lane.counts = request.resfd.has_value();
    if (!lane.counts) ++lane.progress;
  }

  void poll(Lane& lane, Context& into, const HistoryRequest& request) {
    lane.queued = !lane.queued;
    if (lane.queued) {
      into.polls.push_back({request, false});
      return;
    }
    const auto at = std::find_if(into.polls.begin(), into.polls.end(),
                                 [&](const Poll& each) { return each.request.number == request.number; });
    if (at != into.polls.end() && signalled_[request.eventfd]) {
      into.polls.erase(at);
      return complete(lane, into, request);
    }
    ++lane.progress;
    if (at != into.polls.end()) {
      at->listed = true;
      return;
    }
    for (Late& each : into.late) each.listed |= each.number == request.number && !each.is_in_ring && dice_.one_in(2);
  }

  void take(Lane& lane) {
    std::vector<HistoryEvent>& ring = context(lane).ring;
    std::vector<HistoryEvent>& got = lane.at->events;
    const std::size_t taken = std::min<std::size_t>(ring.size(), lane.at->nr - got.size());
    got.insert(got.end(), ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(taken));
    ring.erase(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void getevents(Lane& lane) {
    const std::vector<HistoryEvent>& got = lane.at->events;
    if (lane.at->unwritable && !context(lane).ring.empty()) {
      lane.error = kEFAULT;
      lane.phase = Lane::Phase::kReturning;
      return;
    }
    if (!lane.at->unwritable) take(lane);
    lane.at->may_time_out = !lane.at->waits || dice_.one_in(4);
    const bool dead = context(lane).dead;
    const bool goes_on = got.size() < lane.at->min_nr && !lane.at->may_time_out && !dead && !is_hit(lane);
    if (goes_on) return;
    lane.error = dead && got.empty() ? kEINVAL : 0;
    lane.phase = Lane::Phase::kReturning;
  }

  bool blocks(std::size_t lane) const { return program_.blocks[lane]; }
  bool is_hit(const Lane& lane) const { return lane.hit && blocks(lane.at->lane) == lane.at->turns_mask; }

  void leave(Lane& lane) {
    const bool hit = is_hit(lane);
    if (hit) lane.hit = false;
    lane.at->handled = hit && blocks(lane.at->lane);
    if (lane.error != 0) return end(lane, -1, lane.error);
    if (hit && lane.at->events.empty()) return end(lane, -1, kEINTR);
    end(lane, std::ssize(lane.at->events));
  }

  void move(Lane& lane) {
    Context& of = context(lane);
    if (lane.progress > 0) {
      of.told_place = lane.at->new_place;
      return end(lane, 0);
    }
    if (of.dead) return end(lane, -1, dice_.one_in(2) ? kEFAULT : kEINVAL);
    if (of.place != lane.at->place) return end(lane, -1, kEFAULT);
    of.place = lane.at->new_place;
    lane.progress = 1;
  }

  void cancel(Lane& lane) {
    Context& of = context(lane);
    const auto is_it = [&](const auto& each) { return each.number == lane.at->cancelled; };
    const auto poll = std::find_if(of.polls.begin(), of.polls.end(),
                                   [&](const Poll& each) { return each.listed && is_it(each.request); });
    if (poll != of.polls.end()) {
      of.late.push_back({poll->request.number, 0, false, poll->request.resfd});
      of.polls.erase(poll);
      return end(lane, -1, kEINPROGRESS);
    }
    const auto late = std::find_if(of.late.begin(), of.late.end(), is_it);
    if (late == of.late.end() || !late->listed || late->is_in_ring || dice_.one_in(3)) return end(lane, -1, kEINVAL);
    late->listed = false;
    if (dice_.one_in(2)) late->res = 0;
    end(lane, -1, kEINPROGRESS);
  }

  void destroy(Lane& lane) {
    Context& of = context(lane);
    if (lane.phase == Lane::Phase::kInside) {
      if (of.dead) return end(lane, -1, kEINVAL);
      of.dead = true;
      lane.phase = Lane::Phase::kDead;
    } else if (lane.phase == Lane::Phase::kDead) {
      of.found = false;
      lane.phase = Lane::Phase::kMarked;
    } else if (lane.phase == Lane::Phase::kMarked) {
      const bool busy = std::any_of(lanes_.begin(), lanes_.end(), [&](const Lane& each) {
        return each.at && each.phase == Lane::Phase::kInside && each.at->context == lane.at->context;
      });
      if (busy) return;
      for (const Poll& each : of.polls) of.late.push_back({each.request.number, 0, false, each.request.resfd});
      of.polls.clear();
      lane.phase = Lane::Phase::kCancelled;
    } else if (of.late.empty()) {
      end(lane, 0);
    }
  }

  // Once what must go on to its end has done so.
  void die(Lane& lane) {
    for (const Lane& each : lanes_) {
      const bool may_be_cut_off =
          !each.at || &each == &lane || each.phase == Lane::Phase::kBegun || each.at->kind == CallKind::kGetevents;
      if (!may_be_cut_off) return;
    }
    for (Lane& each : lanes_) {
      each.next = program_.lanes[static_cast<std::size_t>(&each - lanes_.data())].size();
      if (!each.at || &each == &lane) continue;
      each.at->cut_off = true;
      each.at->events.clear();
      calls_.push_back(*std::exchange(each.at, std::nullopt));
    }
    for (Context& each : contexts_) {
      each.dead = true;
      for (const Poll& poll : each.polls) each.late.push_back({poll.request.number, 0, false, poll.request.resfd});
      for (const Late& late : each.late) counters_[late.resfd.value_or(0)] += late.resfd ? 1 : 0;
    }
    end(lane, 0);
  }

  void take_the_rest(std::uint8_t number) {
    Context& of = contexts_[number];
    if (of.dead) return;
    HistoryCall& last = calls_.emplace_back();
    last.context = number;
    last.place = of.told_place;
    last.nr = kFreeRequests;
    last.may_time_out = true;
    for (const Late& each : of.late) {
      if (!each.is_in_ring) of.ring.push_back({each.number, each.res});
      if (each.resfd) ++counters_[*each.resfd];
    }
    last.events = of.ring;
    last.result = std::ssize(last.events);
    last.began = clock_++;
    last.ended = clock_++;
  }

  void read_the_rest(std::uint8_t counter) {
    HistoryCall& last = calls_.emplace_back();
    last.kind = CallKind::kRead;
    last.counter = counter;
    last.result = counters_[counter] == 0 ? -1 : counters_[counter];
    last.error = counters_[counter] == 0 ? kEAGAIN : 0;
    last.began = clock_++;
    last.ended = clock_++;
  }

  const FreeProgram& program_;
  Dice dice_;
  std::vector<Context> contexts_;
  std::vector<bool> signalled_;
  std::vector<std::int64_t> counters_;
  std::vector<Lane> lanes_;
  std::vector<HistoryCall> calls_;
  std::uint64_t clock_ = 0;
};

}  // namespace aio
