// SPDX-License-Identifier: GPL-2.0-or-later
//
// The quota of a context: which io_submit gets a slot of the ring, to the last slot and per CPU. This is the algorithm
// of semantics.md section B, line by line; the names are its names.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "reference/geometry.h"
#include "reference/rules.h"

namespace aio {

// A number for each possible CPU. States are copied a lot: those of small machines need no allocation.
class PerCpu {
 public:
  explicit PerCpu(std::size_t cpus = 0) : beyond_(cpus > kNear ? cpus - kNear : 0) {}
  PerCpu(std::initializer_list<std::uint32_t> numbers) : PerCpu(numbers.size()) {
    unsigned cpu = 0;
    for (const std::uint32_t number : numbers) (*this)[cpu++] = number;
  }
  std::uint32_t& operator[](unsigned cpu) { return cpu < kNear ? near_[cpu] : beyond_[cpu - kNear]; }
  std::uint32_t operator[](unsigned cpu) const { return cpu < kNear ? near_[cpu] : beyond_[cpu - kNear]; }
  friend auto operator<=>(const PerCpu&, const PerCpu&) = default;

 private:
  static constexpr std::uint32_t kNear = 4;
  std::array<std::uint32_t, kNear> near_{};
  std::vector<std::uint32_t> beyond_;
};

// One candidate for the state of a context's slots.
struct Slots {
  std::uint32_t global = 0;     // G
  PerCpu local;                 // L[cpu]
  std::uint32_t completed = 0;  // C: events written and not yet accounted for

  friend auto operator<=>(const Slots&, const Slots&) = default;
};

// The rules by which slots move, for a ring of one geometry.
class Quota {
 public:
  Quota(const Geometry& geometry, std::uint32_t possible_cpus, const Rules& rules);

  Slots fresh() const;
  // A request takes a slot on `cpu`, after a refill if need be. False: io_submit answers EAGAIN.
  bool take(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const;
  // io_submit failed after it took a slot.
  void give_back(Slots& slots, unsigned cpu) const;
  // A completion was written by `cpu`; `tail` is the kernel's tail after it, `head` the user-visible word.
  void complete(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const;

 private:
  bool get(Slots& slots, unsigned cpu) const;
  void put(Slots& slots, unsigned cpu, std::uint32_t count) const;
  void refill(Slots& slots, unsigned cpu, std::uint32_t head, std::uint32_t tail) const;

  std::uint32_t ring_size_;
  std::uint32_t available_;
  std::uint32_t batch_;
  std::uint32_t cpus_;
  const Rules* rules_;
};

// What happened to a context's slots, in order: enough to ask whether another rule would explain the kernel's answers.
struct QuotaStep {
  enum class What : std::uint8_t { kTaken, kDenied, kGivenBack, kCompleted };
  What what;
  unsigned cpu;
  std::uint32_t head;
  std::uint32_t tail;
};
using QuotaHistory = std::vector<QuotaStep>;

// Whether a quota by these rules answers every take of the history as the kernel did.
bool explains(const QuotaHistory& history, const Quota& quota);

// The requirement whose flip explains the history; Req::kQuotaPinnedMax if none does.
Req blame(const QuotaHistory& history, const Geometry& geometry, std::uint32_t possible_cpus, const Rules& rules);

}  // namespace aio
