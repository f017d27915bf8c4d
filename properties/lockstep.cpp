// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/lockstep.h"

#include <algorithm>
#include <cstring>

#include "fixtures/zoo_files.h"
#include "reference/danger.h"

namespace aio {

Tally& Tally::operator+=(const Tally& other) {
  programs += other.programs;
  operations += other.operations;
  exact += other.exact;
  by_set += other.by_set;
  widened += other.widened;
  undecided += other.undecided;
  return *this;
}

namespace {

void count(Tally& tally, const Operation& operation, Certainty certainty) {
  if (!is_system_call(operation)) return;
  ++tally.operations;
  switch (certainty) {
    case Certainty::kExact:
      ++tally.exact;
      break;
    case Certainty::kSet:
      ++tally.by_set;
      break;
    case Certainty::kWidened:
      ++tally.widened;
      break;
    case Certainty::kUndecided:
      ++tally.undecided;
      break;
  }
}

}  // namespace

Lockstep::Lockstep(const Profile& profile, const Machine& machine, Executor& executor, const Rules& rules,
                   LockstepOptions options)
    : executor_(executor),
      profile_(profile),
      machine_(machine),
      model_(profile, machine, rules, options.quirks),
      options_(options) {}

namespace {

constexpr std::chrono::microseconds kFirstPause{20};
constexpr std::chrono::microseconds kLongestPause{1000};
constexpr std::chrono::microseconds kForOtherWaiters{200};
constexpr std::chrono::milliseconds kForUnseen{2};

bool arrived(const Model::Due& due, const Observation& seen) {
  for (const RingView& ring : seen.rings) {
    if (ring.id != due.ring || ring.bytes.size() < sizeof(RingHeader)) continue;
    RingHeader header;
    std::memcpy(&header, ring.bytes.data(), sizeof(header));
    return header.tail == due.tail;
  }
  return true;
}

}  // namespace

// One wait for all that is due: requests at the gate file, events, and the counters that may lag behind these.
bool Lockstep::wait_once(const std::vector<Model::Due>& due, std::chrono::milliseconds patience) {
  const Observation& seen = executor_.observation();
  const std::size_t arrivals = model_.arrivals_due();
  if (seen.arrived.size() < arrivals) executor_.await_arrivals(arrivals, patience);
  bool complete = seen.arrived.size() >= arrivals;
  for (const Model::Due& wanted : due) {
    if (!arrived(wanted, seen)) complete = executor_.await_tail(wanted.ring, wanted.tail, patience) && complete;
  }
  if (!await_lanes(!due.empty(), patience)) complete = false;
  if (due.empty() && !model_.completes_unseen()) return complete;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto pause = kFirstPause; !model_.effects_show(seen); pause = std::min(2 * pause, kLongestPause)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    executor_.look_again(pause);
  }
  return complete;
}

// A completion wakes one waiter after the other: what the first has done tells nothing of the second yet.
bool Lockstep::await_lanes(bool events_came, std::chrono::milliseconds patience) {
  const Observation& seen = executor_.observation();
  const auto settled = [&] {
    if (!model_.lanes_settled(seen)) return false;
    // Who is on its way out of its call may have changed the ring already.
    return (!events_came && seen.returns.empty()) || executor_.lanes_rest();
  };
  if (!executor_.await_lanes(settled, patience)) return false;
  if (!events_came || model_.most_waiters() < 2) return true;
  executor_.look_again(kForOtherWaiters);
  return executor_.await_lanes(settled, patience);
}

void Lockstep::await(const std::vector<Model::Due>& due) {
  // It takes two waits to lose something.
  const auto patience = options_.patience / 2;
  executor_.insist(patience, [&] { return wait_once(due, patience); });
}

