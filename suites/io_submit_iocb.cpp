// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit(2): the fields of one iocb, and where it lies.
// Claims: what each field may hold, which bits and fields are not looked at, which word is written, and that an iocb
// that is refused does nothing. Provoked by one bad field at a time, bit by bit or value by value, and by iocbs at the
// borders of memory. Not seen: what a release may come to know as an opcode or flag. Priorities and aio_rw_flags:
// rw.cpp.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <system_error>

#include "fixtures/arena_memory.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint32_t kKeyBefore = 7;

Descriptor again(int fd, int flags) {
  return Descriptor(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), flags | O_CLOEXEC));
}

// A number that was open and is not any more.
int closed_number() {
  const int number = ::fcntl(0, F_DUPFD, 700);
  ::close(number);
  return number < 0 ? 700 : number;
}

void protect(Address page, std::size_t size, int protection) {
  if (::mprotect(reinterpret_cast<void*>(page), size, protection) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot protect memory");
  }
}

}  // namespace

SUITE_TEST(io_submit, an_unreadable_iocb_is_efault, {.holds = {"io_submit.unreadable_iocb_is_efault"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped, ~std::uint64_t{0}}) {
    EXPECT_ERROR(EFAULT, io_submit(ctx, 1, list({bad}))) << std::hex << bad;
    EXPECT_ERROR(EFAULT, io_submit(ctx, 2, list({bad, arena::iocb_slot(0)}))) << std::hex << bad;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, an_iocb_outside_the_users_half_is_efault,
           {.holds = {"io_submit.unreadable_iocb_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (const Address bad : {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ~std::uint64_t{0}}) {
    EXPECT_ERROR(EFAULT, io_submit(ctx, 2, list({bad, arena::iocb_slot(0)}))) << std::hex << bad;
  }
  EXPECT_EQ(iocb(0).key, kKeyBefore);
}

SUITE_TEST(io_submit, an_iocb_must_be_readable_whole,
           {.holds = {"io_submit.unreadable_iocb_is_efault", "io_submit.returns_number_accepted"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  const Iocb whole = prepare(0, kPread, file.get(), arena::kBuffers);
  const auto bytes = std::as_bytes(std::span(&whole, 1));
  for (std::size_t part = 1; part < sizeof whole; ++part) {
    const Address at = arena::kIocbs + arena::kPage - part;
    ArenaMemory::instance().store(at, bytes.first(part));
    EXPECT_ERROR(EFAULT, io_submit(ctx, 1, list({at}))) << part;
    EXPECT_EQ(get(at, part), get(arena::iocb_slot(0), part)) << part;
  }
  claim("io_submit.returns_number_accepted");
  prepare(arena::kIocbSlots - 1, kPread, file.get(), arena::kBuffers);
  EXPECT_RETURNS(1, submit(ctx, {arena::kIocbSlots - 1}));
}

SUITE_TEST(io_submit, an_iocb_may_lie_at_any_address,
           {.holds = {"io_submit.addresses_need_no_alignment", "event.obj_is_iocb_address"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  const Iocb good = prepare(0, kPread, file.get(), arena::kBuffers);
  for (const unsigned shift : {1u, 2u, 3u, 4u, 8u, 63u}) {
    const Address at = arena::iocb_slot(1) + shift;
    ArenaMemory::instance().store(at, std::as_bytes(std::span(&good, 1)));
    claim("io_submit.addresses_need_no_alignment");
    ASSERT_RETURNS(1, io_submit(ctx, 1, list({at}))) << shift;
    claim("event.obj_is_iocb_address");
    EXPECT_EQ(collect(ctx, 1).front().obj, at);
  }
}

SUITE_TEST(io_submit, any_bit_of_reserved2_is_einval, {.holds = {"io_submit.reserved2_must_be_zero"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (unsigned bit = 0; bit < 64; ++bit) {
    prepare(0, kPread, file.get(), arena::kBuffers).reserved2 = std::uint64_t{1} << bit;
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << bit;
    EXPECT_EQ(iocb(0).key, kKeyBefore) << bit;
  }
}

SUITE_TEST(io_submit, a_negative_length_is_einval, {.holds = {"io_submit.negative_nbytes_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const Opcode opcode : {kPread, kPwrite, kFsync, kFdsync, kPoll, kNoop, kPreadv, kPwritev}) {
    for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, (std::uint64_t{1} << 63) + 8}) {
      prepare(0, opcode, file.get(), arena::kBuffers, length);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ' ' << length;
      // Before the key is written, as for no other reason.
      EXPECT_EQ(iocb(0).key, kKeyBefore) << opcode << ' ' << length;
    }
  }
}

SUITE_TEST(io_submit, an_opcode_that_is_none_is_einval, {.holds = {"io_submit.unknown_opcode_is_einval"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  const auto known = [](unsigned opcode) {
    if (opcode == kFsync || opcode == kFdsync) return since(4, 18);
    if (opcode == kPoll) return since(4, 19);
    return opcode <= kPwritev && opcode != kPreadx && opcode != kNoop;
  };
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (unsigned opcode = 0; opcode <= 0xffff; ++opcode) {
    if (known(opcode)) continue;
    iocb(0).opcode = static_cast<std::uint16_t>(opcode);
    ASSERT_ERROR(EINVAL, submit(ctx, {0})) << opcode;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, unknown_flags_are_not_looked_at,
           {.holds = {"io_submit.unknown_flags_are_ignored", "resfd.one_per_completion"}}) {
  const Descriptor file = Case::file(), signalled = eventfd();
  const std::uint64_t ctx = setup();
  for (unsigned bit = 2; bit < 32; ++bit) {
    Iocb& made = prepare(0, kPread, file.get(), arena::kBuffers);
    made.flags = 1u << bit;
    made.resfd = static_cast<std::uint32_t>(signalled.get());
    EXPECT_EQ(result(ctx, 0), 0) << bit;
  }
  prepare(0, kPread, file.get(), arena::kBuffers).flags = ~(kFlagResfd | kFlagIoprio);
  EXPECT_EQ(result(ctx, 0), 0);
  claim("resfd.one_per_completion");
  EXPECT_EQ(drain(signalled.get()), 0u);
}

SUITE_TEST(io_submit, resfd_without_its_flag_is_not_looked_at, {.holds = {"io_submit.resfd_needs_its_flag"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const int fd : {-1, closed_number(), file.get()}) {
    prepare(0, kPread, file.get(), arena::kBuffers).resfd = static_cast<std::uint32_t>(fd);
    EXPECT_RETURNS(1, submit(ctx, {0})) << fd;
  }
}

SUITE_TEST(io_submit, a_closed_descriptor_is_ebadf, {.holds = {"io_submit.closed_fd_is_ebadf"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev, kFsync, kPoll}) {
    if ((opcode == kFsync && !since(4, 18)) || (opcode == kPoll && !since(4, 19))) continue;
    for (const std::uint32_t fd :
         {~0u, static_cast<std::uint32_t>(closed_number()), 0x7fffffffu, 0x80000000u,
          static_cast<std::uint32_t>(file.get()) | 0x80000000u, static_cast<std::uint32_t>(file.get()) | 0x10000u}) {
      prepare(0, opcode, static_cast<int>(fd));
      EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode << ' ' << fd;
    }
  }
}

SUITE_TEST(io_submit, a_path_is_no_descriptor,
           {.holds = {"io_submit.path_fd_is_ebadf", "io_submit.closed_resfd_is_ebadf"}}) {
  const Descriptor file = Case::file(), event = eventfd();
  const Descriptor path = again(file.get(), O_PATH), event_path = again(event.get(), O_PATH);
  const Descriptor directory(::open("/", O_PATH | O_CLOEXEC));
  const std::uint64_t ctx = setup();
  for (const int fd : {path.get(), event_path.get(), directory.get()}) {
    prepare(0, kPread, fd, arena::kBuffers);
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << fd;
  }
  claim("io_submit.closed_resfd_is_ebadf");
  signal(prepare(0, kPread, file.get(), arena::kBuffers), event_path.get());
  EXPECT_ERROR(EBADF, submit(ctx, {0}));
}

SUITE_TEST(io_submit, a_closed_resfd_is_ebadf, {.holds = {"io_submit.closed_resfd_is_ebadf"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const int fd : {-1, closed_number(), 0x7fffffff}) {
    signal(prepare(0, kPread, file.get(), arena::kBuffers), fd);
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << fd;
  }
}

SUITE_TEST(io_submit, a_resfd_that_is_no_eventfd_is_einval, {.holds = {"io_submit.resfd_must_be_eventfd"}}) {
  const Descriptor file = Case::file(), epoll(::epoll_create1(EPOLL_CLOEXEC));
  const Descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)), directory(::open("/", O_RDONLY | O_CLOEXEC));
  const Pipe ends = pipe();
  const std::uint64_t ctx = setup();
  for (const int fd : {file.get(), epoll.get(), timer.get(), directory.get(), ends.read.get(), ends.write.get()}) {
    signal(prepare(0, kPread, file.get(), arena::kBuffers), fd);
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << fd;
  }
}

SUITE_TEST(io_submit, a_descriptor_of_the_other_mode_is_ebadf,
           {.holds = {"rw.read_of_write_only_is_ebadf", "rw.write_of_read_only_is_ebadf"}}) {
  const Descriptor file = Case::file("bytes");
  const Descriptor read_only = again(file.get(), O_RDONLY), write_only = again(file.get(), O_WRONLY);
  const std::uint64_t ctx = setup();
  const Address vector = iovecs({{arena::kBuffers, 512}});
  for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev}) {
    claim(is_read(opcode) ? "rw.read_of_write_only_is_ebadf" : "rw.write_of_read_only_is_ebadf");
    const int fd = is_read(opcode) ? write_only.get() : read_only.get();
    if (is_vectored(opcode)) {
      prepare(0, opcode, fd, vector, 1);
    } else {
      prepare(0, opcode, fd, arena::kBuffers, 512);
    }
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode;
  }
  EXPECT_EQ(content(file.get()), "bytes");
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, offset_and_addresses_are_refused_at_once,
           {.holds = {"rw.negative_offset_is_einval", "rw.buffer_outside_user_half_is_efault",
                      "rw.segment_outside_user_half_is_efault", "event.none_without_request"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  const Address good = iovecs({{arena::kBuffers, 512}});
  const Address outside = iovecs(std::array{Iovec{arena::kKernel, 512}}, arena::kIovecs + 0x100);
  for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev}) {
    const bool vectored = is_vectored(opcode);
    const std::uint64_t length = vectored ? 1 : 512;
    claim("rw.negative_offset_is_einval");
    for (const std::int64_t offset : {std::int64_t{-1}, INT64_MIN}) {
      prepare(0, opcode, file.get(), vectored ? good : arena::kBuffers, length, offset);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ' ' << offset;
    }
    // No segment of 32 bits leaves the user's half.
    if (vectored && kind() == EntryKind::kCompat) continue;
    claim(vectored ? "rw.segment_outside_user_half_is_efault" : "rw.buffer_outside_user_half_is_efault");
    prepare(0, opcode, file.get(), vectored ? outside : arena::kKernel, length);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode;
  }
  claim("event.none_without_request");
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, nothing_to_read_is_accepted, {.holds = {"io_submit.returns_number_accepted"}}) {
  const Descriptor empty = Case::file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, empty.get(), arena::kBuffers);
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(collect(ctx, 1).front().res, 0);
}

SUITE_TEST(io_submit, any_key_becomes_zero, {.holds = {"io_submit.key_written"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const std::uint32_t key : {0u, 1u, 7u, 0x80000000u, ~0u}) {
    prepare(0, kPread, file.get(), arena::kBuffers).key = key;
    EXPECT_RETURNS(1, submit(ctx, {0})) << key;
    EXPECT_EQ(iocb(0).key, 0u) << key;
  }
}

SUITE_TEST(io_submit, nothing_but_the_key_is_written, {.holds = {"memory.nothing_else_written"}}) {
  const Descriptor file = Case::file("bytes"), signalled = eventfd();
  const std::uint64_t ctx = setup();
  for (const Opcode opcode : {kPwrite, kPread, kNoop}) {
    Iocb& made = signal(prepare(1, opcode, file.get(), arena::kBuffers, 0, 2), signalled.get());
    made.reqprio = -1;
    Iocb wanted = made;
    wanted.key = 0;
    const std::string before = get(arena::kIocbs, arena::kPage);
    submit(ctx, {1});
    std::string after = before;
    after.replace(64, sizeof wanted, reinterpret_cast<const char*>(&wanted), sizeof wanted);
    EXPECT_EQ(get(arena::kIocbs, arena::kPage) == after, true) << opcode;
  }
}

SUITE_TEST(io_submit, a_read_only_iocb_is_refused_and_does_nothing,
           {.holds = {"io_submit.unwritable_key_is_efault", "event.none_without_request"}}) {
  const Pipe ends = pipe();
  const std::uint64_t ctx = setup();
  ASSERT_EQ(::write(ends.write.get(), "left", 4), 4);
  const Iocb good = prepare(0, kPread, ends.read.get(), arena::kBuffers, 4);
  ArenaMemory::instance().store(arena::kReadOnly, std::as_bytes(std::span(&good, 1)));
  EXPECT_ERROR(EFAULT, io_submit(ctx, 1, list({arena::kReadOnly})));
  EXPECT_EQ(at<Iocb>(arena::kReadOnly).key, kKeyBefore);
  claim("event.none_without_request");
  EXPECT_EQ(in_ring(ctx), 0u);
  EXPECT_EQ(result(ctx, 0), 4);
  EXPECT_EQ(get(arena::kBuffers, 4), "left");
}

// The border of two pages, of which one is read-only, moves through the iocb.
SUITE_TEST(io_submit, only_the_key_needs_to_be_writable,
           {.holds = {"io_submit.only_key_needs_to_be_writable", "io_submit.unwritable_key_is_efault"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup(), page = machine().page_size;
  const Address pages = map(2 * page);
  const Iocb good = prepare(0, kPread, file.get(), arena::kBuffers);
  constexpr unsigned kKeyAt = offsetof(Iocb, key), kKeyEnd = kKeyAt + sizeof good.key;
  for (unsigned border = 4; border < sizeof good; border += 4) {
    for (const bool first_page : {true, false}) {
      const Address at = pages + page - border;
      protect(pages, 2 * page, PROT_READ | PROT_WRITE);
      put(at, {reinterpret_cast<const char*>(&good), sizeof good});
      protect(first_page ? pages : pages + page, page, PROT_READ);
      const bool key_is_writable = first_page ? border <= kKeyAt : border >= kKeyEnd;
      claim(key_is_writable ? "io_submit.only_key_needs_to_be_writable" : "io_submit.unwritable_key_is_efault");
      const Answer seen = io_submit(ctx, 1, list({at}));
      if (key_is_writable) {
        EXPECT_RETURNS(1, seen) << border << first_page;
      } else {
        EXPECT_ERROR(EFAULT, seen) << border << first_page;
      }
    }
  }
}

}  // namespace aio::suites
