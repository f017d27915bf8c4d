// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a Case runs: what GoogleTest calls forks, the child does the test and gives back what it saw.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>

#include "fixtures/arena_memory.h"
#include "fixtures/lies.h"
#include "fixtures/seconds_since.h"
#include "fixtures/vm/journal.h"
#include "fixtures/worker.h"
#include "reference/needs.h"
#include "reference/requirement.h"
#include "suites/harness/case.h"
#include "suites/harness/outcome.h"
#include "suites/harness/run.h"

namespace aio::suites {
namespace {

// Beside the patience for each thing that may be lost.
constexpr int kTestPatience = 8;  // times what one call is waited for

class Collector final : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& part) override { Outcome::now().fail(part); }
};

// Only in the child: what GoogleTest hears goes to the outcome and nowhere else.
void redirect_parts() { testing::UnitTest::GetInstance()->listeners().Append(new Collector); }

unsigned shard_index() {
  const char* const text = std::getenv("GTEST_SHARD_INDEX");
  return text == nullptr ? 0 : static_cast<unsigned>(std::atoi(text));
}

// Why the test is not for this kernel or machine; nullptr where it is.
const char* obstacle(const TestEntry& test, EntryKind kind) {
  if (test.about.may_crash && !setting().may_crash) return "an unfixed kernel may not survive it (--allow-crash)";
  if (test.about.changes_system && !setting().may_change_system) {
    return "it changes what others see (--allow-system-changes)";
  }
  if (!entry_obstacle(kind).empty()) return "the kernel takes no calls through this entry";
  if (!all_hold(test.about.needs, *setting().profile, setting().machine)) {
    static std::string lacking;
    lacking = "it needs what is not here: " + std::string(test.about.needs);
    return lacking.c_str();
  }
  for (const std::string_view id : test.about.holds) {
    if (applies(*find_in_catalogue(id), *setting().profile, setting().machine)) return nullptr;
  }
  return "its requirements do not apply to this release or machine";
}

TestResult hung_or_crashed(const WorkerDeath& how, const TestEntry& test) {
  Outcome::now().begin(test.about.holds.front());
  Outcome::now().fail("the test's process: " + how.text(), test.file, test.line);
  return Outcome::now().result();
}

}  // namespace

void Case::TestBody() {
  const auto began = std::chrono::steady_clock::now();
  TestResult result;
  if (const char* const why = obstacle(*test_, kind_)) {
    result.verdict = TestVerdict::kSkipped;
    result.reason = why;
  } else {
    const JournalEntry journal(fmt::format("test {} {}", test_->full_name(), entry_name(kind_)));
    WorkerDeath how;
    const auto text = run_in_worker([this] { return perform(); }, kTestPatience * setting().patience, &how);
    const auto seen = text ? unpacked(*text) : std::nullopt;
    result = seen ? *seen : hung_or_crashed(how, *test_);
  }
  result.suite = test_->suite;
  result.name = test_->name;
  result.entry = kind_;
  result.seconds = seconds_since(began);
  send_result(result);
  for (const TestFailure& each : result.failures) ADD_FAILURE_AT(each.file.c_str(), each.line) << each.text;
  if (result.verdict == TestVerdict::kBroken) ADD_FAILURE() << "broken: " << result.reason;
  if (result.verdict == TestVerdict::kSkipped) GTEST_SKIP() << result.reason;
}

// In the child.
std::string Case::perform() {
  redirect_parts();
  Outcome& outcome = Outcome::now();
  outcome.begin(test_->about.holds.front());
  try {
    ArenaMemory::instance().refill();
    honest_ = make_entry(kind_);
    entry_ = honest_.get();
    if (!setting().lie.empty()) {
      lying_ = make_lying_entry(setting().lie, *honest_);
      lying_->begin_case();
      entry_ = lying_.get();
    }
    cpus_ = std::make_unique<CpuPin>(shard_index());
    cpus_->move(0);
    run();
  } catch (const TestEnds&) {
  } catch (const std::exception& error) {
    outcome.break_off(error.what());
  }
  return packed(outcome.result());
}

}  // namespace aio::suites
