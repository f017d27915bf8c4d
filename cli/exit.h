// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the command ends: its exit codes, and the exceptions by which a subcommand ends early.
#pragma once

#include <stdexcept>
#include <string>

namespace aio::cli {

enum class Exit : int {
  kConforming = 0,   // conforming, or done
  kDivergences = 1,  // the kernel diverged
  kUsage = 2,        // wrong usage or unreadable input
  kIncomplete = 3,   // the run could not be completed
  kSkipped = 4,      // no AIO here: io_setup answers ENOSYS
};

// Ends the command with this exit code and the text as one line on stderr. Any other exception that reaches the top
// counts as kIncomplete.
class Failure : public std::runtime_error {
 public:
  Failure(Exit exit, const std::string& text) : std::runtime_error(text), exit_(exit) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

inline Failure wrong_usage(const std::string& text) { return {Exit::kUsage, text}; }

}  // namespace aio::cli
