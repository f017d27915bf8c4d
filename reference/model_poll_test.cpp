// SPDX-License-Identifier: GPL-2.0-or-later
//
// POLL in the model: what completes a pending one and with which mask, cancelling, and what io_destroy does to those
// that are left. Source: semantics.md D, A.5 and A.6.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Opinion = FakeKernel::Opinion;

IocbSpec poll(Fd fd, std::uint64_t events, unsigned slot = 0) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.data = 40 + slot;
  spec.opcode = kPoll;
  spec.fd = fd;
  spec.buf = events;
  return spec;
}

// A pipe or socket pair under a POLL, what the user then does, and the result; -1: it stays pending.
struct Waking {
  const char* what;
  Fd fd;
  std::uint64_t want;
  Operation action;
  std::int64_t result;  // of the action
  std::int64_t res;
  Req rule;
};

const std::vector<Waking>& wakings() {
  static const std::vector<Waking> kAll{
      {"pipe written", Fd::kPipeRead, kPollIn, FdWrite{Fd::kPipeWrite, 8, 1}, 8, 0x41, Req::kPollWakeKey},
      {"pipe written, RDNORM wanted", Fd::kPipeRead, kPollRdnorm, FdWrite{Fd::kPipeWrite, 8, 1}, 8, 0x41,
       Req::kPollWakeKey},
      {"pipe written, PRI wanted", Fd::kPipeRead, kPollPri, FdWrite{Fd::kPipeWrite, 8, 1}, 8, -1, Req::kPollWakes},
      {"socket written", Fd::kSocket0, kPollIn, FdWrite{Fd::kSocket1, 8, 1}, 8, 0xc3, Req::kPollWakeKey},
      {"socket written, PRI wanted", Fd::kSocket0, kPollPri, FdWrite{Fd::kSocket1, 8, 1}, 8, 0xc3, Req::kPollWakeKey},
      {"eventfd written", Fd::kEvent, kPollIn, FdWrite{Fd::kEvent, 8, 3}, 8, 0x1, Req::kPollWakeKey},
      {"other eventfd written", Fd::kNbEvent, kPollIn, FdWrite{Fd::kEvent, 8, 3}, 8, -1, Req::kPollWakes},
      {"writer gone", Fd::kPipeRead, kPollIn, FdClose{Fd::kPipeWrite}, 0, 0x10, Req::kPollHangup},
      {"writer gone, nothing wanted", Fd::kPipeRead, 0, FdClose{Fd::kPipeWrite}, 0, 0x10, Req::kPollHangup},
      {"peer gone", Fd::kSocket0, kPollIn, FdClose{Fd::kSocket1}, 0, 0x11, Req::kPollHangup},
      {"own end closed", Fd::kPipeRead, kPollIn, FdClose{Fd::kPipeRead}, 0, -1, Req::kPollWakes},
  };
  return kAll;
}

Verdict act(FakeKernel& kernel, const Waking& each, std::int64_t res) {
  return kernel.run(each.action, [&](FakeKernel& k) {
    k.result = each.result;
    if (std::holds_alternative<FdWrite>(each.action) &&
        traits(std::get<FdWrite>(each.action).fd).kind == FileKind::kEventfd) {
      k.counters[0] = 3;
    }
    if (res >= 0) k.rings[0].add(event_of(0, res));
  });
}

TEST(ModelPoll, a_pending_poll_completes_on_a_wanted_wake_up_with_its_whole_key) {
  for (const Waking& each : wakings()) {
    SCOPED_TRACE(each.what);
    // As it must be; an event where there must be none or the other way round.
    for (const std::int64_t res : {each.res, each.res < 0 ? std::int64_t{1} : -1}) {
      FakeKernel kernel;
      ASSERT_FALSE(kernel.setup().divergence);
      ASSERT_FALSE(kernel.submit({poll(each.fd, each.want)}, {}).divergence);
      const Verdict verdict = act(kernel, each, res);
      ASSERT_EQ(verdict.divergence.has_value(), res != each.res) << res;
      EXPECT_EQ(kernel.due.size(), each.res < 0 ? 0u : 1u);
    }
  }
}

TEST(ModelPoll, before_5_6_a_pipes_end_wakes_with_a_key) {
  for (const Waking& each : wakings()) {
    if (each.rule != Req::kPollHangup || traits(each.fd).kind != FileKind::kPipe) continue;
    SCOPED_TRACE(each.what);
    for (const std::int64_t res : {std::int64_t{0x15d}, each.res}) {
      FakeKernel kernel(*find_profile("5.4"));
      ASSERT_FALSE(kernel.setup().divergence);
      ASSERT_FALSE(kernel.submit({poll(each.fd, each.want)}, {}).divergence);
      EXPECT_EQ(act(kernel, each, res).divergence.has_value(), res != 0x15d) << res;
    }
  }
}

