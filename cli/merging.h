// SPDX-License-Identifier: GPL-2.0-or-later
//
// Shards of one run come together, wherever their reports lie.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/reporting.h"
#include "reports/merge.h"
#include "reports/results_db.h"

namespace aio::cli {

// What a database has answered, or Failure (kIncomplete).
template <class T>
T done(ResultsDb::Result<T> result) {
  return checked(Exit::kIncomplete, std::move(result));
}

// All shards of a run as one report, with the files that it names.
struct Whole {
  SavedReport report;
  std::map<std::string, std::string> files;
};

// Of a run that has shards. `adjust` may change what a shard's report says of itself. Throws Failure (kIncomplete)
// where the database cannot be read.
Whole whole_of(const ResultsDb& db, ResultsDb::Run run,
               const std::function<void(std::uint64_t number, SavedReport& report)>& adjust = {});
// As a report directory, with the results.db that is there if that is its own. Throws Failure (kIncomplete).
void write_whole(const Whole& whole, const std::string& directory, ReportDirectory::Database database);

// Throws Failure (kIncomplete) where a results.db cannot be read or written.
class Merging {
 public:
  Merging();

  // A shard's report directory, or what an earlier merge has written. A directory that is none, and a shard of another
  // run, or one that differs from what was taken as the same shard: Failure (kUsage). A shard that did not end, or
  // whose report is damaged, is told by problems().
  void take(const std::string& directory);
  const std::vector<std::string>& problems() const { return problems_; }

  // All that was taken. To be called once. Throws Failure (kIncomplete) where there are no shards.
  Whole whole();
  // A report directory, with results.db, from which it can be merged with more shards. It may be one that was taken.
  void write(const std::string& directory, const Whole& whole);

 private:
  void take_database(const std::string& directory);
  void take_shard(SavedReport report, const ReportFiles& files, const std::string& where);

  ResultsDb db_;
  ResultsDb::Run run_;
  Merge merge_;
  std::optional<RunSummary> first_;
  std::string first_where_;
  std::map<std::uint64_t, std::string> where_;  // by shard
  std::vector<std::string> problems_;
};

}  // namespace aio::cli
