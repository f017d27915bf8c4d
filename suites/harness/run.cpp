// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/run.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <list>
#include <map>
#include <system_error>

#include "fixtures/argument_vector.h"
#include "fixtures/interruption.h"
#include "fixtures/pipe.h"
#include "fixtures/seconds_since.h"
#include "fixtures/worker.h"
#include "reference/fnv.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kShow{200};
constexpr std::string_view kDone = "done";

Setting& current() {
  static Setting setting;
  return setting;
}

// Where the results of this process's tests go; -1: nowhere.
int result_fd = -1;

void write_line(std::string line) {
  line += '\n';
  for (std::size_t sent = 0; result_fd >= 0 && sent < line.size();) {
    const ssize_t count = ::write(result_fd, line.data() + sent, line.size() - sent);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
}

bool is_chosen(const TestEntry& test, const Selection& selection) {
  if (selection.parts > 1 && fnv1a(test.full_name()) % selection.parts != selection.part) return false;
  return selection.suites.empty() ||
         std::find(selection.suites.begin(), selection.suites.end(), test.suite) != selection.suites.end();
}

void register_tests(const Selection& selection, bool alone) {
  for (const TestEntry& test : tests()) {
    if (!is_chosen(test, selection) || test.about.alone != alone) continue;
    for (const EntryKind kind : selection.entries) {
      if (!test.runs_through(kind)) continue;
      testing::RegisterTest(fmt::format("{}_{}", test.suite, entry_name(kind)).c_str(), std::string(test.name).c_str(),
                            nullptr, nullptr, test.file, test.line, [&test, kind]() -> Case* {
                              Case* const made = test.make();
                              made->place(test, kind);
                              return made;
                            });
    }
  }
}

// In the process of a shard.
int run_shard(const Selection& selection, bool alone, unsigned shard, unsigned shards) {
  register_tests(selection, alone);
  ::setenv("GTEST_TOTAL_SHARDS", std::to_string(shards).c_str(), 1);
  ::setenv("GTEST_SHARD_INDEX", std::to_string(shard).c_str(), 1);
  std::vector<std::string> words{"suites"};
  words.insert(words.end(), selection.gtest_flags.begin(), selection.gtest_flags.end());
  std::vector<char*> pointers = argument_vector(words);
  int count = static_cast<int>(words.size());
  testing::InitGoogleTest(&count, pointers.data());
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  [[maybe_unused]] const int failed = RUN_ALL_TESTS();  // the results have been sent already
  write_line(std::string(kDone));
  return 0;
}

class Shards {
 public:
  Shards(const Selection& selection, SuitesResult& result, Progress& progress)
      : selection_(selection), result_(result), progress_(progress) {}

  void start(bool alone, unsigned shards) {
    for (unsigned i = 0; i < shards; ++i) {
      PipeEnds pipe;
      running_.emplace_back(std::move(pipe.read), [this, alone, i, shards, fd = pipe.write.get()] {
        result_fd = fd;
        return run_shard(selection_, alone, i, shards);
      });
    }
  }

  bool running() const { return !running_.empty(); }

  // Takes in what has come, after waiting for it a little.
  void collect() {
    std::vector<pollfd> wanted;
    for (const Running& each : running_) wanted.push_back({each.from.get(), POLLIN, 0});
    if (::poll(wanted.data(), wanted.size(), static_cast<int>(kShow.count())) <= 0) return;
    std::size_t i = 0;
    for (auto each = running_.begin(); each != running_.end();) {
      const bool ready = wanted[i++].revents != 0;
      each = ready && !take(*each) ? running_.erase(each) : std::next(each);
    }
  }

 private:
  struct Running {
    Running(Descriptor fd, const std::function<int()>& body) : from(std::move(fd)), worker(body) {}
    Descriptor from;
    Worker worker;
    std::string pending;
    bool done = false;
  };

  // False once nothing more can come from it.
  bool take(Running& shard) {
    std::array<char, 65536> bytes;
    const ssize_t count = ::read(shard.from.get(), bytes.data(), bytes.size());
    if (count <= 0) {
      if (!shard.done) {
        const auto status = shard.worker.wait_exit(Worker::kReapPatience);
        result_.failures.push_back("a process of the suites ended early: " +
                                   (status ? status_text(*status) : std::string("it hangs")));
      }
      return false;
    }
    shard.pending.append(bytes.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = shard.pending.find('\n')) != std::string::npos;) {
      line(shard, shard.pending.substr(0, end));
      shard.pending.erase(0, end + 1);
    }
    return true;
  }

  void line(Running& shard, const std::string& text) {
    if (text == kDone) {
      shard.done = true;
      return;
    }
    auto result = unpacked(text);
    if (!result) {
      result_.failures.emplace_back("a process of the suites sent what is no result");
      return;
    }
    ++progress_.done;
    if (result->verdict == TestVerdict::kFails) ++progress_.failed;
    result_.results.push_back(std::move(*result));
  }

  const Selection& selection_;
  SuitesResult& result_;
  Progress& progress_;
  std::list<Running> running_;
};

