// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/free_campaign.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>

#include "fixtures/native_entry.h"
#include "fixtures/pipe.h"
#include "fixtures/racing_lies.h"
#include "fixtures/whole.h"
#include "fixtures/worker.h"
#include "properties/history_check.h"
#include "properties/pool.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBatch = 8;         // programs of a process: their contexts count in aio-nr until it ends
constexpr std::uint64_t kMostContexts = 2;  // of a program
constexpr int kLookAgainMs = 100;
constexpr std::size_t kMostConfigurations = 50'000;  // of a history: less than a second
constexpr std::chrono::seconds kShortestHang{20};    // others want the CPU as well

// What a process says of one program, before `size` letters of text.
struct Said {
  enum class What : std::uint8_t { kExplained, kUndecided, kFound, kFailed };
  What what = What::kExplained;
  std::uint64_t program = 0;
  std::uint64_t configurations = 0;
  std::uint64_t size = 0;
};

// In a process of its own.
class Runner {
 public:
  Runner(const FreeSetting& setting, const FreeSource& source, Clock::time_point deadline, int out)
      : setting_(setting), source_(source), deadline_(deadline), out_(out) {
    if (!setting.lie.empty()) lying_ = make_racing_entry(setting.lie, honest_);
  }

  void run(std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t index = first; index < end && Clock::now() < deadline_; ++index) {
      try {
        if (!run_one(index)) return;
      } catch (const std::exception& error) {
        say({Said::What::kFailed, index}, error.what());
        return;
      }
    }
  }

 private:
  // False where a lane has not returned.
  bool run_one(std::uint64_t index) {
    Entry& entry = lying_ ? *lying_ : static_cast<Entry&>(honest_);
    entry.begin_case();
    const FreeProgram program = source_(index);
    const auto run = dies(program) ? run_free_to_death : run_free;
    const History history = run(entry, program, setting_.directory, setting_.patience);
    if (std::any_of(history.calls.begin(), history.calls.end(),
                    [](const HistoryCall& each) { return each.ended == HistoryCall::kNever && !each.cut_off; })) {
      say({Said::What::kFound, index}, history_text(history, std::nullopt));
      return false;
    }
    const HistoryCheck check = check_history(history, kMostConfigurations);
    switch (check.verdict) {
      case HistoryVerdict::kExplained:
        say({Said::What::kExplained, index, check.configurations}, "");
        break;
      case HistoryVerdict::kUndecided:
        say({Said::What::kUndecided, index, check.configurations}, "");
        break;
      case HistoryVerdict::kUnexplained:
        say({Said::What::kFound, index, check.configurations}, history_text(history, check.call) + remark(check));
        break;
    }
    return true;
  }

  static const char* remark(const HistoryCheck& check) {
    if (check.is_file_wrong) return "the file has not what was written by the requests that were taken\n";
    return check.call ? "" : "an event that was to come has not come, or one too many\n";
  }

  void say(Said said, std::string_view text) const {
    said.size = text.size();
    std::string bytes(sizeof(said), '\0');
    std::memcpy(bytes.data(), &said, sizeof(said));
    write_whole(out_, bytes.append(text));
  }

  const FreeSetting& setting_;
  const FreeSource& source_;
  const Clock::time_point deadline_;
  const int out_;
  NativeEntry honest_;
  std::unique_ptr<Entry> lying_;
};

// One process, as its parent sees it.
struct Child {
  Child(const FreeSetting& setting, const FreeSource& source, Clock::time_point deadline, std::uint64_t from,
        std::uint64_t to)
      : first(from), next(from), end(to) {
    PipeEnds pipe;
    worker = std::make_unique<Worker>([&] {
      Runner(setting, source, deadline, pipe.write.get()).run(from, to);
      return 0;
    });
    out = std::move(pipe.read);
  }

  std::unique_ptr<Worker> worker;
  Descriptor out;
  std::string bytes;  // that are no whole answer yet
  std::uint64_t first;
  std::uint64_t next;  // the program that it is at
  std::uint64_t end;
  bool has_found = false;
  Clock::time_point moved = Clock::now();
  bool ended = false;
};

class FreeCampaign {
 public:
  FreeCampaign(const FreeSetting& setting, const FreeSource& source) : setting_(setting), source_(source) {}
  FreeCampaign(const FreeCampaign&) = delete;
  FreeCampaign& operator=(const FreeCampaign&) = delete;
  // All together, as each waits for a grace period.
  ~FreeCampaign() {
    for (const auto& each : children_) each->worker->kill_and_reap(std::chrono::milliseconds(0));
    for (const auto& each : children_) each->worker->wait_exit(Worker::kReapPatience);
  }

