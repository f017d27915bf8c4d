// SPDX-License-Identifier: GPL-2.0-or-later
//
// libaio, the library: its wrappers of the calls, and its io_queue functions.
// Claims: errors are negative returns, errno is left alone, and what the io_queue functions add to the calls.
// Provoked by one call after the other that the kernel refuses or takes, with a mark in errno.
// Not seen: what the library does where it makes no call (libaio_waits.cpp), and its other symbol versions.
#include <unistd.h>

#include <ctime>

#include "fixtures/libaio_library.h"
#include "suites/harness/case.h"

// Exported by the library, and left out of its header.
extern "C" int io_queue_wait(io_context_t ctx, timespec* timeout);

namespace aio::suites {
namespace {

using LibraryIocb = ::iocb;
using LibraryEvent = ::io_event;

constexpr int kErrnoBefore = 4711;

template <class T = void>
T* pointer(Address at) {
  return reinterpret_cast<T*>(at);
}
io_context_t context(std::uint64_t ctx) { return pointer<io_context>(ctx); }
LibraryEvent* events() { return pointer<LibraryEvent>(arena::kEvents); }
io_context_t* variable() { return pointer<io_context_t>(arena::context_slot(1)); }

timespec* time(std::int64_t sec, std::int64_t nsec) {
  auto* const at = pointer<timespec>(arena::kTimespec);
  *at = {sec, nsec};
  return at;
}

struct Row {
  const char* what;
  std::function<int()> call;
  int wanted;
};

// Makes each call; errno must survive it.
void expect_returns(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    errno = kErrnoBefore;
    const int returned = row.call();
    const int after = errno;
    EXPECT_EQ(returned, row.wanted) << row.what;
    EXPECT_EQ(after, kErrnoBefore) << row.what;
  }
}

struct Callback {
  io_context_t ctx;
  LibraryIocb* iocb;
  long res;
  long res2;
};
std::vector<Callback> callbacks;
void remember(io_context_t ctx, LibraryIocb* iocb, long res, long res2) { callbacks.push_back({ctx, iocb, res, res2}); }

}  // namespace

SUITE_TEST(libaio, a_refused_io_setup_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  const std::uint64_t live = setup();
  auto* const live_variable = pointer<io_context_t>(arena::context_slot(0));
  auto* const kernel = pointer<io_context_t>(arena::kKernel);
  auto* const filled = pointer<io_context_t>(arena::context_slot(2));
  *filled = context(0x0101010101010101);
  expect_returns({{"-1000, kernel's half", [&] { return library().io_setup(-1000, kernel); }, -EFAULT},
                  {"1000, kernel's half", [&] { return library().io_setup(1000, kernel); }, -EFAULT},
                  {"0, kernel's half", [&] { return library().io_setup(0, kernel); }, -EFAULT},
                  {"1, null", [] { return library().io_setup(1, nullptr); }, -EFAULT},
                  {"-1000", [] { return library().io_setup(-1000, variable()); }, -EINVAL},
                  {"-1", [] { return library().io_setup(-1, variable()); }, -EINVAL},
                  {"0", [] { return library().io_setup(0, variable()); }, -EINVAL},
                  {"1, a live context", [&] { return library().io_setup(1, live_variable); }, -EINVAL},
                  {"1, bytes of 1", [&] { return library().io_setup(1, filled); }, -EINVAL}});
  EXPECT_EQ(*variable(), nullptr);
  EXPECT_EQ(*live_variable, context(live));
}

SUITE_TEST(libaio, io_setup_above_aio_max_nr_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  if (machine().aio_max_nr >= 4194304) skip("fs.aio-max-nr is above what any ring can hold");
  const int above = static_cast<int>(machine().aio_max_nr) + 1;
  expect_returns({{"fs.aio-max-nr + 1", [&] { return library().io_setup(above, variable()); }, -EAGAIN}});
}

SUITE_TEST(libaio, a_refused_io_destroy_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  const std::uint64_t gone = setup();
  ASSERT_EQ(library().io_destroy(context(gone)), 0);
  expect_returns({{"0", [] { return library().io_destroy(nullptr); }, -EINVAL},
                  {"all bits one", [] { return library().io_destroy(context(~std::uint64_t{0})); }, -EINVAL},
                  {"destroyed", [&] { return library().io_destroy(context(gone)); }, -EINVAL}});
}

