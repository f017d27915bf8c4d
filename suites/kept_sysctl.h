// SPDX-License-Identifier: GPL-2.0-or-later
//
// A sysctl that a test changes for a moment. As it was is what the test leaves behind, however it ends: a process of
// its own waits for that.
#pragma once

#include <cstdint>
#include <string>

#include "fixtures/descriptor.h"
#include "fixtures/keeper.h"

namespace aio::suites {

class KeptSysctl {
 public:
  // By its path below /proc/sys. Throws std::system_error where it cannot be read and written.
  explicit KeptSysctl(const std::string& name);

  std::string value() const;
  void set(std::uint64_t value) const { set(std::to_string(value)); }
  void reset() const { set(before_); }

 private:
  void set(const std::string& text) const;

  std::string path_;
  std::string before_;
  Descriptor file_;
  Keeper keeper_;
};

}  // namespace aio::suites
