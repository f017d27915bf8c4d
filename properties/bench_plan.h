// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plans: how to run a program without a model, for the benchmark.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fixtures/executor.h"
#include "reference/model.h"

namespace aio {

// A completion to wait for after an operation.
struct PlannedTail {
  unsigned slot = 0;  // the context variable that holds the ring
  std::uint32_t tail = 0;
};

struct PlannedConduct {
  bool release_by_signal = false;
  std::vector<PlannedTail> tails;
};

struct Plan {
  std::vector<PlannedConduct> operations;
  std::vector<Fd> peers;  // for Executor::finish
};

// Runs the program beside the model. None where it cannot be run without one: it diverged, something was not judged, or
// no context variable names a ring that must be waited for.
std::optional<Plan> make_plan(Executor& executor, Model& model, const Program& program);
// Runs the program by its plan; returns how many AIO calls it made.
std::uint64_t follow_plan(Executor& executor, const Program& program, const Plan& plan);

// One line, without its end; equal for equal plans. "-" for none.
std::string plan_text(const std::optional<Plan>& plan);
// The inverse.
std::optional<Plan> read_plan(const std::string& text);

}  // namespace aio
