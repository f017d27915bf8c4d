// SPDX-License-Identifier: GPL-2.0-or-later
//
// What crashed the kernels of observed.h and is not run there, and rules of releases that were not run: 4.13, 4.18 to
// 5.0 before their stable fixes, the stable versions of E41, 5.7. Source: semantics.md E8, E17, E23, E24, E29, E36,
// E37, E41.
#include "reference/danger.h"
#include "reference/observed.h"

namespace aio::observed {
namespace {

// "danger DIE_selfpoll.write 1": never returned before 6.1. "danger DIE_forkmremap": crashed 4.9.337 and 4.19.222.
TEST(ObservedStable, programs_that_crashed_a_kernel_are_not_run_there) {
  IocbSpec self = poll_of(Fd::kEvent, kPollIn);
  self.flags = kFlagResfd;
  const Program self_poll{{Submit{.iocbs = {self}}, FdWrite{Fd::kEvent, 8, 1}}};
  const Program child_moves{{InChild{}, RingMap{.action = MapAction::kMove}}};
  for (unsigned i = 0; i < kKernels.size(); ++i) {
    const Profile& profile = profile_for(kKernels[i]);
    EXPECT_EQ(danger_of(self_poll, profile) != nullptr, i <= k5_10) << profile.name;
    EXPECT_EQ(danger_of(child_moves, profile) != nullptr, i <= k4_19) << profile.name;
  }
}

// "danger DIE_selfpoll.event" and "count": the poll completes with its key, and its signal counts too.
TEST(ObservedStable, an_eventfd_that_is_polled_with_itself_as_resfd) {
  for (const Kernel kernel : {k6_1, k6_12}) {
    FakeKernel fake(profile_for(kKernels[kernel]));
    ASSERT_FALSE(fake.setup().divergence);
    IocbSpec self = poll_of(Fd::kEvent, kPollIn);
    self.flags = kFlagResfd;
    ASSERT_FALSE(submit(fake, self, pending()).divergence);
    const Verdict verdict = fake.run(FdWrite{Fd::kEvent, 8, 1}, [&](FakeKernel& k) {
      k.result = 8;
      k.counters[0] = 2;
      k.rings[0].add({self.data, self.at, kPollIn, 0});
    });
    EXPECT_EQ(id_of(verdict.divergence), "conforming");
  }
}

// "danger DIE_forkmremap.child mremap of inherited ring", and "child with own ctx …".
TEST(ObservedStable, an_inherited_ring_does_not_move) {
  for (unsigned i = k5_4; i < kKernels.size(); ++i) {
    FakeKernel kernel(profile_for(kKernels[i]));
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(kernel.run(InChild{}).divergence);
    EXPECT_EQ(kernel.opinion(RingMap{.ctx = kernel.ctx(), .action = MapAction::kMove}),
              (FakeKernel::Opinion{Req::kChildMovesNothing, -kEINVAL}));
  }
}

TEST(ObservedStable, stable_versions_whose_io_cancel_returns_0) {
  struct Row {
    Release release;
    std::int64_t returned;
  };
  for (const auto& [release, returned] : {Row{{5, 4, 270}, -kEINPROGRESS},
                                          {{5, 4, 271}, 0},
                                          {{5, 4, 272}, -kEINPROGRESS},
                                          {{6, 7, 9}, 0},
                                          {{6, 8, 0}, -kEINPROGRESS}}) {
    FakeKernel kernel(profile_for(release));
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(submit(kernel, poll_of(Fd::kPipeRead, kPollIn), pending()).divergence);
    EXPECT_EQ(kernel.opinion(Cancel{.ctx = kernel.ctx()}), (FakeKernel::Opinion{Req::kCancelInProgress, returned}));
  }
}

TEST(ObservedStable, releases_that_look_for_the_file_last) {
  struct Row {
    Release release;
    bool late;
  };
  for (const auto& [release, late] : {Row{{4, 17}, false},
                                      {{4, 18}, true},
                                      {{4, 19, 37}, true},
                                      {{4, 19, 38}, false},
                                      {{5, 0, 10}, true},
                                      {{5, 0, 11}, false},
                                      {{5, 1}, false}}) {
    FakeKernel kernel(profile_for(release));
    SCOPED_TRACE(profile_for(release).name);
    ASSERT_FALSE(kernel.setup().divergence);
    const auto value = [&](void (*spoil)(IocbSpec&), Fd fd) {
      IocbSpec spec;
      spec.fd = fd;
      spoil(spec);
      return kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}).value;
    };
    for (const Fd fd : {Fd::kClosed, Fd::kPath}) {
      EXPECT_EQ(value([](IocbSpec&) {}, fd), -kEBADF);
      EXPECT_EQ(value([](IocbSpec& s) { s.opcode = kNoop; }, fd), late ? -kEINVAL : -kEBADF);
      EXPECT_EQ(value([](IocbSpec& s) { s.flags = kFlagResfd, s.resfd = Fd::kFile; }, fd), late ? -kEINVAL : -kEBADF);
      EXPECT_EQ(value([](IocbSpec& s) { s.at = arena::kReadOnly; }, fd), late ? -kEFAULT : -kEBADF);
    }
    if (release < Release{4, 19}) continue;
    const auto ready = kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {poll_of(Fd::kFile, kPollIn)}});
    EXPECT_EQ(ready.value, late ? -kEINVAL : 1);
  }
}

