// SPDX-License-Identifier: GPL-2.0-or-later
//
// PREAD, PWRITE, PREADV and PWRITEV: what io_submit itself refuses about priority, mode and kind of file.
// Claims: the errno of each refusal, by release and by file, and that what is known is taken.
// Provoked by every class and level of priority, with and without capabilities, and by a file of each kind.
// Not seen: whether a priority reaches a device; two wrong fields at once (check_order.cpp).
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <optional>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr Opcode kTransfers[] = {kPread, kPwrite, kPreadv, kPwritev};
constexpr Opcode kReads[] = {kPread, kPreadv};
constexpr Opcode kWrites[] = {kPwrite, kPwritev};

constexpr unsigned kRealTime = 1;
constexpr unsigned kBestEffort = 2;
constexpr unsigned kIdle = 3;

void prioritize(Iocb& iocb, unsigned io_class, unsigned data) {
  iocb.flags = kFlagIoprio;
  iocb.reqprio = static_cast<std::int16_t>(io_class << 13 | data);
}

// This thread keeps these of its capabilities, and none beside. False where it has not got them.
bool keep_capabilities(std::uint32_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) fail("cannot read the capabilities");
  if ((data[0].permitted & wanted) != wanted) return false;
  data[0].effective = wanted;
  data[1].effective = 0;
  if (::syscall(SYS_capset, &header, data.data()) != 0) fail("cannot drop capabilities");
  return true;
}

}  // namespace

