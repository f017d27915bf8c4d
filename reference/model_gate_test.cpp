// SPDX-License-Identifier: GPL-2.0-or-later
//
// Requests to the gate file in the model: what must reach it, and what becomes of its answers.
#include <gtest/gtest.h>

#include "reference/fake_kernel.h"

namespace aio {
namespace {

const std::uint32_t kUser = fake_machine_with_gate().uid;

IocbSpec request(std::uint16_t opcode, std::uint64_t nbytes, unsigned slot = 0) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.data = 40 + slot;
  spec.opcode = opcode;
  spec.fd = Fd::kGate;
  spec.buf = nbytes == 0 ? 0 : arena::kBuffers;
  spec.nbytes = nbytes;
  spec.offset = nbytes == 0 ? 0 : 512;
  return spec;
}

class ModelGate : public testing::Test {
 protected:
  explicit ModelGate(const Rules& rules = {}, const Profile& profile = profiles().back())
      : kernel(profile, rules, fake_machine_with_gate()) {}
  void SetUp() override {
    ASSERT_FALSE(kernel.setup().divergence);
    ASSERT_FALSE(kernel.run(Hold{}).divergence);
  }
  // An io_submit of one, after which the file system has this.
  Verdict submit(const IocbSpec& spec, const std::vector<GateRequest>& arrived) {
    return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
      k.result = 1;
      k.store_word(spec.at + 8, 0, 4);
      k.arrived = arrived;
    });
  }
  static GateRequest seen(GateCall call, std::uint64_t length) {
    GateRequest request;
    request.id = 1;
    request.call = call;
    request.offset = length == 0 ? 0 : 512;
    request.length = length;
    request.uid = request.gid = kUser;
    return request;
  }
  Verdict release(std::int64_t result, std::int64_t res, std::uint64_t bytes_read = 0) {
    return kernel.run(ReleaseHeld{.result = result}, [&](FakeKernel& k) {
      k.rings[0].add(event_of(0, res));
      for (std::uint64_t i = 0; i < bytes_read; ++i) k.store_word(arena::kBuffers + i, gate_byte(512 + i), 1);
    });
  }
  static Req broken(const Verdict& verdict) {
    return verdict.divergence ? verdict.divergence->signature.requirement : Req::kSetupSucceeds;
  }

  FakeKernel kernel;
};

TEST_F(ModelGate, a_read_gives_its_event_when_it_is_released) {
  ASSERT_FALSE(submit(request(kPread, 64), {seen(GateCall::kRead, 64)}).divergence);
  EXPECT_FALSE(release(10, 10, 10).divergence);
}

// The pages of a process that forks are parted from what a read has got hold of, unless that pins them.
class ModelGateAndFork : public ModelGate, public testing::WithParamInterface<const char*> {
 protected:
  ModelGateAndFork() : ModelGate({}, *find_profile(GetParam())) {}
  Req broken_if_lost() {
    EXPECT_FALSE(submit(request(kPread, 64), {seen(GateCall::kRead, 64)}).divergence);
    EXPECT_FALSE(kernel.run(InChild{}).divergence);
    EXPECT_FALSE(kernel.run(Store{.at = arena::kBuffers, .value = 1}).divergence);
    return broken(release(10, 10, 0));
  }
};
INSTANTIATE_TEST_SUITE_P(releases, ModelGateAndFork, testing::Values("6.1", "6.12"));

TEST_P(ModelGateAndFork, a_read_across_a_fork_may_be_lost_before_6_12) {
  EXPECT_EQ(broken_if_lost(), std::string(GetParam()) == "6.1" ? Req::kSetupSucceeds : Req::kHeldReadData);
}

TEST_F(ModelGate, a_read_gets_no_byte_more_than_was_answered) {
  ASSERT_FALSE(submit(request(kPread, 64), {seen(GateCall::kRead, 64)}).divergence);
  EXPECT_EQ(broken(release(10, 10, 11)), Req::kMemoryOnlyByRules);
}

TEST_F(ModelGate, the_answer_is_the_result) {
  ASSERT_FALSE(submit(request(kPread, 64), {seen(GateCall::kRead, 64)}).divergence);
  EXPECT_EQ(broken(release(-kENOSPC, -kEIO)), Req::kHeldResult);
}

TEST_F(ModelGate, a_short_write_is_an_error) {
  GateRequest write = seen(GateCall::kWrite, 8);
  for (std::uint64_t i = 0; i < 8; ++i) write.data.push_back(arena::initial_byte(arena::kBuffers + i));
  ASSERT_FALSE(submit(request(kPwrite, 8), {write}).divergence);
  EXPECT_EQ(broken(release(4, 4)), Req::kHeldShortWrite);
}

TEST_F(ModelGate, a_whole_write_and_one_that_fails_are_as_answered) {
  GateRequest write = seen(GateCall::kWrite, 8);
  for (std::uint64_t i = 0; i < 8; ++i) write.data.push_back(arena::initial_byte(arena::kBuffers + i));
  ASSERT_FALSE(submit(request(kPwrite, 8), {write}).divergence);
  ASSERT_FALSE(release(100, 8).divergence);
  ASSERT_FALSE(submit(request(kPwrite, 8), {write}).divergence);
  EXPECT_FALSE(release(-kENOSPC, -kENOSPC).divergence);
}

