// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several threads in io_getevents(2) on one context, and others that submit to it meanwhile.
// Claims: each event goes to one waiter, none is lost, and no waiter sleeps on while there is enough for it.
// Provoked by lanes that are seen asleep in the call, then by submitters and reapers that run freely against each
// other. Not seen: which of several waiters is served, which the kernel may choose.

#include <algorithm>
#include <atomic>
#include <memory>

#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kShare = 4;  // events of the array that each waiter has for itself

constexpr Address array_of(unsigned waiter) { return arena::kEvents + sizeof(Event) * kShare * waiter; }

}  // namespace

SUITE_TEST(waiting_many, each_event_goes_to_one_waiter,
           {.holds = {"io_getevents.event_goes_to_one_waiter", "io_getevents.waiter_returns_at_min_nr"}}) {
  constexpr unsigned kWaiters = 4;
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  std::vector<std::unique_ptr<Sleeper>> waiters;
  for (unsigned i = 0; i < kWaiters; ++i) {
    prepare(i, kPread, empty.get());
    waiters.push_back(std::make_unique<Sleeper>(cpus().number(i % cpus().count()), numbers().io_getevents));
    waiters[i]->start([this, ctx, i] { return io_getevents(ctx, 1, 1, array_of(i), arena::kNull); });
    ASSERT_TRUE(waiters[i]->asleep());
  }
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  std::vector<std::uint64_t> seen;
  for (unsigned i = 0; i < kWaiters; ++i) {
    claim("io_getevents.waiter_returns_at_min_nr");
    ASSERT_TRUE(waiters[i]->returned());
    EXPECT_RETURNS(1, waiters[i]->answer());
    seen.push_back(at<Event>(array_of(i)).data);
  }
  claim("io_getevents.event_goes_to_one_waiter");
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{100, 101, 102, 103}));
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(waiting_many, a_waiter_has_its_events_in_their_order,
           {.holds = {"io_getevents.event_goes_to_one_waiter", "io_getevents.waiter_returns_at_min_nr"}}) {
  constexpr unsigned kWaiters = 3;
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  std::vector<std::unique_ptr<Sleeper>> waiters;
  for (unsigned i = 0; i < kWaiters; ++i) {
    waiters.push_back(std::make_unique<Sleeper>(cpus().number(i % cpus().count()), numbers().io_getevents));
    waiters[i]->start([this, ctx, i] { return io_getevents(ctx, 2, 2, array_of(i), arena::kNull); });
    ASSERT_TRUE(waiters[i]->asleep());
  }
  for (unsigned slot = 0; slot < 2 * kWaiters; ++slot) {
    prepare(slot, kPread, empty.get());
    ASSERT_RETURNS(1, submit(ctx, {slot}));
  }
  std::vector<std::uint64_t> seen;
  for (unsigned i = 0; i < kWaiters; ++i) {
    claim("io_getevents.waiter_returns_at_min_nr");
    ASSERT_TRUE(waiters[i]->returned());
    EXPECT_RETURNS(2, waiters[i]->answer());
    const std::uint64_t first = at<Event>(array_of(i)).data;
    const std::uint64_t second = at<Event>(array_of(i) + sizeof(Event)).data;
    claim("io_getevents.event_goes_to_one_waiter");
    EXPECT_LT(first, second);
    seen.insert(seen.end(), {first, second});
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{100, 101, 102, 103, 104, 105}));
}

