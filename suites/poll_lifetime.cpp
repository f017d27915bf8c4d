// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL: how long a request lives, and whom a wake-up reaches.
// Claims: each request completes once and for itself, whoever wakes and whoever waits; it holds the file, not the
// descriptor. Provoked by closing and doubling descriptors, by many requests on one file, and by wake-ups of other
// threads and processes. Not seen: the end by io_cancel, io_destroy and exit (io_cancel.cpp, eventfd_lifetime.cpp).
#include <poll.h>

#include <set>
#include <stdexcept>

#include "fixtures/lane.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

void read_byte(int fd) {
  char byte = 0;
  if (::read(fd, &byte, 1) != 1) fail("cannot read");
}

constexpr std::uint64_t kNothing = 0;

}  // namespace

SUITE_TEST(poll_lifetime, a_request_completes_once,
           {.holds = {"poll.completes_once", "event.none_without_request"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  write_bytes(ends.write.get(), "x");
  EXPECT_EQ(collect(ctx, 1).front().obj, arena::iocb_slot(0));
  read_byte(ends.read.get());
  write_bytes(ends.write.get(), "x");
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  claim("event.none_without_request");
  // What is made later would come after a second event.
  EXPECT_EQ(complete(ctx, 0).res, kPollIn);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll_lifetime, a_closed_descriptor_is_polled_on, {.holds = {"poll.holds_the_file"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  const int number = ends.read.get();
  prepare_poll(0, number, kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ends.read = Descriptor();
  EXPECT_EQ(in_ring(ctx), 0u);
  // Its number means another file now, which is ready.
  const Descriptor other = eventfd(1);
  ASSERT_EQ(other.get(), number);
  EXPECT_EQ(in_ring(ctx), 0u);
  // The pipe has a reader still: the request.
  write_bytes(ends.write.get(), "x");
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, arena::iocb_slot(0));
  EXPECT_EQ(event.res, 0x41);
}

SUITE_TEST(poll_lifetime, the_file_is_let_go_with_the_event,
           {.holds = {"files.no_reference_left"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ends.read = Descriptor();
  write_bytes(ends.write.get(), "x");
  collect(ctx, 1);
  EXPECT_TRUE(await([&] {
    pollfd writer{ends.write.get(), POLLOUT, 0};
    return ::poll(&writer, 1, 0) == 1 && (writer.revents & POLLERR) != 0;
  }));
}

SUITE_TEST(poll_lifetime, a_second_descriptor_of_the_file_is_as_good, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  Descriptor second(::dup(ends.read.get()));
  prepare_poll(0, second.get(), kPollIn);
  prepare_poll(1, ends.read.get(), kPollIn);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  second = Descriptor();
  write_bytes(ends.write.get(), "x");
  std::set<Address> seen;
  for (const Event& event : collect(ctx, 2)) seen.insert(event.obj);
  EXPECT_EQ(seen, (std::set<Address>{arena::iocb_slot(0), arena::iocb_slot(1)}));
}

SUITE_TEST(poll_lifetime, one_wake_up_completes_all_requests, {.holds = {"poll.one_wake_up_completes_all"}}) {
  const std::uint64_t ctx = setup(arena::kIocbSlots);
  const Pipe ends = pipe();
  std::set<Address> submitted;
  for (unsigned slot = 0; slot < arena::kIocbSlots; ++slot) {
    prepare_poll(slot, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {slot})) << slot;
    submitted.insert(arena::iocb_slot(slot));
  }
  write_bytes(ends.write.get(), "x");
  std::set<Address> seen;
  for (const Event& event : collect(ctx, arena::kIocbSlots)) seen.insert(event.obj);
  EXPECT_EQ(seen, submitted);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll_lifetime, each_request_waits_for_what_it_asked,
           {.holds = {"poll.one_wake_up_completes_all", "poll.unwanted_wake_up_is_ignored"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  const std::uint64_t asked[] = {kPollIn, kPollPri, kPollRdnorm, kNothing};
  for (unsigned slot = 0; slot < 4; ++slot) prepare_poll(slot, ends.read.get(), asked[slot]);
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  write_bytes(ends.write.get(), "x");
  std::set<Address> seen;
  for (const Event& event : collect(ctx, 2)) seen.insert(event.obj);
  EXPECT_EQ(seen, (std::set<Address>{arena::iocb_slot(0), arena::iocb_slot(2)}));
  claim("poll.unwanted_wake_up_is_ignored");
  EXPECT_EQ(in_ring(ctx), 0u);
  ends.write = Descriptor();
  seen.clear();
  for (const Event& event : collect(ctx, 2)) seen.insert(event.obj);
  EXPECT_EQ(seen, (std::set<Address>{arena::iocb_slot(1), arena::iocb_slot(3)}));
}

SUITE_TEST(poll_lifetime, a_request_of_the_same_batch_wakes, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  put(arena::kBuffers, "x");
  prepare_poll(0, ends.read.get(), kPollIn);
  prepare(1, kPwrite, ends.write.get(), arena::kBuffers, 1);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  for (const Event& event : collect(ctx, 2)) {
    EXPECT_EQ(event.res, event.obj == arena::iocb_slot(0) ? 0x41 : 1);
  }
}

SUITE_TEST(poll_lifetime, another_process_wakes, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  Worker writer([&] {
    write_bytes(ends.write.get(), "x");
    return 0;
  });
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, arena::iocb_slot(0));
  EXPECT_EQ(event.res & kPollIn, kPollIn);
}

SUITE_TEST(poll_lifetime, who_waits_for_events_is_woken,
           {.holds = {"io_getevents.waiter_returns_at_min_nr", "event.obj_is_iocb_address"}, .needs = ">=4.19,lanes"}) {
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
  write_bytes(ends.write.get(), "x");
  waiter.wait();
  EXPECT_RETURNS(1, answer);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
  EXPECT_EQ(event(0).res & kPollIn, kPollIn);
}

SUITE_TEST(poll_lifetime, the_thread_that_submitted_may_end, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  Answer answer;
  {
    Lane other(cpus().number(0));
    other.start([&] { answer = submit(ctx, {0}); });
  }
  ASSERT_RETURNS(1, answer);
  EXPECT_EQ(in_ring(ctx), 0u);
  write_bytes(ends.write.get(), "x");
  EXPECT_EQ(collect(ctx, 1).front().res, 0x41);
}

}  // namespace aio::suites
