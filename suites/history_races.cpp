// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bugs that kernels had, as in history.cpp: polls and their wake-ups, and what needs several threads.
// Claims: this kernel has none of them.
// Provoked by the calls that met in them, again and again where the moment matters.
// Not seen: a race that does not come about in the rounds that a test makes.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <system_error>
#include <thread>

#include "fixtures/lane.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

void* pointer(Address at) { return reinterpret_cast<void*>(at); }

volatile std::sig_atomic_t handled = 0;

// Takes a little time, some nanoseconds a turn at the most.
void spin(int turns) {
  static const std::atomic<int> kNothing{0};
  for (int i = 0; i < turns; ++i) static_cast<void>(kNothing.load());
}

// Two threads come here, and leave at the same time, or one of them a little later.
class Meeting {
 public:
  void meet(int lag = 0) {
    ++here_;
    while (here_ < 2) std::this_thread::yield();
    spin(lag);
  }

 private:
  std::atomic<int> here_{0};
};

// A byte into a pipe by a wake-up that does not say what there is: pollers have to ask the file.
bool splice_byte(int fd) {
  static char byte = 'x';
  const iovec one{&byte, 1};
  return ::vmsplice(fd, &one, 1, 0) == 1;
}

}  // namespace

// F12.
SUITE_TEST(history, b2edffdd912b_move_meets_destroy, {.holds = {"history.move_and_destroy_exclude_each_other"}}) {
  Lane mover(cpus().number(1 % cpus().count()));
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t ctx = setup();
    const std::size_t size = ring_bytes(ring(ctx).nr);
    const Address target = map(size);
    void* moved = nullptr;
    int error = 0;
    Meeting both;
    mover.start([&] {
      both.meet();
      moved = ::mremap(pointer(ctx), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(target));
      error = errno;
    });
    both.meet(round * 50);
    const Answer destroyed = io_destroy(ctx);
    mover.wait();
    if (moved == MAP_FAILED) {
      // The context was gone, or its memory.
      ASSERT_TRUE(error == EINVAL || error == EFAULT) << error;
      ASSERT_RETURNS(0, destroyed) << round;
    } else if (destroyed.value != 0) {
      ASSERT_ERROR(EINVAL, destroyed) << round;
      ASSERT_RETURNS(0, io_destroy(target)) << round;
    }
  }
}

// F17. Whichever end goes first, the write end's going completes the poll.
SUITE_TEST(history, cve_2019_10125_poll_while_ends_are_closed,
           {.holds = {"event.one_for_every_request", "io_submit.closed_fd_is_ebadf"},
            .needs = ">=4.19",
            .may_crash = true}) {
  const std::uint64_t ctx = setup();
  Lane closer(cpus().number(1 % cpus().count()));
  for (int round = 0; round < 500; ++round) {
    Pipe ends = pipe();
    prepare_poll(0, ends.read.get(), kPollIn);
    Meeting both;
    closer.start([&] {
      both.meet(round % 100 * 400);
      ends.write = Descriptor();
      ends.read = Descriptor();
    });
    both.meet();
    const Answer answer = submit(ctx, {0});
    closer.wait();
    if (answer.value == 1) {
      claim("event.one_for_every_request");
      ASSERT_NE(collect(ctx, 1).front().res & kPollHup, 0) << round;
    } else {
      claim("io_submit.closed_fd_is_ebadf");
      ASSERT_ERROR(EBADF, answer) << round;
    }
  }
}

// F18. The process shares all but its signal handlers, of which the signalfd's queue is a part.
SUITE_TEST(history, cve_2021_47505_pollfree,
           {.holds = {"history.poll_completes_when_queue_is_freed"}, .may_crash = true}) {
  const std::uint64_t ctx = setup();
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR1);
  const Descriptor signals(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  prepare_poll(0, signals.get(), kPollIn);
  Answer answer;
  {
    Lane process(cpus().number(0), Lane::Kind::kProcess);
    process.start([&] { answer = submit(ctx, {0}); });
    process.wait();
    ASSERT_RETURNS(1, answer);
    ASSERT_EQ(in_ring(ctx), 0u);
  }
  const std::int64_t seen = collect(ctx, 1).front().res;
  EXPECT_TRUE(seen == kPollHup || seen == 0) << seen;
}

// F19. The first byte wakes the poll, the other thread takes it away and puts a second one in.
SUITE_TEST(history, 363bee27e258_lost_wake_up, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  char byte = 0;
  if (!splice_byte(ends.write.get())) skip("vmsplice is not to be had");
  ASSERT_EQ(::read(ends.read.get(), &byte, 1), 1);
  Lane other(cpus().number(1 % cpus().count()));
  for (int round = 0; round < 1000; ++round) {
    prepare_poll(0, ends.read.get(), kPollIn);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    bool spliced = false;
    other.start([&] { spliced = ::read(ends.read.get(), &byte, 1) == 1 && splice_byte(ends.write.get()); });
    if (!splice_byte(ends.write.get())) throw std::system_error(errno, std::generic_category(), "vmsplice");
    other.wait();
    if (!spliced) throw std::system_error(EIO, std::generic_category(), "a thread cannot splice");
    ASSERT_NE(collect(ctx, 1).front().res & kPollIn, 0) << round;
    if (::read(ends.read.get(), &byte, 1) != 1) throw std::system_error(errno, std::generic_category(), "read");
  }
}

