// SPDX-License-Identifier: GPL-2.0-or-later
//
// One thread of a storm: one call after the other, which by chance. For storm.cpp.
#pragma once

#include <deque>
#include <random>
#include <vector>

#include "suites/storm.h"

namespace aio::suites {

class StormThread {
 public:
  StormThread(Storm& storm, unsigned index);

  void run();
  // Of those that are over; when nobody runs.
  void judge_rest();

 private:
  static constexpr unsigned kMostAtOnce = 8;
  static constexpr unsigned kMostEvents = 16;
  static constexpr unsigned kMostFsyncs = 8;

  unsigned dice(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
  SharedContext& context(const Request& request) { return storm_.contexts_[request.context]; }

  Request* fresh();
  void recycle();
  void fill(Request& request);
  void submit(unsigned index);
  void judge_answer(const SharedContext& to, std::int64_t wanted, const Answer& answer, std::uint64_t most_in_use);
  void collect(SharedContext& from, bool wait);
  void cancel();
  void poke();
  void renew(SharedContext& context);

  Storm& storm_;
  StormBooks& books_;
  std::span<Request> requests_;
  std::size_t used_ = 0;        // of these
  std::vector<Request*> free_;  // of the used
  std::deque<Request*> out_;    // likewise: perhaps in flight
  unsigned fsyncs_ = 0;         // of those
  std::uint64_t serial_;        // of requests, the thread's number in front
  std::minstd_rand random_;
  Address buffer_;
  Iovec vector_;
  std::array<Address, kMostAtOnce> list_{};
  std::array<Event, kMostEvents> events_{};
};

}  // namespace aio::suites
