// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL on every kind of file that can be polled.
// Claims: where the file is ready the result is that of poll(2); where it is not the request waits, and what makes the
// file ready completes it. Provoked by bringing each file from one state into the other, with poll(2) as the judge.
// Not seen: devices; files without a poll method and files that wait on two queues (poll.cpp).
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

// What poll(2) says of the file now; with patience, once it says anything.
std::int64_t poll_now(int fd, std::uint64_t events, std::chrono::milliseconds patience = {}) {
  pollfd polled{fd, static_cast<short>(events), 0};
  if (::poll(&polled, 1, static_cast<int>(patience.count())) < 0) fail("cannot poll");
  return static_cast<unsigned short>(polled.revents);
}

// A file that is not ready for what is asked, and what makes it so.
struct Kind {
  std::string what;
  Descriptor polled;
  std::uint64_t asked;
  std::function<void()> make_ready;
};

using Kinds = std::vector<Kind>;

// What `make_ready` needs lives as long as it does.
using Kept = std::shared_ptr<Descriptor>;

Kept keep(Descriptor fd) { return std::make_shared<Descriptor>(std::move(fd)); }

std::function<void()> to_write(Kept to) {
  return [to = std::move(to)] { write_bytes(to->get(), "x"); };
}

std::function<void()> to_empty(Kept from) {
  return [from = std::move(from)] { empty(from->get()); };
}

Ends make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) fail("cannot make a pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// The ends of a FIFO whose name is gone.
Ends make_fifo(const std::string& directory) {
  std::string folder = directory + "/aio-cts-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) fail("cannot make a directory");
  const std::string path = folder + "/fifo";
  Ends ends;
  if (::mkfifo(path.c_str(), 0600) == 0) {
    ends.one = Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ends.other = Descriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    ::unlink(path.c_str());
  }
  ::rmdir(folder.c_str());
  if (!ends.other) throw std::runtime_error("cannot make a FIFO in " + directory);
  return ends;
}

void add_pipes(Kinds& kinds, const std::string& directory) {
  Ends ends = make_pipe();
  kinds.push_back({"pipe", std::move(ends.one), kPollIn, to_write(keep(std::move(ends.other)))});
  ends = make_pipe();
  fill(ends.other.get());
  kinds.push_back({"full pipe", std::move(ends.other), kPollOut, to_empty(keep(std::move(ends.one)))});
  ends = make_pipe();
  kinds.push_back({"pipe that loses its writer", std::move(ends.one), kPollHup,
                   [end = keep(std::move(ends.other))] { *end = Descriptor(); }});
  ends = make_pipe();
  kinds.push_back({"pipe that loses its reader", std::move(ends.other), kPollErr,
                   [end = keep(std::move(ends.one))] { *end = Descriptor(); }});
  ends = make_fifo(directory);
  kinds.push_back({"FIFO", std::move(ends.one), kPollIn, to_write(keep(std::move(ends.other)))});
}

void add_unix_sockets(Kinds& kinds) {
  const std::pair<const char*, int> types[] = {
      {"stream socket", SOCK_STREAM}, {"datagram socket", SOCK_DGRAM}, {"seqpacket socket", SOCK_SEQPACKET}};
  for (const auto& [name, type] : types) {
    Ends ends = socket_pair(type, SOCK_NONBLOCK);
    kinds.push_back({name, std::move(ends.one), kPollIn, to_write(keep(std::move(ends.other)))});
    if (type == SOCK_DGRAM) continue;
    ends = socket_pair(type, SOCK_NONBLOCK);
    fill(ends.one.get());
    kinds.push_back(
        {fmt::format("full {}", name), std::move(ends.one), kPollOut, to_empty(keep(std::move(ends.other)))});
    ends = socket_pair(type, SOCK_NONBLOCK);
    kinds.push_back({fmt::format("{} that loses its peer", name), std::move(ends.one), kPollHup,
                     [end = keep(std::move(ends.other))] { *end = Descriptor(); }});
    ends = socket_pair(type, SOCK_NONBLOCK);
    kinds.push_back({fmt::format("{} whose peer ends writing", name), std::move(ends.one), kPollRdhup,
                     [end = keep(std::move(ends.other))] { ::shutdown(end->get(), SHUT_WR); }});
  }
}

// A socket at some port of the loopback interface; none where the interface is not up.
Descriptor bound_socket(int type, sockaddr_in& address) {
  Descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!made || ::bind(made.get(), generic, size) != 0 || ::getsockname(made.get(), generic, &size) != 0) return {};
  return made;
}

