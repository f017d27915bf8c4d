// SPDX-License-Identifier: GPL-2.0-or-later
//
// The catalogue of requirements: every rule of the ABI under a stable id. Those that the model decides by have an
// enumerator and stand in requirements.def; those that only the suites look at stand in suite_requirements/, by theme.
#pragma once

#include <array>
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

enum class Severity : std::uint8_t {
  kMust,      // a kernel that does otherwise diverges
  kReported,  // the implementation may choose: what it does is reported and never failed
};

struct Requirement {
  Req req;                    // of one that the model does not know: beyond all enumerators
  std::string_view id;        // "io_submit.key_written"
  std::string_view sentence;  // what the kernel does
  std::string_view source;    // section of the semantics, file and line, or man page
  std::string_view needs;     // "" or what must hold for it to apply (applies())
  Severity severity = Severity::kMust;
};

// Those that the model decides by.
std::span<const Requirement> requirements();
const Requirement& requirement(Req req);
std::optional<Req> find_requirement(std::string_view id);

// Those that the suites alone look at.
std::span<const Requirement> suite_requirements();
// Of either kind; nullptr where there is none of that id.
const Requirement* find_in_catalogue(std::string_view id);

// Whether the requirement applies under this profile on this machine. Otherwise `needs` says what is missing.
bool applies(const Requirement& requirement, const Profile& profile, const Machine& machine);
// The releases in which it holds, as text: "4.19 and later", "all".
std::string releases(const Requirement& requirement);

using RequirementSet = std::bitset<kRequirementCount>;
// For each of those that the model decides by, how many compared parts of answers it has decided.
using RequirementCounts = std::array<std::uint64_t, kRequirementCount>;

}  // namespace aio
