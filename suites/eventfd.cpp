// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_FLAG_RESFD: the eventfd that counts completions.
// Claims: which descriptors are taken, that each completion adds one and nothing else does, and what happens at the
// counter's end. Provoked by reads of files, which complete inside io_submit in every release.
// Not seen: requests in flight (eventfd_lifetime.cpp), who waits (eventfd_waiters.cpp), polls (poll_resfd.cpp).
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kLargest = 0xfffffffffffffffe;  // that can be written to an eventfd

void write_count(int eventfd, std::uint64_t count) {
  if (::write(eventfd, &count, sizeof count) != sizeof count) fail("cannot write to an eventfd");
}

// One read(2): what it gives, 0 where it gives nothing.
std::uint64_t read_once(int eventfd) {
  std::uint64_t count = 0;
  return ::read(eventfd, &count, sizeof count) == sizeof count ? count : 0;
}

bool signalled(int eventfd, std::chrono::milliseconds patience) {
  pollfd polled{eventfd, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(patience.count())) == 1;
}

}  // namespace

SUITE_TEST(eventfd, a_closed_descriptor_is_ebadf, {.holds = {"io_submit.closed_resfd_is_ebadf"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  Descriptor closed = eventfd();
  const int number = closed.get();
  closed = Descriptor();
  for (const int resfd : {-1, number, 1 << 20, 0x7fffffff}) {
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), resfd);
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << resfd;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(eventfd, a_descriptor_of_a_path_is_ebadf, {.holds = {"resfd.path_fd_is_ebadf"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  const Descriptor path = opened_again(counter.get(), O_PATH);
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), path.get());
  EXPECT_ERROR(EBADF, submit(ctx, {0}));
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(eventfd, other_files_are_einval, {.holds = {"io_submit.resfd_must_be_eventfd"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Pipe ends = pipe();
  const Descriptor directory = opened("/", O_RDONLY | O_DIRECTORY);
  const Descriptor socket = owned(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "cannot make a socket");
  const Descriptor timer = owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "cannot make a timer");
  const Descriptor epoll = owned(::epoll_create1(EPOLL_CLOEXEC), "cannot make an epoll");
  const std::pair<const char*, const Descriptor*> others[] = {
      {"the file itself", &data}, {"pipe", &ends.read}, {"pipe, write end", &ends.write},
      {"directory", &directory},  {"socket", &socket},  {"timerfd", &timer},
      {"epoll", &epoll},
  };
  for (const auto& [what, other] : others) {
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), other->get());
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << what;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(eventfd, without_the_flag_it_is_not_looked_at, {.holds = {"resfd.ignored_without_flag"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  for (const int resfd : {-1, data.get(), counter.get()}) {
    prepare(0, kPread, data.get(), arena::kBuffers, 1).resfd = static_cast<std::uint32_t>(resfd);
    EXPECT_EQ(result(ctx, 0), 1) << resfd;
  }
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(eventfd, each_completion_adds_one, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(5);
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(drain(counter.get()), 6u);
  std::vector<Address> pointers;
  for (unsigned slot = 0; slot < 40; ++slot) {
    signal(prepare(slot, kPread, data.get(), arena::kBuffers, 1), counter.get());
    pointers.push_back(arena::iocb_slot(slot));
  }
  ASSERT_RETURNS(40, io_submit(ctx, 40, list(pointers)));
  EXPECT_EQ(drain(counter.get()), 40u);
  // Collecting events counts nothing, nor takes anything away.
  collect(ctx, 41);
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(eventfd, completions_with_an_error_are_counted, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  const Pipe ends = pipe(O_NONBLOCK);
  signal(prepare(0, kPread, data.get(), arena::kNoAccess, 1), counter.get());
  EXPECT_EQ(result(ctx, 0), -EFAULT);
  EXPECT_EQ(drain(counter.get()), 1u);
  signal(prepare(0, kPread, ends.read.get(), arena::kBuffers, 1), counter.get());
  EXPECT_EQ(result(ctx, 0), -EAGAIN);
  EXPECT_EQ(drain(counter.get()), 1u);
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 0), counter.get());
  EXPECT_EQ(result(ctx, 0), 0);
  EXPECT_EQ(drain(counter.get()), 1u);
}

SUITE_TEST(eventfd, refused_iocbs_are_not_counted, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  struct Refused {
    const char* what;
    int error;
    void (*make)(Iocb&);
  };
  const Refused cases[] = {
      {"aio_reserved2", EINVAL, [](Iocb& iocb) { iocb.reserved2 = 1; }},
      {"aio_nbytes", EINVAL, [](Iocb& iocb) { iocb.nbytes = 1ull << 63; }},
      {"aio_fildes", EBADF, [](Iocb& iocb) { iocb.fildes = ~0u; }},
      {"aio_lio_opcode", EINVAL, [](Iocb& iocb) { iocb.opcode = 100; }},
      {"aio_offset", EINVAL, [](Iocb& iocb) { iocb.offset = -1; }},
      {"aio_buf", EFAULT, [](Iocb& iocb) { iocb.buf = arena::kKernel; }},
  };
  for (const Refused& each : cases) {
    each.make(signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get()));
    EXPECT_ERROR(each.error, submit(ctx, {0})) << each.what;
  }
  // An iocb whose key cannot be written.
  const Address page = map(machine().page_size);
  at<Iocb>(page) = signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
  ASSERT_EQ(::mprotect(reinterpret_cast<void*>(page), machine().page_size, PROT_READ), 0);
  EXPECT_ERROR(EFAULT, io_submit(ctx, 1, list({page})));
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(eventfd, only_the_accepted_part_of_a_batch_is_counted, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd();
  for (const unsigned slot : {0u, 1u, 2u, 3u}) {
    signal(prepare(slot, kPread, data.get(), arena::kBuffers, 1), counter.get());
  }
  iocb(2).reserved2 = 1;
  ASSERT_RETURNS(2, submit(ctx, {0, 1, 2, 3}));
  EXPECT_EQ(drain(counter.get()), 2u);
}

SUITE_TEST(eventfd, a_semaphore_gives_one_at_a_time, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
  for (const unsigned slot : {0u, 1u, 2u}) {
    signal(prepare(slot, kPread, data.get(), arena::kBuffers, 1), counter.get());
  }
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  for (const std::uint64_t expected : {1u, 1u, 1u, 0u}) EXPECT_EQ(read_once(counter.get()), expected);
}

SUITE_TEST(eventfd, whether_it_blocks_does_not_matter, {.holds = {"resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  for (const int flags : {0, int{EFD_NONBLOCK}}) {
    const Descriptor counter = eventfd(0, flags);
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
    EXPECT_EQ(result(ctx, 0), 1);
    EXPECT_EQ(read_once(counter.get()), 1u);
  }
}

SUITE_TEST(eventfd, the_counter_stays_at_its_end, {.holds = {"resfd.saturates", "resfd.full_counter_polls_err"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(0, EFD_NONBLOCK);
  for (const unsigned completions : {1u, 2u, 5u}) {
    claim("resfd.saturates");
    write_count(counter.get(), kLargest);
    signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
    for (unsigned i = 0; i < completions; ++i) EXPECT_EQ(result(ctx, 0), 1);
    claim("resfd.full_counter_polls_err");
    pollfd polled{counter.get(), POLLIN | POLLOUT, 0};
    EXPECT_EQ(::poll(&polled, 1, 0), 1);
    EXPECT_EQ(polled.revents, POLLIN | POLLERR);
    claim("resfd.saturates");
    EXPECT_EQ(read_once(counter.get()), ~0ull) << completions;
    EXPECT_EQ(read_once(counter.get()), 0u);
  }
}

// select(2) takes an error for readiness.
SUITE_TEST(eventfd, a_full_counter_selects_for_writing, {.holds = {"resfd.full_counter_polls_err"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor counter = eventfd(0, EFD_NONBLOCK);
  const auto writable = [&] {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(counter.get(), &set);
    timeval now{};
    return ::select(counter.get() + 1, nullptr, &set, nullptr, &now) == 1 && FD_ISSET(counter.get(), &set);
  };
  write_count(counter.get(), kLargest);
  EXPECT_FALSE(writable());
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), counter.get());
  EXPECT_EQ(result(ctx, 0), 1);
  EXPECT_TRUE(writable());
}

SUITE_TEST(eventfd, iocbs_and_contexts_share_it,
           {.holds = {"resfd.one_per_completion", "resfd.no_other_counter_changes"}}) {
  const std::uint64_t first = setup(1, 0);
  const std::uint64_t second = setup(1, 1);
  const Descriptor data = file("x");
  const Descriptor shared = eventfd();
  const Descriptor own = eventfd();
  const Descriptor unused = eventfd();
  signal(prepare(0, kPread, data.get(), arena::kBuffers, 1), shared.get());
  signal(prepare(1, kPread, data.get(), arena::kBuffers, 1), own.get());
  prepare(2, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_RETURNS(3, submit(first, {0, 1, 2}));
  ASSERT_RETURNS(2, submit(second, {2, 0}));
  EXPECT_EQ(drain(shared.get()), 2u);
  claim("resfd.no_other_counter_changes");
  EXPECT_EQ(drain(own.get()), 1u);
  EXPECT_EQ(drain(unused.get()), 0u);
}

SUITE_TEST(eventfd, a_long_write_and_read_are_counted,
           {.holds = {"resfd.one_per_completion", "resfd.event_before_signal"}}) {
  constexpr std::size_t kSize = 10 << 20;
  const std::uint64_t ctx = setup();
  const Descriptor data = file();
  const Descriptor counter = eventfd();
  const Address buffer = map(kSize);
  for (const Opcode opcode : {kPwrite, kPread}) {
    claim("resfd.one_per_completion");
    signal(prepare(0, opcode, data.get(), buffer, kSize), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_TRUE(signalled(counter.get(), setting().patience));
    EXPECT_EQ(read_once(counter.get()), 1u);
    claim("resfd.event_before_signal");
    ASSERT_EQ(in_ring(ctx), 1u);
    EXPECT_EQ(collect(ctx, 1).front().res, static_cast<std::int64_t>(kSize));
  }
}

SUITE_TEST(eventfd, its_own_read_is_counted, {.holds = {"resfd.one_per_completion"}, .needs = ">=5.8"}) {
  const std::uint64_t ctx = setup();
  const Descriptor counter = eventfd(3);
  signal(prepare(0, kPread, counter.get(), arena::kBuffers, 8), counter.get());
  EXPECT_EQ(result(ctx, 0), 8);
  EXPECT_EQ(at<std::uint64_t>(arena::kBuffers), 3u);
  EXPECT_EQ(drain(counter.get()), 1u);
}

}  // namespace aio::suites
