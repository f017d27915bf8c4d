// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench_guidance.h"

#include <algorithm>
#include <deque>

#include "fixtures/interruption.h"
#include "properties/campaign.h"
#include "properties/guide.h"
#include "properties/pool.h"
#include "properties/trial.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBatchSize = 64;
constexpr unsigned kTries = 3;
constexpr std::chrono::milliseconds kTick{50};

class Searcher {
 public:
  Searcher(const Setting& setting, const SearchOptions& options)
      : setting_(setting), options_(options), guide_(GuideOptions{.seed = options.seed}, {}) {}

  Search run() {
    {
      Pool pool(setting_, source(), options_.guided ? &guide_.reached() : &result_.reached, options_.kernel);
      const std::size_t at_once = std::min<std::size_t>(setting_.machine.usable_cpus * kWorkersPerCpu, kMaxWorkers);
      while (true) {
        while (pool.running() < at_once && pool.existing() < kMaxWorkers && may_take()) pool.start(take());
        if (pool.running() == 0 && !may_take()) break;
        for (const FinishedBatch& batch : pool.collect(kTick)) account(batch);
      }
    }
    if (options_.guided) {
      guide_.finish();
      result_.reached = guide_.reached();
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return std::move(result_);
  }

 private:
  ProgramSource source() const {
    if (options_.guided) return [this](std::uint64_t index) { return guide_.program(index); };
    return [this](std::uint64_t index) { return campaign_program(options_.seed, index); };
  }

  // What was found ends the search once all programs before it were run.
  std::uint64_t end() const { return result_.found_after.value_or(options_.most_programs); }
  bool may_take() const {
    if (stop_requested() || Clock::now() - start_ > options_.time) return false;
    if (!rests_.empty()) return true;
    return next_ < end() && (!options_.guided || guide_.is_open(next_));
  }

  BatchOrder take() {
    BatchOrder order;
    if (!rests_.empty()) {
      order = rests_.front();
      rests_.pop_front();
    } else {
      order.first = next_;
      next_ = order.last = std::min(next_ + kBatchSize, options_.most_programs);
    }
    order.ceiling = usual_ceiling(setting_.machine);
    order.patience = setting_.hang_time;
    order.first_cpu = turn_++ % setting_.machine.usable_cpus;
    return order;
  }

  void account(const FinishedBatch& batch) {
    const std::uint64_t next = batch.next();
    result_.tally += batch.state->tally;
    if (options_.guided) {
      guide_.account(batch.order.first, next, *batch.discoveries);
    } else {
      for (const Discovery& each : batch.discoveries->found()) result_.reached.add(each.feature);
    }
    const std::optional<Signature> shown = batch.shown();
    if (shown && options_.until_found && next < end() && repeats(*shown, next - 1)) {
      result_.found_after = next;
      result_.found_length = source()(next - 1).operations.size();
    }
    BatchOrder rest = batch.order;
    rest.first = next;
    rest.last = std::min(rest.last, end());
    if (rest.first < rest.last) rests_.push_back(rest);
    std::erase_if(rests_, [this](const BatchOrder& order) { return order.first >= end(); });
  }

  // Others on the machine move aio-nr and delay completions.
  bool repeats(const Signature& signature, std::uint64_t index) const {
    Trials trials(setting_, signature);
    const Program program = source()(index);
    return 2 * trials({program}, kTries)[0] > kTries || trials.mostly_instead().has_value();
  }

  const Setting& setting_;
  const SearchOptions options_;
  Guide guide_;
  const Clock::time_point start_ = Clock::now();
  Search result_;
  std::uint64_t next_ = 0;
  unsigned turn_ = 0;
  std::deque<BatchOrder> rests_;
};

}  // namespace

Search search(const Setting& setting, const SearchOptions& options) { return Searcher(setting, options).run(); }

}  // namespace aio
