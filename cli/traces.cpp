// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/traces.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/exit.h"
#include "reports/trace_reader.h"

namespace aio::cli {

Trace open_trace(const std::string& path) {
  tl::expected<Trace, ReadError> trace = load_trace(path);
  if (!trace) throw wrong_usage(trace.error().text());
  if (trace->steps.empty()) throw wrong_usage(path + ": there is no operation in it");
  return std::move(*trace);
}

Target target_of(const Trace& trace, TargetOptions options) {
  options.lie = trace.lie;
  options.mutant = trace.mutant;
  options.quirks = trace.quirks;
  if (!trace.lie.empty()) fmt::print("FALSIFIED: as the trace says, with the lie {}\n", trace.lie);
  if (!trace.mutant.empty()) fmt::print("FALSIFIED: as the trace says, with the mutant {}\n", trace.mutant);
  return Target(options);
}

void add_target_options(CLI::App& command, TargetOptions& options) {
  command.add_option("--profile", options.profile, "The rules to judge by (default: the running kernel's)")
      ->type_name("NAME");
  command.add_option("--dir", options.directory, "Where its regular files lie (default: /dev/shm)")->type_name("DIR");
}

std::string signature_text(const Signature& signature) {
  return fmt::format("{} ({})", requirement(signature.requirement).id, kind_name(signature.kind));
}

}  // namespace aio::cli
