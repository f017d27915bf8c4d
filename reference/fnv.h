// SPDX-License-Identifier: GPL-2.0-or-later
//
// FNV-1a, a hash that is the same on every machine.
#pragma once

#include <cstdint>

namespace aio {

inline constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325;

constexpr std::uint64_t fnv_step(std::uint64_t hash, std::uint64_t value) { return (hash ^ value) * 0x100000001b3; }

template <class Bytes>
constexpr std::uint64_t fnv1a(const Bytes& bytes) {
  std::uint64_t hash = kFnvStart;
  for (const auto each : bytes) hash = fnv_step(hash, static_cast<std::uint8_t>(each));
  return hash;
}

}  // namespace aio