SUITE_TEST(libaio, a_refused_io_submit_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  const io_context_t ctx = context(setup());
  const Descriptor where = file();
  LibraryIocb good;
  LibraryIocb bad;
  ::io_prep_pread(&good, where.get(), nullptr, 0, 0);
  ::io_prep_pread(&bad, -1, nullptr, 0, 0);
  LibraryIocb* goods[] = {&good, &good};
  LibraryIocb* bads[] = {&bad, &good};
  LibraryIocb* nulls[] = {nullptr, &good};
  LibraryIocb* kernels[] = {pointer<LibraryIocb>(arena::kKernel), &good};
  auto** const minus_one = pointer<LibraryIocb*>(~std::uint64_t{0});
  expect_returns({{"context 0", [&] { return library().io_submit(nullptr, 1, goods); }, -EINVAL},
                  {"context -1", [&] { return library().io_submit(context(~std::uint64_t{0}), 1, goods); }, -EINVAL},
                  {"nr -1", [&] { return library().io_submit(ctx, -1, goods); }, -EINVAL},
                  {"list -1", [&] { return library().io_submit(ctx, 1, minus_one); }, -EFAULT},
                  {"list null", [&] { return library().io_submit(ctx, 1, nullptr); }, -EFAULT},
                  {"iocb null", [&] { return library().io_submit(ctx, 2, nulls); }, -EFAULT},
                  {"iocb in the kernel's half", [&] { return library().io_submit(ctx, 2, kernels); }, -EFAULT},
                  {"descriptor -1", [&] { return library().io_submit(ctx, 2, bads); }, -EBADF}});
}

SUITE_TEST(libaio, a_refused_wait_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const int no_context = since(4, 18) ? -EINVAL : -ENOSYS;
  expect_returns(
      {{"context 0", [] { return library().io_getevents(nullptr, 0, 0, nullptr, nullptr); }, -EINVAL},
       {"nr -1", [&] { return library().io_getevents(context(ctx), 0, -1, events(), nullptr); }, -EINVAL},
       {"min_nr above nr", [&] { return library().io_getevents(context(ctx), 2, 1, events(), nullptr); }, -EINVAL},
       {"io_pgetevents of context 0", [] { return library().io_pgetevents(nullptr, 0, 0, nullptr, nullptr, nullptr); },
        no_context}});
}

SUITE_TEST(libaio, a_refused_io_cancel_is_a_negative_errno,
           {.holds = {"libaio.errors_are_negative_returns"}, .entries = kLibaioOnly}) {
  const io_context_t ctx = context(setup());
  LibraryIocb idle{};
  expect_returns({{"context 0, iocb null", [] { return library().io_cancel(nullptr, nullptr, nullptr); }, -EFAULT},
                  {"iocb null", [&] { return library().io_cancel(ctx, nullptr, nullptr); }, -EFAULT},
                  {"nothing pending", [&] { return library().io_cancel(ctx, &idle, nullptr); }, -EINVAL}});
}

SUITE_TEST(libaio, calls_that_succeed_leave_errno, {.holds = {"libaio.success_keeps_errno"}, .entries = kLibaioOnly}) {
  const Descriptor where = file("content");
  LibraryIocb made;
  LibraryIocb* list[] = {&made};
  ::io_prep_pread(&made, where.get(), pointer(arena::kBuffers), 7, 0);
  *variable() = nullptr;
  expect_returns(
      {{"io_setup", [] { return library().io_setup(1, variable()); }, 0},
       {"io_submit of none", [] { return library().io_submit(*variable(), 0, nullptr); }, 0},
       {"io_submit", [&] { return library().io_submit(*variable(), 1, list); }, 1},
       {"io_getevents", [] { return library().io_getevents(*variable(), 1, 1, events(), nullptr); }, 1},
       {"io_getevents of none", [] { return library().io_getevents(*variable(), 0, 1, events(), time(0, 0)); }, 0},
       {"io_destroy", [] { return library().io_destroy(*variable()); }, 0}});
}

SUITE_TEST(libaio, queue_init_of_no_events_looks_at_nothing,
           {.holds = {"libaio.queue_init_needs_a_positive_count"}, .entries = kLibaioOnly}) {
  *variable() = context(7);
  expect_returns(
      {{"0", [] { return ::io_queue_init(0, variable()); }, -EINVAL},
       {"-1", [] { return ::io_queue_init(-1, variable()); }, -EINVAL},
       {"0, no variable", [] { return ::io_queue_init(0, pointer<io_context_t>(arena::kNoAccess)); }, -EINVAL}});
  EXPECT_EQ(*variable(), context(7));
}

