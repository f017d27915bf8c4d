// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/target.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "cli/catalogue.h"
#include "cli/exit.h"
#include "fixtures/native_entry.h"
#include "fixtures/probe.h"
#include "fixtures/racing_lies.h"
#include "fixtures/running_profile.h"

namespace aio::cli {
namespace {

// Files of programs have no names, so they may lie there as they are.
std::string default_directory() {
  struct statfs status {};
  if (::statfs("/dev/shm", &status) == 0 && status.f_type == TMPFS_MAGIC && ::access("/dev/shm", W_OK | X_OK) == 0) {
    return "/dev/shm";
  }
  const char* temporary = std::getenv("TMPDIR");
  return temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
}

void require_aio() {
  NativeEntry entry;
  // Without AIO the number is not looked at; with it, an unreadable context variable is EFAULT.
  if (entry.io_setup(1, 0).error != ENOSYS) return;
  throw Failure(Exit::kSkipped, "skipped: this kernel has no AIO (io_setup answers ENOSYS)");
}

}  // namespace

std::string run_directory(const std::string& given) {
  std::string path = given.empty() ? default_directory() : given;
  if (::access(path.c_str(), W_OK | X_OK) == 0) return path;
  throw wrong_usage(fmt::format("cannot write into {}: {}; name another directory", path, std::strerror(errno)));
}

std::string kernel_release() {
  utsname name{};
  ::uname(&name);
  return name.release;
}

std::string kernel_build() {
  utsname name{};
  ::uname(&name);
  return name.version;
}

const Profile& choose_profile(const std::string& name, const Implementation& implementation) {
  if (name != "auto") return profile_named(name);
  return implementation.is_linux() ? *running_profile().profile : profiles().back();
}

Implementation choose_implementation(const std::string& name) {
  if (name == "linux") return {};
  Implementation found = detect_implementation();
  if (name == "other" && found.is_linux()) found = {"other", "--implementation says so"};
  return found;
}

Machine look_at_machine(const std::string& directory) {
  try {
    return probe_machine(directory);
  } catch (const std::system_error& error) {
    throw wrong_usage(fmt::format("{} cannot hold the files of programs: {}", directory, error.what()));
  }
}

void add_target_options(CLI::App& command, TargetOptions& options) {
  command
      .add_option("--profile", options.profile,
                  "The rules to judge by (default: the running kernel's; the newest if it is not Linux's own)")
      ->type_name("NAME");
  command.add_option("--dir", options.directory, "Where the programs' regular files lie (default: /dev/shm)")
      ->type_name("DIR");
}

Target::Target(const TargetOptions& options) : kernel_(kernel_release()) {
  require_aio();
  implementation_ = choose_implementation(options.implementation);
  setting_.profile = &choose_profile(options.profile, implementation_);
  if (options.profile == "auto" && implementation_.is_linux()) profile_notes_ = running_profile().notes;
  release_ = running_release();
  if (!options.lie.empty()) require_lie(options.lie);
  (is_racing_lie(options.lie) ? racing_lie_ : setting_.lie) = options.lie;
  if (!options.mutant.empty()) setting_.mutant = requirement_named(options.mutant);
  setting_.hang_time = milliseconds_of(options.hang_time_s);
  if (!implementation_.is_linux() || options.quirks) setting_.quirks.emplace();
  for (const Signature& each : options.quirks.value_or(std::vector<Signature>())) setting_.quirks->add(each);
  setting_.directory = run_directory(options.directory);
  setting_.machine = look_at_machine(setting_.directory);
  if (!setting_.machine.aio_nr) return;
  ledger_ = std::make_unique<Ledger>(Ledger::default_path());
  setting_.ledger = ledger_.get();
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace aio::cli
