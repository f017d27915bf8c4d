// SPDX-License-Identifier: GPL-2.0-or-later
//
// Requests that several interfaces can be asked for: on which kind of file, with which arguments, and what comes of
// them through plain calls and through io_uring.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/descriptor.h"
#include "reference/abi.h"

namespace aio::suites {

// A descriptor that a request names, and what goes with it.
struct Subject {
  Descriptor used;
  Descriptor other;
  std::function<std::string()> look = [] { return std::string(); };  // what was done to its file
  std::function<void()> wake;                                        // makes it ready; none if it always is
  int fd() const;
};

enum class Offset {
  kUsed,     // positions in a file
  kIgnored,  // pipes, eventfds
  kRefused,  // sockets, unless it is 0
};

struct Kind {
  const char* name;
  const char* takes;  // of "rw": transfers that its mode allows
  Offset offset;
  Subject (*make)();

  bool takes_transfer(Opcode opcode) const;
  bool is(std::string_view wanted) const { return wanted == name; }
};
std::span<const Kind> kinds();

enum class Buffer { kGood, kUnmapped, kHalf, kReadOnly, kKernel };

struct Request {
  const Kind* kind = nullptr;
  Opcode opcode = kPread;
  std::uint32_t flags = 0;   // RWF
  std::uint64_t length = 0;  // of POLL the events
  std::int64_t offset = 0;
  Buffer buffer = Buffer::kGood;
  bool woken = false;  // the file gets ready while a POLL waits

  // Bits that a POLL may tell.
  std::uint64_t wanted() const { return length | kPollErr | kPollHup; }
};
std::string text_of(const Request& request);
Address address_of(const Request& request);
// Of a vectored request: the first is short, the second empty.
std::vector<Iovec> segments_of(const Request& request);

// Has no end by itself.
inline constexpr std::int64_t kWaits = std::numeric_limits<std::int64_t>::min();

// What came of a request.
struct Opinion {
  std::int64_t result = 0;  // an event's res, the negative errno of a call that fails, kWaits
  std::size_t state = 0;    // digest of memory, file and file position
};
std::string result_text(std::int64_t result);

// Does a request on this subject and says its result.
using Performer = std::function<std::int64_t(const Request& request, const Subject& subject)>;
// Of each request, on files of its own.
std::vector<Opinion> opinions(std::span<const Request> requests, const Performer& perform);

// Through preadv2(2), pwritev2(2), fsync(2), fdatasync(2), poll(2).
std::int64_t perform_plainly(const Request& request, const Subject& subject);
// Through io_uring, in another process. None where there is no io_uring to be had.
std::optional<std::vector<Opinion>> io_uring_opinions(std::span<const Request> requests);

}  // namespace aio::suites
