// SPDX-License-Identifier: GPL-2.0-or-later
//
// Quirks: what diverged once is taken over, and the model finds what lies behind it.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

// A kernel of which these have been confirmed.
class Other : public FakeKernel {
 public:
  explicit Other(Quirks& quirks) : FakeKernel(profiles().back(), {}, fake_machine(), false, &quirks) {}

  // io_setup of a ring of which nobody sees anything.
  Verdict setup_without_ring() {
    const aio::Setup op{.nr = 1, .ctxp = arena::context_slot(static_cast<unsigned>(rings.size()))};
    return run(op, [&](FakeKernel& kernel) {
      kernel.map_ring(op);
      std::memset(kernel.rings.back().bytes.data(), 0, sizeof(RingHeader));
    });
  }
  // io_submit of reads of nothing, with their data.
  Verdict submit(const std::vector<std::uint64_t>& datas) {
    std::vector<IocbSpec> iocbs;
    for (const std::uint64_t each : datas) {
      iocbs.push_back({});
      iocbs.back().at = arena::iocb_slot(static_cast<unsigned>(iocbs.size() - 1));
      iocbs.back().data = each;
      iocbs.back().fd = iocbs.size() % 2 != 0 ? Fd::kFile : Fd::kNull;
    }
    return FakeKernel::submit(iocbs, {});
  }
  // io_getevents that hands these out.
  Verdict get(const std::vector<Event>& events, std::int64_t nr = 8) {
    return run(Getevents{.ctx = ctx(), .nr = nr}, [&](FakeKernel& kernel) {
      kernel.memory.store(arena::kEvents, std::as_bytes(std::span(events)));
      kernel.result = std::ssize(events);
    });
  }
};

Event event(std::uint64_t data, unsigned slot = 0, std::int64_t res = 0) {
  return {data, arena::iocb_slot(slot), res, 0};
}

Signature shown(const Verdict& verdict) { return verdict.divergence.value_or(Divergence{}).signature; }

Submit negative(const Other& kernel) {
  Submit op;
  op.ctx = kernel.ctx();
  op.nr = -1;
  return op;
}

const Signature kNoMagic{Req::kSetupRingMagic, Kind::kHeader};

TEST(Quirks, before_there_is_one_a_divergence_is_one) {
  Quirks none;
  Other kernel(none);
  EXPECT_EQ(shown(kernel.setup_without_ring()), kNoMagic);
}

TEST(Quirks, behind_one_the_next_is_found) {
  Quirks quirks;
  quirks.add(kNoMagic);
  Other kernel(quirks);
  EXPECT_FALSE(kernel.setup_without_ring().divergence);
  const Verdict verdict = kernel.run(negative(kernel), [](FakeKernel& k) { k.fails(kEFAULT); });
  EXPECT_EQ(shown(verdict), (Signature{Req::kSubmitNrNegative, Kind::kErrno}));
  quirks.add(shown(verdict));
  Other again(quirks);
  EXPECT_FALSE(again.setup_without_ring().divergence);
  EXPECT_FALSE(again.run(negative(again), [](FakeKernel& k) { k.fails(kEFAULT); }).divergence);
  const Verdict third = again.run(Getevents{.ctx = again.ctx(), .min_nr = 2, .nr = 1});
  EXPECT_EQ(shown(third), (Signature{Req::kGeteventsMinOverNr, Kind::kErrno}));
}

TEST(Quirks, where_it_cannot_follow_it_has_lost_track_and_blames_nobody) {
  Quirks quirks;
  quirks.add({Req::kSetupNrZero, Kind::kErrno});
  Other kernel(quirks);
  const Verdict verdict = kernel.run(aio::Setup{.nr = 0, .ctxp = arena::context_slot(0)});
  EXPECT_FALSE(verdict.divergence);
  EXPECT_TRUE(verdict.lost_track);
  EXPECT_STREQ(verdict.reason, kBehindQuirk);
}

