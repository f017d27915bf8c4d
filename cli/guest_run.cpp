// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/guest_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "cli/formats.h"
#include "cli/kernel_death.h"
#include "cli/option_value.h"
#include "cli/progress.h"
#include "cli/reporting.h"
#include "cli/run.h"
#include "cli/run_summary.h"
#include "cli/target.h"
#include "cli/version.h"
#include "fixtures/interruption.h"
#include "fixtures/seconds_since.h"
#include "reports/terminal.h"
#include "reports/trace_reader.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kExcerptLines = 25;

class GuestRun {
 public:
  GuestRun(const Guests& guests, const GuestRunOptions& options)
      : guests_(guests), options_(options), lie_(option_value(options.words, "--lie").value_or("")) {
    // The guest writes to the same place of its own, so that what it says of files is true here.
    if (!options.report.empty()) report_ = fs::absolute(options.report).lexically_normal();
    orders_.commands.push_back(options.words);
    orders_.collect = options.collect;
    if (!report_.empty()) {
      checked(Exit::kUsage, ReportDirectory::open(report_));
      orders_.report = report_;
      orders_.commands[0].insert(orders_.commands[0].end(), {"--report", report_});
    }
  }

  GuestVerdict perform() {
    const Clock::time_point start = Clock::now();
    const VmOutcome outcome = boot();
    GuestVerdict verdict;
    verdict.kernel = outcome.kernel;
    verdict.boot_seconds = outcome.boot_seconds;
    write(kConsoleFile, outcome.console.text());
    verdict.exit = judge(outcome);
    verdict.seconds = seconds_since(start);
    fmt::print("boot {:.1f} s, all {:.1f} s\n", verdict.boot_seconds, verdict.seconds);
    return verdict;
  }

 private:
  VmOutcome boot() {
    ProgressLine line;
    VmListener listener;
    listener.frame = [&](const Frame& frame) { take(frame); };
    listener.tick = [&](const Journal* journal) {
      if (journal == nullptr) return line.show("booting");
      const auto& text = journal->progress;
      line.show(std::string(text.data(), ::strnlen(text.data(), text.size())));
    };
    return guests_.run(orders_, journal_, listener);
  }

  void take(const Frame& frame) {
    if (frame.kind == guest_says::kHello) fmt::print("Linux {} is up\n", frame.name);
    if (frame.kind == guest_says::kNote) fmt::print("{}", frame.bytes);
    if (frame.kind == guest_says::kOutput) fmt::print("{}", frame.bytes);
    // Progress comes by the journal.
    if (frame.kind == guest_says::kError) errors_ += frame.bytes;
    if (frame.kind == guest_says::kFile) write(frame.name, frame.bytes);
    std::fflush(stdout);
  }

  void write(const std::string& name, const std::string& content) const {
    if (report_.empty() || fs::path(name).filename() != name) return;
    std::ofstream(fs::path(report_) / name, std::ios::binary) << content;
  }

  Exit judge(const VmOutcome& outcome) {
    if (outcome.end == VmEnd::kFinished) {
      const std::string how = outcome.exits.empty() ? "it never ended" : outcome.exits.front();
      if (how.size() == 1 && how >= "0" && how <= "4") {
        if (how >= "2") fmt::print(stderr, "{}", errors_);
        return static_cast<Exit>(how[0] - '0');
      }
      throw Failure(Exit::kIncomplete, fmt::format("the run in the guest ended by {}\n{}", how, errors_));
    }
    if (kernel_died(outcome)) return judge_death(outcome);
    throw Failure(Exit::kIncomplete, why_incomplete(outcome));
  }

  static std::string why_incomplete(const VmOutcome& outcome) {
    const std::string said = outcome.console.excerpt(kExcerptLines);
    switch (outcome.end) {
      case VmEnd::kNoHello:
        return fmt::format(
            "the guest did not come up. The kernel needs an initramfs (CONFIG_BLK_DEV_INITRD), devtmpfs and serial "
            "ports (CONFIG_SERIAL_8250_CONSOLE, or CONFIG_SSL of User-mode Linux). {}\n{}{}",
            said.empty() ? "Its console said nothing" : "The end of its console:", said, outcome.runner_said);
      case VmEnd::kEmulator:
        return "QEMU stopped the kernel by a breakpoint that was no longer in its memory, a fault of the emulator: "
               "run it again, or with KVM\n" +
               said;
      case VmEnd::kOutOfTime:
        return "the time for the guest was up (--timeout)\n" + said;
      case VmEnd::kInterrupted:
        return "interrupted";
      default:
        return "the guest did not come to its end\n" + outcome.runner_said;
    }
  }

