// SPDX-License-Identifier: GPL-2.0-or-later
#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace aio::cli {

void add_bench(CLI::App&, Action&) {}

}  // namespace aio::cli
