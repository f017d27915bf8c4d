// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of the files alone: all of the zoo open, and reads and writes of the arena's buffers.
#pragma once

#include "reference/files.h"

namespace aio {

inline constexpr Address kLastTen = arena::kBuffers + 2 * arena::kPage - 10;  // ten bytes before the buffers' end
inline constexpr Address kHole = arena::kUnmapped;

inline Machine tmpfs_machine() {
  Machine machine;
  machine.max_file = INT64_MAX;
  machine.file_system = "tmpfs";
  machine.direct = true;
  return machine;
}

struct FilesHarness {
  explicit FilesHarness(const Profile& profile = profiles().back(), const Machine& with = tmpfs_machine())
      : machine(with), files(profile, machine) {
    std::bitset<kFdCount> all;
    files.reset(all.set());
  }
  FilesHarness(const FilesHarness&) = delete;
  FilesHarness& operator=(const FilesHarness&) = delete;

  Outcome read(Fd fd, std::vector<Iovec> segments, const Transfer& transfer = {}) {
    return files.read(fd, buffers(std::move(segments)), transfer, memory, rules);
  }
  Outcome write(Fd fd, std::vector<Iovec> segments, const Transfer& transfer = {}) {
    return files.write(fd, buffers(std::move(segments)), transfer, memory, rules);
  }
  Outcome read(Fd fd, std::uint64_t size, const Transfer& transfer = {}) {
    return read(fd, {{arena::kBuffers, size}}, transfer);
  }
  Outcome write(Fd fd, std::uint64_t size, const Transfer& transfer = {}) {
    return write(fd, {{arena::kBuffers, size}}, transfer);
  }
  // Writes `size` bytes that count up from `first`.
  Outcome send(Fd fd, std::uint8_t first, std::uint64_t size) {
    std::vector<std::byte> bytes(size);
    for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i);
    memory.store(arena::kBuffers, bytes);
    return write(fd, size);
  }
  std::uint8_t byte(Address at) const { return *memory.get<std::uint8_t>(at); }
  void close(Fd fd) {
    files.close(fd);
    files.release_unused();
  }

  static Buffers buffers(std::vector<Iovec> segments) {
    Buffers buffers;
    for (const Iovec& segment : segments) buffers.total += segment.len;
    buffers.segments = std::move(segments);
    return buffers;
  }

  Machine machine;
  Files files;
  Memory memory;
  Rules rules;
};

}  // namespace aio
