// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ring as a mapping that lies still: what /proc tells about it, and what memory calls answer.
// Claims: name, protection, length and flags of the mapping; that it is never executable; madvise, mlock, msync and
// move_pages on it, and that the context does not notice them.
// Provoked by these calls on the rings of fresh contexts, and by a personality that makes all that can be read
// executable.
// Not seen: rings that move or go (mapping_move.cpp, mapping_gone.cpp); migration to a node that is not there.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "fixtures/user_memory.h"
#include "fixtures/worker.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

struct Mapping {
  Address begin = 0;
  Address end = 0;
  std::string protection;
  std::string offset;
  std::string device;
  std::string inode;
  std::string name;
  std::vector<std::string> flags;  // of its VmFlags line
};

// That in which the address lies; one without a begin where there is none.
Mapping mapping_at(Address address) {
  std::ifstream smaps("/proc/self/smaps");
  Mapping current;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      if (current.begin != 0) return current;
      if (address < begin || address >= end) continue;
      std::string range;
      current.begin = begin;
      current.end = end;
      words >> range >> current.protection >> current.offset >> current.device >> current.inode >> std::ws;
      std::getline(words, current.name);
    } else if (current.begin != 0 && line.rfind("VmFlags:", 0) == 0) {
      std::string word;
      for (words >> word; words >> word;) current.flags.push_back(word);
    }
  }
  return current;
}

bool has(const Mapping& mapping, const char* flag) {
  return std::find(mapping.flags.begin(), mapping.flags.end(), flag) != mapping.flags.end();
}

// What a call on the ring answered, as text.
std::string answer(int returned) {
  if (returned == 0) return "0";
  const char* const name = ::strerrorname_np(errno);
  return name != nullptr ? name : fmt::format("errno {}", errno);
}

// Advice that <sys/mman.h> may be too old for.
constexpr int kWipeOnFork = 18;
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;

}  // namespace

SUITE_TEST(mapping, the_line_in_maps, {.holds = {"mapping.named_aio", "mapping.shared_read_write", "mapping.length"}}) {
  for (const std::uint32_t nr : {1u, 64u, 1000u}) {
    const std::uint64_t ctx = setup(nr);
    const Mapping seen = mapping_at(ctx);
    claim("mapping.named_aio");
    EXPECT_EQ(seen.name, "/[aio] (deleted)");
    claim("mapping.shared_read_write");
    EXPECT_EQ(seen.protection, "rw-s");
    claim("mapping.length");
    EXPECT_EQ(seen.begin, ctx);
    EXPECT_EQ(seen.end, ctx + ring_bytes(ring(ctx).nr));
    EXPECT_EQ(seen.offset, "00000000");
  }
}

SUITE_TEST(mapping, each_ring_is_a_file_of_its_own, {.holds = {"mapping.file_of_its_own"}}) {
  const Mapping one = mapping_at(setup(1, 0));
  const Mapping other = mapping_at(setup(1, 1));
  EXPECT_NE(one.inode, "0");
  EXPECT_NE(one.inode, other.inode);
  EXPECT_EQ(one.device, other.device);
}

SUITE_TEST(mapping, the_flags_in_smaps, {.holds = {"mapping.vm_flags"}}) {
  const Mapping seen = mapping_at(setup());
  if (seen.flags.empty()) skip("the kernel tells no VmFlags");
  // Readable, writable, shared, and all three may be set; it cannot grow.
  for (const char* flag : {"rd", "wr", "sh", "mr", "mw", "ms", "de"}) EXPECT_TRUE(has(seen, flag)) << flag;
  // Executable now or some day, device memory, locked, kept from children or from core dumps.
  for (const char* flag : {"ex", "me", "io", "pf", "lo", "dc", "dd"}) EXPECT_FALSE(has(seen, flag)) << flag;
}

SUITE_TEST(mapping, it_cannot_be_made_executable, {.holds = {"mapping.never_executable"}}) {
  const std::uint64_t ctx = setup();
  for (const int protection : {PROT_EXEC, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC}) {
    EXPECT_EQ(answer(::mprotect(&ring(ctx), machine().page_size, protection)), "EACCES") << protection;
  }
  EXPECT_EQ(mapping_at(ctx).protection, "rw-s");
}

// CVE-2016-10044.
SUITE_TEST(mapping, no_personality_makes_it_executable, {.holds = {"mapping.never_executable"}}) {
  if (::personality(READ_IMPLIES_EXEC) < 0) skip("the personality cannot be changed");
  if (mapping_at(map(machine().page_size, PROT_READ)).protection != "r-xp") {
    skip("the personality does not make readable memory executable");
  }
  EXPECT_EQ(mapping_at(setup()).protection, "rw-s");
}

SUITE_TEST(mapping, io_destroy_unmaps_it, {.holds = {"mapping.destroy_unmaps"}}) {
  const std::uint64_t ctx = setup(1000);
  ASSERT_EQ(mapping_at(ctx).begin, ctx);
  const Address last_page = mapping_at(ctx).end - machine().page_size;
  ASSERT_RETURNS(0, io_destroy(ctx));
  EXPECT_FALSE(user_memory::load<std::uint32_t>(ctx));
  EXPECT_FALSE(user_memory::load<std::uint32_t>(last_page));
  EXPECT_EQ(mapping_at(ctx).begin, 0u);
}

