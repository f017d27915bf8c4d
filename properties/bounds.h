// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bounds of the operations that we make up ourselves, beyond those of program.h: what the generator
// and the minimizer avoid because it would take long, or much, and show nothing more.
#pragma once

#include <cstdint>

#include "reference/program.h"

namespace aio {

inline constexpr std::int64_t kMaxWaitNs = 1'000'000;
// What io_setups that can succeed ask for in one program, all together. fs.aio-max-nr itself is
// asked for only while another context is live, so that it must fail.
inline constexpr unsigned kMaxSetupSum = 1100;

// When a wait of {sec, nsec} ends, in ns from its beginning, as the kernel computes it (section A.3
// of the semantics); -1 for one that never ends, or after centuries.
std::int64_t wait_ns(std::int64_t sec, std::int64_t nsec);

// Whether the operation, by itself, keeps the bounds:
// - it waits at most kMaxWaitNs or for ever, and leaves the driver the signals to end that;
// - it sets up no huge ring;
// - it leaves regular files below kMaxObservedFile.
bool within_bounds(const Operation& operation);

}  // namespace aio
