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
  const std::string id = old.exercised.front();
  const SavedReport known = with(id);
  EXPECT_EQ(judged(with(id), &known).end, GateEnd::kPass);
  const GateResult fixed = judged(clean(), &known);
  EXPECT_EQ(fixed.end, GateEnd::kPass);
  ASSERT_FALSE(fixed.notes.empty());
  EXPECT_TRUE(fixed.notes[0].starts_with("gone: " + id));
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
  const WaiverList others = waivers("[[waiver]]\nrequirement = \"io_submit.*\"\nkernels = [\"5.10.*\"]\n" + kReason);
  EXPECT_EQ(judged(clean(), nullptr, others, strict).end, GateEnd::kPass) << "it is about another kernel";
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

TEST(Gate, a_report_that_says_nothing_does_not_pass) {
  SavedReport nothing = clean();
  nothing.exercised.clear();
  nothing.summary.suites = {};
  EXPECT_EQ(judged(nothing).end, GateEnd::kLess);
  SavedReport old = clean();
  old.version = 1;
  EXPECT_EQ(judged(old).end, GateEnd::kLess);
}

TEST(Gate, a_test_that_fails_through_one_more_entry_is_new) {
  SavedReport old = testing::sample_report();
  old.divergences.clear();
  SavedReport now = old;
  SuiteRun more = now.summary.suites.runs[0];
  more.entry = "compat32";
  more.verdict = "fails";
  more.failures = {{"io_setup.nr_zero_is_einval", "suites/io_setup.cpp:63", "it differs", false, ""}};
  more.test = "io_setup.nr_zero_is_einval";
  now.summary.suites.runs.push_back(more);
  EXPECT_EQ(judged(now, &old).end, GateEnd::kRegression);
}

TEST(Gate, a_falsified_run_is_no_evidence) {
  SavedReport lied = clean();
  lied.summary.lie = "submit_einval_as_ebadf";
  EXPECT_EQ(judged(lied).end, GateEnd::kUnusable);
  EXPECT_EQ(judged(clean(), &lied).end, GateEnd::kUnusable);
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

TEST(Gate, a_rule_that_has_ended_and_an_entry_that_is_not_run) {
  SavedReport old = clean();
  old.summary.profile = "6.1";
  old.exercised.push_back("io_getevents.waiter_takes_each_event");
  std::sort(old.exercised.begin(), old.exercised.end());
  SavedReport now = clean();
  EXPECT_EQ(judged(now, &old).end, GateEnd::kPass) << "before 6.8 only";
  now.summary.profile = "6.1";
  EXPECT_EQ(judged(now, &old).end, GateEnd::kLess);
  SavedReport suites = clean();
  MatrixRow row{"ring.order", "", "", {}, 0, false};
  row.entries["native"] = row.entries["libaio"] = {1, 0, 0};
  suites.summary.suites.matrix = {row};
  SavedReport fewer = suites;
  fewer.summary.suites.matrix[0].entries.erase("libaio");
  EXPECT_EQ(judged(suites, &fewer).end, GateEnd::kPass);
  const GateResult less = judged(fewer, &suites);
  EXPECT_EQ(less.end, GateEnd::kLess);
  EXPECT_NE(less.why.find("ring.order (libaio)"), std::string::npos) << less.why;
}

TEST(Fingerprint, is_of_the_calls_and_what_they_submit) {
  const auto of = [](std::vector<std::string> program) {
    SavedDivergence made = divergence("io_submit.counts");
    made.program = std::move(program);
    return fingerprint_of(made);
  };
  const std::string one = of({"io_setup(1, &ctx0)", "io_submit(ctx0, 1, [pread(file, buffers, 512, offset 0)])"});
  EXPECT_EQ(one, of({"io_setup(7, &ctx1)", "io_submit(ctx1, 2, [pread(file, buffers+0x10, 1, offset 9)])"}));
  EXPECT_NE(one, of({"io_setup(1, &ctx0)", "io_submit(ctx0, 1, [poll(file, IN)])"}));
  EXPECT_NE(of({"through(compat32)", "io_destroy(ctx0)"}), of({"through(libaio)", "io_destroy(ctx0)"}));
  SavedDivergence panic = divergence("kernel.survives");
  panic.program.clear();
  panic.seen = "Kernel panic at 0x12";
  SavedDivergence later = panic;
  later.seen = "Kernel panic at 0x99";
  SavedDivergence hang = panic;
  hang.seen = "it cannot be frozen";
  EXPECT_EQ(fingerprint_of(panic), fingerprint_of(later));
  EXPECT_NE(fingerprint_of(panic), fingerprint_of(hang));
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

TEST(Waivers, a_reason_of_several_lines_is_one_in_formats_of_lines) {
  const auto list = read_waivers(
      "[[waiver]]\nrequirement = \"x\"\nreason = \"one\\n::error::two\\u001b[2J\"\nlink = \"https://example.org/\"\n"
      "review_by = 2099-01-01\n",
      "w.toml");
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->waivers.size(), 1U);
  EXPECT_EQ(list->waivers.front().reason, "one ::error::two?[2J");
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
  const auto filled_in = [](std::string text) {
    EXPECT_FALSE(read_waivers(text, "w.toml")) << "as long as it is to be filled in";
    for (std::size_t at; (at = text.find("TODO")) != std::string::npos;) text.replace(at, 4, "known");
    return waivers(text);
  };
  EXPECT_EQ(filled_in(waivers_for(testing::sample_report())).waivers.size(), 2u);
  EXPECT_TRUE(waivers_for(clean()).empty());
  const WaiverList imported = filled_in(waivers_from_list(
      "# known\n*:Aio.Other-Aio.Setup:Aio.Cancel\nio_submit04 # flaky\nio_destroy01,Fail\n-*\nkms_.*\n", "fails.txt"));
  std::vector<std::string> fingerprints;
  for (const Waiver& each : imported.waivers) fingerprints.push_back(each.fingerprint);
  EXPECT_EQ(fingerprints, (std::vector<std::string>{"*/test/Aio.Setup/*", "*/test/Aio.Cancel/*", "*/test/io_submit04/*",
                                                    "*/test/io_destroy01/*", "*/test/kms_*/*"}));
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
