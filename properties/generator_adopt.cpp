// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations that another program had: the composer takes them over as if it had made them up, changed where they would
// break here a bound that they kept there. What it makes up next continues from them.
#include <algorithm>
#include <type_traits>

#include "properties/generator_composer.h"

namespace aio {
namespace {

constexpr std::uint64_t kManyTimes = 4096;
constexpr std::int64_t kPlausibleNr = 65536;
constexpr unsigned kSurelyRoom = 60;  // requests: below it no ring is full
constexpr unsigned kAlignedSlots = 56;
constexpr unsigned kLikelyAsleep = 8;             // steps
constexpr std::uint64_t kNumberedData = 1 << 20;  // below it `data` is only a name

std::optional<unsigned> slot_of(const Value& ctx) {
  const auto first = static_cast<unsigned>(Symbol::kContext0);
  const auto symbol = static_cast<unsigned>(ctx.symbol);
  if (ctx.offset != 0 || symbol < first || symbol >= first + arena::kContextSlots) return std::nullopt;
  return symbol - first;
}

std::optional<unsigned> slot_at(Address ctxp) {
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    if (ctxp == arena::context_slot(slot)) return slot;
  }
  return std::nullopt;
}

// How often each iocb may run.
std::uint64_t times_of(const Submit& op) {
  if (op.fill.symbol != Symbol::kLiteral || op.list != arena::kPointers || op.iocbs.empty()) return kManyTimes;
  const auto made = static_cast<std::int64_t>(op.iocbs.size());
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>((op.fill.offset + made - 1) / made, 1, 4096));
}

// Whether nothing is wrong with it, as far as one can see.
bool surely_runs(const IocbSpec& spec) {
  const bool good_resfd = (spec.flags & kFlagResfd) == 0 || spec.resfd == Fd::kEvent || spec.resfd == Fd::kNbEvent ||
                          spec.resfd == Fd::kSemEvent;
  const bool aligned = spec.at >= arena::kIocbs && spec.at < arena::iocb_slot(kAlignedSlots) && spec.at % 64 == 0;
  return spec.opcode <= kPwritev && spec.opcode != kPreadx && good_resfd && aligned && spec.reserved2 == 0 &&
         spec.rw_flags == 0 && (spec.flags & kFlagIoprio) == 0;
}

}  // namespace

void Composer::continue_another() {
  // What it continues has one of its own, perhaps; then there is none left.
  destroy_at_ = swarm_.destroys ? length_ : ~std::size_t{0};
  swarm_.holds = swarm_.holds || swarm_.lanes > 1;
}

void Composer::add_fresh() {
  const auto highest = std::find_if(slots_.rbegin(), slots_.rend(), [](const Slot& slot) { return slot.live; });
  swarm_.contexts = std::max(1u, static_cast<unsigned>(slots_.rend() - highest));
  if (live_count() == 0 && dice_.percent(50)) return setup_slot(0);
  step();
}

Program Composer::finish(std::size_t most) {
  if (program_.operations.empty()) setup_slot(0);
  program_.operations.resize(std::min(most, length()));
  return std::move(program_);
}

bool Composer::adopt(const std::vector<Operation>& operations) {
  if (operations.empty()) return false;
  if (!std::holds_alternative<InChild>(operations[0])) return adopt(operations[0]);
  return operations.size() == 2 && adopt_childs(operations[1]);
}

// What the generator has children do: calls that find no context there, and little else.
bool Composer::adopt_childs(const Operation& operation) {
  if (!within_bounds(operation)) return false;
  const bool is_call = is_system_call(operation);
  const bool is_deed = std::holds_alternative<Reap>(operation) || std::holds_alternative<FdRead>(operation) ||
                       (std::holds_alternative<RingStore>(operation) && swarm_.lanes == 1);
  const auto* write = std::get_if<FdWrite>(&operation);
  const auto* map = std::get_if<RingMap>(&operation);
  const bool maps = map != nullptr && (map->action == MapAction::kMove || map->action == MapAction::kUnmap ||
                                       map->action == MapAction::kHide);
  if (!is_call && !is_deed && !maps && write == nullptr) return false;
  add(InChild{});
  if (write != nullptr || is_deed) return adopt(operation);
  add(Operation(operation));
  return true;
}

bool Composer::adopt(const Operation& operation) {
  if (!within_bounds(operation)) return false;
  return std::visit(
      [this](const auto& op) {
        using Op = std::remove_cvref_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, Getevents> || std::is_same_v<Op, Pgetevents>) {
          return adopt_wait(op);
        } else {
          return adopt_one(op);
        }
      },
      operation);
}

bool Composer::adopt_one(Setup op) {
  const std::optional<unsigned> slot = slot_at(op.ctxp);
  // It must fail, which it does only while another context is live.
  if (op.nr == Value(Symbol::kMaxNr, 0) && live_count() == 0) op.nr.offset = 1;
  const bool literal = op.nr.symbol == Symbol::kLiteral && op.nr.offset > 0 && op.nr.offset < kPlausibleNr;
  if (literal && op.initial == 0) {
    if (setup_sum_ + static_cast<unsigned>(op.nr.offset) > kMaxSetupSum) op.nr = 1;
    if (setup_sum_ + 1 > kMaxSetupSum) return false;
    setup_sum_ += static_cast<unsigned>(op.nr.offset);
    setup_after_destroy_ = setup_after_destroy_ || destroyed_;
  }
  if (slot) slots_[*slot] = Slot{.live = literal && op.initial == 0};
  add(op);
  return true;
}

