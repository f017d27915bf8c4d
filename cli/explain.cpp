// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/by_source.h"
#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/target.h"

namespace aio::cli {
namespace {

Exit explain(const std::string& id) {
  const Requirement& asked = catalogued(id);
  const Profile& profile = choose_profile("auto", choose_implementation("auto"));
  const std::string why = why_not(asked, profile, look_at_machine(run_directory("")));
  fmt::print("{}\n  {}\n\n", asked.id, asked.sentence);
  fmt::print("  source     {}\n", asked.source);
  if (asked.severity == Severity::kReported) fmt::print("  severity   reported: the implementation may choose\n");
  fmt::print("  releases   {}\n", releases(asked));
  fmt::print("  this one   {} (profile {}): {}\n", kernel_release(), profile.name,
             why.empty() ? "applies" : "does not apply: " + why);
  for (const std::string& test : tests_of(asked.id)) fmt::print("  test       {}\n", test);
  if (find_requirement(asked.id)) fmt::print("  programs   aio-cts run --stop-at {}\n", asked.id);
  return Exit::kConforming;
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("explain", "What a requirement says, and where it comes from");
  const auto id = std::make_shared<std::string>();
  command->add_option("requirement", *id, "Its id: aio-cts list requirements")->required()->type_name("REQ");
  command->footer("Example:\n  aio-cts explain io_setup.nr_zero_is_einval");
  command->callback([id, &action] { action = [id] { return explain(*id); }; });
}

}  // namespace aio::cli
