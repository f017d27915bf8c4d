// SPDX-License-Identifier: GPL-2.0-or-later
//
// Descriptors, references, poll masks and wake-ups. Reads and writes are in files_read.cpp and files_write.cpp.
#include "reference/files.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace aio {
namespace {

constexpr std::uint64_t kCounterMax = ~0ull;
// With what pipe_release() woke while its wake-ups had a key: semantics.md E49.
constexpr std::uint16_t kPipeHangupKey = kPollIn | kPollOut | kPollErr | kPollHup | kPollRdnorm | kPollWrnorm;

constexpr std::array<FdTraits, kFdCount> kTraits{{
    {FileKind::kRegular, 0, true, true, false, false, false, false},     // kFile
    {FileKind::kRegular, 0, true, false, false, false, false, false},    // kFileRo
    {FileKind::kRegular, 0, false, true, false, false, false, false},    // kFileWo
    {FileKind::kRegular, 0, true, true, false, true, false, false},      // kFileAppend
    {FileKind::kRegular, 1, true, true, false, false, true, false},      // kDirect
    {FileKind::kPipe, 0, true, false, false, false, false, false},       // kPipeRead
    {FileKind::kPipe, 0, false, true, false, false, false, false},       // kPipeWrite
    {FileKind::kPipe, 1, true, false, true, false, false, false},        // kNbPipeRead
    {FileKind::kPipe, 1, false, true, true, false, false, false},        // kNbPipeWrite
    {FileKind::kEventfd, 0, true, true, false, false, false, false},     // kEvent
    {FileKind::kEventfd, 1, true, true, true, false, false, false},      // kNbEvent
    {FileKind::kEventfd, 2, true, true, true, false, false, true},       // kSemEvent
    {FileKind::kSocket, 0, true, true, false, false, false, false},      // kSocket0
    {FileKind::kSocket, 1, true, true, false, false, false, false},      // kSocket1
    {FileKind::kDirectory, 0, true, false, false, false, false, false},  // kDirectory
    {FileKind::kPathOnly, 0, false, false, false, false, false, false},  // kPath
    {FileKind::kNullDevice, 0, true, true, false, false, false, false},  // kNull
    {FileKind::kZeroDevice, 0, true, true, false, false, false, false},  // kZero
    {},                                                                  // kClosed
    {},                                                                  // kNever
    {},                                                                  // kMinusOne
    {FileKind::kGate, 0, true, true, false, false, false, false},        // kGate
    {FileKind::kTimer, 0, true, true, true, false, false, false},        // kTimer
}};

constexpr Fd other_end(Fd fd) {
  switch (fd) {
    case Fd::kPipeRead:
      return Fd::kPipeWrite;
    case Fd::kPipeWrite:
      return Fd::kPipeRead;
    case Fd::kNbPipeRead:
      return Fd::kNbPipeWrite;
    case Fd::kNbPipeWrite:
      return Fd::kNbPipeRead;
    case Fd::kSocket0:
      return Fd::kSocket1;
    case Fd::kSocket1:
      return Fd::kSocket0;
    default:
      return fd;
  }
}

}  // namespace

const FdTraits& traits(Fd fd) { return kTraits[static_cast<std::size_t>(fd)]; }

Files::Files(const Profile& profile, const Machine& machine) : profile_(&profile), machine_(&machine) { reset({}); }

void Files::reset(const std::bitset<kFdCount>& descriptors) {
  for (unsigned i = 0; i < kFdCount; ++i) open_[i] = descriptors[i] && kTraits[i].kind != FileKind::kNone;
  if (!machine_->direct) open_[static_cast<std::size_t>(Fd::kDirect)] = false;
  if (!machine_->gate) open_[static_cast<std::size_t>(Fd::kGate)] = false;
  held_.fill(0);
  static const std::array<std::vector<std::byte>, 2> kInitial = [] {
    std::array<std::vector<std::byte>, 2> contents;
    for (unsigned file = 0; file < 2; ++file) {
      contents[file].resize(file == 0 ? kFileSize : kDirectFileSize);
      for (std::uint64_t i = 0; i < contents[file].size(); ++i)
        contents[file][i] = std::byte{initial_file_byte(file, i)};
    }
    return contents;
  }();
  for (unsigned file = 0; file < 2; ++file) {
    regular_[file].content = kInitial[file];
    regular_[file].known = true;
  }
  for (Pipe& pipe : pipes_) {
    pipe.buffers.clear();
    pipe.polled = false;
  }
  counters_.fill(0);
  expired_ = false;
  for (Socket& socket : sockets_) {
    socket.queue.clear();
    socket.shut = socket.reset = false;
  }
  wakes_.clear();
  hung_up_.clear();
  unused_.clear();
  ended_.fill(false);
}