TEST(ModelPoll, wrong_results_name_the_rule_of_the_wake_up) {
  for (const Waking& each : wakings()) {
    if (each.res < 0) continue;
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(kernel.submit({poll(each.fd, each.want)}, {}).divergence);
    const Verdict verdict = act(kernel, each, each.res ^ 0x400);
    ASSERT_TRUE(verdict.divergence) << each.what;
    EXPECT_EQ(verdict.divergence->signature, (Signature{each.rule, Kind::kEvent})) << each.what;
  }
}

TEST(ModelPoll, a_ready_file_completes_at_once_with_wanted_bits_only) {
  const struct {
    Fd fd;
    std::uint64_t want;
    std::int64_t res;
    Req rule;
  } cases[] = {
      {Fd::kPipeWrite, kPollIn | kPollOut, kPollOut, Req::kPollReadyMask},
      {Fd::kNbEvent, kPollOut | kPollWrnorm, kPollOut, Req::kPollReadyMask},
      {Fd::kSocket0, kPollWrband, kPollWrband, Req::kPollReadyMask},
      {Fd::kFile, 0xffff, 0x145, Req::kPollReadyAnywhere},
      {Fd::kDirectory, kPollIn, kPollIn, Req::kPollReadyAnywhere},
      {Fd::kNull, kPollOut, kPollOut, Req::kPollReadyAnywhere},
  };
  for (const auto& each : cases) {
    for (const std::int64_t wrong : {0, 0x400}) {
      FakeKernel kernel;
      ASSERT_FALSE(kernel.setup().divergence);
      const Verdict verdict = kernel.submit({poll(each.fd, each.want)}, {event_of(0, each.res ^ wrong)});
      ASSERT_EQ(verdict.divergence.has_value(), wrong != 0) << fd_name(each.fd);
      if (wrong != 0) {
        EXPECT_EQ(verdict.divergence->signature, (Signature{each.rule, Kind::kEvent}));
      }
    }
  }
}

TEST(ModelPoll, fields_that_poll_has_no_use_for_are_einval) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  const auto opinion = [&](void (*spoil)(IocbSpec&)) {
    IocbSpec spec = poll(Fd::kPipeRead, kPollIn);
    spoil(spec);
    return kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}});
  };
  EXPECT_EQ(opinion([](IocbSpec&) {}), (Opinion{Req::kSubmitCounts, 1}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = 0x10001, s.nbytes = 1; }), (Opinion{Req::kPollMaskTooWide, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.nbytes = 1; }), (Opinion{Req::kPollFieldsZero, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.offset = 1; }), (Opinion{Req::kPollFieldsZero, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.rw_flags = 1; }), (Opinion{Req::kPollFieldsZero, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.fd = Fd::kFile, s.buf = kPollPri; }),
            (Opinion{Req::kPollNeedsQueue, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = 0x8000; }), (Opinion{Req::kSubmitCounts, 1}));
}

TEST(ModelPoll, an_iocb_submitted_twice_is_cancelled_twice_oldest_first) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  IocbSpec older = poll(Fd::kPipeRead, kPollIn);
  IocbSpec newer = older;
  newer.data = 99;
  ASSERT_FALSE(kernel.submit({older}, {}).divergence);
  ASSERT_FALSE(kernel.submit({newer}, {}).divergence);
  const Cancel op{.ctx = kernel.ctx(), .iocb = older.at};
  for (const std::uint64_t data : {older.data, newer.data}) {
    EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kCancelInProgress, -kEINPROGRESS}));
    const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
      k.fails(kEINPROGRESS);
      k.rings[0].add({data, older.at, 0, 0});
      k.rings[0].tail_at_return = 0;  // the event may come after the call
    });
    EXPECT_FALSE(verdict.divergence) << verdict.divergence->expected << " not " << verdict.divergence->seen;
  }
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kCancelNotFound, -kEINVAL}));
}

TEST(ModelPoll, only_the_address_names_a_request) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(kernel.submit({poll(Fd::kPipeRead, kPollIn, 5)}, {}).divergence);
  const Store zero_key{.at = arena::iocb_slot(6) + 8, .value = 0, .width = 4};
  ASSERT_FALSE(kernel.run(zero_key).divergence);
  EXPECT_EQ(kernel.opinion(Cancel{.ctx = kernel.ctx(), .iocb = arena::iocb_slot(6)}).rule, Req::kCancelNotFound);
  EXPECT_EQ(kernel.opinion(Cancel{.ctx = kernel.ctx(), .iocb = arena::iocb_slot(5)}).rule, Req::kCancelInProgress);
}

