// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "reports/html_parts.h"
#include "reports/html_text.h"
#include "reports/ring_svg.h"
#include "reports/trace_reader.h"

namespace aio {
namespace {

// What is longer stands beside the page only.
constexpr std::size_t kMostEmbedded = 48 << 10;
constexpr std::size_t kMostPages = 100;  // of divergences whose files are embedded

std::string file_part(const SavedReport& report, const std::string& name, const std::string& what,
                      const std::string& id, bool embed) {
  if (name.empty()) return "";
  const std::string link = fmt::format("<a href=\"{0}\">{0}</a>", escaped(name));
  const auto content = embed ? read_bounded(report.directory / name) : tl::unexpected(ReadError());
  if (!content || content->size() > kMostEmbedded) return fmt::format("<p>{}: {}</p>\n", what, link);
  return fmt::format(
      "<details><summary>{0}</summary><p>{1} <button type=\"button\" data-copy=\"{2}\" hidden>Copy</button></p>"
      "<pre id=\"{2}\" tabindex=\"0\">{3}</pre></details>\n",
      what, link, id, escaped(*content));
}

std::string rings_cell(const StepView& view) {
  std::string cell;
  for (const RingPicture& ring : view.rings) {
    cell += ring_svg(ring) + fmt::format("<div class=\"words\">{}</div>", escaped(ring_text(ring)));
  }
  return cell;
}

std::string lanes_cell(const std::string& lanes) {
  return lanes.empty() ? "" : fmt::format("<td class=\"lanes\">{}</td>", escaped(lanes));
}

// What differs, where that is not what the call returned.
std::string beside_the_answer(const SavedDivergence& divergence, const char* whose, const std::string& text) {
  if (divergence.kind == "errno" || divergence.kind == "count") return "";
  return fmt::format("<div>{}: {}</div>", whose, escaped(text));
}

std::string steps_table(const SavedDivergence& divergence) {
  const bool lanes = std::any_of(divergence.steps.begin(), divergence.steps.end(),
                                 [](const StepView& each) { return !each.lanes.empty(); });
  std::string text = fmt::format(
      "{}<table class=\"steps\"><caption>The program: each operation, what the kernel answered, and the ring after it"
      "{}</caption>\n<thead><tr><th>#</th>{}<th>operation</th><th>kernel</th><th>model</th><th>ring</th></tr></thead>"
      "<tbody>\n",
      html_wide("Program"), lanes ? " (lanes: * acts, z sleeps)" : "", lanes ? "<th>lanes</th>" : "");
  for (std::size_t i = 0; i < divergence.steps.size(); ++i) {
    const StepView& view = divergence.steps[i];
    const bool differs = i == divergence.operation;
    const std::string seen = differs ? beside_the_answer(divergence, "seen", divergence.seen) : "";
    std::string model = view.model.empty() && !view.kernel.empty() ? "same" : escaped(view.model);
    if (!seen.empty()) model = beside_the_answer(divergence, "expected", divergence.expected);
    text +=
        fmt::format("<tr{}><td>{}{}</td>{}<td><code>{}</code></td><td>{}{}</td><td>{}</td><td>{}</td></tr>\n",
                    differs ? " class=\"differs\"" : "", differs ? "▶ " : "", i, lanes ? lanes_cell(view.lanes) : "",
                    escaped(view.operation), escaped(view.kernel), seen, model, rings_cell(view));
  }
  return text + "</tbody></table></div>\n";
}

// Of a report that has only the words.
std::string program_list(const SavedDivergence& divergence) {
  std::string text = "<ol start=\"0\" class=\"program\">\n";
  for (std::size_t i = 0; i < divergence.program.size(); ++i) {
    text += fmt::format("<li{}><code>{}</code></li>\n", i == divergence.operation ? " class=\"differs\"" : "",
                        escaped(divergence.program[i]));
  }
  return text + "</ol>\n";
}

}  // namespace

std::string html_divergence(const SavedReport& report, std::size_t number) {
  const SavedDivergence& divergence = report.divergences[number - 1];
  std::string text = fmt::format(
      "<article id=\"d{}\" aria-labelledby=\"t{}\"><h3 id=\"t{}\">{}. <a href=\"#r-{}\">{}</a> "
      "<small>{}{}</small></h3>\n",
      number, number, number, number, escaped(divergence.requirement), escaped(divergence.requirement),
      escaped(divergence.kind),
      divergence.waiver.empty() ? "" : fmt::format(", waived: {}", escaped(divergence.waiver)));
  text += fmt::format("<p class=\"rule\">{}</p>\n<p class=\"source\">{}</p>\n", escaped(divergence.sentence),
                      escaped(divergence.source));
  text += fmt::format(
      "<dl class=\"answers\"><dt>expected</dt><dd class=\"expected\">{}</dd><dt>seen</dt><dd class=\"seen\">{}</dd>",
      escaped(divergence.expected), escaped(divergence.seen));
  if (divergence.repeats_of != 0) {
    text +=
        fmt::format("<dt>shows in</dt><dd>{} of {} runs{}</dd>", divergence.repeats_shown, divergence.repeats_of,
                    divergence.needs_history ? ", and only after what ran before, which is part of the program" : "");
  }
  if (report.summary.shards > 1) {
    text += fmt::format("<dt>found by</dt><dd>{} of {} shards</dd>", divergence.shards, report.summary.shards);
  }
  text += "</dl>\n";
  text += divergence.steps.empty() ? program_list(divergence) : steps_table(divergence);
  if (divergence.operation >= divergence.program.size()) text += "<p>It shows at the end of the program.</p>\n";
  const bool embed = number <= kMostPages;
  text += file_part(report, divergence.reproducer, "A C file that shows it", fmt::format("c{}", number), embed);
  text += file_part(report, divergence.trace, "Its trace, for aio-cts replay", fmt::format("j{}", number), embed);
  return text + "</article>\n";
}

}  // namespace aio
