// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/formats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "reports/cases.h"
#include "reports/saved_report_testing.h"

namespace aio {
namespace {

TEST(Formats, are_as_approved) {
  const SavedReport report = testing::sample_report();
  for (const Format& each : formats()) {
    const std::string name = each.file.empty() ? std::string(each.name) + ".txt" : std::string(each.file);
    testing::expect_approved("format-" + name, each.write(report));
  }
}

TEST(Formats, cases_have_names_that_every_format_takes) {
  const std::regex name("[a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)*");
  std::vector<std::string> names;
  for (const Case& each : cases_of(testing::sample_report())) {
    EXPECT_TRUE(std::regex_match(each.full_name(), name)) << each.full_name();
    names.push_back(each.full_name());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Formats, outcomes_are_those_of_the_report) {
  const auto counts = count_ends(cases_of(testing::sample_report()));
  const auto count = [&](CaseEnd outcome) { return counts[static_cast<std::size_t>(outcome)]; };
  EXPECT_EQ(count(CaseEnd::kFail), 2u) << "a test and a requirement";
  EXPECT_EQ(count(CaseEnd::kBroken), 2u) << "a test and the run";
  EXPECT_EQ(count(CaseEnd::kWaived), 0u);
}

TEST(Formats, what_is_waived_is_neither_passed_nor_failed) {
  SavedReport report = testing::sample_report();
  report.divergences[0].waiver = "known";
  report.summary.suites.runs[0].failures[0].waiver = "known";
  const auto counts = count_ends(cases_of(report));
  EXPECT_EQ(counts[static_cast<std::size_t>(CaseEnd::kWaived)], 2u);
  EXPECT_EQ(counts[static_cast<std::size_t>(CaseEnd::kFail)], 0u);
  EXPECT_NE(ktap(report).find("programs.io_setup.returns_zero # XFAIL known"), std::string::npos);
  EXPECT_NE(kcidb(report).find("\"present\": true"), std::string::npos);
}

// A second failure of the same requirement stays one.
TEST(Formats, one_waived_divergence_hides_no_other) {
  SavedReport report = testing::sample_report();
  report.divergences.push_back(report.divergences[0]);
  for (const std::size_t waived : {0u, 1u}) {
    SavedReport half = report;
    half.divergences[waived].waiver = "known";
    EXPECT_NE(ktap(half).find("not ok 9 programs.io_setup.returns_zero\n"), std::string::npos) << ktap(half);
  }
}

TEST(Formats, a_page_says_when_it_was_falsified) {
  SavedReport report = testing::sample_report();
  EXPECT_EQ(html(report).find("FALSIFIED"), std::string::npos);
  report.summary.lie = "submit_einval_as_ebadf";
  for (const auto write : {html, mail, ktap, ltp, junit})
    EXPECT_NE(write(report).find("submit_einval_as_ebadf"), std::string::npos);
}

TEST(Formats, what_a_report_says_is_no_markup) {
  SavedReport report = testing::sample_report();
  report.divergences[0].seen = "<script>alert('x')</script>&\"";
  report.summary.kernel = "</title><b>";
  const std::string page = html(report);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(junit(report).find("&lt;script&gt;"), std::string::npos);
}

TEST(Formats, mail_has_72_columns) {
  const std::string text = mail(testing::sample_report());
  std::size_t longest = 0;
  for (const std::string& line : split_lines(text)) longest = std::max(longest, line.size());
  EXPECT_LE(longest, 72u) << text;
}

}  // namespace
}  // namespace aio
