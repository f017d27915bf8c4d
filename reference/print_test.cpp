// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/print.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

#include "reference/field_change.h"

namespace aio {
namespace {

// A submission of this one iocb.
std::string submitted(const IocbSpec& iocb) {
  Submit submit;
  submit.iocbs = {iocb};
  return operation_text(submit);
}

TEST(Print, a_read_that_signals_an_eventfd) {
  IocbSpec iocb;
  iocb.buf = arena::kBuffers + 0x10;
  iocb.nbytes = 512;
  iocb.flags = kFlagResfd;
  EXPECT_EQ(submitted(iocb), "io_submit(ctx0, 1, [pread(file, buffers+0x10, 512, offset 0) resfd=event])");
}

TEST(Print, a_poll_and_an_fsync_show_what_they_use) {
  IocbSpec poll;
  poll.opcode = kPoll;
  poll.fd = Fd::kPipeRead;
  poll.buf = kPollIn | kPollRdhup;
  EXPECT_EQ(submitted(poll), "io_submit(ctx0, 1, [poll(pipe_read, IN|RDHUP)])");
  poll.buf = 0x10001;
  poll.nbytes = 1;
  EXPECT_EQ(submitted(poll), "io_submit(ctx0, 1, [poll(pipe_read, buf 0x10001, nbytes 1)])");
  IocbSpec fsync;
  fsync.opcode = kFsync;
  EXPECT_EQ(submitted(fsync), "io_submit(ctx0, 1, [fsync(file, buf buffers)])");
  fsync.buf = 0;
  EXPECT_EQ(submitted(fsync), "io_submit(ctx0, 1, [fsync(file)])");
}

TEST(Print, a_vectored_write_with_every_field) {
  IocbSpec iocb;
  iocb.opcode = kPwritev;
  iocb.fd = Fd::kMinusOne;
  iocb.at = arena::kReadOnly;
  iocb.buf = arena::kIovecs;
  iocb.nbytes = 2;
  iocb.offset = {Symbol::kMaxFile, -1};
  iocb.segments = {{arena::kBuffers, 16}, {arena::kNull, 0}};
  iocb.resfd = Fd::kNever;
  iocb.rw_flags = kRwfNowait | 0x200;
  iocb.flags = kFlagIoprio | 4;
  iocb.reqprio = static_cast<std::int16_t>(0xe001);
  iocb.data = 5;
  iocb.key = 1;
  iocb.reserved2 = 7;
  EXPECT_EQ(submitted(iocb),
            "io_submit(ctx0, 1, [pwritev(minus_one, iovecs, 2, offset max_file-1) "
            "iov={buffers:16 null:0} (resfd=never) rw_flags=NOWAIT|0x200 IOPRIO flags=0x4 "
            "reqprio=0xe001 data=0x5 key=0x1 reserved2=0x7 @readonly])");
}

TEST(Print, a_list_of_iocbs_in_their_usual_slots) {
  Submit submit;
  submit.nr = 2;
  submit.fill = 2;
  submit.iocbs.resize(2);
  submit.iocbs[0].opcode = submit.iocbs[1].opcode = kFdsync;
  submit.iocbs[0].buf = submit.iocbs[1].buf = 0;
  submit.iocbs[1].at = arena::iocb_slot(1);
  EXPECT_EQ(operation_text(submit), "io_submit(ctx0, 2, [fdsync(file), fdsync(file)])");
  submit.iocbs[1].at = arena::iocb_slot(0);
  submit.list = arena::kKernel;
  submit.fill = 1;
  EXPECT_EQ(operation_text(submit), "io_submit(ctx0, 2, kernel [fdsync(file), fdsync(file) @iocbs]) fill=1");
}

TEST(Print, waits_show_where_and_how_long) {
  Getevents op;
  op.nr = {Symbol::kQuota, 1};
  EXPECT_EQ(operation_text(op), "io_getevents(ctx0, min 0, nr quota+1, events, {0,0})");
  op.timeout = arena::kNull;
  EXPECT_EQ(operation_text(op), "io_getevents(ctx0, min 0, nr quota+1, events, null)");
  op.timeout = arena::kReadOnly;
  op.sec = -1;
  EXPECT_EQ(operation_text(op), "io_getevents(ctx0, min 0, nr quota+1, events, readonly{-1,0})");

  Pgetevents masked;
  masked.signals = 0x200;
  EXPECT_EQ(operation_text(masked), "io_pgetevents(ctx0, min 0, nr 1, events, {0,0}, sigset{0x200})");
  masked.sigset = arena::kNoAccess;
  masked.mask = arena::kNull;
  masked.size = 4;
  EXPECT_EQ(operation_text(masked),
            "io_pgetevents(ctx0, min 0, nr 1, events, {0,0}, sigset noaccess{0x200 at null, size 4})");
}

TEST(Print, the_other_operations) {
  EXPECT_EQ(operation_text(aio::Setup{}), "io_setup(1, &ctx0)");
  EXPECT_EQ(operation_text(aio::Setup{{Symbol::kMaxNr, 1}, arena::kReadOnly, 5}),
            "io_setup(max_nr+1, readonly) initial=0x5");
  EXPECT_EQ(operation_text(Destroy{{Symbol::kContext1, 8}}), "io_destroy(ctx1+8)");
  EXPECT_EQ(operation_text(Destroy{0x7f0012345000}), "io_destroy(0x7f0012345000)");
  EXPECT_EQ(operation_text(Cancel{}), "io_cancel(ctx0, iocbs)");
  EXPECT_EQ(operation_text(Cancel{context(2), arena::iocb_slot(1), 0}), "io_cancel(ctx2, iocbs+0x40, null)");
  EXPECT_EQ(operation_text(RingStore{context(0), RingField::kHead, {Symbol::kTail, 1}}), "ring.head(ctx0) = tail+1");
  EXPECT_EQ(operation_text(Reap{context(0), {Symbol::kInRing, 0}}), "reap(ctx0, in_ring)");
  EXPECT_EQ(operation_text(Move{1}), "move(cpu 1)");
  EXPECT_EQ(operation_text(FdWrite{}), "fd_write(pipe_write, 8 bytes)");
  EXPECT_EQ(operation_text(FdWrite{Fd::kEvent, 8, 3}), "fd_write(event, 8 bytes, value 0x3)");
  EXPECT_EQ(operation_text(FdRead{}), "fd_read(pipe_read, 8 bytes)");
  EXPECT_EQ(operation_text(FdClose{Fd::kSocket1}), "fd_close(socket1)");
  EXPECT_EQ(operation_text(Interrupt{1}), "interrupt(lane 1)");
  EXPECT_EQ(operation_text(Interrupt{3, SignalKind::kStop}), "interrupt(lane 3, stop)");
  EXPECT_EQ(operation_text(Store{arena::kIocbs + 8, 1, 4}), "store(iocbs+0x8, 4 bytes, 0x1)");
}

TEST(Print, a_program_is_numbered_lines) {
  EXPECT_EQ(program_text(Program{}), "");
  EXPECT_EQ(program_text(Program{{aio::Setup{}, Destroy{}}}), "  0  io_setup(1, &ctx0)\n  1  io_destroy(ctx0)\n");
}

TEST(Print, two_different_operations_never_print_the_same) {
  std::mt19937_64 random(1);
  std::unordered_map<std::string, Operation> printed;
  for (int walk = 0; walk < 12000; ++walk) {
    Operation operation = one_of_each()[random() % kOperationCount];
    for (int step = 0; step < 25; ++step) {
      const Operation before = operation;
      // Beyond the last field nothing changes, which is as good a step.
      change_field(operation, static_cast<unsigned>(random() % 50), random());
      const std::string text = operation_text(operation);
      EXPECT_EQ(text == operation_text(before), operation == before) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos);
      const auto& known = printed.emplace(text, operation).first->second;
      ASSERT_EQ(known, operation) << text;
    }
  }
  EXPECT_GT(printed.size(), 10000u);
}

TEST(Print, every_field_of_a_full_submission_shows) {
  Submit submit;
  submit.iocbs.resize(3);
  for (const Opcode opcode : {kPreadv, kPoll, kFsync, kNoop}) {
    for (IocbSpec& iocb : submit.iocbs) {
      iocb.opcode = opcode;
      iocb.segments.resize(2);
    }
    for (std::uint64_t bit = 0; bit < 64; ++bit) {
      for (unsigned i = 0;; ++i) {
        Operation after = submit;
        if (!change_field(after, i, 2 * bit + 1)) break;
        EXPECT_NE(operation_text(after), operation_text(submit)) << "field " << i << " bit " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace aio
