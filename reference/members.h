// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which descriptors of the zoo a program has.
#pragma once

#include <bitset>

#include "reference/program.h"

namespace aio {

using FdSet = std::bitset<kFdCount>;

// The members that a case of this program has: named as fd, as resfd (where the iocb has
// kFlagResfd) or by an operation on a descriptor; of pipes and socket pairs always both ends.
FdSet named_members(const Program& program);

}  // namespace aio
