// SPDX-License-Identifier: GPL-2.0-or-later
//
// Histories that the rules themselves have made, in any order, are explained; with one answer changed they are not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "properties/dice.h"
#include "properties/free_programs.h"
#include "properties/history_check.h"
#include "reference/abi.h"

namespace aio {
namespace {

using CallKind = HistoryCall::Kind;
using RequestKind = HistoryRequest::Kind;

constexpr std::uint64_t kHistories = 250;
constexpr std::int64_t kStrange = 77;  // no request's result

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
  std::vector<HistoryEvent> ring;
  std::vector<Poll> polls;
  std::vector<Late> late;
};

// A kernel that makes one step of one lane after the other, by dice.
class DiceKernel {
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
    return {program_.contexts, program_.eventfds, program_.counters, std::move(calls_), true};
  }

 private:
  struct Lane {
    std::size_t next = 0;           // call of the program
    std::optional<HistoryCall> at;  // the call that is made
    enum class Phase : std::uint8_t { kBegun, kInside, kDead, kMarked, kCancelled } phase = Phase::kBegun;
    std::size_t progress = 0;
    bool queued = false;  // the poll that is next; or its event is in the ring, and it is to signal
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
    for (Context& each : contexts_) {
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
      lane.at->began = clock_++;
    } else if (lane.at->kind == CallKind::kSignal) {
      signal(lane);
    } else if (lane.at->kind == CallKind::kRead) {
      const std::int64_t count = std::exchange(counters_[lane.at->counter], 0);
      count == 0 ? end(lane, -1, kEAGAIN) : end(lane, count);
    } else if (lane.phase == Lane::Phase::kBegun) {
      if (!context(lane).found) return end(lane, -1, kEINVAL);
      lane.phase = Lane::Phase::kInside;
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

  void signal(Lane& lane) {
    const std::uint8_t eventfd = lane.at->eventfd;
    signalled_[eventfd] = true;
    for (Context& each : contexts_) {
      std::erase_if(each.polls, [&](const Poll& poll) {
        const bool woken = poll.request.eventfd == eventfd;
        if (woken) each.late.push_back({poll.request.number, poll.request.res, poll.listed});
        return woken;
      });
    }
    end(lane, 0);
  }

  void submit(Lane& lane) {
    if (lane.progress == lane.at->requests.size()) return end(lane, static_cast<std::int64_t>(lane.progress));
    const HistoryRequest& request = lane.at->requests[lane.progress];
    Context& into = context(lane);
    if (request.kind == RequestKind::kPoll) return poll(lane, into, request);
    if (request.kind == RequestKind::kLater) {
      into.late.push_back({request.number, request.res, false, request.resfd});
    } else if (lane.queued) {
      ++counters_[*request.resfd];
      lane.queued = false;
    } else {
      into.ring.push_back({request.number, request.res});
      lane.queued = request.resfd.has_value();
    }
    if (!lane.queued) ++lane.progress;
  }

  void poll(Lane& lane, Context& into, const HistoryRequest& request) {
    lane.queued = !lane.queued;
    if (lane.queued) {
      into.polls.push_back({request, false});
      return;
    }
    ++lane.progress;
    const auto at = std::find_if(into.polls.begin(), into.polls.end(),
                                 [&](const Poll& each) { return each.request.number == request.number; });
    if (at == into.polls.end()) {
      for (Late& each : into.late) each.listed |= each.number == request.number && dice_.one_in(2);
    } else if (signalled_[request.eventfd]) {
      into.polls.erase(at);
      into.ring.push_back({request.number, request.res});
    } else {
      at->listed = true;
    }
  }

  void getevents(Lane& lane) {
    std::vector<HistoryEvent>& ring = context(lane).ring;
    std::vector<HistoryEvent>& got = lane.at->events;
    const std::size_t taken = std::min<std::size_t>(ring.size(), lane.at->nr - got.size());
    got.insert(got.end(), ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(taken));
    ring.erase(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(taken));
    if (context(lane).dead && got.empty()) return end(lane, -1, kEINVAL);
    lane.at->may_time_out = !lane.at->waits || dice_.one_in(4);
    if (got.size() < lane.at->min_nr && !lane.at->may_time_out && !context(lane).dead) return;
    end(lane, static_cast<std::int64_t>(got.size()));
  }

  void cancel(Lane& lane) {
    Context& of = context(lane);
    const auto is_it = [&](const auto& each) { return each.number == lane.at->cancelled; };
    const auto poll = std::find_if(of.polls.begin(), of.polls.end(),
                                   [&](const Poll& each) { return each.listed && is_it(each.request); });
    if (poll != of.polls.end()) {
      of.late.push_back({poll->request.number, 0, false});
      of.polls.erase(poll);
      return end(lane, -1, kEINPROGRESS);
    }
    const auto late = std::find_if(of.late.begin(), of.late.end(), is_it);
    if (late == of.late.end() || !late->listed || dice_.one_in(3)) return end(lane, -1, kEINVAL);
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
        return each.at && each.phase == Lane::Phase::kInside && each.at->context == lane.at->context &&
               each.at->kind != CallKind::kSignal && each.at->kind != CallKind::kRead;
      });
      if (busy) return;
      for (const Poll& each : of.polls) of.late.push_back({each.request.number, 0, false});
      of.polls.clear();
      lane.phase = Lane::Phase::kCancelled;
    } else if (of.late.empty()) {
      end(lane, 0);
    }
  }

  void take_the_rest(std::uint8_t number) {
    Context& of = contexts_[number];
    if (of.dead) return;
    HistoryCall& last = calls_.emplace_back();
    last.context = number;
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

bool is(const HistoryCall& call, CallKind kind, int error) { return call.kind == kind && call.error == error; }

std::ptrdiff_t count_of(const History& history, const std::function<bool(const HistoryCall&)>& wanted) {
  return std::count_if(history.calls.begin(), history.calls.end(), wanted);
}

bool is_destroyed(const History& history, std::uint8_t context) {
  return count_of(history, [&](const HistoryCall& each) {
           return is(each, CallKind::kDestroy, 0) && each.context == context;
         }) != 0;
}

std::optional<std::int64_t> res_of(const History& history, RequestNumber number) {
  for (const HistoryCall& call : history.calls) {
    for (const HistoryEvent& each : call.events) {
      if (each.number == number) return each.res;
    }
  }
  return std::nullopt;
}

// A change of one call's answer. False where the answer is none that it could make certainly wrong.
struct Change {
  const char* name;
  bool (*make)(const History& history, HistoryCall& call);
};

constexpr Change kChanges[] = {
    {"an event of another result",
     [](const History&, HistoryCall& call) {
       if (call.events.empty()) return false;
       call.events.front().res = kStrange;
       return true;
     }},
    {"an event of another request",
     [](const History&, HistoryCall& call) {
       if (call.events.empty()) return false;
       call.events.front().number = kFreeRequests - 1;
       return true;
     }},
    {"an event less",
     [](const History& history, HistoryCall& call) {
       if (call.events.empty() || is_destroyed(history, call.context)) return false;
       call.events.pop_back();
       --call.result;
       return true;
     }},
    {"an event again",
     [](const History&, HistoryCall& call) {
       if (call.events.empty() || call.events.size() >= call.nr) return false;
       call.events.push_back(call.events.front());
       ++call.result;
       return true;
     }},
    {"EINVAL of a context that lives",
     [](const History& history, HistoryCall& call) {
       if (call.kind == CallKind::kCancel || call.kind == CallKind::kSignal || call.kind == CallKind::kRead) {
         return false;
       }
       if (is_destroyed(history, call.context)) return false;
       call.events.clear();
       call.result = -1;
       call.error = kEINVAL;
       return true;
     }},
    {"one iocb less",
     [](const History&, HistoryCall& call) {
       if (!is(call, CallKind::kSubmit, 0)) return false;
       --call.result;
       return true;
     }},
    {"a second io_destroy that wins",
     [](const History&, HistoryCall& call) {
       if (!is(call, CallKind::kDestroy, kEINVAL)) return false;
       call.result = call.error = 0;
       return true;
     }},
    {"one count more",
     [](const History&, HistoryCall& call) {
       if (call.kind != CallKind::kRead) return false;
       call.result = std::max<std::int64_t>(call.result, 0) + 1;
       call.error = 0;
       return true;
     }},
    {"an only io_destroy that loses",
     [](const History& history, HistoryCall& call) {
       const auto on_it = [&](const HistoryCall& each) {
         return each.kind == CallKind::kDestroy && each.context == call.context;
       };
       if (!is(call, CallKind::kDestroy, 0) || count_of(history, on_it) != 1) return false;
       call.result = -1;
       call.error = kEINVAL;
       return true;
     }},
    {"io_cancel of what gave its own result",
     [](const History& history, HistoryCall& call) {
       const auto polled = [&](const HistoryCall& each) {
         return std::any_of(each.requests.begin(), each.requests.end(), [&](const HistoryRequest& request) {
           return request.number == call.cancelled && request.kind == RequestKind::kPoll;
         });
       };
       if (!is(call, CallKind::kCancel, kEINVAL) || count_of(history, polled) != 0) return false;
       call.error = kEINPROGRESS;
       return true;
     }},
    {"io_cancel that has not cancelled what was",
     [](const History& history, HistoryCall& call) {
       const auto also = [&](const HistoryCall& each) {
         return each.kind == CallKind::kCancel && each.cancelled == call.cancelled;
       };
       if (!is(call, CallKind::kCancel, kEINPROGRESS) || count_of(history, also) != 1) return false;
       if (res_of(history, call.cancelled) != 0) return false;
       call.error = kEINVAL;
       return true;
     }},
};

TEST(HistoriesOfTheRules, are_explained_and_with_one_answer_changed_are_not) {
  std::vector<std::size_t> made(std::size(kChanges));
  for (std::uint64_t seed = 0; seed < kHistories; ++seed) {
    const FreeProgram program = free_program(2, seed);
    const History history = DiceKernel(program, seed).run();
    const HistoryCheck check = check_history(history);
    ASSERT_EQ(check.verdict, HistoryVerdict::kExplained) << "program " << seed << "\n"
                                                         << history_text(history, check.call);
    for (std::size_t i = 0; i < std::size(kChanges); ++i) {
      // One call of each history, so that it does not take long.
      const std::size_t from = (seed * 7 + i) % history.calls.size();
      for (std::size_t j = 0; j < history.calls.size(); ++j) {
        History changed = history;
        if (!kChanges[i].make(history, changed.calls[(from + j) % changed.calls.size()])) continue;
        ++made[i];
        EXPECT_EQ(check_history(changed).verdict, HistoryVerdict::kUnexplained)
            << kChanges[i].name << ", program " << seed << "\n"
            << history_text(changed, (from + j) % changed.calls.size());
        break;
      }
    }
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_GE(made[i], kHistories / 100) << kChanges[i].name;
    RecordProperty(kChanges[i].name, static_cast<int>(made[i]));
  }
}

}  // namespace
}  // namespace aio
