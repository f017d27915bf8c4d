// SPDX-License-Identifier: GPL-2.0-or-later
//
// Calls of two to four threads, or processes that share their memory, at full speed.
// Claims: whatever they are answered, there is an order of their calls' steps by which it is right.
// Provoked by short programs on contexts and eventfds that all share, drawn from the run's seed; each history is judged
// by all orders at once (properties/history_check.h). Signals hit calls, rings are moved, and in an eighth of the
// programs the process dies in the midst of it.
// Not seen: requests that a file system holds, and a ring that is full.
#include <algorithm>

#include "properties/free_campaign.h"
#include "properties/free_programs.h"
#include "suites/harness/case.h"
#include "suites/threads.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kHistories = 1000;
constexpr std::chrono::seconds kLongest{10};
constexpr std::uint64_t kTries = 64;  // of a program that is made smaller

}  // namespace

SUITE_TEST(free_lanes, answers_have_an_order, {.holds = {"lanes.answers_have_an_order"}, .entries = kNativeOnly}) {
  use_all(cpus());
  FreeSetting free;
  free.directory = setting().directory;
  free.lie = setting().racing_lie;
  free.processes = free_processes(cpus().count());
  free.patience = setting().patience;
  const std::uint64_t seed = setting().seed;
  const auto programs = [&](std::uint64_t index) { return free_program(seed, index); };
  // The test itself has eight times the patience.
  const auto time = std::min<std::chrono::milliseconds>(kLongest, 2 * free.patience);
  const auto deadline = std::chrono::steady_clock::now() + time;
  const FreeResult result = run_free_programs(free, programs, 0, kHistories, 1, deadline);
  if (!result.problems.empty()) throw std::runtime_error(result.problems.front());
  if (result.programs == 0) throw std::runtime_error("not one history came to an end");
  // Where so much is undecided nothing is known.
  if (result.undecided * 10 > result.programs) throw std::runtime_error("too many histories are undecided");
  if (result.findings.empty()) return;
  const FreeFinding& found = result.findings.front();
  const SmallFree small = minimize_free(free, programs(found.program), found.text, kTries,
                                        std::chrono::steady_clock::now() + 2 * free.patience);
  ADD_FAILURE() << "no order of these calls' steps explains what they were answered (seed " << seed << ", program "
                << found.program << ", made smaller):\n"
                << small.text;
}

}  // namespace aio::suites
