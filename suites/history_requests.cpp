// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bugs that kernels had, as in history.cpp: reads, writes and fsyncs.
// Claims: this kernel has none of them.
// Provoked by the request that showed each, through descriptors that are closed and reads that signals end too.
// Not seen: the bugs below AIO, in the file systems.
#include <fcntl.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "suites/harness/case.h"
#include "suites/harness/setting.h"

namespace aio::suites {

// F14, CVE-2015-8830 as well.
SUITE_TEST(history, cve_2012_6701_length, {.holds = {"history.length_is_cut_before_use"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto longest = static_cast<std::int64_t>(0x80000000 - machine().page_size);
  for (const std::uint64_t length : {std::uint64_t{0x7fffffff}, std::uint64_t{0x80000000}, std::uint64_t{0xfffffff0},
                                     std::uint64_t{0x100000001}, std::uint64_t{1} << 62}) {
    prepare(0, kPwrite, null.get(), arena::kBuffers, length);
    EXPECT_EQ(result(ctx, 0), longest) << length;
  }
}

// F14b, CVE-2010-3067. The first of these counts is 8 bytes, cut to 64 bits: one pointer.
SUITE_TEST(history, 75e1c70fc314_nr_overflow,
           {.holds = {"history.size_of_list_does_not_wrap"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  prepare(0, kPread, where.get());
  const Address pointers[] = {arena::iocb_slot(0), arena::iocb_slot(0)};
  const Address end = list(pointers, arena::kPointers + arena::kPage - sizeof pointers);
  for (const std::int64_t nr : {(std::int64_t{1} << 61) + 1, (std::int64_t{1} << 60) + 1, INT64_MAX}) {
    if (since(4, 18)) {
      EXPECT_RETURNS(2, io_submit(ctx, nr, end)) << nr;
    } else {
      EXPECT_ERROR(EFAULT, io_submit(ctx, nr, end)) << nr;
    }
  }
}

// F16.
SUITE_TEST(history, 53fffe29a9e6_no_file_leak_on_bad_ioprio,
           {.holds = {"files.no_reference_left", "rw.unknown_ioprio_class_is_einval"}, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe(O_NONBLOCK);
  Iocb& made = prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 1);
  made.flags = kFlagIoprio;
  made.reqprio = static_cast<std::int16_t>(7 << 13);
  claim("rw.unknown_ioprio_class_is_einval");
  ASSERT_ERROR(EINVAL, submit(ctx, {0}));
  claim("files.no_reference_left");
  ends.write = Descriptor();
  char byte = 0;
  EXPECT_EQ(::read(ends.read.get(), &byte, 1), 0) << "the pipe still has a writer";
}

// F28, in release candidates of 4.18.
SUITE_TEST(history, ac060cbaa862_fdsync_is_no_fall_through, {.holds = {"fdsync.result_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file("content");
  prepare(0, kFdsync, where.get());
  EXPECT_EQ(result(ctx, 0), 0);
}

// F29. The file system sees who submitted the fsync, not the kernel thread that does it.
SUITE_TEST(history, 530f32fc370f_fsync_credentials,
           {.holds = {"held.credentials_of_submitter", "fsync.result_is_zero"}, .needs = "gate,>=4.18"}) {
  const std::uint64_t ctx = setup();
  const Gate gate;
  const Descriptor held(gate.open());
  constexpr uid_t kSomebody = 4711;
  prepare(0, kFsync, held.get());
  // Kernel threads are root; so must this one not be.
  const uid_t self = machine().uid;
  const uid_t submitter = self == 0 ? kSomebody : self;
  ::setfsuid(submitter);
  if (static_cast<uid_t>(::setfsuid(submitter)) != submitter) skip("this process cannot be somebody else than root");
  const Answer answer = submit(ctx, {0});
  ::setfsuid(self);
  ASSERT_RETURNS(1, answer);
  const std::vector<GateRequest> arrived = entry().held(gate, 1, setting().patience, 0);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0].uid, submitter);
  claim("fsync.result_is_zero");
  entry().answer_held(gate, arrived[0].id, 0, cpus().number(0));
  EXPECT_EQ(collect(ctx, 1).front().res, 0);
}

// F39. The descriptor is closed while io_submit sleeps in the read.
SUITE_TEST(history, 0b944d3a4bba_request_keeps_its_file,
           {.holds = {"history.request_keeps_its_file"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 5);
  Lane reader(cpus().number(1 % cpus().count()));
  Answer answer;
  reader.start([&] { answer = submit(ctx, {0}); });
  ASSERT_EQ(reader.settle(numbers().io_submit), Lane::State::kAsleep);
  ends.read = Descriptor();
  pollfd broken{ends.write.get(), 0, 0};
  EXPECT_EQ(::poll(&broken, 1, 0), 0) << "the pipe has lost its reader";
  ASSERT_EQ(::write(ends.write.get(), "bytes", 5), 5);
  reader.wait();
  ASSERT_RETURNS(1, answer);
  EXPECT_EQ(collect(ctx, 1).front().res, 5);
  EXPECT_EQ(get(arena::kBuffers, 5), "bytes");
  EXPECT_TRUE(await([&] { return ::poll(&broken, 1, 0) == 1; })) << "the pipe still has a reader";
  EXPECT_EQ(broken.revents, POLLERR);
}

// F42. A signal comes again and again, as one could come before the read has begun.
SUITE_TEST(history, a0c42bac7965_interrupted_read, {.holds = {"rw.signal_is_result_eintr"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare(0, kPread, ends.read.get(), arena::kBuffers, 1);
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGALRM, &action, nullptr), 0);
  const itimerval often{{0, 20000}, {0, 20000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  const Answer answer = submit(ctx, {0});
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_RETURNS(1, answer);
  EXPECT_EQ(collect(ctx, 1).front(), (Event{100, arena::iocb_slot(0), -EINTR, 0}));
}

// F43. The completion got lost where the device has queues that are polled.
SUITE_TEST(history, 154989e45fd8_hipri_completes,
           {.holds = {"event.one_for_every_request"}, .needs = ">=4.13,direct"}) {
  const std::uint64_t ctx = setup();
  const Descriptor direct = file(std::string(4096, 'a'), O_DIRECT);
  prepare(0, kPread, direct.get(), arena::kBuffers, 4096).rw_flags = kRwfHipri;
  EXPECT_EQ(complete(ctx, 0), (Event{100, arena::iocb_slot(0), 4096, 0}));
  EXPECT_EQ(get(arena::kBuffers, 4096), std::string(4096, 'a'));
}

}  // namespace aio::suites
