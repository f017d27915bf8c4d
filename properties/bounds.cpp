// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bounds.h"

#include <limits>

namespace aio {

namespace {

// SIGKILL, SIGUSR2 and SIGALRM: one of them ends a call that blocks.
constexpr std::uint64_t kReservedSignals = 1ull << (9 - 1) | 1ull << (12 - 1) | 1ull << (14 - 1);
// io_setup answers EINVAL above it (semantics.md A.1, step 3).
constexpr std::int64_t kMostEvents = 4'194'304;

bool writes_far_off(const IocbSpec& spec) {
  if (!is_write(spec.opcode)) return false;
  // So close to the largest offset no file system has room.
  constexpr std::int64_t kNowhere = std::numeric_limits<std::int64_t>::max();
  const std::int64_t offset = spec.offset.offset;
  if (spec.offset.symbol == Symbol::kMaxFile) return offset < 0;
  return offset >= std::int64_t{kMaxObservedFile} && offset < kNowhere;
}

// Also as the two 32-bit numbers that other calls would make of it. What is still longer only a signal ends.
bool short_or_endless(std::int64_t sec, std::int64_t nsec) {
  constexpr std::int64_t kEndless = 100'000'000'000;
  const std::int64_t narrow = wait_ns(static_cast<std::int32_t>(sec), static_cast<std::int32_t>(nsec));
  return wait_ns(sec, nsec) <= kMaxWaitNs && (narrow <= kMaxWaitNs || narrow > kEndless);
}

struct Checker {
  bool operator()(const Setup& op) const {
    return op.nr.symbol != Symbol::kLiteral || op.nr.offset <= std::int64_t{kMaxSetupSum} || op.nr.offset > kMostEvents;
  }
  bool operator()(const Submit& op) const {
    for (const IocbSpec& spec : op.iocbs) {
      if (writes_far_off(spec)) return false;
    }
    return true;
  }
  bool operator()(const Getevents& op) const { return short_or_endless(op.sec, op.nsec); }
  bool operator()(const Pgetevents& op) const {
    return short_or_endless(op.sec, op.nsec) && (op.signals & kReservedSignals) == 0;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }
};

}  // namespace

std::int64_t wait_ns(std::int64_t sec, std::int64_t nsec) {
  constexpr std::int64_t kInfiniteSec = 9'223'372'036;
  constexpr std::int64_t kCenturies = 1'000'000'000'000'000'000;
  if (sec >= kInfiniteSec) return -1;
  const std::uint64_t product = static_cast<std::uint64_t>(sec) * 1'000'000'000u;
  const auto total = static_cast<std::int64_t>(product + static_cast<std::uint64_t>(nsec));
  return total < 0 || total > kCenturies ? -1 : total;
}

bool within_bounds(const Operation& operation) { return std::visit(Checker{}, operation); }

}  // namespace aio
