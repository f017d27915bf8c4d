// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plain text as one sends it to a mailing list: at most 72 columns but for the C file, which stays as it is.
#include <fmt/format.h>

#include "reports/cases.h"
#include "reports/formats.h"
#include "reports/trace_reader.h"
#include "reports/waivers.h"
#include "reports/wrapped.h"

namespace aio {
namespace {

constexpr std::size_t kColumns = 72;
constexpr std::size_t kMostInline = 5;  // C files; the others are named

std::string in_72(const std::string& first, const std::string& text) { return wrapped(first, text, kColumns); }

std::string subject(const SavedReport& report) {
  const auto& divergences = report.divergences;
  const std::string what = divergences.empty()       ? all_findings(report).empty() ? "no divergence" : "tests fail"
                           : divergences.size() == 1 ? divergences[0].requirement + " is broken"
                                                     : fmt::format("{} divergences, the first {}", divergences.size(),
                                                                   divergences[0].requirement);
  return fmt::format("Subject: [aio-cts] {}: {}\n", report.summary.kernel, what);
}

std::string divergence_part(const SavedReport& report, std::size_t index) {
  const SavedDivergence& divergence = report.divergences[index];
  std::string text =
      "\n" + std::string(kColumns, '-') + "\n" +
      in_72(fmt::format("{}. ", index + 1), fmt::format("{} ({})", divergence.requirement, divergence.kind)) + "\n" +
      in_72("   Rule:     ", divergence.sentence) + in_72("   Source:   ", divergence.source) +
      in_72("   Expected: ", divergence.expected) + in_72("   Seen:     ", divergence.seen);
  if (divergence.repeats_of != 0) {
    text += in_72("   Repeats:  ", fmt::format("{} of {} runs", divergence.repeats_shown, divergence.repeats_of));
  }
  if (!divergence.waiver.empty()) text += in_72("   Waived:   ", divergence.waiver);
  text += "\n   Program (-> is where it differs):\n";
  for (std::size_t i = 0; i < divergence.program.size(); ++i) {
    text += in_72(fmt::format("   {}{:>3}  ", i == divergence.operation ? "->" : "  ", i), divergence.program[i]);
  }
  if (divergence.reproducer.empty()) return text;
  std::optional<std::string> source;
  if (index < kMostInline) {
    if (auto content = read_bounded(report.directory / divergence.reproducer)) source = std::move(*content);
  }
  if (!source) return text + "\n   C file: " + divergence.reproducer + "\n";
  return text +
         fmt::format("\nReproducer ({}; it exits 1 while the kernel is wrong):\n\n{}", divergence.reproducer, *source);
}

std::string tests_part(const SavedReport& report) {
  std::string text;
  for (const SuiteRun& run : report.summary.suites.runs) {
    for (const SuiteRun::Failure& each : run.failures) {
      if (each.reported) continue;
      text += in_72("  ", fmt::format("{} through {}: {}", run.test, run.entry, each.requirement));
    }
  }
  return text.empty() ? "" : "\nTests of the suites that fail:\n" + text;
}

}  // namespace

std::string mail(const SavedReport& report) {
  const RunSummary& summary = report.summary;
  std::string text = subject(report) + "\n" + in_72("", headline(report) + ".");
  text += fmt::format(
      "\n  kernel        {}\n  profile       {}\n  seed          {}\n  programs      {}\n  operations    {}\n"
      "  requirements  {} exercised of {} applicable\n  divergences   {}\n",
      summary.kernel, summary.profile, summary.seed, summary.programs, summary.operations, report.exercised.size(),
      report.applicable, summary.divergences);
  for (const std::string& each : summary.incomplete) text += in_72("  incomplete    ", each);
  for (const FlakyDivergence& each : summary.flaky) text += in_72("  incomplete    ", flaky_text(each));
  text += tests_part(report);
  for (std::size_t i = 0; i < report.divergences.size(); ++i) text += divergence_part(report, i);
  return text + "\n-- \nReported-by: \n";
}

}  // namespace aio
