// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity under load, for a moment.
// Claims: every transfer of every thread completes with its full length, and the file holds what was written.
// Provoked by threads with contexts and files of their own, by direct requests beside buffered calls on one file, by a
// flag that changes while requests are made, and by blocks that come and go beside the file.
// Not seen: what takes minutes of load to happen.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <latch>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kRecord = 16 << 10;

// Records in order, or in an order that looks like none.
std::vector<Piece> records(Opcode opcode, int fd, Address memory, std::uint64_t count, bool shuffled) {
  std::vector<Piece> pieces;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = kRecord * (shuffled ? i * 13 % count : i);
    pieces.push_back({opcode, fd, memory + at, kRecord, static_cast<std::int64_t>(at)});
  }
  return pieces;
}

}  // namespace

DATA_TEST(threads_with_files_of_their_own, {.holds = {"data.written_bytes_are_read_back", "data.fsync_after_write"}}) {
  constexpr std::uint64_t kCount = 8;
  for (const Mode& mode : modes()) {
    for (const unsigned threads : {1u, 2u, 8u}) {
      std::vector<Queue> queue = queues(threads, 512);
      std::vector<Descriptor> files;
      for (unsigned i = 0; i < 2 * threads; ++i) files.push_back(file("", mode.flags));
      const Address memory = map(kRecord * kCount * threads);
      // Stages: write and read in order, then in no order, and fsync(2) between them.
      in_threads(threads, [&](unsigned thread) -> Troubles {
        const Address mine = memory + kRecord * kCount * thread;
        for (const bool shuffled : {false, true}) {
          for (unsigned i = 0; i < 2; ++i) {
            const int fd = files[2 * thread + i].get();
            const std::string bytes = pattern(0, kRecord * kCount, 1 + 4 * thread + 2 * i + (shuffled ? 1 : 0));
            std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(mine));
            Troubles wrong = queue[thread].perform(records(kPwrite, fd, mine, kCount, shuffled), 8);
            if (!wrong.empty()) return wrong;
            if (::fsync(fd) != 0) return {{"data.fsync_after_write", "fsync(2) fails"}};
            std::fill_n(reinterpret_cast<char*>(mine), bytes.size(), kStale);
            wrong = queue[thread].perform(records(kPread, fd, mine, kCount, !shuffled), 8);
            if (!wrong.empty()) return wrong;
            const std::string_view seen(reinterpret_cast<const char*>(mine), bytes.size());
            if (std::string odd = difference(bytes, seen); !odd.empty()) {
              return {{"data.written_bytes_are_read_back", fmt::format("{}, thread {}: {}", mode.name, thread, odd)}};
            }
          }
        }
        return {};
      });
    }
  }
}

// On one file: thread 0 writes directly, the others call write(2) and read(2) without that flag. Their stripes are
// apart, and each keeps to its own.
DATA_TEST(direct_writes_beside_buffered_ones, {.holds = {"data.written_bytes_are_read_back"}}) {
  require_direct();
  constexpr std::uint64_t kCount = 32;
  constexpr unsigned kRounds = 8;
  const Address memory = map(kRecord * kCount);
  const Descriptor plain = file(std::string(kRecord * kCount, '\0'));
  const Descriptor direct = open_again(plain, O_DIRECT);
  Queue queue = queues(1).front();
  std::string wanted;
  for (std::uint64_t i = 0; i < kCount; ++i) wanted += pattern(kRecord * i, kRecord, kRounds + i % 2);
  in_threads(3, [&](unsigned thread) -> Troubles {
    for (unsigned round = 1; round <= kRounds; ++round) {
      std::vector<Piece> pieces;
      for (std::uint64_t i = thread; i < kCount && thread < 2; i += 2) {
        const std::string bytes = pattern(kRecord * i, kRecord, round + thread);
        const Address at = memory + kRecord * i;
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(at));
        pieces.push_back({kPwrite, direct.get(), at, kRecord, static_cast<std::int64_t>(kRecord * i)});
      }
      if (thread == 0) {
        if (Troubles wrong = queue.perform(pieces, 8); !wrong.empty()) return wrong;
      } else if (thread == 1) {
        for (const Piece& each : pieces) {
          if (::pwrite(plain.get(), reinterpret_cast<void*>(each.buf), kRecord, each.offset) != ssize_t{kRecord}) {
            return {{"data.written_bytes_are_read_back", "write(2) beside AIO fails"}};
          }
        }
      } else {
        std::string seen(kRecord * kCount, '\0');
        if (::pread(plain.get(), seen.data(), seen.size(), 0) != static_cast<ssize_t>(seen.size())) {
          return {{"data.written_bytes_are_read_back", "read(2) beside AIO fails"}};
        }
      }
    }
    return {};
  });
  claim("data.written_bytes_are_read_back");
  EXPECT_EQ(difference(wanted, content(plain.get())), "");
}

