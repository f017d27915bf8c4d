// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL while others use the file: no wake-up is missed, and queues may die under a request.
// Claims: whatever happens between submission and wake-up, a file that stays ready completes the request, once.
// Provoked by threads that write, take and write again while a request is submitted, some hundred times, and by a
// process whose signals are polled and that exits. Not seen: races that need other timing than these machines give.
#include <fcntl.h>
#include <sys/signalfd.h>

#include <csignal>
#include <set>
#include <thread>

#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

// Fewer where the machine is busy.
constexpr int kRounds = 300;
constexpr std::chrono::seconds kLongest{2};

// Not for a thread from which nothing may be thrown.
void read_bytes(int fd, std::size_t count) {
  char bytes[16];
  if (::read(fd, bytes, count) != static_cast<ssize_t>(count)) fail("cannot read");
}

// One byte each; false where it cannot be had.
bool splice_byte(int from, int to) { return ::splice(from, nullptr, to, nullptr, 1, 0) == 1; }
bool copy_byte(int from, int to) {
  char byte = 0;
  return ::read(from, &byte, 1) == 1 && ::write(to, &byte, 1) == 1;
}
bool take_byte(int from) {
  char byte = 0;
  return ::read(from, &byte, 1) == 1;
}

// A signalfd that belongs to the calling process's signal handlers, which go when it exits.
int make_signalfd() {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR1);
  return ::signalfd(-1, &mask, SFD_CLOEXEC);
}

}  // namespace

// Between two wake-ups without a key the byte of the first is taken away: who looks in between finds nothing, and must
// look again after the second.
SUITE_TEST(poll_races, a_byte_that_comes_goes_and_comes_is_not_missed, {.holds = {"poll.no_wake_up_is_missed"}}) {
  const std::uint64_t ctx = setup();
  const Pipe source = pipe();
  const Pipe polled = pipe();
  Lane other(cpus().number(1 % cpus().count()));
  for (const auto move : {&splice_byte, &copy_byte}) {
    const auto deadline = Clock::now() + kLongest;
    for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
      write_bytes(source.write.get(), "xx");
      prepare_poll(0, polled.read.get(), kPollIn);
      bool done = false;
      other.start([&] {
        done = move(source.read.get(), polled.write.get()) && take_byte(polled.read.get()) &&
               move(source.read.get(), polled.write.get());
      });
      const Answer answer = submit(ctx, {0});
      other.wait();
      ASSERT_TRUE(done);
      ASSERT_RETURNS(1, answer) << round;
      EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn) << round;
      read_bytes(polled.read.get(), 1);
    }
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll_races, several_writers_complete_each_request_once,
           {.holds = {"poll.no_wake_up_is_missed", "event.none_without_request"}, .needs = ">=4.19"}) {
  constexpr unsigned kPolls = 8;
  const std::uint64_t ctx = setup();
  const Pipe polled = pipe();
  Lane one(cpus().number(0));
  Lane other(cpus().number(1 % cpus().count()));
  const auto write_one = [&] { [[maybe_unused]] const ssize_t written = ::write(polled.write.get(), "x", 1); };
  const auto deadline = Clock::now() + kLongest;
  for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
    std::vector<Address> pointers;
    std::set<Address> submitted;
    for (unsigned slot = 0; slot < kPolls; ++slot) {
      prepare_poll(slot, polled.read.get(), kPollIn);
      pointers.push_back(arena::iocb_slot(slot));
      submitted.insert(arena::iocb_slot(slot));
    }
    one.start(write_one);
    other.start(write_one);
    const Answer answer = io_submit(ctx, kPolls, list(pointers));
    one.wait();
    other.wait();
    ASSERT_RETURNS(kPolls, answer) << round;
    claim("poll.no_wake_up_is_missed");
    std::set<Address> seen;
    for (const Event& event : collect(ctx, kPolls)) seen.insert(event.obj);
    EXPECT_EQ(seen, submitted) << round;
    read_bytes(polled.read.get(), 2);
    claim("event.none_without_request");
    EXPECT_EQ(in_ring(ctx), 0u) << round;
  }
}