bool Files::usable(Fd fd) const { return number_open(fd) && traits(fd).kind != FileKind::kPathOnly; }

bool Files::allows_nowait(Fd fd) const {
  switch (traits(fd).kind) {
    case FileKind::kRegular:
      return machine_->file_nowait && profile_->nowait_buffered;
    case FileKind::kPipe:
    case FileKind::kSocket:
      return profile_->pipe_nowait;
    case FileKind::kEventfd:
      return profile_->eventfd_reads;
    case FileKind::kTimer:
      return profile_->timer_reads;
    case FileKind::kNullDevice:
    case FileKind::kZeroDevice:
      return profile_->null_nowait;
    default:
      return false;
  }
}

bool Files::allows_dontcache(Fd fd) const { return traits(fd).kind == FileKind::kRegular && machine_->file_dontcache; }

bool Files::has_read(Fd fd) const {
  const FileKind kind = traits(fd).kind;
  return kind != FileKind::kDirectory && (kind != FileKind::kEventfd || profile_->eventfd_reads) &&
         (kind != FileKind::kTimer || profile_->timer_reads);
}

bool Files::has_write(Fd fd) const {
  const FileKind kind = traits(fd).kind;
  return kind != FileKind::kDirectory && kind != FileKind::kEventfd && kind != FileKind::kTimer;
}

bool Files::has_fsync(Fd fd) const {
  const FileKind kind = traits(fd).kind;
  return kind == FileKind::kRegular || kind == FileKind::kDirectory || kind == FileKind::kGate;
}

std::uint16_t Files::poll_mask(Fd fd) const {
  const FdTraits& file = traits(fd);
  unsigned mask = 0;
  switch (file.kind) {
    case FileKind::kPipe: {
      const Pipe& pipe = pipes_[file.index];
      const Fd peer = other_end(fd);
      const bool peer_gone = ended_[static_cast<std::size_t>(peer)];
      if (file.readable) {
        if (!pipe.buffers.empty()) mask |= kPollIn | kPollRdnorm;
        if (peer_gone) mask |= kPollHup;
      } else {
        if (pipe.buffers.empty()) mask |= kPollOut | kPollWrnorm;
        if (peer_gone) mask |= kPollErr;
      }
      break;
    }
    case FileKind::kEventfd: {
      const std::uint64_t count = counters_[file.index];
      if (count > 0) mask |= kPollIn;
      if (count == kCounterMax) mask |= kPollErr;
      if (count < kCounterMax - 1) mask |= kPollOut;
      break;
    }
    case FileKind::kTimer:
      mask = expired_ ? kPollIn : 0;
      break;
    case FileKind::kSocket: {
      const Socket& socket = sockets_[file.index];
      if (socket.reset) mask |= kPollErr;
      if (socket.shut) mask |= kPollHup | kPollRdhup | kPollIn | kPollRdnorm;
      if (!socket.queue.empty()) mask |= kPollIn | kPollRdnorm;
      mask |= kPollOut | kPollWrnorm | kPollWrband;
      break;
    }
    default:
      // No ->poll: always ready.
      mask = kPollIn | kPollOut | kPollRdnorm | kPollWrnorm;
  }
  return static_cast<std::uint16_t>(mask);
}

bool Files::has_queue(Fd fd) const {
  const FileKind kind = traits(fd).kind;
  return kind == FileKind::kPipe || kind == FileKind::kEventfd || kind == FileKind::kSocket || kind == FileKind::kTimer;
}

WaitQueue Files::queue_of(Fd fd) const {
  const FdTraits& file = traits(fd);
  return {file.kind, file.index, file.kind == FileKind::kPipe && file.writable && profile_->pipe_has_two_queues};
}

bool Files::blocks(Fd fd) {
  const FileKind kind = traits(fd).kind;
  return !traits(fd).nonblocking &&
         (kind == FileKind::kPipe || kind == FileKind::kEventfd || kind == FileKind::kSocket);
}

