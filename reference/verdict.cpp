// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/verdict.h"

#include <algorithm>
#include <array>

namespace aio {

namespace {

// In the order of enum Kind.
constexpr std::array<std::string_view, kKindCount> kNames{"errno",  "count",   "event",   "lost",   "header",
                                                          "memory", "counter", "file",    "aio_nr", "time",
                                                          "hang",   "crash",   "request", "kernel", "mask"};

}  // namespace

std::string_view kind_name(Kind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::optional<Kind> find_kind(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kNames.begin());
}

}  // namespace aio
