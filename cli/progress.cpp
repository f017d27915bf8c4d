// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "fixtures/vm/journal.h"
#include "reports/terminal.h"

namespace aio::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTerminalPeriod{200};
constexpr std::chrono::milliseconds kLogPeriod{10'000};
constexpr std::size_t kColumns = 79;

}  // namespace

std::string progress_text(const CampaignProgress& progress) {
  std::string text =
      fmt::format("{} {:.0f} s: {} programs, {} operations, {} divergence{}", progress.doing, progress.seconds,
                  with_separators(progress.tally.programs), with_separators(progress.tally.operations),
                  progress.findings, progress.findings == 1 ? "" : "s");
  if (progress.suspects > 0) text += fmt::format(", {} to confirm", progress.suspects);
  if (text.size() > kColumns) text.resize(kColumns);
  return text;
}

ProgressLine::ProgressLine() : on_terminal_(::isatty(STDERR_FILENO) == 1), last_(Clock::now()) {}

ProgressLine::~ProgressLine() {
  if (on_terminal_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::show(const std::string& text) {
  if (journal() != nullptr) journal()->show_progress(text);
  if (Clock::now() - last_ < (on_terminal_ ? kTerminalPeriod : kLogPeriod)) return;
  last_ = Clock::now();
  if (on_terminal_) {
    fmt::print(stderr, "\r{}\033[K", text);
  } else {
    fmt::print(stderr, "{}\n", text);
  }
}

}  // namespace aio::cli
