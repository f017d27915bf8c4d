// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/threads.h"

#include <sched.h>

#include "suites/harness/setting.h"

namespace aio::suites {

std::unique_lock<std::mutex> one_at_a_time_if_lying() {
  static std::mutex mutex;
  return setting().lie.empty() ? std::unique_lock<std::mutex>() : std::unique_lock(mutex);
}

void use_all(const CpuPin& cpus) {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (unsigned i = 0; i < cpus.count(); ++i) CPU_SET(cpus.number(i), &all);
  static_cast<void>(::sched_setaffinity(0, sizeof(all), &all));
}

}  // namespace aio::suites
