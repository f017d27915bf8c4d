// SPDX-License-Identifier: GPL-2.0-or-later
//
// What ->write_iter of each file of the zoo does.
#include <algorithm>

#include "reference/files.h"

namespace aio {

std::uint64_t copy_from_user(const Memory& memory, const Buffers& buffers, std::uint64_t skip,
                             std::span<std::byte> to) {
  std::uint64_t done = 0;
  for (const Iovec& segment : buffers.segments) {
    if (skip >= segment.len) {
      skip -= segment.len;
      continue;
    }
    const std::uint64_t part = std::min<std::uint64_t>(segment.len - skip, to.size() - done);
    if (part == 0) break;
    const std::uint64_t copied = memory.copy_from(segment.base + skip, to.subspan(done, part));
    done += copied;
    skip = 0;
    if (copied < part) break;
  }
  return done;
}

std::uint64_t readable_bytes(const Memory& memory, const Buffers& buffers) {
  std::uint64_t done = 0;
  for (const Iovec& segment : buffers.segments) {
    const std::uint64_t good = memory.readable(segment.base, segment.len);
    done += good;
    if (good < segment.len) break;
  }
  return done;
}

Outcome Files::write(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory,
                     const Rules& rules) {
  const bool nonblocking = traits(fd).nonblocking || (transfer.rw_flags & kRwfNowait) != 0;
  switch (traits(fd).kind) {
    case FileKind::kRegular:
      return write_regular(fd, buffers, transfer, memory, rules);
    case FileKind::kPipe:
      return write_pipe(fd, buffers, nonblocking, memory);
    case FileKind::kSocket:
      return write_socket(fd, buffers, transfer, memory);
    default:
      return {static_cast<std::int64_t>(buffers.total), Req::kWriteNullDevice};
  }
}

// How many bytes a buffered write at `position` takes before its buffer faults. Since 5.16 that is all that can be
// read; before, a page-cache chunk that can't be read whole is not written at all (E50).
std::uint64_t Files::writable_bytes(std::uint64_t position, const Buffers& buffers, const Memory& memory) const {
  const std::uint64_t good = std::min(readable_bytes(memory, buffers), buffers.total);
  if (good == buffers.total || profile_->short_write_on_fault) return good;
  std::uint64_t done = 0;
  while (done < good) {
    const std::uint64_t chunk = std::min(arena::kPage - (position + done) % arena::kPage, buffers.total - done);
    if (done + chunk > good) break;
    done += chunk;
  }
  return done;
}

// Direct I/O that the model can answer: aligned, inside the file, and with memory that is all there.
bool Files::direct_is_plain(const Buffers& buffers, const Transfer& transfer, const Memory& memory, bool write) const {
  const std::uint64_t align = machine_->direct_align;
  if (transfer.rw_flags != 0 || transfer.offset % align != 0 || buffers.total == 0) return false;
  std::uint64_t end = transfer.offset;
  for (const Iovec& segment : buffers.segments) {
    if (segment.base % align != 0 || segment.len % align != 0) return false;
    const bool there = write ? memory.readable(segment.base, segment.len) == segment.len
                             : memory.writable(segment.base, segment.len) == segment.len;
    if (!there) return false;
    end += segment.len;
  }
  return regular_[1].known && end <= regular_[1].content.size();
}

Outcome Files::write_regular(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory,
                             const Rules& rules) {
  const FdTraits& type = traits(fd);
  RegularFile& file = regular_[type.index];
  if (type.direct && machine_->direct_queues && !direct_is_plain(buffers, transfer, memory, true)) {
    file.known = false;
    return {.certain = false};
  }
  if ((transfer.rw_flags & kRwfNowait) != 0 && machine_->nowait_write_error != 0) {
    return {-machine_->nowait_write_error, Req::kWriteNowaitBuffered};
  }
  if (buffers.total == 0) return {0, Req::kWriteZeroBytes};
  const bool append = (type.append && (transfer.rw_flags & kRwfNoappend) == 0) || (transfer.rw_flags & kRwfAppend) != 0;
  const Req append_rule = type.append ? Req::kWriteAppendFile : Req::kWriteAppendFlag;
  std::uint64_t position = transfer.offset;
  if (append && !rules.wrong(append_rule)) position = file.content.size();
  if (!append && rules.wrong(Req::kWriteOffset)) position += 1;
  if (position >= machine_->max_file) return {-kEFBIG, Req::kWriteTooFar};
  const std::uint64_t room = machine_->max_file - position;
  Buffers clipped = buffers;
  clipped.total = std::min(clipped.total, room);
  const std::uint64_t done = writable_bytes(position, clipped, memory);
  if (done == 0) {
    if (machine_->fault_extends_file && position > file.content.size()) {
      file.known = file.known && position <= kMaxObservedFile;
      if (file.known) file.content.resize(position);
    }
    return {-kEFAULT, Req::kWriteFaultIsResult};
  }
  if (position + done > kMaxObservedFile) {
    file.known = false;
    return {static_cast<std::int64_t>(done), Req::kWriteCount, false, false};
  }
  if (file.content.size() < position + done) file.content.resize(position + done);
  copy_from_user(memory, clipped, 0, std::span(file.content).subspan(position, done));
  const Req rule = append ? append_rule : Req::kWriteCount;
  return {static_cast<std::int64_t>(done), done < clipped.total ? Req::kWriteShortOnFault : rule};
}

Outcome Files::write_pipe(Fd fd, const Buffers& buffers, bool nonblocking, const Memory& memory) {
  if (buffers.total == 0) return {0, Req::kWriteZeroBytes};
  const unsigned index = traits(fd).index;
  Pipe& pipe = pipes_[index];
  if ((poll_mask(fd) & kPollErr) != 0) return {-kEPIPE, Req::kPipeWriteBroken};
  // A write wakes the readers even if it fails further on.
  const bool wakes = pipe.buffers.empty() || pipe.polled;
  const auto finish = [&](Outcome outcome) {
    if (wakes) wake(FileKind::kPipe, index, false, kPollIn | kPollRdnorm);
    return outcome;
  };
  std::uint64_t done = 0;
  const std::uint64_t tail_part = buffers.total % arena::kPage;
  if (tail_part > 0 && !pipe.buffers.empty()) {
    PipeBuffer& last = pipe.buffers.back();
    if (last.offset + last.data.size() + tail_part <= arena::kPage) {
      std::vector<std::byte> bytes(tail_part);
      if (copy_from_user(memory, buffers, 0, bytes) < tail_part) return finish({-kEFAULT, Req::kWriteFaultIsResult});
      last.data.insert(last.data.end(), bytes.begin(), bytes.end());
      done = tail_part;
      if (done == buffers.total) return finish({static_cast<std::int64_t>(done), Req::kPipeWriteCount});
    }
  }
  while (pipe.buffers.empty()) {
    std::vector<std::byte> bytes(std::min(buffers.total - done, arena::kPage));
    const std::uint64_t copied = copy_from_user(memory, buffers, done, bytes);
    if (copied < bytes.size()) {
      if (profile_->pipe_fault_leaves_slot) pipe.buffers.push_back({});
      if (done > 0) return finish({static_cast<std::int64_t>(done), Req::kWriteShortOnFault});
      return finish({-kEFAULT, Req::kWriteFaultIsResult});
    }
    done += copied;
    pipe.buffers.push_back({0, std::move(bytes)});
    if (done == buffers.total) return finish({static_cast<std::int64_t>(done), Req::kPipeWriteCount});
  }
  if (done > 0 && nonblocking) return finish({static_cast<std::int64_t>(done), Req::kPipeWriteShort});
  if (nonblocking) return finish({-kEAGAIN, Req::kNonblockingIsResult});
  if (done > 0) return finish({static_cast<std::int64_t>(done), Req::kPipeWriteShort, true});
  return finish({-kEINTR, Req::kSignalEndsRequest, true});
}

Outcome Files::write_socket(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory) {
  if (transfer.offset != 0) return {-kESPIPE, Req::kSocketOffset};
  const unsigned index = traits(fd).index;
  if (sockets_[index].shut) return {-kEPIPE, Req::kSocketBroken};
  if (buffers.total == 0) return {0, Req::kWriteZeroBytes};
  std::vector<std::byte> message(std::min<std::uint64_t>(buffers.total, kMaxObservedFile));
  if (copy_from_user(memory, buffers, 0, message) < buffers.total) return {-kEFAULT, Req::kWriteFaultIsResult};
  sockets_[1 - index].queue.push_back(std::move(message));
  wake(FileKind::kSocket, 1 - index, false, kPollIn | kPollPri | kPollRdnorm | kPollRdband);
  return {static_cast<std::int64_t>(buffers.total), Req::kSocketWriteCount};
}

}  // namespace aio
