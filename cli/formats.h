// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports, waivers and formats by the names that users give.
#pragma once

#include <string>
#include <vector>

#include "reports/formats.h"
#include "reports/waivers.h"

namespace aio::cli {

// Throws Failure with file, line and reason where it cannot be read.
SavedReport open_report(const std::string& path);
WaiverList open_waivers(const std::string& path);
// "2026-11-23", in UTC.
std::string today();
// RFC 3339, in UTC.
std::string now();
// Throws Failure that names the nearest where there is none of that name.
const Format& format_named(const std::string& name);

}  // namespace aio::cli
