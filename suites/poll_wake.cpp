// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL: what completes a pending request, and with which result.
// Claims: a wake-up's bits are the result, unasked ones too; without a wanted bit it is ignored; without any bits the
// file is asked; a file that hangs up gives the wanted bits. Provoked on pipes, sockets and eventfds, whose wake-ups
// are known. Not seen: several wake-ups at once (poll_races.cpp); descriptors that go (poll_lifetime.cpp).
#include <fcntl.h>
#include <sys/socket.h>

#include <string>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

void write_count(int eventfd, std::uint64_t count) {
  if (::write(eventfd, &count, sizeof count) != sizeof count) fail("cannot write to an eventfd");
}

void read_byte(int fd) {
  char byte = 0;
  if (::read(fd, &byte, 1) != 1) fail("cannot read");
}

// Moves a byte from one pipe into another, whose readers are woken without a key.
void splice_byte(int from, int to) {
  if (::splice(from, nullptr, to, nullptr, 1, 0) != 1) fail("cannot splice");
}

struct Wake {
  const char* what;
  int polled;
  std::uint64_t asked;
  std::function<void()> wake;
  std::int64_t result;
};

constexpr std::uint64_t kNothing = 0;

}  // namespace

SUITE_TEST(poll_wake, the_result_is_the_whole_key_of_the_wake_up,
           {.holds = {"poll.wake_up_gives_whole_key", "poll.ready_gives_wanted_bits"}}) {
  const std::uint64_t ctx = setup();
  const Pipe one = pipe();
  const Pipe two = pipe();
  const Pipe full = pipe(O_NONBLOCK);
  fill(full.write.get());
  const Ends stream = socket_pair(SOCK_STREAM, SOCK_NONBLOCK);
  const Ends datagram = socket_pair(SOCK_DGRAM, SOCK_NONBLOCK);
  const Ends packets = socket_pair(SOCK_SEQPACKET, SOCK_NONBLOCK);
  const Ends full_stream = socket_pair(SOCK_STREAM, SOCK_NONBLOCK);
  fill(full_stream.one.get());
  const Wake wakes[] = {
      {"write to a pipe", one.read.get(), kPollIn, [&] { write_bytes(one.write.get(), "x"); }, 0x41},
      {"write to a pipe", two.read.get(), kPollRdnorm, [&] { write_bytes(two.write.get(), "x"); }, 0x41},
      {"read of a full pipe", full.write.get(), kPollOut, [&] { empty(full.read.get()); }, 0x104},
      {"stream socket", stream.one.get(), kPollIn, [&] { write_bytes(stream.other.get(), "x"); }, 0xc3},
      {"datagram socket", datagram.one.get(), kPollIn, [&] { write_bytes(datagram.other.get(), "x"); }, 0xc3},
      {"seqpacket socket", packets.one.get(), kPollIn, [&] { write_bytes(packets.other.get(), "x"); }, 0xc3},
      {"read of a full socket", full_stream.one.get(), kPollOut, [&] { empty(full_stream.other.get()); }, 0x304},
  };
  for (const Wake& each : wakes) {
    claim("poll.wake_up_gives_whole_key");
    prepare_poll(0, each.polled, each.asked);
    ASSERT_RETURNS(1, submit(ctx, {0})) << each.what;
    ASSERT_EQ(in_ring(ctx), 0u) << each.what;
    each.wake();
    EXPECT_EQ(collect(ctx, 1).front().res, each.result) << each.what;
    // The same request, now that the file is ready, gives what was asked for and no more.
    claim("poll.ready_gives_wanted_bits");
    EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(each.asked)) << each.what;
  }
}

