// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/shard.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "cli/exit.h"

namespace aio::cli {
namespace {

struct Engine {
  const char* name;
  const char* index;
  const char* count;
  std::uint64_t first;  // the lowest index
  const char* status_file = nullptr;
};

constexpr const char* kOurCount = "AIO_CTS_SHARDS";

constexpr std::array kEngines{
    Engine{"GoogleTest", "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", 0, "GTEST_SHARD_STATUS_FILE"},
    Engine{"Bazel", "TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", 0, "TEST_SHARD_STATUS_FILE"},
    Engine{"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", 0},
    Engine{"Kubernetes", "JOB_COMPLETION_INDEX", kOurCount, 0},
    Engine{"GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1},
    Engine{"LAVA", "SHARD_INDEX", "SHARD_NUMBER", 1},
};

std::uint64_t number(const std::string& name, const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || text.empty()) {
    throw wrong_usage(fmt::format("{} is '{}': right would be a number", name, text));
  }
  return value;
}

std::uint64_t needed(const Variables& variables, const Engine& engine, const char* name) {
  const std::optional<std::string> text = variables(name);
  if (text) return number(name, *text);
  throw wrong_usage(fmt::format("{} is set and {} is not: how many shards are there? ({}; or give --shard I/N)",
                                engine.index, name, engine.name));
}

Shard shard_of(const Engine& engine, const Variables& variables) {
  const std::uint64_t count = needed(variables, engine, engine.count);
  const std::uint64_t index = number(engine.index, *variables(engine.index));
  std::uint64_t first = engine.first;
  if (std::string_view(engine.name) == "Slurm") {
    first = needed(variables, engine, "SLURM_ARRAY_TASK_MIN");
    const std::uint64_t last = needed(variables, engine, "SLURM_ARRAY_TASK_MAX");
    if (last - first + 1 != count) {
      throw wrong_usage(fmt::format(
          "the Slurm array has {} tasks from {} to {}: which shard is task {}? (right would be --array=0-{})", count,
          first, last, index, count == 0 ? 0 : count - 1));
    }
  }
  if (index < first || index - first >= count) {
    throw wrong_usage(fmt::format("{} is {} and {} is {}: right would be {} to {}", engine.index, index, engine.count,
                                  count, first, first + count - 1));
  }
  return {index - first, count, engine.name};
}

Shard shard_of(const std::string& option) {
  const std::size_t slash = option.find('/');
  if (slash == std::string::npos) {
    throw wrong_usage(fmt::format("--shard {}: right would be I/N, such as 0/4, the first of four", option));
  }
  Shard shard{number("the I of --shard", option.substr(0, slash)), number("the N of --shard", option.substr(slash + 1)),
              "--shard"};
  if (shard.index >= shard.count) {
    throw wrong_usage(fmt::format(
        "--shard {}: right would be {}", option,
        shard.count == 0 ? "at least one shard" : fmt::format("0/{0} to {1}/{0}", shard.count, shard.count - 1)));
  }
  return shard;
}

}  // namespace

std::optional<std::string> environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

Shard chosen_shard(const std::string& option, const Variables& variables) {
  if (!option.empty()) return shard_of(option);
  const Engine* found = nullptr;
  for (const Engine& each : kEngines) {
    if (!variables(each.index)) continue;
    if (found != nullptr) {
      throw wrong_usage(fmt::format("both {} ({}) and {} ({}) are set: which shard is this? (give --shard I/N)",
                                    found->index, found->name, each.index, each.name));
    }
    found = &each;
  }
  if (found != nullptr) return shard_of(*found, variables);
  // Nobody sets that for anything else.
  if (variables(kOurCount)) {
    throw wrong_usage(
        fmt::format("{} is set and JOB_COMPLETION_INDEX is not: right would be a Kubernetes Job with "
                    "completionMode: Indexed, or --shard I/N",
                    kOurCount));
  }
  return {};
}

void forget_engines() {
  for (const Engine& each : kEngines) {
    for (const char* const name : {each.index, each.count, each.status_file}) {
      if (name != nullptr) ::unsetenv(name);
    }
  }
}

void require_seed(const Shard& shard, bool has_seed) {
  if (!shard || has_seed) return;
  throw wrong_usage(fmt::format("{} says that this is a shard: which seed do all have? (give --seed)", shard.said_by));
}

void touch_status_file(const Shard& shard, const Variables& variables) {
  for (const Engine& each : kEngines) {
    if (each.status_file == nullptr || shard.said_by != each.name) continue;
    const std::optional<std::string> path = variables(each.status_file);
    if (path && !std::ofstream(*path)) {
      throw wrong_usage(
          fmt::format("cannot write {}, which {} names: {}", *path, each.status_file, std::strerror(errno)));
    }
  }
}

}  // namespace aio::cli
