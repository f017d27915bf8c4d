// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/wrapped.h"

#include <algorithm>

namespace aio {
namespace {

// Text from a trace may come from anywhere; it must not steer the terminal.
std::string printable(std::string_view text) {
  std::string safe(text);
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

}  // namespace

std::string wrapped(const std::string& first, std::string_view text, std::size_t columns) {
  const std::string indent(first.size(), ' ');
  std::string rest = printable(text);
  std::string result;
  std::string start = first;
  const std::size_t room = columns - first.size();
  while (rest.size() > room) {
    std::size_t end = rest.rfind(' ', room);
    if (end == std::string::npos || end == 0) end = room;
    result += start + rest.substr(0, end) + "\n";
    rest.erase(0, end);
    rest.erase(0, rest.find_first_not_of(' '));
    start = indent;
  }
  return result + start + rest + "\n";
}

}  // namespace aio
