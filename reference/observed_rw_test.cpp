// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes on the kernels of observed.h: flags, buffers of which a part is missing, and files that learned to
// be read. Source: semantics.md A.2; E6 to E8, E11, E30, E31, E38, E42 to E45, E50.
#include "reference/observed.h"

namespace aio::observed {
namespace {

IocbSpec transfer(bool write, std::uint64_t nbytes, Fd fd = Fd::kFile) {
  IocbSpec spec;
  spec.key = 9;
  spec.opcode = write ? kPwrite : kPread;
  spec.nbytes = nbytes;
  spec.fd = fd;
  return spec;
}

using Prelude = void (*)(FakeKernel&);

void expect_transfer_told_apart(const std::string& check, const IocbSpec& spec, const Answers<Submitted>& answers,
                                const Machine& machine = fake_machine(), Prelude prelude = nullptr) {
  expect_told_apart(check, answers, [&](const Profile& profile, const Submitted& answer) {
    FakeKernel kernel(profile, {}, machine);
    EXPECT_FALSE(kernel.setup().divergence);
    if (prelude != nullptr) prelude(kernel);
    return submit(kernel, spec, answer);
  });
}

const Since<Submitted> kReserved{k4_9, refused_before_key(kEINVAL), Req::kSubmitReserved};

// rwf.memfd, rwf.tmpfs, rwf.ext, rwf.blkdev, rwf.null: read and write with each of 0x1 to 0x800 but 0x8.
TEST(ObservedRw, flags_are_known_since_their_release) {
  for (const Fd fd : {Fd::kFile, Fd::kNull}) {
    for (const bool write : {false, true}) {
      for (std::uint32_t flag = 1; flag <= 0x800; flag <<= 1) {
        if (flag == kRwfNowait) continue;
        IocbSpec spec = transfer(write, 5, fd);
        spec.rw_flags = flag;
        const std::string check = std::string(fd == Fd::kNull ? "rwf.null" : "rwf.memfd, tmpfs, ext, blkdev") +
                                  (write ? " write " : " read ") + std::to_string(flag);
        const Submitted taken = event(fd == Fd::kNull && !write ? 0 : 5);
        Answers<Submitted> answers{kReserved};
        if (flag <= kRwfAppend) answers.push_back({k4_19, taken, Req::kSubmitCounts});
        if (flag > kRwfAppend) answers.push_back({k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsUnknown});
        if (flag == kRwfNoappend) answers.push_back({k6_12, taken, Req::kSubmitCounts});
        if (flag == kRwfAtomic) {
          // Known to 6.12, which the same errno does not tell: no file here takes it.
          EXPECT_NE(profile_for(kKernels[k6_12]).rw_flags & kRwfAtomic, 0u);
          answers.push_back({k6_12, refused(kEOPNOTSUPP), write ? Req::kRwFlagsAtomicWrite : Req::kRwFlagsAtomicRead});
        }
        expect_transfer_told_apart(check, spec, answers);
      }
    }
  }
}

TEST(ObservedRw, other_flags) {
  const auto flagged = [](bool write, std::uint32_t flags, Fd fd = Fd::kFile, std::uint64_t nbytes = 5) {
    IocbSpec spec = transfer(write, nbytes, fd);
    spec.rw_flags = flags;
    return spec;
  };
  const Since<Submitted> unknown{k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsUnknown};
  const Since<Submitted> both{k6_12, refused(kEINVAL), Req::kRwFlagsAppendBoth};
  expect_transfer_told_apart("rwf.read 0x80000000", flagged(false, 0x80000000), {kReserved, unknown});
  for (const bool write : {false, true}) {
    IocbSpec spec = flagged(write, kRwfAppend | kRwfNoappend);
    spec.key = 0;  // so that the first and the last kernel answer alike
    expect_transfer_told_apart("rwf.read APPEND|NOAPPEND, rwf.write APPEND|NOAPPEND", spec,
                               {{k4_9, refused(kEINVAL), Req::kSubmitReserved}, unknown, both});
  }
  expect_transfer_told_apart("rwf.read DSYNC(reserved1=2)", flagged(false, kRwfDsync),
                             {kReserved, {k4_19, event(5), Req::kSubmitCounts}});
  expect_transfer_told_apart("rwf.NOAPPEND on O_APPEND", flagged(true, kRwfNoappend, Fd::kFileAppend),
                             {kReserved, unknown, {k6_12, event(5), Req::kSubmitCounts}});
  expect_transfer_told_apart("rwf.EPIPE NOSIGNAL", flagged(true, kRwfNosignal, Fd::kPipeWrite), {kReserved, unknown});
}

// "dio.read HIPRI", "dio.write ATOMIC".
TEST(ObservedRw, flags_of_direct_requests) {
  Machine machine = fake_machine();
  machine.direct = true;
  IocbSpec spec = transfer(false, 4096, Fd::kDirect);
  spec.rw_flags = kRwfHipri;
  expect_transfer_told_apart("dio.read HIPRI", spec, {kReserved, {k4_19, event(4096), Req::kSubmitCounts}}, machine);
  spec.opcode = kPwrite;
  spec.rw_flags = kRwfAtomic;
  expect_transfer_told_apart("dio.write ATOMIC", spec,
                             {kReserved,
                              {k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsUnknown},
                              {k6_12, refused(kEOPNOTSUPP), Req::kRwFlagsAtomicWrite}},
                             machine);
}

// RWF_NOWAIT by the kind of file. What a file system does is a fact of the machine: "ext" took it on 4.19.222, 5.4.286,
// 5.10.198 and the small 6.12.117, where a write then failed, and was another file system elsewhere.
TEST(ObservedRw, files_that_need_not_wait) {
  const auto nowait = [](Fd fd, bool write = false) {
    IocbSpec spec = transfer(write, 8, fd);
    spec.rw_flags = kRwfNowait;
    return spec;
  };
  const Since<Submitted> refuses{k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsNowait};
  const auto later = [&](Kernel since, std::int64_t res) {
    return Answers<Submitted>{kReserved, refuses, {since, event(res), Req::kSubmitCounts}};
  };
  expect_transfer_told_apart("rwf.memfd read 0x8, rwf.tmpfs read 0x8", nowait(Fd::kFile), {kReserved, refuses});
  expect_transfer_told_apart("rwf.memfd write 0x8, rwf.tmpfs write 0x8", nowait(Fd::kFile, true), {kReserved, refuses});
  for (const int error : {kEOPNOTSUPP, kEINVAL}) {
    Machine machine = fake_machine();
    machine.file_nowait = true;
    machine.nowait_write_error = error;
    expect_transfer_told_apart("rwf.ext read 0x8, rwf.blkdev read 0x8", nowait(Fd::kFile),
                               {kReserved, {k4_19, event(8), Req::kSubmitCounts}}, machine);
    expect_transfer_told_apart("rwf.ext write 0x8, rwf.blkdev write 0x8", nowait(Fd::kFile, true),
                               {kReserved, {k4_19, event(-error), Req::kSubmitCounts}}, machine);
  }
  expect_transfer_told_apart("rwf.null read 0x8", nowait(Fd::kNull), later(k6_1, 0));
  expect_transfer_told_apart("rwf.null write 0x8", nowait(Fd::kNull, true), later(k6_1, 8));
  expect_transfer_told_apart("rwf.NOWAIT empty pipe", nowait(Fd::kPipeRead), later(k6_12, -kEAGAIN));
  expect_transfer_told_apart("rwf.NOWAIT full pipe", nowait(Fd::kPipeWrite, true), later(k6_12, 8));
  expect_transfer_told_apart("rwf.NOWAIT empty socket", nowait(Fd::kSocket0), later(k6_12, -kEAGAIN));
  // The flag is looked at before whether the file can be read at all.
  expect_transfer_told_apart("rwf.NOWAIT empty eventfd", nowait(Fd::kEvent), later(k5_10, -kEAGAIN));
}

void write_eventfd(FakeKernel& kernel) {
  EXPECT_FALSE(kernel
                   .run(FdWrite{Fd::kEvent, 8, 5},
                        [](FakeKernel& k) {
                          k.result = 8;
                          k.counters[0] = 5;
                        })
                   .divergence);
}

// A read that takes the eventfd's counter, or the timer's.
void expect_counts_told_apart(const char* check, Fd fd, std::uint32_t flags, const Answers<Submitted>& answers) {
  expect_told_apart(check, answers, [&](const Profile& profile, const Submitted& answer) {
    FakeKernel kernel(profile);
    EXPECT_FALSE(kernel.setup().divergence);
    if (fd == Fd::kEvent) write_eventfd(kernel);
    if (fd == Fd::kTimer) kernel.run(Expire{});
    IocbSpec spec = transfer(false, 8, fd);
    spec.rw_flags = flags;
    if (answer.res) {
      const std::uint64_t value = fd == Fd::kEvent ? 5 : 1;
      return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
        k.result = 1;
        k.store_word(spec.at + 8, 0, 4);
        k.store_word(spec.buf, value, 8);
        k.counters[0] = 0;
        k.rings[0].add({spec.data, spec.at, *answer.res, 0});
      });
    }
    return submit(kernel, spec, answer);
  });
}

