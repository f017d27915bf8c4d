// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ring geometry: what follows from nr_events, the number of possible CPUs and the page size. Source: semantics.md A.1
// (ring maths) and B; v5.5.9 aio_setup_ring, lines 470 to 486.
#pragma once

#include <cstdint>

#include "reference/abi.h"

namespace aio {

struct Geometry {
  std::uint32_t wanted = 0;     // n: u32(max(nr, 4 * P) * 2)
  std::uint64_t pages = 0;      // length of the mapping
  std::uint32_t ring_size = 0;  // R: io_events that fit
  std::uint32_t available = 0;  // A = R - 1: slots to give out
  std::uint32_t batch = 0;      // b: slots that move between the context and a CPU at once

  // The most that a task pinned to one CPU can have in flight or unreaped.
  std::uint32_t pinned_max() const { return available / batch * batch; }
  // Fewest in flight and unreaped at which io_submit may answer EAGAIN, wherever completions ran.
  std::int64_t worst_case(std::uint32_t possible_cpus) const {
    return std::int64_t{pinned_max()} - (std::int64_t{possible_cpus} - 1) * (2 * std::int64_t{batch} - 1);
  }
};

// Length of a ring of so many events. With RingHeader::nr of them it fills its pages: that counts what fits there.
constexpr std::uint64_t ring_bytes(std::uint64_t events) { return sizeof(RingHeader) + sizeof(Event) * events; }

// n of section A.1: the product wraps at 2^32, so nr = 0x80000000 gives 0.
std::uint32_t wanted_events(std::uint32_t nr, std::uint32_t possible_cpus);
// For an n that io_setup accepts (1 to 8388608).
Geometry geometry(std::uint32_t nr, std::uint32_t possible_cpus, std::uint64_t page_size);

}  // namespace aio
