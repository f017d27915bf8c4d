// SPDX-License-Identifier: GPL-2.0-or-later
//
// Trials: whether programs show a signature when run again, each in a worker that ran nothing that diverged before it.
#pragma once

#include <vector>

#include "properties/batch.h"

namespace aio {

// How often, in `repeats` runs, each candidate showed the signature. `patience`: how long an event may stay away.
std::vector<unsigned> try_programs(const Setting& setting, const Signature& wanted,
                                   const std::vector<Program>& candidates, unsigned repeats,
                                   std::chrono::milliseconds patience);

}  // namespace aio
