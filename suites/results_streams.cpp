// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes of pipes, sockets and eventfds: counts, bytes, ends, and what does not wait.
// Claims: the event says what read(2) or write(2) would; aio_offset means nothing to pipes and is wrong for sockets; a
// write that nobody will read ends with EPIPE and SIGPIPE.
// Provoked by empty, filled and full streams, by closing the other end, and by descriptors that may not wait.
// Not seen: requests that wait (results_waits.cpp); flags that io_submit refuses (rw_flags.cpp); TCP.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <csignal>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

// What a plain read gets.
std::string take(int fd) {
  char bytes[4096];
  const ssize_t got = ::read(fd, bytes, sizeof bytes);
  return got < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(got));
}

// From here on SIGPIPE waits for broken().
void block_sigpipe() {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

// Whether the signal has come since the last look.
bool broken() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGPIPE);
  const timespec at_once{};
  return ::sigtimedwait(&wanted, nullptr, &at_once) == SIGPIPE;
}

}  // namespace

SUITE_TEST(results_streams, a_pipe_gives_what_is_there,
           {.holds = {"read.pipe_gives_what_is_there", "read.pipe_bytes_in_order", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  write_bytes(ends.write.get(), "0123");
  write_bytes(ends.write.get(), "456789");
  const auto read = [&](std::uint64_t bytes, std::string_view wanted) {
    put(arena::kBuffers, std::string(20, '.'));
    prepare(0, kPread, ends.read.get(), arena::kBuffers, bytes);
    claim("read.pipe_gives_what_is_there");
    EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(wanted.size())) << bytes;
    claim("read.pipe_bytes_in_order");
    EXPECT_EQ(get(arena::kBuffers, wanted.size()), wanted) << bytes;
    claim("memory.nothing_else_written");
    EXPECT_EQ(get(arena::kBuffers + wanted.size(), 10), "..........") << bytes;
  };
  read(1, "0");
  read(6, "123456");
  read(1000, "789");
}

SUITE_TEST(results_streams, a_pipe_takes_bytes_in_order,
           {.holds = {"write.pipe_takes_all_that_fits", "files.plain_calls_agree"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  put(arena::kBuffers, "0123456789");
  prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 4);
  EXPECT_EQ(result(ctx, 0), 4);
  prepare(0, kPwritev, ends.write.get(), iovecs({{arena::kBuffers + 8, 2}, {arena::kBuffers, 0}, {arena::kBuffers, 3}}),
          3);
  EXPECT_EQ(result(ctx, 0), 5);
  claim("files.plain_calls_agree");
  EXPECT_EQ(take(ends.read.get()), "012389012");
}

SUITE_TEST(results_streams, a_pipe_fills_segment_after_segment, {.holds = {"read.vector_in_order"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  write_bytes(ends.write.get(), "0123456789");
  put(arena::kBuffers, "..............");
  prepare(0, kPreadv, ends.read.get(),
          iovecs({{arena::kBuffers + 10, 3}, {arena::kBuffers, 4}, {arena::kBuffers + 5, 100}}), 3);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_EQ(get(arena::kBuffers, 14), "3456.789..012.");
}

SUITE_TEST(results_streams, a_pipe_does_not_look_at_the_offset, {.holds = {"rw.pipe_ignores_offset"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  put(arena::kBuffers, "0123456789");
  for (const std::int64_t offset : {std::int64_t{1}, std::int64_t{4096}, INT64_MAX - 10}) {
    prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 10, offset);
    EXPECT_EQ(result(ctx, 0), 10) << offset;
    prepare(0, kPread, ends.read.get(), arena::kBuffers + 100, 10, offset);
    EXPECT_EQ(result(ctx, 0), 10) << offset;
    EXPECT_EQ(get(arena::kBuffers + 100, 10), "0123456789") << offset;
  }
}

SUITE_TEST(results_streams, the_end_of_a_pipe_is_zero, {.holds = {"read.pipe_without_writer_is_zero"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  write_bytes(ends.write.get(), "last");
  ends.write = Descriptor();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 16);
  EXPECT_EQ(result(ctx, 0), 4);
  EXPECT_EQ(result(ctx, 0), 0);
  EXPECT_EQ(result(ctx, 0), 0) << "again";
}

SUITE_TEST(results_streams, no_bytes_do_not_wait, {.holds = {"read.nothing_is_zero", "write.nothing_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Ends pair = socket_pair();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 0);
  EXPECT_EQ(result(ctx, 0), 0) << "empty pipe";
  prepare(0, kPread, pair.one.get(), arena::kBuffers, 0);
  EXPECT_EQ(result(ctx, 0), 0) << "empty socket";
  claim("write.nothing_is_zero");
  for (const int fd : {ends.write.get(), pair.one.get()}) {
    prepare(0, kPwrite, fd, arena::kBuffers, 0);
    EXPECT_EQ(result(ctx, 0), 0) << "descriptor " << fd;
  }
  write_bytes(ends.write.get(), "x");
  EXPECT_EQ(take(ends.read.get()), "x") << "the write of nothing has left nothing";
}

SUITE_TEST(results_streams, what_would_wait_is_eagain, {.holds = {"rw.eagain_is_result"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe(O_NONBLOCK);
  const Ends pair = socket_pair(SOCK_STREAM, SOCK_NONBLOCK);
  const Ends messages = socket_pair(SOCK_DGRAM, SOCK_NONBLOCK);
  for (const int fd : {ends.read.get(), pair.one.get(), messages.one.get()}) {
    prepare(0, kPread, fd, arena::kBuffers, 16);
    EXPECT_EQ(result(ctx, 0), -EAGAIN) << "read of descriptor " << fd;
    prepare(0, kPreadv, fd, iovecs({{arena::kBuffers, 16}}), 1);
    EXPECT_EQ(result(ctx, 0), -EAGAIN) << "vector from descriptor " << fd;
  }
  // Each takes until it is full, however much that is.
  const Address buffer = map(arena::kPage);
  for (const int fd : {ends.write.get(), pair.one.get()}) {
    prepare(0, kPwrite, fd, buffer, arena::kPage);
    std::int64_t taken = 0;
    std::int64_t last = 0;
    while (taken < (1 << 26) && (last = result(ctx, 0)) > 0) taken += last;
    EXPECT_EQ(last, -EAGAIN) << "write to descriptor " << fd;
    EXPECT_GE(taken, 4096) << "write to descriptor " << fd;
  }
}

SUITE_TEST(results_streams, a_pipe_that_may_not_wait_takes_what_fits, {.holds = {"write.pipe_takes_part"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe(O_NONBLOCK);
  const int room = ::fcntl(ends.write.get(), F_GETPIPE_SZ);
  const Address buffer = map(static_cast<std::size_t>(room) + 2 * arena::kPage);
  prepare(0, kPwrite, ends.write.get(), buffer, static_cast<std::uint64_t>(room) + 5000);
  EXPECT_EQ(result(ctx, 0), room);
}

// Pages go into a pipe whole or not at all.
SUITE_TEST(results_streams, a_fault_in_a_pipe_write,
           {.holds = {"write.unreadable_buffer_is_result_efault", "write.pipe_fault_ends_at_page"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Address end = arena::kBuffers + 2 * arena::kPage;
  put(arena::kBuffers, std::string(2 * arena::kPage, 'p'));
  prepare(0, kPwrite, ends.write.get(), end - 10, 20);
  EXPECT_EQ(result(ctx, 0), -EFAULT);
  claim("write.pipe_fault_ends_at_page");
  const Pipe other = pipe();
  prepare(0, kPwrite, other.write.get(), end - 6000, 9000);
  EXPECT_EQ(result(ctx, 0), 4096);
  EXPECT_EQ(take(other.read.get()), std::string(4096, 'p'));
}

SUITE_TEST(results_streams, a_fault_in_a_read_of_a_pipe,
           {.holds = {"read.unwritable_buffer_is_result_efault", "read.pipe_gives_what_is_there"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  write_bytes(ends.write.get(), "0123456789");
  for (const Address bad : {arena::kNull, arena::kReadOnly, arena::kUnmapped}) {
    prepare(0, kPread, ends.read.get(), bad, 16);
    EXPECT_EQ(result(ctx, 0), -EFAULT) << bad;
  }
  claim("read.pipe_gives_what_is_there");
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 16);
  EXPECT_EQ(result(ctx, 0), 10) << "no byte is lost";
  EXPECT_EQ(get(arena::kBuffers, 10), "0123456789");
}

SUITE_TEST(results_streams, a_pipe_that_nobody_reads_is_epipe,
           {.holds = {"write.pipe_without_reader_is_epipe", "write.epipe_signals"}}) {
  const std::uint64_t ctx = setup();
  block_sigpipe();
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe ends = pipe(flags);
    write_bytes(ends.write.get(), "unread");
    ends.read = Descriptor();
    for (const bool vectored : {false, true}) {
      claim("write.pipe_without_reader_is_epipe");
      prepare(0, vectored ? kPwritev : kPwrite, ends.write.get(),
              vectored ? iovecs({{arena::kBuffers, 16}}) : arena::kBuffers, vectored ? 1 : 16);
      EXPECT_EQ(result(ctx, 0), -EPIPE) << "flags " << flags << ", vector " << vectored;
      claim("write.epipe_signals");
      EXPECT_TRUE(broken()) << "flags " << flags << ", vector " << vectored;
    }
    claim("write.epipe_signals");
    prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 0);
    EXPECT_EQ(result(ctx, 0), 0) << "no bytes";
    EXPECT_FALSE(broken()) << "no bytes";
  }
}

SUITE_TEST(results_streams, a_socket_that_nobody_reads_is_epipe,
           {.holds = {"write.socket_without_peer_is_epipe", "write.epipe_signals"}}) {
  const std::uint64_t ctx = setup();
  block_sigpipe();
  Ends pair = socket_pair();
  pair.other = Descriptor();
  for (const Opcode opcode : {kPwrite, kPwritev}) {
    claim("write.socket_without_peer_is_epipe");
    prepare(0, opcode, pair.one.get(), opcode == kPwritev ? iovecs({{arena::kBuffers, 16}}) : arena::kBuffers,
            opcode == kPwritev ? 1 : 16);
    EXPECT_EQ(result(ctx, 0), -EPIPE) << opcode;
    claim("write.epipe_signals");
    EXPECT_TRUE(broken()) << opcode;
  }
}

SUITE_TEST(results_streams, epipe_need_not_signal, {.holds = {"write.nosignal_flag_spares_sigpipe"}}) {
  const std::uint64_t ctx = setup();
  block_sigpipe();
  Pipe ends = pipe();
  ends.read = Descriptor();
  Ends pair = socket_pair();
  pair.other = Descriptor();
  for (const int fd : {ends.write.get(), pair.one.get()}) {
    prepare(0, kPwrite, fd, arena::kBuffers, 16).rw_flags = kRwfNosignal;
    EXPECT_EQ(result(ctx, 0), -EPIPE) << "descriptor " << fd;
    EXPECT_FALSE(broken()) << "descriptor " << fd;
  }
}

SUITE_TEST(results_streams, sigpipe_is_handled_when_io_submit_returns, {.holds = {"write.epipe_signals"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  ends.read = Descriptor();
  prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 16);
  static volatile std::sig_atomic_t handled = 0;
  std::signal(SIGPIPE, [](int) { handled = handled + 1; });
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(handled, 1) << "once, before io_submit returns";
}

SUITE_TEST(results_streams, a_socket_gives_what_is_there,
           {.holds = {"read.socket_gives_what_is_there", "read.socket_bytes_in_order", "write.socket_takes_all",
                      "files.plain_calls_agree"}}) {
  const std::uint64_t ctx = setup();
  const Ends pair = socket_pair();
  put(arena::kBuffers, "0123456789");
  claim("write.socket_takes_all");
  prepare(0, kPwrite, pair.one.get(), arena::kBuffers, 4);
  EXPECT_EQ(result(ctx, 0), 4);
  prepare(0, kPwritev, pair.one.get(), iovecs({{arena::kBuffers + 4, 2}, {arena::kBuffers + 6, 4}}), 2);
  EXPECT_EQ(result(ctx, 0), 6);
  claim("read.socket_gives_what_is_there");
  prepare(0, kPread, pair.other.get(), arena::kBuffers + 100, 7);
  EXPECT_EQ(result(ctx, 0), 7);
  claim("read.socket_bytes_in_order");
  EXPECT_EQ(get(arena::kBuffers + 100, 7), "0123456");
  claim("files.plain_calls_agree");
  EXPECT_EQ(take(pair.other.get()), "789");
}

SUITE_TEST(results_streams, the_end_of_a_socket_is_zero,
           {.holds = {"read.socket_without_peer_is_zero", "read.socket_reset_once"}}) {
  const std::uint64_t ctx = setup();
  Ends closed = socket_pair();
  closed.other = Descriptor();
  prepare(0, kPread, closed.one.get(), arena::kBuffers, 16);
  EXPECT_EQ(result(ctx, 0), 0);
  EXPECT_EQ(result(ctx, 0), 0) << "again";
  claim("read.socket_reset_once");
  Ends reset = socket_pair();
  write_bytes(reset.one.get(), "nobody reads this");
  reset.other = Descriptor();
  prepare(0, kPread, reset.one.get(), arena::kBuffers, 16);
  EXPECT_EQ(result(ctx, 0), -ECONNRESET);
  EXPECT_EQ(result(ctx, 0), 0) << "again";
}

SUITE_TEST(results_streams, a_socket_keeps_messages_apart, {.holds = {"rw.socket_keeps_messages"}}) {
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "0123456789");
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    const Ends pair = socket_pair(type);
    prepare(0, kPwritev, pair.one.get(), iovecs({{arena::kBuffers, 4}, {arena::kBuffers + 4, 2}}), 2);
    EXPECT_EQ(result(ctx, 0), 6) << type;
    prepare(0, kPwrite, pair.one.get(), arena::kBuffers + 6, 4);
    EXPECT_EQ(result(ctx, 0), 4) << type;
    // What a message has more than was asked for is gone.
    prepare(0, kPread, pair.other.get(), arena::kBuffers + 100, 5);
    EXPECT_EQ(result(ctx, 0), 5) << type;
    EXPECT_EQ(get(arena::kBuffers + 100, 5), "01234") << type;
    prepare(0, kPread, pair.other.get(), arena::kBuffers + 100, 100);
    EXPECT_EQ(result(ctx, 0), 4) << type;
    EXPECT_EQ(get(arena::kBuffers + 100, 4), "6789") << type;
  }
}

SUITE_TEST(results_streams, a_socket_has_no_offset, {.holds = {"rw.socket_with_offset_is_espipe"}}) {
  const std::uint64_t ctx = setup();
  const Ends pair = socket_pair();
  const Ends messages = socket_pair(SOCK_DGRAM);
  for (const int fd : {pair.one.get(), messages.one.get()}) {
    for (const std::int64_t offset : {std::int64_t{1}, std::int64_t{4096}, INT64_MAX - 16}) {
      for (const Opcode opcode : {kPread, kPwrite}) {
        prepare(0, opcode, fd, arena::kBuffers, 16, offset);
        EXPECT_EQ(result(ctx, 0), -ESPIPE) << opcode << ", descriptor " << fd << ", offset " << offset;
      }
      for (const Opcode opcode : {kPreadv, kPwritev}) {
        prepare(0, opcode, fd, iovecs({{arena::kBuffers, 16}}), 1, offset);
        EXPECT_EQ(result(ctx, 0), -ESPIPE) << opcode << ", descriptor " << fd << ", offset " << offset;
      }
    }
  }
}

SUITE_TEST(results_streams, an_eventfd_gives_its_counter,
           {.holds = {"read.eventfd_moves_eight_bytes", "read.eventfd_gives_counter", "rw.eagain_is_result"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd(5, EFD_NONBLOCK);
  const Descriptor semaphore = eventfd(5, EFD_NONBLOCK | EFD_SEMAPHORE);
  for (const std::uint64_t bytes : {0u, 1u, 7u}) {
    prepare(0, kPread, counter.get(), arena::kBuffers, bytes);
    EXPECT_EQ(result(ctx, 0), -EINVAL) << bytes;
  }
  claim("read.eventfd_gives_counter");
  prepare(0, kPread, counter.get(), arena::kBuffers, 100, 4096);
  EXPECT_EQ(result(ctx, 0), 8) << "with an offset, which means nothing";
  EXPECT_EQ(at<std::uint64_t>(arena::kBuffers), 5u);
  prepare(1, kPreadv, semaphore.get(), iovecs({{arena::kBuffers, 3}, {arena::kBuffers + 3, 5}}), 2);
  EXPECT_EQ(result(ctx, 1), 8);
  EXPECT_EQ(at<std::uint64_t>(arena::kBuffers), 1u);
  EXPECT_EQ(drain(semaphore.get()), 1u) << "a semaphore, one at a time";
  claim("rw.eagain_is_result");
  EXPECT_EQ(result(ctx, 0), -EAGAIN);
}

}  // namespace aio::suites
