// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/danger.h"

#include <algorithm>

namespace aio {
namespace {

// F23, E36: before 6.1 a write to an eventfd that is polled with itself as RESFD never returns, and cannot be killed.
bool polls_its_own_resfd(const IocbSpec& spec) {
  return spec.opcode == kPoll && (spec.flags & kFlagResfd) != 0 && spec.resfd == spec.fd;
}

// F30, E37: before 6.2 a child that moves an inherited ring crashes, and holds locks as it does.
bool child_moves_ring(const Program& program) {
  ChildTurn child;
  return std::any_of(program.operations.begin(), program.operations.end(), [&child](const Operation& operation) {
    const auto* const map = std::get_if<RingMap>(&operation);
    return child.take(operation) && map != nullptr && map->action == MapAction::kMove;
  });
}

}  // namespace

const char* danger_of(const Program& program, const Profile& profile) {
  // F35
  if (profile.release >= Release{6, 8} && profile.release < Release{6, 8, 5} && is_stepped(program)) {
    return "a wait that several completions end at once can crash kernels 6.8.0 to 6.8.4 (CVE-2024-35874)";
  }
  if (!profile.child_mremap_fails && child_moves_ring(program)) {
    return "a child that moves an inherited ring crashes kernels before 6.2 (CVE-2023-52646)";
  }
  if (profile.guards_eventfds) return nullptr;
  for (const Operation& operation : program.operations) {
    const auto* submit = std::get_if<Submit>(&operation);
    if (submit != nullptr && std::any_of(submit->iocbs.begin(), submit->iocbs.end(), polls_its_own_resfd)) {
      return "POLL of an eventfd that is its own RESFD locks up kernels before 6.1";
    }
  }
  return nullptr;
}

}  // namespace aio