bool Files::may_wait(Fd fd, bool write, std::uint64_t size) const {
  if (!blocks(fd)) return false;
  const unsigned mask = poll_mask(fd);
  if (!write) return (mask & (kPollIn | kPollHup | kPollErr)) == 0 || has_only_empty_pages(fd);
  return traits(fd).kind == FileKind::kSocket || size > arena::kPage || (mask & (kPollOut | kPollErr)) == 0;
}

bool Files::has_only_empty_pages(Fd fd) const {
  if (traits(fd).kind != FileKind::kPipe || (poll_mask(fd) & kPollHup) != 0) return false;
  const auto& pages = pipes_[traits(fd).index].buffers;
  return !pages.empty() &&
         std::all_of(pages.begin(), pages.end(), [](const PipeBuffer& page) { return page.data.empty(); });
}

void Files::note_polled(Fd fd) {
  if (traits(fd).kind == FileKind::kPipe) pipes_[traits(fd).index].polled = true;
}

void Files::wake(FileKind kind, unsigned index, bool write_side, std::uint16_t key) {
  wakes_.push_back({{kind, index, write_side && profile_->pipe_has_two_queues}, key});
}

std::vector<Wake> Files::take_wakes() { return std::exchange(wakes_, {}); }

void Files::drop(Fd fd) {
  --held_[static_cast<std::size_t>(fd)];
  if (!number_open(fd) && held(fd) == 0) unused_.push_back(fd);
}

void Files::close(Fd fd) {
  if (!number_open(fd)) return;
  open_[static_cast<std::size_t>(fd)] = false;
  if (held(fd) == 0) unused_.push_back(fd);
}

bool Files::release_unused() {
  if (unused_.empty()) return false;
  for (const Fd fd : std::exchange(unused_, {})) release(fd);
  return true;
}

// The last reference to an open file is gone.
void Files::release(Fd fd) {
  ended_[static_cast<std::size_t>(fd)] = true;
  const FdTraits& file = traits(fd);
  const Fd peer = other_end(fd);
  const bool peer_alive = number_open(peer) || held(peer) > 0;
  if (peer != fd && number_open(peer)) hung_up_.push_back(peer);
  if (file.kind == FileKind::kPipe && peer_alive) {
    const std::uint16_t key = profile_->hangup_unkeyed ? 0 : kPipeHangupKey;
    wake(FileKind::kPipe, file.index, false, key);
    if (profile_->pipe_has_two_queues) wake(FileKind::kPipe, file.index, true, key);
  }
  if (file.kind == FileKind::kSocket && peer_alive) {
    Socket& other = sockets_[1 - file.index];
    other.shut = true;
    if (!sockets_[file.index].queue.empty()) other.reset = true;
    wake(FileKind::kSocket, 1 - file.index, false, 0);
  }
}

bool Files::end_will_show(Fd peer) const { return held(other_end(peer)) == 0 && held(peer) == 0; }

void Files::signal(Fd fd, const Rules& rules) {
  if (traits(fd).kind != FileKind::kEventfd) return;
  std::uint64_t& count = counters_[traits(fd).index];
  if (count == kCounterMax) {
    if (rules.wrong(Req::kResfdSaturates)) count = 0;
  } else {
    count += rules.wrong(Req::kResfdCountsCompletions) ? 2u : 1u;
  }
  wake(FileKind::kEventfd, traits(fd).index, false, kPollIn);
}

void Files::add(Fd fd, std::uint64_t value) {
  counters_[traits(fd).index] += value;
  wake(FileKind::kEventfd, traits(fd).index, false, kPollIn);
}

void Files::expire() {
  expired_ = true;
  wake(FileKind::kTimer, 0, false, kPollIn);
}

void Files::adopt(unsigned index, std::span<const std::byte> content) {
  regular_[index].content.assign(content.begin(), content.end());
  regular_[index].known = true;
}

bool Files::socket_near_limit() const {
  // A message takes a power of two that holds it and its headers; poll changes its mind at a quarter of the default
  // buffer of 212,992 bytes.
  for (const Socket& socket : sockets_) {
    std::uint64_t cost = 0;
    for (const auto& message : socket.queue) cost += std::bit_ceil(message.size() + 448) + 256;
    if (cost > 52000) return true;
  }
  return false;
}

}  // namespace aio
