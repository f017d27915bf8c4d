// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports as commands write and show them.
#pragma once

#include <cstdio>
#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/exit.h"
#include "reports/report_writer.h"
#include "reports/trace_reader.h"

namespace aio::cli {

// What a report's writer or a reader of files returns, or Failure.
template <class T, class Error>
T checked(Exit exit, tl::expected<T, Error> result) {
  if constexpr (std::is_same_v<Error, ReadError>) {
    if (!result) throw Failure(exit, result.error().text());
  } else {
    if (!result) throw Failure(exit, result.error());
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// That the kernel complained of itself, stopped or keeps something from being done, at this operation of a program.
Divergence kernel_divergence(std::size_t operation, std::string expected, std::string seen);

// In colour where that is a terminal, unless NO_COLOR is set. `directory` has the files of the findings; empty: none.
void print_report(std::FILE* to, const RunSummary& summary, const std::vector<Finding>& findings,
                  const std::string& directory);

}  // namespace aio::cli
