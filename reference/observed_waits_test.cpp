// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents, io_pgetevents, io_cancel and POLL on the kernels of observed.h. Source: semantics.md A.3 to A.5, D and
// G; E10, E14, E18, E24, E26, E40, E49.
#include "reference/observed.h"

namespace aio::observed {
namespace {

using Returned = std::int64_t;  // or -errno

void answer_with(FakeKernel& kernel, Returned answer) {
  if (answer < 0) return kernel.fails(static_cast<int>(-answer));
  kernel.result = answer;
}

// Takes the events off the ring as io_getevents does.
void take(FakeKernel& kernel, Address to, std::int64_t count) {
  FakeRing& ring = kernel.rings[0];
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t head = ring.word(RingField::kHead);
    kernel.memory.store(to + 32 * static_cast<Address>(i),
                        std::span(ring.bytes).subspan(sizeof(RingHeader) + std::size_t{head} * 32, 32));
    ring.set_word(RingField::kHead, (head + 1) % ring.size);
  }
}

struct Call {
  const char* check;
  Operation operation;  // Symbol::kContext0 is the context
  Answers<Returned> answers;
  std::int64_t ready = 0;  // events in the ring before
  EntryKind entry = EntryKind::kNative;
};

void expect_calls_told_apart(const std::vector<Call>& calls) {
  for (const Call& each : calls) {
    expect_told_apart(each.check, each.answers, [&](const Profile& profile, Returned answer) {
      FakeKernel kernel(profile);
      EXPECT_FALSE(kernel.run(Through{each.entry}).divergence);
      const aio::Setup setup;
      EXPECT_FALSE(kernel.run(setup, [&](FakeKernel& k) { k.map_ring(setup, 0x70000000); }).divergence);
      for (unsigned slot = 0; slot < each.ready; ++slot) {
        EXPECT_FALSE(kernel.submit({nothing_to_read(slot)}, {event_of(slot)}).divergence);
      }
      Operation operation = each.operation;
      const auto resolve = [&](Value& ctx) {
        if (ctx == context(0)) ctx = kernel.ctx();
      };
      if (auto* op = std::get_if<Getevents>(&operation)) resolve(op->ctx);
      if (auto* op = std::get_if<Pgetevents>(&operation)) resolve(op->ctx);
      return kernel.run(operation, [&](FakeKernel& k) {
        answer_with(k, answer);
        if (answer > 0) take(k, arena::kEvents, answer);
      });
    });
  }
}

TEST(ObservedWaits, a_bad_timeout_comes_before_the_context_since_4_15) {
  const Since<Returned> fault{k4_19, -kEFAULT, Req::kGeteventsTimeoutFault};
  expect_calls_told_apart({
      {"get.bad ctx + bad timeout",
       Getevents{.ctx = 0x1000, .timeout = arena::kUnmapped},
       {{k4_9, -kEINVAL, Req::kGeteventsUnknown}, fault}},
      {"get.range + bad timeout",
       Getevents{.min_nr = 2, .nr = 1, .timeout = arena::kUnmapped},
       {{k4_9, -kEINVAL, Req::kGeteventsMinOverNr}, fault}},
  });
}

// "pget.*": none on 4.9.337, and the same answers on all others.
TEST(ObservedWaits, io_pgetevents_comes_with_4_18) {
  const Since<Returned> missing{k4_9, -kENOSYS, Req::kPgeteventsMissing};
  const auto since = [&](Returned answer, Req rule) { return Answers<Returned>{missing, {k4_19, answer, rule}}; };
  constexpr Address kBad = arena::kUnmapped;
  constexpr Address kNull = arena::kNull;
  const Answers<Returned> size = since(-kEINVAL, Req::kPgeteventsSigsetSize);
  const Answers<Returned> mask = since(-kEFAULT, Req::kPgeteventsMaskFault);
  const Answers<Returned> timeout = since(-kEFAULT, Req::kPgeteventsTimeoutFault);
  const Answers<Returned> sigset = since(-kEFAULT, Req::kPgeteventsSigsetFault);
  expect_calls_told_apart({
      {"pget.NULL sig", Pgetevents{.nr = 2, .sigset = kNull}, since(1, Req::kGeteventsTakes), 1},
      {"pget.mask NULL", Pgetevents{.nr = 2, .mask = kNull}, since(1, Req::kGeteventsTakes), 1},
      {"pget.mask NULL size 99", Pgetevents{.mask = kNull, .size = 99}, since(0, Req::kGeteventsEmpty)},
      {"pget.size 8", Pgetevents{}, since(0, Req::kGeteventsEmpty)},
      {"pget.size 4", Pgetevents{.size = 4}, size},
      {"pget.size 16", Pgetevents{.size = 16}, size},
      {"pget.bad mask", Pgetevents{.mask = kBad}, mask},
      {"pget.bad mask size 4", Pgetevents{.mask = kBad, .size = 4}, size},
      {"pget.bad usig", Pgetevents{.sigset = kBad}, sigset},
      {"pget.bad timeout size 4", Pgetevents{.timeout = kBad, .size = 4}, timeout},
      {"pget.bad timeout bad usig bad ctx", Pgetevents{.ctx = 0x1000, .timeout = kBad, .sigset = kBad}, timeout},
      {"pget.bad ctx bad usig", Pgetevents{.ctx = 0x1000, .sigset = kBad}, sigset},
      {"pget.bad ctx", Pgetevents{.ctx = 0x1000}, since(-kEINVAL, Req::kPgeteventsUnknown)},
      {"pget.bad range", Pgetevents{.min_nr = 2, .nr = 1}, since(-kEINVAL, Req::kGeteventsMinOverNr)},
      {"pget.bad ctx bad mask", Pgetevents{.ctx = 0x1000, .mask = kBad}, mask},
      {"pget.range bad timeout", Pgetevents{.min_nr = 2, .nr = 1, .timeout = kBad}, timeout},
  });
}

// Call 385, from a 64-bit process ("int80.pgetevents time32 …") and from a 32-bit one ("c32.pgetevents 385 …"): until
// 5.3 it took address and size for one pointer, and what lay behind them for the size.
TEST(ObservedWaits, the_32_bit_signal_argument) {
  constexpr EntryKind kCompat = EntryKind::kCompat;
  const Since<Returned> missing{k4_9, -kENOSYS, Req::kPgeteventsMissing};
  const auto since = [&](Returned answer, Req rule) { return Answers<Returned>{missing, {k4_19, answer, rule}}; };
  const Since<Returned> wrong{k4_19, -kEINVAL, Req::kPgeteventsSigsetSize};
  expect_calls_told_apart({
      {"int80.pgetevents time32 NULL sig", Pgetevents{.nr = 2, .sigset = arena::kNull}, since(1, Req::kGeteventsTakes),
       1, kCompat},
      {"c32.pgetevents 385 NULL", Pgetevents{.sigset = arena::kNull}, since(0, Req::kGeteventsEmpty), 0, kCompat},
      {"int80.pgetevents time32 mask size 8; c32.pgetevents 385 sigset size 8",
       Pgetevents{},
       {missing, wrong, {k5_4, 0, Req::kGeteventsEmpty}},
       0,
       kCompat},
      {"int80.pgetevents time32 mask size 4; c32.pgetevents 385 size 4", Pgetevents{.size = 4},
       since(-kEINVAL, Req::kPgeteventsSigsetSize), 0, kCompat},
      {"c32.pgetevents 385 bad ctx bad timeout", Pgetevents{.ctx = 0x1000, .timeout = arena::kUnmapped},
       since(-kEFAULT, Req::kPgeteventsTimeoutFault), 0, kCompat},
      {"c32.pgetevents 385 nr -1", Pgetevents{.nr = -1, .sigset = arena::kNull},
       since(-kEINVAL, Req::kGeteventsMinOverNr), 0, kCompat},
  });
}

// "minnr.*": what a wait for two events does when one comes, and whether another thread can then take that one.
TEST(ObservedWaits, a_waiter_with_too_few_events) {
  const Answers<int> head{{k4_9, 1, Req::kWaiterTakesEach}, {k6_12, 0, Req::kWaiterLeavesEvents}};
  const auto wait_for_two = [](FakeKernel& kernel) {
    EXPECT_FALSE(kernel.setup().divergence);
    kernel.lane = 1;
    EXPECT_FALSE(kernel.run(InLane{1}).divergence);
    const Getevents wait{.ctx = kernel.ctx(), .min_nr = 2, .nr = 2, .timeout = arena::kNull};
    EXPECT_FALSE(kernel.run(wait, [](FakeKernel& k) { k.asleep = true; }).divergence);
    kernel.lane = 0;
    EXPECT_FALSE(kernel.run(InLane{0}).divergence);
  };
  const auto one_comes = [](FakeKernel& kernel, int taken) {
    const IocbSpec spec = nothing_to_read(0);
    return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
      k.result = 1;
      k.store_word(spec.at + 8, 0, 4);
      k.rings[0].add(event_of(0));
      take(k, arena::kEvents, taken);
    });
  };
  expect_told_apart("minnr.waiter min 2, 1 event: head/tail while waiting", head,
                    [&](const Profile& profile, int answer) {
                      FakeKernel kernel(profile, {}, fake_machine(), true);
                      wait_for_two(kernel);
                      return one_comes(kernel, answer);
                    });
  const Answers<Returned> other{{k4_9, 0, Req::kGeteventsEmpty}, {k6_12, 1, Req::kGeteventsTakes}};
  expect_told_apart("minnr.other thread takes it; minnr.waiter then", other,
                    [&](const Profile& profile, Returned answer) {
                      FakeKernel kernel(profile, {}, fake_machine(), true);
                      wait_for_two(kernel);
                      EXPECT_FALSE(one_comes(kernel, profile.min_nr_wakes ? 0 : 1).divergence);
                      const Address own = arena::kEvents + 1024;
                      const Getevents op{.ctx = kernel.ctx(), .nr = 1, .events = own};
                      const bool there = kernel.rings[0].word(RingField::kHead) != kernel.rings[0].tail;
                      return kernel.run(op, [&](FakeKernel& k) {
                        answer_with(k, answer);
                        if (answer > 0 && there) take(k, own, answer);
                      });
                    });
}

