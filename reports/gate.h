// SPDX-License-Identifier: GPL-2.0-or-later
//
// The gate: whether a report lets a build pass, and why not in one line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reports/waivers.h"

namespace aio {

enum class GateEnd : std::uint8_t {
  kPass,        // exit 0
  kRegression,  // exit 1: a divergence that is neither waived nor in the baseline
  kUnusable,    // exit 2: the report says nothing about a kernel
  kLess,        // exit 3: the run says less than it must
};

struct GateOptions {
  std::size_t most_flaky = 0;   // divergences that showed once and never again
  bool strict_waivers = false;  // one that has expired or excuses nothing fails the gate
};

struct GateResult {
  GateEnd end = GateEnd::kPass;
  std::string why;                 // one line
  std::vector<std::string> notes;  // more lines, of what does not decide
};

// `report` has its waivers applied; `uses` is what that returned.
GateResult judge_gate(const SavedReport& report, const SavedReport* baseline, const WaiverList& waivers,
                      const WaiverUses& uses, const std::string& today, const GateOptions& options);

}  // namespace aio
