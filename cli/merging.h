// SPDX-License-Identifier: GPL-2.0-or-later
//
// Shards of one run come together, wherever their reports lie.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reports/results_db.h"

namespace aio::cli {

// Throws Failure (kIncomplete) where a results.db cannot be read or written.
class Merging {
 public:
  Merging();

  // A shard's report directory, or what an earlier merge has written. A directory that is none, and a shard of another
  // run, or one that differs from what was taken as the same shard: Failure (kUsage). A shard that did not end, or
  // whose report is damaged, is told by problems().
  void take(const std::string& directory);
  const std::vector<std::string>& problems() const { return problems_; }

  // All shards as one report, with the files that it names. Throws Failure (kIncomplete) where there are none.
  SavedReport whole(std::map<std::string, std::string>& files);
  // A report directory, with results.db, from which it can be merged with more shards. It may be one that was taken.
  void write(const std::string& directory, const SavedReport& whole, const std::map<std::string, std::string>& files);

 private:
  void take_database(const std::string& directory);
  void take_shard(const ReportFiles& files, const std::string& where);
  void name_files(SavedReport& whole, const std::vector<std::uint64_t>& found_by,
                  std::map<std::string, std::string>& files) const;

  ResultsDb db_;
  ResultsDb::Run run_;
  std::optional<SavedReport> first_;
  std::string first_where_;
  std::map<std::uint64_t, std::string> where_;  // by shard
  std::vector<std::string> problems_;
};

}  // namespace aio::cli