TEST(ObservedRw, files_that_learned_to_be_read) {
  const Since<Submitted> none{k4_9, refused(kEINVAL), Req::kRwNeedsMethod};
  expect_counts_told_apart("type.read eventfd 5", Fd::kEvent, 0, {none, {k5_10, event(8), Req::kSubmitCounts}});
  expect_counts_told_apart(
      "rwf.NOWAIT eventfd 1", Fd::kEvent, kRwfNowait,
      {kReserved, {k4_19, refused(kEOPNOTSUPP), Req::kRwFlagsNowait}, {k5_10, event(8), Req::kSubmitCounts}});
  expect_counts_told_apart("type.read timerfd expired", Fd::kTimer, 0, {none, {k6_12, event(8), Req::kSubmitCounts}});
  expect_transfer_told_apart("type.read eventfd 0 nonblock", transfer(false, 8, Fd::kNbEvent),
                             {none, {k5_10, event(-kEAGAIN), Req::kSubmitCounts}});
}

// So many bytes at the end of the buffers' area are mapped, and none behind them.
TEST(ObservedRw, writes_of_a_buffer_that_is_mapped_in_part) {
  constexpr Address kEndOfBuffers = arena::kBuffers + 2 * arena::kPage;
  const struct {
    const char* check;
    std::uint64_t nbytes, mapped;
  } rows[] = {
      {"partial.memfd, tmpfs, ext PWRITE 20, 10 mapped", 20, 10},
      {"partial.memfd, tmpfs, ext PWRITE 4096, 2048 mapped", 4096, 2048},
  };
  for (const auto& each : rows) {
    IocbSpec spec = transfer(true, each.nbytes);
    spec.buf = kEndOfBuffers - each.mapped;
    const Answers<Submitted> answers{{k4_9, event(-kEFAULT), Req::kWriteFaultIsResult},
                                     {k6_1, event(static_cast<std::int64_t>(each.mapped)), Req::kWriteShortOnFault}};
    expect_transfer_told_apart(each.check, spec, answers);
  }
  IocbSpec spec = transfer(true, 2);
  spec.opcode = kPwritev;
  spec.buf = arena::kIovecs;
  spec.segments = {{arena::kBuffers, 5}, {arena::kNull, 5}};
  expect_transfer_told_apart(
      "partial.memfd, tmpfs, ext PWRITEV good,NULL", spec,
      {{k4_9, event(-kEFAULT), Req::kWriteFaultIsResult}, {k6_1, event(5), Req::kWriteShortOnFault}});
}

}  // namespace
}  // namespace aio::observed
