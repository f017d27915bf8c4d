// SPDX-License-Identifier: GPL-2.0-or-later
//
// The descriptors that a C reproducer opens.
#pragma once

#include <string>

#include "reports/c_operation.h"

namespace aio {

// The statements that open those that are needed; of pipes and socket pairs always both ends, which are needed then.
std::string c_open_zoo(CNeeds& needs);
// Their names, as an enumeration.
std::string c_descriptor_names(const CNeeds& needs);

}  // namespace aio