TEST(ObservedStable, nowait_of_4_13_is_for_direct_requests_alone) {
  Machine machine = fake_machine();
  machine.file_nowait = true;
  machine.direct = machine.direct_queues = true;
  for (const auto& [minor, right] : {std::pair{13, -std::int64_t{kEOPNOTSUPP}}, std::pair{14, std::int64_t{1}}}) {
    FakeKernel kernel(profile_for({4, minor}), {}, machine);
    ASSERT_FALSE(kernel.setup().divergence);
    IocbSpec spec;
    spec.rw_flags = kRwfNowait;
    EXPECT_EQ(kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}).value, right);
    spec.fd = Fd::kDirect;
    const Verdict direct = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [](FakeKernel& k) {
      k.fails(kEOPNOTSUPP);
      k.store_word(arena::iocb_slot(0) + 8, 0, 4);
    });
    EXPECT_EQ(direct.lost_track, minor == 13);
  }
}

TEST(ObservedStable, fsync_before_5_8_may_reach_the_file_as_root) {
  constexpr std::uint32_t kUser = 1000;
  Machine machine = fake_machine();
  machine.gate = true;
  machine.uid = machine.gid = kUser;
  for (const int minor : {7, 8}) {
    FakeKernel kernel(profile_for({5, minor}), {}, machine);
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(kernel.run(Hold{}).divergence);
    IocbSpec spec;
    spec.opcode = kFsync;
    spec.fd = Fd::kGate;
    spec.buf = 0;
    const Verdict verdict = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [](FakeKernel& k) {
      k.result = 1;
      k.store_word(arena::iocb_slot(0) + 8, 0, 4);
      GateRequest request;
      request.id = 1;
      request.call = GateCall::kFsync;
      k.arrived = {request};
    });
    EXPECT_EQ(id_of(verdict.divergence).starts_with("held.credentials_of_submitter"), minor == 8) << minor;
    EXPECT_EQ(verdict.divergence.has_value(), minor == 8) << minor;
  }
}

// Pipes of before 5.5: a write that faults leaves no empty buffer, and a read that frees none wakes no writer.
TEST(ObservedStable, pipes_before_5_5) {
  for (const int minor : {4, 5}) {
    const bool new_pipes = minor == 5;
    FakeKernel kernel(profile_for({5, minor}));
    ASSERT_FALSE(kernel.setup().divergence);
    IocbSpec fault;
    fault.opcode = kPwrite;
    fault.fd = Fd::kNbPipeWrite;
    fault.buf = arena::kUnmapped;
    fault.nbytes = 8;
    ASSERT_FALSE(submit(kernel, fault, event(-kEFAULT)).divergence);
    const auto poll = kernel.opinion(Submit{.ctx = kernel.ctx(), .iocbs = {poll_of(Fd::kNbPipeRead, kPollIn)}});
    EXPECT_EQ(poll.value, 1);
    const Submitted ready = new_pipes ? event(kPollIn) : pending();
    EXPECT_EQ(id_of(submit(kernel, poll_of(Fd::kNbPipeRead, kPollIn), ready).divergence), "conforming") << minor;

    FakeKernel full(profile_for({5, minor}));
    ASSERT_FALSE(full.setup().divergence);
    ASSERT_FALSE(full.run(FdWrite{Fd::kPipeWrite, 4096, 1}, [](FakeKernel& k) { k.result = 4096; }).divergence);
    const IocbSpec room = poll_of(Fd::kPipeWrite, kPollOut);
    ASSERT_FALSE(submit(full, room, pending()).divergence);
    const Verdict read = full.run(FdRead{Fd::kPipeRead, 8}, [&](FakeKernel& k) {
      k.result = 8;
      for (std::uint64_t i = 0; i < 8; ++i) k.data.push_back(std::byte{payload_byte(1, i)});
      if (new_pipes) k.rings[0].add({room.data, room.at, kPollOut | kPollWrnorm, 0});
    });
    EXPECT_EQ(id_of(read.divergence), "conforming") << minor;
  }
}

}  // namespace
}  // namespace aio::observed
