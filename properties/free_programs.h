// SPDX-License-Identifier: GPL-2.0-or-later
//
// Programs of free lanes: short, so that each history can be judged, and with contexts and eventfds that lanes share.
#pragma once

#include <cstdint>

#include "fixtures/free_lanes.h"

namespace aio {

// The same for equal arguments, everywhere.
FreeProgram free_program(std::uint64_t seed, std::uint64_t index);

// With pauses of its own for each call, so that calls meet in another way.
FreeProgram with_pauses(FreeProgram program, std::uint64_t seed, std::uint64_t index);

}  // namespace aio