TEST(Quirks, a_count_is_the_same_as_an_errno_and_a_header_is_not) {
  Quirks quirks;
  quirks.add({Req::kSubmitBadFd, Kind::kErrno});
  EXPECT_TRUE(quirks.has({Req::kSubmitBadFd, Kind::kCount}));
  EXPECT_FALSE(quirks.has({Req::kSubmitBadFd, Kind::kHeader}));
  EXPECT_FALSE(quirks.has({Req::kResfdBadFd, Kind::kErrno}));
}

TEST(Quirks, a_call_that_is_missing_is_one_divergence_whatever_it_was_asked) {
  Quirks none;
  Other kernel(none);
  ASSERT_FALSE(kernel.setup().divergence);
  const auto no_call = [](FakeKernel& k) { k.fails(kENOSYS); };
  const Signature expected{Req::kPgeteventsAsGetevents, Kind::kErrno};
  EXPECT_EQ(shown(kernel.run(Pgetevents{.ctx = kernel.ctx()}, no_call)), expected);
  Other other(none);
  EXPECT_EQ(shown(other.run(Pgetevents{.ctx = 8}, no_call)), expected);
}

// io_submit of this vector alone, which is refused.
Signature refused(Quirks& quirks, const Segment& segment, std::uint64_t nbytes) {
  Other kernel(quirks);
  EXPECT_FALSE(kernel.setup().divergence);
  IocbSpec spec;
  spec.opcode = kPreadv;
  spec.buf = arena::kIovecs;
  spec.segments = {segment};
  spec.nbytes = nbytes;
  const Submit op{.ctx = kernel.ctx(), .iocbs = {spec}};
  return shown(kernel.run(op, [](FakeKernel& k) { k.fails(kEINVAL); }));
}

TEST(Quirks, what_is_refused_for_what_is_right_of_a_vector_is_told_apart) {
  Quirks none;
  const Segment small{arena::kBuffers, 8};
  EXPECT_EQ(refused(none, small, 1), (Signature{Req::kSubmitCounts, Kind::kErrno}));
  EXPECT_EQ(refused(none, small, (1ull << 32) + 1), (Signature{Req::kVectorCountTruncated, Kind::kErrno}));
  EXPECT_EQ(refused(none, {arena::kBuffers, INT64_MAX}, 1), (Signature{Req::kVectorCutFirst, Kind::kErrno}));
}

TEST(Quirks, an_odd_timeout_that_is_refused_hides_what_else_is_wrong) {
  Quirks none;
  Other kernel(none);
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(kernel.FakeKernel::submit({IocbSpec{}}, {event(0)}).divergence);
  const auto refuses = [](FakeKernel& k) { k.fails(kEINVAL); };
  const Getevents odd{.ctx = kernel.ctx(), .events = arena::kNull, .nsec = -1};
  EXPECT_EQ(shown(kernel.run(odd, refuses)), (Signature{Req::kGeteventsOddTimeoutPolls, Kind::kErrno}));
}

TEST(Quirks, what_is_refused_for_its_timeout_has_copied_nothing) {
  Quirks quirks;
  quirks.add({Req::kGeteventsOddTimeoutPolls, Kind::kErrno});
  Other kernel(quirks);
  ASSERT_FALSE(kernel.setup().divergence);
  IocbSpec second;
  second.at = arena::iocb_slot(1);
  ASSERT_FALSE(kernel.FakeKernel::submit({IocbSpec{}, second}, {event(0), event(0, 1)}).divergence);
  const Address last = arena::kEvents + sizeof(Event) * (arena::kEventSlots - 1);
  const Getevents odd{.ctx = kernel.ctx(), .nr = 2, .events = last, .nsec = -1};
  const Verdict verdict = kernel.run(odd, [](FakeKernel& k) { k.fails(kEINVAL); });
  EXPECT_FALSE(verdict.divergence);
  EXPECT_FALSE(verdict.lost_track);
}

