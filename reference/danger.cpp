// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/danger.h"

#include <algorithm>

namespace aio {
namespace {

// F23, E36: before 6.1 a write to an eventfd that is polled with itself as RESFD never returns, and cannot be killed.
bool polls_its_own_resfd(const IocbSpec& spec) {
  return spec.opcode == kPoll && (spec.flags & kFlagResfd) != 0 && spec.resfd == spec.fd;
}

}  // namespace

const char* danger_of(const Program& program, const Profile& profile) {
  // F35: the patch level is not known.
  if (profile.release == Release{6, 8} && is_stepped(program)) {
    return "a wait that several completions end at once can crash kernels 6.8.0 to 6.8.4 (CVE-2024-35874)";
  }
  if (profile.release >= Release{6, 1}) return nullptr;
  for (const Operation& operation : program.operations) {
    const auto* submit = std::get_if<Submit>(&operation);
    if (submit != nullptr && std::any_of(submit->iocbs.begin(), submit->iocbs.end(), polls_its_own_resfd)) {
      return "POLL of an eventfd that is its own RESFD locks up kernels before 6.1";
    }
  }
  return nullptr;
}

}  // namespace aio
