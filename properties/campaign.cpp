// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/campaign.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <set>

#include "fixtures/interruption.h"
#include "properties/exhaustive.h"
#include "properties/generator.h"
#include "properties/pool.h"
#include "properties/trial.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBatchSize = 64;
constexpr auto kTick = std::chrono::milliseconds(100);
constexpr unsigned kTriesAlone = 20;
constexpr unsigned kTriesWithHistory = 3;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Suspect {
  Signature signature;
  std::uint64_t index = 0;
  std::uint64_t batch_first = 0;
  std::string how;  // it showed
};

class Campaign {
 public:
  Campaign(const Setting& setting, const CampaignOptions& options, const CampaignListener& listener)
      : setting_(setting), options_(options), listener_(listener) {}

  CampaignResult run() {
    // What was seen once and dismissed leaves the rest of the programs to be run.
    do {
      run_programs();
      for (; !suspects_.empty() && may_find_more(); suspects_.pop_front()) confirm(suspects_.front());
    } while (suspects_.empty() && may_find_more() && has_more());
    result_.not_tried = suspects_.size();
    result_.interrupted = stop_requested();
    return std::move(result_);
  }

 private:
  void run_programs() {
    Pool pool(setting_, source());
    const std::size_t at_once = std::min<std::size_t>(options_.jobs * kWorkersPerCpu, kMaxWorkers);
    while (true) {
      while (pool.running() < at_once && pool.existing() < kMaxWorkers && has_more()) pool.start(take_order());
      if (pool.running() == 0) break;
      for (const FinishedBatch& batch : pool.collect(kTick)) account(batch);
      report(pool.in_progress(), "running");
    }
    result_.seconds = seconds_since(start_);
  }

  ProgramSource source() const {
    return [seed = options_.seed, kind = options_.kind](std::uint64_t index) {
      return campaign_program(seed, index, kind);
    };
  }
  std::size_t most_findings() const { return options_.stop_at ? 1 : options_.max_findings; }

  bool may_find_more() const { return !stop_requested() && result_.findings.size() < most_findings(); }

  bool has_more() const {
    if (stop_requested() || suspects_.size() >= most_findings()) return false;
    if (!options_.cases) return Clock::now() - start_ < options_.time;
    return !rests_.empty() || next_ < *options_.cases;
  }

  BatchOrder take_order() {
    BatchOrder order;
    if (!rests_.empty()) {
      order = rests_.front();
      rests_.pop_front();
    } else {
      order.first = next_;
      order.last = options_.cases ? std::min(next_ + kBatchSize, *options_.cases) : next_ + kBatchSize;
      next_ = order.last;
    }
    order.ceiling = usual_ceiling(setting_.machine);
    // Where something is known to get lost, the run need not wait for it each time.
    order.patience = loses_ ? std::min(kTrialPatience, setting_.hang_time) : setting_.hang_time;
    order.first_cpu = turn_++ % setting_.machine.usable_cpus;
    return order;
  }

  void account(const FinishedBatch& batch) {
    const BatchState& state = *batch.state;
    result_.tally += state.tally;
    result_.program_hash += state.program_hash;
    std::transform(state.exercised.begin(), state.exercised.end(), result_.exercised.begin(), result_.exercised.begin(),
                   std::plus<>());
    for (const ReasonCount& reason : state.reasons) {
      if (reason.reason != nullptr) result_.undecided[reason.reason] += reason.count;
    }
    for (const ReasonCount& reason : state.left_out) {
      if (reason.reason != nullptr) result_.left_out[reason.reason] += reason.count;
    }
    for (const ReasonCount& refusal : state.refusals) {
      if (refusal.reason != nullptr) result_.refused[refusal.reason] += refusal.count;
    }
    const std::uint64_t next = batch.next();
    if (batch.death == "exit " + std::to_string(Worker::kBodyThrew)) {
      result_.failures.push_back("a worker failed at program " + std::to_string(next - 1));
    } else if (const auto shown = batch.shown()) {
      const std::string at = "at operation " + std::to_string(state.diverged_at) + ", ";
      const std::string how = state.diverged ? at + state.diverged_how.data() : batch.death;
      suspect({*shown, next - 1, batch.order.first, how});
    }
    for (std::uint64_t index = batch.order.first; index < next; ++index) {
      if (is_exhaustive(index)) ++result_.exhaustive_done;
    }
    BatchOrder rest = batch.order;
    rest.first = next;
    if (rest.first < rest.last) rests_.push_back(rest);
  }

  bool is_exhaustive(std::uint64_t index) const {
    return options_.kind == ProgramKind::kMixed && index % 4 != 3 && index / 4 * 3 + index % 4 < exhaustive_count();
  }

