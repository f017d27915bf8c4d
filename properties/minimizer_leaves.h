// SPDX-License-Identifier: GPL-2.0-or-later
//
// Leaves: the fields of an operation, and of its iocbs and their segments, as one flat list of
// numbers, so that the minimizer treats a field of any operation alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/program.h"

namespace aio {

struct Leaf {
  enum class Kind : std::uint8_t { kUnsigned, kSigned, kAddress, kValue, kName };
  Kind kind = Kind::kUnsigned;
  Symbol symbol = Symbol::kLiteral;  // of a Value
  std::uint64_t number = 0;          // the number, or a Value's offset, modulo 2^64
  friend bool operator==(const Leaf&, const Leaf&) = default;
};

// The leaves in the order of visit_fields.
std::vector<Leaf> leaves_of(const Operation& operation);
void set_leaf(Operation& operation, std::size_t index, const Leaf& leaf);
// The default-constructed operation with as many iocbs and segments.
Operation plain_twin(const Operation& operation);
// What is plainer than `leaf`, plainest first. `plain` is the leaf of the default.
std::vector<Leaf> plainer_leaves(const Leaf& leaf, const Leaf& plain);

}  // namespace aio
