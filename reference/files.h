// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files of a program as the model knows them: regular files, pipes, eventfds, a socket pair and the plain devices;
// what a read or write of each gives, what poll says, and which wake-ups an action sends. Source: semantics.md A.2, D;
// man pages pipe(7), eventfd(2), unix(7).
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <vector>

#include "reference/memory.h"
#include "reference/profile.h"
#include "reference/rules.h"
#include "reference/zoo.h"

namespace aio {

enum class FileKind : std::uint8_t {
  kNone,  // not an open file: closed, never opened, -1
  kPathOnly,
  kRegular,
  kPipe,
  kEventfd,
  kSocket,
  kDirectory,
  kNullDevice,
  kZeroDevice,
  kGate,
  kTimer,
};

// What a descriptor of the zoo is.
struct FdTraits {
  FileKind kind = FileKind::kNone;
  unsigned index = 0;  // which regular file, pipe, eventfd or socket
  bool readable = false;
  bool writable = false;
  bool nonblocking = false;
  bool append = false;
  bool direct = false;
  bool semaphore = false;
};
const FdTraits& traits(Fd fd);

// The user's buffers of one request, already found to lie in the user's half.
struct Buffers {
  std::vector<Iovec> segments;
  std::uint64_t total = 0;
};

// How a request is to be carried out.
struct Transfer {
  std::uint64_t offset = 0;
  std::uint32_t rw_flags = 0;
};

// What a read or write ended with.
struct Outcome {
  std::int64_t res = 0;  // bytes or -errno
  Req rule{};            // what decided it
  bool waited = false;   // it would wait for ever: `res` is what it ends with when a signal comes
  bool certain = true;   // false: outside what the model knows (unaligned direct I/O); any res may come
};

// A wait queue on which POLL requests wait.
struct WaitQueue {
  FileKind kind = FileKind::kNone;
  unsigned index = 0;
  bool write_side = false;  // of a pipe
  friend bool operator==(const WaitQueue&, const WaitQueue&) = default;
};
// A wake-up: with the poll bits of its key, or 0 for one without a key.
struct Wake {
  WaitQueue queue;
  std::uint16_t key = 0;
};

struct RegularFile {
  std::vector<std::byte> content;
  bool known = true;  // false after a write whose effect the model can't tell
};
struct PipeBuffer {
  std::uint64_t offset = 0;  // in its page
  std::vector<std::byte> data;
};
struct Pipe {
  std::deque<PipeBuffer> buffers;
  bool polled = false;  // POLL was ever asked of its read end: from then on every write wakes
};
struct Socket {
  std::deque<std::vector<std::byte>> queue;  // received and unread, one entry a message
  bool shut = false;                         // the peer is gone
  bool reset = false;                        // ... and had not read everything
};

class Files {
 public:
  Files(const Profile& profile, const Machine& machine);
  // A new case, in which these members of the zoo are open.
  void reset(const std::bitset<kFdCount>& descriptors);

  // Whether the number is open, and not only a path.
  bool usable(Fd fd) const;
  bool number_open(Fd fd) const { return open_[static_cast<std::size_t>(fd)]; }
  // FMODE_NOWAIT; FOP_DONTCACHE.
  bool allows_nowait(Fd fd) const;
  bool allows_dontcache(Fd fd) const;
  // Whether the file has ->read_iter, ->write_iter, ->fsync.
  bool has_read(Fd fd) const;
  bool has_write(Fd fd) const;
  bool has_fsync(Fd fd) const;

  Outcome read(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory, const Rules& rules);
  Outcome write(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory, const Rules& rules);

  // The mask that ->poll answers now; whether it registered on a wait queue, and on which.
  std::uint16_t poll_mask(Fd fd) const;
  bool has_queue(Fd fd) const;
  WaitQueue queue_of(Fd fd) const;
  void note_polled(Fd fd);
  // Whether reads or writes of it may wait at all.
  static bool blocks(Fd fd);
  // Whether this one of so many bytes may, if nothing happens before it.
  bool may_wait(Fd fd, bool write, std::uint64_t size) const;
  // A pipe that says it can be read though nothing is in it (Profile::pipe_fault_leaves_slot): a read waits.
  bool has_only_empty_pages(Fd fd) const;

