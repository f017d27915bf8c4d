// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/needs.h"

#include <algorithm>
#include <charconv>

namespace aio {

namespace {

bool parse_number(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  return error == std::errc{} && end == text.end() && number >= 0;
}

constexpr Switch kSwitches[] = {
    {"min_nr_wakes", &Profile::min_nr_wakes, "6.8 and later"},
    {"child_mremap_fails", &Profile::child_mremap_fails, "6.2 and later, and stable versions before"},
    {"poll_ready_anywhere", &Profile::poll_ready_anywhere, "5.1 and later, 4.19.38 and 5.0.11"},
};

// "6.12", and nothing else.
std::optional<Release> parse_release(std::string_view text) {
  const std::size_t dot = text.find('.');
  Release release;
  if (dot == std::string_view::npos || !parse_number(text.substr(0, dot), release.major) ||
      !parse_number(text.substr(dot + 1), release.minor)) {
    return std::nullopt;
  }
  return release;
}

}  // namespace

const Switch* find_switch(std::string_view token) {
  const auto* const found =
      std::find_if(std::begin(kSwitches), std::end(kSwitches), [&](const Switch& each) { return each.token == token; });
  return found == std::end(kSwitches) ? nullptr : found;
}

std::vector<std::string_view> split_needs(std::string_view needs) {
  std::vector<std::string_view> tokens;
  while (!needs.empty()) {
    const std::size_t comma = needs.find(',');
    tokens.push_back(needs.substr(0, comma));
    if (comma == std::string_view::npos) break;
    needs.remove_prefix(comma + 1);
    if (needs.empty()) tokens.push_back(needs);  // a comma at the end: an empty token, so unknown
  }
  return tokens;
}

std::optional<bool> need_holds(std::string_view token, const Profile& profile, const Machine& machine) {
  if (token.starts_with(">=")) {
    const auto release = parse_release(token.substr(2));
    return release ? std::optional(profile.release >= *release) : std::nullopt;
  }
  if (token.starts_with("<")) {
    const auto release = parse_release(token.substr(1));
    return release ? std::optional(profile.release < *release) : std::nullopt;
  }
  if (const Switch* const found = find_switch(token)) return profile.*found->rule;
  if (token == "aio_nr") return machine.aio_nr;
  if (token == "cpus2") return machine.usable_cpus >= 2;
  if (token == "nowait") return machine.file_nowait;
  if (token == "no_nowait") return !machine.file_nowait;
  if (token == "dontcache") return machine.file_dontcache;
  if (token == "direct") return machine.direct;
  if (token == "gate") return machine.gate;
  if (token == "compat") return machine.compat;
  if (token == "lanes") return machine.lanes;
  if (token == "guest") return machine.guest;
  if (token == "direct_queues") return machine.direct_queues;
  if (token == "rt") return machine.may_use_rt_ioprio;
  if (token == "no_rt") return !machine.may_use_rt_ioprio;
  if (token == "bounded_files") return machine.max_file < INT64_MAX;
  if (token == "nowait_write_fails") return machine.file_nowait && machine.nowait_write_error != 0;
  return std::nullopt;
}

bool all_hold(std::string_view needs, const Profile& profile, const Machine& machine) {
  const std::vector<std::string_view> tokens = split_needs(needs);
  return std::all_of(tokens.begin(), tokens.end(),
                     [&](std::string_view token) { return need_holds(token, profile, machine).value_or(false); });
}

bool in_release(std::string_view needs, const Profile& profile) {
  const auto is_about_release = [](std::string_view token) {
    return token.starts_with(">=") || token.starts_with("<") || find_switch(token) != nullptr;
  };
  const std::vector<std::string_view> tokens = split_needs(needs);
  return std::all_of(tokens.begin(), tokens.end(), [&](std::string_view token) {
    return !is_about_release(token) || need_holds(token, profile, Machine{}).value_or(false);
  });
}

std::string releases_text(std::string_view needs) {
  std::string text;
  for (const std::string_view token : split_needs(needs)) {
    std::string part;
    if (token.starts_with(">=")) part = std::string(token.substr(2)) + " and later";
    if (token.starts_with("<")) part = "before " + std::string(token.substr(1));
    if (const Switch* const found = find_switch(token)) part = found->releases;
    if (!text.empty() && !part.empty()) text += ", ";
    text += part;
  }
  return text.empty() ? "all" : text;
}

}  // namespace aio
