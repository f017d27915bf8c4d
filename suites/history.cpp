// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bugs that kernels had, named after their CVE or the commit that fixed them: what one thread can show.
// Claims: this kernel has none of them.
// Provoked by the shortest way that a program has to show each.
// Not seen: bugs whose only effect is memory lost or used wrongly inside the kernel.
//
// F1 to F44 are their numbers in section F of semantics.md. Others are in history_requests.cpp and history_races.cpp;
// F25 and F25b (97eba80fcca7, d3882564a77c) are rules of compat_waits.cpp. Left out are
//   F11  835f252c6deb: dirty pages that stay counted; the counter is the whole machine's
//   F17b d3d6a18d7d35, F22 b542e383d8c0: locks that meet an interrupt, or a real-time kernel, at the wrong time
//   F18b CVE-2021-39698: use after free, in the series of F18
//   F20  4b3749865374: in release candidates only; says when a signal is put off, which nobody sees
//   F24  76e43c8ccaa3 for /dev/fuse: an order of locks; its sibling for userfaultfd is shown
//   F27  9ba546c01976: a header that did not compile
//   F31  4faa99965e02, F36 b820de741ae4 and 961ebd120565: need a USB gadget
//   F33  a6d7cff472ee, d0264c01e758: use after free, in the race of F32
//   F39  70fe2f48152e: needs a file system that may be frozen
//   F40, F41: not fixed everywhere, no release number tells where, and the machine would not survive
//   F44  754320d6e166: kernel memory that is lost
//
// Those that a kernel from 4.9 on may not survive are run on demand only.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "fixtures/worker.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::chrono::seconds kExitPatience{20};

std::string block_of(char byte) { return std::string(kBlock, byte); }

// How a child process ends that does this.
std::string end_of(const std::function<int()>& body) {
  Worker child(body);
  const auto status = child.wait_exit(kExitPatience);
  return status ? status_text(*status) : "it hangs";
}

// The line of /proc/self/maps for the mapping that begins there; empty if there is none.
std::string mapping_at(Address begin) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (std::stoull(line, nullptr, 16) == begin) return line;
  }
  return "";
}

void* pointer(Address at) { return reinterpret_cast<void*>(at); }

}  // namespace

