// SPDX-License-Identifier: GPL-2.0-or-later
//
// The catalogue by the functions of the kernel's source: which requirements are about each, and which tests look at
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aio::cli {

// Tests that name the requirement: "io_setup.nr_zero_is_einval".
std::vector<std::string> tests_of(std::string_view requirement);

void print_by_source();
// A line for each requirement of each function: function, release of the source, lines, requirement, its tests between
// commas. A function that no program can reach has a line with "-" and why.
void print_by_source_tsv();

}  // namespace aio::cli
