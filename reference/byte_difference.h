// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where bytes differ, and how they are written in a divergence.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace aio {

inline std::string hex(std::uint64_t number) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + text;
}

// Index of the first byte that differs, or npos; a missing tail differs where it begins.
inline std::size_t mismatch(std::span<const std::byte> expected, std::span<const std::byte> seen) {
  const std::size_t common = std::min(expected.size(), seen.size());
  if (expected.size() == seen.size() && (common == 0 || std::memcmp(expected.data(), seen.data(), common) == 0)) {
    return std::string::npos;
  }
  const auto at = std::mismatch(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(common), seen.begin());
  return static_cast<std::size_t>(at.first - expected.begin());
}

inline std::string byte_text(std::span<const std::byte> bytes, std::size_t at) {
  return at < bytes.size() ? hex(std::to_integer<std::uint64_t>(bytes[at])) : "nothing";
}

inline std::vector<std::uint8_t> bytes_at(std::span<const std::byte> bytes, std::size_t at) {
  if (at >= bytes.size()) return {};
  return {std::to_integer<std::uint8_t>(bytes[at])};
}

}  // namespace aio
