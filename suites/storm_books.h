// SPDX-License-Identifier: GPL-2.0-or-later
//
// The books of a storm (storm.h): what was asked of a context and what came of it, so that at the end it can be told
// what is missing and what is too much, whatever the order was.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "fixtures/descriptor.h"
#include "reference/abi.h"
#include "suites/threads.h"

namespace aio::suites {

inline constexpr std::uint64_t kTransfer = 512;  // bytes of each read and write

// Room for one request at a time, of one thread. `in_flight` is its data from before io_submit until its event is
// taken, by whichever thread.
struct Request {
  Iocb iocb;
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::int64_t> res{0};
  // Only for the thread that it belongs to.
  unsigned context = 0;
  std::uint64_t life_before = 0;  // the context's `lives` before and after io_submit: it is of one of these
  std::uint64_t life_after = 0;
  bool cancelled = false;

  bool is_over() const { return in_flight == 0; }
};

// A context that all threads use. The counts only grow, so what holds of them can be told from two looks.
struct SharedContext {
  std::uint32_t nr = 0;  // events that io_setup is asked for
  bool stays = false;    // otherwise it is destroyed and made again now and then
  bool moves = false;    // its id changes: calls may come too late for it
  std::atomic<std::uint64_t> id{0};
  std::atomic<std::uint64_t> lives{0};  // that are over: io_destroy has returned
  std::atomic<bool> renewing{false};
  std::atomic<bool> ebb{false};  // the ring was full: now events are taken more than made
  RingHeader header;             // as io_setup left it

  std::atomic<std::uint64_t> begun{0};      // before io_submit
  std::atomic<std::uint64_t> refused{0};    // after it
  std::atomic<std::uint64_t> accepted{0};   // likewise
  std::atomic<std::uint64_t> asked{0};      // before io_getevents
  std::atomic<std::uint64_t> left{0};       // after it: asked for and not got
  std::atomic<std::uint64_t> collected{0};  // likewise

  // In flight or in the ring at some moment of the call, at least: it may be anything above.
  std::int64_t least_in_use() const;
  // Whether a call may find that there is no such context.
  bool may_be_missed() const { return moves || !stays; }
};

// What an eventfd is to count, and what was read from it.
struct Signals {
  Descriptor eventfd;
  std::atomic<std::uint64_t> due{0};
  std::atomic<std::uint64_t> seen{0};

  void drain();
};

class StormBooks {
 public:
  explicit StormBooks(unsigned threads);
  // Of all threads alike, and equally many of each.
  std::span<Request> all() const { return {requests_.get(), share_ * threads_}; }
  std::span<Request> of_thread(unsigned thread) const { return all().subspan(share_ * thread, share_); }

  // An event that somebody has collected.
  void take(const Event& event);
  // io_submit has not accepted it.
  void take_back(Request& request);
  // Its event has come, and is right.
  void judge(const Request& request);

  // The first few. With one of them the storm is over.
  void trouble(std::string_view requirement, const std::string& text);
  bool troubled() const { return troubled_; }
  Troubles troubles() const;

 private:
  unsigned threads_;
  std::size_t share_;
  std::unique_ptr<Request[]> requests_;
  mutable std::mutex mutex_;
  Troubles troubles_;
  std::atomic<bool> troubled_{false};
};

}  // namespace aio::suites
