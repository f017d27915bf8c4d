// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the suites found, as data, and the matrix: for each requirement what the tests through each entry and the
// generated programs have to say of it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace aio {

// One test through one entry.
struct SuiteRun {
  struct Failure {
    std::string requirement;  // id
    std::string where;        // "suites/io_setup.cpp:63"
    std::string text;         // what was called, expected and seen; several lines
    bool reported = false;    // the implementation may choose: no divergence
    std::string waiver = {};  // why it is excused, if it is
  };
  std::string test;     // "io_setup.nr_zero_is_einval"
  std::string entry;    // "native"
  std::string verdict;  // "holds", "fails", "skipped", "broken"
  std::string reason;   // of the last two
  std::vector<Failure> failures;
  double seconds = 0;
};

// How often tests of one requirement ended which way.
struct MatrixCell {
  std::uint32_t held = 0;
  std::uint32_t failed = 0;
  std::uint32_t skipped = 0;  // or broken
};

struct MatrixRow {
  std::string requirement;
  std::string why_not;                        // why it does not apply here; empty: it does
  std::string not_run;                        // why nothing looked at it, though it applies; empty: it was exercised
  std::map<std::string, MatrixCell> entries;  // those through which there are tests of it
  std::uint64_t random = 0;                   // parts of answers of generated programs that it has decided
  bool reported = false;

  bool exercised() const;
};

struct SuitesSummary {
  std::vector<SuiteRun> runs;
  std::vector<MatrixRow> matrix;  // empty where no suite was run
  double seconds = 0;

  std::uint64_t count(const std::string& verdict) const;
  // Requirements that a test saw broken.
  std::vector<std::string> broken_requirements() const;
  // Those but the ones `known` from elsewhere.
  std::vector<std::string> broken_beside(const std::set<std::string>& known) const;
};

// The lines of the terminal's report: one of numbers, then each failure. Empty where no suite was run.
std::string suites_text(const SuitesSummary& suites, const std::string& red_begin, const std::string& red_end);

}  // namespace aio
