// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/generator.h"

#include <rapidcheck/shrinkable/Create.h>

#include <algorithm>
#include <bit>

#include "properties/generator_composer.h"

namespace aio {

namespace {

constexpr std::size_t kNoDestroy = ~std::size_t{0};

std::size_t draw_length(Dice& dice, const GeneratorConfig& config) {
  const std::size_t length =
      dice.weighted<std::size_t>({{30, 1 + dice.below(12)}, {50, 9 + dice.below(20)}, {20, 25 + dice.below(36)}});
  return std::clamp<std::size_t>(length * config.times_longer, 1, std::max(config.max_operations, 1u));
}

struct ProgramGenerator {
  GeneratorConfig config;

  rc::Shrinkable<Program> operator()(const rc::Random& random, int) const {
    return rc::shrinkable::just(Composer(random, config).compose());
  }
};

}  // namespace

rc::Gen<Program> programs(const GeneratorConfig& config) { return ProgramGenerator{config}; }

ProgramKind kind_in_mix(std::uint64_t seed, std::uint64_t index) {
  // Of each round one block is held and two are stepped: also a short run on a slow machine has some of all kinds.
  constexpr std::uint64_t kBlock = 64;
  constexpr std::uint64_t kRound = 16;
  const std::uint64_t block = index / kBlock;
  Dice dice(rc::Random(rc::Random::Key{seed, block / kRound, 1, 0}));
  const std::uint64_t held = dice.below(kRound);
  const std::uint64_t behind = (block % kRound + kRound - held) % kRound;
  if (behind == 0) return ProgramKind::kHeld;
  const std::uint64_t first = 1 + dice.below(kRound / 2 - 1);
  const std::uint64_t second = kRound / 2 + dice.below(kRound / 2);
  return behind == first || behind == second ? ProgramKind::kStepped : ProgramKind::kPlain;
}

Program generate(std::uint64_t seed, std::uint64_t index, const GeneratorConfig& config) {
  GeneratorConfig used = config;
  if (used.kind == ProgramKind::kMixed) used.kind = kind_in_mix(seed, index);
  return Composer(rc::Random(rc::Random::Key{seed, index, 0, 0}), used).compose();
}

namespace {

Swarm draw_swarm(Dice& dice, ProgramKind kind) {
  if (kind == ProgramKind::kStepped) return draw_stepped_swarm(dice);
  return kind == ProgramKind::kHeld ? draw_held_swarm(dice) : draw_swarm(dice);
}

}  // namespace

Composer::Composer(const rc::Random& random, const GeneratorConfig& config)
    : dice_(random),
      swarm_(draw_swarm(dice_, config.kind)),
      hazards_(swarm_.blocking),
      length_(draw_length(dice_, config)),
      destroy_at_(kNoDestroy) {
  const auto third = static_cast<std::uint32_t>(length_ / 3);
  if (swarm_.destroys && length_ > 1) {
    destroy_at_ = dice_.percent(75) ? length_ - 1 - dice_.below(third + 1) : 1 + dice_.below(third);
  }
  program_.operations.reserve(length_ + 4);
}

Program Composer::compose() {
  // Rings that 32-bit calls make are within the reach of all entries.
  if (swarm_.entry != EntryKind::kNative && dice_.percent(90)) add(Through{swarm_.entry});
  if (dice_.percent(3)) call();
  setup_slot(0);
  for (unsigned slot = 1; slot < swarm_.contexts; ++slot) setup_slot(slot);
  if (swarm_.holds && dice_.percent(90)) hold();
  if (swarm_.lanes > 1) change_lane();
  while (program_.operations.size() < length_) step();
  // A step may be several operations; every prefix of a program keeps the bounds.
  program_.operations.resize(length_);
  return std::move(program_);
}

void Composer::step() {
  if (undo_countdown_ > 0 && --undo_countdown_ == 0) add(undo_);
  if (program_.operations.size() >= destroy_at_) {
    destroy_at_ = kNoDestroy;
    destroy_live();
    return;
  }
  if (swarm_.lanes > 1 && step_lanes()) return;
  unsigned deeds = 0;
  for (const unsigned weight : swarm_.deeds) deeds += weight;
  if (deeds > 0 && dice_.percent(swarm_.deed_percent)) {
    deed();
  } else {
    call();
  }
}

void Composer::draw_faults(std::uint32_t relevant) {
  faults_now_ = 0;
  const std::uint32_t candidates = swarm_.faults & relevant;
  if (candidates == 0 || !dice_.percent(swarm_.fault_percent)) return;
  // Mostly one; two or three test the order of checks.
  for (unsigned left = dice_.weighted<unsigned>({{6, 1}, {3, 2}, {1, 3}}); left > 0; --left) {
    std::uint32_t rest = candidates;
    for (auto skip = dice_.below(static_cast<std::uint32_t>(std::popcount(rest))); skip > 0; --skip) {
      rest &= rest - 1;
    }
    faults_now_ |= rest & ~(rest - 1);
  }
}

void Composer::call() {
  faults_now_ = 0;
  switch (static_cast<Call>(dice_.weighted_index(swarm_.calls))) {
    case Call::kSubmit:
      return submit();
    case Call::kGetevents:
      return getevents();
    case Call::kPgetevents:
      return pgetevents();
    case Call::kCancel:
      return cancel();
    case Call::kSetup:
      return setup();
    case Call::kDestroy:
      return destroy();
  }
}

void Composer::deed() {
  switch (static_cast<Deed>(dice_.weighted_index(swarm_.deeds))) {
    case Deed::kRingStore:
      return ring_store();
    case Deed::kReap:
      return add(Reap{context(pick_slot()),
                      dice_.weighted<Value>(
                          {{4, 1}, {4, {Symbol::kInRing, 0}}, {1, {Symbol::kInRing, -1}}, {1, 128}, {1, 0}, {1, 15}})});
    case Deed::kMove:
      return add(Move{dice_.weighted<Value>({{4, 1}, {4, 0}, {1, 2}})});
    case Deed::kFdWrite:
      return fd_write();
    case Deed::kFdRead:
      return fd_read();
    case Deed::kFdClose:
      return fd_close();
    case Deed::kStore:
      return store();
    case Deed::kGate:
      return gate();
    case Deed::kRingMap:
      return ring_map();
    case Deed::kInChild:
      return in_child();
    case Deed::kThrough:
      return add(Through{dice_.pick({swarm_.entry, swarm_.entry, EntryKind::kNative})});
  }
}

unsigned Composer::live_count() const {
  unsigned live = 0;
  for (const Slot& slot : slots_) live += slot.live ? 1 : 0;
  return live;
}

unsigned Composer::pick_slot() {
  if (dice_.percent(2)) return dice_.below(arena::kContextSlots);
  return dice_.below(std::max(swarm_.contexts, 1u));
}

Value Composer::context_of(unsigned slot) { return has(Fault::kContext) ? bad_context() : context(slot); }

Value Composer::bad_context() {
  const Value own = context(pick_slot());
  return dice_.pick<Value>({0,
                            1,
                            -1,
                            {own.symbol, 1},
                            {own.symbol, 8},
                            {own.symbol, 4088},
                            static_cast<std::int64_t>(arena::context_slot(0)),
                            static_cast<std::int64_t>(arena::context_slot(3)),
                            static_cast<std::int64_t>(arena::kBuffers),
                            static_cast<std::int64_t>(arena::kReadOnly),
                            static_cast<std::int64_t>(arena::kReadOnly + 4094),
                            static_cast<std::int64_t>(arena::kNoAccess),
                            static_cast<std::int64_t>(arena::kUnmapped),
                            static_cast<std::int64_t>(arena::kKernel),
                            static_cast<std::int64_t>(arena::kNonCanonical)});
}

Address Composer::bad_pointer() {
  return dice_.pick<Address>({arena::kNull, arena::kKernel, arena::kUnmapped, arena::kNoAccess, arena::kNonCanonical});
}

Address Composer::read_only_or_bad() {
  return dice_.percent(30) ? arena::kReadOnly + 64 * dice_.below(16) : bad_pointer();
}

}  // namespace aio
