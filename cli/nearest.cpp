// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace aio::cli {
namespace {

constexpr std::size_t kMostNamed = 3;
// The longest id has a quarter of this; longer words resemble nothing.
constexpr std::size_t kLongestWord = 256;

// Levenshtein's: how many letters must be inserted, removed or replaced.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row[to.size()];
}

}  // namespace

std::vector<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string_view name : known) {
    const std::size_t apart = distance(word, name);
    // A piece of a name resembles it most, however much is missing.
    if (word.size() >= 3 && name.find(word) != std::string_view::npos) {
      ranked.emplace_back(0, name);
    } else if (apart <= std::max(word.size(), name.size()) / 2) {
      ranked.emplace_back(apart, name);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string_view> names;
  for (const auto& [apart, name] : ranked) {
    if (names.size() < kMostNamed) names.push_back(name);
  }
  return names;
}

Failure unknown_name(std::string_view kind, std::string_view word, const std::vector<std::string_view>& known) {
  const std::vector<std::string_view> near = nearest(word, known);
  const std::string hint = near.empty() ? "" : fmt::format("; the nearest: {}", fmt::join(near, ", "));
  const std::string plural = kind == "entry" ? "entries" : fmt::format("{}s", kind);
  return wrong_usage(fmt::format("there is no {} '{}'{} (all of them: aio-cts list {})", kind, word, hint, plural));
}

}  // namespace aio::cli
