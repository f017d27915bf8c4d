// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ring that is still mapped somewhere when its context is gone.
// Claims: who reads it gets SIGBUS in the end.
// Provoked by a child that reads the ring which it inherited while its parent destroys the context.
// Not seen: for how long the old content can be read. Kernels without the fix of 2026 may call through a null pointer
// here, so this runs with --allow-crash only.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {

SUITE_TEST(process_left_over, a_child_that_reads_a_destroyed_ring_gets_sigbus,
           {.holds = {"process.left_over_ring_is_sigbus"}, .may_crash = true}) {
  const std::uint64_t ctx = setup();
  const Pipe ready = pipe();
  Worker child([&] {
    const auto deadline = std::chrono::steady_clock::now() + setting().patience;
    std::atomic_ref<std::uint32_t> id(ring(ctx).id);
    const std::uint32_t before = id.load();
    if (::write(ready.write.get(), "x", 1) != 1) return 1;
    while (std::chrono::steady_clock::now() < deadline) {
      if (id.load() != before) return 2;
      ::sched_yield();
    }
    return 3;
  });
  char byte = 0;
  ASSERT_EQ(::read(ready.read.get(), &byte, 1), 1);
  EXPECT_RETURNS(0, io_destroy(ctx));
  const auto status = child.wait_exit(2 * setting().patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status_text(*status), "SIGBUS");
}

}  // namespace aio::suites
