// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/second_opinion_request.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "fixtures/worker.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

// What a Case makes, where there is none around.
struct Make : Case {
  using Case::content;
  using Case::eventfd;
  using Case::file;
  using Case::machine;
  using Case::pipe;
  using Case::put;
};

constexpr std::size_t kFileSize = 5000;
constexpr std::size_t kWaiting = 100;  // bytes in a pipe or socket
constexpr int kNothing = 987;          // no descriptor has this number
constexpr __kernel_timespec kAtOnce{0, 0};
constexpr __kernel_timespec kPatience{10, 0};

std::string bytes_of(std::size_t size, unsigned first) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i % 101);
  return bytes;
}

Subject regular(int flags) {
  Subject made;
  made.other = Make::file(bytes_of(kFileSize, 1));
  made.used = Descriptor(::open(fmt::format("/proc/self/fd/{}", made.other.get()).c_str(), flags | O_CLOEXEC));
  if (!made.used) fail("cannot open a file again");
  made.look = [plain = made.other.get(), used = made.used.get()] {
    return fmt::format("{} at {}", Make::content(plain), ::lseek(used, 0, SEEK_CUR));
  };
  return made;
}

// What is left to be read there.
std::string rest_of(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  static std::array<char, 1 << 17> room;
  std::string bytes;
  for (ssize_t got; (got = ::read(fd, room.data(), room.size())) > 0;) {
    bytes.append(room.data(), static_cast<std::size_t>(got));
  }
  return bytes;
}

enum class Fill { kEmpty, kSome, kFull };

void fill(int fd, Fill how) {
  const std::string bytes = bytes_of(how == Fill::kSome ? kWaiting : 1 << 16, 2);
  if (how != Fill::kEmpty && ::write(fd, bytes.data(), bytes.size()) < 0) fail("cannot fill a pipe or socket");
}

// Where a request would wait it fails instead.
int flags_of(Fill how) { return how == Fill::kSome ? 0 : O_NONBLOCK; }

void write_eight(int fd) {
  const std::uint64_t one = 1;
  if (::write(fd, &one, sizeof one) != sizeof one) fail("cannot wake a pipe, socket or eventfd");
}

Subject pipe_to_read(Fill how, bool with_writer) {
  auto [read, write] = Make::pipe(flags_of(how));
  fill(write.get(), how);
  Subject made{std::move(read), with_writer ? std::move(write) : Descriptor(), {}, {}};
  made.look = [fd = made.used.get()] { return rest_of(fd); };
  if (with_writer) made.wake = [fd = made.other.get()] { write_eight(fd); };
  return made;
}

Subject pipe_to_write(Fill how, bool with_reader) {
  auto [read, write] = Make::pipe(flags_of(how));
  fill(write.get(), how);
  Subject made{std::move(write), with_reader ? std::move(read) : Descriptor(), {}, {}};
  made.look = [fd = made.other.get()] { return fd < 0 ? "" : rest_of(fd); };
  if (with_reader) made.wake = [fd = made.other.get()] { static_cast<void>(rest_of(fd)); };
  return made;
}

Subject socket(Fill how, bool with_peer) {
  std::array<int, 2> ends{};
  const int flags = how == Fill::kSome ? 0 : SOCK_NONBLOCK;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, ends.data()) != 0) fail("cannot make sockets");
  Descriptor peer(ends[1]);
  fill(peer.get(), how);
  Subject made{Descriptor(ends[0]), with_peer ? std::move(peer) : Descriptor(), {}, {}};
  made.look = [mine = ends[0], theirs = made.other.get()] {
    return rest_of(mine) + "|" + (theirs < 0 ? "" : rest_of(theirs));
  };
  if (with_peer) made.wake = [theirs = made.other.get()] { write_eight(theirs); };
  return made;
}

Subject counter(unsigned count) {
  Subject made{Make::eventfd(count, EFD_NONBLOCK), Descriptor(), {}, {}};
  made.look = [fd = made.used.get()] { return rest_of(fd); };
  made.wake = [fd = made.used.get()] { write_eight(fd); };
  return made;
}

Subject opened(const char* path, int flags) {
  Subject made;
  made.used = Descriptor(::open(path, flags | O_CLOEXEC));
  if (!made.used) fail(path);
  return made;
}

