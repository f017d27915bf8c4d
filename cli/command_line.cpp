// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/version.h"

namespace aio::cli {
namespace {

constexpr const char* kAbout =
    "aio-cts: holds a kernel against the Linux AIO ABI (io_setup, io_submit, io_getevents,\n"
    "io_pgetevents, io_cancel, io_destroy and the ring in user memory).";

constexpr const char* kExitCodes =
    "Examples:\n"
    "  aio-cts probe                      what is this machine, and what can be tested here?\n"
    "  aio-cts run --time 10              ten seconds of programs on the running kernel\n"
    "  aio-cts run --seed 42 --report out the programs of seed 42, with a report in out/\n"
    "  aio-cts replay out/divergence-1-*.json\n"
    "  aio-cts vm --kernel bzImage        another kernel, in a virtual machine\n\n"
    "Exit codes:\n"
    "  0 conforming   1 divergences   2 wrong usage or unreadable input\n"
    "  3 the run could not be completed   4 skipped: no AIO in this kernel, or no gate file";

int code(Exit exit) { return static_cast<int>(exit); }

int complain(Exit exit, const char* text) {
  fmt::print(stderr, "aio-cts: {}\n", text);
  return code(exit);
}

// CLI11 would only say that a subcommand is missing.
void require_known_command(CLI::App& app, int count, const char* const* words) {
  if (count < 2 || words[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(each->get_name());
  if (std::find(names.begin(), names.end(), words[1]) != names.end()) return;
  throw wrong_usage(fmt::format("there is no command '{}'; there are {}", words[1], fmt::join(names, ", ")));
}

int perform(const Action& action) {
  try {
    const Exit exit = action();
    // Output that did not reach its reader is no result.
    if (std::fflush(stdout) != 0) return complain(Exit::kIncomplete, "cannot write to standard output");
    return code(exit);
  } catch (const Failure& failure) {
    std::fflush(stdout);
    return complain(failure.exit(), failure.what());
  } catch (const std::exception& error) {
    std::fflush(stdout);
    return complain(Exit::kIncomplete, error.what());
  }
}

}  // namespace

int run_command_line(int count, const char* const* words) {
  CLI::App app(kAbout, "aio-cts");
  app.set_version_flag("--version", version_text());
  app.footer(kExitCodes);
  app.require_subcommand(1);
  Action action;
  for (const auto add :
       {add_run, add_probe, add_list, add_explain, add_replay, add_minimize, add_check, add_report, add_merge,
        add_campaign, add_history, add_compare, add_gate, add_waivers, add_prove, add_bench, add_vm, add_completion}) {
    add(app, action);
  }
  try {
    require_known_command(app, count, words);
    app.parse(count, words);
  } catch (const Failure& failure) {
    return complain(failure.exit(), failure.what());
  } catch (const CLI::ParseError& error) {
    // Help and version come as exceptions as well.
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(Exit::kUsage, fmt::format("{} (see aio-cts --help)", error.what()).c_str());
  }
  return perform(action);
}

}  // namespace aio::cli