TEST(Quirks, a_call_that_failed_has_changed_nothing) {
  Quirks quirks;
  quirks.add({Req::kPgeteventsAsGetevents, Kind::kErrno});
  Other kernel(quirks);
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(kernel.FakeKernel::submit({IocbSpec{}}, {event(0)}).divergence);
  const Pgetevents op{.ctx = kernel.ctx(), .nr = 4};
  EXPECT_FALSE(kernel.run(op, [](FakeKernel& k) { k.fails(kENOSYS); }).divergence);
  // Its event is still in the ring.
  const Verdict verdict = kernel.run(Getevents{.ctx = kernel.ctx(), .nr = 4});
  EXPECT_EQ(shown(verdict), (Signature{Req::kGeteventsTakes, Kind::kCount}));
}

class Ringless : public testing::Test {
 protected:
  Ringless() {
    quirks.add(kNoMagic);
    kernel.emplace(quirks);
    EXPECT_FALSE(kernel->setup_without_ring().divergence);
  }
  Quirks quirks;
  std::optional<Other> kernel;
};

TEST_F(Ringless, events_show_when_they_are_handed_out) {
  EXPECT_FALSE(kernel->submit({7}).divergence);
  EXPECT_TRUE(kernel->due.empty());
  EXPECT_FALSE(kernel->get({event(7)}).divergence);
  EXPECT_FALSE(kernel->get({}).divergence);
}

TEST_F(Ringless, they_may_come_in_any_order) {
  EXPECT_FALSE(kernel->submit({7, 8}).divergence);
  EXPECT_FALSE(kernel->get({event(8, 1), event(7)}).divergence);
}

TEST_F(Ringless, what_is_in_them_is_judged) {
  EXPECT_FALSE(kernel->submit({7}).divergence);
  const Verdict verdict = kernel->get({event(7, 0, -kEINVAL)});
  EXPECT_EQ(shown(verdict), (Signature{Req::kReadZeroBytes, Kind::kEvent}));
  ASSERT_TRUE(verdict.divergence && verdict.divergence->check);
  EXPECT_EQ(verdict.divergence->check->what, Check::What::kArenaBytes);
  EXPECT_EQ(verdict.divergence->check->at, arena::kEvents + 16);
}

TEST_F(Ringless, events_of_nothing_are_too_many) {
  EXPECT_FALSE(kernel->submit({7}).divergence);
  EXPECT_EQ(shown(kernel->get({event(7), event(7)})), (Signature{Req::kGeteventsTakes, Kind::kCount}));
}

TEST_F(Ringless, one_that_is_late_diverges_once) {
  EXPECT_FALSE(kernel->submit({7}).divergence);
  const Signature late{Req::kEventAtReturn, Kind::kEvent};
  EXPECT_EQ(shown(kernel->get({})), late);
  quirks.add(late);
  Other again(quirks);
  EXPECT_FALSE(again.setup_without_ring().divergence);
  EXPECT_FALSE(again.submit({7}).divergence);
  EXPECT_FALSE(again.get({}).divergence);
  EXPECT_FALSE(again.get({event(7)}).divergence);
}

TEST_F(Ringless, a_failed_copy_keeps_them) {
  EXPECT_FALSE(kernel->submit({7}).divergence);
  const Getevents op{.ctx = kernel->ctx(), .nr = 4, .events = arena::kNull};
  EXPECT_FALSE(kernel->run(op, [](FakeKernel& k) { k.fails(kEFAULT); }).divergence);
  EXPECT_FALSE(kernel->get({event(7)}).divergence);
}

TEST_F(Ringless, one_that_a_failed_copy_has_taken_is_missed) {
  quirks.add({Req::kEventAtReturn, Kind::kEvent});
  Other late(quirks);
  EXPECT_FALSE(late.setup_without_ring().divergence);
  EXPECT_FALSE(late.submit({7}).divergence);
  const Getevents op{.ctx = late.ctx(), .nr = 4, .events = arena::kNull};
  EXPECT_FALSE(late.run(op, [](FakeKernel& k) { k.fails(kEFAULT); }).divergence);
  const Signature lost{Req::kGeteventsFaultKeepsEvents, Kind::kEvent};
  EXPECT_EQ(shown(late.get({})), lost);
  quirks.add(lost);
  Other again(quirks);
  EXPECT_FALSE(again.setup_without_ring().divergence);
  EXPECT_FALSE(again.submit({7}).divergence);
  EXPECT_FALSE(again.run(op, [](FakeKernel& k) { k.fails(kEFAULT); }).divergence);
  EXPECT_FALSE(again.get({}).divergence);
}

