// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/memory_cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "fixtures/descriptor.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kEndPatience{10};
constexpr std::chrono::milliseconds kLookAgain{5};

bool write_to(const std::string& path, const std::string& text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool has_word(const std::string& path, const std::string& wanted) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

struct Hierarchy {
  bool unified = false;
  std::string top;
};

// The one whose memory controller is to be had, as proc_pid_mountinfo(5) shows it.
Hierarchy hierarchy() {
  std::ifstream file("/proc/self/mountinfo");
  Hierarchy found;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string skipped, root, place, type, source, options;
    words >> skipped >> skipped >> skipped >> root >> place;
    while (words >> skipped && skipped != "-") {
    }
    words >> type >> source >> options;
    if (type == "cgroup2" && has_word(place + "/cgroup.controllers", "memory")) return {true, place};
    if (type == "cgroup" && (options + ",").find(",memory,") != std::string::npos) found.top = place;
  }
  return found;
}

}  // namespace

MemoryCgroup::MemoryCgroup(std::uint64_t high, std::uint64_t most) {
  const Hierarchy found = hierarchy();
  unified_ = found.unified;
  top_ = found.top;
  if (top_.empty()) {
    obstacle_ = "there is no cgroup of memory here";
    return;
  }
  path_ = fmt::format("{}/aio-cts-{}", top_, ::getpid());
  enabled_ = unified_ && !has_word(top_ + "/cgroup.subtree_control", "memory");
  keeper_.emplace([this] { remove(); }, Keeper::Open::kNothing);
  obstacle_ = make(high, most);
}

const char* MemoryCgroup::make(std::uint64_t high, std::uint64_t most) {
  if (enabled_ && !write_to(top_ + "/cgroup.subtree_control", "+memory")) return "cgroups cannot limit memory here";
  if (::mkdir(path_.c_str(), 0755) != 0) return "no cgroup can be made here";
  const bool limited = unified_ ? write_to(path_ + "/memory.high", std::to_string(high)) &&
                                      write_to(path_ + "/memory.max", std::to_string(most))
                                : write_to(path_ + "/memory.limit_in_bytes", std::to_string(most));
  return limited ? nullptr : "a cgroup's memory cannot be limited here";
}

bool MemoryCgroup::enter() const { return write_to(path_ + "/cgroup.procs", "0"); }

std::uint64_t MemoryCgroup::times_at_limit() const {
  std::ifstream file(path_ + (unified_ ? "/memory.events" : "/memory.failcnt"));
  std::string name = "max";
  std::uint64_t sum = 0;
  for (std::uint64_t count = 0; (!unified_ || file >> name) && file >> count;) {
    if (name == "max" || name == "high") sum += count;
  }
  return sum;
}

void MemoryCgroup::remove() const {
  const auto deadline = Clock::now() + kEndPatience;
  while (::rmdir(path_.c_str()) != 0 && errno != ENOENT && Clock::now() < deadline) {
    std::ifstream members(path_ + "/cgroup.procs");
    for (pid_t each = 0; members >> each;) ::kill(each, SIGKILL);
    std::this_thread::sleep_for(kLookAgain);
  }
  if (enabled_) write_to(top_ + "/cgroup.subtree_control", "-memory");
}

}  // namespace aio::suites
