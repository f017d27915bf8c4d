// SPDX-License-Identifier: GPL-2.0-or-later
//
// How one test through one entry ended: as data, and while it runs, inside the process that runs it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/entry_kinds.h"

namespace aio::suites {

enum class TestVerdict : std::uint8_t {
  kHolds,
  kFails,    // the kernel answered otherwise, crashed the test or let it hang
  kSkipped,  // the machine or the release lacks what the test is about
  kBroken,   // the test itself could not do what it wanted
};

struct TestFailure {
  std::string requirement;  // id
  std::string file;
  int line = 0;
  std::string text;
};

struct TestResult {
  std::string suite;
  std::string name;
  EntryKind entry = EntryKind::kNative;
  TestVerdict verdict = TestVerdict::kHolds;
  std::vector<TestFailure> failures;
  std::string reason;  // of kSkipped and kBroken
  double seconds = 0;

  // "io_setup.nr_zero_is_einval"
  std::string full_name() const { return suite + "." + name; }
};

// Thrown to end a test whose outcome is known. No std::exception, so that nobody catches it by mistake.
struct TestEnds {};

// What happens to the test that this process runs.
class Outcome {
 public:
  static Outcome& now();

  void begin(std::string_view requirement);
  void claim(std::string_view requirement) { requirement_ = requirement; }
  // Of a requirement that leaves the implementation a choice this is no failure, and is reported all the same.
  void fail(const testing::TestPartResult& part);
  void fail(const std::string& text, const char* file, int line);
  void skip(std::string_view reason);
  void break_off(std::string_view reason);
  const TestResult& result() const { return result_; }

 private:
  std::string requirement_;
  TestResult result_;
};

// A result as one line, for another process, and back; none where it is no such line.
std::string packed(const TestResult& result);
std::optional<TestResult> unpacked(std::string_view line);

}  // namespace aio::suites
