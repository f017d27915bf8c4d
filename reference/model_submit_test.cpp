// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit: which of two things wrong with an iocb is answered (semantics.md A.2), how many iocbs are accepted, and
// what is written for those that are not.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Opinion = FakeKernel::Opinion;

constexpr std::uint32_t kBadFlag = 0x80000000;

// A read of 16 bytes with nothing wrong.
IocbSpec good_read(unsigned slot = 0) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.key = 9;
  spec.nbytes = 16;
  return spec;
}

// A poll that stays pending and holds its slot.
IocbSpec pending_poll(unsigned slot = 1) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.opcode = kPoll;
  spec.fd = Fd::kEvent;
  spec.buf = kPollIn;
  return spec;
}

Submit submit_of(const FakeKernel& kernel, const IocbSpec& spec) { return {.ctx = kernel.ctx(), .iocbs = {spec}}; }

// One thing wrong with an io_submit of good_read(), and the part of the call that it spoils.
struct Violation {
  const char* what;
  const char* part;
  void (*spoil)(Submit&);
  Req rule;
  int error;
  bool key_written = false;  // aio_key is 0 afterwards
};

IocbSpec& iocb(Submit& op) { return op.iocbs[0]; }

// In the order in which the kernel looks.
constexpr Violation kViolations[] = {
    {"negative nr", "nr", [](Submit& op) { op.nr = -1; }, Req::kSubmitNrNegative, kEINVAL},
    {"no context", "ctx", [](Submit& op) { op.ctx = 0x1000; }, Req::kSubmitUnknown, kEINVAL},
    {"unreadable list", "list", [](Submit& op) { op.list = arena::kUnmapped; }, Req::kSubmitListFault, kEFAULT},
    {"unreadable iocb", "at", [](Submit& op) { iocb(op).at = arena::kNoAccess; }, Req::kSubmitIocbFault, kEFAULT},
    {"reserved2", "reserved2", [](Submit& op) { iocb(op).reserved2 = 1; }, Req::kSubmitReserved, kEINVAL},
    {"negative nbytes", "nbytes", [](Submit& op) { iocb(op).nbytes = 1ull << 63; }, Req::kSubmitNbytesNegative,
     kEINVAL},
    {"full ring", "ring", [](Submit&) {}, Req::kSubmitFullIsEagain, kEAGAIN},
    {"closed fd", "fd", [](Submit& op) { iocb(op).fd = Fd::kClosed; }, Req::kSubmitBadFd, kEBADF},
    {"path fd", "fd", [](Submit& op) { iocb(op).fd = Fd::kPath; }, Req::kSubmitPathFd, kEBADF},
    {"closed resfd", "resfd",
     [](Submit& op) {
       iocb(op).flags |= kFlagResfd;
       iocb(op).resfd = Fd::kMinusOne;
     },
     Req::kResfdBadFd, kEBADF},
    {"resfd is no eventfd", "resfd",
     [](Submit& op) {
       iocb(op).flags |= kFlagResfd;
       iocb(op).resfd = Fd::kFile;
     },
     Req::kResfdNoEventfd, kEINVAL},
    {"read-only iocb", "at", [](Submit& op) { iocb(op).at = arena::kReadOnly; }, Req::kSubmitKeyFault, kEFAULT},
    {"reserved opcode", "opcode", [](Submit& op) { iocb(op).opcode = kPreadx; }, Req::kSubmitBadOpcode, kEINVAL, true},
    {"no-op opcode", "opcode", [](Submit& op) { iocb(op).opcode = kNoop; }, Req::kSubmitBadOpcode, kEINVAL, true},
    {"ioprio class", "ioprio",
     [](Submit& op) {
       iocb(op).flags |= kFlagIoprio;
       iocb(op).reqprio = static_cast<std::int16_t>(7u << 13);
     },
     Req::kIoprioBadClass, kEINVAL, true},
    {"real-time ioprio", "ioprio",
     [](Submit& op) {
       iocb(op).flags |= kFlagIoprio;
       iocb(op).reqprio = 1 << 13;
     },
     Req::kIoprioRtNeedsCapability, kEPERM, true},
    {"rw_flags", "rw_flags", [](Submit& op) { iocb(op).rw_flags = kBadFlag; }, Req::kRwFlagsUnknown, kEOPNOTSUPP, true},
    {"both appends", "rw_flags", [](Submit& op) { iocb(op).rw_flags = kRwfAppend | kRwfNoappend; },
     Req::kRwFlagsAppendBoth, kEINVAL, true},
    {"nowait", "rw_flags", [](Submit& op) { iocb(op).rw_flags = kRwfNowait; }, Req::kRwFlagsNowait, kEOPNOTSUPP, true},
    {"mode", "fd", [](Submit& op) { iocb(op).fd = Fd::kFileWo; }, Req::kReadNeedsMode, kEBADF, true},
    {"directory", "fd", [](Submit& op) { iocb(op).fd = Fd::kDirectory; }, Req::kRwNeedsMethod, kEINVAL, true},
    {"buffer", "buf", [](Submit& op) { iocb(op).buf = arena::kKernel; }, Req::kBufferOutsideUserHalf, kEFAULT, true},
    {"offset", "offset", [](Submit& op) { iocb(op).offset = -1; }, Req::kOffsetNegative, kEINVAL, true},
    {"far offset", "offset", [](Submit& op) { iocb(op).offset = INT64_MAX; }, Req::kOffsetOverflow, kEINVAL, true},
};

