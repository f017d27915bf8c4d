// SPDX-License-Identifier: GPL-2.0-or-later
//
// The summary of a run for people at a terminal: at most 80 columns, colour only where asked for.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace aio {

struct TerminalOptions {
  bool colour = false;
  std::string directory;  // where the files of the findings are; empty: none were written
};

std::string terminal_report(const RunSummary& summary, const std::vector<Finding>& findings,
                            const TerminalOptions& options);

// "1,234,567".
std::string with_separators(std::uint64_t number);
// "event" for 1, else "events".
std::string plural(std::uint64_t count, const std::string& noun);

}  // namespace aio
