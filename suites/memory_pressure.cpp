// SPDX-License-Identifier: GPL-2.0-or-later
//
// Requests where there is far less memory than their buffers have.
// Claims: each gives its event, and moved what its res says.
// Provoked by a process in a cgroup of a few MiB, and buffers of many more in mappings of files, whose pages the kernel
// takes away while they are used, from requests with and without O_DIRECT.
// Not seen: what is not charged to the process, as the loop device's pages; a process that is killed for want of
// memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <numeric>

#include "fixtures/worker.h"
#include "suites/data_case.h"
#include "suites/memory_cgroup.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kHigh = 6 * kMiB;
constexpr std::uint64_t kMost = 8 * kMiB;
constexpr std::uint64_t kBytes = 24 * kMiB;
constexpr std::uint64_t kBlock = 256 << 10;
constexpr unsigned kInFlight = 8;
constexpr const char* kNoEntry = "no process can be put into a cgroup here";
constexpr const char* kTooLittle = "a process does not come to its end with so little memory";
constexpr int kPatience = 6;  // times what one call is waited for

struct Leaving {
  ~Leaving() { leave_image(); }
};

// Of the whole file. None of it is in memory.
Address mapped(int fd) {
  ::fsync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  void* const at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map a file");
  return reinterpret_cast<Address>(at);
}

// Moves all blocks; what is wrong with the events. A kernel that has no memory may say so, or move less.
std::string move_blocks(Queue& queue, Opcode opcode, int fd, Address memory) {
  std::vector<unsigned> slots(kInFlight);
  std::iota(slots.begin(), slots.end(), 0u);
  for (std::uint64_t begin = 0; begin < kBytes; begin += kInFlight * kBlock) {
    for (const unsigned slot : slots) {
      const std::uint64_t at = begin + slot * kBlock;
      queue.prepare(slot, {opcode, fd, memory + at, kBlock, static_cast<std::int64_t>(at)});
    }
    const Answer taken = queue.submit(slots);
    if (taken.value != kInFlight) return fmt::format("io_submit of {}: {}", kInFlight, answer_text(taken));
    std::vector<bool> seen(kInFlight);
    for (unsigned count = 0; count < kInFlight;) {
      const std::vector<Event> events = queue.collect(1);
      if (events.empty()) return fmt::format("{} of {} requests gave an event", count, kInFlight);
      for (const Event& event : events) {
        const unsigned slot = queue.slot_of(event);
        if (slot >= kInFlight || seen[slot]) return fmt::format("a second event, or of none: obj {:#x}", event.obj);
        seen[slot] = true;
        const bool fits = event.res == -ENOMEM || (event.res > 0 && event.res <= std::int64_t{kBlock});
        if (!fits) return fmt::format("block at {}: res is {}", begin + slot * kBlock, event.res);
        // What has not come is fetched again without AIO.
        const auto moved = static_cast<std::uint64_t>(std::max<std::int64_t>(event.res, 0));
        const std::uint64_t at = begin + slot * kBlock + moved, rest = kBlock - moved;
        if (rest == 0) continue;
        const auto offset = static_cast<off_t>(at);
        void* const where = reinterpret_cast<void*>(memory + at);
        const ssize_t got = is_read(opcode) ? ::pread(fd, where, rest, offset) : ::pwrite(fd, where, rest, offset);
        if (got != static_cast<ssize_t>(rest)) return kTooLittle;
      }
      count += static_cast<unsigned>(events.size());
    }
    if (!queue.collect(0).empty()) return "an event more than there were requests";
  }
  return "";
}

}  // namespace

// No direct read into a mapping of a file: file systems did not bear that while its pages are written back.
SUITE_TEST(
    memory_moves, buffers_larger_than_the_memory,
    {.holds = {"data.small_memory_loses_nothing"}, .entries = kNativeOnly, .alone = true, .changes_system = true}) {
  const MemoryCgroup little(kHigh, kMost);
  if (const char* const why = little.obstacle()) skip(why);
  if (const char* const why = move_to_image(FileSystem::kExt4)) skip(why);
  const Leaving at_the_end;
  const std::string wanted = pattern(0, kBytes);
  for (const int flags : {0, O_DIRECT}) {
    const Descriptor source = file(wanted), target = file(std::string(kBytes, '\0')),
                     copy = file(std::string(kBytes, '\0'));
    const Descriptor moving(::open(fmt::format("/proc/self/fd/{}", target.get()).c_str(), O_RDWR | O_CLOEXEC | flags));
    ASSERT_TRUE(moving) << "errno " << errno;
    const Address from = mapped(source.get()), to = mapped(copy.get());
    ::fsync(target.get());
    ::posix_fadvise(target.get(), 0, 0, POSIX_FADV_DONTNEED);
    const auto work = [&]() -> std::string {
      if (!little.enter()) return kNoEntry;
      Queue queue(entry(), kind(), setup(kInFlight));
      std::string wrong = move_blocks(queue, kPwrite, moving.get(), from);
      if (wrong.empty() && flags == 0) wrong = move_blocks(queue, kPread, moving.get(), to);
      return wrong;
    };
    WorkerDeath how;
    const auto wrong = run_in_worker(work, kPatience * setting().patience, &how);
    // The kernel kills who takes too much, and slows down who comes near to it, as far as it likes.
    if (!wrong && (how.hung || how.text() == "SIGKILL")) skip(kTooLittle);
    ASSERT_TRUE(wrong) << how.text();
    for (const char* const why : {kNoEntry, kTooLittle}) {
      if (*wrong == why) skip(why);
    }
    ASSERT_EQ(*wrong, "") << (flags == 0 ? "buffered" : "O_DIRECT");
    if (little.times_at_limit() == 0) skip("the cgroup's memory was never short");
    ASSERT_EQ(difference(wanted, content(target.get())), "") << "what was written";
    if (flags == 0) {
      ASSERT_EQ(difference(wanted, content(copy.get())), "") << "what was read";
    }
    ::munmap(reinterpret_cast<void*>(from), kBytes);
    ::munmap(reinterpret_cast<void*>(to), kBytes);
  }
}

}  // namespace aio::suites
