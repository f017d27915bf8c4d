// SPDX-License-Identifier: GPL-2.0-or-later
//
// The system calls but io_submit.
#include <limits>
#include <tuple>
#include <utility>

#include "properties/generator_composer.h"

namespace aio {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

struct Wait {
  std::int64_t sec;
  std::int64_t nsec;
};

// The signals that io_pgetevents may block for a while: none that releases a waiting lane.
constexpr std::uint64_t signal_bit(unsigned number) { return std::uint64_t{1} << (number - 1); }
constexpr unsigned kHangup = 1;
constexpr unsigned kUser1 = 10;
constexpr unsigned kChild = 17;
constexpr unsigned kWindow = 28;
constexpr unsigned kRealTime = 40;

}  // namespace

void Composer::setup_slot(unsigned slot) {
  // The edges are those of the ring's page count on 4 KiB pages and few CPUs.
  unsigned nr = dice_.weighted<unsigned>(
      {{70, 1}, {3, 8}, {3, 62}, {3, 63}, {3, 64}, {3, 126}, {3, 127}, {3, 128}, {3, 190}, {3, 191}, {1, 1000}});
  if (setup_sum_ + nr > kMaxSetupSum) nr = 1;
  if (setup_sum_ + nr > kMaxSetupSum) return;
  setup_sum_ += nr;
  if (destroy_at_ == ~std::size_t{0}) setup_after_destroy_ = true;
  add(Setup{nr, arena::context_slot(slot), 0});
  slots_[slot] = Slot{.live = true};
}

void Composer::setup() {
  if (dice_.percent(60)) return failing_setup();
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    if (!slots_[slot].live && !slots_[slot].dead) return setup_slot(slot);
  }
  setup_slot(dice_.below(arena::kContextSlots));
}

void Composer::failing_setup() {
  Setup op;
  op.ctxp = arena::context_slot(3);
  slots_[3] = {};
  // Where two things are wrong, the earlier check answers.
  const unsigned wrong = dice_.weighted<unsigned>({{4, 1}, {4, 2}, {3, 4}, {1, 3}, {1, 5}, {1, 6}});
  if ((wrong & 1) != 0) {
    op.nr = dice_.pick<Value>(
        {0, 4194305, 0x7fffffff, 0x80000000, 0x80000001, 0x80400000, 0x80400001, 0xffffffff, {Symbol::kMaxNr, 1}});
    if (live_count() > 0 && dice_.percent(2)) op.nr = {Symbol::kMaxNr, 0};
  }
  if ((wrong & 2) != 0) {
    op.ctxp =
        dice_.pick<Address>({arena::kNull, arena::kKernel, arena::kNonCanonical, arena::kUnmapped, arena::kNoAccess,
                             arena::kReadOnly, arena::kReadOnly + 8, arena::kVars + arena::kPage - 4});
  }
  if ((wrong & 4) != 0) {
    op.initial = dice_.pick<std::uint64_t>({1, arena::kBase, arena::kKernel, 1ull << 32, ~0ull});
    if (dice_.percent(10)) {
      // The variable of a context is overwritten: the context lives on, its id is lost.
      const unsigned slot = pick_slot();
      op.ctxp = arena::context_slot(slot);
      slots_[slot] = {};
    }
  }
  add(op);
}

void Composer::destroy_live() {
  for (unsigned tries = 0; tries < 8; ++tries) {
    const unsigned slot = pick_slot();
    if (!slots_[slot].live) continue;
    if (swarm_.holds && (swarm_.lanes == 1 || dice_.percent(40))) release_all();
    if (swarm_.lanes > 1) asleep_[lane_] = 4;
    add(Destroy{context(slot)});
    slots_[slot] = Slot{.dead = true};
    destroyed_ = true;
    return;
  }
}

void Composer::destroy() {
  // The id of a destroyed context may since name another one, at the same address.
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    if (slots_[slot].dead && !setup_after_destroy_ && dice_.percent(50)) {
      return add(Destroy{context(slot)});
    }
  }
  add(Destroy{bad_context()});
}

template <class Op>
void Composer::fill_wait(Op& op) {
  draw_faults(kWaitFaults);
  const unsigned slot = pick_slot();
  op.ctx = context_of(slot);
  using Pair = std::pair<Value, Value>;
  const Value all{Symbol::kInRing, 0};
  const Value more{Symbol::kInRing, 1};
  auto [min_nr, nr] = dice_.weighted<Pair>({{10, {0, 1}},
                                            {14, {0, 128}},
                                            {5, {0, kMost}},
                                            {5, {all, all}},
                                            {5, {all, more}},
                                            {5, {all, 128}},
                                            {5, {1, 1}},
                                            {4, {1, 128}},
                                            {3, {more, 128}},
                                            {3, {more, more}},
                                            {2, {2, 3}},
                                            {2, {0, 0}},
                                            {2, {all, kMost}},
                                            {1, {200, kMost}},
                                            {1, {kMost, kMost}}});
  bool never_waits = min_nr == Value(0) || (min_nr == all && !slots_[slot].hostile);
  if (has(Fault::kRange)) {
    std::tie(min_nr, nr) = dice_.pick<Pair>(
        {{-1, 1}, {2, 1}, {0, -1}, {-1, -1}, {kLeast, 1}, {kMost, 1}, {0, kLeast}, {{Symbol::kInRing, 2}, more}});
    never_waits = true;
  }
  op.min_nr = min_nr;
  op.nr = nr;
  fill_timeout(op, never_waits);
  op.events = dice_.percent(85) ? arena::kEvents : arena::kEvents + 4 * dice_.below(64);
  if (has(Fault::kEvents)) {
    op.events = dice_.percent(40) ? arena::kEvents + 32 * (arena::kEventSlots - dice_.below(5)) : read_only_or_bad();
  }
}

