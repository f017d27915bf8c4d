// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a campaign is to do: it is written down when it begins, so that it goes on as it was begun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}

namespace aio::cli {

struct CampaignPlan {
  std::optional<std::uint64_t> seed;
  std::optional<double> time_s;        // of all kernels together
  std::optional<std::uint64_t> cases;  // programs for each kernel
  std::uint64_t piece = 20'000;        // programs between two checkpoints
  std::vector<std::string> kernels;    // files, or "here"; empty: here
  std::vector<unsigned> cpus;          // of guests
  std::string suites = "none";
  std::vector<std::string> run_words;  // more options of `aio-cts run`
};

// A kernel on a machine of one shape.
struct CampaignTarget {
  std::string name;    // "here", "6.12-vmlinuz-2cpu"
  std::string kernel;  // empty: the running one
  unsigned cpus = 0;
};

inline constexpr const char* kHere = "here";

void add_plan_options(CLI::App& app, CampaignPlan& plan);
// Its options, a word a line: how it is written down.
std::string plan_text(const CampaignPlan& plan);
// Throws Failure (kUsage) for what plan_text() has not written. `file` is for messages.
CampaignPlan read_plan(const std::string& text, const std::string& file);

// Each kernel in each shape, once.
std::vector<CampaignTarget> campaign_targets(const CampaignPlan& plan);
// The words of the command that runs programs `from` to `from` + `count` - 1 there, behind the command's own name.
std::vector<std::string> piece_words(const CampaignPlan& plan, const CampaignTarget& target, std::uint64_t from,
                                     std::uint64_t count, const std::vector<std::string>& known,
                                     const std::string& report);

}  // namespace aio::cli
