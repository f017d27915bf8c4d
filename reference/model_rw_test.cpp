// SPDX-License-Identifier: GPL-2.0-or-later
//
// What io_submit answers for a read, write or sync itself, by release: priorities, flags, buffers and vectors; and
// which requests make io_submit wait. Source: semantics.md A.2 and E.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

using Opinion = FakeKernel::Opinion;
using Spoil = void (*)(IocbSpec&);

constexpr Opinion kAccepted{Req::kSubmitCounts, 1};

Opinion opinion(const Profile& profile, Spoil spoil, const Machine& machine = fake_machine()) {
  FakeKernel kernel(profile, {}, machine);
  EXPECT_FALSE(kernel.setup().divergence);
  IocbSpec spec;
  spec.nbytes = 16;
  spoil(spec);
  return kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}});
}
Opinion opinion(Spoil spoil) { return opinion(profiles().back(), spoil); }

// By class and level: what is wrong with it, before 6.1 and since.
struct Priority {
  unsigned cls, data;
  Opinion before, since;
};

TEST(ModelRw, priorities_are_checked_by_class_and_level) {
  constexpr Opinion kNone{Req::kIoprioNoneHasNoLevel, -kEINVAL};
  constexpr Opinion kBad{Req::kIoprioBadClass, -kEINVAL};
  constexpr Opinion kRt{Req::kIoprioRtNeedsCapability, -kEPERM};
  constexpr Priority kPriorities[] = {
      {0, 0, kAccepted, kAccepted},
      {0, 7, kNone, kNone},
      {0, 8, kNone, kAccepted},
      {1, 0, kRt, kRt},
      {1, 7, kRt, kRt},
      {2, 7, kAccepted, kAccepted},
      {2, 8, kBad, kAccepted},
      {3, 8, kAccepted, kAccepted},
      {4, 0, kBad, kBad},
      {7, 0, kBad, kBad},
  };
  for (const Priority& each : kPriorities) {
    for (const auto& [name, right] : {std::pair{"5.10", each.before}, std::pair{"6.1", each.since}}) {
      FakeKernel kernel(*find_profile(name));
      ASSERT_FALSE(kernel.setup().divergence);
      IocbSpec spec;
      spec.flags = kFlagIoprio;
      spec.reqprio = static_cast<std::int16_t>(each.cls << 13 | each.data);
      EXPECT_EQ(kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}), right)
          << name << ": class " << each.cls << ", data " << each.data;
      spec.flags = 0;
      EXPECT_EQ(kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}), kAccepted) << "without the flag";
    }
  }
  Machine machine = fake_machine();
  machine.may_use_rt_ioprio = true;
  const auto real_time = [](IocbSpec& s) { s.flags = kFlagIoprio, s.reqprio = 1 << 13; };
  EXPECT_EQ(opinion(profiles().back(), real_time, machine), kAccepted);
}

TEST(ModelRw, flags_are_known_since_their_release) {
  const struct {
    Spoil set;
    const char* last_without;
    const char* first_with;
  } flags[] = {
      {[](IocbSpec& s) { s.rw_flags = kRwfHipri | kRwfDsync | kRwfSync; }, "4.9", "4.14"},
      {[](IocbSpec& s) { s.rw_flags = kRwfAppend; }, "4.14", "4.19"},
      {[](IocbSpec& s) { s.rw_flags = kRwfNoappend; }, "6.8", "6.12"},
      {[](IocbSpec& s) { s.rw_flags = kRwfNosignal; }, "6.14", "6.18"},
  };
  for (const auto& each : flags) {
    const bool oldest = std::string_view(each.last_without) == "4.9";
    EXPECT_EQ(opinion(*find_profile(each.last_without), each.set).value, oldest ? -kEINVAL : -kEOPNOTSUPP);
    EXPECT_EQ(opinion(*find_profile(each.first_with), each.set), kAccepted) << each.first_with;
  }
  const Spoil atomic_read = [](IocbSpec& s) { s.rw_flags = kRwfAtomic; };
  EXPECT_EQ(opinion(*find_profile("6.8"), atomic_read).rule, Req::kRwFlagsUnknown);
  EXPECT_EQ(opinion(atomic_read), (Opinion{Req::kRwFlagsAtomicRead, -kEOPNOTSUPP}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.rw_flags = kRwfAtomic, s.opcode = kPwrite; }),
            (Opinion{Req::kRwFlagsAtomicWrite, -kEOPNOTSUPP}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.rw_flags = kRwfDontcache; }), (Opinion{Req::kRwFlagsDontcache, -kEOPNOTSUPP}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.rw_flags = 0x200; }), (Opinion{Req::kRwFlagsUnknown, -kEOPNOTSUPP}));
}

