// SPDX-License-Identifier: GPL-2.0-or-later
//
// What tests of several suites work on beside files, pipes and eventfds (Case makes those). Where the system gives no
// such thing, each throws std::system_error.
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "fixtures/descriptor.h"
#include "reference/abi.h"

namespace aio::suites {

// Throws what errno says.
[[noreturn]] void fail(const char* what);

Descriptor owned(int fd, const char* what = "cannot open what the test is about");
Descriptor opened(const std::string& path, int flags);
// The same file, with other flags.
Descriptor opened_again(int fd, int flags);

struct Ends {
  Descriptor one;
  Descriptor other;
};
Ends socket_pair(int type = SOCK_STREAM, int flags = 0);

// A terminal that shows nothing: the side of the program, and the side of what serves it. None where /dev/pts is
// missing.
struct Terminal {
  Descriptor user;
  Descriptor server;
};
std::optional<Terminal> terminal();

// All of them, in one call.
void write_bytes(int fd, std::string_view bytes);
// Until a descriptor that does not block takes, or gives, no more.
void fill(int fd);
void empty(int fd);

// Whether a page is mapped at this address.
bool is_mapped(Address page);
// Sets this process's soft limit.
void limit(decltype(RLIMIT_AS) what, rlim_t soft);

}  // namespace aio::suites
