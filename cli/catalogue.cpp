// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/nearest.h"
#include "fixtures/lies.h"
#include "fixtures/racing_lies.h"
#include "reference/needs.h"

namespace aio::cli {
namespace {

// Why a token (needs.h) does not hold.
std::string lacking(std::string_view token, const Profile& profile, const Machine& machine) {
  if (token.starts_with(">=")) return fmt::format("{} does not have it yet, {} does", profile.name, token.substr(2));
  if (token.starts_with("<")) return fmt::format("{} no longer has it, since {}", profile.name, token.substr(1));
  const std::string& files = machine.file_system;
  if (const Switch* const found = find_switch(token)) {
    return fmt::format("{} does not have it, {} do", profile.name, found->releases);
  }
  if (token == "aio_nr") return "/proc/sys/fs/aio-nr and aio-max-nr cannot be read";
  if (token == "cpus2") return "this process may run on one CPU only";
  if (token == "nowait") return fmt::format("{} refuses RWF_NOWAIT; try --dir", files);
  if (token == "no_nowait") return fmt::format("{} takes RWF_NOWAIT; try --dir", files);
  if (token == "nowait_write_fails") return fmt::format("buffered RWF_NOWAIT writes work on {}; try --dir", files);
  if (token == "dontcache") return fmt::format("{} refuses RWF_DONTCACHE; try --dir", files);
  if (token == "bounded_files") return fmt::format("files on {} may have any size; try --dir", files);
  if (token == "direct") return fmt::format("{} refuses O_DIRECT; try --dir", files);
  if (token == "direct_queues") return fmt::format("O_DIRECT completes at once on {}; try --dir", files);
  if (token == "compat") return "32-bit system calls cannot be made";
  if (token == "guest") return "nobody outside sees whether this kernel survives (aio-cts vm)";
  if (token == "lanes") return "/proc/self/syscall does not show in which call a thread sleeps";
  if (token == "gate") return "no file system in user space can be mounted: aio-cts probe says why";
  if (token == "rt") return "it takes CAP_SYS_NICE or CAP_SYS_ADMIN";
  if (token == "no_rt") return "this process has CAP_SYS_NICE or CAP_SYS_ADMIN";
  return fmt::format("it needs {}", token);
}

}  // namespace

Req requirement_named(const std::string& id) {
  if (const std::optional<Req> found = find_requirement(id)) return *found;
  std::vector<std::string_view> known;
  for (const Requirement& each : requirements()) known.push_back(each.id);
  throw unknown_name("requirement", id, known);
}

const Requirement& catalogued(const std::string& id) {
  if (const Requirement* const found = find_in_catalogue(id)) return *found;
  std::vector<std::string_view> known;
  for (const Requirement& each : requirements()) known.push_back(each.id);
  for (const Requirement& each : suite_requirements()) known.push_back(each.id);
  throw unknown_name("requirement", id, known);
}

const Profile& profile_named(const std::string& name) {
  if (const Profile* found = find_profile(name)) return *found;
  std::vector<std::string_view> known;
  for (const Profile& each : profiles()) known.emplace_back(each.name);
  throw unknown_name("profile", name, known);
}

void require_lie(const std::string& id) {
  std::vector<std::string_view> known;
  for (const auto all : {lies(), racing_lies()}) {
    for (const Lie& each : all) known.push_back(each.id);
  }
  if (std::find(known.begin(), known.end(), id) == known.end()) throw unknown_name("lie", id, known);
}

std::string why_not(const Requirement& requirement, const Profile& profile, const Machine& machine) {
  std::string why;
  for (const std::string_view token : split_needs(requirement.needs)) {
    if (need_holds(token, profile, machine).value_or(false)) continue;
    why += (why.empty() ? "" : "; ") + lacking(token, profile, machine);
  }
  return why;
}

}  // namespace aio::cli
