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
         name == std::string(kReport) + ".new";
}

std::string complain(const fs::path& path, const std::string& what, const std::string& why) {
  return fmt::format("cannot {} {}: {}", what, path.string(), why);
}

// Removes an earlier report. An error where there is anything else, before anything is removed.
ReportDirectory::Result<void> clear(const fs::path& path) {
  std::error_code error;
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
  for (const fs::path& file : old) {
    if (!error) fs::remove(file, error);
  }
  if (error) return tl::unexpected(complain(path, "clear", error.message()));
  return {};
}

}  // namespace

ReportDirectory::Result<ReportDirectory> ReportDirectory::open(const std::string& path) {
  std::error_code error;
  const fs::path folder(path);
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    return tl::unexpected(complain(folder, "write a report into", "it is a file"));
  }
  fs::create_directories(folder, error);
  if (error) return tl::unexpected(complain(folder, "make", error.message()));
  if (const auto cleared = clear(folder); !cleared) return tl::unexpected(cleared.error());
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

ReportDirectory::Result<void> ReportDirectory::add_work_list(const RunSummary& summary) {
  return write(kWorkList, work_list(summary, findings_));
}

ReportDirectory::Result<void> ReportDirectory::finish(const RunSummary& summary) {
  auto written = add_line(json_summary(summary));
  const std::string temporary = std::string(kReport) + ".new";
  const std::string text = json_report(summary, findings_);
  if (written) written = write(temporary, text);
  if (!written) return written;
  std::error_code error;
  fs::rename(path_ / temporary, path_ / kReport, error);
  if (error) return tl::unexpected(complain(path_ / kReport, "write", error.message()));
  auto report = read_report(text, path_ / kReport);
  if (!report) return tl::unexpected(report.error().text());
  report->directory = path_;
  return write_formats(*report);
}

ReportDirectory::Result<void> ReportDirectory::write_formats(const SavedReport& report) {
  const ReportDirectory directory(report.directory);
  for (const Format& each : formats()) {
    if (each.file.empty()) continue;
    auto written = directory.write(std::string(each.file), each.write(report));
    if (!written) return written;
  }
  return {};
}

ReportDirectory::Result<void> ReportDirectory::write(const std::string& name, std::string_view text) const {
  errno = 0;
  std::ofstream file(path_ / name, std::ios::binary);
  file << text << std::flush;
  if (file) return {};
  return tl::unexpected(complain(path_ / name, "write", std::strerror(errno)));
}

}  // namespace aio
