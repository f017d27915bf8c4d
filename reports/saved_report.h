// SPDX-License-Identifier: GPL-2.0-or-later
//
// A report.json as read back, of whatever version: what all formats for others are written from, and what reports are
// compared by. Requirements are ids here, since an older or newer catalogue may name others.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reports/report.h"
#include "reports/step_views.h"
#include "reports/trace_reader.h"

namespace aio {

struct SavedDivergence {
  std::string requirement, sentence, source;
  std::string kind;           // "errno"
  std::size_t operation = 0;  // that differed; the number of operations where it showed only at the end
  std::string expected, seen;
  std::string kernel;
  std::uint64_t repeats_shown = 0;
  std::uint64_t repeats_of = 0;
  bool needs_history = false;
  std::string lie, mutant;
  std::vector<StepView> steps;       // since version 2
  std::vector<std::string> program;  // a line for each operation
  std::string trace, reproducer;     // names of its files, beside report.json
  std::string fingerprint;           // equal for the same finding in other runs: see fingerprint_of()
  std::string waiver;                // why it is excused, if it is
  std::uint64_t shards = 1;          // that found it
  bool always() const { return repeats_shown == repeats_of; }
};

struct SavedReport {
  std::filesystem::path directory;  // that has report.json and the files it names
  int version = kReportVersion;
  RunSummary summary;  // without its sets of requirements, which stand here by id
  std::uint64_t applicable = 0;
  std::vector<std::string> exercised, not_exercised;
  struct Excluded {
    std::string requirement, why;
  };
  std::vector<Excluded> excluded;
  std::vector<SavedDivergence> divergences;
};

// Requirement, kind and the calls of the minimized program: "io_submit.counts/count/1f0c". Neither addresses nor text,
// so the same divergence has the same one on another kernel or in another run, if that was minimized as far. Of one
// without a program the words that were seen.
std::string fingerprint_of(const SavedDivergence& divergence);

// The whole of report.json; the summary and a divergence as one object on one line, without an end of line.
std::string json_report(const SavedReport& report);
std::string json_summary(const SavedReport& report);
std::string json_divergence(const SavedDivergence& divergence);

// `file` is for messages. Text of strangers: what is not a report of a known version is an error that names the line.
tl::expected<SavedReport, ReadError> read_report(std::string_view text, const std::string& file);
// Of a report directory, or of the report.json in one; `text`, if it is given, gets that as it is.
tl::expected<SavedReport, ReadError> load_report(const std::string& path, std::string* text = nullptr);

}  // namespace aio
