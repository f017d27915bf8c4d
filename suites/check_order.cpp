// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit(2) of one iocb that is wrong in two ways: which of the two decides.
// Claims: the order of the checks, by kind of request and release; from which check on aio_key is zeroed; that a
// refused iocb leaves no slot taken, no file open and no eventfd signalled.
// Provoked by each fault alone and by every two that can stand in one iocb, on rings with room and full ones.
// Not seen: the order of two checks that give the same errno on the same side of the write to aio_key.
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "suites/check_order_faults.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

std::uint32_t key_at(Address iocb) { return *reinterpret_cast<const std::uint32_t*>(iocb + offsetof(Iocb, key)); }

// Real-time priority takes one of two rights. A test's process needs neither.
void give_up_priority_rights() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (::syscall(SYS_capget, &header, sets) == 0) {
    sets[0].effective &= ~(1u << CAP_SYS_ADMIN) & ~(1u << CAP_SYS_NICE);
    if (::syscall(SYS_capset, &header, sets) == 0) return;
  }
  throw std::system_error(errno, std::generic_category(), "cannot give up a capability");
}

// Submits until no slot is left.
template <class Submit>
void fill(Submit submit) {
  constexpr int kMost = 100000;
  for (int i = 0; i < kMost && submit().value == 1; ++i) {
  }
}

Descriptor opened(const char* path, int flags) { return Descriptor(::open(path, flags | O_CLOEXEC)); }

Descriptor again(int fd, int flags) { return opened(("/proc/self/fd/" + std::to_string(fd)).c_str(), flags); }

}  // namespace

SUITE_TEST(check_order, the_earlier_of_two_faults_of_a_transfer_decides,
           {.holds = {"check_order.transfers", "check_order.every_iocb", "check_order.full_ring",
                      "check_order.rw_flags_before_key", "check_order.flags_word_is_reserved", "io_submit.key_written",
                      "io_submit.returns_number_accepted", "event.none_without_request"}}) {
  if (since(4, 18)) give_up_priority_rights();
  const Descriptor file = Case::file("some bytes");
  const Descriptor path = again(file.get(), O_PATH), read_only = again(file.get(), O_RDONLY);
  const Descriptor write_only = again(file.get(), O_WRONLY), directory = opened("/", O_RDONLY);
  const Descriptor no_write = eventfd(), no_read = opened("/proc/self/clear_refs", O_WRONLY);
  const std::uint64_t roomy = setup(1, 0), full = setup(1, 1);
  prepare(0, kPread, file.get(), arena::kBuffers);
  fill([&] { return submit(full, {0}); });
  prepare(0, kNoop, -1);
  const Order& order = order_of(profile().release, submit(roomy, {0}).error == EINVAL);
  iovecs(std::array{Iovec{arena::kBuffers, ~std::uint64_t{0}}}, kNegativeVector);
  iovecs(std::array{Iovec{arena::kKernel, 8}}, kOutsideVector);
  for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev}) {
    const Iocb good = is_vectored(opcode) ? prepare(0, opcode, file.get(), iovecs({{arena::kBuffers, 8}}), 1)
                                          : prepare(0, opcode, file.get(), arena::kBuffers, 8);
    const Files files = is_read(opcode)
                            ? Files{path.get(), file.get(), write_only.get(), directory.get(), no_read.get()}
                            : Files{path.get(), file.get(), read_only.get(), no_write.get(), directory.get()};
    claim("io_submit.returns_number_accepted");
    ASSERT_RETURNS(1, submit(roomy, {0})) << opcode;
    collect(roomy, 1);
    const auto faults = faults_of_transfers(files, opcode, kind(), profile().release);
    for (const Trial& trial : trials(order, profile().release, good, faults)) {
      const Address at = store(trial.wrong);
      claim(trial.requirement);
      EXPECT_ERROR(trial.error, io_submit(trial.wrong.full ? full : roomy, 1, list({at}))) << trial.what;
      claim("io_submit.key_written");
      EXPECT_EQ(key_at(at), trial.key) << trial.what;
    }
  }
  claim("event.none_without_request");
  EXPECT_EQ(in_ring(roomy), 0u);
}

SUITE_TEST(check_order, the_earlier_of_two_faults_of_an_fsync_decides,
           {.holds = {"check_order.fsync", "check_order.every_iocb", "check_order.full_ring", "io_submit.key_written",
                      "io_submit.returns_number_accepted"},
            .needs = ">=4.18"}) {
  const Descriptor file = Case::file();
  const Descriptor path = again(file.get(), O_PATH);
  const Pipe cannot_sync = pipe();
  const Files files{.path = path.get(), .no_eventfd = file.get(), .no_method = cannot_sync.read.get()};
  const std::uint64_t roomy = setup(1, 0), full = setup(1, 1);
  prepare(0, kPread, file.get(), arena::kBuffers);
  fill([&] { return submit(full, {0}); });
  prepare(0, kNoop, -1);
  const Order& order = order_of(profile().release, submit(roomy, {0}).error == EINVAL);
  for (const Opcode opcode : {kFsync, kFdsync}) {
    const Iocb good = prepare(0, opcode, file.get());
    claim("io_submit.returns_number_accepted");
    ASSERT_RETURNS(1, submit(roomy, {0})) << opcode;
    collect(roomy, 1);
    for (const Trial& trial : trials(order, profile().release, good, faults_of_fsync(files))) {
      const Address at = store(trial.wrong);
      claim(trial.requirement);
      EXPECT_ERROR(trial.error, io_submit(trial.wrong.full ? full : roomy, 1, list({at}))) << trial.what;
      claim("io_submit.key_written");
      EXPECT_EQ(key_at(at), trial.key) << trial.what;
    }
  }
}

