// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/formats.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "cli/nearest.h"
#include "cli/reporting.h"

namespace aio::cli {

SavedReport open_report(const std::string& path) { return checked(Exit::kUsage, load_report(path)); }

WaiverList open_waivers(const std::string& path) { return checked(Exit::kUsage, load_waivers(path)); }

std::string today() { return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr))); }

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%S}+00:00", fmt::gmtime(std::time(nullptr))); }

const Format& format_named(const std::string& name) {
  const Format* const found = find_format(name);
  if (found != nullptr) return *found;
  std::vector<std::string_view> names;
  for (const Format& each : formats()) names.push_back(each.name);
  throw unknown_name("format", name, names);
}

}  // namespace aio::cli
