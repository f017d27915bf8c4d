// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a run is, for whoever waits: on a terminal one line that is written over and over, elsewhere a line now and
// then. Always on stderr.
#pragma once

#include <chrono>
#include <string>

#include "properties/campaign.h"

namespace aio::cli {

// At most 79 columns, so that it never wraps.
std::string progress_text(const CampaignProgress& progress);

class ProgressLine {
 public:
  ProgressLine();
  // Clears the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const CampaignProgress& progress) { show(progress_text(progress)); }
  void show(const std::string& text);

 private:
  const bool on_terminal_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace aio::cli
