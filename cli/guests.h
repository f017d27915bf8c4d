// SPDX-License-Identifier: GPL-2.0-or-later
//
// Guests: a kernel in a virtual machine, packed with this program, its modules and a disk, booted as often as needed.
#pragma once

#include <string>
#include <vector>

#include "cli/exit.h"
#include "fixtures/vm/guest.h"
#include "fixtures/vm/vm.h"

namespace aio::cli {

struct GuestOptions {
  std::string kernel;
  bool uml = false;            // that is a program, User-mode Linux
  std::string modules;         // a folder of modules; empty: none
  unsigned possible_cpus = 0;  // at least; 0: as many as are online
  unsigned memory_mib = 1024;
  std::string accel = "auto";  // kvm, tcg, or kvm where it works
  std::string append;
  double timeout_s = 3600;
};

// "6.12-vmlinuz": of several kernels the files often have one name.
std::string short_name(const std::string& kernel);

class Guests {
 public:
  // Looks at everything once. Throws Failure: kUsage for a kernel or modules that cannot be read, kIncomplete where
  // QEMU is missing or this program is no static one.
  explicit Guests(const GuestOptions& options);

  // With so many CPUs from now on, and a new disk.
  void shape(unsigned cpus);
  // Boots it with these orders, again where the emulator stopped it before it came up. `journal` holds afterwards
  // what went on.
  VmOutcome run(const GuestOrders& orders, const HostJournal& journal, const VmListener& listener) const;
  // With a shell on this terminal.
  void run_shell() const;
  // How it is run, for people: "TCG: KVM is not there", and what it lacks.
  std::string remarks() const { return how_ + disk_remark_; }

 private:
  std::string packed(const GuestOrders& orders, const std::vector<GuestFile>& programs) const;
  bool kvm_works() const;
  void choose_accel(const std::string& wanted);
  void make_disk();

  const GuestOptions options_;
  VmMachine machine_;
  VmLimits limits_;
  std::string binary_;
  std::vector<Module> modules_;
  const Descriptor disk_;  // in $TMPDIR, without a name
  std::string how_;
  std::string disk_remark_;
};

}  // namespace aio::cli
