// SPDX-License-Identifier: GPL-2.0-or-later
//
// What user space does between system calls.
#include <algorithm>
#include <utility>

#include "properties/generator_composer.h"

namespace aio {

void Composer::ring_store() {
  const unsigned slot = pick_slot();
  slots_[slot].hostile = true;
  RingStore op;
  op.ctx = context(slot);
  op.field = dice_.weighted<RingField>({{30, RingField::kHead},
                                        {30, RingField::kTail},
                                        {15, RingField::kId},
                                        {5, RingField::kNr},
                                        {5, RingField::kMagic},
                                        {2, RingField::kCompat},
                                        {2, RingField::kIncompat},
                                        {2, RingField::kHeaderLength}});
  switch (op.field) {
    case RingField::kId:
      return ring_id_store(slot);
    case RingField::kHead:
      op.value = dice_.pick<Value>({{Symbol::kTail, 1},
                                    {Symbol::kTail, 0},
                                    {Symbol::kTail, -1},
                                    {Symbol::kHead, 1},
                                    {Symbol::kHead, -1},
                                    {Symbol::kRingSize, 0},
                                    {Symbol::kRingSize, 2},
                                    0,
                                    0xffffffff});
      break;
    case RingField::kTail:
      op.value = dice_.pick<Value>({{Symbol::kTail, 5},
                                    {Symbol::kTail, 1},
                                    {Symbol::kTail, -1},
                                    {Symbol::kHead, 0},
                                    {Symbol::kHead, -1},
                                    {Symbol::kRingSize, 1},
                                    0,
                                    0xffffffff});
      break;
    case RingField::kNr:
      op.value = dice_.pick<Value>({0, 1, 0xffffffff, {Symbol::kRingSize, 0}});
      break;
    default:
      op.value = dice_.pick<Value>({0, 1, 32, 0x12345678, 0xa10a10a1});
      break;
  }
  add(op);
}

void Composer::ring_id_store(unsigned slot) {
  add(RingStore{context(slot), RingField::kId,
                dice_.pick<Value>({{Symbol::kId, 1}, {Symbol::kId, -1}, 0, 4, 0xffffffff})});
  undo_soon(RingStore{context(slot), RingField::kId, {Symbol::kId, 0}});
}

void Composer::undo_soon(Operation undo) {
  if (!dice_.percent(85)) return;
  undo_ = std::move(undo);
  undo_countdown_ = 2 + dice_.below(3);
}

void Composer::ring_map() {
  const unsigned slot = pick_slot();
  const auto action = dice_.weighted<MapAction>({{40, MapAction::kMove},
                                                 {6, MapAction::kGrow},
                                                 {6, MapAction::kDuplicate},
                                                 {6, MapAction::kDontUnmap},
                                                 {8, MapAction::kUnmap},
                                                 {16, MapAction::kHide},
                                                 {14, MapAction::kFreeze},
                                                 {4, MapAction::kOpen},
                                                 {3, MapAction::kGrowHere},
                                                 {6, MapAction::kDrop},
                                                 {6, MapAction::kLock},
                                                 {4, MapAction::kReplace}});
  if (action == MapAction::kUnmap && dice_.percent(60)) return unmap_with_pending(slot);
  add(RingMap{context(slot), action});
  if (action == MapAction::kLock && dice_.percent(50)) add(RingMap{context(slot), MapAction::kDrop});
  if (takes_ring_away(action)) slots_[slot] = Slot{.dead = true};
  if (action == MapAction::kHide || action == MapAction::kFreeze) {
    undo_soon(RingMap{context(slot), MapAction::kOpen});
  }
}

// A request that ends when nothing can show its event any more.
void Composer::unmap_with_pending(unsigned slot) {
  IocbSpec poll;
  poll.at = iocb_address(true);
  poll.opcode = kPoll;
  poll.fd = Fd::kNbPipeRead;
  poll.buf = kPollIn;
  poll.flags = kFlagResfd;
  poll.resfd = dice_.pick({Fd::kNbEvent, Fd::kSemEvent});
  Submit submit;
  submit.ctx = context(slot);
  submit.iocbs.push_back(poll);
  add(std::move(submit));
  add(RingMap{context(slot), MapAction::kUnmap});
  slots_[slot] = Slot{.dead = true};
  if (dice_.percent(30)) step();
  add(FdWrite{Fd::kNbPipeWrite, 1, 1});
}

void Composer::in_child() {
  add(InChild{});
  const Value ctx = context(pick_slot());
  // The end of a process with contexts takes two grace periods of the kernel.
  if (dice_.one_in(50)) {
    return add(Setup{dice_.pick<Value>({1, 64, 0}), arena::context_slot(dice_.below(arena::kContextSlots)), 0});
  }
  switch (dice_.below(8)) {
    case 0:
      return add(Destroy{ctx});
    case 1: {
      Submit submit;
      submit.ctx = ctx;
      submit.iocbs.resize(1);
      return add(std::move(submit));
    }
    case 2:
      return add(Getevents{.ctx = ctx, .min_nr = dice_.pick<Value>({0, 1}), .nr = 4});
    case 3:
      return add(Cancel{.ctx = ctx, .iocb = polls_.empty() ? arena::iocb_slot(0) : polls_[0]});
    case 4:
      return add(Reap{ctx, 1});
    case 5:
      return fd_write();
    case 6:
      return swarm_.hostile ? ring_store() : fd_read();
    default:
      return add(RingMap{ctx, dice_.pick({MapAction::kMove, MapAction::kUnmap, MapAction::kHide})});
  }
}

bool Composer::has_timer() const { return swarm_.fds[static_cast<std::size_t>(Fd::kTimer)] > 0; }

void Composer::fd_write() {
  if (has_timer() && dice_.one_in(4)) return add(Expire{});
  FdWrite op;
  op.fd = dice_.pick(
      {Fd::kPipeWrite, Fd::kNbPipeWrite, Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent, Fd::kSocket0, Fd::kSocket1});
  if (polled_count_ > 0 && dice_.percent(80)) {
    switch (polled_[dice_.below(std::min(polled_count_, 4u))]) {
      case Fd::kPipeRead:
        op.fd = Fd::kPipeWrite;
        break;
      case Fd::kNbPipeRead:
        op.fd = Fd::kNbPipeWrite;
        break;
      case Fd::kEvent:
        op.fd = Fd::kEvent;
        break;
      case Fd::kNbEvent:
        op.fd = Fd::kNbEvent;
        break;
      case Fd::kSemEvent:
        op.fd = Fd::kSemEvent;
        break;
      case Fd::kTimer:
        return add(Expire{});
      case Fd::kSocket0:
        op.fd = Fd::kSocket1;
        break;
      case Fd::kSocket1:
        op.fd = Fd::kSocket0;
        break;
      default:
        break;
    }
  }
  op.nbytes = dice_.weighted<std::uint64_t>({{12, 8}, {4, 1}, {2, 100}, {2, 4096}, {1, 0}});
  op.value = dice_.weighted<std::uint64_t>({{12, 1}, {4, 2}, {4, ~std::uint64_t{1}}, {1, ~std::uint64_t{0}}, {1, 0}});
  // From there two completions fill it.
  if (op.value == ~std::uint64_t{1} && (op.fd == Fd::kEvent || op.fd == Fd::kNbEvent || op.fd == Fd::kSemEvent))
    nearly_full_ = op.fd;
  hazards_.tame(op);
  add(op);
}

void Composer::fd_read() {
  FdRead op;
  op.fd =
      dice_.pick({Fd::kPipeRead, Fd::kNbPipeRead, Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent, Fd::kSocket0, Fd::kSocket1});
  if (has_timer() && dice_.one_in(12)) op.fd = Fd::kTimer;
  op.nbytes = dice_.weighted<std::uint64_t>({{10, 8}, {3, 4096}, {2, 1}, {1, 0}});
  hazards_.read(op);
  add(op);
}

void Composer::fd_close() {
  Fd fd = dice_.pick({Fd::kPipeRead, Fd::kPipeWrite, Fd::kNbPipeRead, Fd::kNbPipeWrite, Fd::kSocket0, Fd::kSocket1,
                      Fd::kEvent, Fd::kNbEvent, Fd::kFile});
  if (polled_count_ > 0 && dice_.percent(40)) fd = polled_[0];
  if ((fd == Fd::kSocket0 || fd == Fd::kSocket1) && dice_.percent(50)) return reset_socket(fd);
  add(FdClose{fd});
}

// Closes one end of the pair while it has not read everything, and reads from the other.
void Composer::reset_socket(Fd closed) {
  const Fd peer = closed == Fd::kSocket0 ? Fd::kSocket1 : Fd::kSocket0;
  FdWrite unread{peer, 8, 0};
  hazards_.tame(unread);
  add(unread);
  add(FdClose{closed});
  IocbSpec spec;
  spec.at = iocb_address(true);
  spec.fd = peer;
  hazards_.tame(spec, 1, true);
  Submit submit;
  submit.ctx = context(pick_slot());
  submit.iocbs.push_back(spec);
  add(std::move(submit));
}

// Scribbles on an iocb that was submitted, and perhaps is pending. The values keep an iocb harmless
// that a later io_submit finds in the array of pointers: none makes a write of it, moves its file
// offset into the middle of nowhere, or names a descriptor outside the zoo.
void Composer::store() {
  const Address at = !polls_.empty() && dice_.percent(70)
                         ? polls_[dice_.below(static_cast<std::uint32_t>(polls_.size()))]
                         : arena::iocb_slot(dice_.below(std::max(next_iocb_, 1u)));
  add(dice_.weighted<Store>({{6, {at + 8, 1, 4}},
                             {6, {at + 8, 0, 4}},
                             {2, {at + 8, 0xffffffff, 4}},
                             {4, {at, 0xdeadbeefcafef00d, 8}},
                             {2, {at + 12, 0x80000000, 4}},
                             {3, {at + 16, kNoop, 2}},
                             {2, {at + 16, 0xffff, 2}},
                             {2, {at + 24, arena::kUnmapped, 8}},
                             {2, {at + 40, ~std::uint64_t{0}, 8}},
                             {2, {at + 48, 1, 8}}}));
}

void Composer::hold() {
  hazards_.hold();
  add(Hold{});
}

void Composer::release_all() {
  hazards_.release_all();
  add(ReleaseAll{});
}

void Composer::gate() {
  enum { kRelease, kReleaseAll, kHold };
  switch (dice_.weighted<int>({{80, kRelease}, {swarm_.lanes > 1 ? 3u : 12u, kReleaseAll}, {8, kHold}})) {
    case kHold:
      return hold();
    case kReleaseAll:
      release_all();
      if (dice_.percent(70)) hold();
      return;
    default:
      add(ReleaseHeld{dice_.weighted<Value>({{5, 0}, {2, 1}, {2, 2}, {1, -1}, {1, dice_.below(100)}}),
                      dice_.weighted<std::int64_t>({{40, std::int64_t{kGateMaxRequest}},
                                                    {6, 1},
                                                    {6, 4095},
                                                    {3, 100},
                                                    {6, 0},
                                                    {8, -kEIO},
                                                    {3, -kENOSPC},
                                                    {3, -kEAGAIN},
                                                    {3, -kEINTR},
                                                    {2, -kENOSYS},
                                                    {1, -511},
                                                    {1, -512}}),
                      dice_.weighted<Value>({{5, 0}, {5, 1}, {1, 7}})});
  }
}

}  // namespace aio
