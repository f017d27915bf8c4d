// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the guide (guide.h) is worth: how much a run reaches in a time, and after how many programs it shows a fault,
// with the guide and without.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "properties/batch.h"

namespace aio {

struct SearchOptions {
  std::uint64_t seed = 1;
  bool guided = false;
  bool kernel = false;  // a guide goes by the places in the kernel too
  std::uint64_t most_programs = UINT64_MAX;
  std::chrono::milliseconds time{60'000};
  bool until_found = false;  // end with the first divergence that repeats
};

struct Search {
  // Programs until a divergence showed that repeats alone: the lowest index of one, plus 1.
  std::optional<std::uint64_t> found_after;
  std::size_t found_length = 0;  // operations of that program
  Tally tally;                   // of all that ran
  CoverageMap reached;
  double seconds = 0;
};

// Runs programs as a campaign does; what diverges is not minimized. A guided search begins without a corpus.
Search search(const Setting& setting, const SearchOptions& options);

}  // namespace aio
