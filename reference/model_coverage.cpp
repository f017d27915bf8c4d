// SPDX-License-Identifier: GPL-2.0-or-later
//
// The abstract states of a model's contexts: coverage.h says what each part means.
#include <algorithm>

#include "reference/coverage.h"
#include "reference/model.h"

namespace aio {
namespace {

Some some(std::size_t count) { return count == 0 ? Some::kNone : count == 1 ? Some::kOne : Some::kMore; }

AbstractState::Ring ring_state(const Context& context) {
  using Ring = AbstractState::Ring;
  const RingHeader header = context.header();
  const std::uint32_t size = context.geometry.ring_size;
  if (header.head >= size || header.tail >= size) return Ring::kOdd;
  const std::uint32_t unread = (header.tail + size - header.head) % size;
  if (unread == 0) return Ring::kEmpty;
  if (unread == 1) return Ring::kOne;
  const bool full = unread + context.geometry.batch > context.geometry.pinned_max();
  const bool wrapped = header.tail < header.head;
  if (full) return wrapped ? Ring::kFullWrapped : Ring::kFull;
  return wrapped ? Ring::kWrapped : Ring::kSome;
}

AbstractState::Quota quota_state(std::uint32_t left, const Geometry& geometry) {
  using Quota = AbstractState::Quota;
  if (left == 0) return Quota::kNone;
  if (left < geometry.batch) return Quota::kBelowBatch;
  return left >= geometry.pinned_max() ? Quota::kAll : Quota::kSome;
}

}  // namespace

AbstractState Model::state_of(const Context& context, unsigned cpu, AbstractState::Life life) const {
  AbstractState state;
  state.life = life;
  state.ring = ring_state(context);
  // Where several are possible: one of them.
  if (!context.candidates.empty() && !context.ringless) {
    const Slots& slots = context.candidates.front();
    const std::uint32_t batch = context.geometry.batch;
    state.quota = quota_state(slots.local[cpu] + slots.global / batch * batch, context.geometry);
    for (unsigned other = 0; other < machine_->possible_cpus; ++other) {
      state.elsewhere = state.elsewhere || (other != cpu && slots.local[other] > 0);
    }
    state.unaccounted = slots.completed > 0;
  }
  const auto is_its = [&](const auto& each) { return each.context == context.serial; };
  state.polls = some(context.pending.size());
  state.held = some(static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), is_its) +
                                             std::count_if(coming_.begin(), coming_.end(), is_its)));
  std::size_t waiters = 0;
  for (const Sleeper& sleeper : sleepers_) {
    if (!is_its(sleeper)) continue;
    if (sleeper.what == Sleeper::What::kGetevents) ++waiters;
    if (sleeper.what == Sleeper::What::kSubmit) state.submitting = true;
  }
  state.waiters = some(waiters);
  if (context.access == MapAction::kHide) state.access = AbstractState::Access::kHidden;
  if (context.access == MapAction::kFreeze) state.access = AbstractState::Access::kFrozen;
  state.users_tail = context.tail_is_users;
  return state;
}

void Model::survey(unsigned cpu, std::vector<ContextSurvey>& into) const {
  using Life = AbstractState::Life;
  for (const Context& each : contexts_) into.push_back({each.id, state_of(each, cpu, Life::kLive)});
  for (const Context& each : dying_) into.push_back({each.id, state_of(each, cpu, Life::kDying)});
  for (const Context& each : lost_) into.push_back({each.id, state_of(each, cpu, Life::kUnmapped)});
}

}  // namespace aio
