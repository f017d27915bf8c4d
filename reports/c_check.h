// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a C reproducer looks at after the divergent operation.
#pragma once

#include <string>

#include "reports/c_operation.h"
#include "reports/trace.h"

namespace aio {

struct CCheck {
  std::string functions;     // to be written before program()
  std::string before;        // statements before the divergent call
  std::string after;         // statements after it, `r` being what it returned; ends with a return
  bool uses_result = false;  // they mention `r`
};

// `ring_numbers` are those of the rings observed after the divergent operation.
CCheck c_check(const Trace& trace, const std::vector<unsigned>& ring_numbers, CNeeds& needs);

}  // namespace aio
