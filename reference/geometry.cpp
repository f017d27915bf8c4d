// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/geometry.h"

#include <algorithm>

namespace aio {

std::uint32_t wanted_events(std::uint32_t nr, std::uint32_t possible_cpus) {
  return std::max(nr, possible_cpus * 4) * 2;
}

Geometry geometry(std::uint32_t nr, std::uint32_t possible_cpus, std::uint64_t page_size) {
  Geometry geometry;
  geometry.wanted = wanted_events(nr, possible_cpus);
  // One slot stays empty to tell a full ring from an empty one; the kernel adds one more.
  const std::uint64_t events = std::uint64_t{geometry.wanted} + 2;
  const std::uint64_t bytes = ring_bytes(events);
  geometry.pages = (bytes + page_size - 1) / page_size;
  geometry.ring_size = static_cast<std::uint32_t>((page_size * geometry.pages - sizeof(RingHeader)) / sizeof(Event));
  geometry.available = geometry.ring_size - 1;
  geometry.batch = std::max(geometry.available / (possible_cpus * 4), 1u);
  return geometry;
}

}  // namespace aio