SUITE_TEST(libaio, queue_init_overwrites_the_variable,
           {.holds = {"libaio.queue_init_zeroes_the_variable", "io_setup.ring_magic"}, .entries = kLibaioOnly}) {
  *variable() = context(0x0101010101010101);
  expect_returns({{"1", [] { return ::io_queue_init(1, variable()); }, 0}});
  const auto ctx = reinterpret_cast<std::uint64_t>(*variable());
  EXPECT_EQ(ctx % machine().page_size, 0u);
  claim("io_setup.ring_magic");
  EXPECT_EQ(ring(ctx).magic, 0xa10a10a1u);
  EXPECT_EQ(ring(ctx).incompat_features, 0u);
}

SUITE_TEST(libaio, a_refused_queue_init_leaves_zero,
           {.holds = {"libaio.queue_init_zeroes_the_variable"}, .entries = kLibaioOnly}) {
  *variable() = context(0x0101010101010101);
  expect_returns({{"too many", [] { return ::io_queue_init(0x7fffffff, variable()); }, -EINVAL}});
  EXPECT_EQ(*variable(), nullptr);
}

SUITE_TEST(libaio, queue_release_ends_the_context,
           {.holds = {"libaio.queue_release_destroys"}, .entries = kLibaioOnly}) {
  const io_context_t ctx = context(setup());
  expect_returns({{"first", [&] { return ::io_queue_release(ctx); }, 0},
                  {"second", [&] { return ::io_queue_release(ctx); }, -EINVAL},
                  {"io_submit", [&] { return library().io_submit(ctx, 0, nullptr); }, -EINVAL}});
}

SUITE_TEST(libaio, queue_run_hands_events_to_callbacks,
           {.holds = {"libaio.queue_run_calls_back", "libaio.queue_run_returns_the_last_answer"},
            .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file("content");
  LibraryIocb made[3];
  // Seven bytes, four, and a buffer that is not there.
  ::io_prep_pread(&made[0], where.get(), pointer(arena::kBuffers), 7, 0);
  ::io_prep_pread(&made[1], where.get(), pointer(arena::kBuffers), 100, 3);
  ::io_prep_pread(&made[2], where.get(), pointer(arena::kUnmapped), 7, 0);
  LibraryIocb* list[] = {&made[0], &made[1], &made[2]};
  for (LibraryIocb& each : made) ::io_set_callback(&each, remember);
  ASSERT_EQ(library().io_submit(context(ctx), 3, list), 3);
  const int returned = ::io_queue_run(context(ctx));

  ASSERT_EQ(callbacks.size(), 3u);
  const long results[] = {7, 4, -EFAULT};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(callbacks[i].ctx, context(ctx)) << i;
    EXPECT_EQ(callbacks[i].iocb, &made[i]) << i;
    EXPECT_EQ(callbacks[i].res, results[i]) << i;
    EXPECT_EQ(callbacks[i].res2, 0) << i;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
  claim("libaio.queue_run_returns_the_last_answer");
  EXPECT_EQ(returned, 0);
}

SUITE_TEST(libaio, queue_run_returns_an_error,
           {.holds = {"libaio.queue_run_returns_the_last_answer"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  expect_returns({{"empty ring", [&] { return ::io_queue_run(context(ctx)); }, 0},
                  {"no context", [] { return ::io_queue_run(nullptr); }, -EINVAL}});
}

SUITE_TEST(libaio, queue_wait_takes_and_awaits_nothing,
           {.holds = {"libaio.queue_wait_waits_for_nothing"}, .entries = kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  expect_returns({{"an empty ring, for ever", [&] { return ::io_queue_wait(context(ctx), nullptr); }, 0}});
  prepare(0, kPread, where.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  expect_returns({{"an event, for ever", [&] { return ::io_queue_wait(context(ctx), nullptr); }, 0},
                  {"an event, an hour", [&] { return ::io_queue_wait(context(ctx), time(3600, 0)); }, 0},
                  {"no context", [] { return ::io_queue_wait(nullptr, nullptr); }, -EINVAL}});
  EXPECT_EQ(in_ring(ctx), 1u);
}

}  // namespace aio::suites
