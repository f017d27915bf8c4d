// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the commands on traces have in common.
#pragma once

#include <string>

#include "cli/target.h"
#include "reports/trace.h"

namespace aio::cli {

// Throws Failure with file, line and reason where it cannot be read or holds no operation.
Trace open_trace(const std::string& path);
// A target as the trace's: lie, mutant and quirks are its own, the rest is as in `options`. Says on stdout where these
// falsify it.
Target target_of(const Trace& trace, TargetOptions options);
// "io_setup.nr_zero_is_einval (errno)".
std::string signature_text(const Signature& signature);

}  // namespace aio::cli
