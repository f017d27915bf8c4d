// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit: its count, its array of pointers and how often each iocb is in it.
#include <algorithm>
#include <limits>

#include "properties/generator_composer.h"

namespace aio {

namespace {

// Below this many requests no ring is full, whatever the number of CPUs (semantics.md B: worst case
// of nr_events = 1; R grows with the CPUs).
constexpr unsigned kSurelyRoom = 60;
// An iocb of an io_submit that fills the ring may run this often.
constexpr std::uint64_t kManyTimes = 4096;

bool is_direct(const IocbSpec& spec) { return spec.fd == Fd::kDirect && spec.opcode != kPoll; }
bool completes_late(const IocbSpec& spec) { return spec.opcode == kFsync || spec.opcode == kFdsync || is_direct(spec); }

}  // namespace

void Composer::submit() {
  const unsigned slot = pick_slot();
  Submit op;
  draw_faults(kSubmitFaults);
  op.ctx = context_of(slot);
  const std::uint32_t faults = faults_now_;
  const bool fills = dice_.percent(swarm_.fill_percent);
  const std::uint64_t times = fill_submit(op, fills);
  bool clean = faults == 0 && slots_[slot].live && !slots_[slot].hostile;
  for (IocbSpec& spec : op.iocbs) {
    spec = iocb(fills, &spec == &op.iocbs.front());
    clean = clean && faults_now_ == 0;
  }
  slots_[slot].submitted += static_cast<unsigned>(times * op.iocbs.size());
  clean = clean && slots_[slot].submitted < kSurelyRoom;
  for (IocbSpec& spec : op.iocbs) {
    hazards_.tame(spec, times, clean);
    if (spec.opcode == kPoll || spec.fd == Fd::kGate) polls_.push_back(spec.at);
  }
  part_late(op);
  faults_now_ = faults;
  spoil_submit(op);
  add(std::move(op));
}

// What completes at any time during the call moves its bytes and signals its eventfd at any time too: the call's other
// iocbs keep away from these.
void Composer::part_late(Submit& op) {
  const auto moves_late = [&](const IocbSpec& spec) {
    const bool gate = spec.fd == Fd::kGate && is_transfer(spec.opcode);
    return is_direct(spec) || (gate && (is_write(spec.opcode) || !hazards_.holds()));
  };
  const auto first = std::find_if(op.iocbs.begin(), op.iocbs.end(), moves_late);
  if (first != op.iocbs.end() && op.fill != Value(1)) {
    const bool fetches = first->fd == Fd::kGate && is_write(first->opcode);
    const auto rest = std::remove_if(first + 1, op.iocbs.end(), [&](const IocbSpec& spec) {
      return !fetches || is_read(spec.opcode) || is_direct(spec);
    });
    op.iocbs.erase(rest, op.iocbs.end());
    op.fill = op.nr = static_cast<std::int64_t>(op.iocbs.size());
  }
  for (const IocbSpec& late : op.iocbs) {
    if (!completes_late(late) || (late.flags & kFlagResfd) == 0) continue;
    for (IocbSpec& spec : op.iocbs) {
      if (spec.fd == late.resfd) spec.fd = Fd::kNbPipeRead;
    }
  }
}

// Sets nr, fill and the number of iocbs; returns how often each may run.
std::uint64_t Composer::fill_submit(Submit& op, bool fills) {
  if (fills) {
    op.iocbs.resize(dice_.weighted<std::size_t>({{6, 1}, {2, 2}, {2, 3}}));
    op.fill = {Symbol::kQuota, dice_.weighted<std::int64_t>({{5, 0}, {3, 1}, {2, -1}, {1, -15}})};
    op.nr = op.fill;
    return kManyTimes;
  }
  auto fill = static_cast<std::int64_t>(
      dice_.weighted<unsigned>({{50, 1}, {14, 2}, {12, 3}, {8, 4}, {4, 5}, {4, 6}, {2, 7}, {6, 8}}));
  // Who waits for events may take some while others come, so that many states of the quota fit.
  if (swarm_.lanes > 1 && dice_.percent(70)) fill = 1;
  // Fewer iocbs than pointers: the same iocb is submitted more than once.
  const std::int64_t made = dice_.percent(85) ? fill : 1 + dice_.below(static_cast<unsigned>(fill));
  op.iocbs.resize(static_cast<std::size_t>(made));
  op.fill = fill;
  op.nr = fill;
  return static_cast<std::uint64_t>((fill + made - 1) / made);
}

void Composer::spoil_submit(Submit& op) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (has(Fault::kCount)) {
    op.nr = dice_.pick<Value>(
        {0, -1, -1, std::numeric_limits<std::int64_t>::min(), 1, {op.fill.symbol, op.fill.offset - 1}});
    if (dice_.percent(30)) {
      // One pointer more than was stored: an older one, or the canary.
      op.nr = {op.fill.symbol, op.fill.offset + 1};
      hazards_.replayed_one();
    } else if (hazards_.replays_are_safe() && dice_.percent(50)) {
      op.nr = dice_.pick<Value>(
          {kMost, {Symbol::kInRing, 0}, {Symbol::kInRing, 1}, {Symbol::kRingSize, 1}, {Symbol::kQuota, 1}});
    }
  }
  if (has(Fault::kList)) {
    if (hazards_.replays_are_safe() && dice_.percent(40)) {
      // The array ends at the page's end, so that only the first pointers can be read.
      const std::int64_t readable = dice_.below(4);
      op.fill = arena::kPointerSlots;
      op.nr = readable + dice_.pick<std::int64_t>({0, 1, 4, 1000});
      op.list = arena::kPointers + 8 * static_cast<Address>(arena::kPointerSlots - readable);
      if (dice_.percent(20)) op.list += 4;
    } else {
      op.list = bad_pointer();
    }
    if (dice_.percent(10)) op.nr = 0;
  }
}

}  // namespace aio
