// SPDX-License-Identifier: GPL-2.0-or-later
//
// The whole command: reads the words of the command line, does what they say and gives the exit code.
#pragma once

namespace aio::cli {

// `words` as main() gets them. Never throws.
int run_command_line(int count, const char* const* words);

}  // namespace aio::cli