// With a context; with 120 pending polls too if `full`.
void prepare(FakeKernel& kernel, bool full) {
  ASSERT_FALSE(kernel.setup().divergence);
  if (!full) return;
  const Verdict verdict = kernel.run(Submit{.ctx = kernel.ctx(), .nr = 120, .fill = 120, .iocbs = {pending_poll()}},
                                     [](FakeKernel& k) { k.result = 120; });
  ASSERT_FALSE(verdict.divergence);
}

bool is(const char* a, const char* b) { return std::string_view(a) == b; }

TEST(ModelSubmit, each_violation_has_its_errno_and_leaves_the_key_as_it_must) {
  for (const Violation& each : kViolations) {
    SCOPED_TRACE(each.what);
    FakeKernel kernel;
    prepare(kernel, is(each.part, "ring"));
    Submit op = submit_of(kernel, good_read());
    each.spoil(op);
    EXPECT_EQ(kernel.opinion(op), (Opinion{each.rule, -each.error}));
    const Verdict verdict = kernel.run(op, [&](FakeKernel& k) {
      k.fails(each.error);
      if (each.key_written) k.store_word(arena::iocb_slot(0) + 8, 0, 4);
    });
    EXPECT_FALSE(verdict.divergence) << verdict.divergence->expected << " " << verdict.divergence->seen;
  }
}

TEST(ModelSubmit, the_earlier_of_two_violations_wins) {
  FakeKernel with_room;
  FakeKernel full;
  prepare(with_room, false);
  prepare(full, true);
  int pairs = 0;
  for (const Violation* first = std::begin(kViolations); first != std::end(kViolations); ++first) {
    for (const Violation* second = first + 1; second != std::end(kViolations); ++second) {
      if (is(first->part, second->part)) continue;
      const bool no_slot = is(first->part, "ring") || is(second->part, "ring");
      const FakeKernel& kernel = no_slot ? full : with_room;
      Submit op = submit_of(kernel, good_read());
      second->spoil(op);
      first->spoil(op);
      EXPECT_EQ(kernel.opinion(op), (Opinion{first->rule, -first->error})) << first->what << " and " << second->what;
      ++pairs;
    }
  }
  EXPECT_GT(pairs, 200);
}

TEST(ModelSubmit, releases_before_4_13_know_no_flags_and_look_at_them_first) {
  FakeKernel kernel(*find_profile("4.9"));
  prepare(kernel, false);
  IocbSpec spec = good_read();
  spec.rw_flags = kRwfHipri;
  spec.fd = Fd::kClosed;
  EXPECT_EQ(kernel.opinion(submit_of(kernel, spec)), (Opinion{Req::kSubmitReserved, -kEINVAL}));
  spec.rw_flags = 0;
  EXPECT_EQ(kernel.opinion(submit_of(kernel, spec)), (Opinion{Req::kSubmitBadFd, -kEBADF}));
  spec.fd = Fd::kFile;
  spec.flags = kFlagIoprio;
  spec.reqprio = static_cast<std::int16_t>(7u << 13);
  EXPECT_EQ(kernel.opinion(submit_of(kernel, spec)), (Opinion{Req::kSubmitCounts, 1}));
}

TEST(ModelSubmit, from_4_13_to_4_17_flags_are_looked_at_for_every_opcode_before_the_key_is_written) {
  IocbSpec spec = good_read();
  spec.opcode = kNoop;
  spec.rw_flags = kBadFlag;
  FakeKernel old(*find_profile("4.14"));
  prepare(old, false);
  EXPECT_EQ(old.opinion(submit_of(old, spec)), (Opinion{Req::kRwFlagsUnknown, -kEOPNOTSUPP}));
  EXPECT_FALSE(old.run(submit_of(old, spec), [](FakeKernel& k) { k.fails(kEOPNOTSUPP); }).divergence);
  FakeKernel now;
  prepare(now, false);
  EXPECT_EQ(now.opinion(submit_of(now, spec)), (Opinion{Req::kSubmitBadOpcode, -kEINVAL}));
}

TEST(ModelSubmit, releases_before_4_18_look_at_the_lists_range_before_the_context) {
  for (const char* name : {"4.14", "4.19"}) {
    const bool old = is(name, "4.14");
    FakeKernel kernel(*find_profile(name));
    prepare(kernel, false);
    Submit op{.ctx = 0x1000, .nr = 1, .list = arena::kKernel, .iocbs = {}};
    EXPECT_EQ(kernel.opinion(op).value, old ? -kEFAULT : -kEINVAL) << name;
    op.list = arena::kNull;
    EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kSubmitUnknown, -kEINVAL})) << name;
    op = {.ctx = kernel.ctx(), .nr = 0, .list = arena::kKernel, .iocbs = {}};
    EXPECT_EQ(kernel.opinion(op).value, old ? -kEFAULT : 0) << name;
    op = {.ctx = kernel.ctx(), .nr = INT64_MAX, .iocbs = {good_read()}};
    EXPECT_EQ(kernel.opinion(op).value, old ? -kEFAULT : 1) << name;
  }
}

