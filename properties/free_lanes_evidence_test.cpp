// SPDX-License-Identifier: GPL-2.0-or-later
//
// Histories of the running kernel, and of kernels that are wrong where calls meet.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "fixtures/racing_lies.h"
#include "fixtures/seconds_since.h"
#include "properties/free_campaign.h"
#include "properties/free_programs.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kEndless = 1'000'000;
constexpr std::uint64_t kTries = 256;
constexpr std::chrono::seconds kMinimizeTime{120};
constexpr std::size_t kMostOperations = 8;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const wanted = std::getenv(variable);
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : otherwise;
}

FreeSetting setting() {
  FreeSetting made;
  made.processes = free_processes(std::max(1U, std::thread::hardware_concurrency()));
  return made;
}

FreeSource programs_of(std::uint64_t seed) {
  return [seed](std::uint64_t index) { return free_program(seed, index); };
}

TEST(FreeLanesAlone, histories_of_this_kernel_are_explained) {
  const std::uint64_t count = number_from("AIO_CTS_HISTORIES", 200'000);
  const Clock::time_point start = Clock::now();
  const FreeResult result = run_free_programs(setting(), programs_of(1), 0, count, 5);
  std::printf("%lu histories in %.0f s, %lu undecided, %lu configurations each\n", result.programs,
              seconds_since(start), result.undecided, result.configurations / count);
  for (const FreeFinding& each : result.findings) ADD_FAILURE() << "program " << each.program << "\n" << each.text;
  for (const std::string& each : result.problems) ADD_FAILURE() << each;
  EXPECT_EQ(result.programs, count);
  EXPECT_LT(result.undecided * 100, count);
}

class RacingLies : public testing::TestWithParam<Lie> {};

TEST_P(RacingLies, are_found_and_made_small) {
  FreeSetting wrong = setting();
  wrong.lie = GetParam().id;
  const std::uint64_t seeds = number_from("AIO_CTS_SEEDS", 5);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Clock::time_point start = Clock::now();
    const FreeResult result =
        run_free_programs(wrong, programs_of(seed), 0, kEndless, 1, start + std::chrono::seconds(30));
    ASSERT_TRUE(result.problems.empty()) << result.problems.front();
    ASSERT_FALSE(result.findings.empty()) << "seed " << seed << ": not in " << result.programs << " programs";
    const FreeFinding& found = result.findings.front();
    const double found_after = seconds_since(start);
    const SmallFree small =
        minimize_free(wrong, free_program(seed, found.program), found.text, kTries, Clock::now() + kMinimizeTime);
    const std::size_t operations = calls_in(small.program);
    std::printf("%s\tseed %lu\t%.2f s\t%lu programs\t%zu operations\t%.1f s\n", wrong.lie.c_str(), seed, found_after,
                result.programs, operations, seconds_since(start));
    if (seed == 1) std::printf("%s\n", small.text.c_str());
    EXPECT_LE(operations, kMostOperations) << small.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Alone, RacingLies, testing::ValuesIn(racing_lies().begin(), racing_lies().end()),
                         [](const auto& lie) { return std::string(lie.param.id); });

}  // namespace
}  // namespace aio
