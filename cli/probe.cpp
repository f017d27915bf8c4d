// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixtures/probe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/target.h"
#include "fixtures/running_profile.h"
#include "reports/trace_fields.h"

namespace aio::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Findings {
  std::string kernel;
  Implementation implementation;
  const Profile* profile = nullptr;
  Machine machine;
  std::vector<Facility> facilities;
};

// What the model has to know of the machine, by the names that traces use.
Json machine_json(const Machine& machine) {
  Json json = Json::object();
  visit_fields(machine, [&json](const char* name, const auto& value) { json[name] = value; });
  return json;
}

void print_json(const Findings& found) {
  Json facilities = Json::array();
  for (const Facility& each : found.facilities) {
    facilities.push_back(
        {{"name", each.name}, {"what", each.what}, {"available", each.available}, {"detail", each.detail}});
  }
  Json excluded = Json::array();
  for (const Requirement& each : requirements()) {
    const std::string why = why_not(each, *found.profile, found.machine);
    if (!why.empty()) excluded.push_back({{"id", each.id}, {"why", why}});
  }
  const Json json{
      {"kernel", found.kernel},
      {"implementation", found.implementation.name},
      {"profile", found.profile->name},
      {"profile_notes", found.implementation.is_linux() ? running_profile().notes : std::vector<std::string>{}},
      {"machine", machine_json(found.machine)},
      {"facilities", facilities},
      {"excluded", excluded}};
  fmt::print("{}\n", json.dump(1, ' ', false, Json::error_handler_t::replace));
}

// Nothing of Linux's own.
std::string named(const Implementation& implementation) {
  if (implementation.is_linux()) return "";
  return fmt::format(", the implementation is {}: {}", implementation.name, implementation.sign);
}

void print_text(const Findings& found) {
  fmt::print("kernel   {}{}\nprofile  {}\n", found.kernel, named(found.implementation), found.profile->name);
  if (found.implementation.is_linux()) {
    for (const std::string& note : running_profile().notes) fmt::print("         {}\n", note);
  }
  fmt::print("\nmachine\n");
  const Json machine = machine_json(found.machine);
  for (const auto& [name, value] : machine.items()) fmt::print("  {:<20} {}\n", name, value.dump());
  fmt::print("\nwhat the kernel offers\n");
  for (const Facility& each : found.facilities) {
    fmt::print("  {:<3} {:<20} {:<34} {}\n", each.available ? "yes" : "no", each.name, each.what, each.detail);
  }
  fmt::print("\nrequirements that do not apply here\n");
  bool any = false;
  for (const Requirement& each : requirements()) {
    const std::string why = why_not(each, *found.profile, found.machine);
    if (why.empty()) continue;
    any = true;
    fmt::print("  {}\n      {}\n", each.id, why);
  }
  if (!any) fmt::print("  none\n");
}

}  // namespace

void add_probe(CLI::App& app, Action& action) {
  CLI::App* probe = app.add_subcommand("probe", "What this machine and its kernel offer");
  struct Options {
    std::string format = "text";
    std::string directory;
  };
  const auto options = std::make_shared<Options>();
  probe->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  probe->add_option("--dir", options->directory, "Where regular files are tried (default: /dev/shm)")->type_name("DIR");
  probe->footer(
      "Tries each call, opcode and flag once. Needs no privilege and leaves nothing behind.\n\n"
      "Examples:\n"
      "  aio-cts probe\n"
      "  aio-cts probe --dir /mnt/ext4 --format json");
  probe->callback([options, &action] {
    action = [options] {
      const std::string directory = run_directory(options->directory);
      Findings found;
      found.kernel = kernel_release();
      found.implementation = choose_implementation("auto");
      found.profile = &choose_profile("auto", found.implementation);
      found.machine = look_at_machine(directory);
      found.facilities = probe_facilities(directory);
      (options->format == "json" ? print_json : print_text)(found);
      return Exit::kConforming;
    };
  });
}

}  // namespace aio::cli
