// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the tests of a run are about: the rules of which release, on which machine, and whether the kernel is to lie.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "reference/profile.h"

namespace aio::suites {

struct Setting {
  std::string directory;  // where regular files lie
  const Profile* profile = nullptr;
  Machine machine;
  std::string lie;                       // that the entry tells (fixtures/lies.h); empty: none
  std::string racing_lie;                // that free lanes are told (fixtures/racing_lies.h); empty: none
  std::uint64_t seed = 1;                // of what is drawn
  std::chrono::milliseconds patience{};  // after which what has not come is lost
  bool may_crash = false;                // tests that an unfixed kernel may not survive are run
  bool may_change_system = false;        // tests that change what others see: sysctls, loop devices, mounts
};

// What run_suites() was given. For tests.
const Setting& setting();
void set_setting(const Setting& setting);

}  // namespace aio::suites
