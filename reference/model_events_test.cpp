// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents and io_pgetevents: timeouts without a check (semantics.md A.3), what a user's head and tail do (C.1),
// faults, and the order of the checks.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Opinion = FakeKernel::Opinion;

constexpr Event kSomeEvent{1, arena::iocb_slot(0), 0, 0};

// A read of nothing: its event is there at once.
IocbSpec read_nothing() {
  IocbSpec spec;
  spec.data = 1;
  return spec;
}

void add_events(FakeKernel& kernel, int count) {
  for (int i = 0; i < count; ++i) ASSERT_FALSE(kernel.submit({read_nothing()}, {kSomeEvent}).divergence);
}

Getevents getevents(const FakeKernel& kernel, std::int64_t min_nr, std::int64_t nr) {
  return {.ctx = kernel.ctx(), .min_nr = min_nr, .nr = nr};
}

// Copies `count` slots from `from` on as io_getevents does, and moves the head to `head`.
FakeKernel::Answer takes(std::uint32_t from, std::uint32_t count, std::uint32_t head) {
  return [=](FakeKernel& k) {
    const FakeRing& ring = k.rings[0];
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t at = sizeof(RingHeader) + std::size_t{(from + i) % ring.size} * sizeof(Event);
      k.memory.store(arena::kEvents + i * sizeof(Event), std::span(ring.bytes).subspan(at, sizeof(Event)));
    }
    k.result = count;
    k.rings[0].set_word(RingField::kHead, head);
  };
}

Verdict set_word(FakeKernel& kernel, RingField field, std::uint32_t value) {
  const RingStore op{.ctx = kernel.ctx(), .field = field, .value = value};
  return kernel.run(op, [&](FakeKernel& k) { k.rings[0].set_word(field, value); });
}

enum class Wait { kPoll, kForEver, kTime };
struct Timeout {
  std::int64_t sec, nsec;
  Wait wait;
  std::uint64_t ns;
  Req rule;
};

constexpr Timeout kTimeouts[] = {
    {0, 0, Wait::kPoll, 0, Req::kGeteventsZeroTimeoutPolls},
    {1, -1000000000, Wait::kPoll, 0, Req::kGeteventsOddTimeoutPolls},
    {INT64_MIN, 0, Wait::kPoll, 0, Req::kGeteventsOddTimeoutPolls},
    {0, 1, Wait::kTime, 1, Req::kGeteventsTimeoutZero},
    {0, 2000000000, Wait::kTime, 2000000000, Req::kGeteventsTimeoutZero},
    {1, -900000000, Wait::kTime, 100000000, Req::kGeteventsTimeoutZero},
    {-1, 0, Wait::kForEver, 0, Req::kGeteventsNegativeWaits},
    {0, -1, Wait::kForEver, 0, Req::kGeteventsNegativeWaits},
    {0, INT64_MIN, Wait::kForEver, 0, Req::kGeteventsNegativeWaits},
    {-9223372037, 0, Wait::kForEver, 0, Req::kGeteventsNegativeWaits},
    {9223372036, 0, Wait::kForEver, 0, Req::kGeteventsHugeTimeoutWaits},
    {INT64_MAX, 0, Wait::kForEver, 0, Req::kGeteventsHugeTimeoutWaits},
};

TEST(ModelEvents, timeouts_are_seconds_and_nanoseconds_without_a_check) {
  for (const Timeout& each : kTimeouts) {
    SCOPED_TRACE(::testing::Message() << "{" << each.sec << ", " << each.nsec << "}");
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    Getevents op = getevents(kernel, 1, 1);
    op.sec = each.sec;
    op.nsec = each.nsec;
    const bool for_ever = each.wait == Wait::kForEver;
    EXPECT_EQ(kernel.opinion(op), (Opinion{each.rule, for_ever ? -kEINTR : 0}));
    EXPECT_EQ(kernel.model.waits(op), for_ever);
    const Verdict right = kernel.run(op, [&](FakeKernel& k) {
      if (for_ever) k.fails(kEINTR);
      k.elapsed_ns = each.ns;
    });
    EXPECT_FALSE(right.divergence);
    if (each.wait != Wait::kTime) continue;
    const Verdict early = kernel.run(op, [&](FakeKernel& k) { k.elapsed_ns = each.ns - 1; });
    ASSERT_TRUE(early.divergence);
    EXPECT_EQ(early.divergence->signature, (Signature{Req::kGeteventsWaitsTimeout, Kind::kTime}));
    const Check least{Check::What::kElapsed, 0, 0, {static_cast<std::int64_t>(each.ns)}, {}};
    EXPECT_EQ(early.divergence->check, least);
  }
}

