// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/reporting.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "reports/terminal.h"

namespace aio::cli {

Divergence kernel_divergence(std::size_t operation, std::string expected, std::string seen) {
  return {{Req::kKernelSurvives, Kind::kKernel}, operation, std::move(expected), std::move(seen), std::nullopt};
}

void print_report(std::FILE* to, const RunSummary& summary, const std::vector<Finding>& findings,
                  const std::string& directory) {
  const bool colour = ::isatty(::fileno(to)) == 1 && std::getenv("NO_COLOR") == nullptr;
  fmt::print(to, "\n{}", terminal_report(summary, findings, {colour, directory}));
}

}  // namespace aio::cli
