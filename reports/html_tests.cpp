// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <map>

#include "reports/html_parts.h"
#include "reports/html_text.h"

namespace aio {
namespace {

std::string failure_part(const SuiteRun& run, const SuiteRun::Failure& failure) {
  return fmt::format(
      "<li><strong>{}</strong> through {}, <a href=\"#r-{}\">{}</a>{}{} <small>{}</small><pre "
      "tabindex=\"0\">{}</pre></li>\n",
      escaped(run.test), escaped(run.entry), escaped(failure.requirement), escaped(failure.requirement),
      failure.reported ? ", which may be so" : "", failure.waiver.empty() ? "" : ", waived: " + escaped(failure.waiver),
      escaped(failure.where), escaped(failure.text));
}

}  // namespace

// Those that failed or could not be run, and how many were skipped for what reason.
std::string html_tests(const SavedReport& report) {
  const SuitesSummary& suites = report.summary.suites;
  if (suites.runs.empty()) return "<p>No suite was run.</p>\n";
  std::string failed;
  std::string broken;
  std::map<std::string, unsigned> skipped;
  for (const SuiteRun& run : suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) failed += failure_part(run, each);
    if (run.verdict == "skipped") ++skipped[run.reason];
    if (run.verdict == "broken") {
      broken += fmt::format("<li>{} through {}: {}</li>\n", escaped(run.test), escaped(run.entry), escaped(run.reason));
    }
  }
  std::string text = fmt::format(
      "<p>{} runs of tests in {:.1f} s: {} hold, {} fail, {} were skipped, {} could not be "
      "completed.</p>\n",
      suites.runs.size(), suites.seconds, suites.count("holds"), suites.count("fails"), suites.count("skipped"),
      suites.count("broken"));
  if (!failed.empty()) text += "<h3>Failed</h3>\n<ul>\n" + failed + "</ul>\n";
  if (!broken.empty()) text += "<h3>Could not be completed</h3>\n<ul>\n" + broken + "</ul>\n";
  if (skipped.empty()) return text;
  text += "<h3>Skipped</h3>\n<ul>\n";
  for (const auto& [reason, count] : skipped) text += fmt::format("<li>{}: {}</li>\n", count, escaped(reason));
  return text + "</ul>\n";
}

}  // namespace aio
