// SPDX-License-Identifier: GPL-2.0-or-later
//
// A divergence as a C file for people who know the kernel and not this project: it needs libc and
// the kernel's headers alone, makes the program's calls through syscall(2) with the recorded
// arguments, and looks only at what differed. It exits 1 while the kernel answers other than
// expected, 0 once it answers as expected, and 2 where it could not run or an earlier call took
// another course than recorded.
#pragma once

#include <string>

#include "reports/trace.h"

namespace aio {

// Symbols without a recorded number count as 0, so the trace should be one that ran. Without a
// divergence the file performs the program and exits 0.
std::string reproducer_c(const Trace& trace);

}  // namespace aio
