// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "fixtures/interruption.h"
#include "fixtures/native_entry.h"
#include "fixtures/seconds_since.h"
#include "properties/batch_queue.h"
#include "properties/exhaustive.h"
#include "properties/generator.h"
#include "properties/guide.h"
#include "properties/pool.h"
#include "properties/scenes.h"
#include "properties/trial.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBatchSize = 64;
constexpr std::uint64_t kSmallBatch = 16;  // where most programs are expected to end their worker
constexpr auto kTick = std::chrono::milliseconds(100);
constexpr unsigned kTriesAlone = 20;
constexpr unsigned kLooksAtAioNr = 50;
constexpr std::chrono::milliseconds kBetweenLooks{4};
constexpr unsigned kTriesWithHistory = 3;
// What a journal calls programs that a guide chose: it has their text, as without the corpus nobody can make them
// again.
constexpr std::string_view kGuidedName = "guided";
constexpr std::array<std::string_view, 4> kKindNames{"mixed", "plain", "held", "stepped"};
constexpr std::size_t kMostStuck = 64;     // of one round: each keeps its memory
constexpr std::size_t kMostFailures = 20;  // of the tool: what makes one worker throw may make all of them
constexpr unsigned kMostTries = 3;         // so often one may be met that does not show again
// Where divergences are taken over: how many, and for how long, are gathered before the next are confirmed.
constexpr std::size_t kMostOfRound = 8;
constexpr auto kRound = std::chrono::milliseconds(1500);
constexpr std::chrono::milliseconds kPatienceWithOthers{500};

