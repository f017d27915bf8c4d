// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reports against each other: two, or a history of more. Findings are the same where their fingerprints are.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/saved_report.h"
#include "reports/standing.h"

namespace aio {

struct StandingChange {
  std::string requirement;
  Standing before = Standing::kNotRun;
  Standing after = Standing::kNotRun;
};

struct Comparison {
  std::vector<StandingChange> changed;         // requirements, by id; where one is in one report alone it is not there
  std::vector<std::string> lost;               // looked at before and not now: "io_submit.counts (native)"
  std::vector<std::string> added, removed;     // requirements that the other report does not know
  std::vector<std::string> fresh, gone, same;  // fingerprints, sorted
  double speed = 0;                            // operations a second of the new one over those of the old; 0: unknown
  std::int64_t exercised = 0;                  // requirements of the new one minus those of the old

  bool differs() const {
    return !changed.empty() || !added.empty() || !removed.empty() || !fresh.empty() || !gone.empty();
  }
};

Comparison compare(const SavedReport& before, const SavedReport& after);

// At most 80 columns; of more than two reports, each against the one before it.
std::string comparison_text(std::span<const SavedReport> reports);
std::string comparison_json(std::span<const SavedReport> reports);
// A page with a picture: a row a requirement that changed and a finding, a column a report.
std::string comparison_html(std::span<const SavedReport> reports);

// "6.1.0, 2 CPUs, profile 6.1, seed 11, 3,000 operations, 2026-01-02": what a report is called beside others.
std::string name_of(const SavedReport& report);

}  // namespace aio