TEST(ModelPoll, a_cancelled_poll_gives_an_event_of_zero) {
  for (const std::int64_t res : {0, -kEINTR, 1, 1000}) {
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(kernel.submit({poll(Fd::kPipeRead, kPollIn)}, {}).divergence);
    const Cancel op{.ctx = kernel.ctx()};
    const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
      k.fails(kEINPROGRESS);
      if (res != 1000) k.rings[0].add(event_of(0, res));
    });
    ASSERT_EQ(verdict.divergence.has_value(), res != 0);
    if (res == 0) continue;
    const Signature lost{Req::kCancelDelivers, Kind::kLost};
    const Signature wrong{Req::kCancelledResult, Kind::kEvent};
    EXPECT_EQ(verdict.divergence->signature, res == 1000 ? lost : wrong);
  }
}

TEST(ModelPoll, io_destroy_signals_the_eventfds_of_what_it_cancels) {
  for (const std::uint64_t signals : {0u, 1u, 2u}) {
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    IocbSpec with_resfd = poll(Fd::kPipeRead, kPollIn);
    with_resfd.flags = kFlagResfd;
    ASSERT_FALSE(kernel.submit({with_resfd, poll(Fd::kSocket0, kPollIn, 1)}, {}).divergence);
    const Verdict verdict = kernel.run(Destroy{.ctx = kernel.ctx()}, [&](FakeKernel& k) {
      k.rings.clear();
      k.aio_nr = 0;
      k.counters[0] = signals;
    });
    ASSERT_EQ(verdict.divergence.has_value(), signals != 1);
    if (signals != 1) {
      EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kDestroySignalsResfd, Kind::kCounter}));
    }
  }
}

TEST(ModelPoll, events_of_different_requests_come_in_any_order_but_each_once) {
  const auto judged = [](const std::vector<Event>& events) {
    FakeKernel kernel;
    EXPECT_FALSE(kernel.setup().divergence);
    EXPECT_FALSE(kernel.submit({poll(Fd::kPipeRead, kPollIn, 0), poll(Fd::kPipeRead, kPollIn, 1)}, {}).divergence);
    return kernel.run(FdWrite{Fd::kPipeWrite, 8, 1}, [&](FakeKernel& k) {
      k.result = 8;
      for (const Event& each : events) k.rings[0].add(each);
    });
  };
  EXPECT_FALSE(judged({event_of(0, 0x41), event_of(1, 0x41)}).divergence);
  EXPECT_FALSE(judged({event_of(1, 0x41), event_of(0, 0x41)}).divergence);
  EXPECT_TRUE(judged({event_of(0, 0x41), event_of(0, 0x41)}).divergence);
  EXPECT_TRUE(judged({event_of(1, 0x41)}).divergence);
  EXPECT_TRUE(judged({event_of(0, 0x41), event_of(1, 0x41), event_of(1, 0x41)}).divergence);
}

TEST(ModelPoll, what_a_pending_poll_holds_is_let_go_when_it_completes) {
  FakeKernel kernel;
  ASSERT_FALSE(kernel.setup().divergence);
  ASSERT_FALSE(kernel.submit({poll(Fd::kSocket0, kPollIn)}, {}).divergence);
  const Program even{{FdClose{}, FdClose{}}};
  const auto watched = [&] {
    const std::vector<Fd> peers = kernel.model.peers(even);
    return std::find(peers.begin(), peers.end(), Fd::kSocket0) != peers.end();
  };
  EXPECT_FALSE(watched());
  const Verdict written = kernel.run(FdWrite{Fd::kSocket1, 8, 1}, [](FakeKernel& k) {
    k.result = 8;
    k.rings[0].add(event_of(0, 0xc3));
  });
  EXPECT_FALSE(written.divergence);
  EXPECT_TRUE(watched());
  for (const bool seen : {false, true}) {
    Observation last = kernel.observe();
    last.peers = {{Fd::kSocket0, seen}};
    const Verdict verdict = kernel.model.finish(last);
    ASSERT_EQ(verdict.divergence.has_value(), !seen);
    if (!seen) {
      EXPECT_EQ(verdict.divergence->signature, (Signature{Req::kFilesNotLeaked, Kind::kLost}));
    }
  }
}

}  // namespace
}  // namespace aio
