// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity where files grow and where they have holes.
// Claims: size and bytes of a write can be seen once its event is there; a read ends where the file does; nobody ever
// sees bytes in a hole or past an old end that nobody wrote.
// Provoked by writes past the end and into holes, of blocks and of parts of them, while other threads read, open and
// close the file, or allocate blocks.
// Not seen: what free blocks held before in the run's own directory (on images they hold a known byte).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <latch>
#include <system_error>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t size_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw std::system_error(errno, std::generic_category(), "cannot look at a file");
  return static_cast<std::uint64_t>(status.st_size);
}

// Thread 0 of a race writes; the others look until it has done.
class Race {
 public:
  explicit Race(unsigned threads) : start_(threads) {}
  void begin() { start_.arrive_and_wait(); }
  Troubles end(Troubles troubles) {
    over_ = true;
    return troubles;
  }
  // At least once.
  Troubles look(std::string_view requirement, const std::function<std::string()>& once) {
    do {
      if (std::string wrong = once(); !wrong.empty()) return {{requirement, wrong}};
    } while (!over_);
    return {};
  }

 private:
  std::latch start_;
  std::atomic<bool> over_{false};
};

constexpr unsigned kOnly[] = {0};  // generation that is written

}  // namespace

DATA_TEST(size_is_visible_at_the_event, {.holds = {"data.size_is_visible_at_the_event"}}) {
  const Address memory = map(kPage);
  Queue queue = queues(1).front();
  const std::vector<unsigned> slots{0, 1, 2, 3, 4, 5, 6, 7};
  for (const Mode& mode : modes()) {
    const Descriptor fd = file("", mode.flags);
    for (std::uint64_t begin = 0; begin < 32 * kPage; begin += slots.size() * kPage) {
      for (const unsigned slot : slots) {
        queue.prepare(slot, {kPwrite, fd.get(), memory, kPage, static_cast<std::int64_t>(begin + slot * kPage)});
      }
      ASSERT_RETURNS(8, queue.submit(slots));
      for (std::size_t seen = 0; seen < slots.size();) {
        const std::vector<Event> events = queue.collect(1);
        const std::uint64_t size = size_of(fd.get());
        if (events.empty()) blame({{"event.one_for_every_request", "a write past the end has no event"}});
        for (const Event& event : events) {
          blame(queue.judge(event));
          claim("data.size_is_visible_at_the_event");
          ASSERT_GE(size, begin + (queue.slot_of(event) + 1) * kPage) << mode.name;
        }
        seen += events.size();
      }
    }
  }
}

DATA_TEST(bytes_are_visible_at_the_event, {.holds = {"data.bytes_are_visible_at_the_event"}}) {
  const std::uint64_t ctx = setup();
  for (const Mode& mode : modes()) {
    const Descriptor plain = file();
    ASSERT_EQ(::ftruncate(plain.get(), 256 * kPage), 0);
    const Descriptor fd = open_again(plain, mode.flags);
    for (unsigned i = 0; i < 32; ++i) {
      const std::uint64_t offset = kPage * (i * 37 % 256);
      const std::string bytes = pattern(offset, kPage);
      put(arena::kBuffers, bytes);
      prepare(0, kPwrite, fd.get(), arena::kBuffers, kPage, static_cast<std::int64_t>(offset));
      claim("write.returns_bytes_written");
      ASSERT_EQ(result(ctx, 0), std::int64_t{kPage}) << mode.name;
      claim("data.bytes_are_visible_at_the_event");
      ASSERT_EQ(difference(bytes, read_at(plain.get(), offset, arena::kBuffers + kPage, kPage)), "") << mode.name;
    }
  }
}

