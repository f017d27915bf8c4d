// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/generator_swarm.h"

#include <algorithm>
#include <initializer_list>

#include "reference/program.h"

namespace aio {

namespace {

enum class Theme { kAny, kPolls, kTransfers, kQuota, kErrors, kRing };

constexpr std::array<unsigned, kCallCount> kCalls{50, 20, 8, 10, 5, 4};
constexpr std::array<unsigned, kDeedCount> kDeeds{6, 6, 6, 12, 5, 1, 4, 0, 0, 0, 0};
constexpr std::array<unsigned, kRequestCount> kRequests{10, 8, 6, 5, 4, 2, 12};

template <class Weights, class Name>
unsigned& at(Weights& weights, Name name) {
  return weights[static_cast<std::size_t>(name)];
}

// Switches each feature off with a chance of one in `n`.
template <class Weights>
void thin_out(Dice& dice, Weights& weights, unsigned n) {
  for (unsigned& weight : weights) {
    if (dice.one_in(n)) weight = 0;
  }
}

void switch_on(std::array<unsigned, kFdCount>& fds, std::initializer_list<Fd> which) {
  for (const Fd fd : which) at(fds, fd) = 4;
}

// A family is one that interacts: both ends of a pipe are of use only together.
void draw_fds(Dice& dice, Swarm& swarm) {
  if (dice.percent(60)) switch_on(swarm.fds, {Fd::kFile, Fd::kFileRo, Fd::kFileWo});
  if (dice.percent(25)) switch_on(swarm.fds, {Fd::kFile, Fd::kFileAppend});
  if (dice.percent(35)) switch_on(swarm.fds, {Fd::kPipeRead, Fd::kPipeWrite});
  if (dice.percent(35)) switch_on(swarm.fds, {Fd::kNbPipeRead, Fd::kNbPipeWrite});
  if (dice.percent(50)) switch_on(swarm.fds, {Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent});
  if (dice.percent(35)) switch_on(swarm.fds, {Fd::kSocket0, Fd::kSocket1});
  if (dice.percent(12)) switch_on(swarm.fds, {Fd::kTimer});
  if (dice.percent(30)) switch_on(swarm.fds, {Fd::kDirectory, Fd::kNull, Fd::kZero});
  if (dice.percent(25)) {
    for (const Fd fd : {Fd::kPath, Fd::kClosed, Fd::kNever, Fd::kMinusOne}) at(swarm.fds, fd) = 1;
  }
  if (dice.percent(8)) at(swarm.fds, Fd::kDirect) = 16;
  unsigned sum = 0;
  for (const unsigned weight : swarm.fds) sum += weight;
  if (sum == 0) switch_on(swarm.fds, {Fd::kFile, Fd::kNbEvent});
}

void draw_faults(Dice& dice, Swarm& swarm) {
  if (dice.percent(25)) return;
  const unsigned n = dice.pick({2u, 3u, 5u});
  for (unsigned fault = 0; fault < kFaultCount; ++fault) {
    if (dice.one_in(n)) swarm.faults |= 1u << fault;
  }
  swarm.fault_percent = dice.pick({6u, 12u, 25u});
}

void apply_theme(Dice& dice, Theme theme, Swarm& swarm) {
  switch (theme) {
    case Theme::kAny:
      thin_out(dice, swarm.calls, 4);
      thin_out(dice, swarm.requests, 3);
      break;
    case Theme::kPolls:
      swarm.requests = {1, 0, 0, 0, 1, 0, 20};
      swarm.calls = {45, 20, 4, 25, 2, 3};
      swarm.deeds = {0, 4, 4, 20, 6, 2, 4, 0, 0, 0, 0};
      break;
    case Theme::kTransfers:
      swarm.calls = {60, 20, 8, 1, 2, 2};
      at(swarm.requests, RequestKind::kPoll) = 0;
      thin_out(dice, swarm.requests, 4);
      break;
    case Theme::kQuota:
      swarm.calls = {60, 25, 4, dice.pick({0u, 15u}), 2, 2};
      swarm.deeds = {dice.pick({0u, 5u}), 20, 20, 10, 4, 0, 0, 0, 0, 0, 0};
      swarm.fill_percent = dice.pick({15u, 30u, 60u});
      thin_out(dice, swarm.requests, 2);
      break;
    case Theme::kErrors:
      swarm.faults = (1u << kFaultCount) - 1;
      swarm.fault_percent = 40;
      break;
    case Theme::kRing:
      swarm.hostile = true;
      swarm.deeds = {20, 6, 4, 4, 1, 0, 0, 0, 0, 0, 0};
      swarm.calls = {50, 35, 8, 4, 2, 2};
      break;
  }
}

}  // namespace

Swarm draw_swarm(Dice& dice) {
  Swarm swarm;
  swarm.calls = kCalls;
  swarm.deeds = kDeeds;
  swarm.requests = kRequests;
  swarm.deed_percent = dice.weighted<unsigned>({{2, 0}, {3, 10}, {4, 18}, {2, 30}});
  swarm.resfd_percent = dice.weighted<unsigned>({{5, 0}, {4, 20}, {1, 80}});
  swarm.priority_percent = dice.weighted<unsigned>({{7, 0}, {3, 15}});
  swarm.rw_flags_percent = dice.weighted<unsigned>({{5, 0}, {4, 15}, {1, 60}});
  swarm.fill_percent = dice.weighted<unsigned>({{7, 0}, {2, 4}, {1, 15}});
  swarm.contexts = dice.weighted<unsigned>({{65, 1}, {30, 2}, {4, 3}, {1, 4}});
  swarm.blocking = dice.percent(2) ? 1 + dice.below(2) : 0;
  swarm.destroys = dice.percent(6);
  swarm.hostile = dice.percent(18);
  draw_fds(dice, swarm);
  draw_faults(dice, swarm);
  apply_theme(dice,
              dice.weighted<Theme>({{40, Theme::kAny},
                                    {20, Theme::kPolls},
                                    {14, Theme::kTransfers},
                                    {14, Theme::kQuota},
                                    {6, Theme::kErrors},
                                    {6, Theme::kRing}}),
              swarm);
  thin_out(dice, swarm.deeds, 3);
  at(swarm.deeds, Deed::kRingStore) = swarm.hostile ? 15 : 0;
  if (swarm.hostile) swarm.deed_percent = std::max(swarm.deed_percent, 15u);
  if (dice.percent(8)) at(swarm.deeds, Deed::kRingMap) = 12;
  if (dice.percent(6)) at(swarm.deeds, Deed::kInChild) = 6;
  swarm.entry = dice.weighted<EntryKind>({{88, EntryKind::kNative}, {5, EntryKind::kLibaio}, {7, EntryKind::kCompat}});
  if (swarm.entry != EntryKind::kNative) at(swarm.deeds, Deed::kThrough) = 6;
  // A program that submits nothing shows little; one that submits only never finds room again.
  at(swarm.calls, Call::kSubmit) = 50;
  unsigned sum = 0;
  for (const unsigned weight : swarm.requests) sum += weight;
  if (sum == 0) at(swarm.requests, RequestKind::kPoll) = 1;
  return swarm;
}

Swarm draw_held_swarm(Dice& dice) {
  Swarm swarm = draw_swarm(dice);
  swarm.holds = true;
  at(swarm.fds, Fd::kGate) = dice.pick({8u, 40u, 200u});
  for (const RequestKind request : {RequestKind::kPread, RequestKind::kPwrite, RequestKind::kPreadv}) {
    at(swarm.requests, request) = std::max(at(swarm.requests, request), 4u);
  }
  if (dice.percent(60)) at(swarm.requests, RequestKind::kFsync) = at(swarm.requests, RequestKind::kFdsync) = 6;
  at(swarm.deeds, Deed::kGate) = 40;
  swarm.deed_percent = dice.pick({20u, 30u, 45u});
  return swarm;
}

Swarm draw_stepped_swarm(Dice& dice) {
  Swarm swarm = dice.percent(80) ? draw_held_swarm(dice) : draw_swarm(dice);
  swarm.lanes = 2 + dice.below(kLanes - 1);
  swarm.spread_lanes = dice.percent(40);
  swarm.blocking = 0;
  // Where waiters take events while a call fills the ring, many states of the quota fit.
  if (dice.percent(85)) swarm.fill_percent = 0;
  swarm.destroys = dice.percent(30);
  swarm.hostile = false;
  at(swarm.deeds, Deed::kRingStore) = 0;
  // What ends a wait: polls that fire, requests that are released and cancelled.
  if (dice.percent(70)) at(swarm.requests, RequestKind::kPoll) = 20;
  if (dice.percent(50)) at(swarm.calls, Call::kCancel) = 20;
  switch_on(swarm.fds, {Fd::kNbPipeRead, Fd::kNbPipeWrite, Fd::kPipeRead, Fd::kPipeWrite});
  if (dice.percent(50)) switch_on(swarm.fds, {Fd::kEvent, Fd::kNbEvent});
  at(swarm.deeds, Deed::kFdWrite) = 25;
  swarm.deed_percent = std::max(swarm.deed_percent, 25u);
  return swarm;
}

}  // namespace aio
