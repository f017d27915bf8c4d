// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/piece.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "cli/exit.h"
#include "cli/shard.h"
#include "fixtures/argument_vector.h"
#include "fixtures/interruption.h"
#include "fixtures/worker.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kAttempts = 3;
constexpr std::chrono::milliseconds kTick{200};
// For a piece that was told to stop: it ends its program, or shuts its guest down.
constexpr std::chrono::seconds kPatience{20};
constexpr std::size_t kExcerpt = 2000;  // characters

// For a child: becomes the command, which writes into that file.
int become(std::vector<std::string> words, const std::string& log) {
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0) {
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::close(fd);
  }
  forget_engines();
  words.insert(words.begin(), "aio-cts");
  const std::vector<char*> arguments = argument_vector(words);
  ::execv("/proc/self/exe", arguments.data());
  return Worker::kBodyThrew;
}

std::string end_of(const std::string& log) {
  std::ifstream file(log, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.size() <= kExcerpt ? text : text.substr(text.size() - kExcerpt);
}

// Its wait status; none where the user stops it.
std::optional<int> run_once(const std::vector<std::string>& words, const std::string& log,
                            const std::function<void()>& tick) {
  Worker worker([&] { return become(words, log); });
  while (!stop_requested()) {
    if (const auto status = worker.wait_exit(kTick)) return status;
    tick();
  }
  ::kill(worker.pid(), SIGTERM);
  worker.wait_exit(kPatience);
  return std::nullopt;
}

}  // namespace

bool run_piece_process(const std::vector<std::string>& words, const fs::path& report,
                       const std::function<void()>& tick) {
  const std::string log = report.string() + ".log";
  std::string how;
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    fs::remove_all(report);
    const std::optional<int> status = run_once(words, log, tick);
    // What was told to stop with us may have ended before we looked.
    if (!status || stop_requested()) {
      fs::remove_all(report);
      fs::remove(log);
      return false;
    }
    how = status_text(*status);
    const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    if (code == static_cast<int>(Exit::kUsage) || code == static_cast<int>(Exit::kSkipped)) {
      throw Failure(static_cast<Exit>(code), fmt::format("a piece ended by {}:\n{}", how, end_of(log)));
    }
    if (fs::exists(report / "report.json")) {
      fs::remove(log);
      return true;
    }
  }
  throw Failure(Exit::kIncomplete, fmt::format("a piece ended by {}, {} times, without a report ({}):\n{}", how,
                                               kAttempts, log, end_of(log)));
}

}  // namespace aio::cli
