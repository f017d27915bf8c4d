// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/free_campaign.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "fixtures/racing_lies.h"
#include "properties/free_programs.h"

namespace aio {
namespace {

constexpr std::uint64_t kEndless = 1'000'000;

FreeSetting setting() {
  FreeSetting made;
  made.processes = free_processes(std::max(1U, std::thread::hardware_concurrency()));
  return made;
}

// Another one each day.
std::uint64_t seed() {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(today.time_since_epoch().count());
}

FreeSource programs() {
  return [](std::uint64_t index) { return free_program(seed(), index); };
}

TEST(FreeLanes, histories_of_this_kernel_are_explained) {
  constexpr std::uint64_t kCount = 500;
  const FreeResult result = run_free_programs(setting(), programs(), 0, kCount, 1);
  EXPECT_EQ(result.programs, kCount);
  for (const FreeFinding& each : result.findings) {
    ADD_FAILURE() << "seed " << seed() << ", program " << each.program << "\n" << each.text;
  }
  for (const std::string& each : result.problems) ADD_FAILURE() << each;
  EXPECT_LT(result.undecided * 100, kCount);
}

TEST(FreeLanes, a_wait_for_ever_gets_its_events_in_the_end) {
  const auto waits_for_ever = [](std::uint64_t) {
    FreeProgram program;
    HistoryCall call;
    call.min_nr = call.nr = 3;
    call.waits = call.for_ever = true;
    program.lanes = {{call}};
    program.pauses = {{0}};
    return program;
  };
  const FreeResult result = run_free_programs(setting(), waits_for_ever, 0, 1, 1);
  EXPECT_EQ(result.programs, 1U);
  EXPECT_TRUE(result.findings.empty()) << result.findings.front().text;
}

// A wait for ever, and beside it submissions of polls that give no event.
FreeProgram wait_beside_polls(std::uint64_t /*index*/) {
  FreeProgram program;
  program.eventfds = 1;
  HistoryCall wait;
  wait.min_nr = wait.nr = 1;
  wait.waits = wait.for_ever = true;
  program.lanes = {{wait}, {}};
  for (RequestNumber number = 1; number <= 20; ++number) {
    HistoryCall& submits = program.lanes[1].emplace_back();
    submits.kind = HistoryCall::Kind::kSubmit;
    submits.lane = 1;
    submits.requests = {{HistoryRequest::Kind::kPoll, number, 0, 1}};
  }
  program.pauses = {{0}, std::vector<std::uint16_t>(program.lanes[1].size())};
  return program;
}

TEST(FreeLanes, a_call_that_does_not_return_is_found) {
  FreeSetting wrong = setting();
  wrong.lie = "race_wait_not_woken";
  wrong.patience = std::chrono::seconds(1);
  // Long over when it is known that the call does not return.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
  const FreeResult result = run_free_programs(wrong, wait_beside_polls, 0, kEndless, 1, deadline);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings.front().text.find("<- it never returned"), std::string::npos)
      << result.findings.front().text;
}

TEST(FreeLanes, a_process_that_dies_is_found) {
  const auto dies = [](std::uint64_t index) {
    if (index == 3) ::raise(SIGKILL);
    return free_program(1, index);
  };
  const FreeResult result = run_free_programs(setting(), dies, 0, 8, 1);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().program, 3U);
  EXPECT_EQ(result.findings.front().text, "its process died: SIGKILL\n");
}

// A poll that is woken, or not, and is counted when its process ends in this way.
FreeSource dying(HistoryCall::Death how) {
  return [how](std::uint64_t index) {
    FreeProgram program;
    program.eventfds = program.counters = 1;
    HistoryCall submit;
    submit.kind = HistoryCall::Kind::kSubmit;
    submit.requests = {{HistoryRequest::Kind::kPoll, 1, 0, 1, 0}};
    HistoryCall wake;
    wake.kind = HistoryCall::Kind::kWrite;
    HistoryCall die;
    die.kind = HistoryCall::Kind::kDie;
    die.death = how;
    program.lanes = {{submit, die}};
    if (index % 2 != 0) program.lanes.front().insert(program.lanes.front().begin() + 1, wake);
    program.pauses = {std::vector<std::uint16_t>(program.lanes.front().size())};
    return program;
  };
}

TEST(FreeLanes, a_request_that_is_not_counted_when_its_process_ends_is_found) {
  for (const auto how : {HistoryCall::Death::kExit, HistoryCall::Death::kKill, HistoryCall::Death::kExec}) {
    const FreeResult right = run_free_programs(setting(), dying(how), 0, 16, 1);
    EXPECT_EQ(right.programs, 16U);
    EXPECT_TRUE(right.findings.empty()) << right.findings.front().text;
    FreeSetting wrong = setting();
    wrong.lie = "race_counted_late";
    wrong.patience = std::chrono::seconds(1);
    const FreeResult found = run_free_programs(wrong, dying(how), 0, 16, 1);
    EXPECT_FALSE(found.findings.empty());
  }
}

TEST(FreeLanes, what_cannot_be_run_is_no_finding) {
  FreeSetting nowhere = setting();
  nowhere.directory = "/nowhere";
  const FreeResult result = run_free_programs(nowhere, programs(), 0, 8, 1);
  EXPECT_TRUE(result.findings.empty());
  ASSERT_FALSE(result.problems.empty());
  EXPECT_NE(result.problems.front().find("/nowhere"), std::string::npos) << result.problems.front();
}

class RacingLies : public testing::TestWithParam<Lie> {};

TEST_P(RacingLies, are_found) {
  FreeSetting wrong = setting();
  wrong.lie = GetParam().id;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const FreeResult result = run_free_programs(wrong, programs(), 0, kEndless, 1, deadline);
  ASSERT_TRUE(result.problems.empty()) << result.problems.front();
  EXPECT_FALSE(result.findings.empty()) << "seed " << seed() << ": not in " << result.programs << " programs";
}

INSTANTIATE_TEST_SUITE_P(Each, RacingLies, testing::ValuesIn(racing_lies().begin(), racing_lies().end()),
                         [](const auto& lie) { return std::string(lie.param.id); });

}  // namespace
}  // namespace aio
