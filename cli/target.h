// SPDX-License-Identifier: GPL-2.0-or-later
//
// The target: the kernel that a command is about, what the machine is, and where the regular files of programs lie.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixtures/implementation.h"
#include "fixtures/ledger.h"
#include "properties/batch.h"
#include "reference/profile.h"

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}

namespace aio::cli {

// The directory for the programs' regular files, which have no names there: `given`, or if that is empty /dev/shm where
// it is a tmpfs to which this user may write, else $TMPDIR or /tmp. Throws Failure where it cannot be written to.
std::string run_directory(const std::string& given);

// uname(2)'s release, and its version, which differs between builds of one release.
std::string kernel_release();
std::string kernel_build();

struct TargetOptions {
  std::string directory;                         // as for run_directory()
  std::string profile = "auto";                  // or a name
  std::string implementation = "auto";           // or "linux", "other"
  std::optional<std::vector<Signature>> quirks;  // of a trace: what its model took over
  std::string lie;
  std::string mutant;
  double hang_time_s = 5;
};

// --profile and --dir, of a command that judges programs.
void add_target_options(CLI::App& command, TargetOptions& options);

// What programs run on. Throws Failure: kUsage for unknown names or a directory that cannot be used, kSkipped where the
// kernel has no AIO.
class Target {
 public:
  explicit Target(const TargetOptions& options);

  const std::string& kernel() const { return kernel_; }
  const Release& release() const { return release_; }
  // What a reader of the results must know of the profile that judges.
  const std::vector<std::string>& profile_notes() const { return profile_notes_; }
  // Whose implementation answers: "Linux", "gVisor".
  const Implementation& implementation() const { return implementation_; }
  // What is told to free lanes; normally empty.
  const std::string& racing_lie() const { return racing_lie_; }
  // Refers to this target.
  const Setting& setting() const { return setting_; }

 private:
  std::string kernel_;
  std::string racing_lie_;
  Implementation implementation_;
  Release release_;
  std::vector<std::string> profile_notes_;
  std::unique_ptr<Ledger> ledger_;
  Setting setting_;
};

// The profile of that name, or for "auto" the running kernel's: the newest one where it is not Linux's own, whose
// release says nothing.
const Profile& choose_profile(const std::string& name, const Implementation& implementation);
// As --implementation says; looks where it is "auto".
Implementation choose_implementation(const std::string& name);
// Throws Failure where a machine cannot be looked at with files in that directory.
Machine look_at_machine(const std::string& directory);

std::chrono::milliseconds milliseconds_of(double seconds);

}  // namespace aio::cli