TEST(ModelRw, nowait_works_where_the_file_and_the_release_support_it) {
  const struct {
    Spoil set;
    const char* last_without;
    const char* first_with;
  } files[] = {
      {[](IocbSpec& s) { s.rw_flags = kRwfNowait, s.fd = Fd::kNull; }, "5.10", "6.1"},
      {[](IocbSpec& s) { s.rw_flags = kRwfNowait, s.fd = Fd::kPipeRead; }, "6.1", "6.12"},
      {[](IocbSpec& s) { s.rw_flags = kRwfNowait, s.fd = Fd::kSocket0; }, "6.1", "6.12"},
      {[](IocbSpec& s) { s.rw_flags = kRwfNowait, s.fd = Fd::kEvent; }, "5.4", "5.10"},
  };
  for (const auto& each : files) {
    const Opinion refused{Req::kRwFlagsNowait, -kEOPNOTSUPP};
    EXPECT_EQ(opinion(*find_profile(each.last_without), each.set), refused) << each.last_without;
    EXPECT_EQ(opinion(*find_profile(each.first_with), each.set), kAccepted) << each.first_with;
  }
}

TEST(ModelRw, buffers_and_offsets_are_checked_as_numbers_only) {
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = arena::kUnmapped; }), kAccepted);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = arena::kUserEnd - 16; }), kAccepted);
  const Opinion outside{Req::kBufferOutsideUserHalf, -kEFAULT};
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = arena::kUserEnd - 15; }), outside);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = arena::kKernel, s.nbytes = 0; }), outside);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.buf = arena::kNonCanonical; }), outside);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.nbytes = INT64_MAX; }), kAccepted);  // cut to 0x7ffff000
  EXPECT_EQ(opinion([](IocbSpec& s) { s.offset = -5, s.fd = Fd::kNbPipeRead; }),
            (Opinion{Req::kOffsetNegative, -kEINVAL}));
  EXPECT_EQ(opinion([](IocbSpec& s) { s.offset = INT64_MAX - 16; }), kAccepted);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.offset = INT64_MAX - 15; }), (Opinion{Req::kOffsetOverflow, -kEINVAL}));
}

void vector(IocbSpec& spec, std::uint64_t count, std::vector<Segment> segments) {
  spec.opcode = kPreadv;
  spec.buf = arena::kIovecs;
  spec.nbytes = count;
  spec.segments = std::move(segments);
}

TEST(ModelRw, vectors_are_counted_in_32_bits_and_copied_whole) {
  const auto expect = [](Spoil spoil, const Opinion& before, const Opinion& since) {
    EXPECT_EQ(opinion(*find_profile("6.1"), spoil), before);
    EXPECT_EQ(opinion(*find_profile("6.6"), spoil), since);
  };
  const Opinion too_many{Req::kVectorTooMany, -kEINVAL};
  const Opinion fault{Req::kVectorFault, -kEFAULT};
  const Opinion negative{Req::kVectorNegativeLength, -kEINVAL};
  const Opinion outside{Req::kVectorOutsideUserHalf, -kEFAULT};
  expect([](IocbSpec& s) { vector(s, 2, {{arena::kBuffers, 5}, {arena::kUnmapped, 5}}); }, kAccepted, kAccepted);
  expect([](IocbSpec& s) { vector(s, 0, {}), s.buf = arena::kKernel; }, kAccepted, kAccepted);
  expect([](IocbSpec& s) { vector(s, 1025, {}); }, too_many, too_many);
  expect([](IocbSpec& s) { vector(s, 0x100000001, {{arena::kBuffers, 5}}); }, kAccepted, kAccepted);
  expect([](IocbSpec& s) { vector(s, 1, {}), s.buf = arena::kUnmapped; }, fault, fault);
  expect([](IocbSpec& s) { vector(s, 1, {{arena::kBuffers, ~0ull}}); }, negative, negative);
  expect([](IocbSpec& s) { vector(s, 2, {{arena::kKernel, 1}, {arena::kBuffers, ~0ull}}); }, negative, negative);
  expect([](IocbSpec& s) { vector(s, 2, {{arena::kBuffers, 1}, {arena::kKernel, 1}}); }, outside, outside);
  // A negative segment in front of one that can't be copied, and a single segment that is too long for the user's half.
  expect(
      [](IocbSpec& s) {
        vector(s, 2, {{arena::kBuffers, ~0ull}});
        s.buf = arena::kIovecs + arena::kPage - 16;
      },
      fault, negative);
  expect([](IocbSpec& s) { vector(s, 1, {{arena::kBuffers, INT64_MAX}}); }, outside, kAccepted);
}