TEST(ModelEvents, so_many_seconds_are_for_ever_whatever_the_nanoseconds) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  for (const auto& [sec, for_ever] : {std::pair{9223372036, true}, std::pair{9223372035, false}}) {
    Getevents op = getevents(kernel, 1, 1);
    op.sec = sec;
    op.nsec = -sec * 1000000000;
    EXPECT_EQ(kernel.model.waits(op), for_ever) << sec;
  }
}

TEST(ModelEvents, only_too_few_events_wait) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  Getevents op = getevents(kernel, 1, 2);
  op.timeout = arena::kNull;
  EXPECT_TRUE(kernel.model.waits(op));
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsNullWaits, -kEINTR}));
  op.min_nr = 0;
  EXPECT_FALSE(kernel.model.waits(op));
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsEmpty, 0}));
  add_events(kernel, 1);
  op.min_nr = 1;
  EXPECT_FALSE(kernel.model.waits(op));
  op.min_nr = 2;
  EXPECT_TRUE(kernel.model.waits(op));
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsSignalKeepsCount, 1}));
  op.timeout = arena::kTimespec;
  op.nsec = 5;
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsTimeoutKeepsCount, 1}));
  op.nsec = 0;
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsZeroTimeoutPolls, 1}));
}

struct Case {
  const char* what;
  void (*change)(Getevents&);
  Req rule;
  std::int64_t value;
};

// With three events in the ring; the first of two faults wins.
TEST(ModelEvents, checks_come_in_their_order) {
  constexpr Case kCases[] = {
      {"all three", [](Getevents& op) { op.nr = 9; }, Req::kGeteventsTakes, 3},
      {"exactly three", [](Getevents& op) { op.nr = 3; }, Req::kGeteventsTakes, 3},
      {"some", [](Getevents& op) { op.nr = 2; }, Req::kGeteventsAtMostNr, 2},
      {"no end", [](Getevents& op) { op.nr = INT64_MAX; }, Req::kGeteventsTakes, 3},
      {"none", [](Getevents& op) { op.min_nr = op.nr = 0; }, Req::kGeteventsAtMostNr, 0},
      {"timeout", [](Getevents& op) { op.timeout = arena::kUnmapped; }, Req::kGeteventsTimeoutFault, -kEFAULT},
      {"timeout, context", [](Getevents& op) { op.timeout = arena::kUnmapped, op.ctx = 8; },
       Req::kGeteventsTimeoutFault, -kEFAULT},
      {"context", [](Getevents& op) { op.ctx = 8; }, Req::kGeteventsUnknown, -kEINVAL},
      {"context, range", [](Getevents& op) { op.ctx = 8, op.min_nr = -1; }, Req::kGeteventsUnknown, -kEINVAL},
      {"negative", [](Getevents& op) { op.min_nr = -1, op.nr = -2; }, Req::kGeteventsMinNegative, -kEINVAL},
      {"range, array", [](Getevents& op) { op.min_nr = 2, op.events = 0; }, Req::kGeteventsMinOverNr, -kEINVAL},
      {"negative nr", [](Getevents& op) { op.nr = -1; }, Req::kGeteventsMinOverNr, -kEINVAL},
      {"array", [](Getevents& op) { op.events = arena::kReadOnly; }, Req::kGeteventsFault, -kEFAULT},
      {"no array, none", [](Getevents& op) { op.nr = 0, op.events = 0; }, Req::kGeteventsAtMostNr, 0},
  };
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  add_events(kernel, 3);
  for (const Case& each : kCases) {
    Getevents op = getevents(kernel, 0, 1);
    each.change(op);
    EXPECT_EQ(kernel.opinion(op), (Opinion{each.rule, each.value})) << each.what;
  }
}

