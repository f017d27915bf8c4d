// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parts of the page, each in a file of its own.
#pragma once

#include <string>
#include <vector>

#include "reports/saved_report.h"
#include "reports/standing.h"

namespace aio {

std::string html_style();                                                    // html_style.cpp
std::string html_divergence(const SavedReport& report, std::size_t number);  // html_divergence.cpp; from 1
std::string html_matrix(const std::vector<RequirementStanding>& all);        // html_matrix.cpp
std::string html_requirements(const SavedReport& report, const std::vector<RequirementStanding>& all);
std::string html_tests(const SavedReport& report);  // html_tests.cpp

// "holds" as letters of a class, and the sign that tells it without colour.
struct Sign {
  const char* css;
  const char* sign;
};
Sign sign_of(Standing standing);

}  // namespace aio
