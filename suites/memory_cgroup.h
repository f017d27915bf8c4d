// SPDX-License-Identifier: GPL-2.0-or-later
//
// A cgroup whose processes have little memory. It is removed however the test ends: a process of its own waits for that
// and ends what is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fixtures/keeper.h"

namespace aio::suites {

class MemoryCgroup {
 public:
  // `high` is where its processes are slowed down, and `most` what they cannot pass; version 1 knows the latter only.
  MemoryCgroup(std::uint64_t high, std::uint64_t most);

  // Why there is none; nullptr if there is. A constant.
  const char* obstacle() const { return obstacle_; }
  // The calling process is in it from now on. False where it may not.
  bool enter() const;
  // How often its processes came to its limit.
  std::uint64_t times_at_limit() const;

 private:
  const char* make(std::uint64_t high, std::uint64_t most);
  void remove() const;

  bool unified_ = false;  // version 2
  bool enabled_ = false;  // by this: the top's other cgroups had no memory controller
  std::string top_;
  std::string path_;
  const char* obstacle_ = nullptr;
  std::optional<Keeper> keeper_;
};

}  // namespace aio::suites