// Four quarters of a piece are in flight at once, each beyond the end.
DATA_TEST(parts_of_blocks_extend_a_file, {.holds = {"data.written_bytes_are_read_back"}}) {
  constexpr unsigned kRounds = 128;
  for (const Mode& mode : modes()) {
    const std::uint64_t length = (mode.flags & O_DIRECT) != 0 ? direct_unit() : 512;
    const Address memory = map(4 * length);
    Queue queue = queues(1).front();
    const Descriptor plain = file();
    const Descriptor fd = open_again(plain, mode.flags);
    for (std::uint64_t begin = 0; begin < kRounds * 4 * length; begin += 4 * length) {
      const std::string bytes = pattern(begin, 4 * length);
      put(memory, bytes);
      std::vector<Piece> pieces;
      for (std::uint64_t at = 0; at < bytes.size(); at += length) {
        pieces.push_back({kPwrite, fd.get(), memory + at, length, static_cast<std::int64_t>(begin + at)});
      }
      blame(queue.perform(pieces, 4));
      std::string seen(bytes.size(), kStale);
      EXPECT_EQ(::pread(plain.get(), seen.data(), seen.size(), static_cast<off_t>(begin)), ssize_t(seen.size()));
      ASSERT_EQ(difference(bytes, seen), "") << mode.name << " from " << begin;
    }
  }
}

DATA_TEST(a_read_ends_where_the_file_does,
          {.holds = {"read.stops_at_end_of_file", "read.beyond_end_is_zero", "read.bytes_at_offset",
                     "data.nothing_strange_behind_a_short_read"}}) {
  const std::uint64_t ctx = setup();
  for (const Mode& mode : modes()) {
    for (const std::uint64_t size : {0u, 1u, 300u, 511u, 512u, 513u, 4095u, 4096u, 4097u, 8000u}) {
      const Descriptor fd = file(pattern(0, size), mode.flags);
      for (std::uint64_t offset = 0; offset <= 3 * kPage; offset += kPage) {
        put(arena::kBuffers, std::string(kPage, kStale));
        prepare(0, kPread, fd.get(), arena::kBuffers, kPage, static_cast<std::int64_t>(offset));
        const std::uint64_t there = size > offset ? std::min(size - offset, kPage) : 0;
        claim(there == 0 ? "read.beyond_end_is_zero" : "read.stops_at_end_of_file");
        ASSERT_EQ(result(ctx, 0), static_cast<std::int64_t>(there))
            << mode.name << ", " << size << " bytes, from " << offset;
        const std::string seen = get(arena::kBuffers, kPage);
        claim("read.bytes_at_offset");
        EXPECT_EQ(difference(pattern(offset, there), seen.substr(0, there)), "") << mode.name << ", " << size;
        // Direct reads may fill the buffer to the end of a block, with zeros.
        claim("data.nothing_strange_behind_a_short_read");
        const std::string behind = seen.substr(there);
        const bool direct = (mode.flags & O_DIRECT) != 0;
        const std::size_t odd = behind.find_first_not_of(direct ? std::string("\0\xaa", 2) : std::string("\xaa"));
        ASSERT_EQ(odd, std::string::npos) << mode.name << ", " << size << " bytes, from " << offset;
      }
    }
  }
}

DATA_TEST(readers_see_no_stale_bytes_in_holes,
          {.holds = {"data.no_stale_bytes_in_holes", "data.written_bytes_are_read_back"}}) {
  constexpr std::uint64_t kLength = 16 * kPage;
  constexpr std::uint64_t kCount = 32;
  const Address memory = map(kLength * kCount);
  const Address rooms = map(2 * kLength);
  put(memory, pattern(0, kLength * kCount));
  std::vector<Queue> queue = queues(1);
  for (const Mode& mode : modes()) {
    for (const bool allocated : {false, true}) {
      const Descriptor plain = file();
      const Descriptor fd = open_again(plain, mode.flags);
      ASSERT_EQ(::ftruncate(plain.get(), kLength * kCount), 0);
      if (allocated && ::fallocate(plain.get(), 0, 0, kLength * kCount) != 0) continue;
      std::vector<Piece> pieces;
      for (std::uint64_t i = 0; i < kCount; ++i) {
        const std::uint64_t at = kLength * (i * 11 % kCount);
        pieces.push_back({kPwrite, fd.get(), memory + at, kLength, static_cast<std::int64_t>(at)});
      }
      Race race(3);
      in_threads(3, [&](unsigned thread) {
        race.begin();
        if (thread == 0) return race.end(queue.front().perform(pieces, 8));
        std::uint64_t at = 0;
        return race.look("data.no_stale_bytes_in_holes", [&] {
          at = (at + kLength) % (kLength * kCount);
          return strange_byte(read_at(plain.get(), at, rooms + kLength * (thread - 1), kLength), at, kOnly);
        });
      });
      claim("data.written_bytes_are_read_back");
      ASSERT_EQ(difference(pattern(0, kLength * kCount), content(plain.get())), "") << mode.name;
    }
  }
}

