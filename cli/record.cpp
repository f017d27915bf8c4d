// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/record.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit.h"
#include "fixtures/interruption.h"
#include "fixtures/worker.h"
#include "properties/pool.h"
#include "reports/trace_reader.h"
#include "reports/trace_writer.h"

namespace aio::cli {
namespace {

constexpr unsigned kTries = 20;
// Enough for the event of one program on a busy machine; what is lost does not come later.
constexpr std::chrono::milliseconds kEventPatience{1000};
constexpr std::chrono::milliseconds kTick{100};

Outcome outcome_of(const FinishedBatch& batch) {
  const BatchState& state = *batch.state;
  if (state.refusals[0].reason != nullptr) {
    throw Failure(Exit::kIncomplete, fmt::format("the program was not run: {}", state.refusals[0].reason));
  }
  Outcome outcome;
  outcome.shown = batch.shown();
  outcome.undecided = state.reasons[0].reason;
  outcome.operation = state.diverged ? state.diverged_at : state.operation.load();
  if (batch.end == BatchEnd::kFinished) return outcome;
  if (batch.end == BatchEnd::kFailed) {
    throw Failure(Exit::kIncomplete, "a worker failed; its error is above");
  }
  outcome.death = batch.end == BatchEnd::kHung ? "hung" : batch.death;
  return outcome;
}

Trace bare(const Target& target, const Setting& setting, const Program& program, Divergence divergence) {
  Trace trace = bare_trace(program);
  trace.divergence = std::move(divergence);
  return about(target, setting, std::move(trace));
}

// A program that ends its process, or that the watchdog has to end: nothing can be recorded.
Trace record_death(const Target& target, const Setting& setting, const Program& program, const Signature& signature) {
  Divergence divergence{signature, 0, "the call returns", "it did not return", std::nullopt};
  for (const Outcome& outcome : run_alone(setting, program, kTries)) {
    if (outcome.shown != signature) continue;
    divergence.operation = outcome.operation;
    if (signature.kind == Kind::kCrash) divergence.seen = "the process died: " + outcome.death;
    break;
  }
  return bare(target, setting, program, std::move(divergence));
}

}  // namespace

Trace about(const Target& target, const Setting& setting, Trace trace) {
  trace.profile = setting.profile->name;
  trace.release = target.release();
  trace.kernel = target.kernel();
  trace.machine = setting.machine;
  trace.lie = setting.lie;
  if (setting.quirks) trace.quirks.emplace(setting.quirks->all().begin(), setting.quirks->all().end());
  if (setting.mutant) trace.mutant = requirement(*setting.mutant).id;
  return trace;
}

std::vector<Outcome> run_alone(const Setting& setting, const Program& program, unsigned repeats) {
  const Setting hurried = impatient(setting, kEventPatience);
  Pool pool(hurried, [&program](std::uint64_t) { return program; });
  const std::size_t at_once = setting.machine.usable_cpus;
  std::vector<Outcome> outcomes;
  unsigned started = 0;
  while (true) {
    while (started < repeats && pool.running() < at_once && !stop_requested()) {
      BatchOrder order;
      order.first = started++;
      order.last = started;
      order.patience = hurried.hang_time;
      pool.start(order);
    }
    if (pool.running() == 0) return outcomes;
    for (const FinishedBatch& batch : pool.collect(kTick)) outcomes.push_back(outcome_of(batch));
  }
}

namespace {

std::optional<Trace> record_once(const Target& target, const Setting& setting, const Program& program) {
  const Setting hurried = impatient(setting, kEventPatience);
  const auto body = [&] {
    TraceRecorder recorder;
    const CaseResult result =
        run_recorded(hurried, program, [&](const Operation* written, const Operation* run, const Observation& seen) {
          if (written != nullptr) {
            recorder.add(*written, *run, seen);
          } else {
            recorder.finish(seen);
          }
        });
    recorder.trace().divergence = result.divergence;
    return trace_text(recorder.trace());
  };
  // Each operation may wait for an event that is lost, and most do not.
  const std::optional<std::string> text = result_of_worker(body, 10 * hurried.hang_time);
  if (!text) return std::nullopt;
  tl::expected<Trace, ReadError> trace = read_trace(*text, "a recording");
  if (!trace) throw Failure(Exit::kIncomplete, trace.error().text());
  return about(target, setting, std::move(*trace));
}

}  // namespace

std::optional<Trace> record_once(const Target& target, const Program& program) {
  return record_once(target, target.setting(), program);
}

Trace record(const Target& target, const Program& program, const Signature& signature) {
  return record(target, target.setting(), program, signature);
}

Trace record(const Target& target, const Setting& setting, const Program& program, const Signature& signature) {
  if (signature.kind == Kind::kHang || signature.kind == Kind::kCrash) {
    return record_death(target, setting, program, signature);
  }
  for (unsigned i = 0; i < kTries; ++i) {
    std::optional<Trace> trace = record_once(target, setting, program);
    if (trace && trace->divergence && trace->divergence->signature == signature) return std::move(*trace);
  }
  return bare(target, setting, program,
              {signature, program.operations.size(), std::string(requirement(signature.requirement).sentence),
               fmt::format("it was seen, but not again in {} runs that were recorded", kTries), std::nullopt});
}

}  // namespace aio::cli
