// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/wrapped.h"

#include <algorithm>
#include <utility>

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

std::string cleaned(std::string text) {
  for (char& letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if ((code < 0x20 && letter != '\n' && letter != '\t') || code == 0x7f) letter = '?';
  }
  // U+FFFE and U+FFFF.
  for (std::size_t at = 0; (at = text.find("\xef\xbf", at)) != std::string::npos; ++at) {
    if (at + 2 < text.size() && (text[at + 2] == '\xbe' || text[at + 2] == '\xbf')) text.replace(at, 3, "?");
  }
  return text;
}

std::string one_line(std::string text) {
  text = cleaned(std::move(text));
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter == '\n' || letter == '\t'; }, ' ');
  return text;
}

}  // namespace aio
