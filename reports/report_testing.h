// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests: a run to report on, and comparison with an approved output.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "reports/report.h"

namespace aio::testing {

inline RunSummary sample_summary() {
  RunSummary summary;
  summary.kernel = "6.18.44";
  summary.profile = "6.18";
  summary.seed = 42;
  summary.programs = 12'345;
  summary.program_hash = 0x0123456789abcdef;
  summary.operations = 1'234'567;
  summary.judged_exactly = 1'230'000;
  summary.judged_by_set = 4'000;
  summary.widened = 500;
  summary.undecided = {{"aio-nr moved by others", 67}};
  summary.left_out = {{"io_destroy would wait for requests that nobody releases", 3}};
  summary.refusals = {{"RESFD in an epoll that feeds the polled queue", 2}};
  summary.divergences = 0;
  for (std::size_t i = 0; i < 4; ++i) summary.requirements_applicable.set(i);
  for (std::size_t i = 0; i < 3; ++i) summary.requirements_exercised.set(i);
  summary.excluded = {{static_cast<Req>(4), "needs O_DIRECT, which this file system lacks"}};
  summary.seconds = 59.87;
  return summary;
}

inline Finding sample_finding() {
  Trace trace;
  trace.kernel = "6.18.44";
  trace.profile = "6.18";
  trace.release = {6, 18};
  Submit submit;
  submit.nr = 2;
  submit.fill = 2;
  submit.iocbs.resize(2);
  submit.iocbs[0].opcode = kPoll;
  submit.iocbs[0].fd = Fd::kNbPipeWrite;
  submit.iocbs[0].buf = kPollOut;
  submit.iocbs[1].at = arena::iocb_slot(1);
  submit.iocbs[1].nbytes = 512;
  submit.iocbs[1].flags = kFlagResfd;
  for (const Operation& operation : {Operation(aio::Setup{}), Operation(submit), Operation(Destroy{})}) {
    trace.steps.push_back({operation, operation, std::nullopt});
  }
  trace.divergence = Divergence{{static_cast<Req>(0), Kind::kCount}, 1, "2", "1", std::nullopt};
  trace.repeats_shown = 37;
  trace.repeats_of = 50;
  return {trace, "1-" + std::string(requirements()[0].id)};
}

// Compares with reports/approved/`name` as seen from the top folder of the sources. To approve an
// output, replace that file by `name`.received in the directory for temporary files.
inline void expect_approved(const std::string& name, const std::string& text) {
  std::ifstream file("reports/approved/" + name);
  std::stringstream approved;
  approved << file.rdbuf();
  if (approved.str() != text) {
    std::ofstream(std::filesystem::temp_directory_path() / (name + ".received")) << text;
  }
  EXPECT_EQ(approved.str(), text) << "reports/approved/" << name;
}

}  // namespace aio::testing
