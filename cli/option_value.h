// SPDX-License-Identifier: GPL-2.0-or-later
//
// Options in a command's words, read without parsing them all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aio::cli {

// The value of "--name value" or "--name=value", the first of several; empty where nothing follows it, none where it
// is not there.
std::optional<std::string> option_value(const std::vector<std::string>& words, std::string_view name);
// Whether `run` with these words runs suites.
bool runs_suites(const std::vector<std::string>& words);

}  // namespace aio::cli