SUITE_TEST(check_order, the_earlier_of_two_faults_of_a_poll_decides,
           {.holds = {"check_order.poll", "check_order.every_iocb", "check_order.full_ring", "io_submit.key_written",
                      "io_submit.returns_number_accepted"},
            .needs = ">=4.19"}) {
  const Descriptor file = Case::file(), ready = eventfd();
  const Descriptor path = again(file.get(), O_PATH);
  const std::uint64_t roomy = setup(1, 0), full = setup(1, 1);
  prepare_poll(0, ready.get(), kPollOut);
  fill([&] { return submit(full, {0}); });
  prepare(0, kNoop, -1);
  const Order& order = order_of(profile().release, submit(roomy, {0}).error == EINVAL);
  const Iocb good = prepare_poll(0, ready.get(), kPollOut);
  claim("io_submit.returns_number_accepted");
  ASSERT_RETURNS(1, submit(roomy, {0}));
  collect(roomy, 1);
  const Files files{.path = path.get(), .no_eventfd = file.get(), .no_method = file.get()};
  for (const Trial& trial : trials(order, profile().release, good, faults_of_poll(files))) {
    const Address at = store(trial.wrong);
    claim(trial.requirement);
    EXPECT_ERROR(trial.error, io_submit(trial.wrong.full ? full : roomy, 1, list({at}))) << trial.what;
    claim("io_submit.key_written");
    EXPECT_EQ(key_at(at), trial.key) << trial.what;
  }
}

SUITE_TEST(check_order, a_refused_iocb_leaves_nothing,
           {.holds = {"files.no_reference_left", "quota.failed_iocb_returns_slot", "resfd.one_per_completion",
                      "event.none_without_request"}}) {
  if (since(4, 18)) give_up_priority_rights();
  const Descriptor file = Case::file(), path = again(file.get(), O_PATH), signalled = eventfd();
  const std::uint64_t ctx = setup();
  iovecs(std::array{Iovec{arena::kBuffers, ~std::uint64_t{0}}}, kNegativeVector);
  iovecs(std::array{Iovec{arena::kKernel, 8}}, kOutsideVector);
  for (const Opcode opcode : {kPwrite, kPwritev}) {
    const Files files{.path = path.get(), .no_eventfd = file.get()};
    std::vector<Fault> faults = faults_of_transfers(files, opcode, kind(), profile().release);
    const auto is_its_own = [](const Fault& each) { return each.part != Part::kFile && each.part != Part::kRing; };
    faults.erase(std::stable_partition(faults.begin(), faults.end(), is_its_own), faults.end());
    // The end that it gets is open for writing only.
    faults.push_back({Check::kMode, "read", EBADF, Part::kOpcode,
                      [](Wrong& w) { w.iocb.opcode = is_vectored(w.iocb.opcode) ? kPreadv : kPread; }});
    for (const Fault& fault : faults) {
      Pipe ends = pipe();
      Wrong wrong{prepare(0, opcode, ends.write.get(), arena::kBuffers, 8)};
      if (is_vectored(opcode)) wrong.iocb = prepare(0, opcode, ends.write.get(), iovecs({{arena::kBuffers, 8}}), 1);
      wrong.iocb = signal(wrong.iocb, signalled.get());
      fault.spoil(wrong);
      const Address at = store(wrong);
      claim("quota.failed_iocb_returns_slot");
      for (std::uint32_t i = 0; i < ring(ctx).nr; ++i)
        ASSERT_ERROR(fault.error, io_submit(ctx, 1, list({at}))) << fault.what;
      claim("resfd.one_per_completion");
      EXPECT_EQ(drain(signalled.get()), 0u) << fault.what;
      claim("event.none_without_request");
      EXPECT_EQ(in_ring(ctx), 0u) << fault.what;
      claim("files.no_reference_left");
      ends.write = Descriptor();
      pollfd reader{ends.read.get(), POLLIN, 0};
      ASSERT_EQ(::poll(&reader, 1, 0), 1) << fault.what;
      EXPECT_EQ(reader.revents, POLLHUP) << fault.what;
    }
  }
}

SUITE_TEST(check_order, the_descriptor_comes_before_the_opcode, {.holds = {"check_order.descriptor_before_opcode"}}) {
  const std::uint64_t ctx = setup();
  prepare(0, kNoop, -1);
  EXPECT_ERROR(EBADF, submit(ctx, {0}));
}

}  // namespace aio::suites
