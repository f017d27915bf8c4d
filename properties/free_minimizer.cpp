// SPDX-License-Identifier: GPL-2.0-or-later
#include <utility>

#include "properties/free_campaign.h"
#include "properties/free_programs.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

class FreeMinimizer {
 public:
  FreeMinimizer(const FreeSetting& setting, SmallFree start, std::uint64_t tries, Clock::time_point deadline)
      : setting_(setting), best_(std::move(start)), tries_(tries), deadline_(deadline) {
    best_.program.blocks.resize(best_.program.lanes.size());
    best_.program.sharing.resize(best_.program.lanes.size());
  }

  SmallFree run() {
    // What shows rarely shows in more tries.
    for (const std::uint64_t more : {std::uint64_t{1}, std::uint64_t{4}}) {
      tries_ *= more;
      while (take_out_calls() || take_out_requests()) continue;
    }
    make_plain();
    return std::move(best_);
  }

 private:
  // Whether the smaller program shows it too; then it is the best.
  bool try_program(FreeProgram smaller) {
    const auto source = [&](std::uint64_t index) { return with_pauses(smaller, 0, index); };
    if (Clock::now() >= deadline_) return false;
    FreeResult result = run_free_programs(setting_, source, 0, tries_, 1, deadline_);
    if (result.findings.empty()) return false;
    best_ = {std::move(smaller), std::move(result.findings.front().text)};
    return true;
  }

  bool take_out_calls() {
    bool any = false;
    for (std::size_t lane = best_.program.lanes.size(); lane-- > 0;) {
      for (std::size_t call = best_.program.lanes[lane].size(); call-- > 0;) {
        FreeProgram smaller = best_.program;
        auto& calls = smaller.lanes[lane];
        calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(call));
        const bool last = calls.empty();
        if (last) remove_lane(smaller, lane);
        if (smaller.lanes.empty() || !try_program(std::move(smaller))) continue;
        any = true;
        if (last) break;
      }
    }
    return any;
  }

  static void remove_lane(FreeProgram& program, std::size_t lane) {
    program.lanes.erase(program.lanes.begin() + static_cast<std::ptrdiff_t>(lane));
    for (std::vector<bool>* each : {&program.blocks, &program.sharing}) {
      each->erase(each->begin() + static_cast<std::ptrdiff_t>(lane));
    }
    for (std::size_t i = 0; i < program.lanes.size(); ++i) {
      for (HistoryCall& each : program.lanes[i]) {
        each.lane = static_cast<std::uint8_t>(i);
        if (each.target == lane) {
          each.target = each.lane;  // itself, until the call is taken out
        } else if (each.target > lane) {
          --each.target;
        }
      }
    }
  }

  bool take_out_requests() {
    bool any = false;
    for (std::size_t lane = 0; lane < best_.program.lanes.size(); ++lane) {
      for (std::size_t call = 0; call < best_.program.lanes[lane].size(); ++call) {
        for (std::size_t at = best_.program.lanes[lane][call].requests.size(); at-- > 0;) {
          FreeProgram smaller = best_.program;
          auto& requests = smaller.lanes[lane][call].requests;
          if (requests.size() == 1) break;
          requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(at));
          any |= try_program(std::move(smaller));
        }
      }
    }
    return any;
  }

  void make_plain() {
    for (std::size_t lane = 0; lane < best_.program.lanes.size(); ++lane) {
      FreeProgram smaller;
      for (const auto trait : {&FreeProgram::blocks, &FreeProgram::sharing}) {
        smaller = best_.program;
        if (!(smaller.*trait)[lane]) continue;
        (smaller.*trait)[lane] = false;
        try_program(std::move(smaller));
      }
      for (std::size_t call = 0; call < best_.program.lanes[lane].size(); ++call) {
        smaller = best_.program;
        if (std::exchange(smaller.lanes[lane][call].turns_mask, false)) try_program(std::move(smaller));
      }
    }
  }

  const FreeSetting& setting_;
  SmallFree best_;
  std::uint64_t tries_;
  const Clock::time_point deadline_;
};

}  // namespace

SmallFree minimize_free(const FreeSetting& setting, const FreeProgram& program, const std::string& text,
                        std::uint64_t tries, Clock::time_point deadline) {
  return FreeMinimizer(setting, {program, text}, tries, deadline).run();
}

}  // namespace aio
