// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/zoo.h"

#include <algorithm>

namespace aio {

namespace {

// In the order of enum Fd.
constexpr std::array<std::string_view, kFdCount> kFdNames{
    "file",          "file_ro", "file_wo",  "file_append", "direct",    "pipe_read", "pipe_write", "nb_pipe_read",
    "nb_pipe_write", "event",   "nb_event", "sem_event",   "socket0",   "socket1",   "directory",  "path",
    "null",          "zero",    "closed",   "never",       "minus_one", "gate",      "timer"};

}  // namespace

std::optional<Fd> fd_of_number(std::uint32_t number) {
  for (unsigned i = 0; i < kFdCount; ++i) {
    if (const auto fd = static_cast<Fd>(i); fd_number(fd) == number) return fd;
  }
  return std::nullopt;
}

std::string_view fd_name(Fd fd) { return kFdNames.at(static_cast<std::size_t>(fd)); }

std::optional<Fd> fd_of_name(std::string_view name) {
  const auto* const found = std::find(kFdNames.begin(), kFdNames.end(), name);
  if (found == kFdNames.end()) return std::nullopt;
  return static_cast<Fd>(found - kFdNames.begin());
}

}  // namespace aio