constexpr Kind kKinds[] = {
    {"file", "rw", Offset::kUsed, [] { return regular(O_RDWR); }},
    {"file for reading", "r", Offset::kUsed, [] { return regular(O_RDONLY); }},
    {"file for writing", "w", Offset::kUsed, [] { return regular(O_WRONLY); }},
    {"file for appending", "rw", Offset::kUsed, [] { return regular(O_RDWR | O_APPEND); }},
    {"synced file", "rw", Offset::kUsed, [] { return regular(O_RDWR | O_SYNC); }},
    {"direct file", "rw", Offset::kUsed, [] { return regular(O_RDWR | O_DIRECT); }},
    {"empty pipe", "r", Offset::kIgnored, [] { return pipe_to_read(Fill::kEmpty, true); }},
    {"empty pipe without writer", "r", Offset::kIgnored, [] { return pipe_to_read(Fill::kEmpty, false); }},
    {"pipe with bytes", "r", Offset::kIgnored, [] { return pipe_to_read(Fill::kSome, true); }},
    {"pipe without reader", "w", Offset::kIgnored, [] { return pipe_to_write(Fill::kEmpty, false); }},
    {"pipe with room", "w", Offset::kIgnored, [] { return pipe_to_write(Fill::kSome, true); }},
    {"full pipe", "w", Offset::kIgnored, [] { return pipe_to_write(Fill::kFull, true); }},
    {"empty socket", "rw", Offset::kRefused, [] { return socket(Fill::kEmpty, true); }},
    {"empty socket without peer", "rw", Offset::kRefused, [] { return socket(Fill::kEmpty, false); }},
    {"socket with bytes", "rw", Offset::kRefused, [] { return socket(Fill::kSome, true); }},
    {"eventfd of 0", "rw", Offset::kIgnored, [] { return counter(0); }},
    {"eventfd of 5", "rw", Offset::kIgnored, [] { return counter(5); }},
    {"null device", "rw", Offset::kUsed, [] { return opened("/dev/null", O_RDWR); }},
    {"zero device", "rw", Offset::kUsed, [] { return opened("/dev/zero", O_RDWR); }},
    {"directory", "r", Offset::kUsed, [] { return opened("/", O_RDONLY | O_DIRECTORY); }},
    {"path", "", Offset::kUsed, [] { return opened("/", O_PATH); }},
    {"nothing", "", Offset::kUsed, [] { return Subject{}; }},
};

Opinion opinion(const Request& request, const Performer& perform) {
  Make::put(arena::kBuffers, bytes_of(2 * arena::kPage, 4));
  const Subject subject = request.kind->make();
  Opinion seen;
  seen.result = perform(request, subject);
  const std::string memory(reinterpret_cast<const char*>(arena::kBuffers), 2 * arena::kPage);
  seen.state = std::hash<std::string>()(memory + subject.look());
  return seen;
}

std::int64_t or_errno(std::int64_t returned) { return returned < 0 ? -errno : returned; }

std::vector<iovec> vectors_of(const Request& request) {
  if (!is_vectored(request.opcode)) return {{reinterpret_cast<void*>(address_of(request)), request.length}};
  std::vector<iovec> vectors;
  for (const Iovec& each : segments_of(request)) vectors.push_back({reinterpret_cast<void*>(each.base), each.len});
  return vectors;
}

class Uring {
 public:
  Uring() : ready_(::io_uring_queue_init(64, &ring_, 0) == 0) {}
  ~Uring() {
    if (ready_) ::io_uring_queue_exit(&ring_);
  }
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;
  bool ready() const { return ready_; }

  std::int64_t perform(const Request& request, const Subject& subject) {
    const std::vector<iovec> vectors = vectors_of(request);
    prepare(*::io_uring_get_sqe(&ring_), request, subject.fd(), vectors);
    if (::io_uring_submit(&ring_) != 1) throw std::runtime_error("io_uring takes no request");
    // A poll of what is ready ends inside the call.
    if (request.opcode != kPoll) return result(kPatience);
    const std::int64_t at_once = result(kAtOnce);
    if (at_once != kWaits || !request.woken) return at_once;
    subject.wake();
    return result(kPatience);
  }

 private:
  std::int64_t result(__kernel_timespec patience) {
    io_uring_cqe* done = nullptr;
    while (::io_uring_wait_cqe_timeout(&ring_, &done, &patience) == 0) {
      const bool is_its = done->user_data == number_;
      const std::int64_t result = done->res;
      ::io_uring_cqe_seen(&ring_, done);
      if (is_its) return result;
    }
    return kWaits;
  }
  void prepare(io_uring_sqe& sqe, const Request& request, int fd, const std::vector<iovec>& vectors) {
    const auto offset = static_cast<std::uint64_t>(request.offset);
    const auto count = static_cast<unsigned>(vectors.size());
    const auto length = static_cast<unsigned>(request.length);
    switch (request.opcode) {
      case kPread:
        ::io_uring_prep_read(&sqe, fd, vectors[0].iov_base, length, offset);
        break;
      case kPwrite:
        ::io_uring_prep_write(&sqe, fd, vectors[0].iov_base, length, offset);
        break;
      case kPreadv:
        ::io_uring_prep_readv(&sqe, fd, vectors.data(), count, offset);
        break;
      case kPwritev:
        ::io_uring_prep_writev(&sqe, fd, vectors.data(), count, offset);
        break;
      case kFsync:
      case kFdsync:
        ::io_uring_prep_fsync(&sqe, fd, request.opcode == kFdsync ? IORING_FSYNC_DATASYNC : 0);
        break;
      default:
        ::io_uring_prep_poll_add(&sqe, fd, length);
    }
    if (is_transfer(request.opcode)) sqe.rw_flags = static_cast<int>(request.flags);
    sqe.user_data = ++number_;
  }

