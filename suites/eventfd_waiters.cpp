// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_FLAG_RESFD: those who wait for completions at the eventfd.
// Claims: read, poll, select and epoll of the eventfd end with a completion; who sees the count finds the event in the
// ring. Provoked by threads known to sleep in each call, by one that looks without pause, and by requests that complete
// in the kernel's own threads. Not seen: an epoll of it that wakes the polled file, on which some kernels lock up.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include <atomic>
#include <stdexcept>
#include <system_error>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

Descriptor make_epoll(int watched, std::uint32_t events) {
  Descriptor made(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{events, {}};
  if (!made || ::epoll_ctl(made.get(), EPOLL_CTL_ADD, watched, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make an epoll");
  }
  return made;
}

int ready_now(int epoll) {
  epoll_event event{};
  return ::epoll_wait(epoll, &event, 1, 0);
}

bool signalled(int eventfd, std::chrono::milliseconds patience) {
  pollfd polled{eventfd, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) == 1;
}

// The calls with which one waits for an eventfd, each with its number, and what it returns once the count is 1.
struct WaitCall {
  const char* name;
  long number;
  long (*wait)(int eventfd, int epoll);
  long returns;
};

long wait_in_read(int eventfd, int) {
  std::uint64_t count = 0;
  return ::syscall(SYS_read, eventfd, &count, sizeof count) == sizeof count ? static_cast<long>(count) : -1;
}

long wait_in_poll(int eventfd, int) {
  pollfd polled{eventfd, POLLIN, 0};
  return ::syscall(SYS_poll, &polled, 1, -1) == 1 ? polled.revents : -1;
}

long wait_in_select(int eventfd, int) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(eventfd, &set);
  return ::syscall(SYS_select, eventfd + 1, &set, nullptr, nullptr, nullptr);
}

long wait_in_epoll(int, int epoll) {
  epoll_event event{};
  return ::syscall(SYS_epoll_wait, epoll, &event, 1, -1) == 1 ? static_cast<long>(event.events) : -1;
}

constexpr WaitCall kWaitCalls[] = {
    {"read", SYS_read, wait_in_read, 1},
    {"poll", SYS_poll, wait_in_poll, POLLIN},
    {"select", SYS_select, wait_in_select, 1},
    {"epoll_wait", SYS_epoll_wait, wait_in_epoll, EPOLLIN},
};

}  // namespace

