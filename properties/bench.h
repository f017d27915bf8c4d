// SPDX-License-Identifier: GPL-2.0-or-later
//
// The benchmark: what the model costs beside the calls, and how fast random programs run.
//
// Three kinds of runs are compared over the same random programs: in lockstep with the model, with the executor and its
// observations alone, and with bare calls. Without a model nobody would know where a call must be released by a signal
// and for which completions to wait, so each program is first run beside the model twice to make a plan of that; a
// program whose two plans differ, or that is not judged to its end, is left out.
//
// The runs are compared by the CPU time of the process that makes them, system calls included: sleeping in io_destroy
// (34 ms each) or for a timeout takes none, so neither hides what the model costs.
#pragma once

#include <chrono>
#include <cstdint>

#include "properties/batch.h"
#include "properties/generator.h"

namespace aio {

// Ratios of operations for each second of CPU time; medians over rounds of 64 programs.
struct BenchRatios {
  double lockstep = 0;     // in lockstep, to executor and observations alone
  double observe = 0;      // executor and observations alone, to bare calls
  double lockstep_us = 0;  // CPU time of an operation in lockstep
  double bare_us = 0;      // and of a bare one, the setting-up of its case included
  std::uint64_t programs = 0;
  std::uint64_t left_out = 0;
};

// Runs rounds for about `time`, at least one. Throws std::runtime_error where no round could be finished.
BenchRatios measure_ratios(const Setting& setting, std::uint64_t seed, std::chrono::milliseconds time);

struct BenchThroughput {
  Tally tally;
  double seconds = 0;
  std::uint64_t divergences = 0;        // programs that ended early by one
  std::uint64_t peak_memory_bytes = 0;  // only where it was sampled
};

// Random programs of this kind in a pool of workers, as a campaign runs them. `sample_memory`: looks every 100 ms how
// much memory all processes take, which costs speed.
BenchThroughput measure_throughput(const Setting& setting, std::uint64_t seed, std::chrono::milliseconds time,
                                   const GeneratorConfig& config, bool sample_memory);

struct BenchGenerator {
  double us = 0;      // CPU time of a program
  double length = 0;  // its operations, what user space does between calls included
};
BenchGenerator measure_generator(std::uint64_t seed);

}  // namespace aio
