// SPDX-License-Identifier: GPL-2.0-or-later
//
// A report as a flat list of cases that passed or failed, as the formats of others count them: each test of the suites
// through each entry, and each requirement as the generated programs saw it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reports/saved_report.h"

namespace aio {

enum class CaseEnd : std::uint8_t {
  kPass,
  kFail,    // a divergence
  kWaived,  // a divergence that is known and excused: neither passed nor failed
  kSkip,    // it does not apply here, or nothing looked at it
  kBroken,  // the tool or its surroundings failed
};
inline constexpr unsigned kCaseEndCount = 5;

struct Case {
  std::string group;  // "native", "libaio", "compat32": a test through that entry; "programs": generated ones; "run"
  std::string name;   // "io_setup.nr_zero_is_einval"; letters, digits, dots, dashes and underscores
  CaseEnd outcome = CaseEnd::kPass;
  std::string reason;              // constant words of one that was skipped or waived
  std::vector<std::string> lines;  // what there is to say, without ends of line
  double seconds = 0;

  std::string full_name() const { return group + "." + name; }
};

// In a constant order: tests as they ran, requirements by their ids, at the end "run.complete", which is broken where
// the run says less than it was to say.
std::vector<Case> cases_of(const SavedReport& report);

// "running on 6.18.44 (profile 6.18, seed 42)": one line on what was run.
std::string headline(const SavedReport& report);
// The lines of a divergence: requirement, expected, seen, program and files.
std::vector<std::string> lines_of(const SavedDivergence& divergence);
std::vector<std::string> split_lines(const std::string& text);

// How many of the cases ended so, by CaseEnd.
std::array<std::size_t, kCaseEndCount> count_ends(const std::vector<Case>& cases);

}  // namespace aio
