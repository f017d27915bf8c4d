// SPDX-License-Identifier: GPL-2.0-or-later
//
// Taking events off the mapped ring without a system call: copy the slot at the head, then move the head.
// Claims: the kernel goes by the user's head, gives the slots back however often the ring wraps, and publishes an
// event before the tail and the tail before the eventfd's count.
// Provoked by one reader, alone, in turns with io_getevents, and beside a thread that submits; and by libaio's old
// test of more requests than slots, here with the count checked request by request.
// Not seen: a reader beside io_getevents, which the interface does not allow; weaker memory orders than x86's.
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>

#include "fixtures/lane.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr const char* kContent = "ring";
constexpr std::int64_t kLength = 4;
constexpr std::uint32_t kMany = 2000;

// The one reader of a ring, as fio and Seastar have it.
class Reader {
 public:
  explicit Reader(RingHeader& ring) : ring_(ring) {}

  std::uint32_t tail() const { return std::atomic_ref(ring_.tail).load(std::memory_order_acquire); }
  bool empty() const { return ring_.head == tail(); }
  // The event at the head, which is taken.
  Event take() {
    const Event taken = reinterpret_cast<const Event*>(&ring_ + 1)[ring_.head];
    std::atomic_ref(ring_.head).store((ring_.head + 1) % ring_.nr, std::memory_order_release);
    return taken;
  }

 private:
  RingHeader& ring_;
};

using Clock = std::chrono::steady_clock;

// More requests than slots: submits what is taken, reaps when there is no slot. Counts the events of each iocb.
struct Overcommit {
  std::function<Answer(std::uint32_t first, std::uint32_t count)> submit;
  std::function<std::vector<Event>()> reap;

  // Failures are expectations of the test that made it.
  std::map<Address, unsigned> run(std::uint32_t requests) const {
    std::map<Address, unsigned> events;
    std::uint32_t taken = 0;
    std::uint32_t done = 0;
    for (std::uint32_t round = 0; done < requests && round < 2 * requests; ++round) {
      if (taken < requests) {
        const Answer answer = submit(taken, requests - taken);
        if (answer.value > 0) {
          taken += static_cast<std::uint32_t>(answer.value);
          continue;
        }
        EXPECT_ERROR(EAGAIN, answer);
      }
      const std::vector<Event> reaped = reap();
      if (reaped.empty()) break;
      for (const Event& each : reaped) ++events[each.obj];
      done += static_cast<std::uint32_t>(reaped.size());
    }
    return events;
  }
};

}  // namespace

