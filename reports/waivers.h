// SPDX-License-Identifier: GPL-2.0-or-later
//
// Waivers: divergences that are known and excused, as a file for people (waivers.toml):
//
//     [[waiver]]
//     fingerprint = "io_submit.counts/count/1f0c"     # one finding; or requirement = "io_cancel.*"
//     kernels = ["6.1.*"]                              # optional: releases
//     profiles = ["6.1"]                               # optional
//     reason = "fixed in 6.6, not back-ported"
//     link = "https://example.org/bug/1"
//     review_by = 2027-03-01                           # optional
//
// `*` and `?` stand for any text and any letter. What is waived is shown as that, never as passed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reports/saved_report.h"

namespace aio {

struct Waiver {
  std::string fingerprint;                     // a pattern; one of these two is empty
  std::string requirement;                     // a pattern
  std::vector<std::string> kernels, profiles;  // patterns; empty: all
  std::string reason, link;
  std::string review_by;  // "2027-03-01", or empty
  unsigned line = 0;

  bool expired(const std::string& today) const { return !review_by.empty() && review_by < today; }
};

struct WaiverList {
  std::string file;
  std::vector<Waiver> waivers;
};

// Errors name file and line, and what would be right.
tl::expected<WaiverList, ReadError> read_waivers(std::string_view text, const std::string& file);
tl::expected<WaiverList, ReadError> load_waivers(const std::string& path);

// How often each waiver excused something, none where it is about another kernel or profile. One that has expired
// excuses nothing.
using WaiverUses = std::vector<std::optional<unsigned>>;
WaiverUses apply_waivers(const WaiverList& list, const std::string& today, SavedReport& report);

// Those that have expired or excused nothing, a line each that names file and line.
std::vector<std::string> stale_waivers(const WaiverList& list, const WaiverUses& uses, const std::string& today);

// Of a test's failure, as a divergence has one: "io_setup.nr_zero_is_einval/test/io_setup.nr_zero/native".
std::string fingerprint_of(const SuiteRun& run, const SuiteRun::Failure& failure);
// The unwaived findings of a report by their fingerprints, sorted, each once.
std::vector<std::string> open_findings(const SavedReport& report);
std::vector<std::string> all_findings(const SavedReport& report);

// The text of waivers for everything in the report that is not excused yet; reason and link are to be filled in.
std::string waivers_for(const SavedReport& report);
// The same from the lists of others, one name a line, `#` begins a comment: filters of gtest (of which those that it
// leaves out), or the kernel's fails, flakes and skips. `what` names the list, for the reason.
std::string waivers_from_list(std::string_view text, const std::string& what);

// Whether the text is what the pattern says.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace aio
