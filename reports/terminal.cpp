// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/terminal.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference/print.h"
#include "reports/lane_columns.h"
#include "reports/wrapped.h"

namespace aio {
namespace {

class Terminal {
 public:
  explicit Terminal(const TerminalOptions& options) : options_(options) {}

  std::string report(const RunSummary& summary, const std::vector<Finding>& findings) {
    text_ = falsified(summary);
    head(summary);
    operations(summary);
    requirements_lines(summary);
    suites(summary.suites);
    for (const Finding& each : findings) finding(each);
    conclusion(summary);
    return text_;
  }

 private:
  std::string coloured(const char* code, const std::string& text) const {
    return options_.colour ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  }
  std::string red(const std::string& text) const { return coloured("1;31", text); }

  void line(const char* label, std::string_view value) { text_ += wrapped(fmt::format("{:<14}", label), value); }

  // Whoever reads the result of a falsified run must not take it for the kernel's.
  std::string falsified(const RunSummary& summary) const {
    std::string text;
    for (const std::string& how : falsifications(summary)) text += wrapped("FALSIFIED RUN ", how);
    if (text.empty()) return text;
    text.pop_back();
    return red(text) + "\n\n";
  }

  void head(const RunSummary& summary) {
    line("kernel", summary.kernel);
    if (summary.implementation != "Linux") {
      line("not Linux", fmt::format("{}, judged as if it were Linux {}", summary.implementation, summary.profile));
    }
    line("profile", summary.profile);
    for (const std::string& note : summary.profile_notes) line("", note);
    line("seed", fmt::format("{}", summary.seed));
    line("programs", fmt::format("{} in {:.1f} s, hash {:016x}", with_separators(summary.programs), summary.seconds,
                                 summary.program_hash));
    for (const auto& [danger, count] : summary.refusals) {
      line("", fmt::format("{} not run: {}", with_separators(count), danger));
    }
  }

  void operations(const RunSummary& summary) {
    line("operations", with_separators(summary.operations));
    const auto judged = [&](std::uint64_t count, const std::string& how) {
      if (count == 0) return;
      const double percent =
          summary.operations == 0 ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(summary.operations);
      line("", fmt::format("{} ({:.2f} %) {}", with_separators(count), percent, how));
    };
    judged(summary.judged_exactly, "judged exactly");
    judged(summary.judged_by_set, "judged by a set of states");
    judged(summary.widened, "judged by a bound");
    for (const auto& [reason, count] : summary.undecided) judged(count, "undecided: " + reason);
    for (const auto& [reason, count] : summary.left_out) {
      line("", fmt::format("{} more not made: {}", with_separators(count), reason));
    }
  }

  void requirements_lines(const RunSummary& summary) {
    line("requirements", fmt::format("{} exercised of {} applicable", summary.requirements_exercised.count(),
                                     summary.requirements_applicable.count()));
    for (const ExcludedRequirement& each : summary.excluded) {
      line("", fmt::format("not here: {} ({})", requirement(each.requirement).id, each.why));
    }
    if (summary.abstract_states > 0) {
      line("reached", fmt::format("{} abstract states, {} features of the model",
                                  with_separators(summary.abstract_states), with_separators(summary.features)));
    }
    if (summary.kernel_places > 0) {
      line("", fmt::format("{} places in the kernel's code", with_separators(summary.kernel_places)));
    }
    if (!summary.corpus.empty()) {
      line("corpus", fmt::format("{} of {} {}, {} added", summary.corpus, with_separators(summary.corpus_programs),
                                 plural(summary.corpus_programs, "program"), with_separators(summary.corpus_added)));
    }
  }

  void suites(const SuitesSummary& suites) {
    const std::string begin = options_.colour ? "\033[1;31m" : "";
    text_ += suites_text(suites, begin, options_.colour ? "\033[0m" : "");
  }

  void finding(const Finding& finding) {
    const Trace& trace = finding.trace;
    if (!trace.divergence) return;
    const Divergence& divergence = *trace.divergence;
    const Requirement& broken = requirement(divergence.signature.requirement);
    std::string title = wrapped("DIVERGENCE ", broken.id);
    title.pop_back();
    text_ += "\n" + red(title) + "\n";
    text_ += wrapped("  ", broken.sentence);
    text_ += wrapped("  expected  ", divergence.expected);
    text_ += wrapped("  seen      ", divergence.seen);
    if (trace.repeats_of != 0) text_ += wrapped("  repeats   ", repeats(trace));
    program(trace, divergence.operation);
    if (options_.directory.empty()) return;
    text_ += wrapped("  trace     ", options_.directory + "/" + trace_file_name(finding));
    text_ += wrapped("  C file    ", options_.directory + "/" + reproducer_file_name(finding));
  }

  static std::string repeats(const Trace& trace) {
    std::string text = fmt::format("{} of {}", trace.repeats_shown, trace.repeats_of);
    if (trace.needs_history) text += ", and only after what ran before (included below)";
    return text;
  }

  void program(const Trace& trace, std::size_t diverging) {
    const LaneColumns lanes = lane_columns(trace);
    const std::string gap = lanes.head.empty() ? "" : "  ";
    if (!lanes.head.empty()) text_ += fmt::format("  lanes   {}  (* acts, z sleeps, ^ returns)\n", lanes.head);
    for (std::size_t i = 0; i < trace.steps.size(); ++i) {
      const char* const mark = i == diverging ? "->" : "  ";
      const LaneRow& row = lanes.rows[i];
      std::string text = operation_text(trace.steps[i].operation);
      if (row.asleep) text += " sleeps";
      std::string lines = wrapped(fmt::format("  {}{:>4}  {}{}", mark, i, row.columns, gap), text);
      lines.pop_back();
      text_ += (i == diverging ? red(lines) : lines) + "\n";
      for (const LaneRow::Return& returned : row.returns) {
        text_ += wrapped(fmt::format("{:>10}{}{}", "", returned.columns, gap), returned.text);
      }
    }
    if (diverging >= trace.steps.size()) text_ += red("  ->      at the end of the program") + "\n";
  }

  void conclusion(const RunSummary& summary) {
    const std::string verdict = summary.divergences == 0 ? "no divergence"
                                                         : fmt::format("{} {}", with_separators(summary.divergences),
                                                                       plural(summary.divergences, "divergence"));
    text_ += "\n" + coloured(summary.divergences == 0 ? "1;32" : "1;31", verdict) + "\n";
  }

  const TerminalOptions& options_;
  std::string text_;
};

}  // namespace

std::string plural(std::uint64_t count, const std::string& noun) { return count == 1 ? noun : noun + "s"; }

std::string with_separators(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string terminal_report(const RunSummary& summary, const std::vector<Finding>& findings,
                            const TerminalOptions& options) {
  return Terminal(options).report(summary, findings);
}

}  // namespace aio
