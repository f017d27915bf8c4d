// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/generator_hazards.h"

#include <algorithm>

namespace aio {

namespace {

enum QueueIndex : std::size_t { kPipeQueue, kEventQueue, kToSocket0, kToSocket1 };

constexpr std::uint64_t kBufferSize = 2 * arena::kPage;
// The program's files stay below this; iovecs of earlier requests may add a segment or two.
constexpr std::uint64_t kMaxFile = kMaxObservedFile - 2 * kBufferSize;
// A socket's poll changes its mind when 50 KiB are queued. A message costs up to twice its bytes, and up to a KiB.
constexpr std::uint64_t kMessageOverhead = 1024;
constexpr std::uint64_t kSocketRoom = 20'000;

bool is_socket(Fd fd) { return fd == Fd::kSocket0 || fd == Fd::kSocket1; }

// Bytes asked for, each segment counted as at most `segment_max`: no buffer of the arena has more
// than kBufferSize bytes before its end.
std::uint64_t length_of(const IocbSpec& spec, std::uint64_t segment_max) {
  if (!is_vectored(spec.opcode)) return std::min(spec.nbytes, segment_max);
  std::uint64_t sum = 0;
  for (const Segment& segment : spec.segments) sum += std::min(segment.len, segment_max);
  return sum;
}

bool is_regular(Fd fd) { return fd == Fd::kFile || fd == Fd::kFileWo || fd == Fd::kFileAppend || fd == Fd::kDirect; }

}  // namespace

Hazards::Queue* Hazards::source(Fd fd) {
  switch (fd) {
    case Fd::kPipeRead:
      return &queues_[kPipeQueue];
    case Fd::kEvent:
      return &queues_[kEventQueue];
    case Fd::kSocket0:
      return &queues_[kToSocket0];
    case Fd::kSocket1:
      return &queues_[kToSocket1];
    default:
      return nullptr;
  }
}

Hazards::Queue* Hazards::sink(Fd fd) {
  switch (fd) {
    case Fd::kPipeWrite:
      return &queues_[kPipeQueue];
    case Fd::kEvent:
      return &queues_[kEventQueue];
    case Fd::kSocket0:
      return &queues_[kToSocket1];
    case Fd::kSocket1:
      return &queues_[kToSocket0];
    default:
      return nullptr;
  }
}

void Hazards::take(Queue& queue, std::uint64_t nbytes, bool certain) {
  // An eventfd gives all it has at once.
  if (&queue == &queues_[kEventQueue]) nbytes = queue.most;
  queue.least -= std::min(queue.least, nbytes);
  if (certain && nbytes >= queue.most) queue = {};
}

void Hazards::put(Queue& queue, std::uint64_t nbytes, bool certain) {
  queue.most += nbytes;
  queue.since_empty += nbytes;
  if (certain && !(pipe_drains_ && &queue == &queues_[kPipeQueue])) queue.least += nbytes;
}

bool Hazards::may_block() {
  if (blocking_ == 0) return false;
  --blocking_;
  return true;
}

void Hazards::tame(IocbSpec& spec, std::uint64_t times, bool certain) {
  if (spec.fd == Fd::kGate) return tame_gate(spec, times);
  if (is_write(spec.opcode) && is_regular(spec.fd) && grows_too_far(spec, times)) {
    spec.opcode = spec.opcode == kPwrite ? kPread : kPreadv;
  }
  // RWF_NOWAIT works on these or is refused, but nothing blocks.
  if ((spec.rw_flags & kRwfNowait) != 0) certain = false;
  // Pipes ignore offsets, sockets answer ESPIPE, and a negative one is refused.
  if (spec.offset != Value(0)) certain = false;
  const std::uint64_t nbytes = length_of(spec, kBufferSize * 64);
  if (nbytes == 0) return;
  if (is_read(spec.opcode)) tame_read(spec, nbytes, times, certain);
  if (is_write(spec.opcode)) tame_write(spec, nbytes, times, certain);
}

void Hazards::tame_gate(IocbSpec& spec, std::uint64_t times) {
  if (spec.opcode == kFsync || spec.opcode == kFdsync) {
    bool& held = syncs_held_[spec.opcode == kFsync ? 0 : 1];
    // Which of two comes first could not be told.
    if (held || times > 1) spec.fd = Fd::kFile;
    held = held || holding_;
  }
  if (!is_write(spec.opcode)) return;
  if (syncs_held_[0] || syncs_held_[1]) spec.opcode = spec.opcode == kPwrite ? kPread : kPreadv;
  spec.rw_flags &= ~std::uint32_t{kRwfAppend};
}

void Hazards::tame_read(IocbSpec& spec, std::uint64_t nbytes, std::uint64_t times, bool certain) {
  Queue* queue = source(spec.fd);
  if (queue == nullptr) return;
  may_wait_ = true;
  const bool waits = (spec.rw_flags & kRwfNowait) == 0;
  const bool is_event = spec.fd == Fd::kEvent;
  const bool enough = is_event ? queue->least > 0 && times == 1 : queue->least > (times - 1) * nbytes;
  if (waits && !enough && (times > 1 || !may_block())) {
    if (is_socket(spec.fd)) {
      spec.rw_flags = kRwfNowait;
    } else {
      spec.fd = is_event ? Fd::kNbEvent : Fd::kNbPipeRead;
    }
    if (!is_socket(spec.fd)) return;
  }
  take(*queue, nbytes * times, certain);
}

void Hazards::tame_write(IocbSpec& spec, std::uint64_t nbytes, std::uint64_t times, bool certain) {
  Queue* queue = sink(spec.fd);
  if (queue == nullptr || spec.fd == Fd::kEvent) return;
  may_wait_ = true;
  const bool waits = (spec.rw_flags & kRwfNowait) == 0;
  const std::uint64_t room = is_socket(spec.fd) ? kSocketRoom : arena::kPage;
  const std::uint64_t overhead = is_socket(spec.fd) ? kMessageOverhead : 0;
  const std::uint64_t size = (nbytes + overhead) * times;
  const bool too_much = queue->since_empty + size > room;
  // How much a full socket takes is the kernel's own affair.
  if (too_much && (is_socket(spec.fd) || (waits && (times > 1 || !may_block())))) {
    spec.fd = Fd::kNbPipeWrite;
    return;
  }
  put(*queue, nbytes * times, certain && length_of(spec, kBufferSize) == nbytes);
  queue->since_empty += overhead * times;
}

bool Hazards::grows_too_far(const IocbSpec& spec, std::uint64_t times) {
  const std::uint64_t nbytes = length_of(spec, kBufferSize);
  const bool appends = spec.fd == Fd::kFileAppend || (spec.rw_flags & kRwfAppend) != 0;
  const bool near = spec.offset.symbol == Symbol::kLiteral && spec.offset.offset >= 0 &&
                    spec.offset.offset < std::int64_t{kMaxObservedFile};
  std::uint64_t& size = file_sizes_[spec.fd == Fd::kDirect ? 1 : 0];
  std::uint64_t end = size;
  if (near) end = std::max(end, static_cast<std::uint64_t>(spec.offset.offset) + nbytes);
  if (appends) end += nbytes * times;
  if (end >= kMaxFile) return true;
  size = end;
  appends_ = appends_ || appends;
  return false;
}

void Hazards::replayed_one() {
  if (appends_) {
    for (std::uint64_t& size : file_sizes_) size += 4 * kBufferSize;
  }
  if (!may_wait_) return;
  for (Queue& queue : queues_) {
    queue.least = 0;
    put(queue, kBufferSize, false);
  }
}

void Hazards::tame(FdWrite& op) {
  Queue* queue = sink(op.fd);
  if (queue == nullptr || op.nbytes == 0) return;
  if (is_socket(op.fd) && queue->since_empty + op.nbytes + kMessageOverhead > kSocketRoom) {
    op.nbytes = 0;
    return;
  }
  if (op.fd == Fd::kPipeWrite && queue->most > 0) {
    // Made only if the pipe is empty: either way it now holds something.
    queue->least = std::max<std::uint64_t>(queue->least, pipe_drains_ ? 0 : 1);
    queue->most = std::max(queue->most, op.nbytes);
    queue->since_empty = std::max(queue->since_empty, op.nbytes);
    return;
  }
  const bool is_event = op.fd == Fd::kEvent;
  if (is_event && op.value == 0) return;
  put(*queue, op.nbytes, !is_event || op.value != ~std::uint64_t{0});
  if (is_socket(op.fd)) queue->since_empty += kMessageOverhead;
}

void Hazards::read(const FdRead& op) {
  if (Queue* queue = source(op.fd)) take(*queue, op.nbytes, true);
}

}  // namespace aio
