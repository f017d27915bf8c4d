// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/guests.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <system_error>

#include "cli/option_value.h"
#include "fixtures/scratch_file.h"
#include "fixtures/vm/guest_orders.h"
#include "fixtures/whole.h"
#include "fixtures/worker.h"

namespace aio::cli {
namespace {

namespace fs = std::filesystem;

constexpr off_t kDiskBytes = off_t{512} << 20;
constexpr std::chrono::seconds kDiskPatience{30};
constexpr std::chrono::seconds kKvmPatience{10};
constexpr unsigned kBootsAgain = 2;  // where the emulator stopped one before it came up

// What programs and suites can use. Of a name that is not there nothing is asked.
constexpr std::array<std::string_view, 9> kModules{"virtio_pci", "virtio_blk", "ext4",      "crc32c_generic", "fuse",
                                                   "loop",       "xfs",        "libcrc32c", "overlay"};

std::string content_of(const std::string& path, const char* what) {
  std::optional<std::string> content = read_whole(path);
  if (content && !content->empty()) return std::move(*content);
  throw wrong_usage(fmt::format("cannot read {} {}: {}", what, path, content ? "empty" : std::strerror(errno)));
}

// The boot protocol of x86 puts "HdrS" there.
void require_kernel(const std::string& path) {
  constexpr std::size_t kMagicAt = 0x202;
  const std::string image = content_of(path, "the kernel");
  if (image.size() > kMagicAt + 4 && image.compare(kMagicAt, 4, "HdrS") == 0) return;
  throw wrong_usage(path + " is no x86 kernel image; name a bzImage, such as arch/x86/boot/bzImage");
}

void require_uml(const std::string& path) {
  const bool knows_its_options = content_of(path, "User-mode Linux").find("uml_dir=") != std::string::npos;
  if (knows_its_options && ::access(path.c_str(), X_OK) == 0) return;
  throw wrong_usage(path + " is no User-mode Linux; name the program linux of a build with ARCH=um");
}

// Of a program in $PATH or where only root has it; empty where it is not there.
std::string program_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string full = fmt::format("{}/{}", folder, name);
    if (!folder.empty() && ::access(full.c_str(), X_OK) == 0) return full;
  }
  return "";
}

// What makes file systems, as far as this machine has it: suites mount their own.
std::vector<GuestFile> makers() {
  std::vector<GuestFile> files;
  for (const char* const name : {"mkfs.ext4", "mkfs.xfs"}) {
    const std::string path = program_path(name);
    if (path.empty()) continue;
    std::vector<GuestFile> more = program_files(path, fmt::format("/bin/{}", name));
    std::move(more.begin(), more.end(), std::back_inserter(files));
  }
  return files;
}

}  // namespace

std::string short_name(const std::string& kernel) {
  const fs::path path = fs::absolute(kernel);
  return fmt::format("{}-{}", path.parent_path().filename().string(), path.filename().string());
}

Guests::Guests(const GuestOptions& options)
    : options_(options),
      binary_(content_of("/proc/self/exe", "this program")),
      disk_(make_scratch_file(fs::temp_directory_path())) {
  machine_.uml = options.uml;
  machine_.kernel = fs::absolute(options.kernel);
  machine_.memory_mib = options.memory_mib;
  machine_.append = options.append;
  limits_.total = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  options.uml ? require_uml(options.kernel) : require_kernel(options.kernel);
  if (!is_static_program(binary_)) {
    throw Failure(Exit::kIncomplete,
                  "this build of aio-cts cannot be put into a guest, as it is not static: use the one of the preset "
                  "release (build/release/aio-cts)");
  }
  if (!options.uml && program_path(machine_.qemu).empty()) {
    throw Failure(Exit::kIncomplete, machine_.qemu + " is not there: install QEMU (Debian: qemu-system-x86)");
  }
  try {
    if (!options.modules.empty()) modules_ = find_modules(options.modules, kModules);
  } catch (const std::exception& error) {
    throw wrong_usage(error.what());
  }
  choose_accel(options.accel);
}

void Guests::shape(unsigned cpus) {
  machine_.cpus = cpus;
  machine_.possible_cpus = std::max(cpus, options_.possible_cpus);
  make_disk();
}

void Guests::make_disk() {
  const std::string mke2fs = program_path("mke2fs");
  machine_.disk = -1;
  disk_remark_.clear();
  if (mke2fs.empty()) {
    disk_remark_ = "no disk: mke2fs is not there (Debian: e2fsprogs)\n";
    return;
  }
  // Empty in between, so that nothing of an earlier one remains.
  if (::ftruncate(disk_.get(), 0) != 0 || ::ftruncate(disk_.get(), kDiskBytes) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a disk");
  }
  Worker worker([&] {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, fd);
    ::fcntl(disk_.get(), F_SETFD, 0);
    const std::string disk = fmt::format("/dev/fd/{}", disk_.get());
    ::execl(mke2fs.c_str(), "mke2fs", "-q", "-F", "-t", "ext4", disk.c_str(), nullptr);
    return 127;
  });
  if (worker.wait_exit(kDiskPatience) == 0) {
    machine_.disk = disk_.get();
  } else {
    disk_remark_ = "no disk: mke2fs failed\n";
  }
}

// A guest that only comes up: a device that is there need not work.
bool Guests::kvm_works() const {
  VmMachine machine = machine_;
  machine.kvm = true;
  VmLimits limits = limits_;
  limits.boot = kKvmPatience;
  const HostJournal journal;
  return run_vm(machine, packed({}, {}), limits, journal, {}).end == VmEnd::kFinished;
}

void Guests::choose_accel(const std::string& wanted) {
  if (options_.uml) {
    how_ = "as User-mode Linux\n";
    return;
  }
  const bool device = ::access("/dev/kvm", R_OK | W_OK) == 0;
  machine_.kvm = wanted == "kvm" || (wanted == "auto" && device && kvm_works());
  if (machine_.kvm) {
    how_ = "accelerated by KVM\n";
  } else if (wanted == "tcg") {
    how_ = "emulated by TCG\n";
  } else {
    how_ = fmt::format("emulated by TCG: {}\n", device ? "no guest came up with KVM" : "there is no /dev/kvm");
  }
}

std::string Guests::packed(const GuestOrders& orders, const std::vector<GuestFile>& programs) const {
  Initramfs initramfs;
  pack_guest(initramfs, binary_, modules_, orders, programs);
  return initramfs.finish();
}

VmOutcome Guests::run(const GuestOrders& orders, const HostJournal& journal, const VmListener& listener) const {
  const bool suites = std::any_of(orders.commands.begin(), orders.commands.end(), runs_suites);
  const std::string initramfs = packed(orders, suites ? makers() : std::vector<GuestFile>());
  const auto boot = [&] { return run_vm(machine_, initramfs, limits_, journal, listener); };
  VmOutcome outcome = boot();
  for (unsigned again = 0; again < kBootsAgain && outcome.end == VmEnd::kEmulator && outcome.kernel.empty(); ++again) {
    outcome = boot();
  }
  return outcome;
}

void Guests::run_shell() const {
  const std::string busybox = program_path("busybox");
  if (busybox.empty()) throw Failure(Exit::kIncomplete, "busybox is not there (Debian: busybox-static)");
  GuestOrders orders;
  orders.shell = true;
  const HostJournal journal;
  run_vm_on_terminal(machine_, packed(orders, program_files(busybox, kBusyboxPath)), journal);
}

}  // namespace aio::cli
