// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ring's pages, and those of buffers, while they are used from all sides.
// Claims: a ring that is migrated, reclaimed, compacted or moved to another address while requests complete and others
// wait loses and doubles no event; nor does one of requests whose buffers are.
// Provoked by move_pages, madvise, mremap and compaction beside a storm (storm.h) on contexts that stay.
// Not seen: which pages the kernel has moved, where it does not tell; on a machine with one node move_pages moves none.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "suites/harness/case.h"
#include "suites/storm.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTime{700};
constexpr int kMove = 2;      // MPOL_MF_MOVE
constexpr int kCold = 20;     // MADV_COLD, for which <sys/mman.h> may be too old
constexpr int kPageOut = 21;  // MADV_PAGEOUT

void* pointer(Address at) { return reinterpret_cast<void*>(at); }

std::string data() { return std::string(kStormFile, 'x'); }

// A storm beside which this is done to the ring, held against all that any storm is.
void weather(Entry& entry, StormSetting wanted, Disturbance disturb) {
  wanted.passing = 0;
  wanted.disturb = std::move(disturb);
  Storm storm(entry, wanted);
  for (const Trouble& each : storm.run()) ADD_FAILURE() << each.requirement << ": " << each.text;
  if (storm.requests() == 0) throw std::runtime_error("not one request was accepted");
}

milliseconds time() { return std::min<milliseconds>(kTime, setting().patience); }

// Moves all pages of some memory to one node, then to the next.
class Migration {
 public:
  // What came of each page; empty where pages cannot be moved.
  std::vector<int> move(Address begin, std::size_t size) {
    const std::size_t page = setting().machine.page_size;
    std::vector<void*> pages;
    for (Address at = begin; at < begin + size; at += page) pages.push_back(pointer(at));
    node_ = (node_ + 1) % nodes_;
    const std::vector<int> nodes(pages.size(), node_);
    std::vector<int> status(pages.size(), node_);
    const long answer = ::syscall(SYS_move_pages, 0, pages.size(), pages.data(), nodes.data(), status.data(), kMove);
    return answer < 0 ? std::vector<int>() : status;
  }
  // Whether it was moved; or left where it is, as somebody uses it just now, nobody has touched it yet, or there is no
  // room.
  bool is_usual(int status) const {
    return status == node_ || status == -EBUSY || status == -EAGAIN || status == -ENOENT || status == -ENOMEM;
  }

 private:
  int nodes_ = ::access("/sys/devices/system/node/node1", F_OK) == 0 ? 2 : 1;
  int node_ = 0;
};

}  // namespace

SUITE_TEST(memory_moves, pages_migrate_while_requests_complete,
           {.holds = {"mapping.migration_unnoticed"}, .entries = kNativeOnly}) {
  use_all(cpus());
  const Descriptor file = Case::file(data());
  const Address buffers = map(kStormBuffers);
  Migration migration;
  bool possible = true;
  int unusual = 0;
  weather(entry(), storm_here(file, buffers, time()), [&](Address ring, std::size_t size) {
    const std::vector<int> pages = migration.move(ring, size);
    for (const int each : pages) unusual = migration.is_usual(each) ? unusual : each;
    possible = possible && !pages.empty();
    migration.move(buffers, kStormBuffers);
    return ring;
  });
  if (!possible) skip("pages cannot be moved here");
  EXPECT_EQ(unusual, 0) << "the status of one of the ring's pages";
}

SUITE_TEST(memory_moves, pages_are_reclaimed_while_requests_complete,
           {.holds = {"mapping.reclaim_unnoticed"}, .entries = kNativeOnly}) {
  use_all(cpus());
  const Descriptor file = Case::file(data());
  // Memory that can be read again from a file.
  const Descriptor behind = Case::file(std::string(kStormBuffers, 'y'));
  void* const mapped = ::mmap(nullptr, kStormBuffers, PROT_READ | PROT_WRITE, MAP_SHARED, behind.get(), 0);
  if (mapped == MAP_FAILED) skip("files cannot be mapped here");
  const auto buffers = reinterpret_cast<Address>(mapped);
  int error = 0;
  weather(entry(), storm_here(file, buffers, time()), [&](Address ring, std::size_t size) {
    for (const int advice : {kCold, kPageOut}) {
      if (::madvise(pointer(ring), size, advice) != 0) error = errno;
      static_cast<void>(::madvise(pointer(buffers), kStormBuffers, advice));
    }
    return ring;
  });
  EXPECT_EQ(error, since(5, 4) ? 0 : EINVAL) << "madvise of the ring";
}

SUITE_TEST(memory_moves, memory_is_compacted_while_requests_complete,
           {.holds = {"mapping.migration_unnoticed"}, .entries = kNativeOnly, .changes_system = true}) {
  const Descriptor compact(::open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC));
  if (!compact) skip("memory cannot be compacted here");
  use_all(cpus());
  const Descriptor file = Case::file(data());
  weather(entry(), storm_here(file, map(kStormBuffers), time()), [&](Address ring, std::size_t /*size*/) {
    static_cast<void>(::write(compact.get(), "1", 1) == 1);
    return ring;
  });
}

// One context: where the ring of one had been, that of another would be taken for it.
SUITE_TEST(memory_moves, the_ring_moves_while_requests_complete,
           {.holds = {"mapping.move_loses_nothing"}, .entries = kNativeOnly}) {
  use_all(cpus());
  const Descriptor file = Case::file(data());
  StormSetting wanted = storm_here(file, map(kStormBuffers), time());
  wanted.staying = 1;
  wanted.moving = true;
  unsigned moves = 0;
  weather(entry(), wanted, [&](Address ring, std::size_t size) {
    // Room that nobody else gets: mremap takes its place.
    void* const room = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return ring;
    if (::mremap(pointer(ring), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, room) != room) {
      ADD_FAILURE() << "mremap of the ring: errno " << errno;
      ::munmap(room, size);
      return ring;
    }
    ++moves;
    return reinterpret_cast<Address>(room);
  });
  EXPECT_GT(moves, 0u);
}

}  // namespace aio::suites
