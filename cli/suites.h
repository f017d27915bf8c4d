// SPDX-License-Identifier: GPL-2.0-or-later
//
// The hand-written suites as a part of `run`: which are asked for, and what they found as a part of the report.
#pragma once

#include <string>
#include <vector>

#include "cli/target.h"
#include "reports/suites_report.h"
#include "suites/harness/run.h"

namespace aio::cli {

struct SuiteOptions {
  std::vector<std::string> suites{"all"};  // names, "all" or "none"
  std::vector<std::string> entries;        // names; empty: all
  std::vector<std::string> gtest_flags;
  bool may_crash = false;
  bool may_change_system = false;
};

// Throws Failure where a name is none.
suites::Selection chosen_suites(const SuiteOptions& options, unsigned jobs);
bool no_suites(const SuiteOptions& options);
// Runs them and shows how far they are. What went wrong with the runs themselves is added to `shortcomings`.
SuitesSummary run_suites(const Target& target, const SuiteOptions& options, const suites::Selection& selection,
                         std::uint64_t seed, std::vector<std::string>& shortcomings);
// Throws Failure where a test names a requirement that there is not.
void check_suites();

// Fills the matrix: the catalogue, or where not all suites were chosen what those are about, with the results and how
// much the generated programs exercised.
void make_matrix(SuitesSummary& summary, const Target& target, const suites::Selection& selection,
                 const RequirementCounts& random);

}  // namespace aio::cli
