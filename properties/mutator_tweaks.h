// SPDX-License-Identifier: GPL-2.0-or-later
//
// One value of an operation becomes another of those that the generator would choose for it.
#pragma once

#include "properties/dice.h"
#include "reference/program.h"

namespace aio {

void tweak(Dice& dice, Operation& operation);

}  // namespace aio
