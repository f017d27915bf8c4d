// SPDX-License-Identifier: GPL-2.0-or-later
//
// The work list: what an implementation answers otherwise than Linux, for those who implement it. One line for each
// divergence, in the order of the catalogue, which groups them by call; then what only tests saw broken. Markdown.
#pragma once

#include <string>

#include "reports/saved_report.h"

namespace aio {

std::string work_list(const SavedReport& report);

}  // namespace aio
