// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text form of traces: JSON, the head's members and each step on a line of their own, so that
// two traces can be compared by diff. report-schema.md describes it.
#pragma once

#include <string>

#include "reports/trace.h"

namespace aio {

// Ends with a newline. Members that have their default are left out.
std::string trace_text(const Trace& trace);
// The form that people write by hand: the operations alone.
std::string bare_trace_text(const Program& program);

}  // namespace aio
