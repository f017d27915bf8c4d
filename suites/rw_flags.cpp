// SPDX-License-Identifier: GPL-2.0-or-later
//
// aio_rw_flags of PREAD, PWRITE, PREADV and PWRITEV: which are taken and which io_submit refuses.
// Claims: which flags are known since which release, what excludes what, and which files refuse a flag.
// Provoked by one flag at a time, in all four opcodes, on a file of each kind.
// Not seen: whether RWF_DSYNC or RWF_SYNC reaches a device; what RWF_APPEND and RWF_NOAPPEND do to a file
// (results.cpp).
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "fixtures/running_profile.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr Opcode kTransfers[] = {kPread, kPwrite, kPreadv, kPwritev};
constexpr Opcode kReads[] = {kPread, kPreadv};
constexpr Opcode kWrites[] = {kPwrite, kPwritev};

bool make_append_only(int fd) {
  int attributes = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &attributes) != 0) return false;
  attributes |= FS_APPEND_FL;
  return ::ioctl(fd, FS_IOC_SETFLAGS, &attributes) == 0;
}

}  // namespace

SUITE_TEST(rw_flags, any_flag_was_an_error_once, {.holds = {"rw.flags_word_must_be_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor zero = opened("/dev/zero", O_RDWR);
  for (const Opcode opcode : {kPread, kPwrite, kFsync, kFdsync, kPoll, kPreadv, kPwritev}) {
    for (const std::uint32_t flags : {1u, 2u, 8u, 0x10u, 0x80000000u}) {
      transfer(0, opcode, zero.get()).rw_flags = flags;
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", " << flags;
    }
  }
}

SUITE_TEST(rw_flags, sync_flags_are_taken, {.holds = {"rw.known_flags_are_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    for (const std::uint32_t flags : {kRwfHipri + 0u, kRwfDsync + 0u, kRwfSync + 0u, 7u}) {
      transfer(0, opcode, fd.get()).rw_flags = flags;
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", " << flags;
    }
  }
}

SUITE_TEST(rw_flags, a_flag_of_a_later_release_is_eopnotsupp, {.holds = {"rw.unknown_rw_flags_are_eopnotsupp"}}) {
  constexpr struct {
    std::uint32_t flag;
    int major, minor;
  } kFlags[] = {
      {kRwfAppend, 4, 16}, {kRwfNoappend, 6, 9}, {kRwfAtomic, 6, 11}, {kRwfDontcache, 6, 14}, {kRwfNosignal, 6, 18}};
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const auto& [flag, major, minor] : kFlags) {
    if (since(major, minor)) continue;
    for (const Opcode opcode : kTransfers) {
      transfer(0, opcode, fd.get()).rw_flags = flag;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", " << flag;
    }
  }
}

SUITE_TEST(rw_flags, a_flag_of_no_release_is_eopnotsupp, {.holds = {"rw.unknown_rw_flags_are_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  // A kernel newer than the newest profile may know the next bits.
  const std::uint32_t first = running_release() >= Release{6, 19} ? 0x10000 : 0x200;
  for (std::uint32_t flag = first; flag != 0; flag <<= 1) {
    for (const Opcode opcode : kTransfers) {
      transfer(0, opcode, fd.get()).rw_flags = flag;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", " << flag;
      iocb(0).rw_flags = flag | kRwfSync;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", with RWF_SYNC " << flag;
    }
  }
}

SUITE_TEST(rw_flags, reads_may_ask_to_append, {.holds = {"rw.append_flag_on_read_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789abcdefghij");
  for (const Opcode opcode : kReads) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfAppend;
    iocb(0).offset = 2;
    EXPECT_EQ(result(ctx, 0), 16) << opcode;
    EXPECT_EQ(get(arena::kBuffers, 16), "23456789abcdefgh") << opcode;
  }
}

SUITE_TEST(rw_flags, append_and_noappend_exclude_each_other, {.holds = {"rw.append_with_noappend_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfAppend | kRwfNoappend;
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(rw_flags, noappend_is_taken_where_nothing_appends, {.holds = {"rw.noappend_flag_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, plain.get()).rw_flags = kRwfNoappend;
    EXPECT_EQ(result(ctx, 0), 16) << opcode;
  }
}

SUITE_TEST(rw_flags, noappend_does_not_open_an_append_only_file, {.holds = {"rw.noappend_on_append_only_is_eperm"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor made = file(std::string(100, 'a'));
  if (!make_append_only(made.get())) skip("no file can be made append-only");
  const Descriptor fd = opened_again(made.get(), O_RDWR | O_APPEND);
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNoappend;
    EXPECT_ERROR(EPERM, submit(ctx, {0})) << opcode;
  }
  EXPECT_EQ(content(fd.get()), std::string(100, 'a'));
}

SUITE_TEST(rw_flags, nosignal_is_taken_by_all_files, {.holds = {"rw.nosignal_flag_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file(std::string(100, 'a'));
  const Descriptor zero = opened("/dev/zero", O_RDWR);
  const Ends sockets = socket_pair();
  for (const int fd : {plain.get(), zero.get(), sockets.one.get()}) {
    for (const Opcode opcode : kTransfers) {
      if (fd == sockets.one.get() && is_read(opcode) && ::write(sockets.other.get(), "0123456789abcdef", 16) != 16) {
        fail("cannot write to a socket");
      }
      transfer(0, opcode, fd).rw_flags = kRwfNosignal;
      EXPECT_EQ(result(ctx, 0), 16) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw_flags, nowait_is_refused_by_memory_files, {.holds = {"rw.nowait_on_tmpfs_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = owned(::memfd_create("aio-cts", MFD_CLOEXEC));
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(rw_flags, nowait_is_refused_by_a_fifo_with_a_name, {.holds = {"rw.nowait_on_opened_fifo_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor fd = opened_again(ends.read.get(), O_RDWR);
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(rw_flags, nowait_was_refused_by_null_devices, {.holds = {"rw.nowait_on_null_device_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  for (const char* const path : {"/dev/null", "/dev/zero"}) {
    const Descriptor fd = opened(path, O_RDWR);
    for (const Opcode opcode : kTransfers) {
      transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << path << ", " << opcode;
    }
  }
}

SUITE_TEST(rw_flags, nowait_is_taken_by_null_devices, {.holds = {"rw.nowait_on_null_device_is_taken"}}) {
  const std::uint64_t ctx = setup();
  for (const char* const path : {"/dev/null", "/dev/zero"}) {
    const Descriptor fd = opened(path, O_RDWR);
    for (const Opcode opcode : kTransfers) {
      transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
      const bool ends = is_read(opcode) && std::string_view(path) == "/dev/null";
      EXPECT_EQ(result(ctx, 0), ends ? 0 : 16) << path << ", " << opcode;
    }
  }
}

SUITE_TEST(rw_flags, nowait_was_refused_by_eventfds, {.holds = {"rw.nowait_on_eventfd_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = eventfd(1);
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(rw_flags, nowait_is_taken_by_eventfds, {.holds = {"rw.nowait_on_eventfd_is_taken"}}) {
  const std::uint64_t ctx = setup();
  for (const Opcode opcode : kReads) {
    const Descriptor fd = eventfd(5);
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    EXPECT_EQ(result(ctx, 0), 8) << opcode;
    EXPECT_EQ(at<std::uint64_t>(arena::kBuffers), 5u) << opcode;
    EXPECT_EQ(result(ctx, 0), -EAGAIN) << opcode;
  }
}

SUITE_TEST(rw_flags, nowait_was_refused_by_pipes_and_sockets,
           {.holds = {"rw.nowait_on_pipe_and_socket_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Ends sockets = socket_pair();
  for (const Opcode opcode : kTransfers) {
    for (const int fd : {ends.read.get(), ends.write.get(), sockets.one.get()}) {
      transfer(0, opcode, fd).rw_flags = kRwfNowait;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw_flags, nowait_is_taken_by_pipes_and_sockets, {.holds = {"rw.nowait_on_pipe_and_socket_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Ends sockets = socket_pair();
  const std::pair<int, int> both[] = {{ends.write.get(), ends.read.get()}, {sockets.one.get(), sockets.other.get()}};
  for (const auto& [to, from] : both) {
    for (const bool vectored : {false, true}) {
      transfer(0, vectored ? kPreadv : kPread, from).rw_flags = kRwfNowait;
      EXPECT_EQ(result(ctx, 0), -EAGAIN) << vectored << ", descriptor " << from;
      transfer(0, vectored ? kPwritev : kPwrite, to).rw_flags = kRwfNowait;
      EXPECT_EQ(result(ctx, 0), 16) << vectored << ", descriptor " << to;
      transfer(0, vectored ? kPreadv : kPread, from).rw_flags = kRwfNowait;
      EXPECT_EQ(result(ctx, 0), 16) << vectored << ", descriptor " << from;
    }
  }
}

SUITE_TEST(rw_flags, nowait_finds_a_pipe_full, {.holds = {"rw.nowait_on_pipe_and_socket_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPwrite, ends.write.get(), arena::kBuffers, arena::kPage).rw_flags = kRwfNowait;
  const int room = ::fcntl(ends.write.get(), F_GETPIPE_SZ);
  for (int taken = 0; taken < room; taken += 4096) ASSERT_EQ(result(ctx, 0), 4096) << taken;
  EXPECT_EQ(result(ctx, 0), -EAGAIN);
}

SUITE_TEST(rw_flags, nowait_reads_what_is_cached, {.holds = {"rw.nowait_read_of_cached_bytes_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kReads) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    // A page that was thrown out meanwhile comes back with the next look at the file.
    EXPECT_TRUE(await([&] { return content(fd.get()).size() == 100 && result(ctx, 0) == 16; })) << opcode;
  }
}

SUITE_TEST(rw_flags, a_direct_read_may_not_wait_for_the_cache,
           {.holds = {"rw.nowait_direct_read_of_dirty_page_is_eagain", "rw.nowait_direct_read_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes(arena::kPage, 'a');
  const Descriptor fd = file(bytes, O_DIRECT);
  const Descriptor cached = opened_again(fd.get(), O_RDWR);
  for (const bool vectored : {false, true}) {
    // What is written here must get to the disk first.
    if (::pwrite(cached.get(), bytes.data(), bytes.size(), 0) != 4096) fail("cannot write to a file");
    prepare(0, vectored ? kPreadv : kPread, fd.get(),
            vectored ? iovecs({{arena::kBuffers, arena::kPage}}) : arena::kBuffers, vectored ? 1 : arena::kPage);
    iocb(0).rw_flags = kRwfNowait;
    claim("rw.nowait_direct_read_of_dirty_page_is_eagain");
    EXPECT_EQ(result(ctx, 0), -EAGAIN) << vectored;
    if (::fsync(cached.get()) != 0) fail("cannot sync a file");
    claim("rw.nowait_direct_read_is_taken");
    EXPECT_TRUE(await([&] {
      return ::posix_fadvise(cached.get(), 0, 0, POSIX_FADV_DONTNEED) == 0 && result(ctx, 0) == 4096;
    })) << vectored;
    EXPECT_TRUE(get(arena::kBuffers, 4096) == bytes) << vectored;
  }
}

SUITE_TEST(rw_flags, nowait_writes_end_as_the_file_system_has_it,
           {.holds = {"write.nowait_buffered_fails_as_result"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kWrites) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfNowait;
    EXPECT_EQ(result(ctx, 0), -machine().nowait_write_error) << opcode;
  }
  EXPECT_EQ(content(fd.get()), std::string(100, 'a'));
}

SUITE_TEST(rw_flags, no_read_is_atomic, {.holds = {"rw.atomic_read_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kReads) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfAtomic;
    EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(rw_flags, buffered_writes_are_not_atomic, {.holds = {"rw.atomic_write_elsewhere_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file(std::string(100, 'a'));
  const Pipe ends = pipe();
  for (const Opcode opcode : kWrites) {
    for (const int fd : {plain.get(), ends.write.get()}) {
      transfer(0, opcode, fd).rw_flags = kRwfAtomic;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw_flags, dontcache_is_refused_where_nothing_is_cached,
           {.holds = {"rw.dontcache_elsewhere_is_eopnotsupp"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor memory = owned(::memfd_create("aio-cts", MFD_CLOEXEC));
  const Descriptor zero = opened("/dev/zero", O_RDWR);
  const Ends sockets = socket_pair();
  for (const Opcode opcode : kTransfers) {
    for (const int fd : {memory.get(), zero.get(), sockets.one.get()}) {
      transfer(0, opcode, fd).rw_flags = kRwfDontcache;
      EXPECT_ERROR(EOPNOTSUPP, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(rw_flags, dontcache_is_taken, {.holds = {"rw.dontcache_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(100, 'a'));
  for (const Opcode opcode : kTransfers) {
    transfer(0, opcode, fd.get()).rw_flags = kRwfDontcache;
    EXPECT_EQ(result(ctx, 0), 16) << opcode;
  }
}

}  // namespace aio::suites
