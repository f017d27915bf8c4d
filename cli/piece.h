// SPDX-License-Identifier: GPL-2.0-or-later
//
// A piece of a campaign: this command again, in a process of its own, so that hours leave nothing behind in memory and
// an error of the tool costs one piece.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace aio::cli {

// Runs the command with these words, which leaves a report in `report`, and calls `tick` while it runs. False where the
// user stops it. Throws Failure with what it said last where it ends otherwise, as where its words are wrong, or does
// so in each of three attempts.
bool run_piece_process(const std::vector<std::string>& words, const std::filesystem::path& report,
                       const std::function<void()>& tick);

}  // namespace aio::cli
