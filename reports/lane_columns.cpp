// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/lane_columns.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace aio {
namespace {

constexpr char kAwake = '.';
constexpr char kActs = '*';
constexpr char kSleeps = 'z';
constexpr char kReturns = '^';

// Lane 0 begins, and a program without an observation of it still names its lanes.
std::set<unsigned> lanes_of(const Trace& trace) {
  std::set<unsigned> lanes;
  for (const Step& step : trace.steps) {
    if (const auto* lane = std::get_if<InLane>(&step.resolved)) {
      lanes.insert(lane_of(lane->number));
    }
  }
  if (!lanes.empty()) lanes.insert(0);
  return lanes;
}

std::string in_columns(const std::map<unsigned, bool>& asleep, unsigned marked, char mark) {
  std::string columns;
  for (const auto& [lane, sleeps] : asleep) {
    if (!columns.empty()) columns += ' ';
    columns += lane == marked ? mark : sleeps ? kSleeps : kAwake;
  }
  return columns;
}

}  // namespace

LaneColumns lane_columns(const Trace& trace) {
  LaneColumns all;
  std::map<unsigned, bool> asleep;
  for (const unsigned lane : lanes_of(trace)) {
    all.head += fmt::format("{}{}", all.head.empty() ? "" : " ", lane);
    asleep[lane] = false;
  }
  unsigned current = 0;
  for (const Step& step : trace.steps) {
    if (const auto* lane = std::get_if<InLane>(&step.resolved)) {
      current = lane_of(lane->number);
    }
    LaneRow& row = all.rows.emplace_back();
    if (asleep.empty()) continue;
    row.columns = in_columns(asleep, current, kActs);
    if (!step.observation) continue;
    row.asleep = step.observation->asleep;
    for (const LaneReturn& returned : step.observation->returns) {
      if (asleep.count(returned.lane) == 0) continue;
      asleep[returned.lane] = false;
      const std::string result =
          returned.error != 0 ? std::string(errno_name(returned.error)) : fmt::format("{}", returned.result);
      row.returns.push_back(
          {in_columns(asleep, returned.lane, kReturns), fmt::format("lane {} returns {}", returned.lane, result)});
    }
    if (row.asleep) asleep[current] = true;
  }
  return all;
}

}  // namespace aio
