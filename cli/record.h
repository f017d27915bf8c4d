// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs of one program on its own: how each ended, and traces of what was seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/target.h"
#include "reports/trace.h"

namespace aio::cli {

// The trace with all that is known of the target.
Trace about(const Target& target, const Setting& setting, Trace trace);

// How one run of a program ended.
struct Outcome {
  std::optional<Signature> shown;   // the divergence, if there was one
  std::size_t operation = 0;        // that diverged, hung or crashed
  std::string death;                // how the worker died that hung or crashed
  const char* undecided = nullptr;  // why something was not judged, if so
};

// Runs the program that often, each time in a fresh worker. Throws Failure where a worker failed by an error of ours.
// Ends early, with fewer outcomes, where the user stops the command.
std::vector<Outcome> run_alone(const Setting& setting, const Program& program, unsigned repeats);

// The program's trace with all that is known of the target, and with the divergence of that signature. Runs the program
// until it shows, at most 20 times; if it never does, or ends the process that runs it, there are no observations.
Trace record(const Target& target, const Program& program, const Signature& signature);
// The same, where the model takes over other quirks than the target's setting says.
Trace record(const Target& target, const Setting& setting, const Program& program, const Signature& signature);
// What one run of the program saw, whatever it was; none where it hung or crashed.
std::optional<Trace> record_once(const Target& target, const Program& program);

}  // namespace aio::cli
