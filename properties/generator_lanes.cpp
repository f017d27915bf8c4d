// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lanes: who makes the next operation, waits that others end, reads of an empty pipe inside io_submit, signals.
#include "properties/generator_composer.h"

namespace aio {
namespace {

// Each lane waits with an array of its own.
constexpr unsigned kSlotsPerLane = arena::kEventSlots / kLanes;
constexpr unsigned kLikelyAsleep = 8;  // steps

}  // namespace

// Mostly to one that is awake.
void Composer::change_lane() {
  for (unsigned tries = 0; tries < 4; ++tries) {
    lane_ = dice_.below(swarm_.lanes);
    // Two lanes may also be a thread and the process.
    if (lane_ > 0 && swarm_.lanes < kLanes && program_.operations.size() % 2 == 1) lane_ = kProcessLane;
    if (asleep_[lane_] == 0) break;
  }
  add(InLane{lane_});
  if (swarm_.spread_lanes && dice_.percent(30)) add(Move{dice_.below(2)});
}

// False where the step is one as any program has it.
bool Composer::step_lanes() {
  for (unsigned& steps : asleep_) steps -= steps > 0 ? 1 : 0;
  if (asleep_[lane_] > 0 || dice_.percent(25)) change_lane();
  enum { kPlain, kWait, kRead, kInterrupt };
  switch (dice_.weighted<int>({{71, kPlain}, {15, kWait}, {4, kRead}, {10, kInterrupt}})) {
    case kWait:
      wait_in_lane();
      return true;
    case kRead:
      read_in_lane();
      return true;
    case kInterrupt:
      interrupt();
      return true;
    default:
      return false;
  }
}

void Composer::wait_in_lane() {
  Getevents op;
  const unsigned slot = pick_slot();
  op.ctx = context(slot);
  const std::int64_t more = dice_.weighted<std::int64_t>({{10, 1}, {6, 2}, {3, 3}, {1, 6}});
  op.min_nr = dice_.percent(70) ? Value(Symbol::kInRing, more) : Value(more);
  op.nr = op.min_nr;
  op.nr.offset += dice_.weighted<std::int64_t>({{5, 0}, {3, 1}, {2, 4}});
  if (dice_.percent(6)) op.min_nr = op.nr = Value(Symbol::kRingSize, dice_.pick<std::int64_t>({-1, 0, 1}));
  op.events = arena::kEvents + 32 * kSlotsPerLane * lane_;
  if (op.nr.symbol == Symbol::kRingSize) op.events = arena::kEvents;
  if (dice_.percent(80)) {
    op.timeout = arena::kNull;
  } else {
    op.sec = -1;
  }
  if (dice_.percent(35)) {
    Pgetevents other{op.ctx, op.min_nr, op.nr, op.events, op.timeout, op.sec, op.nsec};
    if (dice_.percent(15)) other.sigset = arena::kNull;
    if (dice_.percent(40)) other.signals |= signal_bit(SignalKind::kRestart);
    if (dice_.percent(30)) other.signals |= signal_bit(SignalKind::kBlocked);
    add(other);
  } else {
    add(op);
  }
  asleep_[lane_] = kLikelyAsleep;
}

void Composer::read_in_lane() {
  const unsigned slot = pick_slot();
  Submit op;
  op.ctx = context(slot);
  IocbSpec spec;
  spec.at = iocb_address(false);
  spec.data = next_data_++;
  spec.opcode = kPread;
  spec.fd = Fd::kPipeRead;
  spec.nbytes = dice_.pick<std::uint64_t>({1, 8, 100, arena::kPage});
  if (dice_.percent(swarm_.resfd_percent)) {
    spec.flags = kFlagResfd;
    spec.resfd = Fd::kNbEvent;
  }
  op.iocbs = {spec};
  hazards_.read_asleep();
  ++slots_[slot].submitted;
  add(std::move(op));
  asleep_[lane_] = kLikelyAsleep;
}

// Mostly of one that sleeps.
void Composer::interrupt() {
  const auto kind = dice_.weighted<SignalKind>({{7, SignalKind::kCaught},
                                                {6, SignalKind::kRestart},
                                                {6, SignalKind::kStop},
                                                {3, SignalKind::kIgnored},
                                                {6, SignalKind::kBlocked}});
  unsigned lane = dice_.below(kLanes);
  for (unsigned tries = 0; tries < 4 && asleep_[lane] == 0; ++tries) lane = dice_.below(kLanes);
  if (kind == SignalKind::kStop) lane = kProcessLane;
  add(Interrupt{lane, kind});
  if (kind != SignalKind::kIgnored && kind != SignalKind::kBlocked) asleep_[lane] = 0;
}

}  // namespace aio
