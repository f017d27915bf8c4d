// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_destroy(2): what it refuses, and what is gone when it has returned where nothing had to be waited for.
// Claims: EINVAL for what is no live context; mapping, id, fs.aio-nr and pending polls are given back, and no more.
// Provoked by bogus and dead ids, by contexts with events and polls, and by O_DIRECT reads that nobody reaps.
// Not seen: requests that stay in flight (io_destroy_waits.cpp); what user space mapped over the ring (mapping.cpp).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "fixtures/lane.h"
#include "fixtures/worker.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
SUITE_TEST(io_destroy, a_fresh_context_is_destroyed, {.holds = {"io_destroy.returns_zero", "io_destroy.returns"}}) {
  for (const std::uint32_t nr : {1u, 64u, 1000u}) EXPECT_RETURNS(0, io_destroy(setup(nr))) << nr;
}

SUITE_TEST(io_destroy, what_is_no_context_is_einval, {.holds = {"io_destroy.unknown_context_is_einval"}}) {
  at<std::uint64_t>(arena::kBuffers) = 0;
  for (int i = 0; i < 2; ++i) {  // before there is any context, and with one
    for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, arena::kBuffers,
                                    arena::context_slot(0), arena::kNoAccess, arena::kUnmapped}) {
      EXPECT_ERROR(EINVAL, io_destroy(bad)) << bad;
    }
    setup();
  }
}

