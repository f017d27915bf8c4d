// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text in HTML.
#pragma once

#include <string>
#include <string_view>

namespace aio {

// Text as it stands between tags or in an attribute in double quotes.
std::string escaped(std::string_view text);
// Begins what scrolls by itself where the window is narrow; `</div>` ends it. `what` is what it is called.
std::string html_wide(std::string_view what);

}  // namespace aio