  Exit judge_death(const VmOutcome& outcome) {
    const std::string message = death_message(outcome);
    fmt::print("\nthe kernel died: {}\n\n{}\n", message, outcome.console.excerpt(kExcerptLines));
    const GoingOn at = going_on(journal_.view());
    for (const std::string& test : at.tests) fmt::print("it was at test {}\n", test);
    if (is_known()) {
      fmt::print("that it dies is known (--known): what did it is not looked for\n");
      return report(outcome, message, std::nullopt);
    }
    fmt::print("it was at {} {}; booting again to find which did it\n", at.programs.size(),
               plural(at.programs.size(), "program"));
    std::fflush(stdout);
    const auto killer = search(at);
    if (!killer) {
      fmt::print("none of them did it again\n");
      const bool stall = outcome.end == VmEnd::kSilent ||
                         (outcome.console.complaint() && outcome.console.complaint()->complaint == Complaint::kStall);
      // A host that is too busy stalls a guest too.
      if (stall) return Exit::kIncomplete;
    }
    return report(outcome, message, trace_of(outcome, message, killer));
  }

  bool is_known() const {
    const Signature death = kernel_divergence(0, "", "").signature;
    const std::string name = fmt::format("{}/{}", requirement(death.requirement).id, kind_name(death.kind));
    std::istringstream known(option_value(options_.words, "--known").value_or(""));
    for (std::string each; std::getline(known, each, ',');) {
      if (each == name) return true;
    }
    return false;
  }

  std::optional<KernelDeath> search(const GoingOn& at) const {
    ProgressLine line;
    const std::function<void(const std::string&)> tick = [&](const std::string& text) { line.show(text); };
    return find_killer(guests_, at.programs, lie_, milliseconds_of(options_.minimize_time_s), tick);
  }

  Trace trace_of(const VmOutcome& outcome, const std::string& message, const std::optional<KernelDeath>& killer) const {
    Trace trace = bare_trace(killer ? killer->program : Program{});
    trace.kernel = outcome.kernel;
    trace.release = outcome.release;
    trace.profile = profile_for(trace.release).name;
    trace.machine.guest = true;
    trace.lie = lie_;
    trace.repeats_shown = killer ? killer->shown : 0;
    trace.repeats_of = killer ? killer->of : 0;
    trace.divergence = kernel_divergence(killer ? killer->operation : 0, "the kernel goes on without complaint",
                                         killer ? killer->message : message);
    return trace;
  }

  // With what the guest had found before its kernel died, and with that death where it is a finding.
  Exit report(const VmOutcome& outcome, const std::string& message, const std::optional<Trace>& death) const {
    RunSummary summary = announced(options_.words);
    summary.tool = tool_name();
    summary.started = started_;
    summary.incomplete = {"the kernel under test stopped, and with it the run: " + message};
    if (stop_requested()) summary.incomplete.emplace_back(kInterrupted);
    summary.kernel = outcome.kernel;
    summary.kernel_build = outcome.build;
    summary.implementation = Implementation().name;
    const std::string chosen = option_value(options_.words, "--profile").value_or("auto");
    summary.profile = chosen == "auto" ? profile_for(outcome.release).name : chosen;
    summary.requirements_applicable.set(static_cast<std::size_t>(Req::kKernelSurvives));
    summary.requirements_exercised.set(static_cast<std::size_t>(Req::kKernelSurvives));
    std::vector<Trace> traces = found_before();
    if (death) traces.push_back(*death);
    std::vector<Finding> findings;
    if (report_.empty()) {
      for (Trace& each : traces) findings.push_back({std::move(each), ""});
      summary.divergences = findings.size();
    } else {
      write_report(std::move(traces), summary, findings);
    }
    print_report(stdout, summary, findings, report_);
    for (const std::string& line : summary.incomplete) fmt::print("incomplete: {}\n", line);
    write(kConsoleFile, outcome.console.text());
    return summary.divergences > 0 ? Exit::kDivergences : Exit::kIncomplete;
  }

  std::vector<Trace> found_before() const {
    std::vector<Trace> traces;
    if (report_.empty()) return traces;
    for (const fs::directory_entry& each : fs::directory_iterator(report_)) {
      const std::string name = each.path().filename();
      if (!name.starts_with("divergence-") || !name.ends_with(".json")) continue;
      if (auto found = load_trace(each.path())) traces.push_back(std::move(*found));
    }
    return traces;
  }

  void write_report(std::vector<Trace> traces, RunSummary& summary, std::vector<Finding>& findings) const {
    auto directory = checked(Exit::kIncomplete, ReportDirectory::open(report_));
    for (Trace& each : traces) {
      findings.push_back(checked(Exit::kIncomplete, directory.add_divergence(std::move(each))));
    }
    summary.divergences = findings.size();
    checked(Exit::kIncomplete, directory.finish(summary));
  }

  const Guests& guests_;
  const GuestRunOptions& options_;
  const std::string lie_;
  std::string report_;
  GuestOrders orders_;
  const HostJournal journal_;
  std::string errors_;
  const std::string started_ = now();
};

}  // namespace

GuestVerdict run_in_guest(const Guests& guests, const GuestRunOptions& options) {
  return GuestRun(guests, options).perform();
}

}  // namespace aio::cli
