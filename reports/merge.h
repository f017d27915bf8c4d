// SPDX-License-Identifier: GPL-2.0-or-later
//
// Merging: the reports of the shards of one run become one report. What it says depends on which shards there are, not
// on how they came together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reports/saved_report.h"

namespace aio {

// Why `other` is not of the run that `report` is of: "seed 8 instead of 7"; empty: it is.
std::string foreign(const SavedReport& report, const SavedReport& other);

// "3", "0-2, 7": numbers in order, for people.
std::string ranges_text(const std::vector<std::uint64_t>& numbers);

class Merge {
 public:
  // Each of another shard of one run, in the order of their numbers.
  void add(SavedReport shard);
  bool empty() const { return !merged_; }
  // Sums what was counted and what was needed of time. A test that several made ended as gravely as in any of them; of
  // divergences of one requirement and kind the shortest program is kept, and its files are those of the shard
  // `found_by`. What is missing is said in `incomplete`.
  SavedReport take();
  // Number of the shard, by index of the divergence.
  const std::vector<std::uint64_t>& found_by() const { return found_by_; }

 private:
  struct Kept {
    SavedDivergence divergence;
    std::uint64_t shard = 0;
  };
  void add_counts(const RunSummary& shard);
  void add_requirements(const SavedReport& shard);
  void add_tests(const SuitesSummary& shard);
  void add_matrix(const std::vector<MatrixRow>& rows);
  void add_divergences(std::vector<SavedDivergence> divergences, std::uint64_t shard);

  std::optional<SavedReport> merged_;
  std::set<std::string> file_systems_, applicable_, exercised_;
  std::map<std::string, std::string> excluded_;  // why, by id
  std::map<std::pair<std::string, std::string>, SuiteRun> tests_;
  std::vector<std::string> rows_;  // requirements in the matrix's order
  std::map<std::string, MatrixRow> matrix_;
  std::map<std::string, std::set<std::string>> not_run_;  // why, by requirement
  std::map<std::pair<std::string, std::string>, Kept> divergences_;
  std::vector<std::uint64_t> found_by_;
};

}  // namespace aio