SUITE_TEST(poll_wake, an_eventfd_wakes_with_one_bit, {.holds = {"poll.wake_up_gives_whole_key"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd();
  const auto woken = [&](std::uint64_t asked, const std::function<void()>& wake) {
    prepare_poll(0, counter.get(), asked);
    require(returns("", "io_submit", 1, submit(ctx, {0})));
    EXPECT_EQ(in_ring(ctx), 0u);
    wake();
    return collect(ctx, 1).front().res;
  };
  EXPECT_EQ(woken(kPollIn, [&] { write_count(counter.get(), 0xfffffffffffffffe); }), 0x1);
  // Full, it can be written again once it was read.
  EXPECT_EQ(woken(kPollOut, [&] { drain(counter.get()); }), 0x4);
  // A completion counts as a write.
  const Descriptor data = file("x");
  EXPECT_EQ(woken(kPollIn,
                  [&] {
                    signal(prepare(1, kPread, data.get(), arena::kBuffers, 1), counter.get());
                    EXPECT_RETURNS(1, submit(ctx, {1}));
                    EXPECT_EQ(collect(ctx, 1).front().obj, arena::iocb_slot(1));
                  }),
            0x1);
}

SUITE_TEST(poll_wake, without_a_key_the_file_is_asked, {.holds = {"poll.wake_up_without_key_asks_the_file"}}) {
  const std::uint64_t ctx = setup();
  const Pipe source = pipe();
  const Pipe polled = pipe();
  for (const std::uint64_t asked : {0x1u, 0x40u, 0x41u, 0x47u}) {
    write_bytes(source.write.get(), "x");
    prepare_poll(0, polled.read.get(), asked);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    splice_byte(source.read.get(), polled.write.get());
    EXPECT_EQ(collect(ctx, 1).front().res, static_cast<std::int64_t>(asked & 0x41)) << asked;
    read_byte(polled.read.get());
  }
}

SUITE_TEST(poll_wake, without_a_wanted_bit_it_is_ignored, {.holds = {"poll.unwanted_wake_up_is_ignored"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd(1);
  const Ends full = socket_pair(SOCK_STREAM, SOCK_NONBLOCK);
  fill(full.one.get());
  std::vector<Wake> wakes{
      {"pipe polled for nothing", ends.read.get(), kNothing, [&] { write_bytes(ends.write.get(), "x"); }, 0},
      {"pipe polled for PRI", ends.read.get(), kPollPri, [&] { write_bytes(ends.write.get(), "x"); }, 0},
      {"eventfd polled for PRI", counter.get(), kPollPri, [&] { drain(counter.get()); }, 0},
      {"full socket polled for OUT", full.one.get(), kPollOut, [&] { write_bytes(full.other.get(), "x"); }, 0},
  };
  if (since(5, 6)) {  // before, readers and writers of a pipe waited on one queue
    wakes.push_back({"read end polled for OUT", ends.read.get(), kPollOut, [&] { read_byte(ends.read.get()); }, 0});
    wakes.push_back(
        {"write end polled for IN", ends.write.get(), kPollIn, [&] { write_bytes(ends.write.get(), "x"); }, 0});
  }
  for (const Wake& each : wakes) {
    prepare_poll(0, each.polled, each.asked);
    ASSERT_RETURNS(1, submit(ctx, {0})) << each.what;
    each.wake();
    EXPECT_EQ(in_ring(ctx), 0u) << each.what;
    // It is pending still.
    EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0))) << each.what;
    EXPECT_EQ(collect(ctx, 1).front().res, 0) << each.what;
  }
}

SUITE_TEST(poll_wake, an_unwanted_wake_up_does_not_use_the_request_up,
           {.holds = {"poll.unwanted_wake_up_is_ignored"}}) {
  const std::uint64_t ctx = setup();
  const Ends full = socket_pair(SOCK_STREAM, SOCK_NONBLOCK);
  fill(full.one.get());
  prepare_poll(0, full.one.get(), kPollOut);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  for (int i = 0; i < 3; ++i) write_bytes(full.other.get(), "x");
  EXPECT_EQ(in_ring(ctx), 0u);
  empty(full.other.get());
  EXPECT_EQ(collect(ctx, 1).front().res, 0x304);
}

// Asked, the file says nothing that is wanted, and the request waits on.
SUITE_TEST(poll_wake, a_file_that_is_not_ready_when_asked_is_asked_again,
           {.holds = {"poll.unwanted_wake_up_is_ignored", "poll.wake_up_without_key_asks_the_file"},
            .needs = ">=5.6"}) {
  const std::uint64_t ctx = setup();
  const Pipe source = pipe();
  write_bytes(source.write.get(), "xxx");
  Pipe polled = pipe();
  prepare_poll(0, polled.read.get(), kNothing);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  for (int i = 0; i < 3; ++i) splice_byte(source.read.get(), polled.write.get());
  EXPECT_EQ(in_ring(ctx), 0u);
  polled.write = Descriptor();
  claim("poll.wake_up_without_key_asks_the_file");
  EXPECT_EQ(collect(ctx, 1).front().res, 0x10);
}

SUITE_TEST(poll_wake, a_pipe_that_hangs_up_gives_the_wanted_bits, {.holds = {"poll.hang_up_gives_wanted_bits"}}) {
  const std::uint64_t ctx = setup();
  for (const std::uint64_t asked : {0x0u, 0x1u, 0x10u, 0x47u}) {
    Pipe no_writer = pipe();
    prepare_poll(0, no_writer.read.get(), asked);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    no_writer.write = Descriptor();
    EXPECT_EQ(collect(ctx, 1).front().res, 0x10) << asked;
  }
  for (const std::uint64_t asked : {0x0u, 0x1u, 0x8u}) {
    Pipe no_reader = pipe();
    prepare_poll(0, no_reader.write.get(), asked);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    no_reader.read = Descriptor();
    EXPECT_EQ(collect(ctx, 1).front().res, 0x8) << asked;
  }
}

SUITE_TEST(poll_wake, a_pipe_that_hung_up_gave_the_whole_key, {.holds = {"poll.pipe_hang_up_gives_whole_key"}}) {
  const std::uint64_t ctx = setup();
  for (const std::uint64_t asked : {0x0u, 0x1u, 0x10u}) {
    Pipe no_writer = pipe();
    prepare_poll(0, no_writer.read.get(), asked);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    no_writer.write = Descriptor();
    EXPECT_EQ(collect(ctx, 1).front().res, 0x15d) << asked;
  }
  Pipe no_reader = pipe();
  prepare_poll(0, no_reader.write.get(), kPollErr);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  no_reader.read = Descriptor();
  EXPECT_EQ(collect(ctx, 1).front().res, 0x15d);
}

SUITE_TEST(poll_wake, only_the_last_writer_hangs_up, {.holds = {"poll.hang_up_needs_last_close"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  Descriptor second(::dup(ends.write.get()));
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ends.write = Descriptor();
  EXPECT_EQ(in_ring(ctx), 0u);
  second = Descriptor();
  EXPECT_EQ(collect(ctx, 1).front().res & kPollHup, kPollHup);
}

SUITE_TEST(poll_wake, a_socket_that_hangs_up_gives_the_wanted_bits,
           {.holds = {"poll.socket_hang_up_gives_wanted_bits"}}) {
  const std::uint64_t ctx = setup();
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    for (const std::uint64_t asked : {0x0u, 0x1u, 0x2000u, 0x2041u}) {
      Ends closed = socket_pair(type, SOCK_NONBLOCK);
      prepare_poll(0, closed.one.get(), asked);
      ASSERT_RETURNS(1, submit(ctx, {0}));
      closed.other = Descriptor();
      EXPECT_EQ(collect(ctx, 1).front().res, static_cast<std::int64_t>(asked | 0x10)) << type << ' ' << asked;
    }
    for (const std::uint64_t asked : {0x1u, 0x2000u, 0x2001u}) {
      const Ends ended = socket_pair(type, SOCK_NONBLOCK);
      prepare_poll(0, ended.one.get(), asked);
      ASSERT_RETURNS(1, submit(ctx, {0}));
      ::shutdown(ended.other.get(), SHUT_WR);
      EXPECT_EQ(collect(ctx, 1).front().res, static_cast<std::int64_t>(asked)) << type << ' ' << asked;
    }
  }
}

}  // namespace aio::suites