  void suspect(const Suspect& suspect) {
    const Signature& signature = suspect.signature;
    if (signature.kind == Kind::kLost || signature.kind == Kind::kCounter) loses_ = true;
    if (options_.stop_at && signature.requirement != *options_.stop_at) return;
    if (seen_.insert(signature).second) suspects_.push_back(suspect);
  }

  void confirm(const Suspect& suspect) {
    report({}, "repeating");
    const Program program = source()(suspect.index);
    Found finding;
    finding.signature = suspect.signature;
    finding.program = program;
    finding.found_at = suspect.index;
    finding.found_length = program.operations.size();
    Trials trials(setting_, suspect.signature);
    bool alone = false;
    if (suspect.signature.kind == Kind::kAioNr) {
      // Others who use AIO here may move aio-nr again, but not in most runs.
      alone = 2 * trials({program}, kTriesAlone)[0] >= kTriesAlone;
      if (!alone) return dismiss(suspect);
    }
    for (unsigned tries = 0; tries < kTriesAlone && !alone; tries += 5) {
      alone = trials({program}, 5)[0] > 0;
      // Which rule a quota's history blames may depend on when completions came: what it shows alone is its name.
      const std::optional<Signature> other = alone ? std::nullopt : trials.mostly_instead();
      if (other) return confirm_as(*other, suspect);
    }
    if (!alone && !repeats_with_history(suspect)) return dismiss(suspect);
    finding.needs_history = !alone;
    if (alone) {
      MinimizeOptions minimize_options;
      minimize_options.budget = options_.minimize_budget;
      report({}, "minimizing");
      const Minimized minimized = minimize(program, std::ref(trials), minimize_options,
                                           [this](const Program&, unsigned) { report({}, "minimizing"); });
      finding.program = minimized.program;
      finding.shown = minimized.shown;
      finding.of = minimized.of;
      finding.out_of_budget = minimized.out_of_budget;
      if (finding.shown == 0) return dismiss(suspect);
    }
    if (listener_.found) listener_.found(finding);
    result_.findings.push_back(std::move(finding));
  }

  void confirm_as(const Signature& signature, const Suspect& suspect) {
    const bool wanted = !options_.stop_at || signature.requirement == *options_.stop_at;
    if (wanted && seen_.insert(signature).second) confirm({signature, suspect.index, suspect.batch_first, suspect.how});
  }

  // It was seen, and does not show again.
  void dismiss(const Suspect& suspect) {
    // Nothing of ours moved aio-nr.
    if (suspect.signature.kind == Kind::kAioNr) {
      ++result_.undecided["aio-nr was moved by somebody else"];
    } else {
      result_.unrepeated.push_back({suspect.signature, suspect.index, suspect.how});
    }
  }

  // Whether it shows again after what its worker ran before it.
  bool repeats_with_history(const Suspect& suspect) {
    for (unsigned tries = 0; tries < kTriesWithHistory; ++tries) {
      Pool pool(setting_, source());
      BatchOrder order;
      order.first = suspect.batch_first;
      order.last = suspect.index + 1;
      order.patience = setting_.hang_time;
      pool.start(order);
      while (pool.running() > 0) {
        for (const FinishedBatch& batch : pool.collect(kTick)) {
          if (batch.state->diverged && batch.state->signature == suspect.signature) return true;
        }
      }
    }
    return false;
  }

  void report(const Tally& running, const char* doing) {
    if (!listener_.progress) return;
    CampaignProgress progress;
    progress.tally = result_.tally;
    progress.tally += running;
    progress.findings = result_.findings.size();
    progress.suspects = suspects_.size();
    progress.seconds = seconds_since(start_);
    progress.doing = doing;
    listener_.progress(progress);
  }

  const Setting& setting_;
  const CampaignOptions& options_;
  const CampaignListener& listener_;
  const Clock::time_point start_ = Clock::now();
  CampaignResult result_;
  std::uint64_t next_ = 0;
  unsigned turn_ = 0;
  bool loses_ = false;            // a divergence was seen that is waited for
  std::deque<BatchOrder> rests_;  // of batches that ended early
  std::set<Signature> seen_;
  std::deque<Suspect> suspects_;
};

}  // namespace

Program campaign_program(std::uint64_t seed, std::uint64_t index, ProgramKind kind) {
  if (kind != ProgramKind::kMixed) return generate(seed, index, {.kind = kind});
  const std::uint64_t round = index / 4;
  const std::uint64_t exhaustive = round * 3 + index % 4;
  if (index % 4 != 3 && exhaustive < exhaustive_count()) return exhaustive_program(exhaustive);
  return generate(seed, index);
}

CampaignResult run_campaign(const Setting& setting, const CampaignOptions& options, const CampaignListener& listener) {
  return Campaign(setting, options, listener).run();
}

}  // namespace aio
