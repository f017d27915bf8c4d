// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/target.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/progress.h"

namespace aio::cli {
namespace {

TEST(RunDirectory, is_the_given_one_or_one_that_can_be_written_to) {
  EXPECT_EQ(run_directory(testing::TempDir()), testing::TempDir());
  EXPECT_EQ(::access(run_directory("").c_str(), W_OK), 0);
}

TEST(RunDirectory, one_that_is_not_there_is_wrong_usage) {
  try {
    run_directory("/nowhere");
    FAIL() << "it was taken";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit(), Exit::kUsage);
  }
}

TEST(Progress, fits_on_a_line_whatever_the_numbers) {
  CampaignProgress progress;
  progress.doing = "minimizing";
  progress.seconds = 1e9;
  progress.tally.programs = UINT64_MAX;
  progress.tally.operations = UINT64_MAX;
  EXPECT_LT(progress_text(progress).size(), 80U);
  progress = {};
  progress.doing = "running";
  progress.seconds = 12;
  progress.tally.programs = 1234567;
  progress.findings = 1;
  EXPECT_EQ(progress_text(progress), "running 12 s: 1,234,567 programs, 0 operations, 1 divergence");
  progress.suspects = 2;
  EXPECT_EQ(progress_text(progress), "running 12 s: 1,234,567 programs, 0 operations, 1 divergence, 2 to confirm");
}

}  // namespace
}  // namespace aio::cli