// "minnr.min_nr=R+73": while more is wanted than the ring holds, who submits one request after the other gets through
// where the waiter takes each event, and is refused once the ring is full where it does not.
TEST(ObservedWaits, a_waiter_for_more_than_the_ring_holds) {
  constexpr std::int64_t kWanted = 200;
  constexpr unsigned kFull = 120;
  const Answers<Submitted> answers{{k4_9, event(0), Req::kQuotaPinnedMax},
                                   {k6_12, refused_before_key(kEAGAIN), Req::kQuotaUnreadHeld}};
  expect_told_apart(
      "minnr.min_nr=R+73: submitter got through", answers, [&](const Profile& profile, const Submitted& answer) {
        FakeKernel kernel(profile, {}, fake_machine(), true);
        EXPECT_FALSE(kernel.setup().divergence);
        kernel.lane = 1;
        EXPECT_FALSE(kernel.run(InLane{1}).divergence);
        const Getevents wait{.ctx = kernel.ctx(), .min_nr = kWanted, .nr = kWanted, .timeout = arena::kNull};
        EXPECT_FALSE(kernel.run(wait, [](FakeKernel& k) { k.asleep = true; }).divergence);
        kernel.lane = 0;
        EXPECT_FALSE(kernel.run(InLane{0}).divergence);
        const IocbSpec spec = nothing_to_read(0);
        const auto one = [&](const Submitted& how, unsigned number) {
          return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
            if (how.key_written) k.store_word(spec.at + 8, 0, 4);
            if (how.error != 0) return k.fails(how.error);
            k.result = 1;
            k.rings[0].add(event_of(0));
            if (!profile.min_nr_wakes) take(k, arena::kEvents + 32 * number, 1);
          });
        };
        for (unsigned i = 0; i < kFull; ++i) EXPECT_FALSE(one(event(0), i).divergence) << i;
        return one(answer, kFull);
      });
}

