// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "cli/reporting.h"
#include "properties/bounds.h"
#include "reports/trace_writer.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".json";
constexpr const char* kNext = "/next";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }  // NOLINT(cppcoreguidelines-owning-memory)
};

Failure not_written(const std::string& file) {
  const int error = errno;
  return {Exit::kIncomplete, fmt::format("cannot write {}: {} ({}); give --corpus a directory with room", file,
                                         std::strerror(error), error)};
}

void write_file(const std::string& file, const std::string& text) {
  std::unique_ptr<std::FILE, CloseFile> out(std::fopen(file.c_str(), "we"));
  if (!out || std::fwrite(text.data(), 1, text.size(), out.get()) != text.size()) throw not_written(file);
  if (std::fclose(out.release()) != 0) throw not_written(file);
}

Program checked_program(const std::string& file) {
  Program program = program_of(checked(Exit::kUsage, load_trace(file)));
  if (program.operations.empty()) throw wrong_usage(file + ": there is no operation in it");
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    if (within_bounds(program.operations[i])) continue;
    throw wrong_usage(
        fmt::format("{}: operation {} waits too long, sets up too many events or writes too far for a "
                    "program of a corpus; take it out, or replay the file instead",
                    file, i));
  }
  return program;
}

// One of ours gets its name before its content is on the disk for sure.
bool is_cut_off(const std::string& file) {
  const std::string name = fs::path(file).stem();
  const bool is_ours = name.size() == 16 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_ours && fs::file_size(file) == 0;
}

// In the order of their names.
std::vector<std::string> traces_in(const std::string& path) {
  std::error_code error;
  std::vector<std::string> files;
  for (auto entry = fs::directory_iterator(path, error); entry != fs::directory_iterator(); entry.increment(error)) {
    if (error) break;
    if (entry->path().extension() == kSuffix) files.push_back(entry->path().string());
  }
  if (error) throw wrong_usage(fmt::format("--corpus {}: cannot be read: {}", path, error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

void take_in(const std::string& next, const std::string& path) {
  for (const std::string& each : traces_in(next)) {
    std::error_code error;
    fs::rename(each, fs::path(path) / fs::path(each).filename(), error);
    if (error) throw wrong_usage(fmt::format("--corpus {}: cannot take in {}: {}", path, each, error.message()));
  }
}

}  // namespace

CorpusDirectory::CorpusDirectory(std::string path, bool is_part) : path_(std::move(path)), is_part_(is_part) {
  std::error_code error;
  fs::create_directories(is_part_ ? path_ + kNext : path_, error);
  if (!fs::is_directory(path_)) {
    throw wrong_usage(fmt::format("--corpus {}: no directory can be made there: {}", path_,
                                  error ? error.message() : "something else is in its place"));
  }
}

std::vector<Program> CorpusDirectory::load() const {
  if (!is_part_ && fs::exists(path_ + kNext)) take_in(path_ + kNext, path_);
  const std::vector<std::string> files = traces_in(path_);
  std::vector<Program> programs;
  programs.reserve(files.size());
  for (const std::string& file : files) {
    if (is_cut_off(file)) {
      fmt::print(stderr, "{} is empty, as after a loss of power: left out\n", file);
    } else {
      programs.push_back(checked_program(file));
    }
  }
  return programs;
}

void CorpusDirectory::add(const Program& program) const {
  const std::string name = fmt::format("/{:016x}{}", hash(program), kSuffix);
  const std::string file = (is_part_ ? path_ + kNext : path_) + name;
  for (const std::string& each : {path_ + name, path_ + kNext + name}) {
    if (fs::exists(each) && !is_cut_off(each)) return;
  }
  const std::string unfinished = file + ".new";
  write_file(unfinished, bare_trace_text(program));
  if (std::rename(unfinished.c_str(), file.c_str()) != 0) throw not_written(file);
}

std::unique_ptr<Guide> open_guide(const std::string& path, const CampaignOptions& campaign, std::FILE* out) {
  const bool is_part = campaign.shards > 1 || campaign.first > 0;
  const CorpusDirectory directory(path, is_part);
  const GuideOptions options{.seed = campaign.seed, .kind = campaign.kind, .one_epoch = is_part};
  auto guide = std::make_unique<Guide>(options, directory.load());
  fmt::print(out, "corpus {:016x} of {} programs\n", guide->start_hash(), guide->start_size());
  guide->on_join([directory](const Program& program) { directory.add(program); });
  return guide;
}

void note_corpus(const Guide& guide, RunSummary& summary) {
  summary.corpus = fmt::format("{:016x}", guide.start_hash());
  summary.corpus_programs = guide.start_size();
  summary.corpus_added = guide.corpus().size() - guide.start_size();
}

}  // namespace aio::cli
