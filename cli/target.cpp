// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/target.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "cli/catalogue.h"
#include "cli/exit.h"
#include "fixtures/native_entry.h"
#include "fixtures/probe.h"

namespace aio::cli {
namespace {

std::string default_parent() {
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

RunDirectory::RunDirectory(const std::string& given) : path_(given), is_ours_(given.empty()) {
  if (!is_ours_) {
    if (::access(given.c_str(), W_OK | X_OK) == 0) return;
    throw wrong_usage(fmt::format("cannot write into {}: {}; name another directory", given, std::strerror(errno)));
  }
  path_ = default_parent() + "/aio-cts-XXXXXX";
  if (::mkdtemp(path_.data()) != nullptr) return;
  throw Failure(Exit::kIncomplete,
                fmt::format("cannot make a directory {}: {}; name one by --dir", path_, std::strerror(errno)));
}

RunDirectory::~RunDirectory() {
  if (is_ours_) ::rmdir(path_.c_str());
}

std::string kernel_release() {
  utsname name{};
  ::uname(&name);
  return name.release;
}

const Profile& choose_profile(const std::string& name) {
  return name == "auto" ? profile_for(running_release()) : profile_named(name);
}

Machine look_at_machine(const RunDirectory& directory) {
  try {
    return probe_machine(directory.path());
  } catch (const std::system_error& error) {
    throw wrong_usage(fmt::format("{} cannot hold the files of programs: {}", directory.path(), error.what()));
  }
}

Target::Target(const TargetOptions& options) : kernel_(kernel_release()) {
  setting_.profile = &choose_profile(options.profile);
  release_ = running_release();
  if (!options.lie.empty()) require_lie(options.lie);
  setting_.lie = options.lie;
  if (!options.mutant.empty()) setting_.mutant = requirement_named(options.mutant);
  setting_.hang_time = milliseconds_of(options.hang_time_s);
  require_aio();
  directory_ = std::make_unique<RunDirectory>(options.directory);
  setting_.directory = directory_->path();
  setting_.machine = look_at_machine(*directory_);
  ledger_ = std::make_unique<Ledger>(Ledger::default_path());
  setting_.ledger = ledger_.get();
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace aio::cli
