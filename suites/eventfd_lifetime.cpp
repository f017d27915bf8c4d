// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_FLAG_RESFD: requests in flight and their eventfd.
// Claims: the eventfd is taken at submission, whatever becomes of the iocb and the descriptor; requests that io_cancel,
// io_destroy or the end of the process ends are counted, each once. Provoked by pending polls and by requests that a
// file system holds. Not seen: execve, whose contexts end as those of a process do.
#include <poll.h>

#include <stdexcept>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

bool signalled(int eventfd, std::chrono::milliseconds patience) {
  pollfd polled{eventfd, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) == 1;
}

}  // namespace

SUITE_TEST(eventfd_lifetime, it_is_the_one_of_the_time_of_submission,
           {.holds = {"resfd.taken_at_submission"}, .needs = "gate"}) {
  const std::uint64_t ctx = setup();
  const Gate gate;
  const Descriptor held(gate.open());
  Descriptor counter = eventfd();
  const Descriptor same(::dup(counter.get()));
  const int number = counter.get();
  signal(prepare(0, kPread, held.get(), arena::kBuffers, 4096), number);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const auto requests = gate.held(1);
  ASSERT_EQ(requests.size(), 1u);
  // The iocb is another's, the number too, and the file is open elsewhere only.
  iocb(0) = Iocb{};
  counter = Descriptor();
  const Descriptor other = eventfd();
  ASSERT_EQ(other.get(), number);
  ASSERT_TRUE(gate.release(requests[0].id, 4096));
  EXPECT_EQ(collect(ctx, 1).front().res, 4096);
  EXPECT_TRUE(signalled(same.get(), setting().patience));
  EXPECT_EQ(drain(same.get()), 1u);
  EXPECT_EQ(drain(other.get()), 0u);
}

SUITE_TEST(eventfd_lifetime, it_may_be_closed_by_all, {.holds = {"resfd.taken_at_submission"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  Descriptor counter = eventfd();
  signal(prepare_poll(0, ends.read.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  counter = Descriptor();
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn);
}

SUITE_TEST(eventfd_lifetime, a_cancelled_request_is_counted, {.holds = {"resfd.cancelled_is_counted"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  signal(prepare_poll(0, ends.read.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_TRUE(signalled(counter.get(), setting().patience));
  EXPECT_EQ(in_ring(ctx), 1u);
  EXPECT_EQ(drain(counter.get()), 1u);
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(eventfd_lifetime, requests_that_destroy_cancels_are_counted,
           {.holds = {"io_destroy.signals_resfd_of_pending"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  for (const unsigned slot : {0u, 1u, 2u}) signal(prepare_poll(slot, ends.read.get(), kPollIn), counter.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  EXPECT_RETURNS(0, io_destroy(ctx));
  EXPECT_EQ(drain(counter.get()), 3u);
}

// The lane comes first, so that it goes last: the gate lets go what io_destroy waits for.
SUITE_TEST(eventfd_lifetime, what_io_destroy_waits_for_is_counted,
           {.holds = {"io_destroy.late_completions_signal_resfd"}, .needs = "gate,lanes"}) {
  const std::uint64_t ctx = setup();
  Lane destroyer(cpus().number(1 % cpus().count()));
  const Gate gate;
  const Descriptor held(gate.open());
  const Descriptor counter = eventfd();
  signal(prepare(0, kPread, held.get(), arena::kBuffers, 4096), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const auto requests = gate.held(1, setting().patience);
  if (requests.size() != 1) throw std::runtime_error("the gate file does not see the request");
  Answer answer;
  destroyer.start([&] { answer = io_destroy(ctx); });
  const long call = numbers().io_destroy;
  const Lane::State state = destroyer.settle(call);
  ASSERT_NE(state, Lane::State::kIdle) << "io_destroy returned, with " << answer_text(answer);
  if (state != Lane::State::kAsleep) throw std::runtime_error("a thread does not get to sleep");
  EXPECT_EQ(drain(counter.get()), 0u);
  ASSERT_TRUE(gate.release(requests[0].id, 4096));
  destroyer.wait();
  EXPECT_RETURNS(0, answer);
  EXPECT_EQ(drain(counter.get()), 1u);
}

SUITE_TEST(eventfd_lifetime, unread_events_are_not_counted_again, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(drain(counter.get()), 1u);
  EXPECT_RETURNS(0, io_destroy(ctx));
  EXPECT_EQ(drain(counter.get()), 0u);
}

// Who waits for the end of the process sees the count.
SUITE_TEST(eventfd_lifetime, requests_of_a_process_that_exits_are_counted, {.holds = {"resfd.counted_at_exit"}}) {
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  Worker child([&] {
    const std::uint64_t first = setup(1, 0);
    const std::uint64_t second = setup(1, 1);
    for (const unsigned slot : {0u, 1u, 2u}) signal(prepare_poll(slot, ends.read.get(), kPollIn), counter.get());
    const bool submitted = submit(first, {0, 1}).value == 2 && submit(second, {2}).value == 1;
    return submitted ? 0 : 1;
  });
  ASSERT_EQ(child.wait_exit(setting().patience), 0);
  EXPECT_EQ(drain(counter.get()), 3u);
}

SUITE_TEST(eventfd_lifetime, requests_of_a_killed_process_are_counted, {.holds = {"resfd.counted_at_exit"}}) {
  const Pipe ends = pipe();
  const Pipe told = pipe();
  const Descriptor counter = eventfd();
  Worker child([&] {
    const std::uint64_t ctx = setup();
    signal(prepare_poll(0, ends.read.get(), kPollIn), counter.get());
    if (submit(ctx, {0}).value != 1 || ::write(told.write.get(), "x", 1) != 1) return 1;
    ::pause();
    return 1;
  });
  pollfd submitted{told.read.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&submitted, 1, static_cast<int>(setting().patience.count())), 1);
  EXPECT_EQ(drain(counter.get()), 0u);
  ASSERT_TRUE(child.kill_and_reap(setting().patience));
  EXPECT_EQ(drain(counter.get()), 1u);
}

}  // namespace aio::suites
