// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/merging.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/reporting.h"
#include "reports/merge.h"
#include "reports/trace_reader.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

// "divergence-7-io_setup.ring_magic.json" as the divergence of that number.
std::string numbered(const std::string& name, std::size_t number) {
  const std::size_t begin = name.find('-') + 1;
  return fmt::format("{}{}{}", name.substr(0, begin), number, name.substr(name.find('-', begin)));
}

// Each shard has counted its divergences from 1.
void name_files(const ResultsDb& db, ResultsDb::Run run, const std::vector<std::uint64_t>& found_by, Whole& whole) {
  for (std::size_t i = 0; i < whole.report.divergences.size(); ++i) {
    SavedDivergence& each = whole.report.divergences[i];
    ReportFiles of_shard = done(db.shard(run, found_by[i]));
    for (std::string* const name : {&each.trace, &each.reproducer}) {
      const std::string old = std::exchange(*name, numbered(*name, i + 1));
      whole.files[*name] = std::move(of_shard.files[old]);
    }
  }
}

}  // namespace

Whole whole_of(const ResultsDb& db, ResultsDb::Run run,
               const std::function<void(std::uint64_t number, SavedReport& report)>& adjust) {
  Merge merge;
  for (const std::uint64_t number : done(db.shards(run))) {
    const std::string where = fmt::format("shard {}", number);
    SavedReport report = checked(Exit::kIncomplete, read_report(done(db.shard(run, number)).report, where));
    if (adjust) adjust(number, report);
    merge.add(std::move(report));
  }
  Whole whole{merge.take(), {}};
  name_files(db, run, merge.found_by(), whole);
  return whole;
}

void write_whole(const Whole& whole, const std::string& directory, ReportDirectory::Database database) {
  ReportDirectory report = checked(Exit::kIncomplete, ReportDirectory::open(directory, database));
  for (const auto& [name, content] : whole.files) checked(Exit::kIncomplete, report.add_file(name, content));
  checked(Exit::kIncomplete, report.finish(whole.report));
}

Merging::Merging() : db_(done(ResultsDb::open_or_make(":memory:"))), run_(done(db_.run_named(""))) {}

void Merging::take(const std::string& directory) {
  const auto has = [&](const char* name) {
    std::error_code ignored;
    return fs::exists(fs::path(directory) / name, ignored);
  };
  if (has(kResultsDb)) return take_database(directory);
  if (has("report.json")) {
    auto whole = load_report_files(directory);
    if (whole) {
      take_shard(std::move(whole->report), whole->files, directory);
    } else {
      problems_.push_back(fmt::format("{} is damaged: {}", directory, whole.error().text()));
    }
  } else if (has("results.jsonl")) {
    problems_.push_back(fmt::format("{} has no report.json: its run has not come to its end", directory));
  } else {
    throw wrong_usage(
        fmt::format("{} holds no report; right would be what `aio-cts run --report` or a merge has made", directory));
  }
}

void Merging::take_database(const std::string& directory) {
  const std::string path = (fs::path(directory) / kResultsDb).string();
  const ResultsDb from = checked(Exit::kUsage, ResultsDb::open(path));
  const std::vector<ResultsDb::Run> runs = done(from.runs());
  if (runs.size() != 1) throw wrong_usage(fmt::format("{} has {} runs: right would be one", path, runs.size()));
  for (const std::uint64_t number : done(from.shards(runs.front()))) {
    const std::string where = fmt::format("{} (shard {})", path, number);
    const ReportFiles files = done(from.shard(runs.front(), number));
    take_shard(checked(Exit::kUsage, read_report(files.report, where)), files, where);
  }
}

void Merging::take_shard(SavedReport report, const ReportFiles& files, const std::string& where) {
  const std::vector<std::uint64_t>& numbers = report.summary.shard_numbers;
  if (numbers.size() != 1) {
    throw wrong_usage(
        fmt::format("{} has {} shards merged, and not the {} that goes with it", where, numbers.size(), kResultsDb));
  }
  if (first_) {
    const std::string why = foreign(*first_, report.summary);
    if (!why.empty()) throw wrong_usage(fmt::format("{} is of another run than {}: {}", where, first_where_, why));
  }
  const std::uint64_t number = numbers.front();
  switch (done(db_.add_shard(run_, number, report, files))) {
    case ResultsDb::Added::kNew:
      break;
    case ResultsDb::Added::kSame:
      return;
    case ResultsDb::Added::kOther:
      throw wrong_usage(fmt::format("{} and {} are both shard {}, with different results: give one of them",
                                    where_[number], where, number));
  }
  where_[number] = where;
  if (!first_) {
    first_ = report.summary;
    first_where_ = where;
  }
  merge_.add(std::move(report));
}

Whole Merging::whole() {
  if (!first_) throw Failure(Exit::kIncomplete, "there is no shard to merge");
  Whole whole{merge_.take(), {}};
  name_files(db_, run_, merge_.found_by(), whole);
  std::vector<std::string>& incomplete = whole.report.summary.incomplete;
  incomplete.insert(incomplete.end(), problems_.begin(), problems_.end());
  return whole;
}

void Merging::write(const std::string& directory, const Whole& whole) {
  done(db_.set_whole(run_, whole.report));
  checked(Exit::kUsage, ReportDirectory::prepare(directory));
  // It takes the place of an earlier one at once, which may be the only place of some shards.
  const fs::path fresh = fs::path(directory) / kNewResultsDb;
  std::error_code error;
  fs::remove(fresh, error);
  done(db_.save_as(fresh.string()));
  fs::rename(fresh, fs::path(directory) / kResultsDb);
  write_whole(whole, directory, ReportDirectory::Database::kKeep);
}

}  // namespace aio::cli
