// SPDX-License-Identifier: GPL-2.0-or-later
//
// The catalogue of requirements: every rule of the ABI that the model decides by, under a stable id. The list itself is
// requirements.def.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "reference/profile.h"

namespace aio {

enum class Req : std::uint16_t {
#define REQUIREMENT(name, id, needs, source, sentence) name,
#include "reference/requirements.def"
#undef REQUIREMENT
};

inline constexpr std::size_t kRequirementCount = 0
#define REQUIREMENT(name, id, needs, source, sentence) +1
#include "reference/requirements.def"
#undef REQUIREMENT
    ;

struct Requirement {
  Req req;
  std::string_view id;        // "io_submit.key_written"
  std::string_view sentence;  // what the kernel does
  std::string_view source;    // section of the semantics, file and line, or man page
  std::string_view needs;     // "" or what must hold for it to apply (applies())
};

std::span<const Requirement> requirements();
const Requirement& requirement(Req req);
std::optional<Req> find_requirement(std::string_view id);

// Whether the requirement applies under this profile on this machine. Otherwise `needs` says what is missing.
bool applies(const Requirement& requirement, const Profile& profile, const Machine& machine);
// The releases in which it holds, as text: "4.19 and later", "all".
std::string_view releases(const Requirement& requirement);

using RequirementSet = std::bitset<kRequirementCount>;

}  // namespace aio