bool Composer::adopt_one(const Destroy& op) {
  const std::optional<unsigned> slot = slot_of(op.ctx);
  if (slot && slots_[*slot].dead && setup_after_destroy_) return false;
  if (slot && slots_[*slot].live) {
    if (destroyed_) return false;
    destroyed_ = true;
    destroy_at_ = ~std::size_t{0};
    slots_[*slot] = Slot{.dead = true};
    if (swarm_.lanes > 1) asleep_[lane_] = 4;
  }
  add(op);
  return true;
}

bool Composer::adopt_one(Submit op) {
  const std::optional<unsigned> slot = slot_of(op.ctx);
  const std::uint64_t times = times_of(op);
  bool clean = slot && slots_[*slot].live && !slots_[*slot].hostile && op.list == arena::kPointers && op.nr == op.fill;
  clean = clean && std::all_of(op.iocbs.begin(), op.iocbs.end(), surely_runs);
  if (slot) slots_[*slot].submitted += static_cast<unsigned>(times * op.iocbs.size());
  clean = clean && slots_[*slot].submitted < kSurelyRoom;
  for (IocbSpec& spec : op.iocbs) {
    if (spec.fd == Fd::kGate && !swarm_.holds) spec.fd = Fd::kFile;
    const bool moves_late = spec.fd == Fd::kDirect || (spec.fd == Fd::kGate && !hazards_.holds());
    if (times > 64 && (moves_late || spec.opcode == kFsync || spec.opcode == kFdsync)) {
      spec.fd = Fd::kFile;
      spec.opcode = spec.opcode == kFsync || spec.opcode == kFdsync ? std::uint16_t{kPread} : spec.opcode;
    }
    if (spec.data < kNumberedData) spec.data = next_data_++;
    hazards_.tame(spec, times, clean);
    note_iocb(spec);
  }
  part_late(op);
  tame_replays(op);
  add(std::move(op));
  return true;
}

// What it makes up next goes on behind this one, cancels it and fires it.
void Composer::note_iocb(const IocbSpec& spec) {
  if (spec.at >= arena::kIocbs && spec.at < arena::iocb_slot(kAlignedSlots)) {
    next_iocb_ = (static_cast<unsigned>((spec.at - arena::kIocbs) / 64) + 1) % kAlignedSlots;
  }
  if (spec.opcode == kPoll || spec.fd == Fd::kGate) polls_.push_back(spec.at);
  if (spec.opcode == kPoll) polled_[polled_count_++ % polled_.size()] = spec.fd;
}

// Pointers that it did not store name iocbs of earlier calls, which may run again.
void Composer::tame_replays(Submit& op) {
  const bool elsewhere = op.list != arena::kPointers && op.list >= arena::kPointers &&
                         op.list < arena::kPointers + arena::kPage && op.nr != Value(0);
  if (elsewhere && !hazards_.replays_are_safe()) op.list = arena::kNull;
  const bool same = op.nr.symbol == op.fill.symbol;
  if (same && op.nr.offset <= op.fill.offset) return;
  if (same && op.nr.offset == op.fill.offset + 1) {
    hazards_.replayed_one();
  } else if (!hazards_.replays_are_safe()) {
    op.nr = op.fill;
  }
}

template <class Wait>
bool Composer::adopt_wait(Wait op) {
  const bool endless = op.timeout == arena::kNull || wait_ns(op.sec, op.nsec) < 0;
  const std::optional<unsigned> slot = slot_of(op.ctx);
  const bool there =
      op.min_nr == Value(0) || (op.min_nr == Value(Symbol::kInRing, 0) && slot && !slots_[*slot].hostile);
  if (endless && !there) {
    if (swarm_.lanes > 1) {
      // Each lane waits with an array of its own.
      if (op.nr.symbol != Symbol::kRingSize) {
        op.events = arena::kEvents + 32 * Address{arena::kEventSlots / kLanes} * lane_;
      }
      asleep_[lane_] = kLikelyAsleep;
    } else if (!hazards_.may_block()) {
      op.timeout = arena::kTimespec;
      op.sec = op.nsec = 0;
    }
  }
  add(op);
  return true;
}

bool Composer::adopt_one(const RingStore& op) {
  if (swarm_.lanes > 1) return false;
  if (const std::optional<unsigned> slot = slot_of(op.ctx)) slots_[*slot].hostile = true;
  add(op);
  return true;
}

bool Composer::adopt_one(FdWrite op) {
  hazards_.tame(op);
  add(op);
  return true;
}

bool Composer::adopt_one(const FdRead& op) {
  hazards_.read(op);
  add(op);
  return true;
}

bool Composer::adopt_one(const Hold&) {
  if (!swarm_.holds) return false;
  hold();
  return true;
}

bool Composer::adopt_one(const ReleaseHeld& op) {
  if (!swarm_.holds) return false;
  add(op);
  return true;
}

bool Composer::adopt_one(const ReleaseAll&) {
  if (!swarm_.holds) return false;
  release_all();
  return true;
}

bool Composer::adopt_one(const InLane& op) {
  if (swarm_.lanes < 2 || op.number.symbol != Symbol::kLiteral) return false;
  lane_ = lane_of(op.number);
  add(op);
  return true;
}

bool Composer::adopt_one(Interrupt op) {
  if (swarm_.lanes < 2) return false;
  // All threads of a process stop.
  if (op.kind == SignalKind::kStop) op.number = kProcessLane;
  add(op);
  return true;
}

bool Composer::adopt_one(const RingMap& op) {
  if (const std::optional<unsigned> slot = slot_of(op.ctx); slot && takes_ring_away(op.action)) {
    slots_[*slot] = Slot{.dead = true};
  }
  add(op);
  return true;
}

}  // namespace aio
