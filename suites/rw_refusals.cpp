// SPDX-License-Identifier: GPL-2.0-or-later
//
// PREAD, PWRITE, PREADV and PWRITEV that io_submit refuses: what is left of them.
// Claims: no event, no signal, no byte, and no reference to the file.
// Provoked by each kind of refusal in turn, at a file whose bytes are known and at the last descriptor of a pipe's end.
// Not seen: slots (quota.cpp), other errors of the iocb (io_submit.cpp).
#include <fcntl.h>

#include "suites/harness/case.h"

namespace aio::suites {
namespace {

struct Refusal {
  const char* what;
  Release since;
  void (*spoil)(Iocb&);  // of a transfer of 16 bytes from arena::kBuffers on
  int error;
};

// Each after all checks before it have passed.
constexpr Refusal kRefusals[] = {
    {"unknown priority class",
     {4, 18},
     [](Iocb& iocb) {
       iocb.flags |= kFlagIoprio;
       iocb.reqprio = static_cast<std::int16_t>(7 << 13);
     },
     EINVAL},
    {"unknown flag", {4, 13}, [](Iocb& iocb) { iocb.rw_flags = 0x80000000; }, EOPNOTSUPP},
    {"buffer of the kernel", {}, [](Iocb& iocb) { iocb.buf = arena::kKernel; }, EFAULT},
    {"too many segments",
     {},
     [](Iocb& iocb) {
       iocb.opcode = iocb.opcode == kPread ? kPreadv : kPwritev;
       iocb.nbytes = 1025;
     },
     EINVAL},
    {"unmapped vector",
     {},
     [](Iocb& iocb) {
       iocb.opcode = iocb.opcode == kPread ? kPreadv : kPwritev;
       iocb.buf = arena::kUnmapped;
       iocb.nbytes = 9;
     },
     EFAULT},
    {"negative offset", {}, [](Iocb& iocb) { iocb.offset = -1; }, EINVAL},
    {"end beyond the largest offset", {}, [](Iocb& iocb) { iocb.offset = INT64_MAX; }, EINVAL},
};

}  // namespace

SUITE_TEST(rw_refusals, neither_event_nor_signal_nor_byte,
           {.holds = {"rw.refusal_gives_no_event", "event.none_without_request", "resfd.one_per_completion",
                      "memory.nothing_else_written", "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  const Descriptor counter = eventfd();
  put(arena::kBuffers, "untouched");
  for (const Opcode opcode : {kPread, kPwrite}) {
    for (const Refusal& each : kRefusals) {
      if (profile().release < each.since) continue;
      each.spoil(signal(prepare(0, opcode, fd.get(), arena::kBuffers, 16), counter.get()));
      claim("rw.refusal_gives_no_event");
      EXPECT_ERROR(each.error, submit(ctx, {0})) << opcode << ", " << each.what;
      EXPECT_EQ(in_ring(ctx), 0u) << opcode << ", " << each.what;
      claim("resfd.one_per_completion");
      EXPECT_EQ(drain(counter.get()), 0u) << opcode << ", " << each.what;
    }
  }
  claim("memory.nothing_else_written");
  EXPECT_EQ(get(arena::kBuffers, 9), "untouched");
  claim("files.nothing_else_written");
  EXPECT_EQ(content(fd.get()), "0123456789");
}

SUITE_TEST(rw_refusals, no_reference_to_the_file, {.holds = {"files.no_reference_left"}}) {
  const std::uint64_t ctx = setup();
  for (const Refusal& each : kRefusals) {
    if (profile().release < each.since) continue;
    Pipe ends = pipe(O_NONBLOCK);
    each.spoil(prepare(0, kPwrite, ends.write.get(), arena::kBuffers, 16));
    ASSERT_ERROR(each.error, submit(ctx, {0})) << each.what;
    char byte = 0;
    EXPECT_EQ(::read(ends.read.get(), &byte, 1), -1) << each.what << ": the pipe's end is open";
    ends.write = Descriptor();
    EXPECT_EQ(::read(ends.read.get(), &byte, 1), 0) << each.what << ": and closed now";
  }
}

SUITE_TEST(rw_refusals, no_reference_where_mode_or_method_is_missing, {.holds = {"files.no_reference_left"}}) {
  const std::uint64_t ctx = setup();
  Pipe ends = pipe(O_NONBLOCK);
  prepare(0, kPread, ends.write.get(), arena::kBuffers, 16);
  ASSERT_ERROR(EBADF, submit(ctx, {0}));
  if (since(4, 18)) {
    prepare(0, kFsync, ends.write.get());
    ASSERT_ERROR(EINVAL, submit(ctx, {0}));
  }
  ends.write = Descriptor();
  char byte = 0;
  EXPECT_EQ(::read(ends.read.get(), &byte, 1), 0);
}

SUITE_TEST(rw_refusals, the_next_iocb_of_the_list_is_not_tried,
           {.holds = {"io_submit.count_beats_later_error", "rw.refusal_gives_no_event"}}) {
  const std::uint64_t ctx = setup(4);
  const Descriptor fd = file("0123456789");
  put(arena::kBuffers, "abcdefghijklmnop");
  for (const Refusal& each : kRefusals) {
    if (profile().release < each.since) continue;
    prepare(0, kPread, fd.get(), arena::kBuffers + 100, 4);
    each.spoil(prepare(1, kPwrite, fd.get(), arena::kBuffers, 16));
    prepare(2, kPwrite, fd.get(), arena::kBuffers, 16);
    EXPECT_RETURNS(1, submit(ctx, {0, 1, 2})) << each.what;
    claim("rw.refusal_gives_no_event");
    EXPECT_EQ(in_ring(ctx), 1u) << each.what;
    EXPECT_EQ(content(fd.get()), "0123456789") << each.what;
    collect(ctx, 1);
    claim("io_submit.count_beats_later_error");
  }
}

}  // namespace aio::suites
