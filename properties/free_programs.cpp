// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/free_programs.h"

#include <rapidcheck/Random.h>

#include <algorithm>

#include "properties/dice.h"

namespace aio {
namespace {

using CallKind = HistoryCall::Kind;
using RequestKind = HistoryRequest::Kind;

constexpr unsigned kLongestPause = 2000;

class Maker {
 public:
  Maker(std::uint64_t seed, std::uint64_t index) : dice_(rc::Random(rc::Random::Key{seed, index, 3, 0})) {}

  FreeProgram make() {
    FreeProgram program;
    program.contexts = dice_.one_in(4) ? 2 : 1;
    program.eventfds = 1 + dice_.below(2);
    program.counters = 1;
    program.restarts = dice_.one_in(2);
    lanes_ = dice_.weighted<unsigned>({{14, 2}, {6, 3}, {1, 4}});
    for (unsigned i = 0; i < lanes_; ++i) {
      program.blocks.push_back(dice_.one_in(3));
      program.sharing.push_back(dice_.one_in(6));
      program.lanes.emplace_back();
      for (unsigned calls = 1 + dice_.below(lanes_ < 4 ? 4 : 3); calls > 0; --calls) {
        program.lanes.back().push_back(call(program, static_cast<std::uint8_t>(i)));
      }
    }
    const auto theme = dice_.below(16);
    if (theme < 2) let_die(program);
    if (theme == 2) let_reap(program);
    return program;
  }

 private:
  // One lane takes events by itself, others none; rings stay where they are.
  static void let_reap(FreeProgram& program) {
    for (auto& lane : program.lanes) {
      for (HistoryCall& each : lane) {
        if (each.kind == CallKind::kGetevents && &lane == &program.lanes.front()) each.kind = CallKind::kReap;
        const bool may_stay =
            each.kind != CallKind::kGetevents && each.kind != CallKind::kDestroy && each.kind != CallKind::kMove;
        if (!may_stay) each.kind = CallKind::kWrite;
        each.for_ever = each.waits = false;
      }
    }
  }

  // One lane ends the process; it comes to that whatever the others do.
  void let_die(FreeProgram& program) {
    std::fill(program.sharing.begin(), program.sharing.end(), false);  // which would live on
    auto& lane = program.lanes.back();
    if (lane.size() > 2) lane.resize(2);
    for (HistoryCall& each : lane) each.for_ever = false;
    HistoryCall& last = lane.emplace_back();
    last.kind = CallKind::kDie;
    last.lane = static_cast<std::uint8_t>(program.lanes.size() - 1);
    last.death = static_cast<HistoryCall::Death>(dice_.below(3));
  }

  HistoryCall call(const FreeProgram& program, std::uint8_t lane) {
    HistoryCall call;
    call.lane = lane;
    call.context = static_cast<std::uint8_t>(dice_.below(program.contexts));
    call.kind = dice_.weighted<CallKind>({{40, CallKind::kSubmit},
                                          {28, CallKind::kGetevents},
                                          {12, CallKind::kCancel},
                                          {13, CallKind::kWrite},
                                          {8, CallKind::kRead},
                                          {7, CallKind::kDestroy},
                                          {9, CallKind::kInterrupt},
                                          {4, CallKind::kMove}});
    if (call.kind == CallKind::kSubmit) {
      for (unsigned i = 1 + dice_.below(3); i > 0; --i) call.requests.push_back(request(program));
    } else if (call.kind == CallKind::kGetevents) {
      call.nr = 1 + dice_.below(4);
      call.min_nr = dice_.below(call.nr + 1);
      call.waits = dice_.one_in(2);
      call.for_ever = call.waits && dice_.one_in(4);
      call.turns_mask = dice_.one_in(3);
      call.unwritable = dice_.one_in(10) && !call.for_ever;  // whom to give events to end it?
    } else if (call.kind == CallKind::kCancel) {
      call.cancelled = static_cast<RequestNumber>(dice_.below(numbers_ + 1));
    } else if (call.kind == CallKind::kWrite) {
      call.eventfd = static_cast<std::uint8_t>(dice_.below(program.eventfds));
    } else if (call.kind == CallKind::kInterrupt) {
      call.target = static_cast<std::uint8_t>(dice_.below(lanes_));
    } else if (call.kind == CallKind::kMove) {
      call.new_place = ++places_;
    }
    return call;
  }

  HistoryRequest request(const FreeProgram& program) {
    HistoryRequest request;
    request.number = ++numbers_;
    request.kind =
        dice_.weighted<RequestKind>({{4, RequestKind::kAtOnce}, {1, RequestKind::kLater}, {5, RequestKind::kPoll}});
    if (request.kind == RequestKind::kAtOnce) request.res = kFreeBytes;
    if (dice_.one_in(3)) request.resfd = 0;
    if (request.kind == RequestKind::kPoll) {
      request.eventfd = static_cast<std::uint8_t>(dice_.below(program.eventfds));
      request.res = 1;  // POLLIN
    }
    return request;
  }

  Dice dice_;
  unsigned lanes_ = 0;
  RequestNumber numbers_ = 0;
  std::uint8_t places_ = HistoryCall::kFirstPlace;
};

}  // namespace

FreeProgram free_program(std::uint64_t seed, std::uint64_t index) {
  return with_pauses(Maker(seed, index).make(), seed, index);
}

FreeProgram with_pauses(FreeProgram program, std::uint64_t seed, std::uint64_t index) {
  Dice dice(rc::Random(rc::Random::Key{seed, index, 4, 0}));
  program.pauses.clear();
  for (const auto& lane : program.lanes) {
    auto& pauses = program.pauses.emplace_back();
    for (std::size_t i = 0; i < lane.size(); ++i) {
      const unsigned longest = dice.one_in(2) ? kLongestPause : kLongestPause / 20;
      pauses.push_back(static_cast<std::uint16_t>(dice.below(longest)));
    }
  }
  return program;
}

}  // namespace aio