template <class Op>
void Composer::fill_timeout(Op& op, bool never_waits) {
  const auto set = [&op](Wait wait) {
    op.sec = wait.sec;
    op.nsec = wait.nsec;
  };
  enum { kZero, kShort, kOddZero, kForever, kNull };
  switch (dice_.weighted<int>({{70, kZero}, {6, kShort}, {8, kOddZero}, {9, kForever}, {10, kNull}})) {
    case kShort:
      set({0, dice_.weighted<std::int64_t>({{5, 1}, {4, 1000}, {3, 50'000}, {1, 1'000'000}})});
      break;
    case kOddZero:
      // Totals of zero, or one nanosecond, that look like something else.
      set(dice_.pick<Wait>(
          {{1, -1'000'000'000}, {kLeast, 0}, {-1, 1'000'000'000}, {-1, 1'000'000'001}, {2, -2'000'000'000}}));
      break;
    case kForever:
      if (!never_waits && !hazards_.may_block()) break;
      set(dice_.pick<Wait>({{-1, 0},
                            {0, -1},
                            {0, kLeast},
                            {-9'223'372'037, 0},
                            {9'223'372'036, 0},
                            {9'223'372'036, 0},
                            {kMost, 0},
                            {kMost, kMost}}));
      break;
    case kNull:
      if (never_waits || hazards_.may_block()) op.timeout = arena::kNull;
      break;
    default:
      break;
  }
  if (has(Fault::kTimeout)) {
    op.timeout = dice_.pick<Address>(
        {arena::kKernel, arena::kUnmapped, arena::kNoAccess, arena::kNonCanonical, arena::kVars + arena::kPage - 8});
  } else if (op.timeout != arena::kNull && dice_.percent(3)) {
    op.timeout = dice_.pick<Address>({arena::kReadOnly, arena::kTimespec + 4});
  }
}

void Composer::getevents() {
  Getevents op;
  fill_wait(op);
  add(op);
}

void Composer::pgetevents() {
  Pgetevents op;
  fill_wait(op);
  op.signals = dice_.pick<std::uint64_t>(
      {0, signal_bit(kUser1), signal_bit(kHangup), signal_bit(kChild) | signal_bit(kWindow), signal_bit(kRealTime)});
  if (dice_.percent(25)) op.sigset = arena::kNull;
  if (dice_.percent(20)) op.mask = arena::kNull;
  if (has(Fault::kSigset) || dice_.percent(8)) {
    switch (dice_.below(3)) {
      case 0:
        op.sigset =
            dice_.pick<Address>({arena::kKernel, arena::kUnmapped, arena::kNoAccess, arena::kVars + arena::kPage - 8});
        break;
      case 1:
        op.mask =
            dice_.pick<Address>({arena::kKernel, arena::kUnmapped, arena::kNoAccess, arena::kVars + arena::kPage - 4});
        break;
      default:
        op.size = dice_.pick<std::uint64_t>({0, 4, 7, 9, 128});
        break;
    }
  }
  add(op);
}

void Composer::cancel() {
  Cancel op;
  draw_faults(fault_bit(Fault::kContext));
  op.ctx = context_of(pick_slot());
  if (!polls_.empty() && dice_.percent(75)) {
    op.iocb = polls_[dice_.below(static_cast<std::uint32_t>(polls_.size()))];
  } else {
    op.iocb = dice_.weighted<Address>({{10, arena::iocb_slot(dice_.below(next_iocb_ + 2))},
                                       {1, arena::kNull},
                                       {1, arena::kKernel},
                                       {1, arena::kUnmapped},
                                       {1, arena::kNoAccess},
                                       {1, arena::kReadOnly},
                                       {1, arena::kIocbs + arena::kPage - 10}});
  }
  if (dice_.percent(12)) {
    // A copy of a request, or a request with a key that the kernel did not write.
    const std::uint64_t key = dice_.pick<std::uint64_t>({1, 0, 0xffffffff});
    add(Store{op.iocb + 8, key, 4});
  }
  if (dice_.percent(25)) op.result = read_only_or_bad();
  add(op);
}

}  // namespace aio
