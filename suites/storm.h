// SPDX-License-Identifier: GPL-2.0-or-later
//
// A storm: threads that make all calls of AIO at once, on a few contexts that they share. Two of these stay throughout;
// the others are destroyed and made again, with requests in flight and other threads inside their calls. Rings fill up
// to EAGAIN and are emptied, again and again. What must hold in whatever order is looked at meanwhile and at the end.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "fixtures/entry.h"
#include "suites/storm_books.h"

namespace aio::suites {

struct StormSetting {
  int file = -1;  // a regular one, of kStormFile bytes
  bool fsync = true;
  bool poll = true;
  unsigned threads = 4;
  unsigned passing = 2;     // contexts that come and go
  unsigned renewals = 300;  // of so many steps on such a one, and that do nothing else, one makes it anew
  unsigned possible_cpus = 1;
  std::size_t page_size = 4096;
  std::chrono::milliseconds time{};
  std::chrono::milliseconds patience{};
};

inline constexpr std::size_t kStormFile = 65536;

class Storm {
 public:
  Storm(Entry& entry, const StormSetting& setting);

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
  void look_at_ring(const SharedContext& context);
  // Requests whose events have to come.
  std::uint64_t due(const SharedContext& context) const;
  void collect_rest(SharedContext& context);
  void settle_signals();

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
