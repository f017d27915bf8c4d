// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/guide.h"

#include <algorithm>
#include <array>
#include <utility>

#include "properties/exhaustive.h"
#include "properties/mutator.h"
#include "reference/fnv.h"

namespace aio {
namespace {

constexpr std::uint64_t kBlock = 64;         // programs that are of one kind, so that few workers need what it needs
constexpr std::uint64_t kExhaustiveOf = 16;  // one program in so many is of the exhaustive set
constexpr unsigned kDeepPercent = 80;        // of mutants are of one that reached a new abstract state
constexpr unsigned kFreshPercent = 15;       // of the others
constexpr std::size_t kFew = 4;              // programs of a kind, below which all are fresh
constexpr unsigned kNewestPercent = 60;      // of mutants are of one of the newest quarter

constexpr std::size_t kToldAtOnce = 8;

constexpr std::uint64_t kKindStream = 3;
constexpr std::uint64_t kProgramStream = 2;

std::size_t number_of(ProgramKind kind) {
  return kind == ProgramKind::kStepped ? 2 : kind == ProgramKind::kHeld ? 1 : 0;
}

// Of each round of blocks so many are of each kind, in an order of its own: also a short run has some of all kinds.
ProgramKind kind_of_block(std::uint64_t seed, std::uint64_t block) {
  using enum ProgramKind;
  std::array round{kPlain, kPlain, kPlain, kHeld, kHeld, kHeld, kHeld, kStepped};
  Dice dice(rc::Random(rc::Random::Key{seed, block / round.size(), kKindStream, 0}));
  for (std::size_t left = round.size(); left > 1; --left) {
    std::swap(round.at(left - 1), round.at(dice.below(static_cast<std::uint32_t>(left))));
  }
  return round.at(block % round.size());
}

}  // namespace

Guide::Guide(const GuideOptions& options, std::vector<Program> corpus) : options_(options) {
  std::sort(corpus.begin(), corpus.end(), [](const Program& a, const Program& b) { return hash(a) < hash(b); });
  for (Program& program : corpus) {
    const std::uint64_t its = hash(program);
    if (!hashes_.insert(its).second) continue;
    start_hash_ = fnv_step(start_hash_, its);
    const ProgramKind kind = kind_of(program);
    all_[number_of(kind)].push_back(corpus_.size());
    deep_[number_of(kind)].push_back(corpus_.size());
    corpus_.push_back(std::move(program));
  }
  start_size_ = corpus_.size();
  told_ = start_size_;
  frozen_ = {start_size_};
}

bool Guide::is_open(std::uint64_t index) const { return needed(epoch_of(index)) < frozen_.size(); }

const Program* Guide::pick(Dice& dice, const std::vector<std::size_t>& members, std::size_t frozen) const {
  const auto end = std::lower_bound(members.begin(), members.end(), frozen);
  const auto count = static_cast<std::uint32_t>(end - members.begin());
  if (count < kFew) return nullptr;
  const std::uint32_t newest = std::max<std::uint32_t>(count / 4, 1);
  const std::uint32_t which = dice.percent(kNewestPercent) ? count - 1 - dice.below(newest) : dice.below(count);
  return &corpus_[members[which]];
}

Program Guide::program(std::uint64_t index) const {
  if (index < start_size_) return corpus_[index];
  const std::size_t frozen = frozen_.at(needed(epoch_of(index)));
  const bool mixed = options_.kind == ProgramKind::kMixed;
  if (mixed && index % kExhaustiveOf == 0 && index / kExhaustiveOf < exhaustive_count()) {
    return exhaustive_program(index / kExhaustiveOf);
  }
  const ProgramKind kind = mixed ? kind_of_block(options_.seed, index / kBlock) : options_.kind;
  const rc::Random random(rc::Random::Key{options_.seed, index, kProgramStream, 0});
  Dice dice(rc::Random(rc::Random::Key{options_.seed, index, kProgramStream, 1}));
  const ByKind& bases = dice.percent(kDeepPercent) ? deep_ : all_;
  const Program* const base = dice.percent(kFreshPercent) ? nullptr : pick(dice, bases[number_of(kind)], frozen);
  if (base == nullptr) return generate(options_.seed, index, {.kind = kind});
  const std::size_t donors = dice.below(static_cast<std::uint32_t>(number_of(kind)) + 1);
  const Program* const donor = pick(dice, deep_[donors], frozen);
  return mutate(random, kind, *base, donor != nullptr ? *donor : *base);
}

void Guide::account(std::uint64_t first, std::uint64_t next, const Discoveries& discoveries) {
  Epoch& epoch = epochs_[epoch_of(first)];
  epoch.done += next - first;
  for (const Discovery& each : discoveries.found()) {
    if (reached_.has(each.feature)) continue;
    const auto [known, is_new] = epoch.reached.try_emplace(each.feature, first + each.program);
    if (!is_new) known->second = std::min(known->second, first + each.program);
  }
  tell(kToldAtOnce);
  if (options_.one_epoch) return;
  for (auto oldest = epochs_.find(closed_); oldest != epochs_.end() && oldest->second.done == kEpoch;
       oldest = epochs_.find(closed_)) {
    close(oldest->second);
    epochs_.erase(oldest);
    ++closed_;
    frozen_.push_back(corpus_.size());
  }
}

void Guide::finish() {
  for (auto& [number, epoch] : epochs_) close(epoch);
  epochs_.clear();
  tell(corpus_.size());
}

void Guide::close(Epoch& epoch) {
  std::map<std::uint64_t, bool> first;  // by index: whether it was the first in an abstract state
  for (const auto& [feature, index] : epoch.reached) {
    if (!reached_.add(feature)) continue;
    if (!options_.kernel && feature >= kKernelFeatures.first) continue;
    first[index] = first[index] || feature < kStateFeatures.end();
  }
  for (const auto& [index, is_deep] : first) {
    if (index >= start_size_) join(index, is_deep);
  }
}

void Guide::join(std::uint64_t index, bool is_deep) {
  Program program = this->program(index);
  if (!hashes_.insert(hash(program)).second) return;
  const std::size_t kind = number_of(kind_of(program));
  all_[kind].push_back(corpus_.size());
  if (is_deep) deep_[kind].push_back(corpus_.size());
  corpus_.push_back(std::move(program));
}

void Guide::tell(std::size_t most) {
  for (; told_ < corpus_.size() && most > 0; --most) {
    if (joined_) joined_(corpus_[told_]);
    ++told_;
  }
}

void note_reached(const FinishedBatch& batch, Guide* guide, CoverageMap& reached) {
  if (guide != nullptr) return guide->account(batch.order.first, batch.next(), *batch.discoveries);
  for (const Discovery& each : batch.discoveries->found()) reached.add(each.feature);
}

}  // namespace aio