bool Lockstep::step(const Operation& operation, CaseResult& result, const Recorder& recorder) {
  if (model_.skips_lane(operation)) return true;
  const Operation resolved = executor_.resolve(operation);
  if (const char* reason = model_.refuses(resolved)) {
    result.left_out.push_back(reason);
    return true;
  }
  Conduct conduct;
  (stepped_ ? conduct.may_sleep : conduct.release_by_signal) = model_.waits(resolved);
  if (options_.returns_by != nullptr) {
    options_.returns_by->store(static_cast<std::uint32_t>(model_.returns_by(resolved)), std::memory_order_relaxed);
  }
  const Observation& seen = executor_.execute(resolved, conduct);
  const std::vector<Model::Due> due = model_.begin(resolved, seen);
  for (const Fd end : model_.ends_due()) executor_.await_end(end);
  if (model_.ends_unseen()) executor_.look_again(kForUnseen);
  await(due);
  if (recorder) recorder(&operation, &resolved, seen);
  ++made_;
  Verdict verdict = model_.judge(seen);
  if (options_.coverage != nullptr) options_.coverage->note(model_, resolved, seen);
  count(result.tally, resolved, verdict.certainty);
  if (verdict.certainty == Certainty::kUndecided) result.undecided = verdict.reason;
  result.divergence = std::move(verdict.divergence);
  if (result.divergence) result.divergence->operation = made_ - 1;
  result.lost_track = verdict.lost_track;
  return !result.divergence && !verdict.lost_track;
}

CaseResult Lockstep::run(const Program& program, const Recorder& recorder) {
  CaseResult result;
  result.refused = danger_of(program, profile_);
  if (is_stepped(program) && !machine_.lanes) result.refused = "nothing shows here in which call a thread sleeps";
  if (result.refused != nullptr) return result;
  result.tally.programs = 1;
  executor_.begin(program);
  stepped_ = is_stepped(program);
  model_.begin_case(named_members(program), stepped_);
  made_ = 0;
  if (options_.coverage != nullptr) options_.coverage->begin_program();
  const auto note_operation = [this](std::size_t index) {
    if (options_.operation == nullptr) return;
    options_.operation->store(static_cast<std::uint32_t>(index), std::memory_order_relaxed);
  };
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    note_operation(i);
    if (!step(program.operations[i], result, recorder)) return result;
  }
  // What still sleeps is ended by operations that the trace shows as if the program had them.
  note_operation(program.operations.size());
  for (std::optional<Operation> end = model_.loose_end(); end; end = model_.loose_end()) {
    if (!step(*end, result, recorder)) return result;
  }
  const Observation& seen = executor_.finish(model_.peers(program));
  if (recorder) recorder(nullptr, nullptr, seen);
  Verdict verdict = model_.finish(seen);
  result.divergence = std::move(verdict.divergence);
  if (result.divergence) result.divergence->operation = made_;
  if (options_.coverage != nullptr) options_.coverage->end_program(exercised());
  executor_.let_go(model_.unsent());
  return result;
}

CaseResult judge_recorded(const Profile& profile, const Machine& machine, const Rules& rules, const Program& program,
                          const std::function<std::optional<RecordedStep>(std::size_t)>& step,
                          const std::function<const Observation*()>& end, const Quirks* quirks) {
  CaseResult result;
  result.tally.programs = 1;
  Model model(profile, machine, rules, quirks);
  model.begin_case(named_members(program), is_stepped(program));
  for (std::size_t i = 0;; ++i) {
    const std::optional<RecordedStep> next = step(i);
    if (!next) break;
    if (next->seen == nullptr) {
      result.undecided = "the recording stops before the end";
      return result;
    }
    model.begin(next->run, *next->seen);
    Verdict verdict = model.judge(*next->seen);
    count(result.tally, next->run, verdict.certainty);
    if (verdict.certainty == Certainty::kUndecided) result.undecided = verdict.reason;
    result.lost_track = verdict.lost_track;
    result.divergence = std::move(verdict.divergence);
    if (result.divergence) result.divergence->operation = i;
    if (result.divergence || result.lost_track) return result;
  }
  if (const Observation* seen = end()) {
    result.divergence = model.finish(*seen).divergence;
    if (result.divergence) result.divergence->operation = program.operations.size();
  }
  return result;
}

}  // namespace aio
