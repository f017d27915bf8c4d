// SPDX-License-Identifier: GPL-2.0-or-later
//
// What tests whose threads all call at once have in common.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/cpu.h"

namespace aio::suites {

// What went wrong, and with which rule. Threads hand it on, as expectations are for the test's own.
struct Trouble {
  std::string_view requirement;
  std::string text;
};
using Troubles = std::vector<Trouble>;

// Held around each call through the entry: a lie knows no threads.
std::unique_lock<std::mutex> one_at_a_time_if_lying();

// The calling thread, and those that it makes, go where the kernel puts them, as in any program.
void use_all(const CpuPin& cpus);

}  // namespace aio::suites
