// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a run found, as data, and its JSON. report-schema.md describes the members.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reference/requirement.h"
#include "reports/suites_report.h"
#include "reports/trace.h"

namespace aio {

// Version 2 added what a gate must know: by which build and when, on what machine, and why the run says less than it
// was to say. Version 3 added what a merge must know, which part of which run it is, and what was reached of the model.
inline constexpr int kReportVersion = 3;

// A requirement that this run could not look at, though the profile has it.
struct ExcludedRequirement {
  Req requirement{};
  std::string why;
};

// A divergence that never showed again.
struct FlakyDivergence {
  std::string requirement;  // id
  std::string kind;
  std::string how;  // "program 12: at operation 3, expected 3, seen 4"
};

struct RunSummary {
  std::string tool;                        // the build of aio-cts that made it
  std::string started;                     // RFC 3339, in UTC
  std::string kernel;                      // release of the kernel under test, as uname(2) says it
  std::string implementation = "Linux";    // whose it is; of another one the release says nothing
  std::string profile;                     // name of the profile that judged
  std::vector<std::string> profile_notes;  // what its name doesn't say
  std::string kernel_build;                // its version, as uname(2) says it: two builds of a release are two kernels
  std::uint64_t seed = 0;
  std::string request;  // the options that say what is run: "--cases 1500 --suite none"
  // Of how many shards, and which of them are in this report, in order; by themselves a whole.
  std::uint64_t shards = 1;
  std::vector<std::uint64_t> shard_numbers{0};
  std::uint64_t programs = 0;
  std::uint64_t program_hash = 0;  // of all programs in their order: equal for equal seeds
  std::uint64_t operations = 0;
  // How the operations were judged; together with the undecided ones these are all of them.
  std::uint64_t judged_exactly = 0;
  std::uint64_t judged_by_set = 0;
  std::uint64_t widened = 0;
  std::map<std::string, std::uint64_t> undecided;  // by reason
  std::map<std::string, std::uint64_t> left_out;   // operations not made, by why they would go on for ever, or untold
  std::map<std::string, std::uint64_t> refusals;   // programs not run, by the danger they hold
  std::uint64_t divergences = 0;                   // distinct signatures, and requirements that a test saw broken
  RequirementSet requirements_applicable;
  RequirementSet requirements_exercised;
  std::vector<ExcludedRequirement> excluded;
  SuitesSummary suites;
  std::string file_system;  // that held the programs' files
  std::uint32_t usable_cpus = 0;
  std::uint32_t possible_cpus = 0;
  std::vector<std::string> incomplete;  // why the run says less than it was to say, each a line
  std::vector<FlakyDivergence> flaky;
  std::uint64_t abstract_states = 0;  // that contexts were in
  std::uint64_t features = 0;         // those and all else that programs reached of the model
  std::uint64_t kernel_places = 0;    // in the kernel's code; 0 where it does not tell, or nobody asks
  std::string corpus;                 // hash of the programs that it began with; empty: it was not guided by any
  std::uint64_t corpus_programs = 0;  // their number
  std::uint64_t corpus_added = 0;     // programs that reached something new
  double seconds = 0;
  std::string lie;     // normally empty: the lie that the entry told
  std::string mutant;  // normally empty: the rule that was deliberately wrong
};

// Those that are missing of a merged report's shards, in order.
std::vector<std::uint64_t> missing_shards(const RunSummary& summary);

// How the run was falsified on purpose, a line each; normally none.
std::vector<std::string> falsifications(const RunSummary& summary);

// "io_submit.counts (count) showed once and never again: program 12: ..."
std::string flaky_text(const FlakyDivergence& flaky);

struct Finding {
  Trace trace;       // minimized, with its divergence
  std::string stem;  // "1-io_setup.nr_zero_is_einval": what its files are named after; empty: it has none
};

std::string trace_file_name(const Finding& finding);
std::string reproducer_file_name(const Finding& finding);

// Of undecided operations, whatever the reason.
std::uint64_t undecided_operations(const RunSummary& summary);

// The summary as one object on one line, without an end of line.
std::string json_summary(const RunSummary& summary);
// One line for results.jsonl.
std::string json_finding(const Finding& finding);
// The whole of report.json.
std::string json_report(const RunSummary& summary, const std::vector<Finding>& findings);

}  // namespace aio
