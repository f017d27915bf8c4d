// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes that wait inside io_submit: pipes, sockets and eventfds with nothing to give or no room.
// Claims: io_submit sleeps until the file is ready or a signal comes; the request counts as submitted, its result is
// what it had moved by then or -EINTR, also under SA_RESTART; and io_submit goes on with the next iocb.
// Provoked by a thread that is known to sleep inside io_submit, and a signal to it or the bytes that it waits for.
// Not seen: io_destroy and exit while a thread is inside io_submit (io_destroy.cpp, process.cpp).
#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>

#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
SUITE_TEST(results_waits, a_signal_ends_a_wait_with_eintr,
           {.holds = {"rw.signal_is_result_eintr", "io_submit.waits_for_blocking_read"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  catch_signal(SIGUSR1, SA_RESTART);
  const Pipe ends = pipe();
  const Pipe full = pipe();
  if (::fcntl(full.write.get(), F_SETFL, O_NONBLOCK) != 0) fail("cannot change a pipe");
  fill(full.write.get());
  if (::fcntl(full.write.get(), F_SETFL, 0) != 0) fail("cannot change a pipe");
  const Ends sockets = socket_pair();
  const Descriptor counter = eventfd();
  struct Wait {
    const char* what;
    Opcode opcode;
    int fd;
  };
  std::vector<Wait> waits{{"empty pipe", kPread, ends.read.get()},
                          {"empty pipe, vector", kPreadv, ends.read.get()},
                          {"full pipe", kPwrite, full.write.get()},
                          {"empty socket", kPread, sockets.one.get()}};
  if (since(5, 8)) waits.push_back({"eventfd of 0", kPread, counter.get()});
  Lane lane(cpus().number(0));
  for (const Wait& each : waits) {
    const bool vectored = is_vectored(each.opcode);
    prepare(0, each.opcode, each.fd, vectored ? iovecs({{arena::kBuffers, 16}}) : arena::kBuffers, vectored ? 1 : 16);
    Answer answer;
    lane.start([&] { answer = submit(ctx, {0}); });
    claim("io_submit.waits_for_blocking_read");
    EXPECT_EQ(lane.settle(numbers().io_submit), Lane::State::kAsleep) << each.what;
    claim("rw.signal_is_result_eintr");
    lane.signal(SIGUSR1);
    ASSERT_EQ(lane.settle(-1), Lane::State::kIdle) << each.what;
    EXPECT_RETURNS(1, answer) << each.what;
    EXPECT_EQ(collect(ctx, 1)[0].res, -EINTR) << each.what;
  }
}

SUITE_TEST(results_waits, what_is_waited_for_ends_the_wait,
           {.holds = {"io_submit.returns_when_blocking_read_ends", "read.pipe_gives_what_is_there"},
            .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 16);
  Lane lane(cpus().number(0));
  Answer answer;
  lane.start([&] { answer = submit(ctx, {0}); });
  ASSERT_EQ(lane.settle(numbers().io_submit), Lane::State::kAsleep);
  if (::write(ends.write.get(), "now", 3) != 3) fail("cannot write to a pipe");
  ASSERT_EQ(lane.settle(-1), Lane::State::kIdle);
  EXPECT_RETURNS(1, answer);
  claim("read.pipe_gives_what_is_there");
  EXPECT_EQ(collect(ctx, 1)[0].res, 3);
  EXPECT_EQ(get(arena::kBuffers, 3), "now");
}

SUITE_TEST(results_waits, a_closed_end_ends_the_wait,
           {.holds = {"read.pipe_without_writer_is_zero", "io_submit.returns_when_blocking_read_ends"},
            .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 16);
  Lane lane(cpus().number(0));
  Answer answer;
  lane.start([&] { answer = submit(ctx, {0}); });
  ASSERT_EQ(lane.settle(numbers().io_submit), Lane::State::kAsleep);
  ends.write = Descriptor();
  claim("io_submit.returns_when_blocking_read_ends");
  ASSERT_EQ(lane.settle(-1), Lane::State::kIdle);
  EXPECT_RETURNS(1, answer);
  claim("read.pipe_without_writer_is_zero");
  EXPECT_EQ(collect(ctx, 1)[0].res, 0);
}

SUITE_TEST(results_waits, a_write_that_has_begun_returns_its_part,
           {.holds = {"write.pipe_takes_part"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  catch_signal(SIGUSR1, SA_RESTART);
  const Pipe ends = pipe();
  const int room = ::fcntl(ends.write.get(), F_GETPIPE_SZ);
  const Address buffer = map(static_cast<std::size_t>(room) + 2 * arena::kPage);
  prepare(0, kPwrite, ends.write.get(), buffer, static_cast<std::uint64_t>(room) + 5000);
  Lane lane(cpus().number(0));
  Answer answer;
  lane.start([&] { answer = submit(ctx, {0}); });
  ASSERT_EQ(lane.settle(numbers().io_submit), Lane::State::kAsleep);
  lane.signal(SIGUSR1);
  ASSERT_EQ(lane.settle(-1), Lane::State::kIdle);
  EXPECT_RETURNS(1, answer);
  EXPECT_EQ(collect(ctx, 1)[0].res, room);
}

SUITE_TEST(results_waits, io_submit_goes_on_after_a_signal,
           {.holds = {"io_submit.goes_on_after_interrupted_request", "rw.signal_is_result_eintr"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup(4);
  catch_signal(SIGUSR1, SA_RESTART);
  const Pipe ends = pipe();
  const Descriptor fd = file("0123456789");
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 16);
  prepare(1, kPread, fd.get(), arena::kBuffers, 4);
  Lane lane(cpus().number(0));
  Answer answer;
  lane.start([&] { answer = submit(ctx, {0, 1}); });
  ASSERT_EQ(lane.settle(numbers().io_submit), Lane::State::kAsleep);
  lane.signal(SIGUSR1);
  ASSERT_EQ(lane.settle(-1), Lane::State::kIdle);
  EXPECT_RETURNS(2, answer);
  const std::vector<Event> events = collect(ctx, 2);
  EXPECT_EQ(events[1].res, 4);
  claim("rw.signal_is_result_eintr");
  EXPECT_EQ(events[0].res, -EINTR);
}

}  // namespace aio::suites