SUITE_TEST(eventfd_waiters, a_completion_wakes_who_sleeps,
           {.holds = {"resfd.completion_wakes_waiters"}, .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  Lane waiter(cpus().number(1 % cpus().count()));
  for (const WaitCall& call : kWaitCalls) {
    const Descriptor counter = eventfd();
    const Descriptor epoll = make_epoll(counter.get(), EPOLLIN);
    std::atomic<long> returned{-1};
    waiter.start([&] { returned = call.wait(counter.get(), epoll.get()); });
    if (waiter.settle(call.number) != Lane::State::kAsleep) throw std::runtime_error("a thread does not wait");
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
    EXPECT_RETURNS(1, submit(ctx, {0})) << call.name;
    EXPECT_EQ(waiter.settle(-1, setting().patience), Lane::State::kIdle) << call.name;
    // Whether or not it was: it must end.
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(counter.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    waiter.wait();
    EXPECT_EQ(returned, call.returns) << call.name;
  }
}

SUITE_TEST(eventfd_waiters, nobody_is_ready_before, {.holds = {"resfd.no_other_counter_changes"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(0, EFD_NONBLOCK);
  const Descriptor epoll = make_epoll(counter.get(), EPOLLIN);
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  EXPECT_EQ(result(ctx, 0), 1);
  std::uint64_t count = 0;
  EXPECT_EQ(::read(counter.get(), &count, sizeof count), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(ready_now(epoll.get()), 0);
  EXPECT_FALSE(signalled(counter.get(), std::chrono::milliseconds(0)));
}

SUITE_TEST(eventfd_waiters, epoll_tells_until_it_is_read, {.holds = {"resfd.completion_wakes_waiters"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  const Descriptor epoll = make_epoll(counter.get(), EPOLLIN);
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
  EXPECT_EQ(ready_now(epoll.get()), 0);
  EXPECT_EQ(result(ctx, 0), 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ready_now(epoll.get()), 1);
  EXPECT_EQ(drain(counter.get()), 1u);
  EXPECT_EQ(ready_now(epoll.get()), 0);
}

// Though nobody reads the eventfd.
SUITE_TEST(eventfd_waiters, each_completion_is_an_edge, {.holds = {"resfd.each_completion_is_an_edge"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  for (const std::uint64_t before : {0ull, 7ull, 0xfffffffffffffffeull}) {
    const Descriptor counter = eventfd();
    if (before > 0) {
      ASSERT_EQ(::write(counter.get(), &before, sizeof before), static_cast<ssize_t>(sizeof before));
    }
    const Descriptor epoll = make_epoll(counter.get(), EPOLLIN | EPOLLET);
    EXPECT_EQ(ready_now(epoll.get()), before > 0 ? 1 : 0);
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(ready_now(epoll.get()), 0) << before;
      EXPECT_EQ(result(ctx, 0), 1);
      EXPECT_EQ(ready_now(epoll.get()), 1) << before;
    }
  }
}

// One thread looks at the eventfd all the time, and at the ring as soon as it has counted.
SUITE_TEST(eventfd_waiters, who_sees_the_count_sees_the_events,
           {.holds = {"resfd.event_before_signal"}, .needs = "cpus2"}) {
  constexpr std::uint32_t kRequests = 400;
  const std::uint64_t ctx = setup(kRequests);
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(0, EFD_NONBLOCK);
  std::uint64_t counted = 0;
  std::uint32_t missing = 0;
  const auto deadline = Clock::now() + setting().patience;
  Lane watcher(cpus().number(1));
  watcher.start([&] {
    while (counted < kRequests && Clock::now() < deadline) {
      std::uint64_t more = 0;
      if (::read(counter.get(), &more, sizeof more) != sizeof more) continue;
      counted += more;
      // Nobody takes events meanwhile, and they do not reach the ring's end.
      const std::uint32_t tail = std::atomic_ref(ring(ctx).tail).load(std::memory_order_acquire);
      if (tail < counted) ++missing;
    }
  });
  for (std::uint32_t i = 0; i < kRequests; ++i) {
    const unsigned slot = i % arena::kIocbSlots;
    signal(prepare(slot, kPread, data.get(), arena::kBuffers, 1), counter.get());
    const Answer answer = submit(ctx, {slot});
    EXPECT_RETURNS(1, answer) << i;
    if (answer.value != 1) break;
  }
  watcher.wait();
  EXPECT_EQ(counted, kRequests);
  EXPECT_EQ(missing, 0u);
}

SUITE_TEST(eventfd_waiters, the_event_of_an_fsync_is_there_when_it_is_counted,
           {.holds = {"resfd.event_before_signal", "resfd.one_per_completion"}, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  for (int i = 0; i < 50; ++i) {
    signal(prepare(0, kFsync, data.get()), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    claim("resfd.one_per_completion");
    ASSERT_TRUE(signalled(counter.get(), setting().patience));
    EXPECT_EQ(drain(counter.get()), 1u);
    claim("resfd.event_before_signal");
    ASSERT_EQ(in_ring(ctx), 1u);
    collect(ctx, 1);
  }
}

SUITE_TEST(eventfd_waiters, the_event_of_a_held_request_is_there_when_it_is_counted,
           {.holds = {"resfd.event_before_signal", "resfd.one_per_completion"}, .needs = "gate"}) {
  const std::uint64_t ctx = setup();
  const Gate gate;
  const Descriptor held(gate.open());
  const Descriptor counter = eventfd();
  std::uint64_t latest = 0;
  for (int i = 0; i < 20; ++i) {
    claim("resfd.one_per_completion");
    signal(prepare(0, kPread, held.get(), arena::kBuffers, 4096), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const auto requests = gate.held(1, setting().patience, latest);
    ASSERT_EQ(requests.size(), 1u);
    latest = requests[0].id;
    EXPECT_FALSE(signalled(counter.get(), std::chrono::milliseconds(0)));
    ASSERT_TRUE(gate.release(latest, i % 2 == 0 ? 4096 : -EIO));
    ASSERT_TRUE(signalled(counter.get(), setting().patience));
    EXPECT_EQ(drain(counter.get()), 1u);
    claim("resfd.event_before_signal");
    ASSERT_EQ(in_ring(ctx), 1u);
    EXPECT_EQ(collect(ctx, 1).front().res, i % 2 == 0 ? 4096 : -EIO);
  }
}

}  // namespace aio::suites
