// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/ring_svg.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html_text.h"
#include "reports/terminal.h"

namespace aio {
namespace {

constexpr std::uint32_t kMostShown = 20;  // slots
constexpr std::uint32_t kBefore = 2;      // of which so many lie before the head
constexpr int kSlot = 12;                 // units
constexpr int kTop = 16;

std::uint32_t events_in(const RingPicture& ring) {
  if (ring.slots == 0) return 0;
  return (ring.tail % ring.slots + ring.slots - ring.head % ring.slots) % ring.slots;
}

std::string mark(std::uint32_t column, int y, const char* word, std::uint32_t number) {
  return fmt::format("<text x=\"{}\" y=\"{}\">{} {}</text>", static_cast<int>(column) * kSlot + 1, y, word, number);
}

}  // namespace

std::string ring_text(const RingPicture& ring) {
  const std::uint32_t events = events_in(ring);
  std::string text = fmt::format("{}: {} {} in {} slots, head {}, tail {}", ring.context, events,
                                 plural(events, "event"), ring.slots, ring.head, ring.tail);
  if (!ring.in_flight.empty()) {
    text +=
        fmt::format("; {} in flight: {}", ring.in_flight.size(),
                    fmt::join(ring.in_flight.begin(),
                              ring.in_flight.begin() + std::min<std::ptrdiff_t>(std::ssize(ring.in_flight), 4), ", "));
    if (ring.in_flight.size() > 4) text += ", ...";
  }
  if (ring.unreserved) {
    text += fmt::format("; quota left {}", *ring.unreserved);
    for (const auto& [cpu, slots] : ring.reserved) text += fmt::format(" + CPU {}: {}", cpu, slots);
  }
  return text;
}

std::string ring_svg(const RingPicture& ring) {
  if (ring.slots == 0 || ring.head >= ring.slots || ring.tail >= ring.slots) return "";
  const std::uint32_t shown = std::min(ring.slots, kMostShown);
  const std::uint32_t first = ring.slots <= kMostShown ? 0 : (ring.head + ring.slots - kBefore) % ring.slots;
  const std::uint32_t events = events_in(ring);
  const auto column = [&](std::uint32_t slot) { return (slot + ring.slots - first) % ring.slots; };
  std::string cells;
  for (std::uint32_t i = 0; i < shown; ++i) {
    const bool waits = (first + i + ring.slots - ring.head) % ring.slots < events;
    cells += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>", static_cast<int>(i) * kSlot, kTop,
                         kSlot - 1, kSlot, waits ? " class=\"event\"" : "");
  }
  // A tail beyond what is shown stands at the end.
  const std::uint32_t tail = std::min(column(ring.tail), shown);
  return fmt::format(
      "<svg class=\"ring\" role=\"img\" viewBox=\"0 0 {} 42\" width=\"{}\" height=\"42\"><title>{}</title>{}{}{}</svg>",
      kMostShown * kSlot + 90, kMostShown * kSlot + 90, escaped(ring_text(ring)), cells,
      mark(tail, kTop - 4, "▾tail", ring.tail), mark(column(ring.head), kTop + kSlot + 11, "▴head", ring.head));
}

}  // namespace aio
