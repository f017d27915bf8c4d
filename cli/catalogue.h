// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names that users give, looked up, and what of the catalogue applies here.
#pragma once

#include <string>

#include "reference/requirement.h"

namespace aio::cli {

// All throw Failure where there is no such name.
Req requirement_named(const std::string& id);  // of those that the model decides by
const Requirement& catalogued(const std::string& id);
const Profile& profile_named(const std::string& name);
// Checks the name only.
void require_lie(const std::string& id);

// Why the requirement does not apply under this profile on this machine; empty where it does.
std::string why_not(const Requirement& requirement, const Profile& profile, const Machine& machine);

}  // namespace aio::cli
