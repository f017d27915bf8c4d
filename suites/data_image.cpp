// SPDX-License-Identifier: GPL-2.0-or-later
//
// File systems on images. The image is a file without a name, its loop device detaches itself with the last user, and
// the mount is seen by this process only and ends with it, so nothing stays, however the process ends.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "fixtures/probe.h"
#include "fixtures/scratch_file.h"
#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr int kLoopTries = 16;
constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Kind {
  const char* name;
  std::vector<const char*> mkfs;  // the image's path follows
  const char* options;            // of mount
  std::size_t size;               // mkfs.xfs makes nothing smaller than 300 MiB, mkfs.btrfs than 109
  std::size_t dirty;              // of which the first so many bytes are not zero: mkfs leaves the data blocks alone
};

Kind described(FileSystem kind) {
  switch (kind) {
    case FileSystem::kExt4:
      return {"ext4", {"mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "nodiscard"}, "", 128 * kMiB, 128 * kMiB};
    case FileSystem::kXfs:
      // New files lie in the first quarter.
      return {"xfs", {"mkfs.xfs", "-q", "-f", "-K"}, "", 320 * kMiB, 80 * kMiB};
    case FileSystem::kBtrfs:
      // Direct writes of blocks with checksums are done through the page cache in newer releases.
      return {"btrfs", {"mkfs.btrfs", "-q", "-f", "-K"}, "nodatasum", 160 * kMiB, 160 * kMiB};
  }
  throw std::invalid_argument("no such file system");
}

bool make_image(const Kind& kind, const Descriptor& image) {
  const std::string stale(kMiB, kStale);
  for (std::size_t at = 0; at < kind.dirty; at += stale.size()) {
    if (::pwrite(image.get(), stale.data(), stale.size(), static_cast<off_t>(at)) != ssize_t(stale.size())) {
      return false;
    }
  }
  return ::ftruncate(image.get(), static_cast<off_t>(kind.size)) == 0;
}

// Programs of the administrator are not on every user's path.
void widen_path() {
  const char* const path = std::getenv("PATH");
  ::setenv("PATH", fmt::format("{}:/usr/sbin:/sbin", path == nullptr ? "/usr/bin:/bin" : path).c_str(), 1);
}

bool format_image(const Kind& kind, const Descriptor& image) {
  widen_path();
  // A copy that the program inherits.
  const Descriptor inherited(::dup(image.get()));
  const std::string path = fmt::format("/proc/self/fd/{}", inherited.get());
  std::vector<char*> words;
  for (const char* const word : kind.mkfs) words.push_back(const_cast<char*>(word));
  words.push_back(const_cast<char*>(path.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
  }
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  return error == 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

bool attach(const Descriptor& device, const Descriptor& image) {
#ifdef LOOP_CONFIGURE
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(image.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) return true;
  if (errno == EBUSY) return false;
#endif
  // Before 5.8.
  loop_info64 info{};
  info.lo_flags = LO_FLAGS_AUTOCLEAR;
  if (::ioctl(device.get(), LOOP_SET_FD, image.get()) != 0) return false;
  if (::ioctl(device.get(), LOOP_SET_STATUS64, &info) == 0) return true;
  ::ioctl(device.get(), LOOP_CLR_FD, 0);
  return false;
}

// A device that is free when it is asked for may be another's when it is opened.
Descriptor loop_device(const Descriptor& image, std::string& path) {
  const Descriptor control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  for (int i = 0; control && i < kLoopTries; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) break;
    path = fmt::format("/dev/loop{}", number);
    Descriptor device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    // While a device is open for writing a kernel without BLK_DEV_WRITE_MOUNTED does not mount it.
    if (device && attach(device, image)) return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  return Descriptor();
}

}  // namespace

const char* move_to_image(FileSystem file_system) {
  const Kind kind = described(file_system);
  const std::string& directory = setting().directory;
  const Descriptor image = make_scratch_file(directory);
  if (!make_image(kind, image)) return "there is no room for an image of a file system";
  if (!format_image(kind, image)) return "there is no program that makes this file system";
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return "this process may not have mounts of its own";
  }
  std::string path;
  const Descriptor device = loop_device(image, path);
  if (!device) return "there is no loop device to be had";
  if (::mount(path.c_str(), directory.c_str(), kind.name, MS_NOATIME, kind.options) != 0) {
    if (errno == ENODEV) return "the kernel does not know this file system";
    throw std::system_error(errno, std::generic_category(), "cannot mount an image");
  }
  Setting moved = setting();
  moved.machine = probe_machine(directory);
  set_setting(moved);
  return nullptr;
}

void leave_image() {
  // Where a file is still open it goes when the process does.
  ::umount2(setting().directory.c_str(), MNT_DETACH);
}

}  // namespace aio::suites
