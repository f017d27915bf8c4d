// SPDX-License-Identifier: GPL-2.0-or-later
//
// The model's image of the arena, and how the kernel copies from and to user memory: byte by byte up to the first page
// that can't be touched.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "reference/arena.h"
#include "reference/requirement.h"

namespace aio {

// access_ok(): the range lies in the user's half, of which `end` is the first byte beyond. It says nothing about what
// is mapped there.
constexpr bool in_user_half(Address at, std::uint64_t size, Address end = arena::kUserEnd) {
  return at <= end && size <= end - at;
}

// Bytes that the kernel wrote during the current operation, and the rule that said so.
struct Write {
  Address at = 0;
  std::uint64_t size = 0;
  Req rule{};
};

class Memory {
 public:
  Memory() { reset(); }
  // Back to what the arena holds before the first operation.
  void reset();

  // How many of `size` bytes from `at` on can be read (written) before the first fault.
  std::uint64_t readable(Address at, std::uint64_t size) const { return accessible(at, size, false); }
  std::uint64_t writable(Address at, std::uint64_t size) const { return accessible(at, size, true); }

  // Kernel copies. Return how many bytes were copied before a fault.
  std::uint64_t copy_from(Address at, std::span<std::byte> to) const;
  std::uint64_t copy_to(Address at, std::span<const std::byte> from, Req rule);
  // A whole object, or none where any byte of it faults.
  template <class T>
  std::optional<T> get(Address at) const {
    T object;
    if (copy_from(at, std::as_writable_bytes(std::span(&object, 1))) != sizeof(T)) return std::nullopt;
    return object;
  }
  template <class T>
  bool put(Address at, const T& object, Req rule) {
    if (writable(at, sizeof(T)) != sizeof(T)) return false;
    copy_to(at, std::as_bytes(std::span(&object, 1)), rule);
    return true;
  }

  // Copies to the user that this rule decides go wrong in their first byte.
  void corrupt(std::optional<Req> rule) { corrupt_ = rule; }
  // The user's own stores (stores.h); `at` lies in an area.
  void store(Address at, std::span<const std::byte> bytes);

  // What the kernel wrote, and the areas with which it had to do (indices of arena::kAreas), since forget_use().
  const std::vector<Write>& writes() const { return writes_; }
  // Of the latest of them that covers the address; Req::kMemoryOnlyByRules where none does.
  Req rule_of(Address at) const;
  const std::bitset<arena::kAreas.size()>& used() const { return used_; }
  // The kernel is told this address.
  void name(Address at) const { accessible(at, 1, false); }
  void forget_use();

  // Area `index` of arena::kAreas.
  std::span<const std::byte> area(std::size_t index) const;

 private:
  std::uint64_t accessible(Address at, std::uint64_t size, bool write) const;
  std::byte* locate(Address at);

  std::array<std::byte, arena::kImageSize> image_;
  std::vector<Write> writes_;
  mutable std::bitset<arena::kAreas.size()> used_;
  std::optional<Req> corrupt_;
};

}  // namespace aio