// F21, F22: the eventfd that the read signals wakes the poll, whose completion signals it again.
SUITE_TEST(history, b5e683d5cab8_poll_of_its_own_resfd,
           {.holds = {"resfd.one_per_completion", "poll.wake_up_completes"}, .needs = ">=4.19", .may_crash = true}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  const Descriptor told = eventfd();
  signal(prepare_poll(0, told.get(), kPollIn), told.get());
  signal(prepare(1, kPread, where.get()), told.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(1, submit(ctx, {1}));
  claim("poll.wake_up_completes");
  for (const Event& each : collect(ctx, 2)) {
    EXPECT_TRUE(each.obj != arena::iocb_slot(0) || (each.res & kPollIn) != 0) << each.res;
  }
  claim("resfd.one_per_completion");
  std::uint64_t count = 0;
  EXPECT_TRUE(await([&] { return (count += drain(told.get())) >= 2; }));
  EXPECT_EQ(count, 2u);
}

// F23. Before 6.1 the write never returns and cannot be killed, so it is not tried.
SUITE_TEST(history, 9f0deaa12d83_write_to_polled_resfd,
           {.holds = {"resfd.one_per_completion", "poll.wake_up_completes"}, .needs = ">=6.1", .may_crash = true}) {
  const std::uint64_t ctx = setup();
  const Descriptor told = eventfd();
  signal(prepare_poll(0, told.get(), kPollIn), told.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(told.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  claim("poll.wake_up_completes");
  EXPECT_NE(collect(ctx, 1).front().res & kPollIn, 0);
  claim("resfd.one_per_completion");
  std::uint64_t count = 0;
  EXPECT_TRUE(await([&] { return (count += drain(told.get())) >= 2; }));
  EXPECT_EQ(count, 2u);
}

// F24: a page that is not there wakes who polls for that.
SUITE_TEST(history, cbcfa130a911_poll_of_userfaultfd, {.holds = {"poll.wake_up_completes"}, .may_crash = true}) {
  constexpr int kUserModeOnly = 1;
  int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | kUserModeOnly));
  if (fd < 0) fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
  const Descriptor faults(fd);
  uffdio_api api{};
  api.api = UFFD_API;
  if (!faults || ::ioctl(faults.get(), UFFDIO_API, &api) != 0) skip("userfaultfd is not to be had");
  const std::uint64_t ctx = setup();
  const std::uint64_t size = machine().page_size;
  const Address page = map(size);
  uffdio_register range{};
  range.range = {page, size};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  ASSERT_EQ(::ioctl(faults.get(), UFFDIO_REGISTER, &range), 0);
  prepare_poll(0, faults.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(in_ring(ctx), 0u);

  Lane toucher(cpus().number(1 % cpus().count()));
  toucher.start([&] { at<volatile char>(page) = 1; });
  const bool completed = await([&] { return in_ring(ctx) == 1; });
  uffdio_zeropage answer{};
  answer.range = {page, size};
  // The thread may not have touched the page before, where the poll was wrong.
  await([&] { return ::ioctl(faults.get(), UFFDIO_ZEROPAGE, &answer) == 0 || errno == EEXIST; });
  toucher.wait();
  ASSERT_TRUE(completed);
  EXPECT_NE(collect(ctx, 1).front().res & kPollIn, 0);
}

// F26. Through the compat entry masks are of use later (F25).
SUITE_TEST(history, 97abc889ee29_mask_restore,
           {.holds = {"history.timeout_lets_no_signal_in"}, .entries = kNativeOnly | kLibaioOnly, .needs = "cpus2"}) {
  const std::uint64_t ctx = setup();
  struct sigaction action {};
  action.sa_handler = [](int) { handled = handled + 1; };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ASSERT_EQ(::sigprocmask(SIG_BLOCK, &blocked, nullptr), 0);

  const pid_t self = ::getpid();
  Lane sender(cpus().number(1 % cpus().count()));
  for (int round = 0; round < 2000; ++round) {
    const int before = handled;
    Meeting both;
    sender.start([&] {
      both.meet(round % 100 * 5000);
      ::syscall(SYS_tgkill, self, self, SIGUSR1);
    });
    both.meet();
    const Answer answer = io_pgetevents(ctx, 1, 1, arena::kEvents, timeout(0, 1 + round % 50 * 1000), sigset({}));
    const int ran = handled - before;
    sender.wait();
    // A signal that was not let in is still there.
    const timespec now{};
    const bool pending = ::sigtimedwait(&blocked, nullptr, &now) == SIGUSR1;
    if (answer.value == 0) {
      ASSERT_EQ(ran, 0) << round;
      ASSERT_TRUE(pending) << round;
    } else {
      ASSERT_ERROR(EINTR, answer) << round;
      ASSERT_EQ(ran, 1) << round;
      ASSERT_FALSE(pending) << round;
    }
  }
}

// F32, F33. The library would look at the ring itself.
SUITE_TEST(history, baf10564fbb6_lookup_meets_destroy,
           {.holds = {"history.lookup_meets_destroy"}, .entries = kRawEntries}) {
  Lane other(cpus().number(1 % cpus().count()));
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t ctx = setup();
    std::vector<Answer> answers;
    const Address poll = timeout(0, 0);
    ASSERT_EQ(in_ring(ctx), 0u);
    Meeting both;
    other.start([&] {
      both.meet();
      do {
        answers.push_back(io_getevents(ctx, 0, 1, arena::kEvents, poll));
        answers.push_back(io_submit(ctx, 0, 0));
      } while (answers.back().value == 0);
    });
    both.meet(round * 100);
    const Answer destroyed = io_destroy(ctx);
    other.wait();
    ASSERT_RETURNS(0, destroyed) << round;
    for (const Answer& each : answers) ASSERT_TRUE(each.value == 0 || each.error == EINVAL) << answer_text(each);
  }
}

// F34. Two threads wait for two events each: what comes goes to one of them whole.
SUITE_TEST(history, 71eb6b6b0ba9_events_are_not_split,
           {.holds = {"io_getevents.waiter_leaves_events_below_min_nr", "io_getevents.waiter_returns_at_min_nr"},
            .entries = kNativeOnly | kLibaioOnly,
            .needs = ">=6.8,lanes"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  for (const unsigned slot : {0u, 1u, 2u, 3u}) prepare(slot, kPread, where.get());
  Lane first(cpus().number(0));
  Lane second(cpus().number(1 % cpus().count()));
  Answer answers[2];
  first.start([&] { answers[0] = io_getevents(ctx, 2, 2, arena::kEvents, 0); });
  second.start([&] { answers[1] = io_getevents(ctx, 2, 2, arena::kEvents + 2 * sizeof(Event), 0); });
  const auto asleep = [this](const Lane& lane) { return lane.settle(numbers().io_getevents) == Lane::State::kAsleep; };
  ASSERT_TRUE(asleep(first) && asleep(second));

  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_TRUE(asleep(first) && asleep(second));
  EXPECT_EQ(in_ring(ctx), 1u);
  claim("io_getevents.waiter_returns_at_min_nr");
  ASSERT_RETURNS(1, submit(ctx, {1}));
  EXPECT_TRUE(await([&] { return in_ring(ctx) == 0; }));
  ASSERT_RETURNS(2, submit(ctx, {2, 3}));
  first.wait();
  second.wait();
  EXPECT_RETURNS(2, answers[0]);
  EXPECT_RETURNS(2, answers[1]);
  for (const unsigned half : {0u, 2u}) EXPECT_EQ(event(half + 1).data, event(half).data + 1) << half;
}

// F35. In 6.8.0 to 6.8.4 the wake-up of a wait that ended just now crashed the kernel.
SUITE_TEST(history, cve_2024_35874_short_timeouts,
           {.holds = {"history.short_waits_lose_no_event"}, .may_crash = true}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  constexpr std::uint64_t kRequests = 2000;
  Answer last;
  Lane submitter(cpus().number(1 % cpus().count()));
  submitter.start([&] {
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      spin(static_cast<int>(i % 100) * 1000);
      prepare(0, kPread, where.get()).data = i;
      // The other thread makes room.
      await([&] { return (last = submit(ctx, {0})).error != EAGAIN; });
      if (last.value != 1) return;
    }
  });
  Answer answer;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const auto takes_one = [&] {
      for (int tries = 0; tries < 100; ++tries) {
        answer = io_getevents(ctx, 1, 1, arena::kEvents, timeout(0, 1 + tries % 20 * 1000));
        if (answer.value != 0) return true;
      }
      return false;
    };
    ASSERT_TRUE(await(takes_one)) << i;
    ASSERT_RETURNS(1, answer) << i;
    ASSERT_EQ(event(0).data, i);
  }
  submitter.wait();
  EXPECT_RETURNS(1, last);
}

// F37: one release of each stable series answered 0.
SUITE_TEST(history, 54cbc058d86b_cancel_answers_einprogress,
           {.holds = {"io_cancel.returns_einprogress", "event.none_without_request"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  const Pipe ends = pipe();
  prepare_poll(0, ends.read.get(), kPollIn);
  prepare(1, kPread, where.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
  claim("event.none_without_request");
  EXPECT_EQ(collect(ctx, 1).front(), (Event{100, arena::iocb_slot(0), 0, 0}));
  EXPECT_EQ(complete(ctx, 1), (Event{101, arena::iocb_slot(1), 0, 0}));
  EXPECT_EQ(in_ring(ctx), 0u);
}

}  // namespace aio::suites
