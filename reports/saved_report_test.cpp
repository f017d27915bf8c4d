// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/saved_report.h"

#include <gtest/gtest.h>

#include "reports/saved_report_testing.h"

namespace aio {
namespace {

TEST(SavedReport, has_all_that_was_written) {
  const SavedReport report = testing::sample_report();
  const RunSummary wrote = testing::sample_run();
  const RunSummary& read = report.summary;
  EXPECT_EQ(report.version, kReportVersion);
  EXPECT_EQ(read.kernel, wrote.kernel);
  EXPECT_EQ(read.seed, wrote.seed);
  EXPECT_EQ(read.program_hash, wrote.program_hash);
  EXPECT_EQ(read.undecided, wrote.undecided);
  EXPECT_EQ(read.incomplete, wrote.incomplete);
  EXPECT_EQ(read.started, wrote.started);
  EXPECT_EQ(read.usable_cpus, wrote.usable_cpus);
  ASSERT_EQ(read.flaky.size(), 1u);
  EXPECT_EQ(read.flaky[0].how, wrote.flaky[0].how);
  EXPECT_DOUBLE_EQ(read.seconds, wrote.seconds);
  EXPECT_EQ(report.exercised.size(), 3u);
  EXPECT_EQ(report.not_exercised.size(), 1u);
  ASSERT_EQ(report.excluded.size(), 1u);
  EXPECT_EQ(report.excluded[0].why, wrote.excluded[0].why);
  ASSERT_EQ(read.suites.runs.size(), wrote.suites.runs.size());
  EXPECT_EQ(read.suites.runs[0].failures[0].text, wrote.suites.runs[0].failures[0].text);
  EXPECT_EQ(read.suites.matrix.size(), wrote.suites.matrix.size());
  ASSERT_EQ(report.divergences.size(), 1u);
  const SavedDivergence& divergence = report.divergences[0];
  EXPECT_EQ(divergence.requirement, "io_setup.returns_zero");
  EXPECT_EQ(divergence.repeats_shown, 37u);
  EXPECT_EQ(divergence.program.size(), 3u);
  EXPECT_EQ(divergence.steps.size(), 3u);
  EXPECT_EQ(divergence.trace, "divergence-1-io_setup.returns_zero.json");
}

TEST(SavedReport, is_written_as_it_was_read) {
  EXPECT_EQ(json_report(testing::sample_report()), testing::sample_text());
}

TEST(SavedReport, fingerprints_are_of_requirement_kind_and_calls) {
  SavedDivergence one;
  one.requirement = "io_submit.counts";
  one.kind = "count";
  one.program = {"io_setup(1, &ctx0)", "io_submit(ctx0, 1, [poll(event, IN)])"};
  SavedDivergence other = one;
  other.program[1] = "io_submit(ctx0, 2, [poll(pipe, OUT)])";
  other.seen = "something else";
  EXPECT_EQ(fingerprint_of(one), fingerprint_of(other));
  EXPECT_TRUE(fingerprint_of(one).starts_with("io_submit.counts/count/"));
  other.program.pop_back();
  EXPECT_NE(fingerprint_of(one), fingerprint_of(other));
  other = one;
  other.kind = "errno";
  EXPECT_NE(fingerprint_of(one), fingerprint_of(other));
}

TEST(SavedReport, the_first_version_is_still_read) {
  const auto report = load_report("reports/approved/report-version-1.json");
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->version, 1);
  EXPECT_EQ(report->summary.kernel, "6.18.44");
  EXPECT_TRUE(report->summary.tool.empty());
  ASSERT_EQ(report->divergences.size(), 1u);
  EXPECT_TRUE(report->divergences[0].steps.empty());
  EXPECT_FALSE(report->divergences[0].fingerprint.empty());
}

TEST(SavedReport, the_second_version_is_a_whole_run) {
  const auto report = load_report("reports/approved/report-version-2.json");
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->version, 2);
  EXPECT_EQ(report->summary.shards, 1u);
  EXPECT_TRUE(missing_shards(report->summary).empty());
  EXPECT_FALSE(report->divergences.at(0).steps.empty());
  EXPECT_EQ(report->summary.abstract_states, 0u);
  EXPECT_TRUE(report->summary.corpus.empty());
}

TEST(SavedReport, what_is_no_report_is_refused_with_its_line) {
  const std::string whole = testing::sample_text();
  const auto reason = [](std::string_view text) {
    const auto report = read_report(text, "report.json");
    return report ? std::string("it was read") : report.error().text();
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    text.replace(text.find(from), from.size(), to);
    return reason(text);
  };
  EXPECT_NE(reason(whole.substr(0, whole.size() / 2)).find("report.json:"), std::string::npos);
  EXPECT_NE(reason("{}").find("\"version\" is missing"), std::string::npos);
  EXPECT_NE(reason("").find("report.json"), std::string::npos);
  EXPECT_NE(with("\"version\": 3", "\"version\": 4").find("known here: 1 to 3"), std::string::npos);
  EXPECT_NE(with("\"seed\": 42", "\"seed\": \"x\"").find("\"seed\""), std::string::npos);
  EXPECT_NE(with("\"of\": 1", "\"of\": 0").find("\"here\" has other numbers than some below 0"), std::string::npos);
  EXPECT_NE(with("\"seed\": 42", "\"sead\": 42").find("\"seed\" is missing"), std::string::npos);
  EXPECT_NE(with("\"seed\": 42", "\"seed\": 42, \"more\": 1").find("unknown member \"more\""), std::string::npos);
  EXPECT_NE(with("\"trace\": \"divergence", "\"trace\": \"../divergence").find("has other letters than"),
            std::string::npos);
  EXPECT_NE(load_report("/nowhere").error().text().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace aio
