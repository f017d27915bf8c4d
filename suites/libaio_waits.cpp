// SPDX-License-Identifier: GPL-2.0-or-later
//
// libaio's io_getevents and io_pgetevents: what they do before, and instead of, the system calls.
// Claims: a zero timeout and an empty ring are answered without a call, everything else by the kernel; the sigset of
// io_pgetevents is built from the mask alone.
// Provoked by waits that the kernel would refuse, and by a signal that only the kernel could let in.
// Not seen: ids and timeouts that cannot be read, which end the process inside the library.
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "fixtures/libaio_library.h"
#include "suites/harness/case.h"
#include "suites/harness/sleeper.h"

namespace aio::suites {
namespace {

template <class T>
T* pointer(Address at) {
  return reinterpret_cast<T*>(at);
}
io_context_t context(std::uint64_t ctx) { return pointer<io_context>(ctx); }
::io_event* events() { return pointer<::io_event>(arena::kEvents); }

timespec* time(std::int64_t sec, std::int64_t nsec) {
  auto* const at = pointer<timespec>(arena::kTimespec);
  *at = {sec, nsec};
  return at;
}

// Counts this signal, and keeps it from coming.
void count_and_block(int signal) {
  catch_signal(signal);
  block(signal);
}

bool is_blocked(int signal) {
  sigset_t now;
  ::sigprocmask(SIG_SETMASK, nullptr, &now);
  return ::sigismember(&now, signal) == 1;
}

bool is_pending(int signal) {
  sigset_t now;
  ::sigpending(&now);
  return ::sigismember(&now, signal) == 1;
}

sigset_t no_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  return none;
}

}  // namespace

