// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bench_plan.h"

#include <sstream>

#include "fixtures/zoo_files.h"

namespace aio {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

Address ring_in(const Executor& executor, unsigned slot) {
  const Operation resolved = executor.resolve(Destroy{context(slot)});
  return static_cast<Address>(std::get<Destroy>(resolved).ctx.offset);
}

std::optional<unsigned> slot_of(const Executor& executor, Address ring) {
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    if (ring_in(executor, slot) == ring) return slot;
  }
  return std::nullopt;
}

// What Lockstep::step does, with a note of what it waits for. False where the program cannot be planned.
bool plan_operation(Executor& executor, Model& model, const Operation& operation, PlannedConduct& planned) {
  const Operation resolved = executor.resolve(operation);
  if (model.refuses(resolved) != nullptr) return false;
  planned.release_by_signal = model.waits(resolved);
  const Observation& seen = executor.execute(resolved, {planned.release_by_signal});
  const std::vector<Model::Due> due = model.begin(resolved, seen);
  for (const Fd end : model.ends_due()) executor.await_end(end);
  for (const Model::Due& wanted : due) {
    const std::optional<unsigned> slot = slot_of(executor, wanted.ring);
    if (!slot || !executor.await_tail(wanted.ring, wanted.tail, kPatience)) return false;
    planned.tails.push_back({*slot, wanted.tail});
  }
  const Verdict verdict = model.judge(seen);
  return !verdict.divergence && verdict.certainty != Certainty::kUndecided;
}

}  // namespace

std::optional<Plan> make_plan(Executor& executor, Model& model, const Program& program) {
  Plan plan;
  executor.begin(program);
  model.begin_case(named_members(program));
  for (const Operation& operation : program.operations) {
    if (!plan_operation(executor, model, operation, plan.operations.emplace_back())) return std::nullopt;
  }
  plan.peers = model.peers(program);
  if (model.finish(executor.finish(plan.peers)).divergence) return std::nullopt;
  return plan;
}

std::uint64_t follow_plan(Executor& executor, const Program& program, const Plan& plan) {
  std::uint64_t calls = 0;
  executor.begin(program);
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    const Operation resolved = executor.resolve(program.operations[i]);
    executor.execute(resolved, {plan.operations[i].release_by_signal});
    if (is_system_call(resolved)) ++calls;
    for (const PlannedTail& wanted : plan.operations[i].tails) {
      executor.await_tail(ring_in(executor, wanted.slot), wanted.tail, kPatience);
    }
  }
  executor.finish(plan.peers);
  return calls;
}

std::string plan_text(const std::optional<Plan>& plan) {
  if (!plan) return "-";
  std::ostringstream text;
  text << plan->operations.size();
  for (const PlannedConduct& each : plan->operations) {
    text << ' ' << each.release_by_signal << ' ' << each.tails.size();
    for (const PlannedTail& wanted : each.tails) text << ' ' << wanted.slot << ' ' << wanted.tail;
  }
  text << ' ' << plan->peers.size();
  for (const Fd peer : plan->peers) text << ' ' << static_cast<unsigned>(peer);
  return text.str();
}

std::optional<Plan> read_plan(const std::string& text) {
  std::istringstream words(text);
  const auto next = [&words] {
    std::uint32_t word = 0;
    words >> word;
    return word;
  };
  Plan plan;
  plan.operations.resize(next());
  for (PlannedConduct& each : plan.operations) {
    each.release_by_signal = next() != 0;
    each.tails.resize(next());
    for (PlannedTail& wanted : each.tails) wanted = {next(), next()};
  }
  for (std::uint32_t peers = next(); peers > 0; --peers) plan.peers.push_back(static_cast<Fd>(next()));
  if (!words) return std::nullopt;
  return plan;
}

}  // namespace aio
