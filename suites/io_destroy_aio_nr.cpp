// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_destroy(2) and fs.aio-nr, which counts the events of all contexts of the machine.
// Claims: a context's count is taken off when its destruction begins, once; a refusal takes nothing off.
// Provoked by a count that hardly anyone else takes, with fs.aio-nr read on either side of the call.
// Not seen: wrong counts that others' calls hide in every one of several tries.
#include <unistd.h>

#include <algorithm>

#include "fixtures/lane.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint32_t kCount = 1237;
// Others may make and destroy contexts between two readings: then it is tried again.
constexpr int kTries = 200;

}  // namespace

SUITE_TEST(io_destroy_aio_nr, shrinks_by_the_contexts_count,
           {.holds = {"io_destroy.aio_nr_shrinks_by_nr"}, .alone = true}) {
  const std::uint64_t counted = since(4, 14) ? kCount : 2 * std::max(kCount, 4 * machine().possible_cpus);
  std::uint64_t seen = 0;
  for (int i = 0; i < kTries && seen != counted; ++i) {
    const std::uint64_t ctx = setup(kCount);
    const std::uint64_t before = entry().aio_nr();
    ASSERT_RETURNS(0, io_destroy(ctx));
    seen = before - entry().aio_nr();
  }
  EXPECT_EQ(seen, counted);
}

SUITE_TEST(io_destroy_aio_nr, a_refusal_leaves_it, {.holds = {"io_destroy.failure_keeps_aio_nr"}, .alone = true}) {
  const std::uint64_t ctx = setup(kCount, 0);
  const std::uint64_t dead = setup(kCount, 1);
  ASSERT_RETURNS(0, io_destroy(dead));
  std::uint64_t before = 1;
  std::uint64_t after = 0;
  for (int i = 0; i < kTries && before != after; ++i) {
    before = entry().aio_nr();
    ASSERT_ERROR(EINVAL, io_destroy(dead));
    ASSERT_ERROR(EINVAL, io_destroy(0));
    ASSERT_ERROR(EINVAL, io_destroy(ctx + 8));
    after = entry().aio_nr();
  }
  EXPECT_EQ(after, before);
}

SUITE_TEST(io_destroy_aio_nr, shrinks_before_the_call_waits,
           {.holds = {"io_destroy.aio_nr_shrinks_before_it_waits"}, .alone = true}) {
  const std::uint64_t counted = since(4, 14) ? kCount : 2 * std::max(kCount, 4 * machine().possible_cpus);
  std::uint64_t seen = 0;
  for (int i = 0; i < kTries && seen != counted; ++i) {
    const Pipe ends = pipe();
    const std::uint64_t ctx = setup(kCount);
    prepare(0, kPread, ends.read.get(), arena::kBuffers, 10);
    Answer submitted;
    Answer destroyed;
    Lane submitter(cpus().number(0));
    Lane destroyer(cpus().number(0));
    submitter.start([&] { submitted = submit(ctx, {0}); });
    ASSERT_EQ(submitter.settle(numbers().io_submit), Lane::State::kAsleep);
    const std::uint64_t before = entry().aio_nr();
    destroyer.start([&] { destroyed = io_destroy(ctx); });
    EXPECT_EQ(destroyer.settle(numbers().io_destroy), Lane::State::kAsleep);
    seen = before - entry().aio_nr();
    ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);
    destroyer.wait();
    EXPECT_RETURNS(0, destroyed);
  }
  EXPECT_EQ(seen, counted);
}

}  // namespace aio::suites
