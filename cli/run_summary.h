// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a run's programs have shown, for its report.
#pragma once

#include <string>
#include <vector>

#include "cli/target.h"
#include "properties/campaign.h"
#include "reports/report.h"

namespace aio::cli {

// Without its divergences and suites.
RunSummary summarize(const Target& target, std::uint64_t seed, const CampaignResult& result);
// The line of a run that the user, or somebody else, has stopped.
inline constexpr const char* kInterrupted = "interrupted: this is what there was until then";
// Why the run says less than it was to say; each a line.
std::vector<std::string> shortcomings(const RunSummary& summary, const CampaignResult& result);

}  // namespace aio::cli
