// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes of what is neither regular file nor stream: devices, terminals, /proc and /sys, timers, signals.
// Claims: where the kind of file can be read or written at all, the event says what read(2) or write(2) would.
// Provoked by one file of each kind, made for the test where it can be.
// Not seen: kinds and releases in which io_submit refuses (rw.cpp); block and character devices of the machine.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <csignal>
#include <optional>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
SUITE_TEST(results_files, null_gives_nothing_and_takes_all,
           {.holds = {"read.null_device_is_zero", "write.null_device_takes_all", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = opened("/dev/null", O_RDWR);
  put(arena::kBuffers, "untouched");
  for (const std::int64_t offset : {0, 1, 1000000}) {
    claim("read.null_device_is_zero");
    prepare(0, kPread, fd.get(), arena::kBuffers, 100, offset);
    EXPECT_EQ(result(ctx, 0), 0) << offset;
    prepare(0, kPreadv, fd.get(), iovecs({{arena::kBuffers, 100}}), 1, offset);
    EXPECT_EQ(result(ctx, 0), 0) << offset;
    claim("write.null_device_takes_all");
    prepare(0, kPwrite, fd.get(), arena::kBuffers, 1 << 20, offset);
    EXPECT_EQ(result(ctx, 0), 1048576) << offset;
    prepare(0, kPwritev, fd.get(), iovecs({{arena::kBuffers, 100}, {arena::kUnmapped, 20}}), 2, offset);
    EXPECT_EQ(result(ctx, 0), 120) << offset;
  }
  claim("memory.nothing_else_written");
  EXPECT_EQ(get(arena::kBuffers, 9), "untouched");
}

SUITE_TEST(results_files, zero_gives_zeros_and_takes_all,
           {.holds = {"read.zero_device_gives_zeros", "write.null_device_takes_all", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Address buffer = map(4 * arena::kPage);
  for (const char* const path : {"/dev/zero", "/dev/full"}) {
    const Descriptor fd = opened(path, O_RDWR);
    put(buffer, std::string(4 * arena::kPage, '\xff'));
    claim("read.zero_device_gives_zeros");
    prepare(0, kPread, fd.get(), buffer + 3, 9001, 77);
    EXPECT_EQ(result(ctx, 0), 9001) << path;
    EXPECT_TRUE(get(buffer + 3, 9001) == std::string(9001, '\0')) << path;
    prepare(0, kPreadv, fd.get(), iovecs({{buffer, 2}, {buffer + 12000, 4000}}), 2);
    EXPECT_EQ(result(ctx, 0), 4002) << path;
    EXPECT_TRUE(get(buffer + 12000, 4000) == std::string(4000, '\0')) << path;
    claim("memory.nothing_else_written");
    EXPECT_EQ(get(buffer + 2, 1), "\xff") << path;
    EXPECT_EQ(get(buffer + 3 + 9001, 10), std::string(10, '\xff')) << path;
  }
  claim("write.null_device_takes_all");
  const Descriptor zero = opened("/dev/zero", O_WRONLY);
  prepare(0, kPwrite, zero.get(), arena::kBuffers, 5000);
  EXPECT_EQ(result(ctx, 0), 5000);
}

SUITE_TEST(results_files, zero_stops_where_the_memory_ends, {.holds = {"read.short_where_buffer_faults"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = opened("/dev/zero", O_RDONLY);
  const Address end = arena::kBuffers + 2 * arena::kPage;
  for (const std::int64_t room : {8, 4096, 5000, 8192}) {
    prepare(0, kPread, fd.get(), end - static_cast<Address>(room), 0x7fffffffffff);
    EXPECT_EQ(result(ctx, 0), room);
  }
}

SUITE_TEST(results_files, random_bytes_can_be_read, {.holds = {"read.random_device_gives_all"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = opened("/dev/urandom", O_RDONLY);
  put(arena::kBuffers, std::string(200, '\0'));
  prepare(0, kPread, fd.get(), arena::kBuffers, 100);
  EXPECT_EQ(result(ctx, 0), 100);
  EXPECT_NE(get(arena::kBuffers, 100), std::string(100, '\0'));
  EXPECT_EQ(get(arena::kBuffers + 100, 100), std::string(100, '\0'));
}

SUITE_TEST(results_files, proc_and_sys_give_their_text, {.holds = {"read.proc_and_sys_give_their_text"}}) {
  const std::uint64_t ctx = setup();
  for (const char* const path : {"/proc/version", "/proc/sys/kernel/ostype", "/sys/devices/system/cpu/possible"}) {
    const Descriptor fd = opened(path, O_RDONLY);
    char text[4096];
    const ssize_t size = ::pread(fd.get(), text, sizeof text, 0);
    if (size < 2) fail("cannot read a file of the kernel");
    const std::string wanted(text, static_cast<std::size_t>(size));
    for (const bool vectored : {false, true}) {
      put(arena::kBuffers, std::string(4096, '.'));
      prepare(0, vectored ? kPreadv : kPread, fd.get(), vectored ? iovecs({{arena::kBuffers, 4096}}) : arena::kBuffers,
              vectored ? 1 : 4096);
      EXPECT_EQ(result(ctx, 0), size) << path;
      EXPECT_EQ(get(arena::kBuffers, wanted.size() + 1), wanted + ".") << path;
    }
    prepare(0, kPread, fd.get(), arena::kBuffers, 4096, 1);
    EXPECT_EQ(result(ctx, 0), size - 1) << path << ", from the second byte on";
    EXPECT_EQ(get(arena::kBuffers, wanted.size() - 1), wanted.substr(1)) << path;
    prepare(0, kPread, fd.get(), arena::kBuffers, 4096, size);
    EXPECT_EQ(result(ctx, 0), 0) << path << ", at its end";
  }
}

SUITE_TEST(results_files, a_terminal_gives_lines, {.holds = {"rw.terminal_reads_and_writes", "rw.eagain_is_result"}}) {
  const std::uint64_t ctx = setup();
  const std::optional<Terminal> pty = terminal();
  if (!pty) skip("no terminal can be made");
  put(arena::kBuffers, "a line\nanother\n");
  prepare(0, kPwrite, pty->server.get(), arena::kBuffers, 15);
  EXPECT_EQ(result(ctx, 0), 15);
  prepare(0, kPread, pty->user.get(), arena::kBuffers + 100, 100);
  EXPECT_EQ(result(ctx, 0), 7);
  EXPECT_EQ(get(arena::kBuffers + 100, 7), "a line\n");
  prepare(0, kPreadv, pty->user.get(), iovecs({{arena::kBuffers + 200, 3}, {arena::kBuffers + 300, 100}}), 2);
  EXPECT_EQ(result(ctx, 0), 8);
  EXPECT_EQ(get(arena::kBuffers + 200, 3) + get(arena::kBuffers + 300, 5), "another\n");
  claim("rw.eagain_is_result");
  if (::fcntl(pty->user.get(), F_SETFL, O_NONBLOCK) != 0) fail("cannot change a terminal");
  prepare(0, kPread, pty->user.get(), arena::kBuffers, 100);
  EXPECT_EQ(result(ctx, 0), -EAGAIN);
}

SUITE_TEST(results_files, a_terminal_takes_text, {.holds = {"rw.terminal_reads_and_writes"}}) {
  const std::uint64_t ctx = setup();
  const std::optional<Terminal> pty = terminal();
  if (!pty) skip("no terminal can be made");
  put(arena::kBuffers, "output");
  prepare(0, kPwritev, pty->user.get(), iovecs({{arena::kBuffers, 3}, {arena::kBuffers + 3, 3}}), 2);
  EXPECT_EQ(result(ctx, 0), 6);
  // It may come in two pieces.
  std::string seen;
  prepare(0, kPread, pty->server.get(), arena::kBuffers, 100);
  while (seen.size() < 6) {
    const std::int64_t got = result(ctx, 0);
    ASSERT_GT(got, 0);
    seen += get(arena::kBuffers, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(seen, "output");
}

SUITE_TEST(results_files, a_timer_gives_its_expirations,
           {.holds = {"read.timer_gives_expirations", "rw.eagain_is_result"}, .needs = ">=6.12"}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  itimerspec once{};
  once.it_value.tv_nsec = 1;
  if (::timerfd_settime(fd.get(), 0, &once, nullptr) != 0) fail("cannot set a timer");
  for (const std::uint64_t bytes : {0u, 7u}) {
    prepare(0, kPread, fd.get(), arena::kBuffers, bytes);
    EXPECT_EQ(result(ctx, 0), -EINVAL) << bytes;
  }
  prepare(0, kPread, fd.get(), arena::kBuffers, 100);
  EXPECT_EQ(result(ctx, 0), 8);
  EXPECT_EQ(at<std::uint64_t>(arena::kBuffers), 1u);
  claim("rw.eagain_is_result");
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) fail("cannot change a timer");
  EXPECT_EQ(result(ctx, 0), -EAGAIN) << "it has expired once";
}

SUITE_TEST(results_files, a_signal_descriptor_gives_signals,
           {.holds = {"read.signal_descriptor_gives_signals", "rw.eagain_is_result"}, .needs = ">=6.12"}) {
  const std::uint64_t ctx = setup();
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const Descriptor fd = owned(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  ::raise(SIGUSR1);
  prepare(0, kPread, fd.get(), arena::kBuffers, 3 * sizeof(signalfd_siginfo));
  EXPECT_EQ(result(ctx, 0), 128);
  EXPECT_EQ(at<signalfd_siginfo>(arena::kBuffers).ssi_signo, static_cast<std::uint32_t>(SIGUSR1));
  claim("rw.eagain_is_result");
  EXPECT_EQ(result(ctx, 0), -EAGAIN) << "it has been taken";
}

SUITE_TEST(results_files, what_a_file_refuses_is_a_result, {.holds = {"rw.refusal_of_file_is_result"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = owned(::memfd_create("aio-cts", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::ftruncate(fd.get(), 100) != 0) fail("cannot make a file longer");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) fail("cannot seal a file");
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 10, 100);
  EXPECT_EQ(result(ctx, 0), -EPERM) << "sealed against growing";
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 10, 50);
  EXPECT_EQ(result(ctx, 0), 10);
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE) != 0) fail("cannot seal a file");
  EXPECT_EQ(result(ctx, 0), -EPERM) << "sealed against writing";
  prepare(0, kPread, fd.get(), arena::kBuffers, 10, 50);
  EXPECT_EQ(result(ctx, 0), 10);
}

}  // namespace aio::suites
