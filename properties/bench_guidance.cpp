// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench_guidance.h"

#include <algorithm>

#include "fixtures/interruption.h"
#include "fixtures/seconds_since.h"
#include "properties/batch_queue.h"
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
      : setting_(setting), options_(options), guide_(GuideOptions{.seed = options.seed, .kernel = options.kernel}, {}) {
    queue_.end_at(options.most_programs);
  }

  Search run() {
    {
      Pool pool(setting_, source(), options_.guided ? &guide_.reached() : &result_.reached, true);
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
    result_.seconds = seconds_since(start_);
    return std::move(result_);
  }

 private:
  ProgramSource source() const {
    if (options_.guided) return [this](std::uint64_t index) { return guide_.program(index); };
    return [this](std::uint64_t index) { return campaign_program(options_.seed, index); };
  }

  bool may_take() const {
    if (stop_requested() || Clock::now() - start_ > options_.time || queue_.empty()) return false;
    return !options_.guided || guide_.is_open(queue_.next());
  }

  BatchOrder take() {
    BatchOrder order = queue_.take();
    order.ceiling = usual_ceiling(setting_.machine);
    order.patience = setting_.hang_time;
    order.first_cpu = turn_++ % setting_.machine.usable_cpus;
    return order;
  }

  void account(const FinishedBatch& batch) {
    const std::uint64_t next = batch.next();
    result_.tally += batch.state->tally;
    note_reached(batch, options_.guided ? &guide_ : nullptr, result_.reached);
    const std::optional<Signature> shown = batch.shown();
    if (shown && options_.until_found && next < queue_.end() && repeats(*shown, next - 1)) {
      // All programs before it are still run.
      queue_.end_at(next);
      result_.found_after = next;
      result_.found_length = source()(next - 1).operations.size();
    }
    queue_.give_back(batch.order, next);
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
  BatchQueue queue_{0, kBatchSize, kBatchSize};
  unsigned turn_ = 0;
};

}  // namespace

Search search(const Setting& setting, const SearchOptions& options) { return Searcher(setting, options).run(); }

}  // namespace aio
