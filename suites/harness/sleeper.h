// SPDX-License-Identifier: GPL-2.0-or-later
//
// What sleeps in a system call and what does not, and signals that end a sleep.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "fixtures/entry.h"
#include "fixtures/lane.h"

namespace aio::suites {

// A thread, or a process of the same memory, in a call that may last for ever. SIGUSR1 ends it, where it can, at the
// latest when the test ends; so a handler for it is put up unless the test has one already.
class Sleeper {
 public:
  // The call's number, from Case::numbers().
  Sleeper(unsigned cpu, long number, Lane::Kind kind = Lane::Kind::kThread);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void start(std::function<Answer()> call);
  // Once it sleeps in the call; false if it does not.
  bool asleep() const { return lane_.settle(number_) == Lane::State::kAsleep; }
  // Once the call has returned; false if it does not.
  bool returned() const;
  void signal(int number) const { lane_.signal(number); }
  void interrupt() const;
  // Whether a signal has stopped it.
  bool stopped() const;
  // Both wait until the call has returned.
  Answer answer() const;
  std::chrono::steady_clock::time_point returned_at() const;

 private:
  long number_;
  std::atomic<int> task_{0};
  Answer answer_;
  std::chrono::steady_clock::time_point returned_at_;
  Lane lane_;
};

// How often a signal was caught by the handlers of catch_signal(), and of sleepers.
extern std::atomic<int> catches;
void catch_signal(int number, int flags = 0);
// For the calling thread, and lanes that are made from then on.
void block(int number);

// Whether the calls do not put this thread to sleep. Where memory must first be fetched any call may: it is tried
// again.
bool stays_awake(const std::function<void()>& calls);

}  // namespace aio::suites
