// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/kept_sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "suites/harness/objects.h"

namespace aio::suites {

// The keeper writes to the file that is open: what the test does may keep it from being opened again.
KeptSysctl::KeptSysctl(const std::string& name)
    : path_("/proc/sys/" + name),
      before_(value()),
      file_(owned(::open(path_.c_str(), O_WRONLY | O_CLOEXEC), "cannot write a sysctl")),
      keeper_([this] { reset(); }, Keeper::Open::kAll) {}

std::string KeptSysctl::value() const {
  std::string text;
  if (!(std::ifstream(path_) >> text)) fail("cannot read a sysctl");
  return text;
}

void KeptSysctl::set(const std::string& text) const {
  if (::pwrite(file_.get(), text.data(), text.size(), 0) < 0) fail("cannot write a sysctl");
}

}  // namespace aio::suites