Descriptor connected_socket(int type, const sockaddr_in& address) {
  Descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!made || ::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return made;
}

// The ends of a connection over the loopback interface.
Ends make_connection() {
  sockaddr_in address{};
  const Descriptor listening = bound_socket(SOCK_STREAM, address);
  if (!listening || ::listen(listening.get(), 1) != 0) return {};
  Ends ends;
  ends.one = connected_socket(SOCK_STREAM, address);
  if (!ends.one) return {};
  ends.other = owned(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC), "cannot accept");
  return ends;
}

// False where there is no network.
bool add_internet_sockets(Kinds& kinds) {
  Ends ends = make_connection();
  Ends ending = make_connection();
  sockaddr_in port{};
  Descriptor listening = bound_socket(SOCK_STREAM, port);
  sockaddr_in datagram_port{};
  Descriptor datagrams = bound_socket(SOCK_DGRAM, datagram_port);
  if (!ends.other || !ending.other || !listening || ::listen(listening.get(), 4) != 0 || !datagrams) return false;
  kinds.push_back({"TCP connection", std::move(ends.one), kPollIn, to_write(keep(std::move(ends.other)))});
  kinds.push_back({"TCP connection that loses its peer", std::move(ending.one), kPollRdhup,
                   [end = keep(std::move(ending.other))] { *end = Descriptor(); }});
  kinds.push_back({"TCP listener", std::move(listening), kPollIn, [client = keep({}), port] {
                     *client = connected_socket(SOCK_STREAM, port);
                     if (!*client) fail("cannot connect");
                   }});
  kinds.push_back(
      {"UDP socket", std::move(datagrams), kPollIn, to_write(keep(connected_socket(SOCK_DGRAM, datagram_port)))});
  return true;
}

void add_counters(Kinds& kinds) {
  const auto write_count = [](int eventfd, std::uint64_t count) {
    if (::write(eventfd, &count, sizeof count) != sizeof count) fail("cannot write to an eventfd");
  };
  Descriptor made = owned(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd");
  int fd = made.get();
  kinds.push_back({"eventfd of 0", std::move(made), kPollIn, [=] { write_count(fd, 1); }});
  made = owned(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd");
  fd = made.get();
  write_count(fd, 0xfffffffffffffffe);
  kinds.push_back({"eventfd that is full", std::move(made), kPollOut, [=] { empty(fd); }});
  made = owned(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "cannot make a timer");
  fd = made.get();
  kinds.push_back({"timerfd", std::move(made), kPollIn, [=] {
                     itimerspec soon{};
                     soon.it_value.tv_nsec = 1;
                     if (::timerfd_settime(fd, 0, &soon, nullptr) != 0) fail("cannot arm a timer");
                   }});
}

// An epoll and an inotify that watch something.
void add_watchers(Kinds& kinds, Descriptor file) {
  Ends ends = make_pipe();
  Descriptor made = owned(::epoll_create1(EPOLL_CLOEXEC), "cannot make an epoll");
  epoll_event event{EPOLLIN, {}};
  if (::epoll_ctl(made.get(), EPOLL_CTL_ADD, ends.one.get(), &event) != 0) fail("cannot add to an epoll");
  kinds.push_back({"epoll", std::move(made), kPollIn,
                   [watched = keep(std::move(ends.one)), write = to_write(keep(std::move(ends.other)))] { write(); }});
  made = Descriptor(::inotify_init1(IN_CLOEXEC));
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  if (!made || ::inotify_add_watch(made.get(), path.c_str(), IN_MODIFY) < 0) return;  // left out of the kernel
  kinds.push_back({"inotify", std::move(made), kPollIn, to_write(keep(std::move(file)))});
}

// A signalfd for a signal that is blocked.
Descriptor make_signalfd(int signal) {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, signal);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  return owned(::signalfd(-1, &mask, SFD_CLOEXEC), "cannot make a signalfd");
}

constexpr std::uint64_t kMasks[] = {
    0, kPollIn, kPollOut, kPollPri, kPollIn | kPollOut, kPollRdnorm | kPollWrnorm, kPollRdhup, 0x27ff};

}  // namespace

