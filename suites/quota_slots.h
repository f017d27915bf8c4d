// SPDX-License-Identifier: GPL-2.0-or-later
//
// What section B of the notes comes to for one context, and how the suites about quota use it up.
#pragma once

#include <algorithm>

#include "suites/harness/case.h"

namespace aio::suites {

// Slots go to CPUs in batches of a quarter of a CPU's share, so a task on one CPU may get less than all.
struct Slots {
  // `ring` is the ring's nr word.
  Slots(std::uint32_t ring, std::uint32_t possible_cpus)
      : all(ring - 1), batch(std::max(1u, all / (4 * possible_cpus))), quota(all / batch * batch) {}
  std::uint32_t all;
  std::uint32_t batch;
  std::uint32_t quota;  // of a task on one CPU
};

inline constexpr std::uint32_t kEnough = 4000;  // more than any ring of these suites has

// Submits what the list begins with, one request a call, until there is no slot; how many were taken.
inline std::uint32_t fill(Entry& entry, std::uint64_t ctx, Address list) {
  std::uint32_t taken = 0;
  Answer answer{};
  while (taken < kEnough && (answer = entry.io_submit(ctx, 1, list)).value == 1) ++taken;
  EXPECT_ERROR(EAGAIN, answer);
  return taken;
}

}  // namespace aio::suites
