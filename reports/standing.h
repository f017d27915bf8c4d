// SPDX-License-Identifier: GPL-2.0-or-later
//
// How each requirement stands in a report: through each entry by the tests of the suites, and by generated programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reports/saved_report.h"

namespace aio {

// From the one that says least to the gravest.
enum class Standing : std::uint8_t {
  kNotHere,  // it does not apply to this release or machine, or cannot be looked at
  kNotRun,   // it applies, and nothing looked at it
  kHolds,
  kWaived,  // broken, and excused
  kBroken,
};
std::string_view standing_text(Standing standing);  // "holds"

inline constexpr const char* kProgramsColumn = "programs";

struct RequirementStanding {
  std::string id;
  std::map<std::string, Standing> columns;  // by entry, and kProgramsColumn; where nothing asks it there is none
  Standing overall = Standing::kNotRun;     // the gravest of them
  std::string why;                          // of the first two
};

// By id. Of a report without suites those of the model alone.
std::vector<RequirementStanding> standings(const SavedReport& report);

// "io_setup" of "io_setup.ring_magic".
std::string theme_of(const std::string& id);

}  // namespace aio
