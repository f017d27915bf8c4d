// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hazards: bounds on what blocking descriptors hold and on how large the regular files have become,
// kept while a program is written, so that its requests neither block for ever nor grow a file out
// of sight. The bounds only have to be safe: what a request really does is the model's business.
#pragma once

#include <array>
#include <cstdint>

#include "reference/program.h"

namespace aio {

class Hazards {
 public:
  // `blocking`: how many calls may block all the same.
  explicit Hazards(unsigned blocking) : blocking_(blocking) {}

  // Changes a request that would block or grow a file too far into one that doesn't, and accounts
  // for it. It will run up to `times` times; `certain`: it surely runs.
  void tame(IocbSpec& spec, std::uint64_t times, bool certain);
  // The same for operations on a descriptor.
  void tame(FdWrite& op);
  void read(const FdRead& op);
  // A lane may sleep in a read of the blocking pipe: what is written there may be gone at once.
  void read_asleep() { pipe_drains_ = true; }
  // The gate file holds what comes; it holds nothing any more.
  void hold() { holding_ = true; }
  bool holds() const { return holding_; }
  void release_all() {
    holding_ = false;
    syncs_held_.fill(false);
  }
  // Takes one of the calls that may block; false if there is none left.
  bool may_block();
  // Whether io_submit may run iocbs of earlier io_submits again, any number of times.
  bool replays_are_safe() const { return !may_wait_ && !appends_; }
  // One iocb of an earlier io_submit may run again.
  void replayed_one();

 private:
  // Bytes that wait in a pipe, eventfd or direction of a socket pair.
  struct Queue {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    std::uint64_t since_empty = 0;  // written since it was surely empty: a page is not refilled
  };

  Queue* source(Fd fd);
  Queue* sink(Fd fd);
  void take(Queue& queue, std::uint64_t nbytes, bool certain);
  void put(Queue& queue, std::uint64_t nbytes, bool certain);
  void tame_gate(IocbSpec& spec, std::uint64_t times);
  void tame_read(IocbSpec& spec, std::uint64_t nbytes, std::uint64_t times, bool certain);
  void tame_write(IocbSpec& spec, std::uint64_t nbytes, std::uint64_t times, bool certain);
  bool grows_too_far(const IocbSpec& spec, std::uint64_t times);

  unsigned blocking_;
  bool may_wait_ = false;  // an iocb transfers through a blocking pipe, eventfd or socket
  bool appends_ = false;   // an iocb appends to a file
  bool holding_ = false;
  bool pipe_drains_ = false;
  std::array<bool, 2> syncs_held_{};  // an FSYNC, an FDSYNC may be held, for which io_submit of a write waits
  std::array<Queue, 4> queues_{};     // blocking pipe, blocking eventfd, to socket 0, to socket 1
  std::array<std::uint64_t, 2> file_sizes_{kFileSize, kDirectFileSize};  // at most
};

}  // namespace aio