SUITE_TEST(waiting_many, who_wants_fewer_is_served_first,
           {.holds = {"io_getevents.waiter_leaves_events_below_min_nr", "io_getevents.waiter_returns_at_min_nr"},
            .needs = ">=6.8"}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper wants_three(cpus().number(0), numbers().io_getevents);
  wants_three.start([&] { return io_getevents(ctx, 3, 4, array_of(0), arena::kNull); });
  ASSERT_TRUE(wants_three.asleep());
  Sleeper wants_one(cpus().number(0), numbers().io_getevents);
  wants_one.start([&] { return io_getevents(ctx, 1, 1, array_of(1), arena::kNull); });
  ASSERT_TRUE(wants_one.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  claim("io_getevents.waiter_returns_at_min_nr");
  ASSERT_TRUE(wants_one.returned());
  EXPECT_RETURNS(1, wants_one.answer());
  claim("io_getevents.waiter_leaves_events_below_min_nr");
  EXPECT_TRUE(wants_three.asleep());
  ASSERT_RETURNS(3, submit(ctx, {0, 0, 0}));
  ASSERT_TRUE(wants_three.returned());
  EXPECT_RETURNS(3, wants_three.answer());
}

// Both are woken, and one finds that the other has taken all.
SUITE_TEST(waiting_many, two_do_not_share_what_is_enough_for_one, {.holds = {"waiting.enough_for_one_goes_to_one"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  Sleeper first(cpus().number(0), numbers().io_getevents);
  first.start([&] { return io_getevents(ctx, 2, 2, array_of(0), arena::kNull); });
  ASSERT_TRUE(first.asleep());
  Sleeper second(cpus().number(1 % cpus().count()), numbers().io_getevents);
  second.start([&] { return io_getevents(ctx, 2, 2, array_of(1), arena::kNull); });
  ASSERT_TRUE(second.asleep());
  for (const unsigned done : {1u, 2u}) {
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_RETURNS(1, submit(ctx, {0}));
    // One is asleep and stays so; with the second pair neither is.
    EXPECT_TRUE(await(
        [&] { return static_cast<unsigned>(!first.asleep()) + static_cast<unsigned>(!second.asleep()) == done; }));
  }
  ASSERT_TRUE(first.returned() && second.returned());
  EXPECT_RETURNS(2, first.answer());
  EXPECT_RETURNS(2, second.answer());
}

SUITE_TEST(waiting_many, many_waiters_are_all_woken,
           {.holds = {"io_getevents.waiter_returns_at_min_nr", "io_getevents.event_goes_to_one_waiter"}}) {
  constexpr unsigned kWaiters = 24;
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  std::vector<std::unique_ptr<Sleeper>> waiters;
  for (unsigned i = 0; i < kWaiters; ++i) {
    prepare(i, kPread, empty.get());
    waiters.push_back(std::make_unique<Sleeper>(cpus().number(i % cpus().count()), numbers().io_getevents));
    waiters[i]->start([this, ctx, i] { return io_getevents(ctx, 1, 1, array_of(i), arena::kNull); });
  }
  for (const auto& waiter : waiters) ASSERT_TRUE(waiter->asleep());
  // One, some, the rest.
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(3, submit(ctx, {1, 2, 3}));
  for (unsigned i = 4; i < kWaiters; i += 4) ASSERT_RETURNS(4, submit(ctx, {i, i + 1, i + 2, i + 3}));
  std::vector<std::uint64_t> seen;
  std::vector<std::uint64_t> wanted;
  for (unsigned i = 0; i < kWaiters; ++i) {
    ASSERT_TRUE(waiters[i]->returned()) << i;
    EXPECT_RETURNS(1, waiters[i]->answer());
    seen.push_back(at<Event>(array_of(i)).data);
    wanted.push_back(100 + i);
  }
  claim("io_getevents.event_goes_to_one_waiter");
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, wanted);
}

// A process of the same memory is as good as a thread: it submits, and it waits.
SUITE_TEST(waiting_many, processes_of_one_memory_wake_each_other,
           {.holds = {"process.shared_memory_shares_contexts", "io_submit.returns_number_accepted"},
            .needs = "lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor file_to_write = file();
  put(arena::kBuffers, "Hello, World!");
  prepare(0, kPwrite, file_to_write.get(), arena::kBuffers, 13);
  {
    Sleeper waiter(cpus().number(0), numbers().io_getevents);
    waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
    ASSERT_TRUE(waiter.asleep());
    Answer submitted;
    Lane process(cpus().number(0), Lane::Kind::kProcess);
    process.start([&] { submitted = submit(ctx, {0}); });
    process.wait();
    claim("io_submit.returns_number_accepted");
    EXPECT_RETURNS(1, submitted);
    claim("process.shared_memory_shares_contexts");
    ASSERT_TRUE(waiter.returned());
    EXPECT_RETURNS(1, waiter.answer());
    EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 13, 0}));
    EXPECT_EQ(content(file_to_write.get()), "Hello, World!");
  }
  Sleeper waiter(cpus().number(0), numbers().io_getevents, Lane::Kind::kProcess);
  waiter.start([&] { return io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
  ASSERT_TRUE(waiter.asleep());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_TRUE(waiter.returned());
  EXPECT_RETURNS(1, waiter.answer());
}

// One thread submits while another does nothing but wait.
SUITE_TEST(waiting_many, a_reaper_gets_all_of_a_submitter,
           {.holds = {"event.one_for_every_request", "waiting.events_in_order_to_single_reaper"}, .needs = "lanes"}) {
  constexpr std::uint64_t kRequests = 4000;
  const std::uint64_t ctx = setup(1000);
  const Descriptor empty = file();
  prepare(0, kPread, empty.get());
  std::vector<Event> seen(kRequests);
  const Address events = map(sizeof(Event) * kRequests);
  std::size_t taken = 0;
  std::int64_t last = 1;
  Sleeper reaper(cpus().number(1 % cpus().count()), numbers().io_getevents);
  reaper.start([&] {
    Answer got;
    while (taken < kRequests) {
      got = io_getevents(ctx, 1, kRequests, events, arena::kNull);
      if ((last = got.value) <= 0) break;
      for (std::int64_t i = 0; i < got.value && taken < kRequests; ++i) {
        seen[taken++] = at<Event>(events + sizeof(Event) * static_cast<Address>(i));
      }
    }
    return got;
  });
  const Address one = list({arena::iocb_slot(0)});
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    iocb(0).data = i;
    Answer made;
    // The ring may be full until the reaper has run.
    await([&] {
      made = io_submit(ctx, 1, one);
      return made.error != EAGAIN;
    });
    ASSERT_RETURNS(1, made);
  }
  ASSERT_TRUE(reaper.returned());
  EXPECT_GT(last, 0);
  EXPECT_EQ(taken, kRequests);
  claim("waiting.events_in_order_to_single_reaper");
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(seen[i], (Event{i, arena::iocb_slot(0), 0, 0})) << i;
  }
}

