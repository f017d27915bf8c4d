// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/history_check.h"

#include <algorithm>
#include <unordered_set>

#include "properties/history_state.h"

namespace aio {
namespace {

using Phase = LaneState::Phase;

// A call's beginning or end, in the order of the history.
struct Moment {
  std::uint64_t at;
  std::size_t call;
  bool is_end;
};

class Search {
 public:
  Search(const History& history, const Fates* fates, std::size_t most) : history_(history), fates_(fates), most_(most) {
    Configuration first;
    first.contexts.resize(history.contexts);
    first.signalled.resize(history.eventfds);
    first.counters.resize(history.counters);
    std::uint8_t lanes = 0;
    for (const HistoryCall& each : history.calls) {
      lanes = std::max({lanes, static_cast<std::uint8_t>(each.lane + 1), static_cast<std::uint8_t>(each.target + 1)});
    }
    first.lanes.resize(lanes);
    first.hit.resize(lanes);
    all_.push_back(std::move(first));
  }

  HistoryCheck run() {
    for (const Moment& each : moments()) {
      if (each.is_end) {
        end(each.call);
      } else {
        begin(each.call);
      }
      if (result_.verdict != HistoryVerdict::kExplained) return result_;
    }
    if (history_.settled) follow([](const Configuration& each) { return each.at_rest(); });
    return result_;
  }

 private:
  std::vector<Moment> moments() const {
    std::vector<Moment> moments;
    for (std::size_t i = 0; i < history_.calls.size(); ++i) {
      moments.push_back({history_.calls[i].began, i, false});
      if (!history_.calls[i].cut_off) moments.push_back({history_.calls[i].ended, i, true});
    }
    std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.at < b.at; });
    return moments;
  }

  void begin(std::size_t call) {
    for (Configuration& each : all_) {
      each.lanes[history_.calls[call].lane] = {Phase::kBegun, 0, 0, &history_.calls[call]};
    }
  }

  void end(std::size_t call) {
    const std::uint8_t lane = history_.calls[call].lane;
    follow([&](const Configuration& each) { return each.lanes[lane].phase == Phase::kDone; });
    if (result_.verdict == HistoryVerdict::kUnexplained) result_.call = call;
    for (Configuration& each : all_) each.lanes[lane] = {};
  }

  // All configurations that steps lead to, each as far as the first that is `wanted`.
  template <class Wanted>
  void follow(Wanted wanted) {
    std::vector<Configuration> found;
    std::unordered_set<std::string> known;
    std::vector<Configuration> open;
    const auto meet = [&](Configuration& each) {
      if (!known.insert(each.key()).second) return;
      (wanted(each) ? found : open).push_back(std::move(each));
    };
    for (Configuration& each : all_) meet(each);
    std::vector<Configuration> next;
    while (!open.empty()) {
      if (++result_.configurations > most_) {
        result_.verdict = HistoryVerdict::kUndecided;
        all_.clear();
        return;
      }
      const Configuration each = std::move(open.back());
      open.pop_back();
      next.clear();
      each.add_steps(history_, fates_, next);
      for (Configuration& one : next) meet(one);
    }
    if (found.empty()) result_.verdict = HistoryVerdict::kUnexplained;
    all_ = std::move(found);
  }

  const History& history_;
  const Fates* const fates_;
  const std::size_t most_;
  std::vector<Configuration> all_;
  HistoryCheck result_;
};

// An io_submit of whose list the file has other bytes than those of the requests that were taken.
std::optional<std::size_t> call_with_wrong_file(const History& history) {
  for (std::size_t i = 0; i < history.calls.size() && !history.in_file.empty(); ++i) {
    const HistoryCall& call = history.calls[i];
    for (std::size_t j = 0; j < call.requests.size() && !call.cut_off; ++j) {
      const bool taken = static_cast<std::int64_t>(j) < call.result;
      const bool writes = call.requests[j].kind == HistoryRequest::Kind::kAtOnce;
      if (writes && history.in_file[call.requests[j].number] != taken) return i;
    }
  }
  return std::nullopt;
}

}  // namespace

HistoryCheck check_history(const History& history, std::size_t most_configurations) {
  if (const auto wrong = call_with_wrong_file(history)) return {HistoryVerdict::kUnexplained, wrong, true, 0};
  const auto is_cut_off = [](const HistoryCall& each) { return each.cut_off; };
  if (std::any_of(history.calls.begin(), history.calls.end(), is_cut_off)) {
    return Search(history, nullptr, most_configurations).run();
  }
  const Fates fates(history);
  HistoryCheck check = Search(history, &fates, most_configurations).run();
  if (check.verdict != HistoryVerdict::kUnexplained) return check;
  // Its end came too early: where nothing is known beforehand, it is the call that is wrong.
  const HistoryCheck whole = Search(history, nullptr, most_configurations / 10).run();
  if (whole.verdict == HistoryVerdict::kUnexplained) check.call = whole.call;
  return check;
}

}  // namespace aio
