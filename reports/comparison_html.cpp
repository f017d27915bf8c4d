// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/comparison.h"
#include "reports/html_parts.h"
#include "reports/html_text.h"
#include "reports/waivers.h"

namespace aio {
namespace {

using Row = std::vector<std::optional<Standing>>;

std::string cells(const std::string& name, const Row& row) {
  std::string text = fmt::format("<tr><th scope=\"row\"><code>{}</code></th>", escaped(name));
  for (const std::optional<Standing>& each : row) {
    if (each) {
      const auto [css, sign] = sign_of(*each);
      text += fmt::format("<td><span class=\"q {}\" title=\"{}\">{}</span></td>", css, standing_text(*each), sign);
    } else {
      text += "<td></td>";
    }
  }
  return text + "</tr>\n";
}

// A row for what is not the same in all reports.
std::string table(const char* caption, std::span<const SavedReport> reports, const std::map<std::string, Row>& rows) {
  std::string text = fmt::format("<table><caption>{}</caption><thead><tr><th>report</th>", caption);
  for (std::size_t i = 0; i < reports.size(); ++i) text += fmt::format("<th>{}</th>", i + 1);
  text += "</tr></thead><tbody>\n";
  for (const auto& [name, row] : rows) text += cells(name, row);
  return text + "</tbody></table>\n";
}

// How many findings each report has, as columns.
std::string counts(std::span<const SavedReport> reports) {
  std::size_t most = 1;
  for (const SavedReport& each : reports) most = std::max(most, all_findings(each).size());
  constexpr std::size_t kHeight = 80;
  std::string bars;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const std::size_t count = all_findings(reports[i]).size();
    const std::size_t height = count * kHeight / most;
    bars += fmt::format(
        "<rect class=\"event\" x=\"{}\" y=\"{}\" width=\"30\" height=\"{}\"/><text x=\"{}\" y=\"{}\">{}</text>",
        i * 40 + 4, 14 + kHeight - height, height, i * 40 + 12, 10 + kHeight - height, count);
  }
  return fmt::format(
      "<svg class=\"ring\" role=\"img\" width=\"{}\" height=\"100\"><title>Findings of each report</title>{}</svg>\n",
      reports.size() * 40 + 8, bars);
}

}  // namespace

std::string comparison_html(std::span<const SavedReport> reports) {
  std::map<std::string, Row> requirements;
  std::map<std::string, Row> findings;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto put = [&](std::map<std::string, Row>& rows, const std::string& name, Standing standing) {
      Row& row = rows[name];
      row.resize(reports.size());
      row[i] = standing;
    };
    for (const RequirementStanding& each : standings(reports[i])) put(requirements, each.id, each.overall);
    for (const std::string& each : all_findings(reports[i])) put(findings, each, Standing::kWaived);
    for (const std::string& each : open_findings(reports[i])) put(findings, each, Standing::kBroken);
  }
  std::erase_if(requirements, [](const auto& each) {
    return std::adjacent_find(each.second.begin(), each.second.end(), std::not_equal_to<>()) == each.second.end();
  });
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>aio-cts: {} reports compared</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{}</style></head><body>\n<main>"
      "<h1>{} reports compared</h1>\n<ol>\n",
      reports.size(), html_style(), reports.size());
  for (const SavedReport& each : reports) text += fmt::format("<li>{}</li>\n", escaped(name_of(each)));
  text += "</ol>\n<h2>Findings</h2>\n" + counts(reports) + table("Each finding by its fingerprint", reports, findings) +
          "<h2>Requirements that changed</h2>\n" +
          table("Each requirement that is not the same in all", reports, requirements);
  return text + "</main></body></html>\n";
}

}  // namespace aio
