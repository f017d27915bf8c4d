// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>

#include "cli/commands.h"
#include "cli/guest_run.h"
#include "cli/option_value.h"
#include "cli/shard.h"
#include "fixtures/interruption.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kDefaultCpus = 2;

struct VmCommand {
  std::vector<std::string> kernels;
  std::string uml;
  std::vector<unsigned> cpus;
  GuestOptions guest;
  GuestRunOptions run;
  bool shell = false;
};

struct Row {
  unsigned cpus = 0;
  GuestVerdict verdict;
};

// What a guest runs unless it is told otherwise: programs, as emulated the suites take minutes. It has a machine to
// itself.
std::vector<std::string> run_words(std::vector<std::string> given) {
  std::vector<std::string> words{"run", "--allow-system-changes", "--allow-crash"};
  const auto unless = [&](std::string_view option, std::initializer_list<std::string> more) {
    if (!option_value(given, option)) words.insert(words.end(), more);
  };
  if (!option_value(given, "--cases")) unless("--time", {"--time", "20"});
  // Where it is emulated, a test may take a minute, which a test that hangs is told from by this.
  if (runs_suites(given)) unless("--hang-time", {"--hang-time", "30"});
  unless("--dir", {"--dir", kFilesWord});
  const Shard shard = chosen_shard(option_value(given, "--shard").value_or(""), environment);
  require_seed(shard, option_value(given, "--seed").has_value());
  // The guest does not see the variables.
  if (shard) unless("--shard", {"--shard", fmt::format("{}/{}", shard.index, shard.count)});
  // The same programs on each kernel and shape.
  unless("--seed", {"--seed", std::to_string(std::random_device()())});
  std::erase_if(given, [](const std::string& word) { return word.starts_with("--allow-"); });
  words.insert(words.end(), given.begin(), given.end());
  return words;
}

// The graver of two results of guests.
Exit graver(Exit a, Exit b) {
  for (const Exit each : {Exit::kDivergences, Exit::kIncomplete, Exit::kUsage, Exit::kSkipped}) {
    if (a == each || b == each) return each;
  }
  return Exit::kConforming;
}

const char* in_a_word(Exit exit) {
  switch (exit) {
    case Exit::kConforming:
      return "conforming";
    case Exit::kDivergences:
      return "divergences";
    case Exit::kUsage:
      return "wrong usage";
    case Exit::kIncomplete:
      return "incomplete";
    case Exit::kSkipped:
      return "skipped";
  }
  return "";
}

void print_table(const std::vector<Row>& rows) {
  fmt::print("\n{:<36}{:>6}{:>9}{:>11}  {}\n", "kernel", "CPUs", "boot (s)", "total (s)", "verdict");
  for (const Row& row : rows) {
    fmt::print("{:<36}{:>6}{:>9.1f}{:>11.1f}  {}\n", row.verdict.kernel, row.cpus, row.verdict.boot_seconds,
               row.verdict.seconds, in_a_word(row.verdict.exit));
  }
}

// User-mode Linux is a program of bin/, its modules lie in lib/.
std::string modules_beside(const fs::path& kernel) {
  for (const char* each : {"modules", "../lib/uml/modules"}) {
    const fs::path folder = fs::absolute(kernel).parent_path() / each;
    if (fs::is_directory(folder)) return folder.string();
  }
  return "";
}

// User-mode Linux takes the place of the kernels, and has one CPU.
VmCommand settled(VmCommand command) {
  command.guest.uml = !command.uml.empty();
  if (command.guest.uml) command.kernels = {command.uml};
  if (command.kernels.empty()) throw wrong_usage("name a kernel: --kernel FILE, or --uml FILE");
  if (command.cpus.empty()) command.cpus = {command.guest.uml ? 1 : kDefaultCpus};
  if (command.guest.uml && command.cpus != std::vector<unsigned>{1}) {
    throw wrong_usage("User-mode Linux has one CPU: --cpus cannot be more");
  }
  return command;
}

