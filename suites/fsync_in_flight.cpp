// SPDX-License-Identifier: GPL-2.0-or-later
//
// FSYNC and FDSYNC while the file system has not answered yet, and what it answers.
// Claims: io_submit does not wait for the sync; what the file system answers is the result; it sees which of the two
// was asked for, and by whom; nothing but the answer ends the request. Provoked by a file system that holds the request
// until the test lets it go (fixtures/gate.h). Not seen: what a file system does with the request; several syncs of one
// file, which come one after the other.
#include <sys/fsuid.h>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr Opcode kSyncs[] = {kFsync, kFdsync};

const char* call_name(GateCall call) {
  switch (call) {
    case GateCall::kRead:
      return "read";
    case GateCall::kWrite:
      return "write";
    case GateCall::kFsync:
      return "fsync";
    default:
      return "fdatasync";
  }
}

}  // namespace

SUITE_TEST(fsync_in_flight, io_submit_does_not_wait,
           {.holds = {"fsync.does_not_wait", "held.event_when_answered", "held.reaches_file_system_once",
                      "fsync.result_is_zero"},
            .needs = "gate"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const Opcode opcode : kSyncs) {
    prepare(0, opcode, fd.get());
    claim("fsync.does_not_wait");
    ASSERT_RETURNS(1, submit(ctx, {0})) << opcode;
    claim("held.reaches_file_system_once");
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u) << opcode;
    claim("held.event_when_answered");
    EXPECT_EQ(in_ring(ctx), 0u) << opcode;
    entry().answer_held(gate, held[0].id, 0, cpus().number(0));
    claim("fsync.result_is_zero");
    EXPECT_EQ(collect(ctx, 1)[0].res, 0) << opcode;
  }
}

SUITE_TEST(fsync_in_flight, what_the_file_system_answers_is_the_result,
           {.holds = {"held.result_is_the_answer"}, .needs = "gate,>=4.18"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const Opcode opcode : kSyncs) {
    for (const int error : {EIO, ENOSPC, EACCES, EROFS, EDQUOT}) {
      prepare(0, opcode, fd.get());
      ASSERT_RETURNS(1, submit(ctx, {0}));
      const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
      ASSERT_EQ(held.size(), 1u);
      entry().answer_held(gate, held[0].id, -error, cpus().number(0));
      EXPECT_EQ(collect(ctx, 1)[0].res, -error) << opcode;
    }
  }
}

SUITE_TEST(fsync_in_flight, the_file_system_sees_which_it_is,
           {.holds = {"held.datasync_for_fdsync_only"}, .needs = "gate"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const Opcode opcode : {kFsync, kFdsync, kFsync}) {
    prepare(0, opcode, fd.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u);
    EXPECT_STREQ(call_name(held[0].call), opcode == kFsync ? "fsync" : "fdatasync");
    entry().answer_held(gate, held[0].id, 0, cpus().number(0));
    collect(ctx, 1);
  }
}

SUITE_TEST(fsync_in_flight, the_file_system_sees_who_submitted,
           {.holds = {"held.credentials_of_submitter"}, .needs = "gate,>=4.18"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  // Who may not become another is not the root that kernel threads are.
  ::setfsgid(12346);
  ::setfsuid(12345);
  const auto group = static_cast<std::uint32_t>(::setfsgid(static_cast<gid_t>(-1)));
  const auto user = static_cast<std::uint32_t>(::setfsuid(static_cast<uid_t>(-1)));
  for (const Opcode opcode : kSyncs) {
    prepare(0, opcode, fd.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held[0].uid, user) << opcode;
    EXPECT_EQ(held[0].gid, group) << opcode;
    entry().answer_held(gate, held[0].id, 0, cpus().number(0));
    collect(ctx, 1);
  }
}

SUITE_TEST(fsync_in_flight, io_cancel_does_not_know_it,
           {.holds = {"io_cancel.not_pending_is_einval", "held.event_when_answered"}, .needs = "gate,>=4.18"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const Opcode opcode : kSyncs) {
    prepare(0, opcode, fd.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u);
    claim("io_cancel.not_pending_is_einval");
    EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0))) << opcode;
    claim("held.event_when_answered");
    EXPECT_EQ(in_ring(ctx), 0u) << opcode;
    entry().answer_held(gate, held[0].id, -EIO, cpus().number(0));
    EXPECT_EQ(collect(ctx, 1)[0].res, -EIO) << opcode;
  }
}

SUITE_TEST(fsync_in_flight, iocb_and_descriptor_may_go,
           {.holds = {"fsync.needs_no_descriptor_in_flight", "event.data_as_submitted", "event.obj_is_iocb_address",
                      "resfd.one_per_completion"},
            .needs = "gate,>=4.18"}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  Descriptor fd(gate.open());
  Descriptor counter = eventfd();
  const Descriptor same_counter(::dup(counter.get()));
  signal(prepare(0, kFsync, fd.get()), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
  ASSERT_EQ(held.size(), 1u);
  fd = Descriptor();
  counter = Descriptor();
  put(arena::iocb_slot(0), std::string(sizeof(Iocb), '\xff'));
  entry().answer_held(gate, held[0].id, -EIO, cpus().number(0));
  const Event seen = collect(ctx, 1)[0];
  claim("fsync.needs_no_descriptor_in_flight");
  EXPECT_EQ(seen.res, -EIO);
  claim("event.data_as_submitted");
  EXPECT_EQ(seen.data, 100u);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(seen.obj, arena::iocb_slot(0));
  claim("resfd.one_per_completion");
  EXPECT_TRUE(await([&] { return drain(same_counter.get()) == 1; }));
}

SUITE_TEST(fsync_in_flight, io_destroy_waits_for_it,
           {.holds = {"io_destroy.waits_for_what_is_in_flight", "io_destroy.returns_zero",
                      "io_destroy.late_completions_signal_resfd"},
            .needs = "gate,lanes,>=4.18"}) {
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  const Descriptor counter = eventfd();
  for (const Opcode opcode : kSyncs) {
    const std::uint64_t ctx = setup();
    signal(prepare(0, opcode, fd.get()), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u);
    Lane lane(cpus().number(0));
    Answer answer;
    lane.start([&] { answer = io_destroy(ctx); });
    claim("io_destroy.waits_for_what_is_in_flight");
    EXPECT_EQ(lane.settle(numbers().io_destroy), Lane::State::kAsleep) << opcode;
    EXPECT_EQ(drain(counter.get()), 0u) << opcode;
    entry().answer_held(gate, held[0].id, 0, cpus().number(0));
    lane.wait();
    claim("io_destroy.returns_zero");
    EXPECT_RETURNS(0, answer) << opcode;
    claim("io_destroy.late_completions_signal_resfd");
    EXPECT_EQ(drain(counter.get()), 1u) << opcode;
  }
}

}  // namespace aio::suites
