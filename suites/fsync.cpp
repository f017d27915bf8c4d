// SPDX-License-Identifier: GPL-2.0-or-later
//
// FSYNC and FDSYNC: which iocbs and files io_submit refuses, and the event of those that it takes.
// Claims: the errno of each refusal, that any descriptor of a file that can be synced will do, what the event says.
// Provoked by one wrong field at a time and by a file of each kind.
// Not seen: whether anything reaches a disk; a file system that is slow or fails (fsync_in_flight.cpp).
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr Opcode kSyncs[] = {kFsync, kFdsync};

const char* result_rule(Opcode opcode) { return opcode == kFsync ? "fsync.result_is_zero" : "fdsync.result_is_zero"; }

}  // namespace

SUITE_TEST(fsync, there_was_none, {.holds = {"fsync.is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Pipe ends = pipe();
  for (const Opcode opcode : kSyncs) {
    for (const int fd : {plain.get(), ends.read.get()}) {
      prepare(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(fsync, a_file_is_synced, {.holds = {"fsync.result_is_zero", "fdsync.result_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  const Descriptor full = file(std::string(100000, 'a'));
  const Descriptor memory = owned(::memfd_create("aio-cts", MFD_CLOEXEC));
  for (const Opcode opcode : kSyncs) {
    claim(result_rule(opcode));
    for (const int fd : {empty.get(), full.get(), memory.get()}) {
      prepare(0, opcode, fd);
      EXPECT_EQ(result(ctx, 0), 0) << "descriptor " << fd;
    }
  }
  EXPECT_TRUE(content(full.get()) == std::string(100000, 'a'));
}

SUITE_TEST(fsync, its_event_is_like_any_other,
           {.holds = {"event.data_as_submitted", "event.obj_is_iocb_address", "event.res2_is_zero",
                      "event.one_for_every_request"},
            .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup(4);
  const Descriptor fd = file("0123456789");
  for (const Opcode opcode : kSyncs) {
    for (const unsigned slot : {0u, 1u, 2u}) {
      prepare(slot, opcode, fd.get());
      iocb(slot).data = 0xfedcba9876543210 + slot;
      const Event seen = complete(ctx, slot);
      claim("event.data_as_submitted");
      EXPECT_EQ(seen.data, 0xfedcba9876543210 + slot);
      claim("event.obj_is_iocb_address");
      EXPECT_EQ(seen.obj, arena::iocb_slot(slot));
      claim("event.res2_is_zero");
      EXPECT_EQ(seen.res2, 0);
      claim("event.one_for_every_request");
      EXPECT_EQ(in_ring(ctx), 0u);
    }
  }
}

SUITE_TEST(fsync, its_eventfd_is_signalled_once,
           {.holds = {"resfd.one_per_completion", "event.one_for_every_request"}, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  const Descriptor counter = eventfd();
  for (const Opcode opcode : kSyncs) {
    signal(prepare(0, opcode, fd.get()), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    pollfd polled{counter.get(), POLLIN, 0};
    claim("resfd.one_per_completion");
    ASSERT_EQ(::poll(&polled, 1, static_cast<int>(setting().patience.count())), 1) << opcode;
    EXPECT_EQ(drain(counter.get()), 1u) << opcode;
    claim("event.one_for_every_request");
    EXPECT_EQ(in_ring(ctx), 1u) << opcode;
    collect(ctx, 1);
  }
}

SUITE_TEST(fsync, many_in_one_list,
           {.holds = {"event.one_for_every_request", "fsync.result_is_zero"}, .needs = ">=4.18"}) {
  constexpr unsigned kMany = 32;
  const std::uint64_t ctx = setup(kMany);
  const Descriptor one = file("0123456789");
  const Descriptor other = file("0123456789");
  std::vector<Address> pointers;
  for (unsigned slot = 0; slot < kMany; ++slot) {
    prepare(slot, kSyncs[slot % 2], slot % 3 == 0 ? one.get() : other.get());
    pointers.push_back(arena::iocb_slot(slot));
  }
  ASSERT_RETURNS(kMany, io_submit(ctx, kMany, list(pointers)));
  std::vector<bool> seen(kMany);
  for (const Event& each : collect(ctx, kMany)) {
    claim("fsync.result_is_zero");
    EXPECT_EQ(each.res, 0) << each.data;
    claim("event.one_for_every_request");
    ASSERT_GE(each.data, 100u);
    ASSERT_LT(each.data, 100u + kMany);
    EXPECT_FALSE(seen[each.data - 100]) << each.data;
    seen[each.data - 100] = true;
  }
}

SUITE_TEST(fsync, an_iocb_that_is_used_again, {.holds = {"fsync.result_is_zero", "fdsync.result_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  for (unsigned round = 0; round < 200; ++round) {
    const Opcode opcode = kSyncs[round % 2];
    claim(result_rule(opcode));
    prepare(0, opcode, fd.get());
    ASSERT_EQ(result(ctx, 0), 0) << round;
  }
}

SUITE_TEST(fsync, the_other_fields_must_be_zero, {.holds = {"fsync.other_fields_must_be_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  const auto refused = [&](Opcode opcode, const char* what, void (*spoil)(Iocb&)) {
    spoil(prepare(0, opcode, fd.get()));
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", " << what;
  };
  for (const Opcode opcode : kSyncs) {
    refused(opcode, "a buffer", [](Iocb& iocb) { iocb.buf = arena::kBuffers; });
    refused(opcode, "a buffer above 4 GiB", [](Iocb& iocb) { iocb.buf = std::uint64_t{1} << 40; });
    refused(opcode, "a length", [](Iocb& iocb) { iocb.nbytes = 1; });
    refused(opcode, "a length above 4 GiB", [](Iocb& iocb) { iocb.nbytes = std::uint64_t{1} << 40; });
    refused(opcode, "an offset", [](Iocb& iocb) { iocb.offset = 1; });
    refused(opcode, "an offset above 4 GiB", [](Iocb& iocb) { iocb.offset = std::int64_t{1} << 40; });
    refused(opcode, "a negative offset", [](Iocb& iocb) { iocb.offset = -1; });
    refused(opcode, "a flag", [](Iocb& iocb) { iocb.rw_flags = kRwfDsync; });
    refused(opcode, "an unknown flag", [](Iocb& iocb) { iocb.rw_flags = 0x80000000; });
  }
}

SUITE_TEST(fsync, a_priority_is_not_looked_at, {.holds = {"fsync.priority_is_ignored"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  for (const Opcode opcode : kSyncs) {
    for (unsigned io_class = 0; io_class < 8; ++io_class) {
      Iocb& iocb = prepare(0, opcode, fd.get());
      iocb.flags = kFlagIoprio;
      iocb.reqprio = static_cast<std::int16_t>(io_class << 13 | 7);
      EXPECT_EQ(result(ctx, 0), 0) << opcode << ", class " << io_class;
    }
  }
}

SUITE_TEST(fsync, any_mode_will_do, {.holds = {"fsync.any_mode_will_do"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDWR | O_NONBLOCK}) {
    const Descriptor fd = opened_again(plain.get(), flags);
    for (const Opcode opcode : kSyncs) {
      prepare(0, opcode, fd.get());
      EXPECT_EQ(result(ctx, 0), 0) << opcode << ", flags " << flags;
    }
  }
}

SUITE_TEST(fsync, directories_are_synced, {.holds = {"fsync.directory_is_synced"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor folder = opened(setting().directory, O_RDONLY | O_DIRECTORY);
  if (::fsync(folder.get()) != 0) skip("the file system syncs no directories");
  for (const Opcode opcode : kSyncs) {
    prepare(0, opcode, folder.get());
    EXPECT_EQ(result(ctx, 0), 0) << opcode;
  }
}

SUITE_TEST(fsync, files_that_cannot_be_synced_are_einval, {.holds = {"fsync.file_without_fsync_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  const Descriptor epoll = owned(::epoll_create1(EPOLL_CLOEXEC));
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Descriptor version = opened("/proc/version", O_RDONLY);
  const Ends sockets = socket_pair();
  for (const Opcode opcode : kSyncs) {
    for (const int fd : {ends.read.get(), ends.write.get(), counter.get(), epoll.get(), null.get(), version.get(),
                         sockets.one.get()}) {
      prepare(0, opcode, fd);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
}

SUITE_TEST(fsync, no_descriptor_is_ebadf,
           {.holds = {"io_submit.closed_fd_is_ebadf", "io_submit.path_fd_is_ebadf"}, .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Descriptor path = opened_again(plain.get(), O_PATH);
  for (const Opcode opcode : kSyncs) {
    claim("io_submit.closed_fd_is_ebadf");
    for (const int fd : {-1, 1000000, INT32_MAX}) {
      prepare(0, opcode, fd);
      EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
    claim("io_submit.path_fd_is_ebadf");
    prepare(0, opcode, path.get());
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << opcode;
  }
}

SUITE_TEST(fsync, a_refusal_leaves_neither_event_nor_signal,
           {.holds = {"fsync.refusal_gives_no_event", "event.none_without_request", "resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Descriptor counter = eventfd();
  const Pipe ends = pipe();
  for (const Opcode opcode : kSyncs) {
    signal(prepare(0, opcode, ends.read.get()), counter.get());
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", a pipe";
    signal(prepare(0, opcode, plain.get(), 0, 1), counter.get());
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", a length";
    // What had been started all the same would be done before this is.
    prepare(1, kFsync, plain.get());
    const Event seen = complete(ctx, 1);
    EXPECT_EQ(seen.obj, arena::iocb_slot(1)) << opcode;
    EXPECT_EQ(in_ring(ctx), 0u) << opcode;
    EXPECT_EQ(drain(counter.get()), 0u) << opcode;
  }
}

}  // namespace aio::suites
