// SPDX-License-Identifier: GPL-2.0-or-later
//
// The requirements as a picture: a row a theme, a column an entry, a small square each. Colours are apart for those who
// do not see red and green; each square has a sign as well.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reference/entry_kind.h"
#include "reference/requirement.h"
#include "reports/html_parts.h"
#include "reports/html_text.h"
#include "reports/standing.h"

namespace aio {
namespace {

std::vector<std::string> columns_of(const std::vector<RequirementStanding>& all) {
  std::set<std::string> seen;
  for (const RequirementStanding& each : all) {
    for (const auto& [column, standing] : each.columns) seen.insert(column);
  }
  std::vector<std::string> columns;
  const auto take = [&](const std::string& column) {
    if (seen.erase(column) != 0) columns.push_back(column);
  };
  for (const EntryKind entry : kEntryKinds) take(std::string(entry_name(entry)));
  take(kProgramsColumn);
  columns.insert(columns.end(), seen.begin(), seen.end());
  return columns;
}

std::string square(const RequirementStanding& each, const std::string& column) {
  const auto at = each.columns.find(column);
  if (at == each.columns.end()) return "";
  const auto [css, sign] = sign_of(at->second);
  const std::string words = fmt::format("{}: {} ({})", each.id, standing_text(at->second), column);
  return fmt::format("<a class=\"q {0}\" href=\"#r-{1}\" title=\"{2}\" aria-label=\"{2}\">{3}</a>", css,
                     escaped(each.id), escaped(words), sign);
}

std::string legend() {
  std::string text = "<p class=\"legend\">";
  for (const Standing each :
       {Standing::kHolds, Standing::kBroken, Standing::kWaived, Standing::kNotRun, Standing::kNotHere}) {
    const auto [css, sign] = sign_of(each);
    text += fmt::format("<span class=\"q {}\" aria-hidden=\"true\">{}</span> {} ", css, sign, standing_text(each));
  }
  return text + "</p>\n";
}

}  // namespace

Sign sign_of(Standing standing) {
  switch (standing) {
    case Standing::kHolds:
      return {"holds", "✓"};
    case Standing::kBroken:
      return {"broken", "✗"};
    case Standing::kWaived:
      return {"waived", "≈"};
    case Standing::kNotRun:
      return {"notrun", "○"};
    case Standing::kNotHere:
      break;
  }
  return {"nothere", "·"};
}

std::string html_matrix(const std::vector<RequirementStanding>& all) {
  const std::vector<std::string> columns = columns_of(all);
  std::string text = legend() + html_wide("Requirement matrix") + "<table class=\"matrix\"><thead><tr><th>theme</th>";
  for (const std::string& column : columns) text += fmt::format("<th>{}</th>", escaped(column));
  text += "</tr></thead><tbody>\n";
  for (auto first = all.begin(); first != all.end();) {
    const std::string theme = theme_of(first->id);
    const auto last = std::find_if(first, all.end(), [&](const auto& each) { return theme_of(each.id) != theme; });
    text += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(theme));
    for (const std::string& column : columns) {
      text += "<td>";
      for (auto each = first; each != last; ++each) text += square(*each, column);
      text += "</td>";
    }
    text += "</tr>\n";
    first = last;
  }
  return text + "</tbody></table></div>\n";
}

std::string html_requirements(const SavedReport& report, const std::vector<RequirementStanding>& all) {
  std::string text =
      html_wide("Requirements") +
      "<table class=\"requirements\"><thead><tr><th>state</th><th>requirement</th><th>what it says</th><th>source</th>"
      "</tr></thead><tbody>\n";
  for (const RequirementStanding& each : all) {
    const Requirement* const known = find_in_catalogue(each.id);
    const auto [css, sign] = sign_of(each.overall);
    std::string found;
    for (std::size_t i = 0; i < report.divergences.size(); ++i) {
      if (report.divergences[i].requirement == each.id)
        found += fmt::format(" <a href=\"#d{0}\">divergence {0}</a>", i + 1);
    }
    text += fmt::format(
        "<tr id=\"r-{0}\"><td><span class=\"q {1}\" title=\"{2}\">{3}</span></td><td><code>{0}</code>{4}</td>"
        "<td>{5}{6}</td><td class=\"source\">{7}</td></tr>\n",
        escaped(each.id), css, standing_text(each.overall), sign, found,
        known == nullptr ? "(not in this build's catalogue)" : escaped(known->sentence),
        each.why.empty() ? "" : fmt::format(" <em>{}</em>", escaped(each.why)),
        known == nullptr ? "" : escaped(known->source));
  }
  return text + "</tbody></table></div>\n";
}

}  // namespace aio
