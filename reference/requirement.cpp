// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/requirement.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "reference/needs.h"

namespace aio {

namespace {

constexpr std::array<Requirement, kRequirementCount> kRequirements{{
#define REQUIREMENT(name, id, needs, source, sentence) {Req::name, id, sentence, source, needs},
#include "reference/requirements.def"
#undef REQUIREMENT
}};

}  // namespace

std::span<const Requirement> requirements() { return kRequirements; }

const Requirement* find_in_catalogue(std::string_view id) {
  if (const auto req = find_requirement(id)) return &requirement(*req);
  const auto others = suite_requirements();
  const auto found = std::find_if(others.begin(), others.end(), [&](const Requirement& each) { return each.id == id; });
  return found == others.end() ? nullptr : &*found;
}

const Requirement& requirement(Req req) { return kRequirements.at(static_cast<std::size_t>(req)); }

std::optional<Req> find_requirement(std::string_view id) {
  static const auto kIndex = [] {
    std::unordered_map<std::string_view, Req> index;
    for (const Requirement& each : kRequirements) index.emplace(each.id, each.req);
    return index;
  }();
  const auto found = kIndex.find(id);
  if (found == kIndex.end()) return std::nullopt;
  return found->second;
}

bool applies(const Requirement& requirement, const Profile& profile, const Machine& machine) {
  return all_hold(requirement.needs, profile, machine);
}

std::string releases(const Requirement& requirement) { return releases_text(requirement.needs); }

}  // namespace aio
