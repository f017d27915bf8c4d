// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/results_db.h"

#include <fmt/format.h>
#include <zstd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "reports/trace_reader.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr int kApplication = 0x61696f63;  // "aioc"
constexpr int kVersion = 1;
constexpr int kLevel = 3;  // of compression: beyond it time grows and little is won
constexpr std::size_t kMostUnpacked = std::size_t{1} << 28;

constexpr const char* kTables = R"(
CREATE TABLE run(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started TEXT, tool TEXT, kernel TEXT,
  kernel_build TEXT, implementation TEXT, profile TEXT, seed TEXT, request TEXT, shards INTEGER, programs INTEGER,
  program_hash TEXT, operations INTEGER, undecided INTEGER, divergences INTEGER, incomplete INTEGER, seconds REAL,
  report BLOB);
CREATE TABLE shard(run INTEGER NOT NULL REFERENCES run, number INTEGER NOT NULL, started TEXT, programs INTEGER,
  program_hash TEXT, operations INTEGER, undecided INTEGER, divergences INTEGER, incomplete INTEGER, seconds REAL,
  took REAL, report BLOB, PRIMARY KEY(run, number));
CREATE TABLE divergence(run INTEGER NOT NULL REFERENCES run, shard INTEGER NOT NULL, requirement TEXT, kind TEXT,
  fingerprint TEXT, operations INTEGER, shown INTEGER, of INTEGER, expected TEXT, seen TEXT);
CREATE TABLE test(run INTEGER NOT NULL REFERENCES run, shard INTEGER NOT NULL, test TEXT, entry TEXT, verdict TEXT,
  reason TEXT, seconds REAL);
CREATE TABLE file(run INTEGER NOT NULL REFERENCES run, shard INTEGER NOT NULL, name TEXT, content BLOB,
  PRIMARY KEY(run, shard, name));
CREATE INDEX divergence_by_fingerprint ON divergence(fingerprint);
)";

std::string packed(const std::string& text) {
  std::string bytes(::ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ::ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), kLevel);
  if (::ZSTD_isError(size) != 0) throw SqlError(::ZSTD_getErrorName(size));
  bytes.resize(size);
  return bytes;
}

std::string unpacked(const std::string& bytes) {
  const unsigned long long size = ::ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > kMostUnpacked) throw SqlError("what was compressed is damaged");
  std::string text(static_cast<std::size_t>(size), '\0');
  const std::size_t got = ::ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  if (::ZSTD_isError(got) != 0 || got != text.size()) throw SqlError("what was compressed is damaged");
  return text;
}

std::string hex(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

// The numbers that a run and a shard have in common, from `programs` to `seconds`.
void bind_numbers(Statement& statement, const RunSummary& summary) {
  statement.bind(summary.programs).bind(hex(summary.program_hash)).bind(summary.operations);
  statement.bind(undecided_operations(summary)).bind(summary.divergences).bind(summary.incomplete.size());
  statement.bind(summary.seconds);
}

void add_rows(const Sqlite& db, std::int64_t run, std::uint64_t number, const SavedReport& report) {
  for (const SavedDivergence& each : report.divergences) {
    Statement row(db, "INSERT INTO divergence VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row.bind(run).bind(number).bind(each.requirement).bind(each.kind).bind(each.fingerprint).bind(each.program.size());
    row.bind(each.repeats_shown).bind(each.repeats_of).bind(each.expected).bind(each.seen).run();
  }
  for (const SuiteRun& each : report.summary.suites.runs) {
    Statement row(db, "INSERT INTO test VALUES(?, ?, ?, ?, ?, ?, ?)");
    row.bind(run).bind(number).bind(each.test).bind(each.entry).bind(each.verdict).bind(each.reason);
    row.bind(each.seconds).run();
  }
}

void require_tables(Sqlite& db, bool may_make) {
  const auto pragma = [&](const char* name) {
    Statement statement(db, std::string("PRAGMA ") + name);
    return statement.step() ? statement.number(0) : 0;
  };
  const std::int64_t application = pragma("application_id");
  const std::int64_t version = pragma("user_version");
  if (application == kApplication && version == kVersion) return;
  if (application == kApplication) {
    throw SqlError(fmt::format("it is a results.db of version {}; known here: {}", version, kVersion));
  }
  Statement tables(db, "SELECT count(*) FROM sqlite_master");
  if (!may_make || !tables.step() || tables.number(0) != 0) throw SqlError("it is no results.db of ours");
  Transaction transaction(db);
  db.run(kTables);
  db.run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication, kVersion));
  transaction.commit();
}