TEST(ModelSubmit, nothing_to_submit_needs_a_context_but_no_list) {
  FakeKernel kernel;
  prepare(kernel, false);
  Submit op{.ctx = kernel.ctx(), .nr = 0, .list = arena::kNull, .iocbs = {}};
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kSubmitNothing, 0}));
  op.ctx = 0;
  EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kSubmitUnknown, -kEINVAL}));
}

TEST(ModelSubmit, five_thousand_fill_the_ring_and_one_more_is_refused) {
  for (const auto& [cpus, most] : {std::pair{1u, 124}, std::pair{2u, 120}, std::pair{4u, 126}}) {
    Machine machine = fake_machine();
    machine.possible_cpus = cpus;
    for (const int accepted : {most - 1, most, most + 1}) {
      FakeKernel kernel(profiles().back(), {}, machine);
      prepare(kernel, false);
      const Submit op{.ctx = kernel.ctx(), .nr = 5000, .fill = 512, .iocbs = {pending_poll()}};
      const Verdict verdict = kernel.run(op, [&](FakeKernel& k) { k.result = accepted; });
      EXPECT_EQ(verdict.divergence.has_value(), accepted != most) << accepted << " on " << cpus;
      if (accepted != most) continue;
      EXPECT_EQ(kernel.opinion(op), (Opinion{Req::kSubmitFullIsEagain, -kEAGAIN}));
    }
  }
}

TEST(ModelSubmit, a_refusal_too_early_or_too_late_blames_the_quota) {
  for (const auto& [granted, rule] : {std::pair{105, Req::kQuotaRingLessOne}, std::pair{120, Req::kQuotaBatch},
                                      std::pair{60, Req::kQuotaPinnedMax}}) {
    FakeKernel kernel;
    prepare(kernel, false);
    for (int i = 0; i < granted; ++i) ASSERT_FALSE(kernel.submit({pending_poll()}, {}).divergence) << i;
    // A kernel that refuses once it granted so many; one that grants the 121st.
    const Verdict verdict = kernel.run(submit_of(kernel, pending_poll()), [&, last = granted == 120](FakeKernel& k) {
      if (last) k.result = 1;
      if (!last) k.fails(kEAGAIN);
    });
    ASSERT_TRUE(verdict.divergence) << granted;
    EXPECT_EQ(requirement(verdict.divergence->signature.requirement).id, requirement(rule).id) << granted;
    EXPECT_EQ(verdict.divergence->signature.kind, Kind::kCount) << granted;
  }
}

TEST(ModelSubmit, iocbs_before_a_bad_one_are_accepted_and_its_errno_is_lost) {
  FakeKernel kernel;
  prepare(kernel, false);
  IocbSpec bad = good_read(2);
  bad.opcode = kNoop;
  const Submit op{.ctx = kernel.ctx(), .nr = 3, .fill = 3, .iocbs = {pending_poll(0), bad, pending_poll(3)}};
  const auto answer = [](std::int64_t result) {
    return [result](FakeKernel& k) {
      k.result = result;
      k.store_word(arena::iocb_slot(2) + 8, 0, 4);
    };
  };
  for (const std::int64_t wrong : {0, 2, 3}) {
    FakeKernel other;
    prepare(other, false);
    EXPECT_TRUE(other.run(op, answer(wrong)).divergence) << wrong;
  }
  EXPECT_FALSE(kernel.run(op, answer(1)).divergence);
}

TEST(ModelSubmit, a_failed_iocb_gives_its_slot_back) {
  FakeKernel kernel;
  prepare(kernel, false);
  IocbSpec bad = good_read();
  bad.fd = Fd::kNever;
  for (int i = 0; i < 200; ++i) {
    ASSERT_FALSE(kernel.run(submit_of(kernel, bad), [](FakeKernel& k) { k.fails(kEBADF); }).divergence) << i;
  }
  const Submit op{.ctx = kernel.ctx(), .nr = 121, .fill = 121, .iocbs = {pending_poll()}};
  EXPECT_FALSE(kernel.run(op, [](FakeKernel& k) { k.result = 120; }).divergence);
}

TEST(ModelSubmit, slots_of_another_cpu_are_out_of_reach) {
  FakeKernel kernel;
  prepare(kernel, false);
  ASSERT_FALSE(kernel.submit({pending_poll()}, {}).divergence);
  const auto fill = [&](unsigned cpu, std::int64_t accepted) {
    kernel.cpu = cpu;
    const Submit op{.ctx = kernel.ctx(), .nr = 127, .fill = 127, .iocbs = {pending_poll()}};
    return kernel.run(op, [=](FakeKernel& k) { k.result = accepted; }).divergence.has_value();
  };
  EXPECT_FALSE(fill(1, 105));
  EXPECT_FALSE(fill(0, 14));
}

}  // namespace
}  // namespace aio
