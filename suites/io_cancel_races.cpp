// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_cancel(2) by other threads and processes, and at the same time as what it meets.
// Claims: who shares the memory may cancel, a forked child may not; a request that is cancelled and completes at once,
// or is cancelled twice at once, gives one event. Provoked by threads that act on one request together, some hundred
// times. Not seen: which of two is first, and races that need other timing than these machines give.
#include <sys/wait.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "fixtures/lane.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Address kFirst = arena::iocb_slot(0);
// Fewer where the machine is busy.
constexpr int kRounds = 400;
constexpr std::chrono::seconds kLongest{2};

}  // namespace

SUITE_TEST(io_cancel_races, another_thread_may_cancel,
           {.holds = {"io_cancel.returns_einprogress", "io_cancel.event_is_delivered"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  for (const Lane::Kind kind : {Lane::Kind::kThread, Lane::Kind::kProcess}) {
    claim("io_cancel.returns_einprogress");
    ASSERT_RETURNS(1, submit(ctx, {0}));
    Answer answer;
    {
      Lane other(cpus().number(1 % cpus().count()), kind);
      other.start([&] { answer = io_cancel(ctx, kFirst); });
    }
    EXPECT_ERROR(EINPROGRESS, answer);
    claim("io_cancel.event_is_delivered");
    EXPECT_EQ(collect(ctx, 1).front().obj, kFirst);
  }
}

// It has the memory, but not the contexts.
SUITE_TEST(io_cancel_races, a_forked_child_may_not, {.holds = {"io_cancel.unknown_context_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn).key = 0;
  const bool pending = submit(ctx, {0}).value == 1;  // not before 4.19
  Worker child([&] {
    const Answer answer = io_cancel(ctx, kFirst);
    return answer.value == -1 ? answer.error : 0;
  });
  const auto status = child.wait_exit(setting().patience);
  ASSERT_TRUE(status && WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), EINVAL);
  EXPECT_EQ(in_ring(ctx), 0u);
  EXPECT_ERROR(pending ? EINPROGRESS : EINVAL, io_cancel(ctx, kFirst));
}

SUITE_TEST(io_cancel_races, who_waits_for_events_gets_it,
           {.holds = {"io_cancel.event_is_delivered"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const Address bound = timeout(setting().patience.count() / 1000 + 1, 0);
  Lane waiter(cpus().number(1 % cpus().count()));
  Answer answer;
  waiter.start([&] { answer = io_getevents(ctx, 1, 1, arena::kEvents, bound); });
  const long call = numbers().io_getevents;
  const Lane::State state = waiter.settle(call);
  ASSERT_NE(state, Lane::State::kIdle) << "io_getevents returned, with " << answer_text(answer);
  if (state != Lane::State::kAsleep) throw std::runtime_error("a thread does not get to sleep");
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
  waiter.wait();
  EXPECT_RETURNS(1, answer);
  EXPECT_EQ(event(0).obj, kFirst);
}

// Either the call or the completion takes the request; it gives one event either way.
SUITE_TEST(io_cancel_races, a_race_with_the_completion_gives_one_event, {.holds = {"io_cancel.race_gives_one_event"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  Lane writer(cpus().number(1 % cpus().count()));
  const auto deadline = Clock::now() + kLongest;
  for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
    prepare_poll(0, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    std::atomic<bool> go{false};
    ssize_t written = 0;
    writer.start([&] {
      while (!go) std::this_thread::yield();
      written = ::write(ends.write.get(), "x", 1);
    });
    go = true;
    // So that now the one is first, now the other.
    for (int i = 0; i < round % 10; ++i) std::this_thread::yield();
    const Answer answer = io_cancel(ctx, kFirst);
    writer.wait();
    ASSERT_EQ(written, 1);
    const Event event = collect(ctx, 1).front();
    EXPECT_EQ(event.obj, kFirst);
    if (answer.value == -1 && answer.error == EINVAL) {
      EXPECT_EQ(event.res & kPollIn, kPollIn) << round;
    } else {
      EXPECT_ERROR(EINPROGRESS, answer) << round;
      EXPECT_TRUE(event.res == 0 || (event.res & kPollIn) != 0) << round << ": " << event.res;
    }
    EXPECT_ERROR(EINVAL, io_cancel(ctx, kFirst)) << round;
    char byte = 0;
    ASSERT_EQ(::read(ends.read.get(), &byte, 1), 1);
    ASSERT_EQ(in_ring(ctx), 0u) << round;
  }
}

// Only one of two calls finds the request.
SUITE_TEST(io_cancel_races, of_two_calls_one_has_it, {.holds = {"io_cancel.race_gives_one_event"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  Lane other(cpus().number(1 % cpus().count()));
  const auto deadline = Clock::now() + kLongest;
  for (int round = 0; round < kRounds && Clock::now() < deadline; ++round) {
    prepare_poll(0, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    std::atomic<bool> go{false};
    Answer theirs;
    other.start([&] {
      while (!go) std::this_thread::yield();
      theirs = io_cancel(ctx, kFirst);
    });
    go = true;
    for (int i = 0; i < round % 10; ++i) std::this_thread::yield();
    const Answer ours = io_cancel(ctx, kFirst);
    other.wait();
    EXPECT_ERROR(ours.error == EINPROGRESS ? EINVAL : EINPROGRESS, theirs) << round;
    EXPECT_ERROR(theirs.error == EINPROGRESS ? EINVAL : EINPROGRESS, ours) << round;
    EXPECT_EQ(collect(ctx, 1).front().res, 0);
    ASSERT_EQ(in_ring(ctx), 0u) << round;
  }
}

SUITE_TEST(io_cancel_races, the_event_is_there_on_return, {.holds = {"io_cancel.event_in_ring_on_return"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  int late = 0;
  for (int i = 0; i < 20; ++i) {
    prepare_poll(0, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_ERROR(EINPROGRESS, io_cancel(ctx, kFirst));
    if (in_ring(ctx) == 0) ++late;
    collect(ctx, 1);
  }
  EXPECT_EQ(late, 0) << "of 20";
}

}  // namespace aio::suites