TEST_F(Ringless, a_count_where_the_array_ends_is_no_efault) {
  EXPECT_FALSE(kernel->submit({7, 8}).divergence);
  const Address last = arena::kEvents + sizeof(Event) * (arena::kEventSlots - 1);
  const Getevents op{.ctx = kernel->ctx(), .min_nr = 2, .nr = 2, .events = last, .sec = 1};
  const auto one = [&](FakeKernel& k) {
    const Event first = event(7);
    k.memory.store(last, std::as_bytes(std::span(&first, 1)));
    k.result = 1;
  };
  quirks.add({Req::kEventAtReturn, Kind::kEvent});
  EXPECT_EQ(shown(kernel->run(op, one)), (Signature{Req::kGeteventsPartFault, Kind::kErrno}));
}

TEST_F(Ringless, time_that_has_passed_explains_a_count) {
  EXPECT_FALSE(kernel->submit({7, 8}).divergence);
  const Address last = arena::kEvents + sizeof(Event) * (arena::kEventSlots - 1);
  const Getevents op{.ctx = kernel->ctx(), .min_nr = 2, .nr = 2, .events = last, .nsec = 1000};
  quirks.add({Req::kEventAtReturn, Kind::kEvent});
  const auto one = [&](FakeKernel& k) {
    const Event first = event(7);
    k.memory.store(last, std::as_bytes(std::span(&first, 1)));
    k.result = 1;
    k.elapsed_ns = 2000;
  };
  EXPECT_FALSE(kernel->run(op, one).divergence);
}

// An eventfd whose counter nothing tells, just below its limit; a completion signals it.
class FullCounter : public Ringless {
 protected:
  Submit signalling() const {
    IocbSpec spec;
    spec.data = 7;
    spec.flags = kFlagResfd;
    spec.resfd = Fd::kNbEvent;
    return {.ctx = kernel->ctx(), .iocbs = {spec}};
  }
  Verdict read(std::uint64_t value) {
    return kernel->run(FdRead{Fd::kNbEvent, 8}, [value](FakeKernel& k) {
      k.result = 8;
      const auto bytes = std::as_bytes(std::span(&value, 1));
      k.data.assign(bytes.begin(), bytes.end());
      k.counters[1] = 0;
    });
  }
  void fill() {
    const FdWrite op{Fd::kNbEvent, 8, ~std::uint64_t{1}};
    ASSERT_FALSE(kernel
                     ->run(op,
                           [](FakeKernel& k) {
                             k.result = 8;
                             k.counters[1] = ~std::uint64_t{1};
                           })
                     .divergence);
    // It is signalled, as far as the counter tells that is seen.
    ASSERT_FALSE(kernel
                     ->run(signalling(),
                           [](FakeKernel& k) {
                             k.result = 1;
                             k.store_word(arena::iocb_slot(0) + 8, 0, 4);
                             k.counters[1] = ~std::uint64_t{0};
                           })
                     .divergence);
  }
};

TEST_F(FullCounter, a_completion_that_it_does_not_count_shows_when_it_is_read) {
  fill();
  ASSERT_FALSE(kernel->get({event(7)}).divergence);
  EXPECT_EQ(shown(read(~std::uint64_t{1})), (Signature{Req::kResfdSaturates, Kind::kCounter}));
}

TEST_F(FullCounter, one_that_has_not_been_handed_out_may_be_late) {
  fill();
  const Verdict verdict = read(~std::uint64_t{1});
  EXPECT_FALSE(verdict.divergence);
  EXPECT_TRUE(verdict.lost_track);
}

}  // namespace
}  // namespace aio
