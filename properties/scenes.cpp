// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/scenes.h"

#include <array>

#include "properties/dice.h"

namespace aio {
namespace {

constexpr std::int64_t kOneMs = 1'000'000;
constexpr std::uint64_t kNearlyFull = ~std::uint64_t{1};

Setup room_for(unsigned nr, unsigned slot = 0) { return {.nr = nr, .ctxp = arena::context_slot(slot)}; }

// io_submit of so many like this one, told from each other by their data. Each is of another file, as those of one file
// may be done in any order where they are not done inside the call.
Submit submit(IocbSpec spec, unsigned count = 1) {
  constexpr std::array kFiles{Fd::kFile, Fd::kNull, Fd::kZero};
  Submit op;
  for (unsigned i = 0; i < count; ++i) {
    spec.at = arena::iocb_slot(i);
    spec.data = i + 1;
    if (count > 1) spec.fd = kFiles.at(i);
    op.iocbs.push_back(spec);
  }
  op.nr = op.fill = count;
  return op;
}

// Waits until so many have come.
Getevents get(unsigned count) { return {.min_nr = count, .nr = count, .timeout = arena::kNull}; }

// Completions that signal an eventfd just below its limit.
Program full_counter(Dice& dice) {
  const Fd counter = dice.pick({Fd::kEvent, Fd::kNbEvent});
  const unsigned count = 1 + dice.below(2);
  IocbSpec spec;
  spec.flags = kFlagResfd;
  spec.resfd = counter;
  return {{room_for(4), FdWrite{counter, 8, kNearlyFull}, submit(spec, count), get(count), FdRead{counter, 8}}};
}

// io_getevents into an array that ends too early, or is none; then into a good one.
Program bad_array(Dice& dice) {
  const unsigned count = 1 + dice.below(3);
  Getevents bad = get(count);
  bad.events = arena::kEvents + sizeof(Event) * (arena::kEventSlots - dice.below(count));
  if (dice.percent(30)) bad.events = dice.pick({arena::kNull, arena::kReadOnly, arena::kNoAccess});
  Getevents good;
  good.nr = dice.pick<Value>({1, 4});
  if (dice.percent(50)) good.min_nr = 1;
  if (dice.percent(50)) good.nsec = kOneMs;
  return {{room_for(4), submit({}, count), bad, good}};
}

// A read that finds nothing, or less than was asked for, with a buffer that cannot be written.
Program end_of_file(Dice& dice) {
  IocbSpec spec;
  spec.buf = dice.pick({arena::kNull, arena::kUnmapped, arena::kReadOnly});
  spec.nbytes = dice.pick<std::uint64_t>({1, 8, 4096});
  spec.offset = dice.pick<std::int64_t>({kFileSize, kFileSize + 1, 100'000});
  return {{room_for(1), submit(spec), get(1)}};
}

// One more thing than usual is wrong with a vector, or right.
Program odd_vector(Dice& dice) {
  constexpr std::uint64_t kMost = 0x7fffffffffffffff;
  IocbSpec spec;
  spec.opcode = dice.pick<std::uint16_t>({kPreadv, kPwritev});
  spec.buf = arena::kIovecs;
  const bool long_one = dice.percent(50);
  spec.segments = {{arena::kBuffers, long_one ? kMost : 8}};
  spec.fd = long_one ? Fd::kNull : dice.pick({Fd::kFile, Fd::kNull});
  spec.nbytes = 1;
  if (!long_one) spec.nbytes += 1ull << 32;
  return {{room_for(1), submit(spec), get(1)}};
}

// A length and a descriptor that are both wrong.
Program two_faults(Dice& dice) {
  IocbSpec spec;
  spec.nbytes = dice.pick({1ull << 63, ~0ull});
  spec.fd = dice.pick({Fd::kClosed, Fd::kNever, Fd::kMinusOne});
  return {{room_for(1), submit(spec)}};
}

// A write whose flags say otherwise than its descriptor whether it goes to the end.
Program other_place(Dice& dice) {
  IocbSpec spec;
  spec.opcode = kPwrite;
  spec.nbytes = 1;
  const bool append = dice.percent(50);
  spec.fd = append ? Fd::kFile : Fd::kFileAppend;
  spec.rw_flags = append ? kRwfAppend : kRwfNoappend;
  return {{room_for(1), submit(spec)}};
}

// Counts of which the low 32 bits are others.
Program wide_counts(Dice& dice) {
  constexpr std::int64_t kWord = std::int64_t{1} << 32;
  const std::int64_t count = dice.pick({-kWord, 1 - kWord, kWord, kWord + 1});
  if (dice.percent(50)) {
    Submit op = submit({});
    op.nr = count;
    return {{room_for(1), op}};
  }
  return {{room_for(1), Getevents{.min_nr = count < 0 ? count : 0, .nr = count}}};
}

// The ring goes, and its context is named again or another made.
Program ring_gone(Dice& dice) {
  const MapAction action = dice.pick({MapAction::kReplace, MapAction::kFree, MapAction::kGrowHere, MapAction::kDrop});
  Program program{{room_for(1), RingMap{context(0), action}}};
  if (action == MapAction::kDrop)
    program.operations.insert(program.operations.end() - 1, RingMap{context(0), MapAction::kLock});
  if (action != MapAction::kFree && dice.percent(60)) {
    program.operations.emplace_back(Getevents{});
  } else if (action != MapAction::kFree && dice.percent(50)) {
    program.operations.emplace_back(Destroy{});
  }
  program.operations.emplace_back(room_for(1, 1));
  return program;
}

}  // namespace

Program scene(std::uint64_t seed, std::uint64_t index) {
  Dice dice(rc::Random(rc::Random::Key{seed, index, 2, 0}));
  constexpr std::array kScenes{full_counter, bad_array,   end_of_file, odd_vector,
                               two_faults,   other_place, wide_counts, ring_gone};
  return kScenes.at(dice.below(kScenes.size()))(dice);
}

}  // namespace aio