// "poll.*", "cancel.*", "pollfree.child submit": POLL comes with 4.19, and is a bad opcode before.
TEST(ObservedWaits, polls) {
  const struct {
    const char* check;
    Fd fd;
    std::uint64_t events;
    Submitted since;
    Req rule;
  } rows[] = {
      {"poll.memfd IN|OUT", Fd::kFile, kPollIn | kPollOut, event(5), Req::kSubmitCounts},
      {"poll.memfd PRI", Fd::kFile, kPollPri, refused(kEINVAL), Req::kPollNeedsQueue},
      {"poll.memfd 0", Fd::kFile, 0, refused(kEINVAL), Req::kPollNeedsQueue},
      {"poll.dir IN", Fd::kDirectory, kPollIn, event(1), Req::kSubmitCounts},
      {"poll.null IN|OUT", Fd::kNull, kPollIn | kPollOut, event(5), Req::kSubmitCounts},
      {"poll.0x10000", Fd::kPipeWrite, 0x10000, refused(kEINVAL), Req::kPollMaskTooWide},
      {"poll.pipe-w 0xffff", Fd::kPipeWrite, 0xffff, event(260), Req::kSubmitCounts},
      {"poll.pipe-w dropped bits", Fd::kPipeWrite, 0xd800 | kPollOut, event(4), Req::kSubmitCounts},
      {"poll.pipe-w IN", Fd::kPipeWrite, kPollIn, pending(), Req::kSubmitCounts},
      {"poll.pipe-r submit; cancel.poll submit", Fd::kPipeRead, kPollIn, pending(), Req::kSubmitCounts},
      {"poll.POLL ERR submit", Fd::kPipeWrite, kPollErr, pending(), Req::kSubmitCounts},
      {"poll.events 0 submit", Fd::kPipeRead, 0, pending(), Req::kSubmitCounts},
  };
  for (const auto& each : rows) {
    const Answers<Submitted> answers{{k4_9, refused(kEINVAL), Req::kSubmitBadOpcode}, {k4_19, each.since, each.rule}};
    expect_told_apart(each.check, answers, [&](const Profile& profile, const Submitted& answer) {
      FakeKernel kernel(profile);
      EXPECT_FALSE(kernel.setup().divergence);
      return submit(kernel, poll_of(each.fd, each.events), answer);
    });
  }
}

