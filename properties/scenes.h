// SPDX-License-Identifier: GPL-2.0-or-later
//
// Scenes: short programs in which several operations must meet, as random ones of that length seldom do. What they do
// is in the reach of the generator too; the model judges them as any other program.
#pragma once

#include <cstdint>

#include "reference/program.h"

namespace aio {

// A scene with random arguments: the same for this seed and index on every machine.
Program scene(std::uint64_t seed, std::uint64_t index);

}  // namespace aio