  // A request took or dropped a reference to the file. What the last one to go sets off comes when the call ends.
  void hold(Fd fd) { ++held_[static_cast<std::size_t>(fd)]; }
  void drop(Fd fd);
  unsigned held(Fd fd) const { return held_[static_cast<std::size_t>(fd)]; }
  void close(Fd fd);
  // Ends what lost its last reference since the last call; false if there was nothing.
  bool release_unused();
  // Whether every file that could keep `peer` from seeing its other side's end is held by the descriptor table alone.
  bool end_will_show(Fd peer) const;

  // eventfd_write() of a value that fits.
  void add(Fd fd, std::uint64_t value);
  // The timer expires once.
  void expire();
  // eventfd_signal(): a completion with RESFD.
  void signal(Fd fd, const Rules& rules);
  std::uint64_t counter(unsigned index) const { return counters_[index]; }
  const RegularFile& regular(unsigned index) const { return regular_[index]; }
  // The model gave up on a file's content: take what was seen.
  void adopt(unsigned index, std::span<const std::byte> content);
  // A socket's buffers hold so much that the sizes of the kernel's own structures begin to matter.
  bool socket_near_limit() const;

  // Open descriptors whose other side was closed since forget_hung_up().
  const std::vector<Fd>& hung_up() const { return hung_up_; }
  void forget_hung_up() { hung_up_.clear(); }
  // Wake-ups sent since the last call.
  std::vector<Wake> take_wakes();

 private:
  Outcome read_regular(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory, const Rules& rules);
  Outcome write_regular(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory,
                        const Rules& rules);
  Outcome read_pipe(Fd fd, const Buffers& buffers, bool nonblocking, Memory& memory);
  Outcome write_pipe(Fd fd, const Buffers& buffers, bool nonblocking, const Memory& memory);
  Outcome read_eventfd(Fd fd, const Buffers& buffers, bool nonblocking, Memory& memory);
  Outcome read_timer(const Buffers& buffers, Memory& memory);
  Outcome read_socket(Fd fd, const Buffers& buffers, const Transfer& transfer, Memory& memory);
  Outcome write_socket(Fd fd, const Buffers& buffers, const Transfer& transfer, const Memory& memory);
  Outcome read_zero(const Buffers& buffers, bool nonblocking, Memory& memory);
  std::uint64_t writable_bytes(std::uint64_t position, const Buffers& buffers, const Memory& memory) const;
  bool direct_is_plain(const Buffers& buffers, const Transfer& transfer, const Memory& memory, bool write) const;
  void release(Fd fd);
  void wake(FileKind kind, unsigned index, bool write_side, std::uint16_t key);

  const Profile* profile_;
  const Machine* machine_;
  std::array<bool, kFdCount> open_{};
  std::array<unsigned, kFdCount> held_{};
  std::array<bool, kFdCount> ended_{};  // the open file is gone, not only its number
  std::array<RegularFile, 2> regular_;
  std::array<Pipe, 2> pipes_;
  std::array<std::uint64_t, 3> counters_{};
  std::array<Socket, 2> sockets_;
  bool expired_ = false;  // the timer, since it was last read
  std::vector<Wake> wakes_;
  std::vector<Fd> hung_up_;
  std::vector<Fd> unused_;
};

// The kernel's copies over all segments: stop at the first fault. Return the bytes copied.
std::uint64_t copy_to_user(Memory& memory, const Buffers& buffers, std::uint64_t skip, std::span<const std::byte> from,
                           Req rule);
std::uint64_t copy_from_user(const Memory& memory, const Buffers& buffers, std::uint64_t skip, std::span<std::byte> to);
// Bytes of the buffers that can be read before the first fault.
std::uint64_t readable_bytes(const Memory& memory, const Buffers& buffers);

}  // namespace aio