Exit vm(const VmCommand& given) {
  const VmCommand command = settled(given);
  stop_on_signals();
  const bool several = command.kernels.size() * command.cpus.size() > 1;
  GuestRunOptions run = command.run;
  run.words = run_words(run.words);
  std::vector<Row> rows;
  for (const std::string& kernel : command.kernels) {
    GuestOptions guest = command.guest;
    guest.kernel = kernel;
    if (guest.modules.empty()) guest.modules = modules_beside(kernel);
    Guests guests(guest);
    for (const unsigned cpus : command.cpus) {
      guests.shape(cpus);
      if (command.shell) {
        guests.run_shell();
        return Exit::kConforming;
      }
      const std::string name = short_name(kernel);
      if (several && !command.run.report.empty()) {
        run.report = fmt::format("{}/{}-{}cpu", command.run.report, name, cpus);
      }
      if (!run.report.empty()) fs::create_directories(run.report);
      fmt::print("{}{} on {} CPU{}, {}", rows.empty() ? "" : "\n", name, cpus, cpus == 1 ? "" : "s", guests.remarks());
      std::fflush(stdout);
      rows.push_back({cpus, run_in_guest(guests, run)});
      if (stop_requested()) throw Failure(Exit::kIncomplete, "interrupted");
    }
  }
  if (several) print_table(rows);
  Exit exit = Exit::kConforming;
  for (const Row& row : rows) exit = graver(exit, row.verdict.exit);
  return exit;
}

void add_options(CLI::App& app, VmCommand& command) {
  CLI::Option* const kernel =
      app.add_option("--kernel", command.kernels, "A bzImage; several are run one after the other")
          ->allow_extra_args(false)
          ->type_name("FILE");
  CLI::Option* const uml = app.add_option("--uml", command.uml, "User-mode Linux instead, a program: needs no QEMU")
                               ->excludes(kernel)
                               ->type_name("FILE");
  app.add_option("--modules", command.guest.modules,
                 "Its modules: lib/modules/VERSION, or a folder above it (default: modules/ beside it, if there)")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  app.add_option("--cpus", command.cpus, "CPUs of the guest (default 2; --uml has 1); 1,2,4 for one run each")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  app.add_option("--possible-cpus", command.guest.possible_cpus, "CPUs that it could have, at least as many")
      ->excludes(uml)
      ->check(CLI::Range(1, 255))
      ->type_name("N");
  app.add_option("--memory", command.guest.memory_mib, "Memory of the guest (default 1024)")
      ->check(CLI::Range(128, 1 << 20))
      ->type_name("MIB");
  app.add_option("--accel", command.guest.accel, "auto, kvm or tcg; auto takes KVM if a guest comes up with it")
      ->excludes(uml)
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->type_name("HOW");
  app.add_option("--append", command.guest.append, "More words for the kernel's command line")->type_name("WORDS");
  app.add_option("--timeout", command.guest.timeout_s, "After which a guest is given up (default 3600)")
      ->check(CLI::Range(1.0, 1e6))
      ->type_name("SECONDS");
  CLI::Option* const report =
      app.add_option("--report", command.run.report, "Write a report into this directory")->type_name("DIR");
  app.add_option("--collect", command.run.collect, "A file of the guest that goes into the report when the run is over")
      ->needs(report)
      ->allow_extra_args(false)
      ->type_name("PATH");
  app.add_option("--minimize-time", command.run.minimize_time_s,
                 "For a program that kills the kernel, which takes a boot a step (default 180)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  app.add_flag("--shell", command.shell, "A shell on this terminal instead (needs busybox)");
  app.add_option("words", command.run.words, "Options of `aio-cts run`, behind --")->type_name("RUN-OPTION");
}

}  // namespace

void add_vm(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("vm", "Hold another kernel against the ABI, in a virtual machine");
  const auto options = std::make_shared<VmCommand>();
  add_options(*command, *options);
  command->footer(
      "Boots the kernel in QEMU, or as User-mode Linux, with nothing but this program, runs `aio-cts run` there\n"
      "and passes on what it says. Needs no root and no disk image. A kernel that panics, warns or stops is a\n"
      "divergence: the program that did it is found by booting again, and minimized.\n\n"
      "Examples:\n"
      "  aio-cts vm --kernel arch/x86/boot/bzImage              a kernel that was just built: programs for 20 s\n"
      "  aio-cts vm --kernel bzImage -- --suite all             the suites as well, minutes where it is emulated\n"
      "  aio-cts vm --kernel bzImage --modules /lib/modules/6.1.0 --cpus 1,2,4,8 -- --cases 10000\n"
      "  aio-cts vm --kernel bzImage --report out -- --seed 42  the programs of seed 42\n"
      "  aio-cts vm --kernel bzImage --shell                    a shell in that kernel\n"
      "  aio-cts vm --uml /usr/bin/linux.uml                    without QEMU: Debian's user-mode-linux");
  command->callback([options, &action] { action = [options] { return vm(*options); }; });
}

}  // namespace aio::cli
