// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "fixtures/entry_kinds.h"
#include "fixtures/interruption.h"
#include "fixtures/process_memory.h"
#include "fixtures/seconds_since.h"
#include "fixtures/worker.h"
#include "properties/bench_plan.h"
#include "properties/pool.h"

namespace aio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRoundPrograms = 64;
// Run before the clock starts: they touch the memory that a forked process must first copy.
constexpr std::uint64_t kWarmUpPrograms = 4;
constexpr std::chrono::milliseconds kWorkerPatience{20'000};
constexpr std::chrono::milliseconds kTick{100};

double cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The programs of a round, with their plans.
struct PlannedProgram {
  Program program;
  Plan plan;
};
using Round = std::vector<PlannedProgram>;

struct Cost {
  double calls = 0;
  double us = 0;
};

enum class Mode : std::uint8_t { kLockstep, kObserve, kBare };
constexpr unsigned kModeCount = 3;

// What the three modes share: an executor on the kernel, in a worker.
class Stage {
 public:
  Stage(const Setting& setting, bool observe, unsigned first_cpu)
      : executor_(setting.machine, *entry_, options(setting, observe, first_cpu)),
        ledger_(observe ? setting.ledger : nullptr) {}
  // Gives aio-nr back for a process that is about to exit.
  ~Stage() {
    if (ledger_ != nullptr) ledger_->give_back(executor_.live_nr());
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  Executor& executor() { return executor_; }

 private:
  static ExecutorOptions options(const Setting& setting, bool observe, unsigned first_cpu) {
    ExecutorOptions options;
    options.directory = setting.directory;
    options.ledger = setting.ledger;
    options.observe = observe;
    options.first_cpu = first_cpu;
    return options;
  }

  std::unique_ptr<Entry> entry_ = make_changing_entry();
  Executor executor_;
  Ledger* ledger_;
};

// The plans of these programs, a line each.
std::string plan_round(const Setting& setting, const std::vector<Program>& programs, unsigned first_cpu) {
  Stage stage(setting, true, first_cpu);
  Model model(*setting.profile, setting.machine);
  std::string lines;
  for (const Program& program : programs) {
    // A program without a plan leaves contexts that the model may not know.
    const bool room = stage.executor().live_nr() < setting.machine.aio_max_nr / 2;
    lines += plan_text(room ? make_plan(stage.executor(), model, program) : std::nullopt) + "\n";
  }
  return lines;
}

std::string run_round(const Setting& setting, Mode mode, const Round& round, unsigned first_cpu) {
  Stage stage(setting, mode != Mode::kBare, first_cpu);
  Lockstep lockstep(*setting.profile, setting.machine, stage.executor(), Rules(), {});
  std::uint64_t calls = 0;
  double start = 0;
  for (std::size_t i = 0; i < round.size(); ++i) {
    if (i == kWarmUpPrograms) {
      calls = 0;
      start = cpu_us();
    }
    const auto& [program, plan] = round[i];
    calls +=
        mode == Mode::kLockstep ? lockstep.run(program).tally.operations : follow_plan(stage.executor(), program, plan);
  }
  std::ostringstream text;
  text << calls << ' ' << cpu_us() - start;
  return text.str();
}

class Rounds {
 public:
  Rounds(const Setting& setting, std::uint64_t seed) : setting_(setting), seed_(seed) {}

  void run_one() {
    const unsigned first_cpu = count_ % setting_.machine.usable_cpus;
    const Round round = make(first_cpu);
    std::array<Cost, kModeCount> costs{};
    for (unsigned i = 0; i < kModeCount; ++i) {
      // Which mode comes first changes from round to round.
      const auto mode = static_cast<Mode>((i + count_) % kModeCount);
      const auto text = in_worker([&] { return run_round(setting_, mode, round, first_cpu); });
      std::istringstream words(text);
      Cost& cost = costs[static_cast<unsigned>(mode)];
      words >> cost.calls >> cost.us;
    }
    ++count_;
    if (std::any_of(costs.begin(), costs.end(), [](const Cost& cost) { return cost.calls == 0; })) return;
    for (unsigned mode = 0; mode < kModeCount; ++mode) us_[mode].push_back(costs[mode].us / costs[mode].calls);
  }

  BenchRatios result() const {
    if (us_[0].empty()) throw std::runtime_error("no round of the benchmark could be finished");
    BenchRatios ratios;
    ratios.lockstep = median(quotients(Mode::kObserve, Mode::kLockstep));
    ratios.observe = median(quotients(Mode::kBare, Mode::kObserve));
    ratios.lockstep_us = median(us_[static_cast<unsigned>(Mode::kLockstep)]);
    ratios.bare_us = median(us_[static_cast<unsigned>(Mode::kBare)]);
    ratios.programs = programs_;
    ratios.left_out = left_out_;
    return ratios;
  }

 private:
  // What the body returns; nothing where it hung or crashed, which leaves the round out.
  static std::string in_worker(const std::function<std::string()>& body) {
    return run_in_worker(body, kWorkerPatience, nullptr).value_or("");
  }

  Round make(unsigned first_cpu) {
    std::vector<Program> programs;
    for (std::uint64_t i = 0; i < kRoundPrograms; ++i)
      programs.push_back(generate(seed_, next_++, {.kind = ProgramKind::kPlain}));
    std::istringstream first(in_worker([&] { return plan_round(setting_, programs, first_cpu); }));
    std::istringstream second(in_worker([&] { return plan_round(setting_, programs, first_cpu); }));
    Round round;
    for (Program& program : programs) {
      std::string plan;
      std::string again;
      std::getline(first, plan);
      std::getline(second, again);
      const std::optional<Plan> agreed = plan == again ? read_plan(plan) : std::nullopt;
      if (agreed) round.push_back({std::move(program), *agreed});
    }
    programs_ += programs.size();
    left_out_ += programs.size() - round.size();
    return round;
  }

  // Operations per second in `mode` to those in `base`, by round.
  std::vector<double> quotients(Mode base, Mode mode) const {
    const std::vector<double>& slow = us_[static_cast<unsigned>(mode)];
    const std::vector<double>& fast = us_[static_cast<unsigned>(base)];
    std::vector<double> all;
    for (std::size_t i = 0; i < slow.size(); ++i) all.push_back(fast[i] / slow[i]);
    return all;
  }

  const Setting& setting_;
  const std::uint64_t seed_;
  std::uint64_t next_ = 0;
  unsigned count_ = 0;
  std::uint64_t programs_ = 0;
  std::uint64_t left_out_ = 0;
  std::array<std::vector<double>, kModeCount> us_;  // CPU time of an operation, by round
};

}  // namespace

BenchRatios measure_ratios(const Setting& setting, std::uint64_t seed, std::chrono::milliseconds time) {
  const Clock::time_point end = Clock::now() + time;
  Rounds rounds(setting, seed);
  do {
    rounds.run_one();
  } while (Clock::now() < end && !stop_requested());
  return rounds.result();
}

BenchThroughput measure_throughput(const Setting& setting, std::uint64_t seed, std::chrono::milliseconds time,
                                   const GeneratorConfig& config, bool sample_memory) {
  BenchThroughput result;
  Pool pool(setting, [&](std::uint64_t index) { return generate(seed, index, config); });
  const std::size_t at_once = std::min<std::size_t>(setting.machine.usable_cpus * kWorkersPerCpu, kMaxWorkers);
  const Clock::time_point start = Clock::now();
  BatchOrder order;
  order.ceiling = usual_ceiling(setting.machine);
  order.patience = setting.hang_time;
  Tally done;
  while (Clock::now() < start + time && !stop_requested()) {
    while (pool.running() < at_once && pool.existing() < kMaxWorkers) {
      order.first = order.last;
      order.last = order.first + kRoundPrograms;
      order.first_cpu = (order.first_cpu + 1) % setting.machine.usable_cpus;
      pool.start(order);
    }
    for (const FinishedBatch& batch : pool.collect(kTick)) {
      done += batch.state->tally;
      result.divergences += batch.state->diverged ? 1 : 0;
    }
    if (sample_memory) result.peak_memory_bytes = std::max(result.peak_memory_bytes, memory_of_descendants_bytes());
  }
  result.seconds = seconds_since(start);
  result.tally = done;
  result.tally += pool.in_progress();
  while (pool.running() > 0) pool.collect(kTick);
  return result;
}

BenchGenerator measure_generator(std::uint64_t seed) {
  constexpr std::uint64_t kPrograms = 2000;
  const double start = cpu_us();
  std::size_t operations = 0;
  for (std::uint64_t i = 0; i < kPrograms; ++i)
    operations += generate(seed, i, {.kind = ProgramKind::kPlain}).operations.size();
  return {(cpu_us() - start) / kPrograms, static_cast<double>(operations) / kPrograms};
}

}  // namespace aio