  FreeResult run(std::uint64_t first, std::uint64_t count, std::size_t most, Clock::time_point deadline) {
    std::uint64_t next = first;
    const std::uint64_t end = first + count;
    while (true) {
      if (result_.findings.size() >= most || !result_.problems.empty()) break;
      while (next < end && children_.size() < setting_.processes && Clock::now() < deadline) {
        const std::uint64_t to = std::min(end, next + kBatch);
        children_.push_back(std::make_unique<Child>(setting_, source_, deadline, next, to));
        next = to;
      }
      if (children_.empty()) break;
      collect();
    }
    std::sort(result_.findings.begin(), result_.findings.end(),
              [](const FreeFinding& a, const FreeFinding& b) { return a.program < b.program; });
    return std::move(result_);
  }

 private:
  void collect() {
    std::vector<pollfd> files;
    for (const auto& each : children_) files.push_back({each->out.get(), POLLIN, 0});
    ::poll(files.data(), files.size(), kLookAgainMs);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].revents != 0) read(*children_[i]);
      // Where not even its own patience ends it.
      const auto still = Clock::now() - children_[i]->moved;
      const bool hangs = still > 4 * setting_.patience && still > kShortestHang;
      if (hangs && !children_[i]->ended) kill_hung(*children_[i]);
    }
    std::erase_if(children_, [](const auto& each) { return each->ended; });
  }

  void read(Child& child) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(child.out.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) return reap(child);
    child.moved = Clock::now();
    child.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    Said said;
    while (child.bytes.size() >= sizeof(said)) {
      std::memcpy(&said, child.bytes.data(), sizeof(said));
      if (child.bytes.size() < sizeof(said) + said.size) return;
      take(said, child.bytes.substr(sizeof(said), said.size));
      child.bytes.erase(0, sizeof(said) + said.size);
      child.next = said.program + 1;
      child.has_found |= said.what == Said::What::kFound;
    }
  }

  void take(const Said& said, const std::string& text) {
    if (said.what == Said::What::kFailed) {
      result_.problems.push_back("program " + std::to_string(said.program) + ": " + text);
      return;
    }
    ++result_.programs;
    result_.configurations += said.configurations;
    if (said.what == Said::What::kUndecided) ++result_.undecided;
    if (said.what == Said::What::kFound) result_.findings.push_back({said.program, text});
  }

  void reap(Child& child) {
    child.ended = true;
    const std::optional<int> status = child.worker->wait_exit(setting_.patience);
    if (!status) return found_by_end(child, "its process does not end");
    if (WIFSIGNALED(*status)) return found_by_end(child, "its process died: " + status_text(*status));
    if (*status != 0) result_.problems.push_back("a process of free lanes ended with " + status_text(*status));
  }

  void kill_hung(Child& child) {
    child.ended = true;
    const bool killed = child.worker->kill_and_reap().has_value();
    found_by_end(child, killed ? "calls did not return" : "calls did not return, and SIGKILL does not end them");
  }

  void found_by_end(const Child& child, const std::string& how) {
    if (child.has_found) return;  // what that leaves behind is no finding of its own
    if (child.next == child.end) {
      result_.findings.push_back(
          {child.end - 1, how + ", at its exit after the programs from " + std::to_string(child.first) + " on\n"});
      return;
    }
    ++result_.programs;
    result_.findings.push_back({child.next, how + "\n"});
  }

  const FreeSetting& setting_;
  const FreeSource& source_;
  std::vector<std::unique_ptr<Child>> children_;
  FreeResult result_;
};

}  // namespace

std::size_t free_processes(unsigned cpus) {
  const std::optional<std::string> text = read_whole("/proc/sys/fs/aio-max-nr");
  const std::uint64_t most = text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  const std::uint64_t fit = most / 2 / (kBatch * kMostContexts * kFreeContextSlots);
  return std::max<std::size_t>(1, std::min({kWorkersPerCpu * std::size_t{cpus}, kMaxWorkers, std::size_t{fit}}));
}

FreeResult run_free_programs(const FreeSetting& setting, const FreeSource& source, std::uint64_t first,
                             std::uint64_t count, std::size_t most, Clock::time_point deadline) {
  return FreeCampaign(setting, source).run(first, count, most, deadline);
}

}  // namespace aio
