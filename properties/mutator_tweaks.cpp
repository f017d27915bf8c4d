// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/mutator_tweaks.h"

#include <limits>
#include <tuple>
#include <utility>

namespace aio {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Tweaker {
  Dice& dice;

  void operator()(Setup& op) const { op.nr = dice.pick<Value>({0, 1, 8, 63, 64, 127, 128, 191, 1000, 0x80000000}); }
  void operator()(Destroy& op) const { op.ctx = any_context(); }
  void operator()(Submit& op) const {
    switch (dice.below(5)) {
      case 0:
        op.nr = dice.pick<Value>({{op.fill.symbol, op.fill.offset - 1}, op.fill, 0, 1});
        break;
      case 1:
        op.fill = op.nr = dice.pick<Value>({1, 2, 4, 8, 16, {Symbol::kQuota, 0}, {Symbol::kQuota, -1}});
        break;
      case 2:
        op.ctx = any_context();
        break;
      default:
        if (!op.iocbs.empty()) iocb(op.iocbs[dice.below(static_cast<std::uint32_t>(op.iocbs.size()))]);
    }
  }
  void operator()(Getevents& op) const { wait(op); }
  void operator()(Pgetevents& op) const {
    if (dice.percent(70)) return wait(op);
    op.signals = dice.pick<std::uint64_t>({0, signal_bit(SignalKind::kRestart), signal_bit(SignalKind::kBlocked)});
    op.sigset = dice.pick<Address>({arena::kSigset, arena::kNull});
  }
  void operator()(Cancel& op) const {
    op.iocb = arena::iocb_slot(dice.below(8));
    if (dice.percent(30)) op.ctx = any_context();
  }
  void operator()(RingStore& op) const {
    op.value = dice.pick<Value>({0,
                                 1,
                                 {Symbol::kHead, 0},
                                 {Symbol::kTail, 0},
                                 {Symbol::kTail, 1},
                                 {Symbol::kTail, -1},
                                 {Symbol::kRingSize, -1},
                                 {Symbol::kRingSize, 0}});
  }
  void operator()(Reap& op) const {
    op.count = dice.pick<Value>({1, 2, 15, 128, {Symbol::kInRing, 0}, {Symbol::kInRing, -1}});
  }
  void operator()(Move& op) const { op.cpu = dice.below(3); }
  void operator()(FdWrite& op) const {
    op.nbytes = dice.pick<std::uint64_t>({1, 8, 100, 4096});
    op.value = dice.pick<std::uint64_t>({1, 2, ~std::uint64_t{1}});
  }
  void operator()(FdRead& op) const { op.nbytes = dice.pick<std::uint64_t>({1, 8, 4096}); }
  void operator()(ReleaseHeld& op) const {
    op.which = dice.pick<Value>({0, 1, 2, -1});
    op.result = dice.pick<std::int64_t>({std::int64_t{kGateMaxRequest}, 1, 0, 4095, -kEIO, -kEINTR});
    op.cpu = dice.below(2);
  }
  void operator()(InLane& op) const { op.number = dice.below(kLanes); }
  void operator()(Interrupt& op) const {
    op.number = dice.below(kLanes);
    op.kind = static_cast<SignalKind>(dice.below(kSignalKindCount));
  }
  void operator()(RingMap& op) const {
    op.action = dice.pick({MapAction::kMove, MapAction::kHide, MapAction::kFreeze, MapAction::kOpen, MapAction::kDrop});
  }
  void operator()(Through& op) const { op.entry = kEntryKinds.at(dice.below(kEntryKindCount)); }
  template <class Other>
  void operator()(Other&) const {}

 private:
  Value any_context() const { return context(dice.below(2)); }

  void iocb(IocbSpec& spec) const {
    switch (dice.below(6)) {
      case 0:
        spec.opcode = dice.pick<std::uint16_t>({kPread, kPwrite, kPoll, kFsync, kFdsync});
        if (spec.opcode == kPoll) spec.buf = kPollIn;
        if (spec.opcode == kFsync || spec.opcode == kFdsync) spec.buf = spec.nbytes = 0;
        if (spec.opcode != kPread && spec.opcode != kPwrite) spec.nbytes = 0, spec.offset = 0, spec.rw_flags = 0;
        spec.segments.clear();
        break;
      case 1:
        spec.fd = dice.pick({Fd::kFile, Fd::kNbPipeRead, Fd::kPipeRead, Fd::kNbPipeWrite, Fd::kNbEvent, Fd::kEvent,
                             Fd::kSocket0, Fd::kGate, Fd::kZero});
        break;
      case 2:
        spec.flags ^= kFlagResfd;
        spec.resfd = dice.pick({Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent});
        break;
      case 3:
        if (is_transfer(spec.opcode)) spec.rw_flags = dice.pick<std::uint32_t>({0, kRwfNowait, kRwfAppend, kRwfSync});
        break;
      case 4:
        if (is_transfer(spec.opcode) && spec.segments.empty()) {
          spec.nbytes = dice.pick<std::uint64_t>({0, 1, 8, 512, 4096, 8192});
          spec.buf = arena::kBuffers;
        }
        break;
      default:
        if (is_transfer(spec.opcode)) spec.offset = dice.pick<std::int64_t>({0, 512, 4096, 5999, 6000});
        if (spec.opcode == kPoll) spec.buf = dice.pick<Address>({kPollIn, kPollOut, kPollIn | kPollOut});
    }
  }

  template <class Wait>
  void wait(Wait& op) const {
    using Pair = std::pair<Value, Value>;
    const Value all{Symbol::kInRing, 0};
    switch (dice.below(3)) {
      case 0:
        std::tie(op.min_nr, op.nr) =
            dice.pick<Pair>({{0, 1}, {0, 128}, {0, kMost}, {all, all}, {all, 128}, {1, 1}, {1, 128}, {2, 3}});
        break;
      case 1:
        op.nr = dice.pick<Value>({1, 2, 15, {Symbol::kInRing, 0}, {Symbol::kInRing, -1}, {Symbol::kInRing, 1}});
        break;
      default:
        op.ctx = any_context();
    }
  }
};

}  // namespace

void tweak(Dice& dice, Operation& operation) { std::visit(Tweaker{dice}, operation); }

}  // namespace aio