// The same on the same pages: which comes last is open, but nothing else may come of it.
DATA_TEST(direct_writes_against_buffered_ones, {.holds = {"data.overlapping_writes_mix_only_their_own_bytes"}}) {
  require_direct();
  if (machine().direct_queues && !setting().may_change_system) {
    skip("the kernel logs a warning of such collisions (--allow-system-changes)");
  }
  constexpr std::uint64_t kCount = 16;
  constexpr unsigned kRounds = 16;
  const Address memory = map(kRecord * kCount);
  const Descriptor plain = file(pattern(0, kRecord * kCount, 1));
  const Descriptor direct = open_again(plain, O_DIRECT);
  Queue queue = queues(1).front();
  put(memory, pattern(0, kRecord * kCount, 1));
  const std::string other = pattern(0, kRecord * kCount, 2);
  in_threads(2, [&](unsigned thread) -> Troubles {
    for (unsigned round = 0; round < kRounds; ++round) {
      if (thread == 0) {
        Troubles wrong = queue.perform(records(kPwrite, direct.get(), memory, kCount, true), 8);
        if (!wrong.empty()) return wrong;
      } else if (::pwrite(plain.get(), other.data(), other.size(), 0) != static_cast<ssize_t>(other.size())) {
        return {{"data.overlapping_writes_mix_only_their_own_bytes", "write(2) against AIO fails"}};
      }
    }
    return {};
  });
  constexpr unsigned kBoth[] = {1, 2};
  claim("data.overlapping_writes_mix_only_their_own_bytes");
  EXPECT_EQ(strange_byte(content(plain.get()), 0, kBoth, Zero::kNot), "");
}

DATA_TEST(a_direct_flag_that_comes_and_goes, {.holds = {"data.flag_of_direct_transfers_may_change"}}) {
  require_direct();
  constexpr std::uint64_t kLength = 512;
  constexpr unsigned kRounds = 100;
  const Address memory = map(2 * 4096);
  put(memory, pattern(0, 2 * 4096));
  const Descriptor plain = file(std::string(2 * 4096, '\0'));
  const Descriptor fd = open_again(plain);
  std::vector<Queue> queue = queues(2);
  std::atomic<unsigned> writing{2};
  in_threads(3, [&](unsigned thread) -> Troubles {
    if (thread == 2) {
      for (int flags = O_DIRECT; writing > 0; flags ^= O_DIRECT) {
        if (::fcntl(fd.get(), F_SETFL, flags) != 0)
          return {{"data.flag_of_direct_transfers_may_change", "F_SETFL fails"}};
      }
      return {};
    }
    Troubles wrong;
    const std::uint64_t at = 4096 * thread;
    const Piece piece{kPwrite, fd.get(), memory + at, kLength, static_cast<std::int64_t>(at)};
    const unsigned slot = 0;
    for (unsigned round = 0; round < kRounds && wrong.empty(); ++round) {
      queue[thread].prepare(slot, piece);
      const Answer answer = queue[thread].submit(std::span(&slot, 1));
      const std::vector<Event> events = queue[thread].collect(answer.value == 1 ? 1 : 0);
      // Where 512 bytes are too few for the device, it depends on the flag.
      const bool fits = events.size() == 1 && (events[0].res == std::int64_t{kLength} ||
                                               (machine().direct_align > kLength && events[0].res == -EINVAL));
      if (!fits) {
        wrong.push_back(
            {"data.flag_of_direct_transfers_may_change",
             fmt::format("round {}: {} event(s), res {}", round, events.size(), events.empty() ? 0 : events[0].res)});
      }
    }
    --writing;
    return wrong;
  });
  for (const std::uint64_t at : {0u, 4096u}) {
    if (machine().direct_align > kLength) break;
    EXPECT_EQ(difference(pattern(at, kLength), content(plain.get()).substr(at, kLength)), "");
  }
}

DATA_TEST(blocks_come_and_go_beside_a_file, {.holds = {"data.written_bytes_are_read_back"}}) {
  constexpr std::uint64_t kCount = 32;
  const Address memory = map(kRecord * kCount);
  put(memory, pattern(0, kRecord * kCount));
  Queue queue = queues(1).front();
  for (const Mode& mode : modes()) {
    const Descriptor plain = file();
    const Descriptor fd = open_again(plain, mode.flags);
    const Descriptor other = file();
    std::atomic<bool> over{false};
    in_threads(2, [&](unsigned thread) -> Troubles {
      if (thread == 0) {
        Troubles wrong = queue.perform(records(kPwrite, fd.get(), memory, kCount, true), 8);
        over = true;
        return wrong;
      }
      // Another file takes blocks and gives them back; this one gets and loses some beyond what is written.
      for (constexpr off_t kLength = 1 << 20; !over;) {
        static_cast<void>(::fallocate(other.get(), 0, 0, kLength));
        static_cast<void>(::fallocate(plain.get(), FALLOC_FL_KEEP_SIZE, kLength, kLength));
        static_cast<void>(::fallocate(plain.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kLength, kLength));
        if (::ftruncate(other.get(), 0) != 0) return {{"data.written_bytes_are_read_back", "ftruncate(2) fails"}};
      }
      return {};
    });
    claim("data.written_bytes_are_read_back");
    ASSERT_EQ(difference(pattern(0, kRecord * kCount), content(plain.get())), "") << mode.name;
  }
}

}  // namespace aio::suites
