// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/campaign_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "cli/exit.h"
#include "cli/guests.h"
#include "cli/option_value.h"

namespace aio::cli {
namespace {

constexpr unsigned kUsualCpus = 2;
// What no piece may end early for: all its programs are to run.
constexpr const char* kMostDivergences = "10000";

// A file goes by where it is, as the campaign may go on from elsewhere.
std::string absolute(const std::string& kernel) {
  return kernel == kHere ? kernel : std::filesystem::absolute(kernel).lexically_normal().string();
}

}  // namespace

void add_plan_options(CLI::App& app, CampaignPlan& plan) {
  const std::map<std::string, double> units{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  CLI::Option* const time =
      app.add_option("--time", plan.time_s, "How long it works, interruptions not counted: 90s, 45m, 8h, 2d")
          ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_INSENSITIVE, "UNIT"))
          ->check(CLI::Range(0.001, 1e9))
          ->type_name("TIME");
  app.add_option("--cases", plan.cases, "This many programs on each kernel, however long they take")
      ->check(CLI::PositiveNumber)
      ->excludes(time)
      ->type_name("N");
  app.add_option("--seed", plan.seed, "The same seed gives the same programs everywhere (default: a random one)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("S");
  app.add_option("--kernel", plan.kernels,
                 "A bzImage, run in a virtual machine, or `here`, the running kernel (default)")
      ->allow_extra_args(false)
      ->check([](const std::string& kernel) { return kernel == kHere ? std::string() : CLI::ExistingFile(kernel); })
      ->type_name("FILE");
  app.add_option("--cpus", plan.cpus, "CPUs of the virtual machines (default 2); 1,2,4 for each shape in turn")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  app.add_option("--piece", plan.piece, "Programs between two checkpoints (default 20000)")
      ->check(CLI::Range(std::uint64_t{64}, std::uint64_t{100'000'000}))
      ->type_name("N");
  app.add_option("--suite", plan.suites, "Suites to run once on each kernel: names, all or none (default none)")
      ->type_name("NAME");
  app.add_option("words", plan.run_words, "More options of `aio-cts run`, behind --")->type_name("RUN-OPTION");
}

std::string plan_text(const CampaignPlan& plan) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) { text += fmt::format("{}={}\n", name, value); };
  if (plan.seed) add("--seed", std::to_string(*plan.seed));
  if (plan.time_s) add("--time", fmt::format("{}", *plan.time_s));
  if (plan.cases) add("--cases", std::to_string(*plan.cases));
  add("--piece", std::to_string(plan.piece));
  for (const std::string& kernel : plan.kernels) add("--kernel", absolute(kernel));
  if (!plan.cpus.empty()) add("--cpus", fmt::format("{}", fmt::join(plan.cpus, ",")));
  add("--suite", plan.suites);
  if (!plan.run_words.empty()) text += "--\n";
  for (const std::string& word : plan.run_words) text += word + "\n";
  return text;
}

CampaignPlan read_plan(const std::string& text, const std::string& file) {
  std::vector<std::string> words;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) words.push_back(line);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  CLI::App app;
  CampaignPlan plan;
  add_plan_options(app, plan);
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    throw wrong_usage(fmt::format("{}: {}", file, error.what()));
  }
  return plan;
}

std::vector<CampaignTarget> campaign_targets(const CampaignPlan& plan) {
  for (const char* const option : {"--seed", "--cases", "--time", "--from", "--shard", "--report"}) {
    if (option_value(plan.run_words, option)) {
      throw wrong_usage(fmt::format("behind -- stands {}, which a campaign says to its pieces itself", option));
    }
  }
  if (option_value(plan.run_words, "--corpus")) {
    throw wrong_usage("--corpus is for `aio-cts run`: pieces of a campaign know nothing of each other");
  }
  std::vector<CampaignTarget> targets;
  const auto add = [&](const CampaignTarget& target) {
    const bool is_there = std::any_of(targets.begin(), targets.end(),
                                      [&](const CampaignTarget& each) { return each.name == target.name; });
    if (is_there)
      throw wrong_usage(fmt::format(
          "two are called {}: name a kernel and a number of CPUs once, or put one kernel into another folder",
          target.name));
    targets.push_back(target);
  };
  const bool has_guests =
      std::any_of(plan.kernels.begin(), plan.kernels.end(), [](const std::string& kernel) { return kernel != kHere; });
  if (!plan.cpus.empty() && !has_guests) throw wrong_usage("--cpus is for virtual machines: name a --kernel");
  const std::vector<unsigned> cpus = plan.cpus.empty() ? std::vector{kUsualCpus} : plan.cpus;
  if (plan.kernels.empty()) add({kHere, "", 0});
  for (const std::string& kernel : plan.kernels) {
    if (kernel == kHere) {
      add({kHere, "", 0});
      continue;
    }
    for (const unsigned count : cpus) add({fmt::format("{}-{}cpu", short_name(kernel), count), kernel, count});
  }
  return targets;
}

std::vector<std::string> piece_words(const CampaignPlan& plan, const CampaignTarget& target, std::uint64_t from,
                                     std::uint64_t count, const std::vector<std::string>& known,
                                     const std::string& report) {
  std::vector<std::string> words{"run"};
  if (!target.kernel.empty()) {
    words = {"vm", "--kernel", target.kernel, "--cpus", std::to_string(target.cpus), "--report", report, "--"};
  }
  const auto add = [&](const char* name, const std::string& value) { words.insert(words.end(), {name, value}); };
  if (target.kernel.empty()) add("--report", report);
  add("--seed", std::to_string(plan.seed.value_or(0)));
  add("--from", std::to_string(from));
  add("--cases", std::to_string(count));
  add("--suite", from == 0 ? plan.suites : "none");
  add("--max-divergences", kMostDivergences);
  if (!known.empty()) add("--known", fmt::format("{}", fmt::join(known, ",")));
  words.insert(words.end(), plan.run_words.begin(), plan.run_words.end());
  return words;
}

}  // namespace aio::cli
