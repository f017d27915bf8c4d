// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/slabs.h"

#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace aio::suites {
namespace {

constexpr std::array<std::string_view, 4> kSlabs{"kioctx", "aio_kiocb", "filp", "cred_jar"};

}  // namespace

SlabObjects slab_objects() {
  SlabObjects found;
  std::ifstream file("/proc/slabinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (std::find(kSlabs.begin(), kSlabs.end(), std::string_view(line).substr(0, end)) == kSlabs.end()) continue;
    found[line.substr(0, end)] = std::stoll(line.substr(end));
  }
  return found;
}

std::string grown(const SlabObjects& before, const SlabObjects& after, std::int64_t most) {
  for (const auto& [name, count] : after) {
    const auto at = before.find(name);
    if (at != before.end() && count - at->second >= most) {
      return fmt::format("{}: {} objects, {} before", name, count, at->second);
    }
  }
  return "";
}

bool keeps_what_is_freed() {
  std::ifstream symbols("/proc/kallsyms");
  for (std::string line; std::getline(symbols, line);) {
    if (line.ends_with(" kasan_quarantine_put")) return true;
  }
  return false;
}

void let_go() {
  for (unsigned i = 0; i < 3; ++i) ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

}  // namespace aio::suites