ReadError cut_off(const fs::path& file) { return {file.string(), 0, "it ends in the middle"}; }

}  // namespace

tl::expected<LoadedReport, ReadError> load_report_files(const std::string& path) {
  LoadedReport all;
  auto report = load_report(path, &all.files.report);
  if (!report) return tl::unexpected(report.error());
  all.report = std::move(*report);
  for (const SavedDivergence& each : all.report.divergences) {
    for (const std::string& name : {each.trace, each.reproducer}) {
      const fs::path file = all.report.directory / name;
      auto content = read_bounded(file);
      if (!content) return tl::unexpected(content.error());
      if (name == each.trace) {
        if (!nlohmann::json::accept(*content)) return tl::unexpected(cut_off(file));
      } else if (!content->ends_with("}\n")) {
        return tl::unexpected(cut_off(file));
      }
      all.files.files[name] = std::move(*content);
    }
  }
  return all;
}

ResultsDb::ResultsDb(std::string path, Sqlite::Mode mode) : path_(std::move(path)), db_(path_, mode) {
  require_tables(db_, mode == Sqlite::Mode::kMake);
}

template <class F>
auto ResultsDb::tried(const char* what, F&& f) const -> Result<decltype(f())> {
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (const SqlError& error) {
    return tl::unexpected(fmt::format("cannot {} {}: {}", what, path_, error.what()));
  }
}

ResultsDb::Result<ResultsDb> ResultsDb::open(const std::string& path) {
  try {
    return ResultsDb(path, Sqlite::Mode::kRead);
  } catch (const SqlError& error) {
    return tl::unexpected(fmt::format("cannot read {}: {}", path, error.what()));
  }
}

ResultsDb::Result<ResultsDb> ResultsDb::open_or_make(const std::string& path) {
  try {
    return ResultsDb(path, Sqlite::Mode::kMake);
  } catch (const SqlError& error) {
    return tl::unexpected(fmt::format("cannot write {}: {}", path, error.what()));
  }
}

ResultsDb::Result<void> ResultsDb::save_as(const std::string& path) {
  return tried("save as", [&] { Statement(db_, "VACUUM INTO ?").bind(std::string_view(path)).run(); });
}

ResultsDb::Result<std::vector<ResultsDb::Run>> ResultsDb::runs() const {
  return tried("read", [&] {
    std::vector<Run> runs;
    Statement rows(db_, "SELECT id FROM run WHERE report IS NOT NULL ORDER BY started, id");
    while (rows.step()) runs.push_back(rows.number(0));
    return runs;
  });
}

ResultsDb::Result<std::vector<std::string>> ResultsDb::unfinished() const {
  return tried("read", [&] {
    std::vector<std::string> names;
    Statement rows(db_, "SELECT name FROM run WHERE report IS NULL ORDER BY id");
    while (rows.step()) names.push_back(rows.text(0));
    return names;
  });
}

ResultsDb::Result<ResultsDb::Run> ResultsDb::run_named(const std::string& name) {
  return tried("write", [&] {
    Statement(db_, "INSERT OR IGNORE INTO run(name) VALUES(?)").bind(std::string_view(name)).run();
    Statement row(db_, "SELECT id FROM run WHERE name = ?");
    row.bind(std::string_view(name)).step();
    return row.number(0);
  });
}

