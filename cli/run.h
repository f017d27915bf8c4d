// SPDX-License-Identifier: GPL-2.0-or-later
//
// What `aio-cts run` would say of itself, for somebody who has to speak for a run that died.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace aio::cli {

// Request, seed, shard and what falsifies it, from the command's words, which are right.
RunSummary announced(const std::vector<std::string>& words);

}  // namespace aio::cli
