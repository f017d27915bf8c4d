// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bounded-exhaustive programs: every program of one to four letters over a small alphabet of
// operations that interact, behind one io_setup. What they can show, they show for certain and by
// the shortest program. io_destroy, which sleeps for an RCU grace period, is a letter in the last
// place only; the random programs go on after it.
#pragma once

#include <cstdint>
#include <string_view>

#include "reference/program.h"

namespace aio {

inline constexpr unsigned kExhaustiveLetters = 16;  // besides io_destroy
inline constexpr unsigned kExhaustiveLength = 4;

// How many programs there are.
std::uint64_t exhaustive_count();
// Program number `index` below exhaustive_count(), shortest first: the io_setup, then the letters.
Program exhaustive_program(std::uint64_t index);

// The letter's operation; kExhaustiveLetters is io_destroy.
Operation exhaustive_letter(unsigned letter);

}  // namespace aio