ResultsDb::Result<ResultsDb::Added> ResultsDb::add_shard(Run run, std::uint64_t number, const SavedReport& report,
                                                         const ReportFiles& files, double took) {
  return tried("write", [&] {
    Transaction transaction(db_);
    Statement there(db_, "SELECT report FROM shard WHERE run = ? AND number = ?");
    if (there.bind(run).bind(number).step()) {
      return unpacked(there.text(0)) == files.report ? Added::kSame : Added::kOther;
    }
    const RunSummary& summary = report.summary;
    Statement row(db_, "INSERT INTO shard VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row.bind(run).bind(number).bind(summary.started);
    bind_numbers(row, summary);
    row.bind(took).bind_blob(packed(files.report)).run();
    add_rows(db_, run, number, report);
    for (const auto& [name, content] : files.files) {
      Statement file(db_, "INSERT INTO file VALUES(?, ?, ?, ?)");
      file.bind(run).bind(number).bind(name).bind_blob(packed(content)).run();
    }
    transaction.commit();
    return Added::kNew;
  });
}

ResultsDb::Result<void> ResultsDb::set_whole(Run run, const SavedReport& whole) {
  return tried("write", [&] {
    const RunSummary& summary = whole.summary;
    Statement row(
        db_,
        "UPDATE run SET started = ?, tool = ?, kernel = ?, kernel_build = ?, implementation = ?, profile = ?, "
        "seed = ?, request = ?, shards = ?, programs = ?, program_hash = ?, operations = ?, undecided = ?, "
        "divergences = ?, incomplete = ?, seconds = ?, report = ? WHERE id = ?");
    row.bind(summary.started).bind(summary.tool).bind(summary.kernel).bind(summary.kernel_build);
    row.bind(summary.implementation).bind(summary.profile).bind(std::to_string(summary.seed)).bind(summary.request);
    row.bind(summary.shards);
    bind_numbers(row, summary);
    row.bind_blob(packed(json_report(whole))).bind(run).run();
  });
}

ResultsDb::Result<SavedReport> ResultsDb::whole(Run run) const {
  return tried("read", [&] {
    Statement row(db_, "SELECT report FROM run WHERE id = ?");
    if (!row.bind(run).step()) throw SqlError("a run is missing");
    auto report = read_report(unpacked(row.text(0)), path_);
    if (!report) throw SqlError(report.error().text());
    return std::move(*report);
  });
}

ResultsDb::Result<std::vector<std::uint64_t>> ResultsDb::shards(Run run) const {
  return tried("read", [&] {
    std::vector<std::uint64_t> numbers;
    Statement rows(db_, "SELECT number FROM shard WHERE run = ? ORDER BY number");
    for (rows.bind(run); rows.step();) numbers.push_back(rows.count(0));
    return numbers;
  });
}

ResultsDb::Result<ReportFiles> ResultsDb::shard(Run run, std::uint64_t number) const {
  return tried("read", [&] {
    ReportFiles all;
    Statement row(db_, "SELECT report FROM shard WHERE run = ? AND number = ?");
    if (!row.bind(run).bind(number).step()) throw SqlError("a shard is missing");
    all.report = unpacked(row.text(0));
    Statement files(db_, "SELECT name, content FROM file WHERE run = ? AND shard = ?");
    for (files.bind(run).bind(number); files.step();) all.files[files.text(0)] = unpacked(files.text(1));
    return all;
  });
}

ResultsDb::Result<double> ResultsDb::took() const {
  return tried("read", [&] {
    Statement row(db_, "SELECT sum(took) FROM shard");
    return row.step() ? row.real(0) : 0;
  });
}

ResultsDb::Result<std::vector<std::string>> ResultsDb::found(Run run) const {
  return tried("read", [&] {
    std::vector<std::string> all;
    Statement rows(db_,
                   "SELECT DISTINCT requirement || '/' || kind FROM divergence WHERE run = ? AND operations > 0 "
                   "ORDER BY 1");
    for (rows.bind(run); rows.step();) all.push_back(rows.text(0));
    return all;
  });
}

}  // namespace aio
