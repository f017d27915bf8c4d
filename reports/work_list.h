// SPDX-License-Identifier: GPL-2.0-or-later
//
// The work list: what an implementation answers otherwise than Linux, for those who implement it. One line for each
// divergence, in the order of the catalogue, which groups them by call; Markdown.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace aio {

std::string work_list(const RunSummary& summary, const std::vector<Finding>& findings);

// Requirements that a test saw broken and no finding is about.
std::vector<std::string> broken_in_suites_alone(const SuitesSummary& suites, const std::vector<Finding>& findings);

}  // namespace aio