// One result a test and entry, the gravest where it ran more than once; in the order of the tests.
void put_in_order(std::vector<TestResult>& results) {
  std::map<std::string, std::size_t> order;
  for (const TestEntry& test : tests()) order.emplace(test.full_name(), order.size());
  const auto gravity = [](TestVerdict verdict) {
    return verdict == TestVerdict::kFails    ? 3
           : verdict == TestVerdict::kBroken ? 2
           : verdict == TestVerdict::kHolds  ? 1
                                             : 0;
  };
  const auto place = [&](const TestResult& result) { return std::pair(order[result.full_name()], result.entry); };
  std::stable_sort(results.begin(), results.end(), [&](const TestResult& a, const TestResult& b) {
    return place(a) != place(b) ? place(a) < place(b) : gravity(a.verdict) > gravity(b.verdict);
  });
  results.erase(std::unique(results.begin(), results.end(),
                            [&](const TestResult& a, const TestResult& b) { return place(a) == place(b); }),
                results.end());
}

}  // namespace

const Setting& setting() { return current(); }

void set_setting(const Setting& setting) { current() = setting; }

void send_result(const TestResult& result) { write_line(packed(result)); }

std::size_t count_tests(const Selection& selection) {
  std::size_t count = 0;
  for (const TestEntry& test : tests()) {
    if (!is_chosen(test, selection)) continue;
    count += static_cast<std::size_t>(std::count_if(selection.entries.begin(), selection.entries.end(),
                                                    [&](EntryKind kind) { return test.runs_through(kind); }));
  }
  return count;
}

// What GoogleTest is told of that; 0 and less mean for ever.
std::size_t repeats(const Selection& selection) {
  constexpr std::string_view kFlag = "--gtest_repeat=";
  std::size_t times = 1;
  for (const std::string& flag : selection.gtest_flags) {
    if (flag.starts_with(kFlag)) times = static_cast<std::size_t>(std::max(1, std::atoi(flag.c_str() + kFlag.size())));
  }
  return times;
}

SuitesResult run_suites(const Setting& setting, const Selection& selection,
                        const std::function<void(const Progress&)>& show) {
  if (result_fd >= 0) throw std::logic_error("a test of the suites runs the suites");
  set_setting(setting);
  const auto began = Clock::now();
  SuitesResult result;
  Progress progress;
  progress.of = count_tests(selection) * repeats(selection);
  Shards shards(selection, result, progress);
  // Those that want the machine for themselves come last, one after the other.
  for (const bool alone : {false, true}) {
    if (stop_requested()) break;
    shards.start(alone, alone ? 1 : selection.shards);
    while (shards.running() && !stop_requested()) {
      shards.collect();
      show(progress);
    }
  }
  result.interrupted = stop_requested();
  put_in_order(result.results);
  result.seconds = seconds_since(began);
  return result;
}

}  // namespace aio::suites
