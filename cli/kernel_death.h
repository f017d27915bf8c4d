// SPDX-License-Identifier: GPL-2.0-or-later
//
// What to make of a guest whose kernel died: which program did it, by booting again, and how small it can be.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/guests.h"
#include "reference/program.h"

namespace aio::cli {

// What the journal says was going on.
struct GoingOn {
  std::vector<Program> programs;   // each of them once
  std::vector<std::string> tests;  // of the suites: "io_setup.name native"
};
GoingOn going_on(const Journal& journal);

struct KernelDeath {
  std::string message;        // the kernel's own first line, or what was seen from outside
  Program program;            // minimized
  std::size_t operation = 0;  // that it was at
  unsigned shown = 0;         // of `of` boots with it
  unsigned of = 0;
  bool out_of_budget = false;
};

// How the guest died, in one line.
std::string death_message(const VmOutcome& outcome);
// Whether it did: not where what runs it was killed, or the time was up.
bool kernel_died(const VmOutcome& outcome);

// Boots with each of the programs until one kills the kernel again, and makes that smaller. None where none does.
// `lie` is put in front of the kernel, as in the run. Calls `tick` with what it is doing.
std::optional<KernelDeath> find_killer(const Guests& guests, const std::vector<Program>& programs,
                                       const std::string& lie, std::chrono::milliseconds budget,
                                       const std::function<void(const std::string&)>& tick);

}  // namespace aio::cli
