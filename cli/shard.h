// SPDX-License-Identifier: GPL-2.0-or-later
//
// Shards: the part of a run that is one machine's or one job's. All shards of N together make what one run makes, each
// program once; with a corpus (guide.h) what they make depends on the corpus at the start and the seed alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace aio::cli {

struct Shard {
  std::uint64_t index = 0;  // from 0
  std::uint64_t count = 1;
  std::string said_by;  // "--shard", or the engine whose variables say so: "Slurm"; empty where it is the whole
  explicit operator bool() const { return !said_by.empty(); }
};

// A variable of the environment; none where it is not set, or empty.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> environment(const std::string& name);

// What `option` ("2/8": the third of eight) says; where it is empty, what the variables of exactly one engine say; or
// else the whole. Throws Failure (wrong usage) where a number is none or out of its range, where two engines have set
// variables, and where a Slurm array's ids are not all from its lowest to its highest.
Shard chosen_shard(const std::string& option, const Variables& variables);

// Takes the variables of all engines out of the environment: what is run next is not what they describe.
void forget_engines();

// Throws Failure (wrong usage) for a shard without a seed: each would draw programs of its own.
void require_seed(const Shard& shard, bool has_seed);

// Leaves the file by which GoogleTest and Bazel know a program that can be sharded from one that ran everything.
void touch_status_file(const Shard& shard, const Variables& variables);

}  // namespace aio::cli