// The end of a pipe's other side, under a poll that waits: with the pipes of before 5.6 the whole key of the wake-up.
TEST(ObservedWaits, polls_that_see_a_pipes_end) {
  constexpr std::int64_t kKey = 0x15d;
  const struct {
    const char* check;
    Fd polled, closed;
    std::uint64_t events;
    std::int64_t since_5_10;
  } rows[] = {
      {"poll.writer gone", Fd::kPipeRead, Fd::kPipeWrite, kPollIn, kPollHup},
      {"poll.reader gone", Fd::kPipeWrite, Fd::kPipeRead, kPollErr, kPollErr},
      {"poll.events 0 after hup", Fd::kPipeRead, Fd::kPipeWrite, 0, kPollHup},
  };
  for (const auto& each : rows) {
    const Answers<std::int64_t> answers{{k4_19, kKey, Req::kPollWakeKey}, {k5_10, each.since_5_10, Req::kPollHangup}};
    expect_told_apart(each.check, answers, [&](const Profile& profile, std::int64_t res) {
      FakeKernel kernel(profile);
      EXPECT_FALSE(kernel.setup().divergence);
      const IocbSpec spec = poll_of(each.polled, each.events);
      EXPECT_FALSE(submit(kernel, spec, pending()).divergence);
      return kernel.run(FdClose{each.closed}, [&](FakeKernel& k) { k.rings[0].add({spec.data, spec.at, res, 0}); });
    });
  }
}

// "poll.pipe-r after write", "poll.unix …", "poll.eventfd", "poll.timerfd", "cancel.…": the same on all that know POLL.
TEST(ObservedWaits, what_all_kernels_with_poll_agree_on) {
  const auto on_all = [](const char* check, Fd fd, std::uint64_t events, const Operation& action,
                         const std::function<void(FakeKernel&, const IocbSpec&)>& answer) {
    for (unsigned i = k4_19; i < kKernels.size(); ++i) {
      FakeKernel kernel(profile_for(kKernels[i]));
      EXPECT_FALSE(kernel.setup().divergence);
      const IocbSpec spec = poll_of(fd, events);
      EXPECT_FALSE(submit(kernel, spec, pending()).divergence);
      Operation operation = action;
      if (auto* cancel = std::get_if<Cancel>(&operation)) cancel->ctx = kernel.ctx();
      const Verdict verdict = kernel.run(operation, [&](FakeKernel& k) { answer(k, spec); });
      EXPECT_EQ(id_of(verdict.divergence), "conforming") << check << " on " << kernel.observe().rings.size();
    }
  };
  const auto event_of = [](Returned returned, std::int64_t res) {
    return [=](FakeKernel& k, const IocbSpec& spec) {
      answer_with(k, returned);
      k.rings[0].add({spec.data, spec.at, res, 0});
    };
  };
  on_all("poll.pipe-r after write", Fd::kPipeRead, kPollIn, FdWrite{Fd::kPipeWrite, 8, 1}, event_of(8, 0x41));
  on_all("poll.unix stream data", Fd::kSocket0, kPollIn, FdWrite{Fd::kSocket1, 8, 1}, event_of(8, 0xc3));
  on_all("poll.unix peer close", Fd::kSocket0, kPollIn, FdClose{Fd::kSocket1}, event_of(0, 0x11));
  on_all("poll.timerfd", Fd::kTimer, kPollIn, Expire{}, event_of(0, 0x1));
  on_all("poll.polled fd closed", Fd::kPipeRead, kPollIn, FdClose{Fd::kPipeRead}, [](FakeKernel&, const IocbSpec&) {});
  on_all("poll.events 0 after write", Fd::kPipeRead, 0, FdWrite{Fd::kPipeWrite, 8, 1},
         [](FakeKernel& k, const IocbSpec&) { k.result = 8; });
  on_all("cancel.poll (iocb overwritten); cancel.event", Fd::kPipeRead, kPollIn, Cancel{}, event_of(-kEINPROGRESS, 0));
  on_all("cancel.bad result ptr", Fd::kPipeRead, kPollIn, Cancel{.result = arena::kUnmapped},
         event_of(-kEINPROGRESS, 0));
  on_all("cancel.copy of iocb", Fd::kPipeRead, kPollIn, Cancel{.iocb = arena::kVars},
         [](FakeKernel& k, const IocbSpec&) { k.fails(kEINVAL); });
}

}  // namespace
}  // namespace aio::observed