SUITE_TEST(rw, an_ordinary_priority_is_taken, {.holds = {"rw.ioprio_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  keep_capabilities(0);
  for (const Opcode opcode : kTransfers) {
    prioritize(transfer(0, opcode, fd.get()), 0, 0);
    EXPECT_EQ(result(ctx, 0), 16) << opcode << ", class none";
    for (const unsigned io_class : {kBestEffort, kIdle}) {
      for (unsigned level = 0; level < 8; ++level) {
        prioritize(transfer(0, opcode, fd.get()), io_class, level);
        EXPECT_EQ(result(ctx, 0), 16) << opcode << ", class " << io_class << ", level " << level;
      }
    }
  }
}

SUITE_TEST(rw, class_none_has_no_level, {.holds = {"rw.ioprio_none_with_level_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (unsigned level = 1; level < 8; ++level) {
      prioritize(transfer(0, opcode, fd.get()), 0, level);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", level " << level;
    }
  }
}

SUITE_TEST(rw, classes_from_four_are_einval, {.holds = {"rw.unknown_ioprio_class_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (const unsigned io_class : {4u, 5u, 6u, 7u}) {
      for (const unsigned level : {0u, 7u}) {
        prioritize(transfer(0, opcode, fd.get()), io_class, level);
        EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", class " << io_class << ", level " << level;
      }
    }
  }
}

SUITE_TEST(rw, hints_are_taken, {.holds = {"rw.ioprio_hints_are_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (const unsigned hint : {0x8u, 0x10u, 0x1000u, 0x1ff8u}) {
      for (const unsigned io_class : {0u, kBestEffort, kIdle}) {
        prioritize(transfer(0, opcode, fd.get()), io_class, hint);
        EXPECT_EQ(result(ctx, 0), 16) << opcode << ", class " << io_class << ", hint " << hint;
      }
    }
  }
}

SUITE_TEST(rw, levels_from_eight_were_einval, {.holds = {"rw.ioprio_above_seven_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (const unsigned level : {0x8u, 0x10u, 0x1000u, 0x1fffu}) {
      for (const unsigned io_class : {0u, kBestEffort}) {
        prioritize(transfer(0, opcode, fd.get()), io_class, level);
        EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", class " << io_class << ", level " << level;
      }
      prioritize(transfer(0, opcode, fd.get()), kIdle, level);
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", idle, level " << level;
    }
  }
}

SUITE_TEST(rw, real_time_needs_a_capability,
           {.holds = {"rw.realtime_ioprio_unprivileged_is_eperm", "rw.realtime_ioprio_needs_capability"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  keep_capabilities(0);
  for (const Opcode opcode : kTransfers) {
    for (const unsigned level : {0u, 4u, 7u}) {
      prioritize(transfer(0, opcode, fd.get()), kRealTime, level);
      EXPECT_ERROR(EPERM, submit(ctx, {0})) << opcode << ", level " << level;
    }
  }
}

SUITE_TEST(rw, real_time_is_taken_with_the_capability, {.holds = {"rw.realtime_ioprio_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (const unsigned level : {0u, 4u, 7u}) {
      prioritize(transfer(0, opcode, fd.get()), kRealTime, level);
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", level " << level;
    }
  }
}

SUITE_TEST(rw, real_time_with_sys_nice_alone,
           {.holds = {"rw.realtime_ioprio_needs_only_sys_nice", "rw.realtime_ioprio_needs_sys_admin"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  if (!keep_capabilities(1u << CAP_SYS_NICE)) skip("this process has no CAP_SYS_NICE");
  for (const Opcode opcode : kTransfers) {
    prioritize(transfer(0, opcode, fd.get()), kRealTime, 4);
    if (since(5, 14)) {
      claim("rw.realtime_ioprio_needs_only_sys_nice");
      EXPECT_EQ(result(ctx, 0), 16) << opcode;
    } else {
      claim("rw.realtime_ioprio_needs_sys_admin");
      EXPECT_ERROR(EPERM, submit(ctx, {0})) << opcode;
    }
  }
}

SUITE_TEST(rw, a_priority_without_the_flag_is_not_looked_at,
           {.holds = {"rw.priority_without_flag_is_ignored", "rw.ioprio_flag_is_not_looked_at"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  keep_capabilities(0);
  for (const Opcode opcode : kTransfers) {
    for (unsigned io_class = 0; io_class < 8; ++io_class) {
      claim("rw.priority_without_flag_is_ignored");
      prioritize(transfer(0, opcode, fd.get()), io_class, 0x1fff);
      iocb(0).flags = 0;
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", class " << io_class;
      if (since(4, 18)) continue;
      claim("rw.ioprio_flag_is_not_looked_at");
      iocb(0).flags = kFlagIoprio;
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", class " << io_class;
    }
  }
}

SUITE_TEST(rw, reads_need_a_descriptor_open_for_reading, {.holds = {"rw.read_of_write_only_is_ebadf"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789", O_APPEND);
  const Descriptor write_only = opened("/proc/self/fd/" + std::to_string(plain.get()), O_WRONLY);
  const Descriptor null = opened("/dev/null", O_WRONLY);
  const Pipe ends = pipe();
  for (const Opcode opcode : kReads) {
    for (const int fd : {write_only.get(), null.get(), ends.write.get()}) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw, writes_need_a_descriptor_open_for_writing, {.holds = {"rw.write_of_read_only_is_ebadf"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Descriptor read_only = opened("/proc/self/fd/" + std::to_string(plain.get()), O_RDONLY);
  const Descriptor null = opened("/dev/null", O_RDONLY);
  const Descriptor folder = opened(setting().directory, O_RDONLY | O_DIRECTORY);
  const Pipe ends = pipe();
  for (const Opcode opcode : kWrites) {
    for (const int fd : {read_only.get(), null.get(), folder.get(), ends.read.get()}) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
}

SUITE_TEST(rw, files_that_cannot_be_read_are_einval, {.holds = {"rw.file_without_method_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor folder = opened(setting().directory, O_RDONLY | O_DIRECTORY);
  const Descriptor epoll = owned(::epoll_create1(EPOLL_CLOEXEC));
  const Descriptor watches = owned(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  for (const Opcode opcode : kReads) {
    for (const int fd : {folder.get(), epoll.get(), watches.get()}) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw, files_that_cannot_be_written_are_einval, {.holds = {"rw.file_without_method_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor event = eventfd();
  const Descriptor epoll = owned(::epoll_create1(EPOLL_CLOEXEC));
  const Descriptor timer = owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const Descriptor full = opened("/dev/full", O_WRONLY);
  for (const Opcode opcode : kWrites) {
    for (const int fd : {event.get(), epoll.get(), timer.get(), full.get()}) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
  EXPECT_EQ(drain(event.get()), 0u);
}

SUITE_TEST(rw, files_of_a_process_cannot_be_read, {.holds = {"rw.process_files_have_no_method"}}) {
  const std::uint64_t ctx = setup();
  for (const char* const path : {"/proc/self/stat", "/proc/self/maps", "/proc/self/cmdline", "/proc/self/mem"}) {
    const Descriptor fd = opened(path, O_RDONLY);
    for (const Opcode opcode : kReads) {
      transfer(0, opcode, fd.get());
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << path << ", " << opcode;
    }
  }
}

SUITE_TEST(rw, eventfds_could_not_be_read, {.holds = {"rw.eventfd_read_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = eventfd(3);
  for (const Opcode opcode : kReads) {
    transfer(0, opcode, fd.get());
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode;
  }
  EXPECT_EQ(drain(fd.get()), 3u);
}

SUITE_TEST(rw, timers_and_signals_could_not_be_read, {.holds = {"rw.timer_and_signal_reads_are_einval"}}) {
  const std::uint64_t ctx = setup();
  sigset_t signals;
  ::sigemptyset(&signals);
  const Descriptor timer = owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const Descriptor signal = owned(::signalfd(-1, &signals, SFD_CLOEXEC));
  for (const Opcode opcode : kReads) {
    for (const int fd : {timer.get(), signal.get()}) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw, proc_and_terminals_could_not_be_read, {.holds = {"rw.proc_and_tty_are_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor version = opened("/proc/version", O_RDONLY);
  const Descriptor cpus = opened("/sys/devices/system/cpu/possible", O_RDONLY);
  const std::optional<Terminal> pty = terminal();
  if (!pty) skip("no terminal can be made");
  for (const int fd : {version.get(), cpus.get(), pty->user.get(), pty->server.get()}) {
    for (const Opcode opcode : kReads) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
  for (const int fd : {pty->user.get(), pty->server.get()}) {
    for (const Opcode opcode : kWrites) {
      transfer(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

}  // namespace aio::suites
