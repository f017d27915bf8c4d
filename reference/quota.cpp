// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/quota.h"

#include <algorithm>
#include <array>

namespace aio {

Quota::Quota(const Geometry& geometry, std::uint32_t possible_cpus, const Rules& rules)
    : ring_size_(geometry.ring_size),
      available_(geometry.available),
      batch_(geometry.batch),
      cpus_(possible_cpus),
      rules_(&rules) {
  // One slot stays empty, so that a full ring can be told from an empty one.
  if (rules.wrong(Req::kQuotaRingLessOne)) available_ -= batch_;
  // Batches are a quarter of each CPU's share.
  if (rules.wrong(Req::kQuotaBatch)) batch_ = std::max(1u, batch_ - 1);
  if (rules.wrong(Req::kQuotaPinnedMax)) available_ += batch_;
}

Slots Quota::fresh() const { return {available_, PerCpu(cpus_), 0}; }

bool Quota::get(Slots& slots, unsigned cpu) const {
  std::uint32_t& local = slots.local[rules_->wrong(Req::kQuotaPerCpu) ? 0 : cpu];
  if (local == 0) {
    if (slots.global < batch_) return false;
    slots.global -= batch_;
    local += batch_;
  }
  --local;
  return true;
}

void Quota::put(Slots& slots, unsigned cpu, std::uint32_t count) const {
  std::uint32_t& local = slots.local[rules_->wrong(Req::kQuotaPerCpu) ? 0 : cpu];
  local += count;
  if (rules_->wrong(Req::kQuotaSurplusReturned)) return;
  while (local >= 2 * batch_) {
    local -= batch_;
    slots.global += batch_;
  }
}

void Quota::refill(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const {
  // The user's head counts only modulo the ring's size.
  if (rules_->wrong(Req::kQuotaHeadClamped)) {
    if (head >= ring_size_) return;
  }
  const std::uint32_t clamped = head % ring_size_;
  const std::uint32_t in_ring = clamped <= tail ? tail - clamped : tail + (ring_size_ - clamped);
  if (rules_->wrong(Req::kQuotaUnreadHeld)) {
    put(slots, cpu, slots.completed);
    slots.completed = 0;
    return;
  }
  if (slots.completed <= in_ring) return;
  const std::uint32_t reaped = slots.completed - in_ring;
  slots.completed -= reaped;
  put(slots, cpu, reaped);
}

bool Quota::take(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const {
  if (get(slots, cpu)) return true;
  if (slots.completed == 0 || rules_->wrong(Req::kQuotaRefillWhenDry)) return false;
  refill(slots, cpu, head, tail);
  return get(slots, cpu);
}

void Quota::give_back(Slots& slots, unsigned cpu) const {
  if (!rules_->wrong(Req::kQuotaErrorReturnsSlot)) put(slots, cpu, 1);
}

void Quota::complete(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const {
  ++slots.completed;
  if (slots.completed > 1 && !rules_->wrong(Req::kQuotaRefillOnCompletion)) refill(slots, cpu, head, tail);
}

bool explains(const QuotaHistory& history, const Quota& quota) {
  Slots slots = quota.fresh();
  for (const QuotaStep& step : history) {
    switch (step.what) {
      case QuotaStep::What::kTaken:
        if (!quota.take(slots, step.cpu, step.head, step.tail)) return false;
        break;
      case QuotaStep::What::kDenied:
        if (quota.take(slots, step.cpu, step.head, step.tail)) return false;
        break;
      case QuotaStep::What::kGivenBack:
        quota.give_back(slots, step.cpu);
        break;
      case QuotaStep::What::kCompleted:
        quota.complete(slots, step.cpu, step.head, step.tail);
        break;
    }
  }
  return true;
}

Req blame(const QuotaHistory& history, const Geometry& geometry, std::uint32_t possible_cpus, const Rules& rules) {
  static constexpr std::array kSuspects{
      Req::kQuotaErrorReturnsSlot,   Req::kQuotaHeadClamped,     Req::kQuotaUnreadHeld, Req::kQuotaRefillWhenDry,
      Req::kQuotaRefillOnCompletion, Req::kQuotaSurplusReturned, Req::kQuotaPerCpu,     Req::kQuotaBatch,
      Req::kQuotaRingLessOne,        Req::kQuotaPinnedMax};
  // Where a rule was made wrong on purpose, putting it right is the first thing to try.
  if (rules.mutant() && explains(history, Quota(geometry, possible_cpus, Rules()))) return *rules.mutant();
  for (const Req suspect : kSuspects) {
    const Rules flipped = rules.flipped(suspect);
    if (explains(history, Quota(geometry, possible_cpus, flipped))) return suspect;
  }
  return Req::kQuotaPinnedMax;
}

}  // namespace aio
