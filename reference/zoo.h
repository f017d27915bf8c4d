// SPDX-License-Identifier: GPL-2.0-or-later
//
// The zoo: the file descriptors that a program may name. Each has a fixed number, so iocbs are the same bytes on every
// machine. fixtures/zoo.cpp opens the ones that a program names; the model knows how each behaves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aio {

enum class Fd : std::uint8_t {
  kFile,         // regular file A, O_RDWR
  kFileRo,       // the same file, O_RDONLY
  kFileWo,       // the same file, O_WRONLY
  kFileAppend,   // the same file, O_RDWR | O_APPEND
  kDirect,       // regular file B, O_RDWR | O_DIRECT
  kPipeRead,     // pipe of one page, blocking
  kPipeWrite,    //
  kNbPipeRead,   // pipe of one page, O_NONBLOCK
  kNbPipeWrite,  //
  kEvent,        // eventfd, blocking, counter 0
  kNbEvent,      // eventfd, EFD_NONBLOCK, counter 0
  kSemEvent,     // eventfd, EFD_NONBLOCK | EFD_SEMAPHORE, counter 0
  kSocket0,      // AF_UNIX stream pair, blocking
  kSocket1,      //
  kDirectory,    // O_RDONLY | O_DIRECTORY
  kPath,         // O_PATH of file A
  kNull,         // /dev/null, O_RDWR
  kZero,         // /dev/zero, O_RDWR
  kClosed,       // opened and closed again before the first operation
  kNever,        // never opened
  kMinusOne,     // the number -1
  kGate,         // the gate file, O_RDWR | O_DIRECT
  kTimer,        // timerfd of CLOCK_MONOTONIC, TFD_NONBLOCK, not armed
};
inline constexpr unsigned kFdCount = 23;

// The descriptor's number in the program's table.
constexpr std::uint32_t fd_number(Fd fd) {
  return fd == Fd::kMinusOne ? 0xffffffffu : 200 + static_cast<std::uint32_t>(fd);
}
// The zoo's descriptor with that number, if there is one.
std::optional<Fd> fd_of_number(std::uint32_t number);

std::string_view fd_name(Fd fd);
std::optional<Fd> fd_of_name(std::string_view name);

// What regular files hold before the first operation: kFileSize bytes, each depending on file (0 for A, 1 for B) and
// offset.
inline constexpr std::uint64_t kFileSize = 6000;         // file A: ends within a page
inline constexpr std::uint64_t kDirectFileSize = 16384;  // file B: whole blocks
constexpr std::uint8_t initial_file_byte(unsigned file, std::uint64_t offset) {
  return static_cast<std::uint8_t>(1 + (offset * 7 + (offset >> 8) * 13 + file * 101) % 251);
}
// The largest file of which the content is observed, byte for byte; programs keep below it.
inline constexpr std::uint64_t kMaxObservedFile = 65536;

// The gate file: a file of a file system in user space that holds requests in flight until the program releases them.
// Writes leave it as it is.
inline constexpr std::uint64_t kGateSize = 1 << 20;
inline constexpr std::uint64_t kGateMaxRequest = 128 << 10;  // longest piece that comes to it as one request
constexpr std::uint8_t gate_byte(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 31 + (offset >> 8) * 7);
}
// What its file system answers to a request of `length` bytes (0: an fsync) that is to end with `wanted`, a count or
// -errno: no more than was asked for, and none of the errors that mean something else to the kernel than an error
// (ENOSYS: never ask again; from 512 on: not an errno of user space).
constexpr std::int64_t gate_answer(std::int64_t wanted, std::uint64_t length) {
  constexpr std::int64_t kInputOutput = -5;
  constexpr std::int64_t kNoSystemCall = -38;
  constexpr std::int64_t kLeast = -511;
  if (wanted < kLeast || wanted == kNoSystemCall) return kInputOutput;
  return wanted > static_cast<std::int64_t>(length) ? static_cast<std::int64_t>(length) : wanted;
}

// The bytes that an FdWrite of value `value` sends, at position `index`. To an eventfd `value` itself is written.
constexpr std::uint8_t payload_byte(std::uint64_t value, std::uint64_t index) {
  return static_cast<std::uint8_t>(value * 29 + index * 3 + 5);
}

}  // namespace aio
