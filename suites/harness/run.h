// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs the suites: several processes side by side, each with a share of the tests that GoogleTest deals out, each test
// in a process of its own below (case.h). Most of their time is sleep, in the kernel's end of contexts.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "suites/harness/outcome.h"
#include "suites/harness/registry.h"
#include "suites/harness/setting.h"

namespace aio::suites {

struct Selection {
  std::vector<std::string> suites;  // names; empty: all
  std::vector<EntryKind> entries{kEntryKinds.begin(), kEntryKinds.end()};
  std::vector<std::string> gtest_flags;  // "--gtest_filter=io_setup*", handed on
  unsigned shards = 1;                   // processes that share them out
  // Of `parts` runs, which together run all tests, the one whose number this is. A test stays where it is when others
  // are added.
  std::uint64_t part = 0;
  std::uint64_t parts = 1;
};

// What can be told while they run.
struct Progress {
  std::size_t done = 0;
  std::size_t of = 0;
  std::size_t failed = 0;
};

struct SuitesResult {
  std::vector<TestResult> results;    // in the order of the tests; of a test that was repeated all that differ
  std::vector<std::string> failures;  // what went wrong with the runs themselves
  double seconds = 0;
  bool interrupted = false;
};

// How many tests through how many entries that makes, before GoogleTest's filter.
std::size_t count_tests(const Selection& selection);
SuitesResult run_suites(const Setting& setting, const Selection& selection,
                        const std::function<void(const Progress&)>& show);

// For Case: where results go in the process of a shard.
void send_result(const TestResult& result);

}  // namespace aio::suites
