// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit on the kernels of observed.h: the list, the order of the checks of one iocb, opcodes and priorities.
// Source: semantics.md A.2; E6, E13 to E18, E33, E39.
#include "reference/observed.h"

namespace aio::observed {
namespace {

constexpr std::uint32_t kBadFlags = 0x80000000;

IocbSpec read_of(std::uint64_t nbytes) {
  IocbSpec spec;
  spec.key = 9;
  spec.nbytes = nbytes;
  return spec;
}

void bad_priority(IocbSpec& s) {
  s.flags |= kFlagIoprio;
  s.reqprio = static_cast<std::int16_t>(7u << 13);
}
void bad_flags(IocbSpec& s) { s.rw_flags = kBadFlags; }

struct Iocb {
  const char* check;
  void (*spoil)(IocbSpec&);
  Answers<Submitted> answers;
  bool full = false;
};

// Fills the ring with events that nobody reads: before 4.19 nothing stays pending.
void prepare(FakeKernel& kernel, bool full) {
  ASSERT_FALSE(kernel.setup().divergence);
  if (!full) return;
  IocbSpec spec = read_of(0);
  spec.key = 0;
  spec.at = arena::iocb_slot(1);
  ASSERT_FALSE(kernel.submit(std::vector<IocbSpec>(60, spec), std::vector<Event>(60, {0, spec.at, 0, 0})).divergence);
  ASSERT_FALSE(kernel.submit(std::vector<IocbSpec>(60, spec), std::vector<Event>(60, {0, spec.at, 0, 0})).divergence);
}

void expect_iocbs_told_apart(const std::vector<Iocb>& iocbs, const Machine& machine = fake_machine()) {
  for (const Iocb& each : iocbs) {
    IocbSpec spec = read_of(0);
    each.spoil(spec);
    expect_told_apart(each.check, each.answers, [&](const Profile& profile, const Submitted& answer) {
      FakeKernel kernel(profile, {}, machine);
      prepare(kernel, each.full);
      return submit(kernel, spec, answer);
    });
  }
}

// Before 4.13 the word of the flags was reserved, and IOPRIO comes with 4.18.
TEST(ObservedSubmit, pairs_of_faults_are_decided_by_the_earlier_check_of_the_release) {
  const Since<Submitted> reserved{k4_9, refused_before_key(kEINVAL), Req::kSubmitReserved};
  const Since<Submitted> unknown{k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsUnknown};
  const Since<Submitted> priority{k4_19, refused(kEINVAL), Req::kIoprioBadClass};
  expect_iocbs_told_apart({
      {"pair.badprio", bad_priority, {{k4_9, event(0), Req::kSubmitCounts}, priority}},
      {"pair.badrwf", bad_flags, {reserved, unknown}},
      {"pair.full+badrwf", bad_flags, {reserved, {k4_19, refused_before_key(kEAGAIN), Req::kSubmitFullIsEagain}}, true},
      {"pair.badfd+badrwf",
       [](IocbSpec& s) { bad_flags(s), s.fd = Fd::kClosed; },
       {reserved, {k4_19, refused_before_key(kEBADF), Req::kSubmitBadFd}}},
      {"pair.resfd=-1+badrwf",
       [](IocbSpec& s) { bad_flags(s), s.flags = kFlagResfd, s.resfd = Fd::kMinusOne; },
       {reserved, {k4_19, refused_before_key(kEBADF), Req::kResfdBadFd}}},
      {"pair.badop+badrwf",
       [](IocbSpec& s) { bad_flags(s), s.opcode = kNoop; },
       {{k4_9, refused_before_key(kEINVAL), Req::kMemoryOnlyByRules},
        {k4_19, refused(kEINVAL), Req::kSubmitKeyWritten}}},
      {"pair.badprio+badrwf",
       [](IocbSpec& s) { bad_priority(s), bad_flags(s); },
       {{k4_9, refused_before_key(kEINVAL), Req::kMemoryOnlyByRules},
        {k4_19, refused(kEINVAL), Req::kSubmitKeyWritten}}},
      {"pair.badprio+mode",
       [](IocbSpec& s) { bad_priority(s), s.fd = Fd::kFileWo; },
       {{k4_9, refused(kEBADF), Req::kReadNeedsMode}, priority}},
      {"pair.badprio+badbuf",
       [](IocbSpec& s) { bad_priority(s), s.buf = arena::kKernel; },
       {{k4_9, refused(kEFAULT), Req::kBufferOutsideUserHalf}, priority}},
      {"pair.badrwf+mode", [](IocbSpec& s) { bad_flags(s), s.fd = Fd::kFileWo; }, {reserved, unknown}},
      {"pair.badrwf+noiter", [](IocbSpec& s) { bad_flags(s), s.fd = Fd::kDirectory; }, {reserved, unknown}},
      {"pair.badrwf+badbuf", [](IocbSpec& s) { bad_flags(s), s.buf = arena::kKernel; }, {reserved, unknown}},
      {"pair.badrwf+vec1025",
       [](IocbSpec& s) { bad_flags(s), s.opcode = kPreadv, s.nbytes = 1025; },
       {reserved, unknown}},
      {"pair.badrwf+negoff", [](IocbSpec& s) { bad_flags(s), s.offset = -5; }, {reserved, unknown}},
  });
}

// The iocb lies in memory that cannot be written, so its words are put there first.
TEST(ObservedSubmit, flags_of_an_iocb_that_cannot_be_written) {
  const Answers<Submitted> answers{{k4_9, refused_before_key(kEINVAL), Req::kSubmitReserved},
                                   {k4_19, refused_before_key(kEFAULT), Req::kSubmitKeyFault}};
  expect_told_apart("pair.ROiocb+badrwf", answers, [](const Profile& profile, const Submitted& answer) {
    FakeKernel kernel(profile);
    prepare(kernel, false);
    IocbSpec spec = read_of(0);
    spec.at = arena::kReadOnly;
    spec.rw_flags = kBadFlags;
    return submit(kernel, spec, answer);
  });
}

// FSYNC and FDSYNC come with 4.18, POLL with 4.19.
TEST(ObservedSubmit, opcodes_that_came_later) {
  const auto sync = [](std::uint16_t opcode, const char* check, void (*spoil)(IocbSpec&), std::int64_t res = 0) {
    const Since<Submitted> without{k4_9, refused(kEINVAL), Req::kSubmitBadOpcode};
    const Answers<Submitted> answers{without, {k4_19, event(res), Req::kSubmitCounts}};
    expect_told_apart(check, answers, [&](const Profile& profile, const Submitted& answer) {
      FakeKernel kernel(profile);
      prepare(kernel, false);
      IocbSpec spec = read_of(0);
      spec.opcode = opcode;
      spec.buf = opcode == kPoll ? kPollOut : 0;
      if (opcode == kPoll) spec.fd = Fd::kPipeWrite;
      spoil(spec);
      return submit(kernel, spec, answer);
    });
  };
  const auto plain = [](IocbSpec&) {};
  const auto file = [](IocbSpec& s) { s.fd = Fd::kFile, s.buf = kPollIn; };
  sync(kFsync, "pair2.fsync plain; ops.op 2 memfd", plain);
  sync(kFsync, "pair2.fsync badprio", bad_priority);
  sync(kFsync, "ops.op 2 dir", [](IocbSpec& s) { s.fd = Fd::kDirectory; });
  sync(kFsync, "ops.op 2 O_RDONLY file", [](IocbSpec& s) { s.fd = Fd::kFileRo; });
  sync(kFdsync, "pair2.fdsync plain; ops.op 3 memfd", plain);
  sync(kFdsync, "pair2.fdsync badprio", bad_priority);
  sync(kFdsync, "ops.op 3 dir", [](IocbSpec& s) { s.fd = Fd::kDirectory; });
  sync(kFdsync, "ops.op 3 O_RDONLY file", [](IocbSpec& s) { s.fd = Fd::kFileRo; });
  sync(kPoll, "pair2.poll plain; poll.pipe-w OUT ready", plain, 4);
  sync(kPoll, "pair2.poll badprio", bad_priority, 4);
  sync(kPoll, "ops.op 5 memfd", file, 1);
}

// Refused by every release, by the word that was reserved or for a field that must be zero.
TEST(ObservedSubmit, flags_of_syncs_and_polls_and_the_key) {
  const struct {
    const char* check;
    std::uint16_t opcode;
    std::uint32_t flags;
  } rows[] = {{"pair2.fsync rwflags", kFsync, 2},   {"pair2.fsync rwflags bad", kFsync, kBadFlags},
              {"pair2.fdsync rwflags", kFdsync, 2}, {"pair2.fdsync rwflags bad", kFdsync, kBadFlags},
              {"pair2.poll rwflags", kPoll, 2},     {"pair2.poll rwflags bad", kPoll, kBadFlags}};
  for (const auto& each : rows) {
    const Answers<Submitted> answers{{k4_9, refused_before_key(kEINVAL), Req::kMemoryOnlyByRules},
                                     {k4_19, refused(kEINVAL), Req::kSubmitKeyWritten}};
    expect_told_apart(each.check, answers, [&](const Profile& profile, const Submitted& answer) {
      FakeKernel kernel(profile);
      prepare(kernel, false);
      IocbSpec spec = read_of(0);
      spec.opcode = each.opcode;
      spec.buf = each.opcode == kPoll ? kPollOut : 0;
      spec.rw_flags = each.flags;
      return submit(kernel, spec, answer);
    });
  }
}

TEST(ObservedSubmit, priorities) {
  const struct {
    const char* check;
    unsigned cls, data;
    bool privileged;
    int since_4_19, since_6_1;
    Req rule;
  } rows[] = {
      {"ioprio.root class 0 data 0x4", 0, 4, true, kEINVAL, kEINVAL, Req::kIoprioNoneHasNoLevel},
      {"ioprio.root class 0 data 0x7", 0, 7, true, kEINVAL, kEINVAL, Req::kIoprioNoneHasNoLevel},
      {"ioprio.root class 0 data 0x8", 0, 8, true, kEINVAL, 0, Req::kIoprioNoneHasNoLevel},
      {"ioprio.root class 1 data 0x8", 1, 8, true, kEINVAL, 0, Req::kIoprioBadClass},
      {"ioprio.root class 2 data 0x8", 2, 8, true, kEINVAL, 0, Req::kIoprioBadClass},
      {"ioprio.root class 2 data 0x1000", 2, 0x1000, true, kEINVAL, 0, Req::kIoprioBadClass},
      {"ioprio.root class 2 data 0x1fff", 2, 0x1fff, true, kEINVAL, 0, Req::kIoprioBadClass},
      {"ioprio.root class 4 data 0x0", 4, 0, true, kEINVAL, kEINVAL, Req::kIoprioBadClass},
      {"ioprio.root class 5 data 0x0", 5, 0, true, kEINVAL, kEINVAL, Req::kIoprioBadClass},
      {"ioprio.root class 6 data 0x0", 6, 0, true, kEINVAL, kEINVAL, Req::kIoprioBadClass},
      {"ioprio.root class 7 data 0x0", 7, 0, true, kEINVAL, kEINVAL, Req::kIoprioBadClass},
      {"ioprio.root class 7 data 0x1fff", 7, 0x1fff, true, kEINVAL, kEINVAL, Req::kIoprioBadClass},
      {"ioprio.nobody RT", 1, 0, false, kEPERM, kEPERM, Req::kIoprioRtNeedsCapability},
  };
  for (const auto& each : rows) {
    Machine machine = fake_machine();
    machine.may_use_rt_ioprio = each.privileged;
    const auto answer = [](int error) { return error == 0 ? event(5) : refused(error); };
    Answers<Submitted> answers{{k4_9, event(5), Req::kSubmitCounts}, {k4_19, answer(each.since_4_19), each.rule}};
    if (each.since_6_1 != each.since_4_19) answers.push_back({k6_1, answer(each.since_6_1), Req::kSubmitCounts});
    expect_told_apart(each.check, answers, [&](const Profile& profile, const Submitted& seen) {
      FakeKernel kernel(profile, {}, machine);
      prepare(kernel, false);
      IocbSpec spec = read_of(5);
      spec.flags = kFlagIoprio;
      spec.reqprio = static_cast<std::int16_t>(each.cls << 13 | each.data);
      return submit(kernel, spec, seen);
    });
  }
}

TEST(ObservedSubmit, the_capability_that_is_enough_for_real_time_priority) {
  const Answers<Submitted> answers{{k4_9, event(5), Req::kSubmitCounts},
                                   {k4_19, refused(kEPERM), Req::kIoprioRtNeedsCapability},
                                   {k5_10, event(5), Req::kSubmitCounts}};
  expect_told_apart("ioprio.nobody+CAP_SYS_NICE RT", answers, [](const Profile& profile, const Submitted& answer) {
    // As the probe finds it of a process with that capability alone.
    Machine machine = fake_machine();
    machine.may_use_rt_ioprio = profile.nice_may_use_rt;
    FakeKernel kernel(profile, {}, machine);
    prepare(kernel, false);
    IocbSpec spec = read_of(5);
    spec.flags = kFlagIoprio;
    spec.reqprio = 1 << 13;
    return submit(kernel, spec, answer);
  });
}

// A bad priority of 4.9 is no fault: the request holds the pipe's end as any does.
TEST(ObservedSubmit, a_pipe_whose_write_was_refused_for_its_priority_ends) {
  const Answers<Submitted> answers{{k4_9, event(1), Req::kSubmitCounts},
                                   {k4_19, refused(kEINVAL), Req::kIoprioBadClass}};
  expect_told_apart("ioprioleak.bad ioprio", answers, [](const Profile& profile, const Submitted& answer) {
    FakeKernel kernel(profile);
    prepare(kernel, false);
    IocbSpec spec = read_of(1);
    spec.opcode = kPwrite;
    spec.fd = Fd::kPipeWrite;
    bad_priority(spec);
    return submit(kernel, spec, answer);
  });
  // "ioprioleak.read after close": the end shows, whether or not a byte came before it.
  for (const Release& release : kKernels) {
    FakeKernel kernel(profile_for(release));
    prepare(kernel, false);
    IocbSpec spec = read_of(1);
    spec.opcode = kPwrite;
    spec.fd = Fd::kPipeWrite;
    bad_priority(spec);
    const bool taken = release < Release{4, 18};
    ASSERT_FALSE(submit(kernel, spec, taken ? event(1) : refused(kEINVAL)).divergence);
    ASSERT_FALSE(kernel.run(FdClose{Fd::kPipeWrite}).divergence);
    const auto read = [&](std::int64_t count) {
      FakeKernel::Answer answer = [&](FakeKernel& k) {
        k.result = count;
        if (count == 1) k.data = {*kernel.memory.get<std::byte>(spec.buf)};
      };
      return kernel.run(FdRead{Fd::kPipeRead, 1}, answer);
    };
    EXPECT_EQ(id_of(read(taken ? 1 : 0).divergence), "conforming");
  }
}

// A list that is no list of so many pointers, and one in the kernel's half.
TEST(ObservedSubmit, lists) {
  using Returned = std::int64_t;  // or -errno
  constexpr Address kStraddling = arena::kUserEnd - 8;
  const Since<Returned> fault{k4_9, -kEFAULT, Req::kSubmitListFault};
  const struct {
    const char* check;
    bool context;
    std::int64_t nr;
    Address list;
    Since<Returned> since_4_19;
  } rows[] = {
      {"submit.nr=0 kernel list", true, 0, arena::kKernel, {k4_19, 0, Req::kSubmitNothing}},
      {"submit.nr=0 bad ctx kernel list", false, 0, arena::kKernel, {k4_19, -kEINVAL, Req::kSubmitUnknown}},
      {"submit.bad ctx, kernel list", false, 1, arena::kKernel, {k4_19, -kEINVAL, Req::kSubmitUnknown}},
      {"submit.bad ctx nr=2 straddling", false, 2, kStraddling, {k4_19, -kEINVAL, Req::kSubmitUnknown}},
      {"submit.nr=0x7fffffffffffffff, 1 good slot", true, INT64_MAX, 0, {k4_19, 1, Req::kSubmitCounts}},
      {"submit.nr=0xfffffffffffffff, 1 good slot", true, 0xfffffffffffffff, 0, {k4_19, 1, Req::kSubmitCounts}},
      {"submit.nr=0x1000000000000000, 1 good slot", true, 0x1000000000000000, 0, {k4_19, 1, Req::kSubmitCounts}},
      {"submit.nr=0xfffffffffff, 1 good slot", true, 0xfffffffffff, 0, {k4_19, 1, Req::kSubmitCounts}},
  };
  for (const auto& each : rows) {
    const Answers<Returned> answers{fault, each.since_4_19};
    expect_told_apart(each.check, answers, [&](const Profile& profile, const Returned& answer) {
      FakeKernel kernel(profile);
      prepare(kernel, false);
      // The last pointer that can be read, and nothing behind it.
      const Address last = arena::kPointers + arena::kPage - 8;
      const bool one = each.list == 0;
      const IocbSpec spec = read_of(0);
      EXPECT_FALSE(kernel.run(Store{.at = last, .value = spec.at, .width = 8}).divergence);
      const Submit op{.ctx = each.context ? kernel.ctx() : Value(0x1000),
                      .nr = each.nr,
                      .list = one ? last : each.list,
                      .fill = 0,
                      .iocbs = {spec}};
      return kernel.run(op, [&](FakeKernel& k) {
        if (answer < 0) return k.fails(static_cast<int>(-answer));
        k.result = answer;
        if (answer == 0) return;
        k.store_word(spec.at + 8, 0, 4);
        k.rings[0].add({spec.data, spec.at, 0, 0});
      });
    });
  }
}

// "c32.submit …": before 4.18 the 32-bit call copied the whole list first, and no more than 512 pointers of it.
TEST(ObservedSubmit, lists_of_32_bit_pointers) {
  const Since<std::int64_t> fault{k4_9, -kEFAULT, Req::kSubmitListFault};
  const struct {
    const char* check;
    std::int64_t nr;
    std::int64_t readable;
    bool context;
    Answers<std::int64_t> answers;
  } rows[] = {
      {"c32.submit 513", 513, 513, true, {{k4_9, 512, Req::kCompatList}, {k4_19, 513, Req::kQuotaPinnedMax}}},
      {"c32.submit 600", 600, 600, true, {{k4_9, 512, Req::kCompatList}, {k4_19, 600, Req::kQuotaPinnedMax}}},
      {"c32.submit 700", 700, 700, true, {{k4_9, 512, Req::kCompatList}, {k4_19, 700, Req::kQuotaPinnedMax}}},
      {"c32.submit 3, third slot unmapped", 3, 2, true, {fault, {k4_19, 2, Req::kSubmitCounts}}},
      {"c32.submit bad ctx, unmapped list", 1, 0, false, {fault, {k4_19, -kEINVAL, Req::kSubmitUnknown}}},
  };
  for (const auto& each : rows) {
    expect_told_apart(each.check, each.answers, [&](const Profile& profile, std::int64_t answer) {
      FakeKernel kernel(profile);
      EXPECT_FALSE(kernel.run(Through{EntryKind::kCompat}).divergence);
      const aio::Setup setup{.nr = 1000};
      EXPECT_FALSE(kernel.run(setup, [&](FakeKernel& k) { k.map_ring(setup, 0x70000000); }).divergence);
      IocbSpec spec = read_of(0);
      spec.key = 0;
      const Address list = arena::kPointers + arena::kPage - 4 * static_cast<Address>(each.readable);
      for (std::int64_t i = 0; i < each.readable; ++i) {
        const Store store{.at = list + 4 * static_cast<Address>(i), .value = spec.at, .width = 4};
        EXPECT_FALSE(kernel.run(store).divergence);
      }
      const Submit op{
          .ctx = each.context ? kernel.ctx() : Value(0x1000), .nr = each.nr, .list = list, .fill = 0, .iocbs = {spec}};
      return kernel.run(op, [&](FakeKernel& k) {
        if (answer < 0) return k.fails(static_cast<int>(-answer));
        k.result = answer;
        for (std::int64_t i = 0; i < answer; ++i) k.rings[0].add({spec.data, spec.at, 0, 0});
      });
    });
  }
}

}  // namespace
}  // namespace aio::observed
