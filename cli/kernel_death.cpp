// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/kernel_death.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <set>

#include "fixtures/interruption.h"
#include "properties/batch.h"
#include "properties/campaign.h"
#include "properties/minimizer.h"
#include "reports/trace_reader.h"
#include "reports/trace_writer.h"

namespace aio::cli {
namespace {

constexpr std::string_view kTest = "test ";
// In one boot, each in a process of its own: what kills a kernel rarely is not shown to kill it.
constexpr unsigned kRepeats = 3;

const BatchState& state_of(const JournalSlot& slot) {
  return *std::launder(reinterpret_cast<const BatchState*>(slot.state.data()));
}

// The program that a slot tells as text, or names as `what` does.
std::optional<Program> program_of(const JournalSlot& slot, const std::string& what) {
  const std::string text(slot.program.data(), ::strnlen(slot.program.data(), slot.program.size()));
  if (text.empty()) return journaled_program(what, state_of(slot).current);
  // It may have been cut off by the death of the kernel.
  auto trace = read_trace(text);
  if (!trace) return std::nullopt;
  return aio::program_of(*trace);
}

// Where the program was that a guest replayed alone.
std::size_t operation_of(const Journal& journal) {
  std::size_t operation = 0;
  for (const JournalSlot& slot : journal.slots) {
    if (slot.used != 0) operation = std::max<std::size_t>(operation, state_of(slot).operation);
  }
  return operation;
}

std::string program_json(const Program& program, const std::string& lie) {
  Trace trace = bare_trace(program);
  trace.lie = lie;
  return trace_text(trace);
}

// Boots with candidates until each was tried or one has killed the kernel.
class Boots {
 public:
  Boots(const Guests& guests, std::string lie, const std::function<void(const std::string&)>& tick)
      : guests_(guests), lie_(std::move(lie)), tick_(tick) {}

  // A Trial (minimizer.h). What comes behind a program that killed the kernel counts as not tried, which the minimizer
  // does as well.
  std::vector<unsigned> operator()(const std::vector<Program>& candidates, unsigned repeats) {
    std::vector<unsigned> shown(candidates.size(), 0);
    if (candidates.size() == 1 && killers_.contains(hash(candidates[0]))) return {repeats};
    if (const auto killer = boot(candidates)) {
      killers_.insert(hash(candidates[*killer]));
      shown[*killer] = repeats;
    }
    return shown;
  }

  // Index of the program that killed the kernel.
  std::optional<std::size_t> boot(const std::vector<Program>& candidates) {
    GuestOrders orders;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::string name = fmt::format("{}.json", i);
      orders.programs.emplace_back(name, program_json(candidates[i], lie_));
      orders.commands.push_back({"replay", fmt::format("{}/{}", kProgramsFolder, name), "--repeats",
                                 std::to_string(kRepeats), "--hang-time", "1", "--dir", kFilesWord});
    }
    ++boots_;
    const HostJournal journal;
    VmListener listener;
    listener.tick = [&](const Journal*) { tick_(fmt::format("boot {}: {} programs", boots_, candidates.size())); };
    const VmOutcome outcome = guests_.run(orders, journal, listener);
    if (!kernel_died(outcome)) return std::nullopt;
    message_ = death_message(outcome);
    operation_ = operation_of(journal.view());
    return std::min<std::size_t>(journal.view().command, candidates.size() - 1);
  }

  const std::string& message() const { return message_; }
  std::size_t operation() const { return operation_; }

 private:
  const Guests& guests_;
  const std::string lie_;
  const std::function<void(const std::string&)>& tick_;
  std::set<std::uint64_t> killers_;  // hashes
  std::string message_;
  std::size_t operation_ = 0;
  unsigned boots_ = 0;
};

}  // namespace

GoingOn going_on(const Journal& journal) {
  GoingOn all;
  std::set<std::uint64_t> seen;
  for (const JournalSlot& slot : journal.slots) {
    if (slot.used == 0) continue;
    const std::string what(slot.what.data(), ::strnlen(slot.what.data(), slot.what.size()));
    if (what.starts_with(kTest)) all.tests.push_back(what.substr(kTest.size()));
    const auto program = program_of(slot, what);
    if (program && seen.insert(hash(*program)).second) all.programs.push_back(*program);
  }
  return all;
}

bool kernel_died(const VmOutcome& outcome) {
  return outcome.end == VmEnd::kComplaint || outcome.end == VmEnd::kSilent || outcome.end == VmEnd::kStopped;
}

std::string death_message(const VmOutcome& outcome) {
  if (outcome.console.complaint()) return outcome.console.complaint()->line;
  if (outcome.end == VmEnd::kSilent) return "nothing moved in it any more, and it said nothing";
  return "it started anew without a word";
}

std::optional<KernelDeath> find_killer(const Guests& guests, const std::vector<Program>& programs,
                                       const std::string& lie, std::chrono::milliseconds budget,
                                       const std::function<void(const std::string&)>& tick) {
  if (programs.empty()) return std::nullopt;
  Boots boots(guests, lie, tick);
  const auto killer = boots.boot(programs);
  if (!killer) return std::nullopt;
  MinimizeOptions options;
  options.budget = budget;
  options.estimate_runs = 1;
  options.max_repeats = 1;
  options.now = [] {
    return stop_requested() ? std::chrono::steady_clock::time_point::max() : std::chrono::steady_clock::now();
  };
  const Minimized minimized = minimize(programs[*killer], std::ref(boots), options);
  // It killed the kernel beside others, and does not do so alone.
  if (minimized.shown == 0) return std::nullopt;
  const std::size_t last = minimized.program.operations.size() - 1;
  return KernelDeath{boots.message(), minimized.program, std::min(boots.operation(), last),
                     minimized.shown, minimized.of,      minimized.out_of_budget};
}

}  // namespace aio::cli
