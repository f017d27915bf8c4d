// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text for a terminal of 80 columns, or for other lines of limited length.
#pragma once

#include <string>
#include <string_view>

namespace aio {

// `first` and the text, broken at blanks (within words only where they fill a line); further lines are indented as far
// as the first. What could steer the terminal is replaced.
std::string wrapped(const std::string& first, std::string_view text, std::size_t columns = 80);

// Without what could steer a terminal or what XML has not; line breaks and tabs stay.
std::string cleaned(std::string text);
// The same on one line, as formats of lines need it.
std::string one_line(std::string text);

}  // namespace aio
