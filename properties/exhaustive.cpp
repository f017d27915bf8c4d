// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/exhaustive.h"

#include <algorithm>
#include <cassert>

namespace aio {

namespace {

enum Letter : unsigned {
  kSubmitRead,
  kSubmitThree,  // the second names no descriptor: one is submitted
  kSubmitPoll,
  kSubmitFill,  // one more than there is room for
  kSubmitSync,  // counted by an eventfd
  kFirePoll,
  kCancelPoll,
  kGetOne,
  kGetAll,
  kGetWaiting,
  kReapOne,
  kHeadBehindTail,
  kTailAhead,
  kWrongId,
  kMoveCpu,
  kSecondSetup,
  kDestroyLast,
};
static_assert(kDestroyLast == kExhaustiveLetters);

constexpr Address kPollIocb = arena::iocb_slot(8);

IocbSpec read_into(unsigned slot) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.data = slot + 1;
  spec.buf = arena::kBuffers + 64 * slot;
  spec.nbytes = 8;
  spec.offset = 8 * slot;
  return spec;
}

Submit submit_three() {
  Submit op;
  op.nr = 3;
  op.fill = 3;
  op.iocbs = {read_into(1), read_into(2), read_into(3)};
  op.iocbs[1].fd = Fd::kClosed;
  return op;
}

Submit submit_poll() {
  IocbSpec spec;
  spec.at = kPollIocb;
  spec.data = 9;
  spec.opcode = kPoll;
  spec.fd = Fd::kPipeRead;
  spec.buf = kPollIn;
  Submit op;
  op.iocbs = {spec};
  return op;
}

Submit submit_fill() {
  Submit op;
  op.nr = {Symbol::kQuota, 1};
  op.fill = op.nr;
  op.iocbs = {read_into(4)};
  return op;
}

Submit submit_sync() {
  IocbSpec spec;
  spec.at = arena::iocb_slot(5);
  spec.data = 6;
  spec.opcode = kFsync;
  spec.buf = 0;
  spec.flags = kFlagResfd;
  spec.resfd = Fd::kEvent;
  Submit op;
  op.iocbs = {spec};
  return op;
}

Getevents get(Value min_nr, Value nr, std::int64_t nsec) {
  Getevents op;
  op.min_nr = min_nr;
  op.nr = nr;
  op.nsec = nsec;
  return op;
}

}  // namespace

Operation exhaustive_letter(unsigned letter) {
  constexpr std::int64_t kWaitNs = 50'000;
  switch (static_cast<Letter>(letter)) {
    case kSubmitRead:
      return Submit{.iocbs = {read_into(0)}};
    case kSubmitThree:
      return submit_three();
    case kSubmitPoll:
      return submit_poll();
    case kSubmitFill:
      return submit_fill();
    case kSubmitSync:
      return submit_sync();
    case kFirePoll:
      return FdWrite{.fd = Fd::kPipeWrite, .nbytes = 1};
    case kCancelPoll:
      return Cancel{.iocb = kPollIocb};
    case kGetOne:
      return get(0, 1, 0);
    case kGetAll:
      return get(0, arena::kEventSlots, 0);
    case kGetWaiting:
      return get({Symbol::kInRing, 1}, arena::kEventSlots, kWaitNs);
    case kReapOne:
      return Reap{};
    case kHeadBehindTail:
      return RingStore{.field = RingField::kHead, .value = {Symbol::kTail, 1}};
    case kTailAhead:
      return RingStore{.field = RingField::kTail, .value = {Symbol::kTail, 5}};
    case kWrongId:
      return RingStore{.field = RingField::kId, .value = {Symbol::kId, 1}};
    case kMoveCpu:
      return Move{.cpu = 1};
    case kSecondSetup:
      return Setup{.ctxp = arena::context_slot(1)};
    case kDestroyLast:
      return Destroy{};
  }
  assert(false && "no such letter");
  return Move{};
}

namespace {

// Programs of exactly `length` letters: any letters, then any letter or io_destroy.
constexpr std::uint64_t count_of(unsigned length) {
  std::uint64_t count = kExhaustiveLetters + 1;
  for (unsigned i = 1; i < length; ++i) count *= kExhaustiveLetters;
  return count;
}

}  // namespace

std::uint64_t exhaustive_count() {
  std::uint64_t count = 0;
  for (unsigned length = 1; length <= kExhaustiveLength; ++length) count += count_of(length);
  return count;
}

Program exhaustive_program(std::uint64_t index) {
  assert(index < exhaustive_count());
  unsigned length = 1;
  while (index >= count_of(length)) index -= count_of(length++);
  // Read from the last place, the index is a number in mixed base.
  Program program;
  unsigned base = kExhaustiveLetters + 1;
  for (unsigned place = 0; place < length; ++place) {
    program.operations.push_back(exhaustive_letter(static_cast<unsigned>(index % base)));
    index /= base;
    base = kExhaustiveLetters;
  }
  program.operations.emplace_back(Setup{});
  std::reverse(program.operations.begin(), program.operations.end());
  return program;
}

}  // namespace aio
