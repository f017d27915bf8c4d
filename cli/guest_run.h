// SPDX-License-Identifier: GPL-2.0-or-later
//
// `aio-cts run` inside a guest, seen from outside.
#pragma once

#include <string>
#include <vector>

#include "cli/guests.h"

namespace aio::cli {

struct GuestRunOptions {
  std::vector<std::string> words;    // of the command that is run there
  std::string report;                // empty: none
  std::vector<std::string> collect;  // files of the guest that go into the report
  double minimize_time_s = 180;
};

struct GuestVerdict {
  Exit exit = Exit::kIncomplete;
  std::string kernel;  // as the guest says it
  double boot_seconds = 0;
  double seconds = 0;
};

// Shows what it says. A kernel that dies becomes a finding of the report. Throws Failure where it cannot be done.
GuestVerdict run_in_guest(const Guests& guests, const GuestRunOptions& options);

}  // namespace aio::cli
