// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL together with IOCB_FLAG_RESFD, and how soon the event of a woken request is there.
// Claims: the eventfd counts each poll once, after the event is in the ring, even if it is the polled file itself.
// Provoked by ready and woken requests, by an eventfd that signals itself, and by a chain of them.
// Not seen: an epoll that holds the eventfd and wakes the polled queue, on which some kernels lock up.
#include <fcntl.h>
#include <poll.h>

#include <system_error>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr unsigned kTries = 20;

void write_one(int eventfd) {
  const std::uint64_t one = 1;
  if (::write(eventfd, &one, sizeof one) != sizeof one) {
    throw std::system_error(errno, std::generic_category(), "cannot write to an eventfd");
  }
}

// Waits for something to be counted.
bool signalled(int eventfd, std::chrono::milliseconds patience) {
  pollfd polled{eventfd, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) == 1;
}

}  // namespace

SUITE_TEST(poll_resfd, a_ready_poll_is_counted_on_return, {.holds = {"resfd.one_per_completion"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  for (const unsigned slot : {0u, 1u, 2u}) signal(prepare_poll(slot, ends.write.get(), kPollOut), counter.get());
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  EXPECT_EQ(drain(counter.get()), 3u);
  EXPECT_EQ(in_ring(ctx), 3u);
}

SUITE_TEST(poll_resfd, a_refused_poll_is_not_counted, {.holds = {"resfd.one_per_completion"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor data = file();
  const Descriptor counter = eventfd();
  signal(prepare_poll(0, ends.write.get(), 0x10004), counter.get());
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  signal(prepare_poll(0, data.get(), kPollPri), counter.get());
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(poll_resfd, a_pending_poll_is_counted_once_it_is_woken,
           {.holds = {"resfd.one_per_completion", "resfd.event_before_signal"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  for (unsigned i = 0; i < kTries; ++i) {
    claim("resfd.one_per_completion");
    signal(prepare_poll(0, ends.read.get(), kPollIn), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_EQ(drain(counter.get()), 0u);
    write_bytes(ends.write.get(), "x");
    ASSERT_TRUE(signalled(counter.get(), setting().patience));
    claim("resfd.event_before_signal");
    ASSERT_EQ(in_ring(ctx), 1u);
    claim("resfd.one_per_completion");
    EXPECT_EQ(drain(counter.get()), 1u);
    EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn);
    char byte = 0;
    ASSERT_EQ(::read(ends.read.get(), &byte, 1), 1);
  }
}

SUITE_TEST(poll_resfd, many_polls_share_an_eventfd, {.holds = {"resfd.one_per_completion"}, .needs = ">=4.19"}) {
  constexpr unsigned kPolls = 32;
  const std::uint64_t ctx = setup(kPolls);
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  for (unsigned slot = 0; slot < kPolls; ++slot) {
    signal(prepare_poll(slot, ends.read.get(), kPollIn), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {slot}));
  }
  write_bytes(ends.write.get(), "x");
  collect(ctx, kPolls);
  std::uint64_t total = 0;
  EXPECT_TRUE(await([&] { return (total += drain(counter.get())) >= kPolls; }));
  EXPECT_EQ(total, kPolls);
}

// Before 6.1 the write never returns.
SUITE_TEST(poll_resfd, an_eventfd_that_signals_itself, {.holds = {"poll.own_resfd_works"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd();
  signal(prepare_poll(0, counter.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  write_one(counter.get());
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.obj, arena::iocb_slot(0));
  EXPECT_EQ(event.res, kPollIn);
  // Once for the write, once for the completion.
  std::uint64_t total = 0;
  EXPECT_TRUE(await([&] { return (total += drain(counter.get())) >= 2; }));
  EXPECT_EQ(total, 2u);
}

SUITE_TEST(poll_resfd, an_eventfd_that_signals_itself_for_another_completion,
           {.holds = {"poll.completion_wakes_own_resfd"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd();
  const Descriptor data = file("x");
  signal(prepare_poll(0, counter.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  signal(prepare(1, kPread, data.get(), arena::kBuffers, 1), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {1}));
  for (const Event& event : collect(ctx, 2)) EXPECT_EQ(event.res, 1) << event.obj;
  if (!since(6, 1)) return;
  std::uint64_t total = 0;
  EXPECT_TRUE(await([&] { return (total += drain(counter.get())) >= 2; }));
  EXPECT_EQ(total, 2u);
}

// Each is signalled by the poll of the one before it.
SUITE_TEST(poll_resfd, a_chain_of_eventfds, {.holds = {"poll.resfds_can_be_chained"}}) {
  constexpr unsigned kLinks = 5;
  const std::uint64_t ctx = setup();
  std::vector<Descriptor> chain;
  for (unsigned i = 0; i <= kLinks; ++i) chain.push_back(eventfd());
  for (unsigned i = 0; i < kLinks; ++i) {
    signal(prepare_poll(i, chain[i].get(), kPollIn), chain[i + 1].get());
    ASSERT_RETURNS(1, submit(ctx, {i}));
  }
  write_one(chain[0].get());
  const std::vector<Event> events = collect(ctx, kLinks);
  for (unsigned i = 0; i < kLinks; ++i) EXPECT_EQ(events[i].obj, arena::iocb_slot(i));
  ASSERT_TRUE(signalled(chain[kLinks].get(), setting().patience));
  for (unsigned i = 0; i <= kLinks; ++i) EXPECT_EQ(drain(chain[i].get()), 1u) << i;
}

SUITE_TEST(poll_resfd, the_event_is_there_when_the_writer_returns,
           {.holds = {"poll.event_in_ring_when_waker_returns"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  unsigned late = 0;
  for (unsigned i = 0; i < kTries; ++i) {
    prepare_poll(0, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    write_bytes(ends.write.get(), "x");
    if (in_ring(ctx) == 0) ++late;
    collect(ctx, 1);
    char byte = 0;
    ASSERT_EQ(::read(ends.read.get(), &byte, 1), 1);
  }
  EXPECT_EQ(late, 0u) << "of " << kTries;
}

SUITE_TEST(poll_resfd, the_event_and_its_signal_are_there_when_the_writer_returns,
           {.holds = {"poll.resfd_event_in_ring_when_waker_returns"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  unsigned late = 0;
  for (unsigned i = 0; i < kTries; ++i) {
    signal(prepare_poll(0, ends.read.get(), kPollIn), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    write_bytes(ends.write.get(), "x");
    if (in_ring(ctx) == 0) ++late;
    collect(ctx, 1);
    require(signalled(counter.get(), setting().patience) ? testing::AssertionSuccess()
                                                         : testing::AssertionFailure() << "no signal");
    drain(counter.get());
    char byte = 0;
    ASSERT_EQ(::read(ends.read.get(), &byte, 1), 1);
  }
  EXPECT_EQ(late, 0u) << "of " << kTries;
}

}  // namespace aio::suites
