// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/option_value.h"

namespace aio::cli {

std::optional<std::string> option_value(const std::vector<std::string>& words, std::string_view name) {
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (!word->starts_with(name)) continue;
    if (word->size() == name.size()) return word + 1 == words.end() ? "" : *(word + 1);
    if ((*word)[name.size()] == '=') return word->substr(name.size() + 1);
  }
  return std::nullopt;
}

bool runs_suites(const std::vector<std::string>& words) {
  return option_value(words, "--suite").value_or("none") != "none";
}

}  // namespace aio::cli
