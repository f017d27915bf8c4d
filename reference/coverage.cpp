// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/coverage.h"

#include <algorithm>
#include <bit>

#include "reference/model.h"
#include "reference/resolve.h"

namespace aio {
namespace {

// The number of a combination of choices, each of which is one of so many.
class MixedRadix {
 public:
  template <class Choice>
  MixedRadix& with(Choice choice, std::uint32_t of) {
    index_ = index_ * of + static_cast<std::uint32_t>(choice);
    return *this;
  }
  std::uint32_t index() const { return index_; }

 private:
  std::uint32_t index_ = 0;
};

Ending ending_of(const Observation& seen) {
  if (seen.skipped) return Ending::kNotMade;
  if (seen.asleep) return Ending::kAsleep;
  if (seen.error != 0 || seen.result < 0) return Ending::kFailed;
  if (seen.result > 1) return Ending::kMore;
  return seen.result == 1 ? Ending::kOne : Ending::kZero;
}

}  // namespace

std::uint32_t index_of(const AbstractState& state) {
  return MixedRadix()
      .with(state.life, 3)
      .with(state.ring, 7)
      .with(state.quota, kQuotas)
      .with(state.elsewhere, 2)
      .with(state.unaccounted, 2)
      .with(state.polls, 3)
      .with(state.held, 3)
      .with(state.waiters, 3)
      .with(state.submitting, 2)
      .with(state.access, 3)
      .with(state.users_tail, 2)
      .index();
}

bool CoverageMap::add(Feature feature) {
  std::uint64_t& word = bits_[feature / 64];
  const std::uint64_t bit = std::uint64_t{1} << (feature % 64);
  if ((word & bit) != 0) return false;
  word |= bit;
  return true;
}

std::uint64_t CoverageMap::count(const FeatureFamily& family) const {
  std::uint64_t sum = 0;
  for (Feature feature = family.first; feature < family.end();) {
    if (feature % 64 == 0 && family.end() - feature >= 64) {
      sum += static_cast<std::uint64_t>(std::popcount(bits_[feature / 64]));
      feature += 64;
    } else {
      sum += has(feature++) ? 1u : 0u;
    }
  }
  return sum;
}

void CoverageTracker::begin_program() {
  fresh_.clear();
  before_.clear();
  child_ = {};
  in_child_ = false;
  lane_ = 0;
  entry_ = EntryKind::kNative;
  last_kind_ = 0;
  last_lane_ = 0;
}

void CoverageTracker::reach(Feature feature) {
  if (map_.add(feature)) fresh_.push_back(feature);
}

void CoverageTracker::forget_program() {
  for (const Feature feature : fresh_) map_.remove(feature);
  fresh_.clear();
}

Maker CoverageTracker::maker() const {
  if (in_child_) return Maker::kChild;
  if (lane_ == kProcessLane) return Maker::kProcess;
  return lane_ == 0 ? Maker::kFirst : Maker::kThread;
}

void CoverageTracker::note(const Model& model, const Operation& resolved, const Observation& seen) {
  in_child_ = child_.take(resolved);
  if (const auto* to = std::get_if<InLane>(&resolved)) lane_ = lane_of(to->number);
  if (const auto* through = std::get_if<Through>(&resolved)) entry_ = through->entry;
  now_.clear();
  model.survey(seen.cpu, now_);
  for (const ContextSurvey& each : now_) reach(kStateFeatures.first + index_of(each.state));
  // As the operation found the context that it names.
  const std::uint64_t id = context_argument(resolved);
  const auto found = std::find_if(before_.begin(), before_.end(), [id](const auto& each) { return each.id == id; });
  const bool finds = found != before_.end();
  const std::uint32_t ring = finds ? static_cast<std::uint32_t>(found->state.ring) : kRingsFound - 1;
  const std::uint32_t quota = finds ? static_cast<std::uint32_t>(found->state.quota) : 0;
  const std::size_t kind = resolved.index();
  reach(kStepFeatures.first + MixedRadix()
                                  .with(kind, kOperationCount)
                                  .with(ending_of(seen), kEndings)
                                  .with(maker(), kMakers)
                                  .with(entry_, kEntryKindCount)
                                  .with(ring, kRingsFound)
                                  .with(quota, kQuotas)
                                  .index());
  reach(kPairFeatures.first + MixedRadix()
                                  .with(last_kind_, kOperationCount)
                                  .with(kind, kOperationCount)
                                  .with(last_lane_ != lane_, 2)
                                  .with(ring, kRingsFound)
                                  .index());
  reach(kRuleFeatures.first + MixedRadix()
                                  .with(model.decided_by(), static_cast<std::uint32_t>(kRequirementCount))
                                  .with(kind, kOperationCount)
                                  .with(maker(), kMakers)
                                  .index());
  last_kind_ = kind;
  last_lane_ = lane_;
  std::swap(before_, now_);
}

void CoverageTracker::end_program(const RequirementCounts& exercised) {
  for (std::uint32_t i = 0; i < exercised.size(); ++i) {
    if (exercised[i] > counted_[i]) reach(kRequirementFeatures.first + i);
  }
  counted_ = exercised;
}

void CoverageTracker::note_places(std::span<const std::uint64_t> places) {
  for (const std::uint64_t place : places) {
    reach(kKernelFeatures.first + static_cast<std::uint32_t>(place % kKernelFeatures.count));
  }
}

}  // namespace aio
