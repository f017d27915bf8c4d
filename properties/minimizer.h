// SPDX-License-Identifier: GPL-2.0-or-later
//
// The minimizer: makes a program that shows a divergence smaller while it still shows it. It knows
// nothing of kernels; a Trial runs candidates and counts how often each showed the wanted
// signature. A divergence need not show every time, so the minimizer first estimates how often it
// does and then tries each candidate so often that it is overlooked in less than 1 % of cases.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "reference/program.h"

namespace aio {

// Runs each candidate `repeats` times; returns, for each, in how many runs the signature showed.
using Trial = std::function<std::vector<unsigned>(const std::vector<Program>& candidates, unsigned repeats)>;

struct MinimizeOptions {
  std::chrono::milliseconds budget{20000};  // after it no further candidate is tried
  unsigned batch = 16;                      // candidates per Trial, which costs a process
  unsigned estimate_runs = 20;              // to find out how often the signature shows
  unsigned max_repeats = 400;               // bounds the runs of one candidate
  double miss = 0.01;                       // how often a candidate may be overlooked
  // For many programs, each soon small: batches start at one candidate and grow while none shows the signature, and
  // where that shows in every run one is enough.
  bool quick = false;
  // For tests: a clock of their own.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

struct Minimized {
  Program program;             // the smallest that showed the signature
  unsigned shown = 0;          // in so many
  unsigned of = 0;             // of the runs made at the end
  unsigned tried = 0;          // candidates
  bool out_of_budget = false;  // smaller ones may exist
};

// Called with what was reached so far, after each candidate that is smaller and shows it.
using Progress = std::function<void(const Program& best, unsigned tried)>;

// Always the same for a trial that is. If the program itself never shows the signature, it comes
// back as it is with `shown` 0.
Minimized minimize(const Program& program, const Trial& trial, const MinimizeOptions& options = {},
                   const Progress& progress = {});

}  // namespace aio