// A request is submitted while its file hangs up.
SUITE_TEST(poll_races, a_hang_up_is_not_missed, {.holds = {"poll.no_wake_up_is_missed"}}) {
  const std::uint64_t ctx = setup();
  Lane other(cpus().number(1 % cpus().count()));
  const auto deadline = Clock::now() + kLongest;
  for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
    Pipe ends = pipe();
    prepare_poll(0, ends.read.get(), kPollIn);
    other.start([&] { ends.write = Descriptor(); });
    const Answer answer = submit(ctx, {0});
    other.wait();
    ASSERT_RETURNS(1, answer) << round;
    EXPECT_EQ(collect(ctx, 1).front().res & kPollHup, kPollHup) << round;
  }
}

// The request is refused, or it holds the last read end of a pipe that nobody writes to.
SUITE_TEST(poll_races, a_pipe_that_is_closed_while_it_is_submitted,
           {.holds = {"poll.race_with_close_ends"}, .needs = ">=5.1"}) {
  const std::uint64_t ctx = setup();
  Lane other(cpus().number(1 % cpus().count()));
  const auto deadline = Clock::now() + kLongest;
  for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
    Pipe ends = pipe();
    prepare_poll(0, ends.read.get(), kPollIn);
    other.start([&] {
      ends.read = Descriptor();
      ends.write = Descriptor();
    });
    for (int i = 0; i < round % 10; ++i) std::this_thread::yield();
    const Answer answer = submit(ctx, {0});
    other.wait();
    if (answer.value == 1) {
      EXPECT_EQ(collect(ctx, 1).front().res & kPollHup, kPollHup) << round;
    } else {
      EXPECT_ERROR(EBADF, answer) << round;
    }
    ASSERT_EQ(in_ring(ctx), 0u);
  }
}

// The memory is shared, so the context is the parent's; the signal handlers, on whose queue the request waits, are not.
SUITE_TEST(poll_races, a_queue_that_is_freed_completes_its_requests,
           {.holds = {"poll.freed_queue_completes"}, .needs = ">=5.16"}) {
  const std::uint64_t ctx = setup();
  int signals = -1;
  Answer answer;
  {
    Lane child(cpus().number(0), Lane::Kind::kProcess);
    child.start([&] {
      signals = make_signalfd();
      prepare_poll(0, signals, kPollIn);
      answer = submit(ctx, {0});
    });
    child.wait();
    EXPECT_EQ(in_ring(ctx), 0u);
  }
  if (signals < 0) skip("there are no signalfds");
  ASSERT_RETURNS(1, answer);
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, arena::iocb_slot(0));
  // Whoever frees the queue completes the request, or leaves it to a worker, as cancelled.
  EXPECT_TRUE(event.res == kPollHup || event.res == 0) << event.res;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

// Stable versions of these releases complete it too; those without the fix use freed memory.
SUITE_TEST(poll_races, a_queue_that_is_freed_completes_its_requests_in_old_stable_releases,
           {.holds = {"poll.freed_queue_completes"}, .needs = "<5.16", .may_crash = true}) {
  const std::uint64_t ctx = setup();
  int signals = -1;
  Answer answer;
  {
    Lane child(cpus().number(0), Lane::Kind::kProcess);
    child.start([&] {
      signals = make_signalfd();
      prepare_poll(0, signals, kPollIn);
      answer = submit(ctx, {0});
    });
  }
  if (signals < 0) skip("there are no signalfds");
  ASSERT_RETURNS(1, answer);
  const Event event = collect(ctx, 1).front();
  EXPECT_TRUE(event.res == kPollHup || event.res == 0) << event.res;
}

}  // namespace aio::suites
