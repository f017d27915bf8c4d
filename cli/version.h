// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace aio::cli {

// "aio-cts 0.6.0 (89af3bb241)": release and commit of this build.
std::string tool_name();
// What --version prints: the build, the versions of what it writes, and the profiles.
std::string version_text();

}  // namespace aio::cli
