// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/traces.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/exit.h"
#include "cli/reporting.h"
#include "reports/trace_reader.h"

namespace aio::cli {

Trace open_trace(const std::string& path) {
  Trace trace = checked(Exit::kUsage, load_trace(path));
  if (trace.steps.empty()) throw wrong_usage(path + ": there is no operation in it");
  return trace;
}

Target target_of(const Trace& trace, TargetOptions options) {
  options.lie = trace.lie;
  options.mutant = trace.mutant;
  options.quirks = trace.quirks;
  if (!trace.lie.empty()) fmt::print("FALSIFIED: as the trace says, with the lie {}\n", trace.lie);
  if (!trace.mutant.empty()) fmt::print("FALSIFIED: as the trace says, with the mutant {}\n", trace.mutant);
  return Target(options);
}

std::string signature_text(const Signature& signature) {
  return fmt::format("{} ({})", requirement(signature.requirement).id, kind_name(signature.kind));
}

}  // namespace aio::cli