  io_uring ring_{};
  bool ready_;
  std::uint64_t number_ = 0;
};

}  // namespace

int Subject::fd() const { return used ? used.get() : kNothing; }

bool Kind::takes_transfer(Opcode opcode) const {
  return std::string_view(takes).find(is_read(opcode) ? 'r' : 'w') != std::string_view::npos;
}

std::span<const Kind> kinds() { return kKinds; }

std::string text_of(const Request& request) {
  static constexpr const char* kOpcodes[] = {"PREAD", "PWRITE", "FSYNC",  "FDSYNC", "4",
                                             "POLL",  "6",      "PREADV", "PWRITEV"};
  static constexpr const char* kBuffers[] = {"good", "unmapped", "half mapped", "read-only", "the kernel's"};
  return fmt::format("{} of {}, flags {:#x}, length {}, offset {}, buffer {}", kOpcodes[request.opcode],
                     request.kind->name, request.flags, request.length, request.offset,
                     kBuffers[static_cast<unsigned>(request.buffer)]);
}

Address address_of(const Request& request) {
  switch (request.buffer) {
    case Buffer::kGood:
      break;
    case Buffer::kUnmapped:
      return arena::kUnmapped;
    case Buffer::kHalf:
      return arena::kBuffers + 2 * arena::kPage - 50;
    case Buffer::kReadOnly:
      return arena::kReadOnly;
    case Buffer::kKernel:
      return arena::kKernel;
  }
  return arena::kBuffers;
}

std::vector<Iovec> segments_of(const Request& request) {
  const std::uint64_t first = std::min<std::uint64_t>(request.length, 3);
  const Address at = address_of(request);
  return {{at, first}, {at + first, 0}, {at + first, request.length - first}};
}

std::string result_text(std::int64_t result) {
  if (result == kWaits) return "waits";
  return result < 0 ? fmt::format("-{}", errno_name(static_cast<int>(-result))) : fmt::format("{}", result);
}

std::vector<Opinion> opinions(std::span<const Request> requests, const Performer& perform) {
  std::vector<Opinion> all;
  for (const Request& each : requests) all.push_back(opinion(each, perform));
  return all;
}

std::int64_t perform_plainly(const Request& request, const Subject& subject) {
  const std::vector<iovec> vectors = vectors_of(request);
  const auto count = static_cast<int>(vectors.size());
  // -1 asks for no offset.
  const Offset kind = request.kind->offset;
  const bool has_offset =
      kind == Offset::kUsed || request.offset < 0 || (kind == Offset::kRefused && request.offset > 0);
  const std::int64_t offset = has_offset ? request.offset : -1;
  pollfd polled{subject.fd(), static_cast<short>(request.length), 0};
  switch (request.opcode) {
    case kPread:
    case kPreadv:
      return or_errno(::preadv2(subject.fd(), vectors.data(), count, offset, static_cast<int>(request.flags)));
    case kPwrite:
    case kPwritev:
      return or_errno(::pwritev2(subject.fd(), vectors.data(), count, offset, static_cast<int>(request.flags)));
    case kFsync:
      return or_errno(::fsync(subject.fd()));
    case kFdsync:
      return or_errno(::fdatasync(subject.fd()));
    default:
      if (request.woken) subject.wake();
      if (::poll(&polled, 1, 0) == 0) return kWaits;
      return (polled.revents & POLLNVAL) != 0 ? -EBADF : polled.revents;
  }
}

// Each opinion as its bytes; nothing where there is no io_uring.
std::optional<std::vector<Opinion>> io_uring_opinions(std::span<const Request> requests) {
  WorkerDeath how;
  const auto told = run_in_worker(
      [&] {
        ::signal(SIGPIPE, SIG_IGN);
        Uring ring;
        if (!ring.ready()) return std::string();
        const std::vector<Opinion> all = opinions(
            requests, [&](const Request& request, const Subject& subject) { return ring.perform(request, subject); });
        return std::string(reinterpret_cast<const char*>(all.data()), all.size() * sizeof(Opinion));
      },
      4 * setting().patience, &how);
  if (!told) throw std::runtime_error("the process that uses io_uring: " + how.text());
  if (told->empty()) return std::nullopt;
  std::vector<Opinion> all(requests.size());
  if (told->size() != all.size() * sizeof(Opinion)) throw std::runtime_error("io_uring's opinions are cut short");
  std::memcpy(all.data(), told->data(), told->size());
  return all;
}

}  // namespace aio::suites