// F1.
SUITE_TEST(history, cve_2014_0206_head_beyond_ring, {.holds = {"ring.indices_modulo_size"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file("content");
  for (const unsigned slot : {0u, 1u, 2u, 3u, 4u}) prepare(slot, kPread, where.get(), arena::kBuffers, slot);
  ASSERT_RETURNS(5, submit(ctx, {0, 1, 2, 3, 4}));
  const std::uint32_t size = ring(ctx).nr;
  const Address array = map(sizeof(Event) * size);
  for (const std::uint32_t head : {size, size + 2, 77 * size + 4, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    ring(ctx).head = head;
    const std::uint32_t first = head % size;
    const std::uint32_t wanted = (5 + size - first) % size;
    ASSERT_RETURNS(wanted, io_getevents(ctx, 0, size, array, timeout(0, 0))) << head;
    for (std::uint32_t i = 0; i < wanted; ++i) {
      ASSERT_EQ(at<Event>(array + sizeof(Event) * i), ring_event(ctx, (first + i) % size)) << head << ", event " << i;
    }
    EXPECT_EQ(ring(ctx).head, 5u) << head;
  }
}

// F2.
SUITE_TEST(history, f8567a3845ac_reaped_slots_come_back, {.holds = {"quota.reaped_slots_come_back_when_dry"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  RingHeader& header = ring(ctx);
  for (std::uint64_t i = 0; i < 4 * header.nr; ++i) {
    prepare(0, kPread, where.get()).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
    ASSERT_EQ(ring_event(ctx, header.head), (Event{i, arena::iocb_slot(0), 0, 0})) << i;
    header.head = (header.head + 1) % header.nr;
  }
}

// F3.
SUITE_TEST(history, d856f32a86b2_no_overflow,
           {.holds = {"io_submit.full_ring_is_eagain", "quota.unread_events_hold_slots",
                      "ring.written_slots_keep_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor where = file();
  const std::uint32_t size = ring(ctx).nr;
  std::uint32_t accepted = 0;
  for (std::uint32_t i = 0; i < 3 * size; ++i) {
    prepare(0, kPread, where.get()).data = accepted;
    const Answer answer = submit(ctx, {0});
    if (answer.value == 1) {
      ++accepted;
    } else {
      ASSERT_ERROR(EAGAIN, answer) << i;
    }
  }
  claim("quota.unread_events_hold_slots");
  EXPECT_GT(accepted, 0u);
  ASSERT_LE(accepted, size - 1);
  EXPECT_EQ(in_ring(ctx), accepted);
  claim("ring.written_slots_keep_events");
  for (std::uint32_t i = 0; i < accepted; ++i) ASSERT_EQ(ring_event(ctx, i).data, i);
}

// F4.
SUITE_TEST(history, 263782c1c95b_capacity_after_direct_load,
           {.holds = {"history.capacity_survives_load", "event.one_for_every_request"}, .needs = "direct_queues"}) {
  const std::uint64_t ctx = setup();
  const Descriptor direct = file(block_of('a') + block_of('b'), O_DIRECT);
  const std::uint32_t size = ring(ctx).nr;
  const Address array = map(sizeof(Event) * size);
  const std::vector<Address> same(size, arena::iocb_slot(0));
  prepare(0, kPread, direct.get(), arena::kBuffers, kBlock);
  claim("event.one_for_every_request");
  for (int round = 0; round < 40; ++round) {
    const Answer accepted = io_submit(ctx, size, list(same));
    ASSERT_GT(accepted.value, 0) << round;
    ASSERT_LT(accepted.value, size) << round;
    ASSERT_RETURNS(accepted.value, io_getevents(ctx, accepted.value, size, array, timeout(30, 0))) << round;
  }
  // The least that one CPU may get, whatever the other CPUs hold, by the sizes of batches.
  claim("history.capacity_survives_load");
  const std::int64_t slots = size - 1;
  const std::int64_t cpus = machine().possible_cpus;
  const std::int64_t batch = std::max<std::int64_t>(1, slots / (4 * cpus));
  prepare(0, kPread, direct.get());
  std::int64_t accepted = 0;
  while (accepted <= slots && submit(ctx, {0}).value == 1) ++accepted;
  EXPECT_GE(accepted, slots / batch * batch - (cpus - 1) * (2 * batch - 1));
  EXPECT_LE(accepted, slots);
}

// F5.
SUITE_TEST(history, e34ecee2ae79_scribbled_ring,
           {.holds = {"history.indices_do_not_hold_up_the_end"}, .needs = ">=4.19"}) {
  const Pipe ends = pipe();
  const std::pair<std::uint32_t, std::uint32_t> words[] = {{1, 0}, {0, 1}, {0xffffffff, 0}, {0x80000000, 0x7fffffff}};
  for (const auto& [head, tail] : words) {
    const auto leave_pending = [&, head = head, tail = tail] {
      const std::uint64_t ctx = setup();
      prepare_poll(0, ends.read.get(), kPollIn);
      require(testing::AssertionResult(submit(ctx, {0}).value == 1));
      ring(ctx).head = head;
      ring(ctx).tail = tail;
      return ctx;
    };
    EXPECT_RETURNS(0, io_destroy(leave_pending())) << head << ", " << tail;
    EXPECT_EQ(end_of([&] { return leave_pending() == 0 ? 1 : 0; }), "exit 0") << head << ", " << tail;
  }
}

// F6. A ring for as many events as fs.aio-max-nr allows is made, and given up as one event is taken already.
SUITE_TEST(history, cve_2013_7348_failed_io_setup,
           {.holds = {"io_setup.sum_over_aio_max_nr_is_eagain", "io_setup.lowest_free_table_index"}}) {
  if (machine().aio_max_nr > 1 << 20) skip("the largest ring that fs.aio-max-nr allows is too large");
  const auto most = static_cast<std::uint32_t>(machine().aio_max_nr);
  ASSERT_EQ(ring(setup()).id, 0u);
  for (int i = 0; i < 20; ++i) {
    at<std::uint64_t>(arena::context_slot(1)) = 0;
    ASSERT_ERROR(EAGAIN, io_setup(most, arena::context_slot(1))) << i;
  }
  claim("io_setup.lowest_free_table_index");
  EXPECT_EQ(ring(setup(1, 1)).id, 1u);
}

// F7.
SUITE_TEST(history, e02ba72aabfa_destroy_waits_for_reads,
           {.holds = {"io_destroy.waits_for_what_is_in_flight"}, .needs = "direct_queues"}) {
  const Descriptor direct = file(block_of('a'), O_DIRECT);
  put(arena::kBuffers, block_of('x'));
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t ctx = setup();
    prepare(0, kPread, direct.get(), arena::kBuffers, kBlock);
    ASSERT_EQ(get(arena::kBuffers, kBlock), block_of('x')) << round;
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_RETURNS(0, io_destroy(ctx));
    ASSERT_EQ(get(arena::kBuffers, kBlock), block_of('a')) << round;
    put(arena::kBuffers, block_of('x'));
  }
}

// F8.
SUITE_TEST(history, 6098b45b32e6_exit_waits_for_writes,
           {.holds = {"history.exit_waits_for_writes"}, .needs = "direct_queues"}) {
  for (char byte = 'a'; byte < 'k'; ++byte) {
    const Descriptor direct = file(std::string(4 * kBlock, '.'), O_DIRECT);
    put(arena::kBuffers, block_of(byte));
    const std::string how = end_of([&] {
      const std::uint64_t ctx = setup();
      for (const unsigned slot : {0u, 1u, 2u, 3u}) {
        prepare(slot, kPwrite, direct.get(), arena::kBuffers, kBlock, static_cast<std::int64_t>(slot * kBlock));
      }
      return submit(ctx, {0, 1, 2, 3}).value == 4 ? 0 : 1;
    });
    ASSERT_EQ(how, "exit 0");
    ASSERT_EQ(::fcntl(direct.get(), F_SETFL, 0), 0);
    ASSERT_EQ(content(direct.get()), std::string(4 * kBlock, byte));
  }
}

// F9. Nothing is said of the time that it takes.
SUITE_TEST(history, dc48e56d7616_exit_of_many_contexts, {.holds = {"history.exit_ends_many_contexts"}}) {
  const std::string how = end_of([&] {
    for (int i = 0; i < 1000; ++i) {
      at<std::uint64_t>(arena::context_slot(0)) = 0;
      const Answer made = io_setup(1, arena::context_slot(0));
      // Others take from fs.aio-max-nr too.
      if (made.error == EAGAIN) return i > 0 ? 0 : 2;
      if (made.value != 0) return 1;
    }
    return 0;
  });
  if (how == "exit 2") skip("fs.aio-max-nr is used up");
  EXPECT_EQ(how, "exit 0");
}

// F10. The kernel is asked to move what pages it likes; whether the ring's are among them it does not tell.
SUITE_TEST(history, 5e9ae2e5da0b_events_survive_compaction,
           {.holds = {"history.events_survive_compaction"}, .changes_system = true}) {
  const Descriptor compact(::open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC));
  if (!compact) skip("memory cannot be compacted here");
  const std::uint64_t ctx = setup(1000);
  const Descriptor where = file("content");
  for (std::uint64_t i = 0; i < 2000; ++i) {
    if (i % 200 == 0) static_cast<void>(::write(compact.get(), "1", 1) == 1);
    prepare(0, kPread, where.get(), arena::kBuffers, 7).data = i;
    ASSERT_EQ(complete(ctx, 0), (Event{i, arena::iocb_slot(0), 7, 0})) << i;
  }
}

// F13.
SUITE_TEST(history, cve_2016_10044_executable_ring, {.holds = {"history.ring_is_not_executable"}}) {
  if (::personality(READ_IMPLIES_EXEC) == -1) skip("READ_IMPLIES_EXEC cannot be had");
  const std::uint64_t ctx = setup();
  const std::string line = mapping_at(ctx);
  EXPECT_NE(line.find(" rw-s "), std::string::npos) << line;
  EXPECT_NE(line.find("[aio]"), std::string::npos) << line;
  EXPECT_EQ(::mprotect(pointer(ctx), machine().page_size, PROT_READ | PROT_EXEC), -1);
  EXPECT_EQ(errno, EACCES);
}

// F15. Others move fs.aio-nr too, so what most of the tries show counts.
SUITE_TEST(history, 2a8a98673c13_aio_nr, {.holds = {"io_setup.aio_nr_grows_by_nr"}, .needs = ">=4.14", .alone = true}) {
  std::vector<std::int64_t> grown;
  for (int i = 0; i < 15; ++i) {
    const std::uint64_t before = entry().aio_nr();
    const std::uint64_t ctx = setup(3);
    grown.push_back(static_cast<std::int64_t>(entry().aio_nr() - before));
    ASSERT_RETURNS(0, io_destroy(ctx));
  }
  std::sort(grown.begin(), grown.end());
  EXPECT_EQ(grown[grown.size() / 2], 3);
}

// F30.
SUITE_TEST(history, cve_2023_52646_mremap_after_fork,
           {.holds = {"history.child_cannot_move_ring"}, .may_crash = true}) {
  const std::uint64_t ctx = setup();
  const std::size_t size = ring_bytes(ring(ctx).nr);
  const Address target = map(size);
  EXPECT_EQ(end_of([&] {
              void* const moved = ::mremap(pointer(ctx), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(target));
              return moved == MAP_FAILED && errno == EINVAL ? 0 : 1;
            }),
            "exit 0");
  EXPECT_RETURNS(0, io_submit(ctx, 0, 0));
}

// F38. Others move fs.aio-nr too, so one try of several is enough.
SUITE_TEST(history, c00d2c7e8947_compat_setup_leak,
           {.holds = {"io_setup.unwritable_ctxp_is_efault"}, .entries = kCompatOnly, .alone = true}) {
  const Address page = map(machine().page_size);
  ASSERT_EQ(::mprotect(pointer(page), machine().page_size, PROT_READ), 0);
  bool kept = true;
  for (int i = 0; i < 5 && kept; ++i) {
    const std::uint64_t before = entry().aio_nr();
    for (int k = 0; k < 20; ++k) ASSERT_ERROR(EFAULT, io_setup(1, page));
    kept = entry().aio_nr() >= before + 20;
  }
  EXPECT_FALSE(kept) << "each call leaves a context";
}

}  // namespace aio::suites
