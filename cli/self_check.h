// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every shard does, however few programs and tests fall to it: a shard whose machine cannot tell a right kernel
// from a wrong one would count as passed.
#pragma once

#include <string>
#include <vector>

#include "properties/batch.h"

namespace aio::cli {

// Runs one program that looks at a ring's header, its events and an iocb as they lie in memory, and the same with lies
// about each of them told. A line for each that ended other than it must; normally none.
std::vector<std::string> self_check(const Setting& setting);

}  // namespace aio::cli
