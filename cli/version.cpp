// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/version.h"

#include <fmt/format.h>

#include "build_version.h"
#include "reference/profile.h"
#include "reports/report.h"

namespace aio::cli {

std::string tool_name() { return "aio-cts " AIO_CTS_BUILD; }

std::string version_text() {
  return fmt::format("{}\nreport.json version {}, traces version {}\nprofiles {} to {}", tool_name(), kReportVersion,
                     Trace().version, profiles().front().name, profiles().back().name);
}

}  // namespace aio::cli