SUITE_TEST(io_destroy, addresses_beside_a_context_are_einval,
           {.holds = {"io_destroy.unknown_context_is_einval", "io_destroy.refusal_keeps_context"}}) {
  const std::uint64_t ctx = setup();
  for (const std::uint64_t bad : {ctx + 1, ctx + 8, ctx + sizeof(RingHeader), ctx + machine().page_size, ctx - 4}) {
    EXPECT_ERROR(EINVAL, io_destroy(bad)) << bad - ctx;
  }
  claim("io_destroy.refusal_keeps_context");
  EXPECT_RETURNS(0, io_submit(ctx, 0, arena::kNull));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(io_destroy, addresses_of_the_kernels_half_are_einval,
           {.holds = {"io_destroy.unknown_context_is_einval"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  for (const std::uint64_t bad :
       {arena::kKernel, arena::kNonCanonical, arena::kUserEnd, ctx | (std::uint64_t{1} << 63)}) {
    EXPECT_ERROR(EINVAL, io_destroy(bad)) << bad;
  }
}

SUITE_TEST(io_destroy, a_second_time_is_einval, {.holds = {"context.destroyed_id_is_einval"}}) {
  const std::uint64_t ctx = setup();
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
}

SUITE_TEST(io_destroy, no_call_finds_a_destroyed_context,
           {.holds = {"context.destroyed_id_is_einval"}, .entries = kRawEntries}) {
  const Descriptor empty = file();
  const std::uint64_t ctx = setup();
  prepare(0, kPread, empty.get()).key = 0;
  const Address one = list({arena::iocb_slot(0)});
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 0, arena::kNull));
  EXPECT_ERROR(EINVAL, io_submit(ctx, 1, one));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  if (profile().has_pgetevents) {
    EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  }
}

SUITE_TEST(io_destroy, other_tasks_of_the_same_memory_may_destroy,
           {.holds = {"io_destroy.by_any_task_of_the_memory"}}) {
  for (const Lane::Kind each : {Lane::Kind::kThread, Lane::Kind::kProcess}) {
    const std::uint64_t ctx = setup();
    Answer seen;
    Lane other(cpus().number(1 % cpus().count()), each);
    other.start([&] { seen = io_destroy(ctx); });
    other.wait();
    EXPECT_RETURNS(0, seen);
    EXPECT_ERROR(EINVAL, io_destroy(ctx));
  }
}

// It has the ring's pages, but no contexts.
SUITE_TEST(io_destroy, a_forked_child_may_not_destroy,
           {.holds = {"process.child_has_no_contexts", "io_destroy.refusal_keeps_context"}}) {
  const std::uint64_t ctx = setup();
  Worker child([&] { return io_destroy(ctx).error; });
  const auto status = child.wait_exit(2 * Worker::kReapPatience);
  ASSERT_TRUE(status && WIFEXITED(*status));
  EXPECT_EQ(WEXITSTATUS(*status), EINVAL);
  claim("io_destroy.refusal_keeps_context");
  EXPECT_RETURNS(0, io_submit(ctx, 0, arena::kNull));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(io_destroy, a_changed_id_word_hides_the_context, {.holds = {"context.id_word_must_match"}}) {
  const std::uint64_t ctx = setup();
  ring(ctx).id += 1;
  EXPECT_ERROR(EINVAL, io_destroy(ctx));
  ring(ctx).id -= 1;
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(io_destroy, events_that_nobody_took_do_not_matter,
           {.holds = {"io_destroy.unreaped_events_are_dropped", "io_setup.ring_starts_empty"}}) {
  const Descriptor empty = file();
  const std::uint64_t ctx = setup(100);
  prepare(0, kPread, empty.get());
  const std::vector<Address> hundred(100, arena::iocb_slot(0));
  ASSERT_RETURNS(100, io_submit(ctx, 100, list(hundred)));
  EXPECT_RETURNS(0, io_destroy(ctx));
  claim("io_setup.ring_starts_empty");
  EXPECT_EQ(in_ring(setup(100)), 0u);
}

SUITE_TEST(io_destroy, the_whole_ring_is_unmapped, {.holds = {"mapping.destroy_unmaps"}}) {
  for (const std::uint32_t nr : {1u, 1000u}) {
    const std::uint64_t ctx = setup(nr);
    const std::uint64_t size = ring_bytes(ring(ctx).nr);
    ASSERT_TRUE(is_mapped(ctx));
    ASSERT_RETURNS(0, io_destroy(ctx));
    for (Address page = ctx; page < ctx + size; page += machine().page_size)
      EXPECT_FALSE(is_mapped(page)) << page - ctx;
  }
}

SUITE_TEST(io_destroy, pending_polls_end_and_signal,
           {.holds = {"io_destroy.signals_resfd_of_pending", "io_destroy.returns", "resfd.one_per_completion"}}) {
  const Descriptor polled = eventfd();
  const Descriptor counter = eventfd();
  const std::uint64_t ctx = setup();
  for (const unsigned slot : {0u, 1u, 2u}) signal(prepare_poll(slot, polled.get(), kPollIn), counter.get());
  prepare_poll(3, polled.get(), kPollIn);
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  EXPECT_EQ(drain(counter.get()), 0u);
  claim("io_destroy.returns");
  EXPECT_RETURNS(0, io_destroy(ctx));
  claim("io_destroy.signals_resfd_of_pending");
  EXPECT_EQ(drain(counter.get()), 3u);
  // They are gone: what they waited for comes too late.
  claim("resfd.one_per_completion");
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(polled.get(), &one, sizeof one), 8);
  EXPECT_EQ(drain(counter.get()), 0u);
}

SUITE_TEST(io_destroy, pending_polls_let_go_of_their_files, {.holds = {"io_destroy.releases_files_of_pending"}}) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe ends = pipe();
  const std::uint64_t ctx = setup();
  prepare_poll(0, ends.read.get(), kPollPri);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ends.read = Descriptor();
  ASSERT_EQ(::write(ends.write.get(), "x", 1), 1);  // the request still holds the end for reading
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_TRUE(await([&] { return ::write(ends.write.get(), "x", 1) == -1 && errno == EPIPE; }));
}

SUITE_TEST(io_destroy, other_contexts_keep_events_and_requests, {.holds = {"io_destroy.other_contexts_go_on"}}) {
  const Descriptor empty = file();
  const std::uint64_t kept = setup(1, 0);
  const std::uint64_t ctx = setup(1, 1);
  prepare(0, kPread, empty.get());
  ASSERT_RETURNS(1, submit(kept, {0}));
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_RETURNS(1, io_getevents(kept, 1, 2, arena::kEvents, arena::kNull));
  EXPECT_RETURNS(1, submit(kept, {0}));
  EXPECT_EQ(in_ring(kept), 1u);
}

SUITE_TEST(io_destroy, other_contexts_keep_pending_polls,
           {.holds = {"io_destroy.other_contexts_go_on"}, .needs = ">=4.19"}) {
  const Descriptor polled = eventfd();
  const Descriptor counter = eventfd();
  const std::uint64_t kept = setup(1, 0);
  const std::uint64_t ctx = setup(1, 1);
  signal(prepare_poll(0, polled.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(kept, {0}));
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_EQ(drain(counter.get()), 1u);
  EXPECT_EQ(in_ring(kept), 0u);
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(polled.get(), &one, sizeof one), 8);
  EXPECT_EQ(collect(kept, 1).front().res & kPollIn, kPollIn);
}

// Sixteen pages at once, the descriptor closed, and no event taken; each buffer is the caller's again then.
SUITE_TEST(io_destroy, no_direct_read_writes_after_it,
           {.holds = {"io_destroy.no_buffer_written_after", "io_destroy.returns"}, .needs = "direct"}) {
  constexpr unsigned kReads = 16;
  constexpr int kRounds = 10;
  const std::size_t page = machine().page_size;
  const std::string refilled(kReads * page, 'z');
  const Address buffers = map(kReads * page);
  for (int round = 0; round < kRounds; ++round) {
    Descriptor direct = file(std::string(kReads * page, 'a'), O_DIRECT);
    const std::uint64_t ctx = setup(kReads);
    std::vector<Address> reads;
    for (unsigned slot = 0; slot < kReads; ++slot) {
      prepare(slot, kPread, direct.get(), buffers + slot * page, page, static_cast<std::int64_t>(slot * page));
      reads.push_back(arena::iocb_slot(slot));
    }
    ASSERT_RETURNS(kReads, io_submit(ctx, kReads, list(reads)));
    direct = Descriptor();
    claim("io_destroy.returns");
    ASSERT_RETURNS(0, io_destroy(ctx));
    claim("io_destroy.no_buffer_written_after");
    EXPECT_EQ(get(buffers, kReads * page), std::string(kReads * page, 'a'));
    put(buffers, refilled);
    // Another context's requests come and go meanwhile.
    const Descriptor other = file("x", O_DIRECT);
    prepare(0, kPread, other.get(), arena::kBuffers, arena::kPage);
    EXPECT_EQ(result(setup(), 0), 1);
    EXPECT_EQ(get(buffers, kReads * page), refilled);
  }
}

SUITE_TEST(io_destroy, direct_reads_of_many_threads,
           {.holds = {"io_destroy.no_buffer_written_after", "io_destroy.returns_zero"}, .needs = "direct"}) {
  constexpr unsigned kThreads = 8;
  constexpr int kRounds = 8;
  const std::size_t page = machine().page_size;
  const Descriptor direct = file(std::string(page, 'a'), O_DIRECT);
  const Address buffers = map(kThreads * page);
  std::array<std::string, kThreads> wrong;
  {
    std::vector<std::unique_ptr<Lane>> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      prepare(i, kPread, direct.get(), buffers + i * page, page);
      const Address one = list(std::array{arena::iocb_slot(i)}, arena::kPointers + 64 * i);
      threads.push_back(std::make_unique<Lane>(cpus().number(i % cpus().count())));
      threads[i]->start([&, i, one] {
        const Address variable = arena::kVars + 0x800 + 8 * i;
        const std::string refilled(page, 'z');
        for (int round = 0; round < kRounds && wrong[i].empty(); ++round) {
          at<std::uint64_t>(variable) = 0;
          if (io_setup(1, variable).value != 0) wrong[i] = "io_setup fails";
          const auto ctx = at<std::uint64_t>(variable);
          if (io_submit(ctx, 1, one).value != 1) wrong[i] = "io_submit fails";
          if (io_destroy(ctx).value != 0) wrong[i] = "io_destroy fails";
          if (get(buffers + i * page, page) != std::string(page, 'a')) wrong[i] = "io_destroy did not wait";
          put(buffers + i * page, refilled);
          std::this_thread::yield();
          if (get(buffers + i * page, page) != refilled) wrong[i] = "a buffer was written after io_destroy";
        }
      });
    }
  }
  for (unsigned i = 0; i < kThreads; ++i) EXPECT_EQ(wrong[i], "") << i;
}

SUITE_TEST(io_destroy, all_that_was_reaped_is_done, {.holds = {"io_destroy.returns_zero"}, .needs = "direct"}) {
  constexpr unsigned kReads = 16;
  const std::size_t page = machine().page_size;
  const Address buffers = map(kReads * page);
  Descriptor direct = file(std::string(kReads * page, 'a'), O_DIRECT);
  const std::uint64_t ctx = setup(kReads);
  std::vector<Address> reads;
  for (unsigned slot = 0; slot < kReads; ++slot) {
    prepare(slot, kPread, direct.get(), buffers + slot * page, page, static_cast<std::int64_t>(slot * page));
    reads.push_back(arena::iocb_slot(slot));
  }
  ASSERT_RETURNS(kReads, io_submit(ctx, kReads, list(reads)));
  direct = Descriptor();
  for (const Event& each : collect(ctx, kReads)) EXPECT_EQ(each.res, static_cast<std::int64_t>(page));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

}  // namespace aio::suites
