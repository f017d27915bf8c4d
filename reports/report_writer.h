// SPDX-License-Identifier: GPL-2.0-or-later
//
// The report directory: report.json and the formats of others at the end, results.jsonl line by line while the run goes
// on (so a death loses one line at most), and for each divergence its trace and its reproducer. The only part of this
// room that writes files.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reports/report.h"
#include "reports/saved_report.h"

namespace aio {

// What a guest's kernel said, beside the report.
inline constexpr const char* kConsoleFile = "console.txt";

class ReportDirectory {
 public:
  // An error is one sentence: what was tried, on what, and what came of it.
  template <class T>
  using Result = tl::expected<T, std::string>;

  // Makes the directory, or finds it empty or with an earlier report. Anything else is refused.
  static Result<void> prepare(const std::string& path);
  // The same, and removes the earlier report's files; a results.db only if it is not the one of this report.
  enum class Database : std::uint8_t { kRemove, kKeep };
  static Result<ReportDirectory> open(const std::string& path, Database database = Database::kRemove);

  // Appends a line to results.jsonl and flushes it.
  Result<void> add_line(std::string_view json);
  // Writes trace and reproducer, appends the finding to results.jsonl and gives it its stem.
  Result<Finding> add_divergence(Trace trace);
  // A file of a report that was made elsewhere, under the name that the report has for it.
  Result<void> add_file(const std::string& name, std::string_view content) { return write(name, content); }
  // Writes report.json with all findings added so far, through a temporary file, then all formats.
  Result<void> finish(const RunSummary& summary);
  // The same, of a report whose files have been added.
  Result<void> finish(SavedReport report);
  // Writes into a directory that has a report.json that in every format that has a file (formats.h), and of another
  // implementation than Linux's work-list.md for people who implement the ABI.
  static Result<void> write_formats(const SavedReport& report);

  const std::vector<Finding>& findings() const { return findings_; }

 private:
  explicit ReportDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> write(const std::string& name, std::string_view text) const;

  std::filesystem::path path_;
  std::ofstream results_;
  std::vector<Finding> findings_;
};

}  // namespace aio
