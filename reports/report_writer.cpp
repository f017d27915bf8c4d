// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/report_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "reports/formats.h"
#include "reports/reproducer.h"
#include "reports/results_db.h"
#include "reports/trace_writer.h"
#include "reports/work_list.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReport = "report.json";
constexpr const char* kResults = "results.jsonl";
constexpr const char* kWorkList = "work-list.md";

// Whether a file of that name can only be ours.
bool is_ours(const std::string& name) {
  const bool numbered = (name.starts_with("divergence-") && name.ends_with(".json")) ||
                        (name.starts_with("reproducer-") && name.ends_with(".c"));
  const bool format = std::any_of(formats().begin(), formats().end(),
                                  [&](const Format& each) { return !each.file.empty() && name == each.file; });
  return format || numbered || name == kReport || name == kResults || name == kWorkList || name == kConsoleFile ||
         name == std::string(kReport) + ".new" || name == kResultsDb || name == kNewResultsDb;
}

std::string complain(const fs::path& path, const std::string& what, const std::string& why) {
  return fmt::format("cannot {} {}: {}", what, path.string(), why);
}

// Makes the directory, or finds the files of an earlier report. An error where there is anything else.
ReportDirectory::Result<std::vector<fs::path>> made(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    return tl::unexpected(complain(path, "write a report into", "it is a file"));
  }
  fs::create_directories(path, error);
  if (error) return tl::unexpected(complain(path, "make", error.message()));
  std::vector<fs::path> old;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!is_ours(name)) {
      return tl::unexpected(
          complain(path, "write a report into",
                   fmt::format("it holds \"{}\", which is no report of ours; name an empty directory", name)));
    }
    old.push_back(it->path());
  }
  if (error) return tl::unexpected(complain(path, "read", error.message()));
  return old;
}

}  // namespace

ReportDirectory::Result<void> ReportDirectory::prepare(const std::string& path) {
  if (const auto old = made(path); !old) return tl::unexpected(old.error());
  return {};
}

ReportDirectory::Result<ReportDirectory> ReportDirectory::open(const std::string& path, Database database) {
  const fs::path folder(path);
  const auto old = made(folder);
  if (!old) return tl::unexpected(old.error());
  for (const fs::path& file : *old) {
    if (database == Database::kKeep && file.filename() == kResultsDb) continue;
    std::error_code error;
    fs::remove(file, error);
    if (error) return tl::unexpected(complain(file, "remove", error.message()));
  }
  ReportDirectory directory(folder);
  errno = 0;
  directory.results_.open(folder / kResults, std::ios::binary);
  if (!directory.results_) {
    return tl::unexpected(complain(folder / kResults, "write", std::strerror(errno)));
  }
  return directory;
}

ReportDirectory::Result<void> ReportDirectory::add_line(std::string_view json) {
  errno = 0;
  results_ << json << '\n' << std::flush;
  if (results_) return {};
  return tl::unexpected(complain(path_ / kResults, "write", std::strerror(errno)));
}

ReportDirectory::Result<Finding> ReportDirectory::add_divergence(Trace trace) {
  const std::string_view id = trace.divergence ? requirement(trace.divergence->signature.requirement).id : "none";
  Finding finding{std::move(trace), fmt::format("{}-{}", findings_.size() + 1, id)};
  auto written = write(trace_file_name(finding), trace_text(finding.trace));
  if (written) written = write(reproducer_file_name(finding), reproducer_c(finding.trace));
  if (written) written = add_line(json_finding(finding));
  if (!written) return tl::unexpected(written.error());
  findings_.push_back(finding);
  return finding;
}

ReportDirectory::Result<void> ReportDirectory::finish(const RunSummary& summary) {
  if (auto written = add_line(json_summary(summary)); !written) return written;
  auto report = read_report(json_report(summary, findings_), path_ / kReport);
  if (!report) return tl::unexpected(report.error().text());
  return finish(std::move(*report));
}

ReportDirectory::Result<void> ReportDirectory::finish(SavedReport report) {
  const std::string temporary = std::string(kReport) + ".new";
  if (auto written = write(temporary, json_report(report)); !written) return written;
  std::error_code error;
  fs::rename(path_ / temporary, path_ / kReport, error);
  if (error) return tl::unexpected(complain(path_ / kReport, "write", error.message()));
  report.directory = path_;
  return write_formats(report);
}

ReportDirectory::Result<void> ReportDirectory::write_formats(const SavedReport& report) {
  const ReportDirectory directory(report.directory);
  for (const Format& each : formats()) {
    if (each.file.empty()) continue;
    auto written = directory.write(std::string(each.file), each.write(report));
    if (!written) return written;
  }
  return report.summary.implementation == "Linux" ? Result<void>() : directory.write(kWorkList, work_list(report));
}

ReportDirectory::Result<void> ReportDirectory::write(const std::string& name, std::string_view text) const {
  errno = 0;
  std::ofstream file(path_ / name, std::ios::binary);
  file << text << std::flush;
  if (file) return {};
  return tl::unexpected(complain(path_ / name, "write", std::strerror(errno)));
}

}  // namespace aio
