// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/kept_sysctl.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "suites/harness/objects.h"

namespace aio::suites {

KeptSysctl::KeptSysctl(const std::string& name)
    : path_("/proc/sys/" + name), before_(value()), file_(::open(path_.c_str(), O_WRONLY | O_CLOEXEC)) {
  int ends[2];
  if (!file_ || ::pipe2(ends, O_CLOEXEC) != 0) fail("cannot write a sysctl");
  alive_ = Descriptor(ends[1]);
  const Descriptor end(ends[0]);
  keeper_ = ::fork();
  if (keeper_ < 0) fail("cannot fork");
  if (keeper_ == 0) keep(end.get());
}

KeptSysctl::~KeptSysctl() {
  alive_ = Descriptor();
  ::waitpid(keeper_, nullptr, 0);
}

std::string KeptSysctl::value() const {
  std::string text;
  if (!(std::ifstream(path_) >> text)) fail("cannot read a sysctl");
  return text;
}

void KeptSysctl::set(const std::string& text) const {
  if (::pwrite(file_.get(), text.data(), text.size(), 0) < 0) fail("cannot write a sysctl");
}

// The keeper: no signal to the test's group reaches it, and the pipe ends when nobody has its other side.
void KeptSysctl::keep(int end) {
  ::setpgid(0, 0);
  alive_ = Descriptor();
  char byte = 0;
  while (::read(end, &byte, 1) < 0 && errno == EINTR) {
  }
  set(before_);
  ::_exit(0);
}

}  // namespace aio::suites
