// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dangerous sequences, by profile: programs that are known to lock up or crash a kernel of that release. They are
// refused wherever they come from. Source: semantics.md, its warning and section F.
#pragma once

#include "reference/profile.h"
#include "reference/program.h"

namespace aio {

// Why the program must not run on a kernel of this profile (a constant), or nullptr.
const char* danger_of(const Program& program, const Profile& profile);

}  // namespace aio
