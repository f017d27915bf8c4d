// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lanes of a trace as text: a column for each, beside the operations.
#pragma once

#include <string>
#include <vector>

#include "reports/trace.h"

namespace aio {

// What stands beside one operation: "* z .", the first lane makes it, the second sleeps, the third is awake.
struct LaneRow {
  std::string columns;
  // Lines of their own below it, for calls that have returned: "^" in the column of that lane, and what it returned.
  struct Return {
    std::string columns;
    std::string text;
  };
  std::vector<Return> returns;
  bool asleep = false;  // the operation's call sleeps
};

struct LaneColumns {
  std::string head;           // the numbers of the lanes; empty for a trace without lanes
  std::vector<LaneRow> rows;  // one for each step
};

LaneColumns lane_columns(const Trace& trace);

}  // namespace aio
