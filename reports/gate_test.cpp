// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/gate.h"

#include <gtest/gtest.h>

#include "reports/comparison.h"
#include "reports/saved_report_testing.h"

namespace aio {
namespace {

constexpr const char* kToday = "2026-06-01";

SavedReport clean() {
  SavedReport report = testing::sample_report();
  report.divergences.clear();
  report.summary.suites = {};
  report.summary.incomplete.clear();
  report.summary.flaky.clear();
  return report;
}

SavedDivergence divergence(const std::string& requirement) {
  SavedDivergence made = testing::sample_report().divergences[0];
  made.requirement = requirement;
  made.fingerprint = fingerprint_of(made);
  return made;
}

SavedReport with(const std::string& requirement) {
  SavedReport report = clean();
  report.divergences.push_back(divergence(requirement));
  return report;
}

WaiverList waivers(const std::string& text) {
  const auto list = read_waivers(text, "waivers.toml");
  EXPECT_TRUE(list) << list.error().text();
  return list ? *list : WaiverList();
}

const std::string kReason = "reason = \"known\"\nlink = \"https://example.org/1\"\n";

GateResult judged(SavedReport report, const SavedReport* baseline = nullptr, const WaiverList& list = {},
                  const GateOptions& options = {}) {
  const auto uses = apply_waivers(list, kToday, report);
  return judge_gate(report, baseline, list, uses, kToday, options);
}

TEST(Gate, passes_what_has_nothing_new) {
  const SavedReport old = clean();
  EXPECT_EQ(judged(clean()).end, GateEnd::kPass);
  EXPECT_EQ(judged(clean(), &old).end, GateEnd::kPass);
  const SavedReport known = with("io_submit.counts");
  EXPECT_EQ(judged(with("io_submit.counts"), &known).end, GateEnd::kPass);
  const GateResult fixed = judged(clean(), &known);
  EXPECT_EQ(fixed.end, GateEnd::kPass);
  ASSERT_FALSE(fixed.notes.empty());
  EXPECT_TRUE(fixed.notes[0].starts_with("gone: io_submit.counts"));
}

TEST(Gate, stops_what_is_new) {
  const SavedReport old = clean();
  const SavedReport other = with("io_cancel.key_mismatch");
  EXPECT_EQ(judged(with("io_submit.counts")).end, GateEnd::kRegression);
  EXPECT_EQ(judged(with("io_submit.counts"), &old).end, GateEnd::kRegression);
  const GateResult result = judged(with("io_submit.counts"), &other);
  EXPECT_EQ(result.end, GateEnd::kRegression);
  EXPECT_NE(result.why.find("1 new divergence: io_submit.counts/"), std::string::npos) << result.why;
}

TEST(Gate, a_test_that_fails_is_a_finding) {
  SavedReport report = testing::sample_report();
  report.divergences.clear();
  const GateResult result = judged(report);
  EXPECT_EQ(result.end, GateEnd::kRegression);
  EXPECT_NE(result.why.find("io_setup.nr_zero_is_einval/test/"), std::string::npos) << result.why;
}

TEST(Gate, a_waiver_excuses_what_it_names_and_nothing_else) {
  const WaiverList list = waivers("[[waiver]]\nrequirement = \"io_submit.*\"\n" + kReason);
  EXPECT_EQ(judged(with("io_submit.counts"), nullptr, list).end, GateEnd::kPass);
  SavedReport two = with("io_submit.counts");
  two.divergences.push_back(divergence("io_cancel.key_mismatch"));
  EXPECT_EQ(judged(two, nullptr, list).end, GateEnd::kRegression);
  const std::string exact = divergence("io_submit.counts").fingerprint;
  const WaiverList one = waivers("[[waiver]]\nfingerprint = \"" + exact + "\"\n" + kReason);
  EXPECT_EQ(judged(with("io_submit.counts"), nullptr, one).end, GateEnd::kPass);
  SavedReport shape = with("io_submit.counts");
  shape.divergences[0].program.push_back("io_destroy(ctx0)");
  shape.divergences[0].fingerprint = fingerprint_of(shape.divergences[0]);
  EXPECT_EQ(judged(shape, nullptr, one).end, GateEnd::kRegression) << "another finding of the same requirement";
}

TEST(Gate, a_waiver_ends_with_its_date_kernel_and_profile) {
  const auto ends = [](const std::string& more) {
    return judged(with("io_submit.counts"), nullptr,
                  waivers("[[waiver]]\nrequirement = \"io_submit.counts\"\n" + kReason + more))
        .end;
  };
  EXPECT_EQ(ends("review_by = 2026-06-01\n"), GateEnd::kPass);
  EXPECT_EQ(ends("review_by = 2026-05-31\n"), GateEnd::kRegression);
  EXPECT_EQ(ends("kernels = [\"6.18.*\"]\n"), GateEnd::kPass);
  EXPECT_EQ(ends("kernels = [\"6.1.*\", \"5.*\"]\n"), GateEnd::kRegression);
  EXPECT_EQ(ends("profiles = [\"6.18\"]\n"), GateEnd::kPass);
  EXPECT_EQ(ends("profiles = [\"6.12\"]\n"), GateEnd::kRegression);
}

TEST(Gate, stale_waivers_are_said_and_fail_where_asked) {
  const WaiverList list = waivers("[[waiver]]\nrequirement = \"io_submit.*\"\n" + kReason);
  const GateResult mild = judged(clean(), nullptr, list);
  EXPECT_EQ(mild.end, GateEnd::kPass);
  ASSERT_EQ(mild.notes.size(), 1u);
  EXPECT_TRUE(mild.notes[0].starts_with("waivers.toml:1: ")) << mild.notes[0];
  GateOptions strict;
  strict.strict_waivers = true;
  EXPECT_EQ(judged(clean(), nullptr, list, strict).end, GateEnd::kLess);
  EXPECT_EQ(judged(with("io_submit.counts"), nullptr, list, strict).end, GateEnd::kPass);
}

TEST(Gate, a_run_that_says_less_does_not_pass) {
  SavedReport incomplete = clean();
  incomplete.summary.incomplete = {"interrupted"};
  EXPECT_EQ(judged(incomplete).end, GateEnd::kLess);
  SavedReport flaky = clean();
  flaky.summary.flaky = {{"io_submit.counts", "count", "once"}};
  EXPECT_EQ(judged(flaky).end, GateEnd::kLess);
  GateOptions patient;
  patient.most_flaky = 1;
  EXPECT_EQ(judged(flaky, nullptr, {}, patient).end, GateEnd::kPass);
  const SavedReport old = clean();
  SavedReport less = clean();
  less.not_exercised.push_back(less.exercised.back());
  less.exercised.pop_back();
  const GateResult lost = judged(less, &old);
  EXPECT_EQ(lost.end, GateEnd::kLess);
  EXPECT_NE(lost.why.find("exercised before and not now"), std::string::npos);
  EXPECT_EQ(judged(old, &less).end, GateEnd::kPass) << "more than before";
}

TEST(Gate, a_falsified_run_is_no_evidence) {
  SavedReport lied = clean();
  lied.summary.lie = "submit_einval_as_ebadf";
  EXPECT_EQ(judged(lied).end, GateEnd::kUnusable);
}

TEST(Gate, another_kernel_is_compared_and_said) {
  const SavedReport old = clean();
  SavedReport newer = clean();
  newer.summary.kernel = "6.19.0";
  const GateResult result = judged(newer, &old);
  EXPECT_EQ(result.end, GateEnd::kPass);
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_NE(result.notes[0].find("another kernel: 6.18.44"), std::string::npos);
}

TEST(Waivers, what_is_wrong_in_a_file_is_named_with_its_line) {
  const auto reason = [](const std::string& text) {
    const auto list = read_waivers(text, "w.toml");
    return list ? std::string("it was read") : list.error().text();
  };
  EXPECT_NE(reason("[[waiver]]\nrequirement = \"x\"\nreason = \"y\"\n").find("w.toml:1: "), std::string::npos);
  EXPECT_NE(reason("[[waiver]]\nrequirement = \"x\"\n" + kReason + "review_by = \"soon\"\n").find("w.toml:5: "),
            std::string::npos);
  EXPECT_NE(reason("[[waiver]]\n" + kReason).find("either a fingerprint or a requirement"), std::string::npos);
  EXPECT_NE(reason("[[waiver]]\nrequirment = \"x\"\n" + kReason).find("there is no member \"requirment\""),
            std::string::npos);
  EXPECT_NE(reason("[[waver]]\n").find("\"waver\" is unknown"), std::string::npos);
  EXPECT_NE(reason("[[waiver\n").find("w.toml:1: "), std::string::npos);
  EXPECT_NE(reason("").find("it was read"), std::string::npos);
}

TEST(Waivers, patterns_match_the_whole) {
  EXPECT_TRUE(matches("io_submit.*", "io_submit.counts"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches("6.1.?", "6.1.5"));
  EXPECT_FALSE(matches("6.1.?", "6.1.50"));
  EXPECT_FALSE(matches("io_submit", "io_submit.counts"));
  EXPECT_FALSE(matches("", "x"));
}

TEST(Waivers, updates_and_imports_are_read_again_once_filled_in) {
  EXPECT_EQ(waivers(waivers_for(testing::sample_report())).waivers.size(), 2u);
  EXPECT_TRUE(waivers_for(clean()).empty());
  const WaiverList imported =
      waivers(waivers_from_list("# known\nAio.Setup:Aio.Cancel\nio_submit04 # flaky\n", "fails.txt"));
  ASSERT_EQ(imported.waivers.size(), 3u);
  EXPECT_EQ(imported.waivers[1].fingerprint, "*/test/Aio.Cancel");
}

TEST(Comparison, tells_new_gone_and_same) {
  SavedReport old = with("io_submit.counts");
  old.divergences.push_back(divergence("io_cancel.key_mismatch"));
  SavedReport now = with("io_submit.counts");
  now.divergences.push_back(divergence("ring.tail"));
  now.not_exercised.push_back(now.exercised.back());
  now.exercised.pop_back();
  now.summary.seconds = old.summary.seconds / 2;
  const Comparison found = compare(old, now);
  EXPECT_EQ(found.fresh, std::vector{now.divergences[1].fingerprint});
  EXPECT_EQ(found.gone, std::vector{old.divergences[1].fingerprint});
  EXPECT_EQ(found.same, std::vector{old.divergences[0].fingerprint});
  EXPECT_EQ(found.exercised, -1);
  EXPECT_NEAR(found.speed, 2, 0.01);
  EXPECT_TRUE(found.differs());
  EXPECT_FALSE(compare(old, old).differs());
  for (const auto write : {comparison_text, comparison_json, comparison_html}) {
    const std::vector<SavedReport> both{old, now};
    EXPECT_NE(write(both).find(now.divergences[1].fingerprint), std::string::npos);
  }
}

}  // namespace
}  // namespace aio
