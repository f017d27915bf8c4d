// SPDX-License-Identifier: GPL-2.0-or-later
//
// What ->read_iter of each file of the zoo does. The bytes that a fault leaves in the buffer are part of the answer.
#include <algorithm>

#include "reference/files.h"

namespace aio {

std::uint64_t copy_to_user(Memory& memory, const Buffers& buffers, std::uint64_t skip, std::span<const std::byte> from,
                           Req rule) {
  std::uint64_t done = 0;
  for (const Iovec& segment : buffers.segments) {
    if (skip >= segment.len) {
      skip -= segment.len;
      continue;
    }
    const std::uint64_t part = std::min<std::uint64_t>(segment.len - skip, from.size() - done);
    if (part == 0) break;
    const std::uint64_t copied = memory.copy_to(segment.base + skip, from.subspan(done, part), rule);
    done += copied;
    skip = 0;
    if (copied < part) break;
  }
  return done;
}

namespace {

Outcome count_or_fault(std::uint64_t done, std::uint64_t wanted, Req full, Req partial) {
  if (done == wanted) return {static_cast<std::int64_t>(done), full};
  if (done > 0) return {static_cast<std::int64_t>(done), partial};
  return {-kEFAULT, Req::kReadFaultIsResult};
}

}  // namespace

Outcome Files::read(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory, const Rules& rules) {
  const bool nonblocking = traits(fd).nonblocking || (transfer.rw_flags & kRwfNowait) != 0;
  switch (traits(fd).kind) {
    case FileKind::kRegular:
      return read_regular(fd, buffers, transfer, memory, rules);
    case FileKind::kPipe:
      return read_pipe(fd, buffers, nonblocking, memory);
    case FileKind::kEventfd:
      return read_eventfd(fd, buffers, nonblocking, memory);
    case FileKind::kTimer:
      return read_timer(buffers, memory);
    case FileKind::kSocket:
      return read_socket(fd, buffers, transfer, memory);
    case FileKind::kZeroDevice:
      return read_zero(buffers, nonblocking, memory);
    default:
      return {0, Req::kReadNullDevice};
  }
}

Outcome Files::read_regular(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory,
                            const Rules& rules) {
  const RegularFile& file = regular_[traits(fd).index];
  if (traits(fd).direct && machine_->direct_queues && !direct_is_plain(buffers, transfer, memory, false)) {
    return {.certain = false};
  }
  const std::uint64_t offset = rules.wrong(Req::kReadOffset) ? transfer.offset + 1 : transfer.offset;
  const std::uint64_t size = file.content.size();
  if (buffers.total == 0) return {0, Req::kReadZeroBytes};
  if (offset >= size) return {rules.wrong(Req::kReadEndOfFile) ? -kEINVAL : 0, Req::kReadEndOfFile};
  const std::uint64_t wanted = std::min(buffers.total, size - offset);
  const auto from = std::span(file.content).subspan(offset, wanted);
  const std::uint64_t done = copy_to_user(memory, buffers, 0, from, Req::kReadOffset);
  Outcome outcome = count_or_fault(done, wanted, wanted < buffers.total ? Req::kReadStopsAtEnd : Req::kReadCount,
                                   Req::kReadShortOnFault);
  outcome.certain = file.known;
  return outcome;
}

Outcome Files::read_pipe(Fd fd, const Buffers& buffers, bool nonblocking, Memory& memory) {
  if (buffers.total == 0) return {0, Req::kReadZeroBytes};
  Pipe& pipe = pipes_[traits(fd).index];
  const unsigned index = traits(fd).index;
  const bool was_full = !pipe.buffers.empty();
  bool freed = false;
  std::uint64_t done = 0;
  Outcome outcome{0, Req::kPipeReadCount};
  while (!pipe.buffers.empty() && done < buffers.total) {
    PipeBuffer& buffer = pipe.buffers.front();
    const std::uint64_t part = std::min<std::uint64_t>(buffer.data.size(), buffers.total - done);
    const auto from = std::span(buffer.data).first(part);
    if (copy_to_user(memory, buffers, done, from, Req::kPipeReadContent) < part) {
      if (done == 0) outcome = {-kEFAULT, Req::kReadFaultIsResult};
      break;
    }
    done += part;
    buffer.data.erase(buffer.data.begin(), buffer.data.begin() + static_cast<std::ptrdiff_t>(part));
    buffer.offset += part;
    if (buffer.data.empty()) {
      pipe.buffers.pop_front();
      freed = true;
    }
  }
  if (was_full && (freed || profile_->pipe_wakes_full_writers)) {
    wake(FileKind::kPipe, index, true, kPollOut | kPollWrnorm);
  }
  if (outcome.res < 0) return outcome;
  if (done > 0) return {static_cast<std::int64_t>(done), Req::kPipeReadCount};
  if ((poll_mask(fd) & kPollHup) != 0) return {0, Req::kPipeReadHangup};
  if (nonblocking) return {-kEAGAIN, Req::kNonblockingIsResult};
  return {-kEINTR, Req::kSignalEndsRequest, true};
}

Outcome Files::read_eventfd(Fd fd, const Buffers& buffers, bool nonblocking, Memory& memory) {
  if (buffers.total < 8) return {-kEINVAL, Req::kEventfdReadsEight};
  const unsigned index = traits(fd).index;
  std::uint64_t& counter = counters_[index];
  if (counter == 0) {
    if (nonblocking) return {-kEAGAIN, Req::kNonblockingIsResult};
    return {-kEINTR, Req::kSignalEndsRequest, true};
  }
  const std::uint64_t value = traits(fd).semaphore ? 1 : counter;
  counter -= value;
  wake(FileKind::kEventfd, index, false, kPollOut);
  const auto bytes = std::as_bytes(std::span(&value, 1));
  if (copy_to_user(memory, buffers, 0, bytes, Req::kEventfdReadValue) < 8) return {-kEFAULT, Req::kReadFaultIsResult};
  return {8, Req::kEventfdReadsEight};
}

// What it has counted is gone even where it cannot be delivered.
Outcome Files::read_timer(const Buffers& buffers, Memory& memory) {
  if (buffers.total < 8) return {-kEINVAL, Req::kTimerReads};
  if (!expired_) return {-kEAGAIN, Req::kNonblockingIsResult};
  expired_ = false;
  const std::uint64_t once = 1;
  const auto bytes = std::as_bytes(std::span(&once, 1));
  return count_or_fault(copy_to_user(memory, buffers, 0, bytes, Req::kTimerReads), 8, Req::kTimerReads,
                        Req::kReadShortOnFault);
}

Outcome Files::read_socket(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory) {
  if (transfer.offset != 0) return {-kESPIPE, Req::kSocketOffset};
  if (buffers.total == 0) return {0, Req::kReadZeroBytes};
  Socket& socket = sockets_[traits(fd).index];
  std::uint64_t done = 0;
  while (!socket.queue.empty() && done < buffers.total) {
    std::vector<std::byte>& message = socket.queue.front();
    const std::uint64_t part = std::min<std::uint64_t>(message.size(), buffers.total - done);
    if (copy_to_user(memory, buffers, done, std::span(message).first(part), Req::kSocketReadContent) < part) {
      if (done == 0) return {-kEFAULT, Req::kReadFaultIsResult};
      break;
    }
    done += part;
    if (part < message.size()) {
      message.erase(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(part));
      break;
    }
    socket.queue.pop_front();
  }
  if (done > 0) return {static_cast<std::int64_t>(done), Req::kSocketReadCount};
  if (socket.reset) {
    socket.reset = false;
    return {-kECONNRESET, Req::kSocketReset};
  }
  if (socket.shut) return {0, Req::kSocketReadEnd};
  if (traits(fd).nonblocking || (transfer.rw_flags & kRwfNowait) != 0) return {-kEAGAIN, Req::kNonblockingIsResult};
  return {-kEINTR, Req::kSignalEndsRequest, true};
}

Outcome Files::read_zero(const Buffers& buffers, bool nonblocking, Memory& memory) {
  // Without leave to wait the kernel may stop after any page, where something else wants the CPU.
  if (nonblocking && buffers.total > arena::kPage) return {.certain = false};
  if (buffers.total == 0) return {0, Req::kReadZeroBytes};
  static const std::vector<std::byte> kZeros(64 * 1024);
  std::uint64_t done = 0;
  while (done < buffers.total) {
    const std::uint64_t part = std::min<std::uint64_t>(buffers.total - done, kZeros.size());
    const std::uint64_t copied =
        copy_to_user(memory, buffers, done, std::span(kZeros).first(part), Req::kReadZeroDevice);
    done += copied;
    if (copied < part) break;
  }
  return count_or_fault(done, buffers.total, Req::kReadZeroDevice, Req::kReadShortOnFault);
}

}  // namespace aio
