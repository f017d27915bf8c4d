// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports as commands write and show them.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit.h"
#include "reports/report_writer.h"

namespace aio::cli {

// What a report's writer returns, or Failure.
template <class T>
T checked(Exit exit, ReportDirectory::Result<T> result) {
  if (!result) throw Failure(exit, result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// That the kernel complained of itself, stopped or keeps something from being done, at this operation of a program.
Divergence kernel_divergence(std::size_t operation, std::string expected, std::string seen);

// In colour where that is a terminal, unless NO_COLOR is set. `directory` has the files of the findings; empty: none.
void print_report(std::FILE* to, const RunSummary& summary, const std::vector<Finding>& findings,
                  const std::string& directory);

}  // namespace aio::cli
