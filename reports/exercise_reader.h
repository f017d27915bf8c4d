// SPDX-License-Identifier: GPL-2.0-or-later
//
// For fuzzers: feeds any bytes to the reader and uses what it accepts as everybody does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reports/json_tree.h"
#include "reports/trace_reader.h"
#include "reports/trace_writer.h"

namespace aio::testing {

struct Exercise {
  bool accepted = false;
  std::string complaint;  // empty where all is well
};

inline std::string beyond_bounds(const Trace& trace) {
  if (trace.steps.size() > kMaxOperations) return "too many operations";
  for (const Step& step : trace.steps) {
    if (step.operation.index() != step.resolved.index()) return "resolved to another operation";
    for (const Operation* operation : {&step.operation, &step.resolved}) {
      const auto* const submit = std::get_if<Submit>(operation);
      if (submit == nullptr) continue;
      if (submit->iocbs.size() > kMaxIocbs) return "too many iocbs";
      for (const IocbSpec& iocb : submit->iocbs) {
        if (iocb.segments.size() > kMaxSegments) return "too many segments";
      }
    }
  }
  return "";
}

// Ring and file bytes of one observation.
inline std::uint64_t observed_bytes(const Observation& seen) {
  std::uint64_t total = 0;
  for (const RingView& ring : seen.rings) total += ring.bytes.size();
  for (const FileView& file : seen.files) total += file.content.size();
  return total;
}

inline Exercise exercise_reader(std::string_view text) {
  const auto trace = read_trace(text);
  if (!trace) return {false, trace.error().reason.empty() ? "an error without a reason" : ""};
  Exercise result{true, beyond_bounds(*trace)};
  TraceReplayer replayer;
  for (const Step& step : trace->steps) {
    if (!step.observation) continue;
    if (observed_bytes(replayer.next(*step.observation)) > kMaxAllRingBytes + 2 * kMaxObservedFile) {
      result.complaint = "too much memory";
    }
  }
  if (trace->end) replayer.next(*trace->end);
  const std::string written = trace_text(*trace);
  const auto again = read_trace(written);
  if (!again && written.size() <= kMaxJsonBytes) {
    result.complaint = "what was written cannot be read: " + again.error().text();
  } else if (again && trace_text(*again) != written) {
    result.complaint = "reading changed the trace";
  }
  return result;
}

}  // namespace aio::testing
