// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/merge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reports/saved_report_testing.h"

namespace aio {
namespace {

SavedReport shard(std::uint64_t number, std::uint64_t of = 3) {
  SavedReport report = testing::sample_report();
  report.summary.shards = of;
  report.summary.shard_numbers = {number};
  report.summary.incomplete.clear();
  return report;
}

SavedReport merged(const std::vector<SavedReport>& shards) {
  Merge merge;
  for (const SavedReport& each : shards) merge.add(each);
  return merge.take();
}

TEST(Merge, sums_what_was_counted) {
  SavedReport second = shard(1);
  second.summary.program_hash = UINT64_MAX;
  second.summary.undecided = {{"something else", 2}};
  second.summary.seconds = 0.13;
  second.summary.started = "2026-01-01T00:00:00+00:00";
  const SavedReport whole = merged({shard(0), second, shard(2)});
  EXPECT_EQ(whole.summary.programs, 3 * 12'345u);
  EXPECT_EQ(whole.summary.program_hash, 2 * 0x0123456789abcdef - 1);
  EXPECT_EQ(whole.summary.operations, 3 * 1'234'567u);
  EXPECT_EQ(whole.summary.judged_exactly, 3 * 1'230'000u);
  EXPECT_EQ(whole.summary.judged_by_set, 3 * 4'000u);
  EXPECT_EQ(whole.summary.widened, 3 * 500u);
  const std::map<std::string, std::uint64_t> undecided{{"aio-nr moved by others", 134}, {"something else", 2}};
  EXPECT_EQ(whole.summary.undecided, undecided);
  EXPECT_EQ(whole.summary.left_out.begin()->second, 9u);
  EXPECT_EQ(whole.summary.refusals.begin()->second, 6u);
  EXPECT_NEAR(whole.summary.seconds, 2 * 59.87 + 0.13, 1e-9);
  EXPECT_EQ(whole.summary.started, second.summary.started);
  EXPECT_EQ(whole.summary.flaky.size(), 3u);
  EXPECT_EQ(whole.summary.shard_numbers, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_TRUE(whole.summary.incomplete.empty());
}

TEST(Merge, says_which_shards_are_missing_and_which_were_incomplete) {
  SavedReport third = shard(3, 9);
  third.summary.incomplete = {"a test could not be completed"};
  const SavedReport whole = merged({shard(2, 9), third, shard(7, 9)});
  EXPECT_EQ(whole.summary.incomplete, (std::vector<std::string>{"shard 3: a test could not be completed",
                                                                "6 of 9 shards are missing: 0-1, 4-6, 8"}));
}

TEST(Merge, a_requirement_is_exercised_if_one_shard_did) {
  SavedReport second = shard(1);
  second.exercised = {"ring.order"};
  second.not_exercised = {"io_setup.returns_zero"};
  second.excluded = {{"io_setup.returns_zero", "not on this machine"}, {"rw.direct", "no O_DIRECT"}};
  const SavedReport whole = merged({shard(0), second});
  EXPECT_NE(std::find(whole.exercised.begin(), whole.exercised.end(), "ring.order"), whole.exercised.end());
  EXPECT_EQ(whole.exercised.size(), 4u);
  EXPECT_EQ(whole.not_exercised.size(), 1u);
  EXPECT_EQ(whole.applicable, 5u);
  // What one of them looked at is not excluded.
  ASSERT_EQ(whole.excluded.size(), 2u);
  EXPECT_EQ(whole.excluded[1].requirement, "rw.direct");
}

TEST(Merge, keeps_the_shortest_program_of_each_divergence) {
  SavedReport second = shard(1);
  SavedDivergence& shorter = second.divergences.front();
  shorter.program.pop_back();
  shorter.trace = "shorter.json";
  SavedReport third = shard(2);
  third.divergences.push_back(third.divergences.front());
  third.divergences.back().kind = "errno";
  for (const auto& shards : {std::vector{shard(0), second, third}, std::vector{third, second, shard(0)}}) {
    Merge merge;
    for (const SavedReport& each : shards) merge.add(each);
    const SavedReport whole = merge.take();
    ASSERT_EQ(whole.divergences.size(), 2u);
    EXPECT_EQ(whole.divergences[0].kind, "count");
    EXPECT_EQ(whole.divergences[0].trace, "shorter.json");
    EXPECT_EQ(whole.divergences[0].shards, 3u);
    EXPECT_EQ(whole.divergences[1].shards, 1u);
    EXPECT_EQ(merge.found_by(), (std::vector<std::uint64_t>{1, 2}));
    // And what a test of the suites saw broken.
    EXPECT_EQ(whole.summary.divergences, 3u);
  }
}

TEST(Merge, a_program_that_shows_it_is_worth_more_than_none) {
  SavedReport with = shard(0);
  SavedReport without = shard(1);
  with.divergences.resize(1);
  without.divergences = with.divergences;
  without.divergences[0].program.clear();
  without.divergences[0].repeats_shown = without.divergences[0].repeats_of = 0;
  ASSERT_FALSE(with.divergences[0].program.empty());
  EXPECT_EQ(merged({with, without}).divergences[0].program, with.divergences[0].program);
  EXPECT_EQ(merged({without, with}).divergences[0].program, with.divergences[0].program);
}

TEST(Merge, a_test_that_several_made_ended_as_gravely_as_in_any) {
  SavedReport second = shard(1);
  second.summary.suites.runs.erase(second.summary.suites.runs.begin() + 2);
  second.summary.suites.runs[0].verdict = "holds";
  second.summary.suites.runs[1].verdict = "broken";
  second.summary.suites.runs.push_back({"rw.more", "native", "holds", "", {}, 0.5});
  const SavedReport whole = merged({shard(0), second});
  ASSERT_EQ(whole.summary.suites.runs.size(), 6u);
  EXPECT_EQ(whole.summary.suites.runs[0].entry, "libaio");
  EXPECT_EQ(whole.summary.suites.runs[0].verdict, "broken");
  EXPECT_EQ(whole.summary.suites.runs[1].verdict, "fails");
  EXPECT_EQ(whole.summary.suites.runs[2].test, "ring.order");
}

TEST(Merge, what_one_shard_looked_at_was_looked_at) {
  SavedReport first = shard(0);
  SavedReport second = shard(1);
  const MatrixRow idle{"ring.order", "", "no test of it was chosen", {{"native", {}}}, 0, false};
  MatrixRow skipped = idle;
  skipped.not_run = "it needs what is not here: direct";
  MatrixRow busy = idle;
  busy.not_run = "";
  busy.entries["native"].held = 2;
  busy.random = 7;
  first.summary.suites.matrix = {idle, idle};
  first.summary.suites.matrix[1].requirement = "rw.locks";
  second.summary.suites.matrix = {busy, skipped};
  second.summary.suites.matrix[1].requirement = "rw.locks";
  const std::vector<MatrixRow> rows = merged({first, second}).summary.suites.matrix;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].not_run, "");
  EXPECT_EQ(rows[0].entries.at("native").held, 2u);
  EXPECT_EQ(rows[0].random, 7u);
  EXPECT_EQ(rows[1].not_run, "it needs what is not here: direct");
}

TEST(Merge, does_not_depend_on_the_order) {
  std::vector<SavedReport> shards;
  for (std::uint64_t i = 0; i < 3; ++i) {
    shards.push_back(shard(i));
    RunSummary& summary = shards.back().summary;
    summary.seconds = 0.1 * static_cast<double>(i);
    summary.suites.seconds = 0.7;
    summary.file_system = i == 1 ? "ext4" : "tmpfs";
    summary.profile_notes = {fmt::format("note {}", i)};
    summary.incomplete = {fmt::format("trouble {}", i)};
    summary.suites.runs[0].seconds += static_cast<double>(i);
    summary.suites.matrix[1].why_not = fmt::format("reason {}", i);
    summary.flaky[0].how = fmt::format("program {}", i);
    shards.back().excluded[0].why = fmt::format("reason {}", i);
    shards.back().divergences[0].seen = fmt::format("seen by {}", i);
  }
  const std::string wanted = json_report(merged(shards));
  std::vector<std::size_t> order{0, 1, 2};
  do {
    EXPECT_EQ(json_report(merged({shards[order[0]], shards[order[1]], shards[order[2]]})), wanted);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Merge, tells_a_shard_of_another_run_by_what_differs) {
  const RunSummary one = shard(0).summary;
  EXPECT_EQ(foreign(one, shard(1).summary), "");
  RunSummary other = shard(1).summary;
  other.kernel_build = "#2 SMP";
  EXPECT_EQ(foreign(one, other), "its kernel build is '#2 SMP' instead of ''");
  EXPECT_EQ(foreign(one, shard(1, 4).summary), "its number of shards is '4' instead of '3'");
  for (std::string RunSummary::*const member :
       {&RunSummary::tool, &RunSummary::kernel, &RunSummary::implementation, &RunSummary::profile, &RunSummary::request,
        &RunSummary::lie, &RunSummary::mutant}) {
    other = shard(1).summary;
    other.*member = "another";
    EXPECT_NE(foreign(one, other), "");
  }
}

TEST(Merge, numbers_are_told_in_ranges) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({3}), "3");
  EXPECT_EQ(ranges_text({0, 1, 2, 7, 9, 10}), "0-2, 7, 9-10");
}

}  // namespace
}  // namespace aio