TEST(ModelEvents, releases_before_4_15_look_at_the_timeout_last) {
  FakeKernel kernel(*find_profile("4.14"));
  ASSERT_FALSE(kernel.setup().divergence);
  Getevents op = getevents(kernel, 0, 1);
  op.timeout = arena::kUnmapped;
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsTimeoutFault, -kEFAULT}));
  op.min_nr = 2;
  EXPECT_EQ(kernel.opinion(op).value, -kEINVAL);
  op.ctx = 8;
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kGeteventsUnknown, -kEINVAL}));
}

TEST(ModelEvents, a_fault_in_a_later_chunk_keeps_all_events_but_leaves_what_was_copied) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  add_events(kernel, 3);
  Getevents op = getevents(kernel, 0, 3);
  op.events = arena::kEvents + arena::kPage - 40;
  const auto answer = [&](std::size_t copied, std::uint32_t head) {
    return [=](FakeKernel& k) {
      k.fails(kEFAULT);
      k.memory.store(op.events, std::span(k.rings[0].bytes).subspan(sizeof(RingHeader), copied));
      k.rings[0].set_word(RingField::kHead, head);
    };
  };
  EXPECT_FALSE(kernel.run(op, answer(40, 0)).divergence);
  const Verdict moved = kernel.run(op, answer(40, 1));
  ASSERT_TRUE(moved.divergence);
  EXPECT_EQ(moved.divergence->signature, (Signature{Req::kGeteventsFaultKeepsEvents, Kind::kHeader}));
}

TEST(ModelEvents, a_tail_moved_by_the_user_gives_stale_events_until_the_next_completion) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(set_word(kernel, RingField::kTail, 5).divergence);
  EXPECT_EQ(kernel.opinion(getevents(kernel, 0, 10)), (Opinion{Req::kRingTailTrusted, 5}));
  ASSERT_FALSE(kernel.run(getevents(kernel, 0, 10), takes(0, 5, 5)).divergence);
  // The kernel's own tail was 0 all the time.
  add_events(kernel, 1);
  EXPECT_EQ(kernel.rings[0].word(RingField::kTail), 1u);
  EXPECT_EQ(kernel.opinion(getevents(kernel, 0, 200)).value, 123);
}

TEST(ModelEvents, a_head_ahead_of_the_tail_gives_a_whole_ring_of_stale_events) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  add_events(kernel, 2);
  ASSERT_FALSE(set_word(kernel, RingField::kHead, 3).divergence);
  EXPECT_EQ(kernel.opinion(getevents(kernel, 0, 200)).value, 126);
  EXPECT_FALSE(kernel.run(getevents(kernel, 0, 126), takes(3, 126, 2)).divergence);
}

TEST(ModelEvents, a_head_one_turn_ahead_is_empty_and_is_put_right) {
  for (const std::uint32_t head : {2u, 2u + 127}) {
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    add_events(kernel, 2);
    ASSERT_FALSE(set_word(kernel, RingField::kHead, 2 + 127).divergence);
    EXPECT_EQ(kernel.opinion(getevents(kernel, 0, 10)).value, 0);
    EXPECT_EQ(kernel.run(getevents(kernel, 0, 10), takes(2, 0, head)).divergence.has_value(), head != 2);
  }
}

TEST(ModelEvents, an_equal_head_and_tail_are_left_as_they_are) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(set_word(kernel, RingField::kHead, 1000).divergence);
  ASSERT_FALSE(set_word(kernel, RingField::kTail, 1000).divergence);
  EXPECT_FALSE(kernel.run(getevents(kernel, 0, 10), takes(0, 0, 1000)).divergence);
}

TEST(ModelEvents, a_user_reaps_no_more_than_there_is) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  add_events(kernel, 3);
  const Reap op{.ctx = kernel.ctx(), .count = 5};
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kUserActions, 3}));
  const Verdict verdict = kernel.run(op, [](FakeKernel& k) {
    k.result = 3;
    k.rings[0].set_word(RingField::kHead, 3);
  });
  EXPECT_FALSE(verdict.divergence);
  EXPECT_EQ(kernel.opinion(getevents(kernel, 0, 10)), (Opinion{Req::kGeteventsEmpty, 0}));
}

}  // namespace
}  // namespace aio