SUITE_TEST(ring_reaping, moving_the_head_takes_an_event, {.holds = {"ring.user_head_is_believed"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(Reader(ring(ctx)).take(), (Event{100, arena::iocb_slot(0), kLength, 0}));
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 1u);
}

SUITE_TEST(ring_reaping, io_getevents_begins_at_the_users_head, {.holds = {"ring.user_head_is_believed"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (unsigned slot = 0; slot < 5; ++slot) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(5, submit(ctx, {0, 1, 2, 3, 4}));
  ring(ctx).head = 2;
  EXPECT_RETURNS(3, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(0).data, 102u);
  EXPECT_EQ(event(2).data, 104u);
}

SUITE_TEST(ring_reaping, a_head_moved_back_shows_events_again, {.holds = {"ring.user_head_is_believed"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (unsigned slot = 0; slot < 3; ++slot) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  const std::vector<Event> first = collect(ctx, 3);
  ring(ctx).head = 1;
  ASSERT_RETURNS(2, io_getevents(ctx, 2, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(0), first[1]);
  EXPECT_EQ(event(1), first[2]);
}

// 3.12 to 3.15 never gave such slots back.
SUITE_TEST(ring_reaping, a_user_who_reaps_never_runs_dry, {.holds = {"ring.user_reaping_frees_slots"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  Reader reader(ring(ctx));
  for (std::uint32_t i = 0; i < 3 * ring(ctx).nr; ++i) {
    prepare(0, kPread, data.get(), arena::kBuffers, kLength).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
    ASSERT_FALSE(reader.empty()) << i;
    ASSERT_EQ(reader.take(), (Event{i, arena::iocb_slot(0), kLength, 0}));
    ASSERT_TRUE(reader.empty()) << i;
  }
}

SUITE_TEST(ring_reaping, user_and_kernel_take_turns, {.holds = {"ring.mixed_reaping"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  Reader reader(ring(ctx));
  std::uint64_t made = 0;
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < ring(ctx).nr; ++i) {
    for (unsigned slot = 0; slot < 3; ++slot) {
      prepare(slot, kPread, data.get(), arena::kBuffers, kLength).data = made++;
    }
    ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
    ASSERT_EQ(reader.take().data, next++);
    ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
    ASSERT_EQ(event(0).data, next++);
    ASSERT_EQ(reader.take().data, next++);
    ASSERT_RETURNS(0, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  }
}

SUITE_TEST(ring_reaping, a_reader_beside_the_submitter_sees_whole_events,
           {.holds = {"ring.event_is_whole_when_tail_moves"}, .needs = "cpus2"}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const auto deadline = Clock::now() + setting().patience;
  Lane submitter(cpus().number(1));
  Answer refused{};
  submitter.start([&] {
    for (std::uint64_t i = 0; i < kMany && Clock::now() < deadline;) {
      Iocb& read = prepare(static_cast<unsigned>(i % 2), kPread, data.get(), arena::kBuffers, kLength);
      read.data = i;
      const Answer answer = submit(ctx, {static_cast<unsigned>(i % 2)});
      if (answer.value == 1) {
        ++i;
      } else if (answer.error == EAGAIN) {
        ::sched_yield();
      } else {
        refused = answer;
        return;
      }
    }
  });
  Reader reader(ring(ctx));
  std::uint64_t seen = 0;
  bool whole = true;
  while (whole && seen < kMany && Clock::now() < deadline) {
    if (reader.empty()) {
      ::sched_yield();
      continue;
    }
    const Event wanted{seen, arena::iocb_slot(seen % 2), kLength, 0};
    const Event got = reader.take();
    whole = got == wanted;
    EXPECT_EQ(got, wanted);
    ++seen;
  }
  submitter.wait();
  EXPECT_EQ(refused.error, 0) << "io_submit beside the reader";
  if (whole) {
    EXPECT_EQ(seen, kMany) << "events came before the patience was over";
  }
}

SUITE_TEST(ring_reaping, the_eventfd_counts_what_the_tail_shows,
           {.holds = {"ring.resfd_follows_tail"}, .needs = "cpus2"}) {
  constexpr std::uint64_t kRequests = 100;
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const Descriptor counter = eventfd();
  signal(prepare(0, kPread, data.get(), arena::kBuffers, kLength), counter.get());
  list({arena::iocb_slot(0)});
  Lane submitter(cpus().number(1));
  Answer refused{};
  for (unsigned round = 0; round < 20; ++round) {
    submitter.start([&] {
      for (std::uint64_t i = 0; i < kRequests; ++i) {
        if (const Answer answer = io_submit(ctx, 1, arena::kPointers); answer.value != 1) refused = answer;
      }
    });
    Reader reader(ring(ctx));
    std::uint64_t counted = 0;
    std::uint64_t taken = 0;
    bool late = false;
    while (counted < kRequests && !late) {
      pollfd ready{counter.get(), POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(setting().patience.count())) != 1) break;
      std::uint64_t more = 0;
      if (::read(counter.get(), &more, sizeof more) != sizeof more) break;
      counted += more;
      const std::uint64_t there = taken + in_ring(ctx);
      late = there < counted;
      EXPECT_GE(there, counted) << "events in the ring when the eventfd had counted them";
      for (; !reader.empty(); ++taken) reader.take();
    }
    submitter.wait();
    ASSERT_EQ(refused.value, 0);
    if (late) return;
    ASSERT_EQ(counted, kRequests);
    for (; !reader.empty(); ++taken) reader.take();
    ASSERT_EQ(taken, kRequests);
  }
}

SUITE_TEST(ring_reaping, more_requests_than_slots_complete_once_each, {.holds = {"ring.overcommit_completes_all"}}) {
  for (const bool user_reaps : {false, true}) {
    const std::uint64_t ctx = setup(32);
    const Descriptor data = file(kContent);
    const std::uint32_t nr = ring(ctx).nr;
    const Address events = map(sizeof(Event) * nr);
    const Address iocbs = map(sizeof(Iocb) * 4 * nr);
    const Address pointers = map(sizeof(Address) * 4 * nr);
    prepare(0, kPreadv, data.get(), iovecs({{arena::kBuffers, 1}}), 1);
    for (std::uint32_t i = 0; i < 4 * nr; ++i) at<Iocb>(iocbs + sizeof(Iocb) * i) = iocb(0);

    Overcommit overcommit;
    overcommit.submit = [&](std::uint32_t first, std::uint32_t count) {
      std::vector<Address> some;
      for (std::uint32_t i = first; i < first + count; ++i) some.push_back(iocbs + sizeof(Iocb) * i);
      return io_submit(ctx, count, list(some, pointers));
    };
    if (user_reaps) {
      overcommit.reap = [&] {
        std::vector<Event> taken;
        for (Reader reader(ring(ctx)); !reader.empty();) taken.push_back(reader.take());
        return taken;
      };
    } else {
      overcommit.reap = [&] {
        const Answer got = io_getevents(ctx, 1, nr, events, timeout(1, 0));
        EXPECT_GT(got.value, 0);
        const auto* const first = reinterpret_cast<const Event*>(events);
        return std::vector<Event>(first, first + std::max<std::int64_t>(got.value, 0));
      };
    }
    for (const std::uint32_t requests : {nr - 1, nr, nr + 1, 2 * nr, 4 * nr}) {
      const std::map<Address, unsigned> seen = overcommit.run(requests);
      EXPECT_EQ(seen.size(), requests) << "user reaps: " << user_reaps;
      for (std::uint32_t i = 0; i < requests; ++i) {
        const auto found = seen.find(iocbs + sizeof(Iocb) * i);
        ASSERT_TRUE(found != seen.end() && found->second == 1) << "request " << i << " of " << requests;
      }
      EXPECT_EQ(in_ring(ctx), 0u);
    }
  }
}

}  // namespace aio::suites
