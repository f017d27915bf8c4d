// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/report_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/report_testing.h"
#include "reports/trace_reader.h"

namespace aio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ReportDirectoryTest : public ::testing::Test {
 protected:
  ReportDirectoryTest() {
    std::string name = (fs::temp_directory_path() / "aio-report-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) top_ = name;
  }
  ~ReportDirectoryTest() override {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }
  std::string text(const std::string& name) const {
    std::stringstream stream;
    stream << std::ifstream(top_ / "r" / name).rdbuf();
    return stream.str();
  }
  std::string path() const { return (top_ / "r").string(); }

  fs::path top_;
};

TEST_F(ReportDirectoryTest, HoldsReportResultsTracesAndReproducers) {
  auto directory = ReportDirectory::open(path());
  ASSERT_TRUE(directory) << directory.error();
  const auto finding = directory->add_divergence(testing::sample_finding().trace);
  ASSERT_TRUE(finding) << finding.error();
  ASSERT_TRUE(directory->finish(testing::sample_summary()));
  EXPECT_EQ(finding->stem, "1-" + std::string(requirements()[0].id));
  const json report = json::parse(text("report.json"));
  EXPECT_EQ(report["version"], kReportVersion);
  EXPECT_EQ(report["summary"]["programs"], 12345);
  ASSERT_EQ(report["divergences"].size(), 1u);
  const std::string trace = report["divergences"][0]["trace"];
  EXPECT_TRUE(load_trace((top_ / "r" / trace).string()));
  const std::string reproducer = report["divergences"][0]["reproducer"];
  EXPECT_NE(text(reproducer).find("int main(void)"), std::string::npos);
}

TEST_F(ReportDirectoryTest, AnotherImplementationGetsAWorkList) {
  RunSummary summary = testing::sample_summary();
  for (const char* const implementation : {"gVisor", "Linux"}) {
    summary.implementation = implementation;
    auto directory = ReportDirectory::open(path());
    ASSERT_TRUE(directory) << directory.error();
    const auto finding = directory->add_divergence(testing::sample_finding().trace);
    ASSERT_TRUE(finding) << finding.error();
    ASSERT_TRUE(directory->finish(summary));
    const bool listed = text("work-list.md").find(requirements()[0].id) != std::string::npos;
    EXPECT_EQ(listed, summary.implementation != "Linux") << implementation;
  }
}

TEST_F(ReportDirectoryTest, ResultsAreThereBeforeTheRunEnds) {
  auto directory = ReportDirectory::open(path());
  ASSERT_TRUE(directory) << directory.error();
  ASSERT_TRUE(directory->add_line("{\"a\":1}"));
  EXPECT_EQ(text("results.jsonl"), "{\"a\":1}\n");
  ASSERT_TRUE(directory->add_divergence(testing::sample_finding().trace));
  EXPECT_EQ(text("results.jsonl"), "{\"a\":1}\n" + json_finding(directory->findings()[0]) + "\n");
}

TEST_F(ReportDirectoryTest, ReplacesAnEarlierReportOfOurs) {
  {
    auto first = ReportDirectory::open(path());
    ASSERT_TRUE(first->add_divergence(testing::sample_finding().trace));
    ASSERT_TRUE(first->finish(testing::sample_summary()));
  }
  auto second = ReportDirectory::open(path());
  ASSERT_TRUE(second) << second.error();
  ASSERT_TRUE(second->finish(testing::sample_summary()));
  for (const auto& each : fs::directory_iterator(path())) {
    const std::string name = each.path().filename();
    EXPECT_FALSE(name.starts_with("divergence-") || name.starts_with("reproducer-")) << name;
  }
  for (const char* name : {"report.json", "results.jsonl", "report.html", "report.ktap", "report.xml"}) {
    EXPECT_TRUE(fs::exists(fs::path(path()) / name)) << name;
  }
}

TEST_F(ReportDirectoryTest, LeavesADirectoryOfSomebodyElseAlone) {
  fs::create_directory(path());
  std::ofstream(path() + "/thesis.tex") << "mine";
  std::ofstream(path() + "/report.json") << "mine too";
  const auto directory = ReportDirectory::open(path());
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().find("\"thesis.tex\""), std::string::npos) << directory.error();
  EXPECT_EQ(text("report.json"), "mine too");
}

TEST_F(ReportDirectoryTest, SaysWhyItCannotBeMade) {
  std::ofstream(path()) << "a file";
  const auto on_file = ReportDirectory::open(path());
  ASSERT_FALSE(on_file);
  EXPECT_EQ(on_file.error(), "cannot write a report into " + path() + ": it is a file");
  const auto below_file = ReportDirectory::open(path() + "/below");
  ASSERT_FALSE(below_file);
  EXPECT_NE(below_file.error().find("Not a directory"), std::string::npos) << below_file.error();
}

TEST(Report, IsWrittenAsApproved) {
  testing::expect_approved("report.json", json_report(testing::sample_summary(), {testing::sample_finding()}));
}

// As much of JSON Schema as ours uses; returns where the value breaks it.
std::string breach(const json& schema, const json& value, const std::string& where) {
  if (schema.contains("required")) {
    for (const std::string key : schema["required"]) {
      if (!value.contains(key)) return where + " lacks " + key;
    }
  }
  if (schema.contains("properties")) {
    for (const auto& [key, member] : value.items()) {
      if (!schema["properties"].contains(key)) return where + " has an unknown " + key;
      const std::string inner = breach(schema["properties"][key], member, where + "." + key);
      if (!inner.empty()) return inner;
    }
  }
  if (schema.contains("items")) {
    for (const json& element : value) {
      const std::string inner = breach(schema["items"], element, where + "[]");
      if (!inner.empty()) return inner;
    }
  }
  if (!schema.contains("type")) return "";
  const std::string type = schema["type"];
  const bool fits = (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
                    (type == "string" && value.is_string()) || (type == "integer" && value.is_number_integer()) ||
                    (type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean());
  return fits ? "" : where + " is no " + type;
}

TEST(Report, FollowsItsSchema) {
  const json schema = json::parse(std::ifstream("reports/report.schema.json"));
  json report = json::parse(json_report(testing::sample_summary(), {testing::sample_finding()}));
  EXPECT_EQ(breach(schema, report, "report"), "");
  report["summary"]["surprise"] = 1;
  EXPECT_EQ(breach(schema, report, "report"), "report.summary has an unknown surprise");
}

TEST(Report, SummaryHasThePromisedKeysFirst) {
  const auto summary = nlohmann::ordered_json::parse(json_summary(testing::sample_summary()));
  const std::vector<std::string> promised{"kernel",
                                          "profile",
                                          "seed",
                                          "programs",
                                          "operations",
                                          "judged_exactly",
                                          "undecided",
                                          "divergences",
                                          "requirements_applicable",
                                          "requirements_exercised",
                                          "seconds"};
  auto member = summary.items().begin();
  for (const std::string& key : promised) {
    EXPECT_EQ(member.key(), key);
    ++member;
  }
  EXPECT_EQ(summary["undecided"], 67);
  EXPECT_EQ(summary["requirements_applicable"], 4);
}

}  // namespace
}  // namespace aio
