// SPDX-License-Identifier: GPL-2.0-or-later
//
// A campaign: the bounded-exhaustive set and random programs, run by a pool of workers until the time or the number of
// programs is reached; divergences are run again alone, and those that repeat are minimized.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "properties/batch.h"
#include "properties/generator.h"
#include "properties/minimizer.h"

namespace aio {

class Guide;

struct CampaignOptions {
  std::uint64_t seed = 0;
  std::uint64_t first = 0;             // index of the first program
  std::optional<std::uint64_t> cases;  // programs of all shards; none: until `time` has passed
  std::uint64_t shard = 0;             // of `shards`, which together run all programs, each once
  std::uint64_t shards = 1;
  std::chrono::milliseconds time{45000};
  unsigned jobs = 1;                                 // CPUs to keep busy
  std::size_t max_findings = 10;                     // distinct signatures after which the run ends
  std::chrono::milliseconds minimize_budget{20000};  // for each finding
  ProgramKind kind = ProgramKind::kMixed;            // of the programs
  // A confirmed divergence is taken over by the model (Setting::quirks), and the run looks for what lies behind it.
  bool adopt = false;
  Guide* guide = nullptr;  // chooses the programs; must outlive the campaign, and have its seed and kind
  // How a journal tells the programs that a guide has chosen (Setting::journaled_text).
  std::function<std::string(const Program&)> journaled_text;
  std::set<Signature> known;   // divergences that are not confirmed, nor minimized, again
  std::optional<Req> stop_at;  // look only for divergences of this requirement, and end with the first
};

// A divergence that was seen again, and minimized.
struct Found {
  Signature signature;
  Program program;               // minimized
  std::uint64_t found_at = 0;    // index of the program that showed it, of several the shortest
  std::size_t found_length = 0;  // and its number of operations
  unsigned shown = 0;            // of `of` runs of the minimized program
  unsigned of = 0;
  bool needs_history = false;    // it repeats only after the programs that its worker had run before
  bool out_of_budget = false;    // smaller programs may exist
  std::optional<Quirks> quirks;  // that the model had taken over when it showed
};

// A divergence that never showed again, alone or with its history.
struct Unrepeated {
  Signature signature;
  std::uint64_t index = 0;
  std::string how;  // "at operation 3, expected 3, seen 4"
};

struct CampaignResult {
  Tally tally;
  CoverageMap reached;  // by programs that were judged to their end
  std::uint64_t program_hash = 0;
  RequirementCounts exercised{};
  std::map<std::string, std::uint64_t> undecided;  // operations, by reason
  std::map<std::string, std::uint64_t> left_out;   // operations that were not made, by reason
  std::map<std::string, std::uint64_t> refused;    // programs, by the danger that they hold
  std::vector<Found> findings;
  std::vector<Unrepeated> unrepeated;
  std::size_t not_tried = 0;  // signatures that were seen once, beyond max_findings
  double seconds = 0;         // of the programs alone
  bool interrupted = false;
  std::vector<std::string> failures;  // workers that ended by an error of the tool
};

// Where a campaign is, for a progress line.
struct CampaignProgress {
  Tally tally;
  std::size_t findings = 0;
  std::size_t suspects = 0;  // signatures that were seen and not yet confirmed
  double seconds = 0;
  const char* doing = "";  // "running", "repeating", "minimizing"
};

// Program number `index` of the run with this seed: in turn one of the exhaustive set, until that is through, and a
// random one; of another kind than kMixed random ones only.
Program campaign_program(std::uint64_t seed, std::uint64_t index, ProgramKind kind = ProgramKind::kMixed);

// The program that a journal names (journal.h): "programs mixed 42" is program `current` of seed 42, "programs mixed 42
// 17" program 17 or a smaller form of it. None where it names no program.
std::optional<Program> journaled_program(const std::string& what, std::uint64_t current);

// The same where the model takes over what diverges (CampaignOptions::adopt): most are short, as one that meets what
// was taken over may not be judged further; one in eight is a scene (scenes.h).
Program survey_program(std::uint64_t seed, std::uint64_t index);

// What a campaign tells while it goes on; each may be empty.
struct CampaignListener {
  std::function<void(const CampaignProgress&)> progress;
  std::function<void(const Found&)> found;
};

CampaignResult run_campaign(const Setting& setting, const CampaignOptions& options, const CampaignListener& listener);

}  // namespace aio
