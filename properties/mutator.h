// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mutator: makes a program out of two that were worth keeping. It extends, splices, repeats, leaves out and
// changes, one to four times. The composer of the generator takes each operation over, and makes up what is new; so
// mutants are within the bounds of generated programs, and new operations name contexts, iocbs and descriptors that
// there are.
#pragma once

#include "properties/generator.h"

namespace aio {

// No mutant is longer.
inline constexpr std::size_t kMostOfMutant = 160;

// The kind that a program is of: what its worker must have.
ProgramKind kind_of(const Program& program);

// A pure function of its arguments. `kind` is not kMixed, and at least that of `base`.
Program mutate(const rc::Random& random, ProgramKind kind, const Program& base, const Program& donor);

}  // namespace aio
