// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/batch.h"

#include <memory>

#include "fixtures/entry_kinds.h"
#include "fixtures/kcov.h"
#include "fixtures/lies.h"

namespace aio {
namespace {

// The kernel, with the setting's lie in front of it.
class Door {
 public:
  explicit Door(const std::string& lie) {
    if (!lie.empty()) lying_ = make_lying_entry(lie, *honest_);
  }
  Entry& entry() { return lying_ ? *lying_ : *honest_; }

 private:
  std::unique_ptr<Entry> honest_ = make_changing_entry();
  std::unique_ptr<Entry> lying_;
};

// What the contexts of a program can add to aio-nr; what asks for much more fails, or is a program written by hand.
std::uint64_t most_nr(const Program& program) {
  constexpr std::int64_t kMuch = 65536;
  std::uint64_t sum = 0;
  for (const Operation& operation : program.operations) {
    const auto* setup = std::get_if<Setup>(&operation);
    if (setup == nullptr || setup->nr.symbol != Symbol::kLiteral) continue;
    if (setup->nr.offset > 0 && setup->nr.offset < kMuch) sum += static_cast<std::uint64_t>(setup->nr.offset);
  }
  return sum;
}

void count(std::array<ReasonCount, kMaxReasons>& counts, const char* reason) {
  if (reason == nullptr) return;
  for (ReasonCount& entry : counts) {
    if (entry.reason != nullptr && entry.reason != reason) continue;
    entry.reason = reason;
    ++entry.count;
    return;
  }
}

void tell(const std::vector<Feature>& features, std::uint64_t program, Discoveries& discoveries) {
  std::uint32_t count = discoveries.count.load(std::memory_order_relaxed);
  for (const Feature feature : features) {
    if (count == Discoveries::kMost) break;
    discoveries.all[count++] = {feature, static_cast<std::uint32_t>(program)};
  }
  discoveries.count.store(count, std::memory_order_release);
}

}  // namespace

Setting impatient(Setting setting, std::chrono::milliseconds patience) {
  setting.hang_time = std::min(setting.hang_time, patience);
  return setting;
}

void run_batch(const Setting& setting, const ProgramSource& source, const BatchOrder& order, BatchState& state,
               const CoverageSink& sink) {
  Door door(setting.lie);
  ExecutorOptions options;
  options.directory = setting.directory;
  options.ledger = setting.ledger;
  options.first_cpu = order.first_cpu;
  options.hasty = order.hasty;
  options.heartbeat = &state.heartbeat;
  Executor executor(setting.machine, door.entry(), options);
  LockstepOptions lockstep_options;
  lockstep_options.patience = order.patience;
  lockstep_options.returns_by = &state.returns_by;
  lockstep_options.operation = &state.operation;
  lockstep_options.quirks = setting.quirks ? &*setting.quirks : nullptr;
  std::optional<CoverageTracker> tracker;
  if (sink.known != nullptr) lockstep_options.coverage = &tracker.emplace(*sink.known);
  const std::unique_ptr<Kcov> kcov = sink.kernel ? Kcov::open() : nullptr;
  Lockstep lockstep(*setting.profile, setting.machine, executor, Rules(setting.mutant), lockstep_options);
  state.next = order.first;
  while (state.next < order.last) {
    state.current.store(state.next, std::memory_order_relaxed);
    const Program program = source(state.next);
    const std::uint64_t live = executor.live_nr();
    const std::uint64_t in_use = setting.ledger != nullptr ? setting.ledger->expected() : live;
    if (live > 0 && in_use + most_nr(program) > order.ceiling) break;
    if (kcov) kcov->restart();
    CaseResult result = lockstep.run(program);
    if (kcov) tracker->note_places(kcov->places());
    ++state.next;
    state.live_nr = executor.live_nr();
    state.tally += result.tally;
    state.program_hash += hash(program);
    count(state.reasons, result.undecided);
    for (const char* reason : result.left_out) count(state.left_out, reason);
    count(state.refusals, result.refused);
    const bool judged = !result.divergence && result.undecided == nullptr && result.refused == nullptr;
    if (tracker && judged) tell(tracker->fresh(), state.next - 1 - order.first, *sink.discoveries);
    if (tracker && result.undecided != nullptr) tracker->forget_program();
    if (result.divergence) {
      state.diverged = true;
      state.signature = result.divergence->signature;
      state.diverged_at = result.divergence->operation;
      const std::string how = "expected " + result.divergence->expected + ", seen " + result.divergence->seen;
      how.copy(state.diverged_how.data(), state.diverged_how.size() - 1);
      break;
    }
    // A program of which the model lost track leaves contexts that it does not know; which is nothing to the next one
    // only where their rings' indices cannot be seen.
    const bool blind = setting.quirks && setting.quirks->has({Req::kSetupRingMagic, Kind::kHeader});
    if (result.lost_track && !blind) break;
  }
  state.exercised = lockstep.exercised();
  state.finished.store(true, std::memory_order_release);
}

CaseResult run_recorded(const Setting& setting, const Program& program, const Recorder& recorder) {
  Door door(setting.lie);
  ExecutorOptions options;
  options.directory = setting.directory;
  options.ledger = setting.ledger;
  Executor executor(setting.machine, door.entry(), options);
  LockstepOptions lockstep_options;
  lockstep_options.patience = setting.hang_time;
  lockstep_options.quirks = setting.quirks ? &*setting.quirks : nullptr;
  Lockstep lockstep(*setting.profile, setting.machine, executor, Rules(setting.mutant), lockstep_options);
  CaseResult result = lockstep.run(program, recorder);
  if (setting.ledger != nullptr) setting.ledger->give_back(executor.live_nr());
  return result;
}

}  // namespace aio
