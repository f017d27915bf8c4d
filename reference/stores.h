// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the user of a program writes into the arena before an operation's call. The executor performs these stores on
// real memory and the model on its image of it, so both sides start every call from the same bytes.
#pragma once

#include <span>

#include "reference/program.h"

namespace aio {

// Calls `sink(Address at, std::span<const std::byte> bytes)` for every store of a resolved operation, in order. A store
// whose bytes do not all lie within one area of the arena is not made. Stores into the read-only area are made too: the
// user lifts the protection for them. Pointers, segments, times and signal arguments are laid out for the entry.
template <class Sink>
void user_stores(const Operation& operation, Sink&& sink, EntryKind entry = EntryKind::kNative);

}  // namespace aio

#include "reference/stores_impl.h"
