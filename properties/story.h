// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests: histories by hand.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "properties/history_check.h"

namespace aio {

inline constexpr auto kExplained = HistoryVerdict::kExplained;
inline constexpr auto kUnexplained = HistoryVerdict::kUnexplained;

// Calls in the order in which they begin; each ends before the next one begins, unless some overlap().
class Story {
  using Kind = HistoryCall::Kind;

 public:
  explicit Story(unsigned contexts = 1, unsigned eventfds = 1) {
    history_.contexts = contexts;
    history_.eventfds = eventfds;
  }

  HistoryCall& call(std::uint8_t lane, Kind kind, std::int64_t result, int error = 0) {
    HistoryCall& made = history_.calls.emplace_back();
    made.lane = lane;
    made.kind = kind;
    made.result = error == 0 ? result : -1;
    made.error = error;
    made.began = ++clock_;
    made.ended = ++clock_;
    return made;
  }
  HistoryCall& submit(std::uint8_t lane, std::vector<HistoryRequest> requests, int error = 0) {
    HistoryCall& made = call(lane, Kind::kSubmit, static_cast<std::int64_t>(requests.size()), error);
    made.requests = std::move(requests);
    return made;
  }
  HistoryCall& getevents(std::uint8_t lane, unsigned nr, std::vector<HistoryEvent> events, int error = 0) {
    HistoryCall& made = call(lane, Kind::kGetevents, static_cast<std::int64_t>(events.size()), error);
    made.nr = nr;
    made.may_time_out = true;
    made.events = std::move(events);
    return made;
  }
  HistoryCall& cancel(std::uint8_t lane, RequestNumber number, int error) {
    HistoryCall& made = call(lane, Kind::kCancel, 0, error);
    made.cancelled = number;
    return made;
  }
  // The last `count` calls overlap: each began before any of them ended.
  void overlap(std::size_t count) {
    const std::size_t first = history_.calls.size() - count;
    for (std::size_t i = first; i < history_.calls.size(); ++i) {
      history_.calls[i].began = clock_ + 1 + i;
      history_.calls[i].ended = clock_ + 1 + count + i;
    }
    clock_ += 1 + 2 * (count + history_.calls.size());
  }

  HistoryVerdict verdict() const { return check_history(history_).verdict; }
  std::optional<std::size_t> culprit() const { return check_history(history_).call; }
  History& history() { return history_; }

 private:
  History history_;
  std::uint64_t clock_ = 0;
};

inline HistoryRequest at_once(RequestNumber number) { return {HistoryRequest::Kind::kAtOnce, number, 0, 8}; }
inline HistoryRequest later(RequestNumber number) { return {HistoryRequest::Kind::kLater, number, 0, 0}; }
inline HistoryRequest poll(RequestNumber number) { return {HistoryRequest::Kind::kPoll, number, 0, 1}; }

}  // namespace aio
