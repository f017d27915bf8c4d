// SPDX-License-Identifier: GPL-2.0-or-later
//
// The same report in the formats of others. Each writer stands in a file of its own, named after the format.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "reports/saved_report.h"

namespace aio {

std::string ktap(const SavedReport& report);        // version 1, flat; kernel.org/doc/html/latest/dev-tools/ktap.html
std::string tap(const SavedReport& report);         // version 13, for prove
std::string junit(const SavedReport& report);       // XML as Jenkins, GitLab and others read it
std::string kcidb(const SavedReport& report);       // KernelCI's database, schema 5.3
std::string ltp(const SavedReport& report);         // as an LTP test prints it, for kirk
std::string lava(const SavedReport& report);        // signals on a console
std::string github(const SavedReport& report);      // workflow commands: annotations
std::string gitlab(const SavedReport& report);      // a Code Quality report
std::string json_lines(const SavedReport& report);  // one object a case
std::string mail(const SavedReport& report);        // plain text, 72 columns
std::string html(const SavedReport& report);        // one self-contained page

struct Format {
  std::string_view name;  // as --format takes it
  std::string_view file;  // in a report directory; empty: not written there
  std::string_view what;
  std::string (*write)(const SavedReport& report);
};
std::span<const Format> formats();
const Format* find_format(std::string_view name);

}  // namespace aio
