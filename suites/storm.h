// SPDX-License-Identifier: GPL-2.0-or-later
//
// A storm: threads that make all calls of AIO at once, on a few contexts that they share. Two of these stay throughout;
// the others are destroyed and made again, with requests in flight and other threads inside their calls. Rings fill up
// to EAGAIN and are emptied, again and again. What must hold in whatever order is looked at meanwhile and at the end.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "fixtures/entry.h"
#include "suites/storm_books.h"

namespace aio::suites {

// What is done, again and again meanwhile, to the ring of a context that stays; where it lies then is returned.
using Disturbance = std::function<Address(Address ring, std::size_t size)>;

struct StormSetting {
  int file = -1;  // a regular one, of kStormFile bytes
  bool fsync = true;
  bool poll = true;
  unsigned threads = 4;
  unsigned staying = 2;     // contexts that stay
  unsigned passing = 2;     // contexts that come and go
  unsigned renewals = 300;  // of so many steps on such a one, and that do nothing else, one makes it anew
  unsigned possible_cpus = 1;
  std::size_t page_size = 4096;
  Address buffers = 0;  // where reads and writes have theirs: kStormBuffers bytes
  Disturbance disturb;  // none: nothing
  bool moving = false;  // it moves rings
  std::chrono::milliseconds time{};
  std::chrono::milliseconds patience{};
};

inline constexpr std::size_t kStormFile = 65536;
inline constexpr std::size_t kStormBuffers = 65536;

// One as there can be on this machine.
StormSetting storm_here(const Descriptor& file, Address buffers, std::chrono::milliseconds time);

class Storm {
 public:
  Storm(Entry& honest, const StormSetting& setting);

  // Once. What went wrong. If nothing did, all contexts are gone.
  Troubles run();

  std::uint64_t requests() const;  // that were accepted
  std::uint64_t contexts() const;  // that were made

 private:
  friend class StormThread;
  static constexpr unsigned kEventfds = 3;

  bool is_over() const;
  void make(SharedContext& context);
  void destroy(SharedContext& context);
  void watch();
  void disturb(SharedContext& context) const;
  void look_at_ring(const SharedContext& context);
  // Requests whose events have to come.
  std::uint64_t due(const SharedContext& context) const;
  void collect_rest(SharedContext& context);
  void settle_signals();

  std::unique_ptr<Entry> racing_;  // a kernel that is wrong where calls meet, if there is to be one
  Entry& entry_;
  const StormSetting setting_;
  StormBooks books_;
  std::vector<SharedContext> contexts_;
  std::array<Signals, kEventfds> signals_;    // RESFDs
  std::array<Descriptor, kEventfds> polled_;  // eventfds too
  std::atomic<std::uint64_t> contexts_made_{0};
  std::chrono::steady_clock::time_point end_;
};

}  // namespace aio::suites
