// SPDX-License-Identifier: GPL-2.0-or-later
//
// A trace as people look at it: for each operation what the kernel and the model answered, and the rings afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reports/trace.h"

namespace aio {

// One ring after an operation.
struct RingPicture {
  std::string context;  // "ctx0", after its variable
  std::uint32_t slots = 0;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
  std::vector<std::string> in_flight;  // what the model knows to be: the descriptor that it waits for
  // By the model, where it has one state only: slots that no CPU has, and those of each CPU.
  std::optional<std::uint32_t> unreserved;
  std::map<unsigned, std::uint32_t> reserved;  // by CPU, where there are any
  friend bool operator==(const RingPicture&, const RingPicture&) = default;
};

struct StepView {
  std::string operation;
  std::string lanes;   // as in LaneRow::columns; empty without lanes
  std::string kernel;  // what it answered; empty where there is nothing to answer
  std::string model;   // what it should have; empty where that is the same, or is not known
  std::vector<RingPicture> rings;
  friend bool operator==(const StepView&, const StepView&) = default;
};

std::vector<StepView> step_views(const Trace& trace);

}  // namespace aio
