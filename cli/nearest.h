// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the user may have meant by a name that does not exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/exit.h"

namespace aio::cli {

// The known names nearest to the word, best first, three at most; none that resembles it: none.
std::vector<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known);

// "there is no lie 'x'; the nearest are a, b (all: aio-cts list lies)"; `kind` is the singular.
Failure unknown_name(std::string_view kind, std::string_view word, const std::vector<std::string_view>& known);

}  // namespace aio::cli