TEST(ModelRw, syncs_exist_since_4_18_and_want_all_other_fields_zero) {
  const Spoil plain = [](IocbSpec& s) { s.opcode = kFsync, s.buf = s.nbytes = 0; };
  EXPECT_EQ(opinion(*find_profile("4.14"), plain), (Opinion{Req::kSubmitBadOpcode, -kEINVAL}));
  EXPECT_EQ(opinion(*find_profile("4.19"), plain), kAccepted);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.opcode = kFdsync, s.buf = s.nbytes = 0, s.fd = Fd::kDirectory; }), kAccepted);
  const Opinion fields{Req::kFsyncFieldsZero, -kEINVAL};
  EXPECT_EQ(opinion([](IocbSpec& s) { s.opcode = kFsync, s.buf = 1, s.nbytes = 0; }), fields);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.opcode = kFsync, s.buf = 0, s.fd = Fd::kPipeRead; }), fields);
  EXPECT_EQ(opinion([](IocbSpec& s) { s.opcode = kFdsync, s.buf = s.nbytes = 0, s.fd = Fd::kPipeRead; }),
            (Opinion{Req::kFsyncNeedsMethod, -kEINVAL}));
}

bool waits(Spoil set) {
  FakeKernel kernel;
  EXPECT_FALSE(kernel.setup().divergence);
  IocbSpec spec;
  spec.nbytes = 16;
  set(spec);
  return kernel.model.waits(Submit{.ctx = kernel.ctx(), .iocbs = {spec}});
}

TEST(ModelRw, only_blocking_files_with_nothing_to_give_or_take_wait) {
  EXPECT_TRUE(waits([](IocbSpec& s) { s.fd = Fd::kPipeRead; }));
  EXPECT_TRUE(waits([](IocbSpec& s) { s.fd = Fd::kSocket0; }));
  EXPECT_TRUE(waits([](IocbSpec& s) { s.fd = Fd::kEvent; }));
  EXPECT_TRUE(waits([](IocbSpec& s) { s.fd = Fd::kPipeWrite, s.opcode = kPwrite, s.nbytes = 5000; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kPipeWrite, s.opcode = kPwrite; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kPipeRead, s.nbytes = 0; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kPipeRead, s.opcode = kPoll, s.buf = kPollIn, s.nbytes = 0; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kPipeRead, s.rw_flags = kRwfNowait; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kPipeRead, s.opcode = kPwrite; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kNbPipeRead; }));
  EXPECT_FALSE(waits([](IocbSpec& s) { s.fd = Fd::kFile; }));
}

TEST(ModelRw, a_signal_makes_the_result_of_a_request_that_waited_eintr) {
  for (const std::int64_t res : {-kEINTR, -kEAGAIN}) {
    FakeKernel kernel;
    ASSERT_FALSE(kernel.setup().divergence);
    IocbSpec spec;
    spec.fd = Fd::kPipeRead;
    spec.nbytes = 16;
    const Verdict verdict = kernel.submit({spec}, {{0, spec.at, res, 0}});
    EXPECT_EQ(verdict.divergence.has_value(), res != -kEINTR);
  }
}

}  // namespace
}  // namespace aio