TEST_F(ModelGate, an_event_before_the_release_is_one_too_many) {
  const IocbSpec spec = request(kPread, 64);
  const Verdict verdict = kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
    k.result = 1;
    k.store_word(spec.at + 8, 0, 4);
    k.arrived = {seen(GateCall::kRead, 64)};
    k.rings[0].add(event_of(0, 64));
  });
  EXPECT_EQ(broken(verdict), Req::kEventOnlyForRequests);
}

TEST_F(ModelGate, what_reaches_the_file_system_is_compared) {
  struct Row {
    Req rule;
    GateRequest seen;
  };
  GateRequest write = seen(GateCall::kWrite, 2);
  write.data = {arena::initial_byte(arena::kBuffers), arena::initial_byte(arena::kBuffers + 1)};
  std::vector<Row> rows(5, {Req::kHeldOffset, write});
  rows[0].seen.offset = 0;
  rows[1] = {Req::kHeldLength, write};
  rows[1].seen.length = 1;
  rows[2] = {Req::kHeldWriteData, write};
  rows[2].seen.data[1] ^= 1;
  rows[3] = {Req::kHeldCredentials, write};
  rows[3].seen.uid = 0;
  rows[4] = {Req::kHeldRequestSent, write};
  rows[4].seen.call = GateCall::kRead;
  for (const Row& row : rows) {
    FakeKernel fresh(profiles().back(), {}, fake_machine_with_gate());
    fresh.setup();
    fresh.run(Hold{});
    const IocbSpec spec = request(kPwrite, 2);
    const Verdict verdict = fresh.run(Submit{.ctx = fresh.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
      k.result = 1;
      k.store_word(spec.at + 8, 0, 4);
      k.arrived = {row.seen};
    });
    EXPECT_EQ(broken(verdict), row.rule) << aio::requirement(row.rule).id;
  }
}

TEST_F(ModelGate, a_request_must_come_and_only_once) {
  EXPECT_EQ(broken(submit(request(kPread, 64), {})), Req::kHeldRequestSent);
}
TEST_F(ModelGate, a_request_must_not_come_twice) {
  const GateRequest read = seen(GateCall::kRead, 64);
  EXPECT_EQ(broken(submit(request(kPread, 64), {read, read})), Req::kHeldRequestSent);
}

TEST_F(ModelGate, one_fsync_keeps_the_next_from_coming) {
  ASSERT_FALSE(submit(request(kFsync, 0), {seen(GateCall::kFsync, 0)}).divergence);
  ASSERT_FALSE(submit(request(kFdsync, 0, 1), {}).divergence);
  EXPECT_EQ(kernel.model.unsent(), 1u);
  const Verdict verdict = kernel.run(ReleaseHeld{.result = -kEIO}, [&](FakeKernel& k) {
    k.rings[0].add(event_of(0, -kEIO));
    k.arrived = {seen(GateCall::kFdatasync, 0)};
  });
  EXPECT_FALSE(verdict.divergence);
}

TEST_F(ModelGate, fsync_and_fdsync_are_not_the_same) {
  EXPECT_EQ(broken(submit(request(kFdsync, 0), {seen(GateCall::kFsync, 0)})), Req::kHeldDatasync);
}

TEST_F(ModelGate, what_no_signal_ends_is_refused) {
  ASSERT_FALSE(submit(request(kFsync, 0), {seen(GateCall::kFsync, 0)}).divergence);
  EXPECT_NE(kernel.model.refuses(Submit{.ctx = kernel.ctx(), .iocbs = {request(kPwrite, 8)}}), nullptr);
  EXPECT_EQ(kernel.model.refuses(Submit{.ctx = kernel.ctx(), .iocbs = {request(kPread, 8)}}), nullptr);
  EXPECT_NE(kernel.model.refuses(Destroy{.ctx = kernel.ctx()}), nullptr);
}

TEST_F(ModelGate, a_write_beyond_the_end_is_refused) {
  IocbSpec spec = request(kPwrite, 8);
  spec.offset = static_cast<std::int64_t>(kGateSize) - 7;
  EXPECT_NE(kernel.model.refuses(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}), nullptr);
}

TEST_F(ModelGate, after_release_all_nothing_is_held) {
  ASSERT_FALSE(submit(request(kPread, 64), {seen(GateCall::kRead, 64)}).divergence);
  ASSERT_FALSE(kernel
                   .run(ReleaseAll{},
                        [&](FakeKernel& k) {
                          k.rings[0].add(event_of(0, 64));
                          for (std::uint64_t i = 0; i < 64; ++i)
                            k.store_word(arena::kBuffers + i, gate_byte(512 + i), 1);
                        })
                   .divergence);
  const Verdict skipped = kernel.run(ReleaseHeld{}, [](FakeKernel& k) { k.skipped = true; });
  EXPECT_FALSE(skipped.divergence);
}

TEST_F(ModelGate, a_read_at_the_end_and_one_of_nothing_are_not_held) {
  IocbSpec spec = request(kPread, 8);
  spec.offset = static_cast<std::int64_t>(kGateSize);
  EXPECT_FALSE(kernel.submit({spec}, {event_of(0, 0)}).divergence);
  spec = request(kPwrite, 8);
  spec.buf = arena::kUnmapped;
  EXPECT_FALSE(kernel.submit({spec}, {event_of(0, -kEFAULT)}).divergence);
}

}  // namespace
}  // namespace aio
