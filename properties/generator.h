// SPDX-License-Identifier: GPL-2.0-or-later
//
// The generator of random programs. Each program is a swarm of its own: a random part of the kinds
// of operations, opcodes, descriptors and bad values is switched on, so that one program is all
// polls and cancels on one ring and the next fills rings from two CPUs. What a program may not do
// is kept by construction: the bounds of bounds.h, and at most one io_destroy of a live context,
// which sleeps for an RCU grace period. A call that may block until the driver interrupts it occurs
// in about one program of fifty. Programs that use the gate file, and those that have lanes, come in
// blocks, so that few workers have to serve a gate file and run lanes.
#pragma once

#include <rapidcheck/Gen.h>

#include <cstdint>

#include "reference/program.h"

namespace aio {

enum class ProgramKind : std::uint8_t {
  kMixed,    // of all kinds: most are plain
  kPlain,    // one lane, no gate file
  kHeld,     // one lane; the gate file holds requests
  kStepped,  // two to four lanes; the gate file holds requests in most
};

struct GeneratorConfig {
  unsigned max_operations = 60;  // at least 1
  unsigned times_longer = 1;     // than usual; most programs have 9 to 28 operations
  ProgramKind kind = ProgramKind::kMixed;
};

// Generates without shrinks: minimizer.h shrinks. The size parameter plays no part. Of a mix, the plain ones only.
rc::Gen<Program> programs(const GeneratorConfig& config);

// Program number `index` of a run: the same on every machine, whatever else the run does.
Program generate(std::uint64_t seed, std::uint64_t index, const GeneratorConfig& config = {});

// The kind of the programs in whose block of a mixed run this index is.
ProgramKind kind_in_mix(std::uint64_t seed, std::uint64_t index);

}  // namespace aio