SUITE_TEST(poll_kinds, the_result_is_that_of_poll,
           {.holds = {"poll.ready_result_is_that_of_poll", "poll.not_done_where_poll_says_nothing"}}) {
  const std::uint64_t ctx = setup();
  Kinds kinds;
  add_pipes(kinds, setting().directory);
  add_unix_sockets(kinds);
  add_internet_sockets(kinds);
  add_counters(kinds);
  add_watchers(kinds, file());
  kinds.push_back({"signalfd", make_signalfd(SIGUSR1), kPollIn, [] { ::raise(SIGUSR1); }});
  const auto compare = [&](const Kind& kind, std::uint64_t asked, const char* state) {
    const std::string what = fmt::format("{}, {}, asked for {:#x}", kind.what, state, asked);
    const std::int64_t ready = poll_now(kind.polled.get(), asked);
    prepare_poll(0, kind.polled.get(), asked);
    ASSERT_RETURNS(1, submit(ctx, {0})) << what;
    if (ready != 0) {
      claim("poll.ready_result_is_that_of_poll");
      EXPECT_EQ(collect(ctx, 1).front().res, ready) << what;
    } else {
      claim("poll.not_done_where_poll_says_nothing");
      EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0))) << what;
      EXPECT_EQ(collect(ctx, 1).front().res, 0) << what;
    }
  };
  for (const Kind& kind : kinds) {
    for (const std::uint64_t asked : kMasks) compare(kind, asked, "before");
    kind.make_ready();
    ASSERT_NE(poll_now(kind.polled.get(), kind.asked, setting().patience), 0) << kind.what;
    for (const std::uint64_t asked : kMasks) compare(kind, asked, "after");
  }
}

SUITE_TEST(poll_kinds, what_makes_a_file_ready_completes_the_request, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  Kinds kinds;
  add_pipes(kinds, setting().directory);
  add_unix_sockets(kinds);
  add_counters(kinds);
  add_watchers(kinds, file());
  for (const Kind& kind : kinds) {
    prepare_poll(0, kind.polled.get(), kind.asked);
    ASSERT_RETURNS(1, submit(ctx, {0})) << kind.what;
    EXPECT_EQ(in_ring(ctx), 0u) << kind.what;
    kind.make_ready();
    const std::int64_t bits = collect(ctx, 1).front().res;
    EXPECT_EQ(bits & static_cast<std::int64_t>(kind.asked), static_cast<std::int64_t>(kind.asked)) << kind.what;
  }
}

SUITE_TEST(poll_kinds, what_comes_over_the_network_completes_the_request, {.holds = {"poll.wake_up_completes"}}) {
  const std::uint64_t ctx = setup();
  Kinds kinds;
  if (!add_internet_sockets(kinds)) skip("no network over the loopback interface");
  for (const Kind& kind : kinds) {
    prepare_poll(0, kind.polled.get(), kind.asked);
    ASSERT_RETURNS(1, submit(ctx, {0})) << kind.what;
    EXPECT_EQ(in_ring(ctx), 0u) << kind.what;
    kind.make_ready();
    const std::int64_t bits = collect(ctx, 1).front().res;
    EXPECT_EQ(bits & static_cast<std::int64_t>(kind.asked), static_cast<std::int64_t>(kind.asked)) << kind.what;
  }
}

// The kernel asks a signalfd again from a thread of its own, which has no such signal.
SUITE_TEST(poll_kinds, a_signal_does_not_complete_a_pending_poll_of_a_signalfd,
           {.holds = {"poll.signal_does_not_complete"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor signals = make_signalfd(SIGUSR1);
  prepare_poll(0, signals.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ::raise(SIGUSR1);
  ASSERT_EQ(poll_now(signals.get(), kPollIn), kPollIn);
  // What is cancelled later takes the same way through the kernel.
  const Pipe ends = pipe();
  prepare_poll(1, ends.read.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {1}));
  ASSERT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(1)));
  EXPECT_EQ(collect(ctx, 1).front().obj, arena::iocb_slot(1));
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_EQ(collect(ctx, 1).front().res, 0);
}

SUITE_TEST(poll_kinds, a_change_of_mounts_completes_a_poll_of_the_list_of_mounts,
           {.holds = {"poll.wake_up_without_key_asks_the_file"}}) {
  const std::uint64_t ctx = setup();
  const bool own = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
  if (!own || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) skip("no name space for own mounts");
  const Descriptor mounts = owned(::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC), "cannot open the list of mounts");
  prepare_poll(0, mounts.get(), kPollIn);
  EXPECT_EQ(result(ctx, 0), kPollIn);
  prepare_poll(0, mounts.get(), kPollPri);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(in_ring(ctx), 0u);
  if (::mount("tmpfs", setting().directory.c_str(), "tmpfs", 0, nullptr) != 0) skip("mounts cannot be made");
  EXPECT_EQ(collect(ctx, 1).front().res, kPollPri | kPollErr);
}

}  // namespace aio::suites
