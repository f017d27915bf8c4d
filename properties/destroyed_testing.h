// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of generators: how many contexts a program destroys that live.
#pragma once

#include <array>
#include <utility>
#include <variant>

#include "reference/arena.h"
#include "reference/program.h"

namespace aio {

// By the parent process. `makes` says of an io_setup into a slot whether one lives there afterwards.
template <class Makes>
unsigned live_contexts_destroyed(const Program& program, const Makes& makes) {
  std::array<bool, arena::kContextSlots> live{};
  unsigned destroyed = 0;
  bool by_child = false;
  for (const Operation& operation : program.operations) {
    if (std::exchange(by_child, std::holds_alternative<InChild>(operation))) continue;
    const auto* const setup = std::get_if<Setup>(&operation);
    const auto* const map = std::get_if<RingMap>(&operation);
    const auto* const destroy = std::get_if<Destroy>(&operation);
    for (unsigned slot = 0; slot < live.size(); ++slot) {
      if (setup != nullptr && setup->ctxp == arena::context_slot(slot)) live[slot] = makes(*setup);
      if (map != nullptr && takes_ring_away(map->action) && map->ctx == context(slot)) live[slot] = false;
      if (destroy != nullptr && live[slot] && destroy->ctx == context(slot)) {
        live[slot] = false;
        ++destroyed;
      }
    }
  }
  return destroyed;
}

}  // namespace aio