std::string_view kind_name(ProgramKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

struct Suspect {
  Signature signature;
  std::uint64_t index = 0;
  std::uint64_t batch_first = 0;
  std::string how;  // it showed
};

// Of many divergences few are matters of chance, and each is followed by another.
void be_quick(MinimizeOptions& options) {
  options.estimate_runs = 4;
  options.max_repeats = 40;
  options.miss = 0.2;
  options.quick = true;
}

void add(const std::array<ReasonCount, kMaxReasons>& counts, std::map<std::string, std::uint64_t>& to) {
  for (const ReasonCount& each : counts) {
    if (each.reason != nullptr) to[each.reason] += each.count;
  }
}

class Campaign {
 public:
  Campaign(const Setting& setting, const CampaignOptions& options, const CampaignListener& listener)
      : setting_(journaled(setting, options)),
        options_(options),
        listener_(listener),
        // Of so many programs each shard has every so-manieth lot.
        queue_(options.first + options.shard * batch_size(), batch_size(), options.shards * batch_size()) {
    if (options.adopt && !setting_.quirks) setting_.quirks.emplace();
    for (const Signature& each : options.known) options.adopt ? setting_.quirks->add(each) : void(seen_.insert(each));
    if (options.cases) queue_.end_at(options.first + *options.cases);
  }

  CampaignResult run() {
    // What was seen once and dismissed leaves the rest of the programs to be run.
    do {
      run_programs();
      for (; !suspects_.empty() && may_find_more(); suspects_.pop_front()) confirm(suspects_.front());
      adopt();
    } while (suspects_.empty() && may_find_more() && has_more());
    if (options_.guide != nullptr) {
      options_.guide->finish();
      result_.reached = options_.guide->reached();
    }
    result_.not_tried = suspects_.size();
    result_.interrupted = stop_requested();
    return std::move(result_);
  }

 private:
  static Setting journaled(Setting setting, const CampaignOptions& options) {
    const std::string_view name = options.guide != nullptr ? kGuidedName : kind_name(options.kind);
    setting.journaled_as = fmt::format("programs {} {}", name, options.seed);
    if (options.guide != nullptr) setting.journaled_text = options.journaled_text;
    return setting;
  }

  void run_programs() {
    const Guide* const guide = options_.guide;
    Pool pool(setting_, source(), guide != nullptr ? &guide->reached() : &result_.reached, guide != nullptr);
    const std::size_t at_once = std::min<std::size_t>(options_.jobs * kWorkersPerCpu, kMaxWorkers);
    while (true) {
      const auto has_room = [&] { return pool.existing() < kMaxWorkers && pool.stuck() < kMostStuck; };
      while (pool.running() < at_once && has_room() && has_more() && may_take()) pool.start(take_order());
      if (pool.running() == 0) break;
      for (const FinishedBatch& batch : pool.collect(kTick)) account(batch);
      report(pool.in_progress(), "running");
    }
    result_.seconds = seconds_since(start_);
  }

  // Whether the next batch can be made yet.
  bool may_take() const { return options_.guide == nullptr || options_.guide->is_open(queue_.next()); }

  ProgramSource source() const {
    if (options_.guide != nullptr) return [this](std::uint64_t index) { return options_.guide->program(index); };
    return [seed = options_.seed, kind = options_.kind, adopt = options_.adopt](std::uint64_t index) {
      return adopt && kind == ProgramKind::kMixed ? survey_program(seed, index) : campaign_program(seed, index, kind);
    };
  }
  std::size_t most_findings() const { return options_.stop_at ? 1 : options_.max_findings; }

  bool may_find_more() const { return !stop_requested() && result_.findings.size() < most_findings(); }

  bool has_more() const {
    if (stop_requested() || suspects_.size() >= most_findings()) return false;
    if (round_is_full() || result_.failures.size() >= kMostFailures) return false;
    if (!options_.cases) return Clock::now() - start_ < options_.time;
    return !queue_.empty();
  }

  // Where the first differences are to be taken over soon there is no use in meeting them again and again.
  bool round_is_full() const {
    return options_.adopt && !suspects_.empty() &&
           (suspects_.size() >= kMostOfRound || Clock::now() - suspected_ > kRound);
  }

  // All of a round were confirmed by what the model knew then.
  void adopt() {
    if (!options_.adopt) return;
    for (; adopted_ < result_.findings.size(); ++adopted_) setting_.quirks->add(result_.findings[adopted_].signature);
    seen_.clear();
  }
  bool is_known(const Signature& signature) const {
    if (!options_.adopt) return false;
    const auto& found = result_.findings;
    const Signature plain = Quirks::plain(signature);
    return setting_.quirks->has(signature) || std::any_of(found.begin(), found.end(), [&](const Found& each) {
             return Quirks::plain(each.signature) == plain;
           });
  }

  std::uint64_t batch_size() const { return options_.adopt ? kSmallBatch : kBatchSize; }

  BatchOrder take_order() {
    BatchOrder order = queue_.take();
    order.ceiling = usual_ceiling(setting_.machine);
    // Where something is known to get lost, the run need not wait for it each time.
    order.patience = loses_ ? std::min(kTrialPatience, setting_.hang_time) : setting_.hang_time;
    if (options_.adopt) order.patience = std::min(order.patience, kPatienceWithOthers);
    order.hasty = options_.adopt;
    order.first_cpu = turn_++ % setting_.machine.usable_cpus;
    return order;
  }

  void account(const FinishedBatch& batch) {
    const BatchState& state = *batch.state;
    result_.tally += state.tally;
    result_.program_hash += state.program_hash;
    std::transform(state.exercised.begin(), state.exercised.end(), result_.exercised.begin(), result_.exercised.begin(),
                   std::plus<>());
    add(state.reasons, result_.undecided);
    add(state.left_out, result_.left_out);
    add(state.refusals, result_.refused);
    const std::uint64_t next = batch.next();
    note_reached(batch, options_.guide, result_.reached);
    if (batch.end == BatchEnd::kFailed) {
      result_.failures.push_back("a worker failed at program " + std::to_string(next - 1));
    } else if (const auto shown = batch.shown()) {
      const std::string at = "at operation " + std::to_string(state.diverged_at) + ", ";
      const std::string how = state.diverged ? at + state.diverged_how.data() : batch.death;
      suspect({*shown, next - 1, batch.order.first, how});
    }
    queue_.give_back(batch.order, next);
  }

  void suspect(const Suspect& suspect) {
    const Signature& signature = suspect.signature;
    if (signature.kind == Kind::kLost || signature.kind == Kind::kCounter) loses_ = true;
    if (options_.stop_at && signature.requirement != *options_.stop_at) return;
    // A plain call of another system is not what this is about.
    if (options_.adopt && signature.requirement == Req::kUserActions) return;
    if (is_known(signature) || given_up_[signature] >= kMostTries) return;
    if (suspects_.empty()) suspected_ = Clock::now();
    const auto key = [this](const Signature& each) { return options_.adopt ? Quirks::plain(each) : each; };
    const auto same = std::find_if(suspects_.begin(), suspects_.end(),
                                   [&](const Suspect& each) { return key(each.signature) == key(signature); });
    if (same == suspects_.end()) {
      if (options_.adopt || seen_.insert(signature).second) suspects_.push_back(suspect);
    } else if (length(suspect) < length(*same)) {
      // The shortest program is nearest to the minimized one.
      firsts_.emplace(signature, std::exchange(*same, suspect));
    }
  }

  std::size_t length(const Suspect& suspect) const { return source()(suspect.index).operations.size(); }

  void confirm(const Suspect& suspect) {
    report({}, "repeating");
    const Program program = source()(suspect.index);
    Found finding;
    finding.signature = suspect.signature;
    finding.program = program;
    finding.found_at = suspect.index;
    finding.found_length = program.operations.size();
    finding.quirks = setting_.quirks;
    if (is_known(suspect.signature)) return;
    Setting journaled_alone = setting_;
    journaled_alone.journaled_as += fmt::format(" {}", suspect.index);
    Trials trials(journaled_alone, suspect.signature);
    bool alone = false;
    if (suspect.signature.kind == Kind::kAioNr) {
      // Others who use AIO here may move aio-nr again, but not in most runs.
      const unsigned shown = trials({program}, kTriesAlone)[0];
      alone = 2 * shown >= kTriesAlone;
      if (!alone || (shown < kTriesAlone && others_move_aio_nr())) return dismiss(suspect);
    }
    for (unsigned tries = 0; tries < kTriesAlone && !alone; tries += 5) {
      alone = trials({program}, options_.adopt ? 2 : 5)[0] > 0;
      // Which rule a quota's history blames may depend on when completions came: what it shows alone is its name.
      const std::optional<Signature> other = alone ? std::nullopt : trials.mostly_instead();
      if (other) return confirm_as(*other, suspect);
    }
    if (!alone && !repeats_with_history(suspect)) return dismiss(suspect);
    finding.needs_history = !alone;
    if (alone) {
      MinimizeOptions minimize_options;
      minimize_options.budget = options_.minimize_budget;
      if (options_.adopt) be_quick(minimize_options);
      report({}, "minimizing");
      const Minimized minimized = minimize(program, std::ref(trials), minimize_options,
                                           [this](const Program&, unsigned) { report({}, "minimizing"); });
      finding.program = minimized.program;
      finding.shown = minimized.shown;
      finding.of = minimized.of;
      finding.out_of_budget = minimized.out_of_budget;
      if (finding.shown == 0) return dismiss(suspect);
      const bool is_rare = 2 * finding.shown < finding.of;
      if (is_rare && suspect.signature.kind == Kind::kAioNr && others_move_aio_nr()) return dismiss(suspect);
    }
    forget_unrepeated(finding.signature);
    if (listener_.found) listener_.found(finding);
    result_.findings.push_back(std::move(finding));
  }

  void confirm_as(const Signature& signature, const Suspect& suspect) {
    if (options_.stop_at && signature.requirement != *options_.stop_at) return dismiss(suspect);
    if (!is_known(signature) && seen_.insert(signature).second)
      confirm({signature, suspect.index, suspect.batch_first, suspect.how});
  }

  // Whether it moves though none of ours moves it.
  bool others_move_aio_nr() const {
    if (setting_.ledger == nullptr) return true;
    NativeEntry kernel;
    bool moved = false;
    for (unsigned looks = 0; looks < kLooksAtAioNr && !moved; ++looks) {
      moved = !setting_.ledger->lock([&] { return kernel.aio_nr(); }) || setting_.ledger->drift() != 0;
      setting_.ledger->unlock(0, false);
      std::this_thread::sleep_for(kBetweenLooks);
    }
    return moved;
  }

  // It was seen, and does not show again; it may with another program, or more often later.
  void dismiss(const Suspect& suspect) {
    const Signature& signature = suspect.signature;
    const bool is_last = ++given_up_[signature] >= kMostTries;
    if (options_.adopt && !is_last) return;
    if (const auto first = firsts_.extract(signature)) {
      suspects_.push_back(first.mapped());
      return;
    }
    if (!is_last) seen_.erase(signature);
    if (signature.kind == Kind::kAioNr) {
      // Nothing of ours moved it.
      ++result_.undecided["aio-nr was moved by somebody else"];
    } else {
      forget_unrepeated(signature);
      result_.unrepeated.push_back({signature, suspect.index, suspect.how});
    }
  }

  void forget_unrepeated(const Signature& signature) {
    std::erase_if(result_.unrepeated, [&](const Unrepeated& each) { return each.signature == signature; });
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

  Setting setting_;
  const CampaignOptions& options_;
  const CampaignListener& listener_;
  const Clock::time_point start_ = Clock::now();
  CampaignResult result_;
  BatchQueue queue_;
  unsigned turn_ = 0;
  bool loses_ = false;  // a divergence was seen that is waited for
  std::set<Signature> seen_;
  std::deque<Suspect> suspects_;            // one of each signature
  std::map<Signature, Suspect> firsts_;     // that were met before the shortest
  Clock::time_point suspected_;             // since when there are suspects
  std::map<Signature, unsigned> given_up_;  // how often it did not show again
  std::size_t adopted_ = 0;                 // findings
};

}  // namespace

Program campaign_program(std::uint64_t seed, std::uint64_t index, ProgramKind kind) {
  if (kind != ProgramKind::kMixed) return generate(seed, index, {.kind = kind});
  if (index % 2 == 0 && index / 2 < exhaustive_count()) return exhaustive_program(index / 2);
  return generate(seed, index);
}

std::optional<Program> journaled_program(const std::string& what, std::uint64_t current) {
  std::istringstream words(what);
  std::string programs;
  std::string kind;
  std::uint64_t seed = 0;
  if (!(words >> programs >> kind >> seed) || programs != "programs") return std::nullopt;
  const auto named = std::find(kKindNames.begin(), kKindNames.end(), kind);
  if (named == kKindNames.end()) return std::nullopt;
  std::uint64_t index = 0;
  if (!(words >> index)) index = current;
  return campaign_program(seed, index, static_cast<ProgramKind>(named - kKindNames.begin()));
}

Program survey_program(std::uint64_t seed, std::uint64_t index) {
  constexpr std::uint64_t kShortest = 3;
  constexpr std::uint64_t kLengths = 6;
  if (index % 4 == 3 && index / 4 < exhaustive_count()) return exhaustive_program(index / 4);
  if (index % 8 == 5) return scene(seed, index);
  if (index % 16 == 0) return generate(seed, index, {.kind = ProgramKind::kPlain});
  const auto longest = static_cast<unsigned>(kShortest + index % kLengths);
  return generate(seed, index, {.max_operations = longest, .kind = ProgramKind::kPlain});
}

CampaignResult run_campaign(const Setting& setting, const CampaignOptions& options, const CampaignListener& listener) {
  return Campaign(setting, options, listener).run();
}

}  // namespace aio
