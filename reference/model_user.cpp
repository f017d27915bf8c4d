// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the user does without AIO: writes to the ring's header (semantics.md C), moves to another CPU, and reads, writes
// and closes descriptors to make polls fire.
#include <algorithm>

#include "reference/model.h"

namespace aio {
namespace {

constexpr std::uint64_t kMaxPlain = 4096;
constexpr int kEISDIR = 21;

}  // namespace

Model::Expected Model::apply(const RingStore& op) {
  Context* context = find(static_cast<std::uint64_t>(op.ctx.offset));
  skips_ = context == nullptr || context->access != MapAction::kOpen;
  if (skips_) return {0, 0, Req::kUserActions};
  if (context->ringless && op.field != RingField::kId) {
    undecided(kBehindQuirk);
    return {0, 0, Req::kUserActions};
  }
  const auto word = static_cast<std::uint32_t>(op.value.offset);
  std::memcpy(context->ring.data() + 4 * static_cast<std::size_t>(op.field), &word, sizeof(word));
  if (op.field == RingField::kTail) context->tail_is_users = true;
  if (op.field == RingField::kHead || op.field == RingField::kTail) {
    context->head_rule = context->tail_rule = in_child_ ? Req::kChildSharesRing : Req::kRingWordsKept;
  }
  return {0, 0, Req::kUserActions};
}

Model::Expected Model::apply(const Reap& op) {
  Context* context = find(static_cast<std::uint64_t>(op.ctx.offset));
  skips_ = context == nullptr || context->access != MapAction::kOpen;
  if (skips_) return {0, 0, Req::kUserActions};
  RingHeader header = context->header();
  const std::uint32_t size = context->geometry.ring_size;
  const std::uint32_t head = header.head % size;
  const std::uint32_t in_ring = (header.tail % size + size - head) % size;
  const std::int64_t taken = std::clamp<std::int64_t>(op.count.offset, 0, in_ring);
  header.head = (head + static_cast<std::uint32_t>(taken)) % size;
  context->set_header(header);
  context->head_rule = in_child_ ? Req::kChildSharesRing : Req::kRingWordsKept;
  return {taken, 0, Req::kUserActions};
}

Model::Expected Model::apply(const Move&) { return {0, 0, Req::kUserActions}; }

namespace {

// The user's own memory outside the arena. Nothing is looked at there but what the latest call has moved.
Memory& own_memory() {
  static thread_local Memory memory;
  memory.forget_use();
  return memory;
}

}  // namespace

Outcome Model::plain_transfer(Fd fd, Memory& own, std::uint64_t size, bool write) {
  Buffers buffers;
  buffers.segments.push_back({arena::kBuffers, size});
  buffers.total = size;
  const Rules right;
  std::uint64_t& position = positions_[static_cast<std::size_t>(fd)];
  const bool regular = traits(fd).kind == FileKind::kRegular;
  if (regular && write && traits(fd).append) position = files_.regular(traits(fd).index).content.size();
  const Transfer transfer{regular ? position : 0, 0};
  const Outcome outcome =
      write ? files_.write(fd, buffers, transfer, own, right) : files_.read(fd, buffers, transfer, own, right);
  if (regular && outcome.res > 0) position += static_cast<std::uint64_t>(outcome.res);
  return outcome;
}

Model::Expected Model::apply(const FdWrite& op) {
  const FdTraits& file = traits(op.fd);
  if (file.kind == FileKind::kGate) skips_ = true;
  if (skips_) return {0, 0, Req::kUserActions};
  if (!files_.usable(op.fd) || !file.writable) return {-1, kEBADF, Req::kUserActions};
  if (file.direct && machine_->direct_queues) undecided("a plain write to a file opened with O_DIRECT");
  if ((files_.poll_mask(op.fd) & (kPollOut | kPollErr | kPollHup)) == 0) {
    skips_ = true;
    return {0, 0, Req::kUserActions};
  }
  file_rule_ = Req::kUserActions;
  counter_rule_ = Req::kUserActions;
  if (file.kind == FileKind::kEventfd) {
    if (op.value == ~0ull) return {-1, kEINVAL, Req::kUserActions};
    if (op.value >= ~0ull - files_.counter(file.index)) {
      skips_ = !file.nonblocking;
      return {-1, kEAGAIN, Req::kUserActions};
    }
    files_.add(op.fd, op.value);
    deliver_wakes();
    return {8, 0, Req::kUserActions};
  }
  const std::uint64_t size = std::min(op.nbytes, kMaxPlain);
  std::vector<std::byte> bytes(size);
  for (std::uint64_t i = 0; i < size; ++i) bytes[i] = std::byte{payload_byte(op.value, i)};
  Memory& own = own_memory();
  own.store(arena::kBuffers, bytes);
  const Outcome outcome = plain_transfer(op.fd, own, size, true);
  deliver_wakes();
  if (outcome.res < 0) return {-1, static_cast<int>(-outcome.res), Req::kUserActions};
  return {outcome.res, 0, Req::kUserActions};
}

Model::Expected Model::apply(const FdRead& op) {
  const FdTraits& file = traits(op.fd);
  if (file.kind == FileKind::kGate) skips_ = true;
  if (skips_) return {0, 0, Req::kUserActions};
  if (!files_.usable(op.fd)) return {-1, kEBADF, Req::kUserActions};
  if ((files_.poll_mask(op.fd) & (kPollIn | kPollErr | kPollHup)) == 0 || files_.has_only_empty_pages(op.fd)) {
    skips_ = true;
    return {0, 0, Req::kUserActions};
  }
  if (!file.readable) return {-1, kEBADF, Req::kUserActions};
  if (file.kind == FileKind::kDirectory) return {-1, kEISDIR, Req::kUserActions};
  if (file.direct && machine_->direct_queues) undecided("a plain read of a file opened with O_DIRECT");
  const std::uint64_t size = std::min(op.nbytes, kMaxPlain);
  counter_rule_ = Req::kUserActions;
  data_rule_ = read_rule(op.fd);
  Memory& own = own_memory();
  const Outcome outcome = plain_transfer(op.fd, own, size, false);
  deliver_wakes();
  if (outcome.res < 0) return {-1, static_cast<int>(-outcome.res), Req::kUserActions};
  data_.emplace(static_cast<std::size_t>(outcome.res));
  own.copy_from(arena::kBuffers, *data_);
  return {outcome.res, 0, Req::kUserActions};
}

Model::Expected Model::apply(const Expire&) {
  skips_ = !files_.number_open(Fd::kTimer);
  if (skips_) return {0, 0, Req::kUserActions};
  files_.expire();
  deliver_wakes();
  return {0, 0, Req::kUserActions};
}

Model::Expected Model::apply(const FdClose& op) {
  if (!files_.number_open(op.fd)) return {-1, kEBADF, Req::kUserActions};
  if (in_child_) return {0, 0, Req::kUserActions};
  files_.close(op.fd);
  deliver_wakes();
  return {0, 0, Req::kUserActions};
}

}  // namespace aio