SUITE_TEST(mapping, what_madvise_answers, {.holds = {"mapping.advice"}}) {
  const std::uint64_t ctx = setup(64);
  const struct {
    const char* name;
    int advice;
    const char* wanted;
  } rows[] = {
      {"MADV_NORMAL", MADV_NORMAL, "0"},
      {"MADV_WILLNEED", MADV_WILLNEED, "0"},
      {"MADV_DONTNEED", MADV_DONTNEED, "0"},
      {"MADV_DONTFORK", MADV_DONTFORK, "0"},
      {"MADV_DOFORK", MADV_DOFORK, "0"},
      {"MADV_DONTDUMP", MADV_DONTDUMP, "0"},
      {"MADV_DODUMP", MADV_DODUMP, "EINVAL"},
      {"MADV_REMOVE", MADV_REMOVE, "ENODEV"},
      {"MADV_WIPEONFORK", kWipeOnFork, "EINVAL"},
      {"MADV_POPULATE_READ", kPopulateRead, since(5, 14) ? "0" : "EINVAL"},
      {"MADV_POPULATE_WRITE", kPopulateWrite, since(5, 14) ? "0" : "EINVAL"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(answer(::madvise(&ring(ctx), ring_bytes(ring(ctx).nr), row.advice)), row.wanted) << row.name;
  }
  // Before 4.12 a machine without swap took it for MADV_DONTNEED.
  if (since(4, 12)) {
    EXPECT_EQ(answer(::madvise(&ring(ctx), ring_bytes(ring(ctx).nr), MADV_FREE)), "EINVAL");
  }
}

SUITE_TEST(mapping, dontneed_keeps_the_events, {.holds = {"mapping.dontneed_keeps_events"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_EQ(::madvise(&ring(ctx), ring_bytes(ring(ctx).nr), MADV_DONTNEED), 0);
  EXPECT_EQ(ring(ctx).tail, 1u);
  EXPECT_EQ(ring_event(ctx, 0), (Event{100, arena::iocb_slot(0), 1, 0}));
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(2, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
}

SUITE_TEST(mapping, dontfork_keeps_it_from_children, {.holds = {"mapping.dontfork"}, .entries = kNativeOnly}) {
  const std::uint64_t ctx = setup();
  const auto child_sees = [&] {
    const auto look = [&] { return std::string(user_memory::load<RingHeader>(ctx) ? "the ring" : "nothing"); };
    return run_in_worker(look, setting().patience, nullptr).value_or("no child");
  };
  ASSERT_EQ(::madvise(&ring(ctx), machine().page_size, MADV_DONTFORK), 0);
  EXPECT_EQ(child_sees(), "nothing");
  ASSERT_EQ(::madvise(&ring(ctx), machine().page_size, MADV_DOFORK), 0);
  EXPECT_EQ(child_sees(), "the ring");
}

SUITE_TEST(mapping, mlock_does_nothing, {.holds = {"mapping.mlock_is_ignored"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_EQ(answer(::mlock(&ring(ctx), machine().page_size)), "0");
  EXPECT_FALSE(has(mapping_at(ctx), "lo"));
  EXPECT_EQ(answer(::munlock(&ring(ctx), machine().page_size)), "0");
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(mapping, msync_has_nothing_to_write_to, {.holds = {"mapping.msync"}}) {
  const std::uint64_t ctx = setup();
  EXPECT_EQ(answer(::msync(&ring(ctx), machine().page_size, MS_ASYNC)), "0");
  EXPECT_EQ(answer(::msync(&ring(ctx), machine().page_size, MS_SYNC)), "EINVAL");
}

SUITE_TEST(mapping, pages_may_be_moved_between_nodes, {.holds = {"mapping.migration_unnoticed"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  constexpr int kMove = 2;  // MPOL_MF_MOVE
  const int nodes = ::access("/sys/devices/system/node/node1", F_OK) == 0 ? 2 : 1;
  for (int round = 0; round < 6; ++round) {
    for (const Address page : {Address{ctx}, ctx + machine().page_size}) {
      void* where = reinterpret_cast<void*>(page);
      const int node = round % nodes;
      int status = 0;
      [[maybe_unused]] const std::uint32_t touched = at<volatile std::uint32_t>(page);
      if (::syscall(SYS_move_pages, 0, 1UL, &where, &node, &status, kMove) < 0) skip("pages cannot be moved here");
      // A page that somebody reads just now is left where it is.
      EXPECT_TRUE(status == node || status == -EBUSY || status == -EAGAIN) << status;
    }
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_EQ(collect(ctx, 1).front().res, 1);
  }
}

SUITE_TEST(mapping, memory_may_be_compacted,
           {.holds = {"mapping.migration_unnoticed"}, .entries = kNativeOnly, .changes_system = true}) {
  const std::uint64_t ctx = setup(1000);
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  for (unsigned round = 0; round < 3 * ring(ctx).nr; ++round) {
    if (round % 500 == 0 && !(std::ofstream("/proc/sys/vm/compact_memory") << "1" << std::flush)) {
      skip("memory cannot be compacted here");
    }
    iocb(0).data = round;
    ASSERT_RETURNS(1, submit(ctx, {0}));
    ASSERT_EQ(collect(ctx, 1).front().data, round);
  }
}

}  // namespace aio::suites
