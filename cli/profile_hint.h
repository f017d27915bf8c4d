// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>

#include "properties/lockstep.h"
#include "reports/report.h"

namespace aio::cli {

// Judges what a trace has recorded, by this profile. Nothing is run.
CaseResult judge(const Trace& trace, const Profile& profile);

// "this behaves like 4.14 to 4.17: ..." where most of several findings are none by the rules of other releases, as with
// a vendor's kernel whose number does not tell what it took over; otherwise empty.
std::string profile_hint(std::span<const Finding> findings);

}  // namespace aio::cli
