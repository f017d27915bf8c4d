// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/objects.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace aio::suites {

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Descriptor owned(int fd, const char* what) {
  if (fd < 0) fail(what);
  return Descriptor(fd);
}

Descriptor opened(const std::string& path, int flags) { return owned(::open(path.c_str(), flags | O_CLOEXEC)); }

Descriptor opened_again(int fd, int flags) { return opened("/proc/self/fd/" + std::to_string(fd), flags); }

Ends socket_pair(int type, int flags) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | flags, 0, ends) != 0) fail("cannot make a pair of sockets");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

std::optional<Terminal> terminal() {
  int server = -1;
  int user = -1;
  if (::openpty(&server, &user, nullptr, nullptr, nullptr) != 0) return std::nullopt;
  return Terminal{Descriptor(user), Descriptor(server)};
}

void write_bytes(int fd, std::string_view bytes) {
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) fail("cannot write");
}

void fill(int fd) {
  const std::string bytes(4096, 'x');
  while (::write(fd, bytes.data(), bytes.size()) > 0) {
  }
}

void empty(int fd) {
  char bytes[4096];
  while (::read(fd, bytes, sizeof bytes) > 0) {
  }
}

bool is_mapped(Address page) {
  unsigned char resident = 0;
  return ::mincore(reinterpret_cast<void*>(page), 1, &resident) == 0;
}

void limit(decltype(RLIMIT_AS) what, rlim_t soft) {
  rlimit now{};
  ::getrlimit(what, &now);
  now.rlim_cur = soft;
  ::setrlimit(what, &now);
}

}  // namespace aio::suites
