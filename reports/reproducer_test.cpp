// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reproducers are compiled without warnings and run against the kernel at hand: one that expects
// what every kernel does exits 0, the same one with another expectation exits 1.
#include "reports/reproducer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "reports/reproducer_testing.h"
#include "reports/testing.h"

namespace aio {
namespace {

// A folder of its own for each test.
IocbSpec request(std::uint16_t opcode, Fd fd, std::uint64_t nbytes) {
  IocbSpec spec;
  spec.opcode = opcode;
  spec.fd = fd;
  spec.nbytes = nbytes;
  return spec;
}
Submit submit(const IocbSpec& spec) {
  Submit op;
  op.iocbs = {spec};
  return op;
}
IocbSpec poll_of(Fd fd, std::uint16_t mask) {
  IocbSpec spec = request(kPoll, fd, 0);
  spec.buf = mask;
  return spec;
}
IocbSpec with_resfd(IocbSpec spec) {
  spec.flags = kFlagResfd;
  return spec;
}

Check result(std::int64_t value) { return {Check::What::kResult, 0, 0, {value}, {}}; }
Check number(Check::What what, std::uint64_t index, std::int64_t value) { return {what, index, 0, {value}, {}}; }
Check bytes(Check::What what, std::uint64_t at, std::vector<std::uint8_t> wanted) {
  return {what, 0, at, {}, std::move(wanted)};
}

using What = Check::What;
constexpr std::uint64_t kTailAt = 12;

struct Case {
  const char* name;
  Trace honest;
};

Getevents wait_for_ever() {
  Getevents op;
  op.min_nr = 1;
  op.timeout = arena::kNull;
  return op;
}
Getevents wait_a_little() {
  Getevents op;
  op.min_nr = 1;
  op.nsec = 20'000'000;
  return op;
}

std::vector<Case> cases() {
  const aio::Setup setup;
  const Submit ready_poll = submit(poll_of(Fd::kPipeWrite, kPollOut));
  const Submit write = submit(request(kPwrite, Fd::kFile, 3));
  const Submit vectored = submit([] {
    IocbSpec spec = request(kPwritev, Fd::kFile, 2);
    spec.buf = arena::kIovecs;
    spec.segments = {{arena::kBuffers, 1}, {arena::kBuffers + 8, 2}};
    spec.offset = 6000;
    return spec;
  }());
  const std::vector<std::uint8_t> canary{arena::initial_byte(arena::kBuffers), arena::initial_byte(arena::kBuffers + 1),
                                         arena::initial_byte(arena::kBuffers + 2)};
  Pgetevents pget;
  pget.nr = 4;
  FdWrite three;
  three.nbytes = 3;
  Submit held_read = submit(request(kPread, Fd::kGate, 8));
  held_read.iocbs[0].offset = 512;
  const Submit nothing_read = submit(request(kPread, Fd::kFile, 0));
  const auto waits = [](std::int64_t min_nr) {
    return Getevents{.min_nr = min_nr, .nr = min_nr, .timeout = arena::kNull};
  };
  Pgetevents masked{.min_nr = 1, .timeout = arena::kNull};
  masked.signals = signal_bit(SignalKind::kRestart);
  return {
      {"errno_of_io_setup", TraceBuilder().step(aio::Setup{0}, -kEINVAL).diverging(Kind::kErrno, result(-kEINVAL))},
      {"count_of_io_submit", TraceBuilder().step(setup, 0).step(ready_poll, 1, 1).diverging(Kind::kCount, result(1))},
      {"key_in_memory", TraceBuilder()
                            .step(setup, 0)
                            .step(ready_poll, 1, 1)
                            .diverging(Kind::kMemory, bytes(What::kArenaBytes, arena::kIocbs + 8, {0, 0, 0, 0}))},
      {"tail_of_ring", TraceBuilder()
                           .step(setup, 0)
                           .step(ready_poll, 1, 1)
                           .diverging(Kind::kHeader, bytes(What::kRingBytes, kTailAt, {1, 0, 0, 0}))},
      {"head_after_reap",
       TraceBuilder()
           .step(setup, 0)
           .step(ready_poll, 1, 1)
           .step(Reap{}, 1, 1)
           .step(RingStore{context(0), RingField::kMagic, 7}, 0, 1)
           .diverging(Kind::kHeader, bytes(What::kRingBytes, 8, {1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0}))},
      {"counter_of_resfd", TraceBuilder()
                               .step(setup, 0)
                               .step(submit(with_resfd(poll_of(Fd::kPipeWrite, kPollOut))), 1, 1)
                               .diverging(Kind::kCounter, number(What::kCounter, 0, 1))},
      {"content_of_file",
       TraceBuilder().step(setup, 0).step(write, 1, 1).diverging(Kind::kFile, bytes(What::kFileBytes, 0, canary))},
      {"size_of_file",
       TraceBuilder().step(setup, 0).step(vectored, 1, 1).diverging(Kind::kFile, number(What::kFileLength, 0, 6003))},
      {"bytes_from_pipe",
       TraceBuilder()
           .step(three, 3)
           .step(FdRead{}, 3)
           .diverging(Kind::kFile, bytes(What::kReadBytes, 0, {payload_byte(1, 0), payload_byte(1, 1)}))},
      {"end_of_pipe", TraceBuilder().step(three, 3).diverging_at_end(
                          number(What::kPeerEnd, static_cast<std::uint64_t>(Fd::kPipeRead), 1))},
      {"time_of_a_wait", TraceBuilder()
                             .step(setup, 0)
                             .step(wait_a_little(), 0)
                             .diverging(Kind::kTime, number(What::kElapsed, 0, 20'000'000))},
      {"mask_after_io_pgetevents",
       TraceBuilder().step(setup, 0).step(pget, 0).diverging(Kind::kMask, number(What::kMask, 0, 0))},
      {"ring_after_io_destroy",
       TraceBuilder()
           .step(setup, 0)
           .step(Destroy{}, 0)
           .diverging(Kind::kMemory, Check{What::kMapped, 0, arena::context_slot(0), {0}, {}})},
      {"wait_ended_by_signal", TraceBuilder()
                                   .step(setup, 0)
                                   .step(wait_for_ever(), -kEINTR)
                                   .released()
                                   .diverging(Kind::kErrno, result(-kEINTR))},
      {"events_of_io_pgetevents",
       TraceBuilder()
           .step(setup, 0)
           .step(ready_poll, 1, 1)
           .step(pget, 1, 1)
           .diverging(Kind::kMemory, bytes(What::kArenaBytes, arena::kEvents + 8, {0, 0x20, 0, 0x40}))},
      {"cancelled_poll", TraceBuilder()
                             .step(setup, 0)
                             .step(Move{}, 0)
                             .step(submit(poll_of(Fd::kPipeRead, kPollIn)), 1)
                             .step(Cancel{}, -kEINPROGRESS, 1)
                             .step(Store{}, 0, 1)
                             .diverging(Kind::kEvent, bytes(What::kRingBytes, kTailAt, {1}))},
      {"repeated_pointers", TraceBuilder()
                                .step(setup, 0)
                                .step(
                                    [&] {
                                      Submit op = ready_poll;
                                      op.nr = 9;
                                      op.fill = 9;
                                      return op;
                                    }(),
                                    9, 9)
                                .diverging(Kind::kHeader, bytes(What::kRingBytes, kTailAt, {9}))},
      {"offset_of_held_read", TraceBuilder()
                                  .step(setup, 0)
                                  .step(Hold{}, 0)
                                  .step(held_read, 1)
                                  .arrives()
                                  .diverging(Kind::kRequest, {{What::kHeld, 0, 1, {512}, {}}})},
      {"bytes_of_short_read", TraceBuilder()
                                  .step(setup, 0)
                                  .step(Hold{}, 0)
                                  .step(held_read, 1)
                                  .arrives()
                                  .step(ReleaseHeld{.result = 2}, 0, 1)
                                  .diverging(Kind::kMemory, bytes(What::kArenaBytes, arena::kBuffers,
                                                                  {gate_byte(512), gate_byte(513),
                                                                   arena::initial_byte(arena::kBuffers + 2)}))},
      {"all_held_released", TraceBuilder()
                                .step(setup, 0)
                                .step(Hold{}, 0)
                                .step(held_read, 1)
                                .arrives()
                                .step(ReleaseAll{}, 0, 1)
                                .diverging(Kind::kEvent, bytes(What::kRingBytes, 32 + 16, {8, 0, 0, 0}))},
      {"waiter_returns", TraceBuilder()
                             .step(setup, 0)
                             .step(InLane{1}, 0)
                             .step(waits(1), 0)
                             .asleep(1)
                             .step(InLane{0}, 0)
                             .step(nothing_read, 1, 1)
                             .returns(1, 1)
                             .diverging(Kind::kLost, number(What::kLaneResult, 1, 1))},
      {"waiter_sleeps_on", TraceBuilder()
                               .step(setup, 0)
                               .step(InLane{3}, 0)
                               .step(waits(2), 0)
                               .asleep(3)
                               .step(InLane{0}, 0)
                               .step(nothing_read, 1, 1)
                               .returns(3, 1)
                               .diverging(Kind::kCount, number(What::kAsleep, 3, 1))},
      {"earlier_waiters_returned", TraceBuilder()
                                       .step(setup, 0)
                                       .step(InLane{1}, 0)
                                       .step(waits(1), 0)
                                       .asleep(1)
                                       .step(Interrupt{1}, 0)
                                       .returns(1, -kEINTR)
                                       .step(Destroy{}, 0)
                                       .diverging(Kind::kErrno, result(0))},
      {"stop_ends_a_wait", TraceBuilder()
                               .step(setup, 0)
                               .step(InLane{3}, 0)
                               .step(waits(1), 0)
                               .asleep(3)
                               .step(Interrupt{3, SignalKind::kStop}, 0)
                               .returns(3, -kEINTR)
                               .diverging(Kind::kErrno, number(What::kLaneResult, 3, -kEINTR))},
      {"stop_does_not_end_io_pgetevents", TraceBuilder()
                                              .step(setup, 0)
                                              .step(InLane{3}, 0)
                                              .step(masked, 0)
                                              .asleep(3)
                                              .step(Interrupt{3, SignalKind::kStop}, 0)
                                              .returns(3, -kEINTR)
                                              .diverging(Kind::kErrno, number(What::kAsleep, 3, 1))},
      {"handlers_of_signals", TraceBuilder()
                                  .step(setup, 0)
                                  .step(InLane{1}, 0)
                                  .step(masked, 0)
                                  .asleep(1)
                                  .step(Interrupt{1, SignalKind::kRestart}, 0)
                                  .step(Interrupt{1, SignalKind::kIgnored}, 0)
                                  .step(Interrupt{1, SignalKind::kBlocked}, 0)
                                  .returns(1, -kEINTR)
                                  .diverging(Kind::kCount, number(What::kHandlers, 1, 2))},
      {"mask_after_a_signal", TraceBuilder()
                                  .step(setup, 0)
                                  .step(InLane{3}, 0)
                                  .step(masked, 0)
                                  .asleep(3)
                                  .step(Interrupt{3, SignalKind::kBlocked}, 0)
                                  .returns(3, -kEINTR)
                                  .diverging(Kind::kMask, number(What::kMask, 1, 0))},
      {"destroy_sleeps", TraceBuilder()
                             .step(setup, 0)
                             .step(Hold{}, 0)
                             .step(held_read, 1)
                             .arrives()
                             .step(InLane{1}, 0)
                             .step(Destroy{}, 0)
                             .by(1)
                             .diverging(Kind::kCount, number(What::kAsleep, 1, 1))},
      {"destroy_returns_at_last", TraceBuilder()
                                      .step(setup, 0)
                                      .step(Hold{}, 0)
                                      .step(held_read, 1)
                                      .arrives()
                                      .step(InLane{1}, 0)
                                      .step(Destroy{}, 0)
                                      .asleep(1)
                                      .step(ReleaseHeld{.result = 2}, 0)
                                      .returns(1, 0)
                                      .diverging(Kind::kLost, number(What::kLaneResult, 1, 0))},
      {"moved_ring", TraceBuilder()
                         .step(setup, 0)
                         .step(RingMap{}, 0)
                         .moves()
                         .step(RingMap{.action = MapAction::kHide}, 0)
                         .step(RingMap{.action = MapAction::kOpen}, 0)
                         .step(submit(request(kPread, Fd::kFile, 8)), 1, 1)
                         .step(Getevents{}, 1, 1)
                         .diverging(Kind::kCount, number(What::kResult, 0, 1))},
      {"hidden_ring", TraceBuilder()
                          .step(setup, 0)
                          .step(RingMap{.action = MapAction::kHide}, 0)
                          .step(Getevents{}, -EINVAL)
                          .diverging(Kind::kErrno, number(What::kResult, 0, -EINVAL))},
      {"narrow_calls", TraceBuilder()
                           .step(Through{EntryKind::kCompat}, 0)
                           .step(setup, 0)
                           .step(Getevents{.sec = std::int64_t{1} << 32}, 0)
                           .step(vectored, 1, 1)
                           .diverging(Kind::kFile, number(What::kFileLength, 0, 6003))},
      {"library", TraceBuilder()
                      .step(setup, 0)
                      .step(Through{EntryKind::kLibaio}, 0)
                      .step(Getevents{.min_nr = -1}, 0)
                      .step(Pgetevents{.min_nr = -1, .nsec = 1, .size = 4}, -EINVAL)
                      .diverging(Kind::kErrno, number(What::kResult, 0, -EINVAL))},
      {"timer", TraceBuilder()
                    .step(setup, 0)
                    .step(Expire{}, 0)
                    .step(submit(request(kPread, Fd::kTimer, 8)), 1, 1)
                    .diverging(Kind::kEvent, bytes(What::kArenaBytes, arena::kBuffers, {1, 0, 0, 0, 0, 0, 0, 0}))},
      {"child", TraceBuilder()
                    .step(setup, 0)
                    .step(InChild{}, 0)
                    .step(RingStore{.field = RingField::kMagic, .value = 7}, 0)
                    .step(InChild{}, 0)
                    .step(Destroy{}, -EINVAL)
                    .diverging(Kind::kErrno, number(What::kResult, 0, -EINVAL))},
      {"submit_sleeps", TraceBuilder()
                            .step(setup, 0)
                            .step(InLane{2}, 0)
                            .step(submit(request(kPread, Fd::kPipeRead, 8)), 0)
                            .asleep(2)
                            .step(InLane{0}, 0)
                            .step(FdWrite{Fd::kPipeWrite, 4, 1}, 4, 1)
                            .returns(2, 1)
                            .diverging(Kind::kLost, number(What::kLaneResult, 2, 1))},
      {"read_only_iocb", TraceBuilder()
                             .step(setup, 0)
                             .step(submit([] {
                                     IocbSpec spec = poll_of(Fd::kEvent, kPollIn);
                                     spec.at = arena::kReadOnly;
                                     return spec;
                                   }()),
                                   -kEFAULT)
                             .diverging(Kind::kErrno, result(-kEFAULT))},
  };
}

// The same trace with an expectation that no kernel fulfils.
Trace falsified(Trace trace) {
  Check& check = *trace.divergence->check;
  for (std::int64_t& value : check.values) {
    value = check.what == What::kElapsed ? 1'000'000'000'000 : value + 77;
  }
  for (std::uint8_t& byte : check.bytes) byte ^= 0x55;
  return trace;
}

bool can_run() {
  const Folder folder;
  const std::string probe =
      "#include <unistd.h>\n#include <sys/syscall.h>\nint main(void) { unsigned long c = 0; "
      "return syscall(SYS_io_setup, 1, &c) != 0; }\n";
  return folder.compile(probe) == 0 && folder.run("./r") == 0;
}

class Reproducer : public ::testing::TestWithParam<Case> {};

TEST_P(Reproducer, SaysWhetherTheKernelAnswersAsExpected) {
  if (!can_run()) GTEST_SKIP() << "no gcc or no AIO";
  Folder folder;
  ASSERT_EQ(folder.compile(reproducer_c(GetParam().honest)), 0);
  const int code = folder.run("./r > out 2>&1 || { e=$?; cat out; exit $e; }");
  if (code == 2 && folder.run("grep -q 'cannot serve the gate file' out") == 0) GTEST_SKIP() << "no gate file here";
  EXPECT_EQ(code, 0);
  ASSERT_EQ(folder.compile(reproducer_c(falsified(GetParam().honest)), "-O0"), 0);
  EXPECT_EQ(folder.run("./r > out"), 1);
}
INSTANTIATE_TEST_SUITE_P(Table, Reproducer, ::testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.name; });

TEST(Reproducer, GivesUpWhereAnEarlierCallTakesAnotherCourse) {
  if (!can_run()) GTEST_SKIP() << "no gcc or no AIO";
  Folder folder;
  const Trace trace =
      TraceBuilder().step(aio::Setup{0}, -kEFAULT).step(Destroy{}, -kEINVAL).diverging(Kind::kErrno, result(-kEINVAL));
  ASSERT_EQ(folder.compile(reproducer_c(trace)), 0);
  EXPECT_EQ(folder.run("./r > out"), 2);
}

TEST(Reproducer, ComesThroughWhereACallThatHungReturns) {
  if (!can_run()) GTEST_SKIP() << "no gcc or no AIO";
  Folder folder;
  Trace trace = TraceBuilder().step(aio::Setup{0}, -kEINVAL).diverging(Kind::kHang, std::nullopt);
  trace.steps[0].observation.reset();
  ASSERT_EQ(folder.compile(reproducer_c(trace)), 0);
  EXPECT_EQ(folder.run("./r > out"), 0);
}

// Compiled only: a random program may do anything to the machine.
TEST(Reproducer, CompilesWithoutWarningsForAnyTrace) {
  if (!can_run()) GTEST_SKIP() << "no gcc or no AIO";
  Folder folder;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    testing::RandomWorld world(seed);
    Trace trace = world.trace(15);
    Check& check = *trace.divergence->check;
    trace.divergence->operation = world.below(16);
    check.what = static_cast<What>(seed % kCheckCount);
    check.at = check.what == What::kArenaBytes ? arena::kBuffers : 4;
    const bool is_bytes = check.what == What::kArenaBytes || check.what == What::kRingBytes ||
                          check.what == What::kFileBytes || check.what == What::kReadBytes;
    if (!is_bytes) check.bytes.clear();
    ASSERT_EQ(folder.compile(reproducer_c(trace), seed % 2 == 0 ? "-O2" : "-O0"), 0);
  }
}

TEST(Reproducer, CannotBeBrokenOutOfItsComments) {
  Folder folder;
  Trace trace = TraceBuilder().step(aio::Setup{0}, -kEINVAL).diverging(Kind::kErrno, result(0));
  trace.kernel = "6 */ #error /* \n#error";
  const std::string c = reproducer_c(trace);
  EXPECT_EQ(c.find("\n#error"), std::string::npos);
  EXPECT_EQ(c.find("6 */"), std::string::npos);
}

}  // namespace
}  // namespace aio
