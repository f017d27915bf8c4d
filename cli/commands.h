// SPDX-License-Identifier: GPL-2.0-or-later
//
// The subcommands. Each adds itself to the command line; if it is the one chosen, it leaves in `action` what is to be
// done once the whole line has been read.
#pragma once

#include <functional>

#include "cli/exit.h"

namespace CLI {
class App;
}

namespace aio::cli {

using Action = std::function<Exit()>;

void add_run(CLI::App& app, Action& action);
void add_probe(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_minimize(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_campaign(CLI::App& app, Action& action);
void add_history(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_gate(CLI::App& app, Action& action);
void add_waivers(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);
void add_prove(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_vm(CLI::App& app, Action& action);

}  // namespace aio::cli
