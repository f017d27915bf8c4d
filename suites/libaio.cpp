// SPDX-License-Identifier: GPL-2.0-or-later
//
// libaio, the header: its structures and the functions that prepare iocbs (<libaio.h>).
// Claims: they are those of the kernel, and what they prepare does what their names say.
// Provoked by comparing bytes with the kernel's header, and by submitting one request of each kind.
// Not seen: the library's other symbol versions (LIBAIO_0.1), big-endian and 32-bit layouts.
#include <asm/byteorder.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/types.h>
#include <poll.h>
#include <unistd.h>

#include <bit>
#include <cstring>

#include "fixtures/libaio_library.h"
#include "suites/harness/case.h"

// Both headers name their structures iocb and io_event.
namespace kernel_header {
#include <linux/aio_abi.h>
}

namespace aio::suites {
namespace {

using LibraryIocb = ::iocb;
using LibraryEvent = ::io_event;

constexpr const char* kText = "0123456789";
constexpr std::size_t kSize = 10;

io_context_t context(std::uint64_t ctx) { return reinterpret_cast<io_context_t>(ctx); }
char* buffer(std::size_t offset = 0) { return reinterpret_cast<char*>(arena::kBuffers + offset); }
// Two halves of ten bytes, with a hole between them.
constexpr Iovec kHalves[] = {{arena::kBuffers, 5}, {arena::kBuffers + 100, 5}};
const ::iovec* vectors(Address at) { return reinterpret_cast<const ::iovec*>(at); }

// As the kernel reads it, in words.
std::string seen(const LibraryIocb& made) {
  const auto read = std::bit_cast<Iocb>(made);
  return fmt::format(
      "data {:#x} key {} rw_flags {:#x} opcode {} reqprio {} fildes {:#x} buf {:#x} nbytes {:#x} offset {} "
      "reserved2 {} flags {} resfd {}",
      read.data, read.key, read.rw_flags, read.opcode, read.reqprio, read.fildes, read.buf, read.nbytes, read.offset,
      read.reserved2, read.flags, read.resfd);
}
std::string wanted(const Iocb& iocb) { return seen(std::bit_cast<LibraryIocb>(iocb)); }

// What was in an iocb before must not stay.
LibraryIocb used() {
  LibraryIocb made;
  std::memset(&made, 0xff, sizeof made);
  return made;
}

// Submits one that was prepared, and returns its result.
std::int64_t result_of(std::uint64_t ctx, LibraryIocb& made) {
  LibraryIocb* list[] = {&made};
  const int accepted = library().io_submit(context(ctx), 1, list);
  if (accepted != 1) {
    ADD_FAILURE() << "io_submit returned " << accepted;
    return accepted;
  }
  LibraryEvent event{};
  timespec patience{10, 0};
  const int taken = library().io_getevents(context(ctx), 1, 1, &event, &patience);
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(event.obj, &made);
  return static_cast<std::int64_t>(event.res);
}

void called_back(io_context_t, LibraryIocb*, long, long) {}

}  // namespace

SUITE_TEST(libaio, structures_lie_as_in_the_kernels_header,
           {.holds = {"libaio.structures_are_the_kernels"}, .entries = kLibaioOnly}) {
  EXPECT_EQ(sizeof(LibraryIocb), 64u);
  EXPECT_EQ(sizeof(kernel_header::iocb), 64u);
  EXPECT_EQ(sizeof(Iocb), 64u);
  EXPECT_EQ(sizeof(LibraryEvent), 32u);
  EXPECT_EQ(sizeof(kernel_header::io_event), 32u);
  EXPECT_EQ(sizeof(Event), 32u);

  struct Member {
    const char* name;
    std::size_t offset;
    std::size_t library;
    std::size_t kernel;
    std::size_t ours;
  };
  using TheirIocb = kernel_header::iocb;
  using TheirEvent = kernel_header::io_event;
  const Member members[] = {
      {"aio_data", 0, offsetof(LibraryIocb, data), offsetof(TheirIocb, aio_data), offsetof(Iocb, data)},
      {"aio_key", 8, offsetof(LibraryIocb, key), offsetof(TheirIocb, aio_key), offsetof(Iocb, key)},
      {"aio_rw_flags", 12, offsetof(LibraryIocb, aio_rw_flags), offsetof(TheirIocb, aio_rw_flags),
       offsetof(Iocb, rw_flags)},
      {"aio_lio_opcode", 16, offsetof(LibraryIocb, aio_lio_opcode), offsetof(TheirIocb, aio_lio_opcode),
       offsetof(Iocb, opcode)},
      {"aio_reqprio", 18, offsetof(LibraryIocb, aio_reqprio), offsetof(TheirIocb, aio_reqprio),
       offsetof(Iocb, reqprio)},
      {"aio_fildes", 20, offsetof(LibraryIocb, aio_fildes), offsetof(TheirIocb, aio_fildes), offsetof(Iocb, fildes)},
      {"aio_buf", 24, offsetof(LibraryIocb, u.c.buf), offsetof(TheirIocb, aio_buf), offsetof(Iocb, buf)},
      {"aio_buf of a vector", 24, offsetof(LibraryIocb, u.v.vec), offsetof(TheirIocb, aio_buf), offsetof(Iocb, buf)},
      {"aio_buf of a poll", 24, offsetof(LibraryIocb, u.poll.events), offsetof(TheirIocb, aio_buf),
       offsetof(Iocb, buf)},
      {"aio_nbytes", 32, offsetof(LibraryIocb, u.c.nbytes), offsetof(TheirIocb, aio_nbytes), offsetof(Iocb, nbytes)},
      {"aio_nbytes of a vector", 32, offsetof(LibraryIocb, u.v.nr), offsetof(TheirIocb, aio_nbytes),
       offsetof(Iocb, nbytes)},
      {"aio_offset", 40, offsetof(LibraryIocb, u.c.offset), offsetof(TheirIocb, aio_offset), offsetof(Iocb, offset)},
      {"aio_reserved2", 48, offsetof(LibraryIocb, u.c.__pad3), offsetof(TheirIocb, aio_reserved2),
       offsetof(Iocb, reserved2)},
      {"aio_flags", 56, offsetof(LibraryIocb, u.c.flags), offsetof(TheirIocb, aio_flags), offsetof(Iocb, flags)},
      {"aio_resfd", 60, offsetof(LibraryIocb, u.c.resfd), offsetof(TheirIocb, aio_resfd), offsetof(Iocb, resfd)},
      {"event's data", 0, offsetof(LibraryEvent, data), offsetof(TheirEvent, data), offsetof(Event, data)},
      {"event's obj", 8, offsetof(LibraryEvent, obj), offsetof(TheirEvent, obj), offsetof(Event, obj)},
      {"event's res", 16, offsetof(LibraryEvent, res), offsetof(TheirEvent, res), offsetof(Event, res)},
      {"event's res2", 24, offsetof(LibraryEvent, res2), offsetof(TheirEvent, res2), offsetof(Event, res2)},
  };
  for (const Member& each : members) {
    EXPECT_EQ(each.library, each.offset) << each.name;
    EXPECT_EQ(each.kernel, each.offset) << each.name;
    EXPECT_EQ(each.ours, each.offset) << each.name;
  }
}

SUITE_TEST(libaio, opcodes_are_those_of_the_kernels_header,
           {.holds = {"libaio.structures_are_the_kernels"}, .entries = kLibaioOnly}) {
  struct Row {
    int library;
    int kernel;
    int ours;
  };
  constexpr Row kRows[] = {
      {IO_CMD_PREAD, kernel_header::IOCB_CMD_PREAD, kPread},
      {IO_CMD_PWRITE, kernel_header::IOCB_CMD_PWRITE, kPwrite},
      {IO_CMD_FSYNC, kernel_header::IOCB_CMD_FSYNC, kFsync},
      {IO_CMD_FDSYNC, kernel_header::IOCB_CMD_FDSYNC, kFdsync},
      {IO_CMD_POLL, kernel_header::IOCB_CMD_POLL, kPoll},
      {IO_CMD_NOOP, kernel_header::IOCB_CMD_NOOP, kNoop},
      {IO_CMD_PREADV, kernel_header::IOCB_CMD_PREADV, kPreadv},
      {IO_CMD_PWRITEV, kernel_header::IOCB_CMD_PWRITEV, kPwritev},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(row.library, row.kernel);
    EXPECT_EQ(row.ours, row.kernel);
  }
}

SUITE_TEST(libaio, prep_of_one_buffer,
           {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  auto* const where = reinterpret_cast<void*>(0x123456789a);
  LibraryIocb made = used();
  ::io_prep_pread(&made, 5, where, 0x100000002, -3);
  EXPECT_EQ(seen(made), wanted({.opcode = 0, .fildes = 5, .buf = 0x123456789a, .nbytes = 0x100000002, .offset = -3}));
  made = used();
  ::io_prep_pwrite(&made, -1, where, 7, 0x7fffffffffffffff);
  EXPECT_EQ(
      seen(made),
      wanted({.opcode = 1, .fildes = 0xffffffff, .buf = 0x123456789a, .nbytes = 7, .offset = 0x7fffffffffffffff}));
}

SUITE_TEST(libaio, prep_of_vectors,
           {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  const ::iovec* const where = vectors(0x123456789a);
  LibraryIocb made = used();
  ::io_prep_preadv(&made, 5, where, 3, 512);
  EXPECT_EQ(seen(made), wanted({.opcode = 7, .fildes = 5, .buf = 0x123456789a, .nbytes = 3, .offset = 512}));
  made = used();
  ::io_prep_pwritev(&made, 6, where, 1024, -1);
  EXPECT_EQ(seen(made), wanted({.opcode = 8, .fildes = 6, .buf = 0x123456789a, .nbytes = 1024, .offset = -1}));
}

SUITE_TEST(libaio, prep_of_vectors_with_flags,
           {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  const ::iovec* const where = vectors(0x123456789a);
  LibraryIocb made = used();
  ::io_prep_preadv2(&made, 5, where, 3, 512, 8);
  EXPECT_EQ(seen(made),
            wanted({.rw_flags = 8, .opcode = 7, .fildes = 5, .buf = 0x123456789a, .nbytes = 3, .offset = 512}));
  made = used();
  ::io_prep_pwritev2(&made, 6, where, 2, 1024, -1);
  EXPECT_EQ(
      seen(made),
      wanted({.rw_flags = 0xffffffff, .opcode = 8, .fildes = 6, .buf = 0x123456789a, .nbytes = 2, .offset = 1024}));
}

SUITE_TEST(libaio, prep_of_poll, {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  LibraryIocb made = used();
  ::io_prep_poll(&made, 5, POLLIN | POLLRDHUP);
  EXPECT_EQ(seen(made), wanted({.opcode = 5, .fildes = 5, .buf = 0x2001}));
}

SUITE_TEST(libaio, prep_of_sync, {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  LibraryIocb made = used();
  ::io_prep_fsync(&made, 5);
  EXPECT_EQ(seen(made), wanted({.opcode = 2, .fildes = 5}));
  made = used();
  ::io_prep_fdsync(&made, 5);
  EXPECT_EQ(seen(made), wanted({.opcode = 3, .fildes = 5}));
}

SUITE_TEST(libaio, set_eventfd_adds_to_an_iocb,
           {.holds = {"libaio.set_eventfd_adds_flag_and_resfd"}, .entries = kLibaioOnly}) {
  LibraryIocb made = used();
  ::io_prep_pread(&made, 5, nullptr, 2, 3);
  made.u.c.flags = kFlagIoprio;
  ::io_set_eventfd(&made, 9);
  EXPECT_EQ(seen(made), wanted({.opcode = 0, .fildes = 5, .nbytes = 2, .offset = 3, .flags = 3, .resfd = 9}));
}

SUITE_TEST(libaio, prep_takes_the_eventfd_off_again,
           {.holds = {"libaio.prep_sets_members_and_zeroes_the_rest"}, .entries = kLibaioOnly}) {
  LibraryIocb made = used();
  ::io_set_eventfd(&made, 9);
  ::io_prep_pread(&made, 5, nullptr, 2, 3);
  EXPECT_EQ(seen(made), wanted({.opcode = 0, .fildes = 5, .nbytes = 2, .offset = 3}));
}

SUITE_TEST(libaio, set_callback_sets_data, {.holds = {"libaio.set_callback_is_data"}, .entries = kLibaioOnly}) {
  LibraryIocb made = used();
  ::io_prep_fsync(&made, 5);
  ::io_set_callback(&made, called_back);
  EXPECT_EQ(seen(made), wanted({.data = reinterpret_cast<std::uint64_t>(&called_back), .opcode = 2, .fildes = 5}));
}

SUITE_TEST(libaio, prepared_writes_and_reads_move_bytes,
           {.holds = {"libaio.prepared_requests_work"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  LibraryIocb made = used();
  put(arena::kBuffers, kText);
  ::io_prep_pwrite(&made, where.get(), buffer(), kSize, 3);
  EXPECT_EQ(result_of(ctx, made), 10);
  EXPECT_EQ(content(where.get()), std::string(3, '\0') + kText);
  ::io_prep_pread(&made, where.get(), buffer(20), kSize, 5);
  EXPECT_EQ(result_of(ctx, made), 8);
  EXPECT_EQ(get(arena::kBuffers + 20, 8), "23456789");
}

SUITE_TEST(libaio, prepared_vectors_move_bytes, {.holds = {"libaio.prepared_requests_work"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  LibraryIocb made = used();
  put(arena::kBuffers, "01234");
  put(arena::kBuffers + 100, "56789");
  ::io_prep_pwritev(&made, where.get(), vectors(iovecs(kHalves)), 2, 3);
  EXPECT_EQ(result_of(ctx, made), 10);
  EXPECT_EQ(content(where.get()), std::string(3, '\0') + kText);
  ::io_prep_preadv(&made, where.get(), vectors(iovecs(kHalves)), 2, 4);
  EXPECT_EQ(result_of(ctx, made), 9);
  EXPECT_EQ(get(arena::kBuffers, 5), "12345");
  EXPECT_EQ(get(arena::kBuffers + 100, 5), "67899");
}

SUITE_TEST(libaio, prepared_flags_reach_the_kernel,
           {.holds = {"libaio.prepared_requests_work", "rw.unknown_rw_flags_are_eopnotsupp"},
            .entries = kLibaioOnly,
            .needs = ">=4.16"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  LibraryIocb made = used();
  LibraryIocb* list[] = {&made};
  put(arena::kBuffers, "abcde");
  put(arena::kBuffers + 100, "fghij");
  ::io_prep_pwritev2(&made, where.get(), vectors(iovecs(kHalves)), 2, 0, kRwfAppend);
  EXPECT_EQ(result_of(ctx, made), 10);
  EXPECT_EQ(content(where.get()), std::string(kText) + "abcdefghij");
  ::io_prep_preadv2(&made, where.get(), vectors(iovecs(kHalves)), 2, 0, kRwfHipri);
  EXPECT_EQ(result_of(ctx, made), 10);
  EXPECT_EQ(get(arena::kBuffers, 5), "01234");
  claim("rw.unknown_rw_flags_are_eopnotsupp");
  ::io_prep_preadv2(&made, where.get(), vectors(iovecs(kHalves)), 2, 0, 1 << 30);
  EXPECT_EQ(library().io_submit(context(ctx), 1, list), -EOPNOTSUPP);
}

SUITE_TEST(libaio, a_negative_count_of_vectors_is_einval,
           {.holds = {"libaio.negative_iovcnt_is_einval"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  LibraryIocb made = used();
  LibraryIocb* list[] = {&made};
  ::io_prep_preadv(&made, where.get(), vectors(iovecs(kHalves)), -1, 0);
  EXPECT_EQ(library().io_submit(context(ctx), 1, list), -EINVAL);
  ::io_prep_pwritev(&made, where.get(), vectors(iovecs(kHalves)), -1, 0);
  EXPECT_EQ(library().io_submit(context(ctx), 1, list), -EINVAL);
}

SUITE_TEST(libaio, a_prepared_poll_completes,
           {.holds = {"libaio.prepared_requests_work"}, .entries = kLibaioOnly, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  LibraryIocb made = used();
  ::io_prep_poll(&made, ends.read.get(), POLLIN);
  EXPECT_EQ(result_of(ctx, made), POLLIN);
}

SUITE_TEST(libaio, prepared_syncs_complete,
           {.holds = {"libaio.prepared_requests_work"}, .entries = kLibaioOnly, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  LibraryIocb made = used();
  ::io_prep_fsync(&made, where.get());
  EXPECT_EQ(result_of(ctx, made), 0);
  ::io_prep_fdsync(&made, where.get());
  EXPECT_EQ(result_of(ctx, made), 0);
}

SUITE_TEST(libaio, a_set_eventfd_is_signalled, {.holds = {"libaio.prepared_requests_work"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  const Descriptor told = eventfd();
  LibraryIocb made = used();
  ::io_prep_pread(&made, where.get(), buffer(), kSize, 0);
  ::io_set_eventfd(&made, told.get());
  EXPECT_EQ(result_of(ctx, made), 10);
  EXPECT_EQ(drain(told.get()), 1u);
}

SUITE_TEST(libaio, short_forms_submit,
           {.holds = {"libaio.short_forms_prepare_and_submit"}, .entries = kLibaioOnly, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file(kText);
  const Pipe ends = pipe();
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  const auto takes = [&](const LibraryIocb& made, unsigned long result, const char* what) {
    LibraryEvent event{};
    timespec patience{10, 0};
    EXPECT_EQ(library().io_getevents(context(ctx), 1, 1, &event, &patience), 1) << what;
    EXPECT_EQ(event.obj, &made) << what;
    EXPECT_EQ(event.data, reinterpret_cast<void*>(&called_back)) << what;
    EXPECT_EQ(event.res, result) << what;
  };
  LibraryIocb made = used();
  EXPECT_EQ(::io_poll(context(ctx), &made, called_back, ends.read.get(), POLLIN), 1);
  takes(made, POLLIN, "io_poll");
  made = used();
  EXPECT_EQ(::io_fsync(context(ctx), &made, called_back, where.get()), 1);
  takes(made, 0, "io_fsync");
  made = used();
  EXPECT_EQ(::io_fdsync(context(ctx), &made, called_back, where.get()), 1);
  takes(made, 0, "io_fdsync");
}

}  // namespace aio::suites