SUITE_TEST(libaio, an_empty_ring_hides_what_the_kernel_would_refuse,
           {.holds = {"libaio.empty_ring_is_answered_without_a_call"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const io_context_t id = context(ctx);
  auto* const bad_mask = pointer<sigset_t>(arena::kNoAccess);
  // With the second of these id words the ring is no context to the kernel.
  for (const std::uint32_t word : {0u, 1u}) {
    ring(ctx).id = word;
    EXPECT_EQ(library().io_getevents(id, 2, 1, events(), time(0, 0)), 0) << word;
    EXPECT_EQ(library().io_getevents(id, -1, -1, events(), time(0, 0)), 0) << word;
    EXPECT_EQ(library().io_pgetevents(id, 2, 1, events(), time(0, 0), nullptr), 0) << word;
    EXPECT_EQ(library().io_pgetevents(id, 0, 1, events(), time(0, 0), bad_mask), 0) << word;
    EXPECT_EQ(library().io_submit(id, 0, nullptr), word == 0 ? 0 : -EINVAL);
  }
}

SUITE_TEST(libaio, an_empty_ring_need_not_be_the_kernels,
           {.holds = {"libaio.empty_ring_is_answered_without_a_call", "libaio.other_waits_make_the_call"},
            .entries = kLibaioOnly}) {
  const Address page = map(machine().page_size);
  const io_context_t id = context(page);
  const int refused = since(4, 18) ? -EINVAL : -ENOSYS;
  at<RingHeader>(page) = {.id = 77, .head = 5, .tail = 5, .magic = 0xa10a10a1};
  EXPECT_EQ(library().io_getevents(id, 0, 1, events(), time(0, 0)), 0);
  EXPECT_EQ(library().io_pgetevents(id, 0, 1, events(), time(0, 0), nullptr), 0);
  claim("libaio.other_waits_make_the_call");
  for (const RingHeader& other : {RingHeader{.id = 77, .head = 5, .tail = 6, .magic = 0xa10a10a1},
                                  RingHeader{.id = 77, .head = 5, .tail = 5, .magic = 0xa10a10a2}}) {
    at<RingHeader>(page) = other;
    EXPECT_EQ(library().io_getevents(id, 0, 1, events(), time(0, 0)), -EINVAL) << other.tail;
    EXPECT_EQ(library().io_pgetevents(id, 0, 1, events(), time(0, 0), nullptr), refused) << other.tail;
  }
}

SUITE_TEST(libaio, other_timeouts_ask_the_kernel,
           {.holds = {"libaio.other_waits_make_the_call"}, .entries = kLibaioOnly}) {
  const io_context_t id = context(setup());
  const int refused = since(4, 18) ? -EINVAL : -ENOSYS;
  EXPECT_EQ(library().io_getevents(id, 2, 1, events(), nullptr), -EINVAL);
  EXPECT_EQ(library().io_pgetevents(id, 2, 1, events(), nullptr, nullptr), refused);
  const std::pair<std::int64_t, std::int64_t> times[] = {{0, 1}, {1, 0}, {1, -1000000000}, {-1, 0}};
  for (const auto& [sec, nsec] : times) {
    EXPECT_EQ(library().io_getevents(id, 2, 1, events(), time(sec, nsec)), -EINVAL) << sec << " s, " << nsec << " ns";
    EXPECT_EQ(library().io_pgetevents(id, 2, 1, events(), time(sec, nsec), nullptr), refused)
        << sec << " s, " << nsec << " ns";
  }
}

SUITE_TEST(libaio, a_ring_with_events_asks_the_kernel,
           {.holds = {"libaio.other_waits_make_the_call"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const io_context_t id = context(ctx);
  const Descriptor where = file();
  prepare(0, kPread, where.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(library().io_getevents(id, 2, 1, events(), time(0, 0)), -EINVAL);
  EXPECT_EQ(library().io_getevents(id, 0, 1, pointer<::io_event>(arena::kNoAccess), time(0, 0)), -EFAULT);
  EXPECT_EQ(library().io_getevents(id, 0, 1, events(), time(0, 0)), 1);
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), 0, 0}));
}

SUITE_TEST(libaio, the_magic_number_alone_decides,
           {.holds = {"libaio.empty_ring_is_answered_without_a_call", "libaio.other_waits_make_the_call"},
            .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const io_context_t id = context(ctx);
  // Words that the library could look at as well, and does not.
  ring(ctx).nr = 0;
  ring(ctx).incompat_features = 1;
  ring(ctx).header_length = 64;
  EXPECT_EQ(library().io_getevents(id, 2, 1, events(), time(0, 0)), 0);
  claim("libaio.other_waits_make_the_call");
  ring(ctx).magic = 0;
  EXPECT_EQ(library().io_getevents(id, 2, 1, events(), time(0, 0)), -EINVAL);
}

SUITE_TEST(libaio, an_empty_ring_lets_no_signal_in,
           {.holds = {"libaio.empty_ring_is_answered_without_a_call", "libaio.other_waits_make_the_call"},
            .entries = kLibaioOnly,
            .needs = ">=4.18"}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  sigset_t none = no_signals();
  count_and_block(SIGUSR1);
  ::raise(SIGUSR1);
  EXPECT_EQ(library().io_pgetevents(context(ctx), 0, 1, events(), time(0, 0), &none), 0);
  EXPECT_EQ(catches, 0);
  EXPECT_TRUE(is_pending(SIGUSR1));

  claim("libaio.other_waits_make_the_call");
  prepare(0, kPread, where.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(library().io_pgetevents(context(ctx), 0, 1, events(), time(0, 0), &none), 1);
  EXPECT_EQ(catches, 1);
  EXPECT_FALSE(is_pending(SIGUSR1));
}

SUITE_TEST(libaio, a_mask_is_installed_for_the_wait,
           {.holds = {"libaio.sigset_is_built_from_the_mask"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  sigset_t none = no_signals();
  count_and_block(SIGUSR1);
  EXPECT_EQ(library().io_pgetevents(context(ctx), 1, 1, events(), time(0, 1000000), &none), 0);
  ::raise(SIGUSR1);
  EXPECT_EQ(library().io_pgetevents(context(ctx), 1, 1, events(), time(0, 1000000), &none), -EINTR);
  EXPECT_EQ(catches, 1);
  EXPECT_TRUE(is_blocked(SIGUSR1));
}

SUITE_TEST(libaio, a_mask_that_cannot_be_read_is_efault,
           {.holds = {"io_pgetevents.unreadable_mask_is_efault"}, .entries = kLibaioOnly}) {
  const io_context_t id = context(setup());
  EXPECT_EQ(library().io_pgetevents(id, 0, 1, events(), time(0, 1), pointer<sigset_t>(arena::kNoAccess)), -EFAULT);
}

SUITE_TEST(libaio, a_wait_under_a_mask_gets_events,
           {.holds = {"libaio.sigset_is_built_from_the_mask"}, .entries = kLibaioOnly, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  sigset_t none = no_signals();
  prepare_poll(0, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
  EXPECT_EQ(library().io_pgetevents(context(ctx), 1, 1, events(), nullptr, &none), 1);
  EXPECT_EQ(event(0).obj, arena::iocb_slot(0));
}

SUITE_TEST(libaio, no_mask_leaves_signals_blocked,
           {.holds = {"libaio.null_mask_changes_no_mask"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  count_and_block(SIGUSR1);
  ::raise(SIGUSR1);
  EXPECT_EQ(library().io_pgetevents(context(ctx), 1, 1, events(), time(0, 1000000), nullptr), 0);
  EXPECT_EQ(catches, 0);
  EXPECT_TRUE(is_pending(SIGUSR1));
}

}  // namespace aio::suites
