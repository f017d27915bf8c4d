// SPDX-License-Identifier: GPL-2.0-or-later
//
// results.db: runs with their shards, divergences and tests, as an SQLite database for history and queries.
// report-schema.md describes the tables. What a table of numbers does not say is in the shards' reports, which lie in
// it as well, compressed, with the files that they name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reports/saved_report.h"
#include "reports/sqlite.h"

namespace aio {

inline constexpr const char* kResultsDb = "results.db";
inline constexpr const char* kNewResultsDb = "results.db.new";  // until it is whole

// The text of a report.json, and the files beside it that it names, by name.
struct ReportFiles {
  std::string report;
  std::map<std::string, std::string> files;
};

// A report as it lies in its directory.
struct LoadedReport {
  SavedReport report;
  ReportFiles files;
};
// As load_report(); an error where a file is missing that it names.
tl::expected<LoadedReport, ReadError> load_report_files(const std::string& path);

class ResultsDb {
 public:
  // An error is one sentence that names the file.
  template <class T>
  using Result = tl::expected<T, std::string>;
  using Run = std::int64_t;  // a run's id

  // One that is there, for reading; what is no results.db of this version is an error.
  static Result<ResultsDb> open(const std::string& path);
  // For reading and writing; made where it is not there. ":memory:" is gone with this object.
  static Result<ResultsDb> open_or_make(const std::string& path);
  // Into a file that is not there.
  Result<void> save_as(const std::string& path);

  // Those that have come to their end, in the order in which they were started; and the names of the others.
  Result<std::vector<Run>> runs() const;
  Result<std::vector<std::string>> unfinished() const;
  // The run of that name; a new one without shards where there is none.
  Result<Run> run_named(const std::string& name);

  enum class Added : std::uint8_t { kNew, kSame, kOther };  // kOther: the shard is there with another report
  // Adds a shard's report, with all that tables say of it; by itself, or not at all.
  // `took` seconds, with all that was not programs, if somebody has counted.
  Result<Added> add_shard(Run run, std::uint64_t number, const SavedReport& report, const ReportFiles& files,
                          double took = 0);
  // Takes in what the run says as a whole, once its shards are there.
  Result<void> set_whole(Run run, const SavedReport& whole);
  Result<SavedReport> whole(Run run) const;

  // Numbers of its shards, in order.
  Result<std::vector<std::uint64_t>> shards(Run run) const;
  Result<ReportFiles> shard(Run run, std::uint64_t number) const;
  // How long all shards of all runs took.
  Result<double> took() const;
  // "io_submit.counts/count": what its shards have found, with a program that shows it.
  Result<std::vector<std::string>> found(Run run) const;

 private:
  ResultsDb(std::string path, Sqlite::Mode mode);
  template <class F>
  auto tried(const char* what, F&& f) const -> Result<decltype(f())>;

  std::string path_;
  mutable Sqlite db_;
};

}  // namespace aio
