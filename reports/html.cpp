// SPDX-License-Identifier: GPL-2.0-or-later
//
// The report as one page: no network, no other file needed, readable without JavaScript, which only copies.
#include <fmt/format.h>

#include "reports/formats.h"
#include "reports/html_parts.h"
#include "reports/html_text.h"
#include "reports/terminal.h"
#include "reports/waivers.h"

namespace aio {
namespace {

constexpr const char* kScript = R"(
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
      .then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Cannot copy here"; });
  });
}
)";

std::string verdict(const SavedReport& report) {
  const std::uint64_t divergences = report.summary.divergences;
  const bool complete = report.summary.incomplete.empty() && report.summary.flaky.empty();
  // Of another implementation the tests are no divergences of the run.
  if (divergences == 0 && !all_findings(report).empty()) {
    return fmt::format("<p class=\"verdict bad\">✗ {} tests fail</p>\n", all_findings(report).size());
  }
  if (divergences == 0) {
    return complete ? "<p class=\"verdict good\">✓ no divergence</p>\n"
                    : "<p class=\"verdict bad\">○ no divergence, but the run is incomplete</p>\n";
  }
  const std::size_t by_programs = report.divergences.size();
  std::string who = "by generated programs";
  if (by_programs == 0) who = "by tests of the suites";
  if (by_programs != 0 && by_programs < divergences) {
    who = fmt::format("{} by generated programs, {} by tests of the suites", by_programs, divergences - by_programs);
  }
  return fmt::format("<p class=\"verdict bad\">✗ {} {}<small>: {}</small></p>\n", with_separators(divergences),
                     plural(divergences, "divergence"), who);
}

// Where there are many, they are looked at one by one.
std::string index(const SavedReport& report) {
  constexpr std::size_t kFew = 3;
  if (report.divergences.size() <= kFew) return "";
  std::string text =
      html_wide("Index of divergences") +
      "<table class=\"index\"><thead><tr><th>#</th><th>requirement</th><th>expected</th><th>seen</th></tr>"
      "</thead><tbody>\n";
  for (std::size_t i = 0; i < report.divergences.size(); ++i) {
    const SavedDivergence& each = report.divergences[i];
    text += fmt::format(
        "<tr><td>{0}</td><td><a href=\"#d{0}\">{1}</a></td><td class=\"expected\">{2}</td><td class=\"seen\">{3}</td>"
        "</tr>\n",
        i + 1, escaped(each.requirement), escaped(each.expected), escaped(each.seen));
  }
  return text + "</tbody></table></div>\n";
}

std::string falsified(const RunSummary& summary) {
  std::string text;
  for (const std::string& how : falsifications(summary)) {
    text += fmt::format("<p class=\"falsified\">FALSIFIED RUN: {}</p>\n", escaped(how));
  }
  return text;
}

std::string kernel_of(const RunSummary& summary) {
  return summary.implementation == "Linux" ? summary.kernel : summary.implementation + " " + summary.kernel;
}

std::string environment(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  std::string text = "<dl>\n";
  const auto line = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escaped(value));
  };
  line("kernel", kernel_of(summary));
  line("profile", summary.profile);
  for (const std::string& note : summary.profile_notes) line("", note);
  line("started", summary.started);
  if (summary.possible_cpus != 0) {
    line("machine", fmt::format("{} of {} possible CPUs, files on {}", summary.usable_cpus, summary.possible_cpus,
                                summary.file_system));
  }
  if (summary.shards > 1) {
    line("shards", fmt::format("{} of {}", summary.shard_numbers.size(), with_separators(summary.shards)));
  }
  line("seed", std::to_string(summary.seed));
  line("programs", fmt::format("{} in {:.1f} s, {} operations", with_separators(summary.programs), summary.seconds,
                               with_separators(summary.operations)));
  line("judged", fmt::format("{} exactly, {} by a set of states, {} by a bound, {} undecided",
                             with_separators(summary.judged_exactly), with_separators(summary.judged_by_set),
                             with_separators(summary.widened), with_separators(undecided_operations(summary))));
  line("requirements", fmt::format("{} exercised of {} applicable", report.exercised.size(), report.applicable));
  for (const std::string& each : summary.incomplete) line("incomplete", each);
  for (const FlakyDivergence& each : summary.flaky) {
    line("seen once", fmt::format("{} ({}): {}", each.requirement, each.kind, each.how));
  }
  line("made by", summary.tool);
  return text + "</dl>\n";
}

}  // namespace

std::string html(const SavedReport& report) {
  const std::vector<RequirementStanding> all = standings(report);
  const std::string kernel = escaped(kernel_of(report.summary));
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>aio-cts: {} on {}</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>{}</style></head>\n<body>\n"
      "<header><h1>aio-cts on {}</h1>\n{}{}</header>\n<nav aria-label=\"Parts\"><a "
      "href=\"#divergences\">Divergences</a>"
      "<a href=\"#tests\">Tests</a><a href=\"#matrix\">Matrix</a><a "
      "href=\"#requirements\">Requirements</a></nav>\n<main>\n",
      all_findings(report).empty() ? "no divergence" : fmt::format("{} divergences", all_findings(report).size()),
      kernel, html_style(), kernel, falsified(report.summary), verdict(report));
  text += "<section aria-labelledby=\"environment\"><h2 id=\"environment\">What was run</h2>\n" + environment(report) +
          "</section>\n<section aria-labelledby=\"divergences\"><h2 id=\"divergences\">Divergences of programs</h2>\n";
  text += report.divergences.empty() ? "<p>None.</p>\n" : index(report);
  for (std::size_t i = 1; i <= report.divergences.size(); ++i) text += html_divergence(report, i);
  text += "</section>\n<section aria-labelledby=\"tests\"><h2 id=\"tests\">Tests of the suites</h2>\n" +
          html_tests(report) +
          "</section>\n<section aria-labelledby=\"matrix\"><h2 id=\"matrix\">Requirements by theme and entry</h2>\n" +
          html_matrix(all) +
          "</section>\n<section aria-labelledby=\"requirements\"><h2 id=\"requirements\">Requirements</h2>\n" +
          html_requirements(report, all) + "</section>\n</main>\n";
  return text + "<script>" + kScript + "</script>\n</body></html>\n";
}

}  // namespace aio
