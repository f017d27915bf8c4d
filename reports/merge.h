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

// Why `other` is not of the run that `summary` is of: "its seed is '8' instead of '7'"; empty: it is.
std::string foreign(const RunSummary& summary, const RunSummary& other);

// "3", "0-2, 7": numbers in order, for people.
std::string ranges_text(const std::vector<std::uint64_t>& numbers);

class Merge {
 public:
  // Each of another shard of one run, in any order.
  void add(SavedReport shard);
  // Sums what was counted and what was needed of time. A test that several made ended as gravely as in any of them; of
  // divergences of one requirement and kind the shortest program is kept, and its files are those of the shard
  // `found_by`. What is missing is said in `incomplete`. To be called once, after an add().
  SavedReport take();
  // Number of the shard, by index of the divergence.
  const std::vector<std::uint64_t>& found_by() const { return found_by_; }

 private:
  // What cannot be summed in any order.
  struct Said {
    std::vector<std::string> notes, incomplete;
    std::vector<FlakyDivergence> flaky;
    double seconds = 0;
    double seconds_of_suites = 0;
  };
  template <class T>
  struct From {
    std::uint64_t shard = 0;
    T what;
  };
  struct Row {
    MatrixRow sum;
    std::map<std::uint64_t, std::string> why_not;  // by shard
    std::set<std::string> not_run;
  };
  void add_counts(const RunSummary& shard);
  void add_requirements(const SavedReport& shard, std::uint64_t number);
  void add_tests(const SuitesSummary& shard, std::uint64_t number);
  void add_matrix(const std::vector<MatrixRow>& rows, std::uint64_t number);
  void add_divergences(std::vector<SavedDivergence> divergences, std::uint64_t number);
  void tell_what_was_said(RunSummary& summary);
  void tell_requirements(SavedReport& merged) const;
  void tell_matrix(SuitesSummary& suites);

  std::optional<SavedReport> merged_;
  std::map<std::uint64_t, Said> said_;  // by shard
  std::set<std::string> file_systems_, applicable_, exercised_;
  std::map<std::string, From<std::string>> excluded_;  // why, by id
  std::map<std::pair<std::string, std::string>, From<SuiteRun>> tests_;
  std::vector<Row> matrix_;
  std::map<std::string, std::size_t> rows_;  // index, by requirement
  std::map<std::pair<std::string, std::string>, From<SavedDivergence>> divergences_;
  std::vector<std::uint64_t> found_by_;
};

}  // namespace aio
