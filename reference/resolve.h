// SPDX-License-Identifier: GPL-2.0-or-later
//
// Symbols become numbers: resolve() replaces every symbolic Value of an operation by the literal that it stands for
// at that moment. The executor supplies the facts; a trace stores the operation before and after.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "reference/program.h"

namespace aio {

// What is known of one ring of the program while its context lives.
struct RingFacts {
  Address id = 0;           // where it is mapped, which is the context's id
  std::uint32_t size = 0;   // R, as io_setup left it in the header
  std::uint32_t quota = 0;  // usable slots of a task pinned to one CPU (geometry.h)
  std::uint32_t head = 0;   // the header's words now, unclamped
  std::uint32_t tail = 0;
  std::uint32_t id_word = 0;  // the header's id word as io_setup left it
};

struct Facts {
  std::array<std::uint64_t, arena::kContextSlots> contexts{};  // the context variables
  std::function<RingFacts(Address id)> ring;                   // all zero where there is no such ring
  EntryKind entry = EntryKind::kNative;                        // through which calls are made
  std::uint64_t max_nr = 0;
  std::uint64_t max_file = 0;
};

// The arguments of 32-bit calls are cut. Symbols of a ring are 0 where the operation's context has none.
Operation resolve(const Operation& operation, const Facts& facts);

// The context that a resolved operation names; 0 where it names none.
std::uint64_t context_argument(const Operation& resolved);

}  // namespace aio