DATA_TEST(readers_see_no_stale_bytes_at_the_end,
          {.holds = {"data.no_stale_bytes_at_the_end", "data.written_bytes_are_read_back"}}) {
  constexpr std::uint64_t kLength = 4 * kPage;
  constexpr std::uint64_t kCount = 64;
  const Address memory = map(kLength * kCount);
  const Address rooms = map(2 * kLength);
  put(memory, pattern(0, kLength * kCount));
  std::vector<Queue> queue = queues(1);
  for (const Mode& mode : modes()) {
    const Descriptor plain = file();
    const Descriptor fd = open_again(plain, mode.flags);
    const Descriptor direct = open_again(plain, machine().direct ? O_DIRECT : 0);
    std::vector<Piece> pieces;
    for (std::uint64_t at = 0; at < kLength * kCount; at += kLength) {
      pieces.push_back({kPwrite, fd.get(), memory + at, kLength, static_cast<std::int64_t>(at)});
    }
    Race race(4);
    in_threads(4, [&](unsigned thread) {
      race.begin();
      if (thread == 0) return race.end(queue.front().perform(pieces, 8));
      return race.look("data.no_stale_bytes_at_the_end", [&]() -> std::string {
        // The last close may give back blocks beyond the end.
        if (thread == 3) return open_again(plain) ? "" : "cannot open a file again";
        const std::uint64_t end = size_of(plain.get()) / kLength * kLength;
        const std::uint64_t at = end - std::min(end, thread == 1 ? kLength : 0);
        const int reader = thread == 1 ? plain.get() : direct.get();
        return strange_byte(read_at(reader, at, rooms + kLength * (thread - 1), kLength), at, kOnly);
      });
    });
    claim("data.written_bytes_are_read_back");
    ASSERT_EQ(difference(pattern(0, kLength * kCount), content(plain.get())), "") << mode.name;
  }
}

DATA_TEST(fallocate_leaves_an_appended_size, {.holds = {"data.fallocate_leaves_an_appended_size"}}) {
  constexpr std::uint64_t kLength = 2 * kPage;
  const Address memory = map(kLength);
  put(memory, pattern(kLength, kLength));
  std::vector<Queue> queue = queues(1);
  for (const Mode& mode : modes()) {
    for (int round = 0; round < 20; ++round) {
      const Descriptor plain = file();
      const Descriptor fd = open_again(plain, mode.flags);
      const Piece second{kPwrite, fd.get(), memory, kLength, kLength};
      std::atomic<bool> can_allocate{true};
      Race race(2);
      in_threads(2, [&](unsigned thread) {
        race.begin();
        if (thread == 0) return queue.front().perform(std::span(&second, 1), 1);
        if (::fallocate(plain.get(), 0, 0, kLength) != 0) can_allocate = errno != EOPNOTSUPP;
        return Troubles{};
      });
      if (!can_allocate) skip("the file system knows no fallocate");
      ASSERT_EQ(difference(std::string(kLength, '\0') + pattern(kLength, kLength), content(plain.get())), "")
          << mode.name;
    }
  }
}

}  // namespace aio::suites