SUITE_TEST(waiting_many, submitters_and_reapers_lose_and_double_nothing,
           {.holds = {"event.one_for_every_request", "event.none_without_request"}, .needs = "lanes"}) {
  constexpr unsigned kPairs = 2;
  constexpr std::uint64_t kEach = 500;
  const std::uint64_t ctx = setup(1000);
  const Descriptor empty = file();
  std::atomic<std::uint64_t> taken{0};
  std::array<std::vector<std::uint64_t>, kPairs> seen;
  std::vector<std::unique_ptr<Sleeper>> reapers;
  const Address soon = timeout(0, 5'000'000);
  for (unsigned i = 0; i < kPairs; ++i) {
    reapers.push_back(std::make_unique<Sleeper>(cpus().number(i % cpus().count()), numbers().io_getevents));
    reapers[i]->start([&, i] {
      Answer got;
      while (taken < kPairs * kEach && got.value >= 0) {
        got = io_getevents(ctx, 1, kShare, array_of(i), soon);
        for (std::int64_t each = 0; each < got.value; ++each) {
          seen[i].push_back(at<Event>(array_of(i) + sizeof(Event) * static_cast<Address>(each)).data);
        }
        if (got.value > 0) taken += static_cast<std::uint64_t>(got.value);
      }
      return got;
    });
  }
  std::array<std::uint64_t, kPairs> accepted{};
  std::vector<std::unique_ptr<Lane>> submitters;
  for (unsigned i = 0; i < kPairs; ++i) {
    prepare(i, kPread, empty.get());
    const Address one = list(std::array{arena::iocb_slot(i)}, arena::kPointers + 64 * i);
    submitters.push_back(std::make_unique<Lane>(cpus().number(i % cpus().count())));
    submitters[i]->start([&, i, one] {
      for (std::uint64_t n = 0; n < kEach; ++n) {
        iocb(i).data = kEach * i + n;
        if (io_submit(ctx, 1, one).value == 1) ++accepted[i];
      }
    });
  }
  for (unsigned i = 0; i < kPairs; ++i) {
    submitters[i]->wait();
    EXPECT_EQ(accepted[i], kEach);
  }
  std::vector<std::uint64_t> all;
  for (unsigned i = 0; i < kPairs; ++i) {
    ASSERT_TRUE(reapers[i]->returned());
    all.insert(all.end(), seen[i].begin(), seen[i].end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), kPairs * kEach);
  claim("event.none_without_request");
  for (std::uint64_t n = 0; n < kPairs * kEach; ++n) ASSERT_EQ(all[n], n);
}

}  // namespace aio::suites
