// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/formats.h"

#include <algorithm>
#include <array>

namespace aio {

std::span<const Format> formats() {
  static constexpr std::array<Format, 11> kFormats{{
      {"html", "report.html", "one page to look at", html},
      {"mail", "report.txt", "plain text of 72 columns, as for a mailing list", mail},
      {"ktap", "report.ktap", "the kernel's test format, version 1", ktap},
      {"tap", "report.tap", "TAP version 13, for prove", tap},
      {"junit", "report.xml", "JUnit XML, for Jenkins, GitLab and others", junit},
      {"kcidb", "report.kcidb.json", "KernelCI's database, schema 5.3", kcidb},
      {"ltp", "report.ltp", "as LTP tests print, for kirk", ltp},
      {"lava", "report.lava", "LAVA's signals", lava},
      {"github", "", "annotations of a GitHub workflow", github},
      {"gitlab", "report.codequality.json", "a GitLab Code Quality report", gitlab},
      {"jsonl", "", "JSON lines, one a case", json_lines},
  }};
  return kFormats;
}

const Format* find_format(std::string_view name) {
  const std::span<const Format> all = formats();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Format& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace aio
