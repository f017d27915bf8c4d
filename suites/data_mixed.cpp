// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity where several ways to one file meet: page cache and O_DIRECT, memory mappings, clones, requests that
// overlap.
// Claims: each way sees what another has done once its call has returned or its event is there; where requests overlap
// in flight, each byte is that of one of them; a clone's writes leave its source alone.
// Provoked by writing one way and reading another, while other threads fill the page cache, and by batches of
// overlapping writes, also around an end of the file within a block.
// Not seen: which of overlapping direct writes comes last, which the implementation may choose.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <atomic>
#include <system_error>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kBlock = 4 * kPage;

// A shared mapping of a file's first bytes.
class Mapping {
 public:
  Mapping(int fd, std::size_t size)
      : at_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)), size_(size) {
    if (at_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map a file");
  }
  ~Mapping() { ::munmap(at_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  char* bytes() const { return static_cast<char*>(at_); }

 private:
  void* at_;
  std::size_t size_;
};

// Several writes of one length, each some bytes after the one before. All numbers are multiples of `grain`.
struct Overlap {
  std::uint64_t grain;
  std::uint64_t begin;
  std::uint64_t length;
  std::uint64_t step;
  unsigned count;

  std::uint64_t offset(unsigned write) const { return begin + step * write; }
  std::uint64_t end() const { return offset(count - 1) + length; }
};

// "" or the first byte that is of no write that covers it. The `i`th write has generation 1 + i.
std::string strange_overlap(const Overlap& overlap, std::string_view seen) {
  if (seen.size() < overlap.end()) return fmt::format("the file ends at {} instead of {}", seen.size(), overlap.end());
  for (std::uint64_t at = overlap.begin; at < overlap.end(); at += overlap.grain) {
    std::vector<unsigned> generations;
    for (unsigned i = 0; i < overlap.count; ++i) {
      if (overlap.offset(i) <= at && at < overlap.offset(i) + overlap.length) generations.push_back(1 + i);
    }
    std::string strange = strange_byte(seen.substr(at, overlap.grain), at, generations, Zero::kNot);
    if (!strange.empty()) return strange;
  }
  return "";
}

std::vector<Piece> overlapping(const Overlap& overlap, int fd, Address memory) {
  std::vector<Piece> pieces;
  for (unsigned i = 0; i < overlap.count; ++i) {
    const Address at = memory + overlap.length * i;
    const std::string bytes = pattern(overlap.offset(i), overlap.length, 1 + i);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(at));
    pieces.push_back({kPwrite, fd, at, overlap.length, static_cast<std::int64_t>(overlap.offset(i))});
  }
  return pieces;
}

}  // namespace

DATA_TEST(the_page_cache_follows_direct_writes, {.holds = {"data.page_cache_follows_direct_writes"}}) {
  require_direct();
  constexpr unsigned kBlocks = 16;
  const Address memory = map(kBlock);
  const Address rooms = map(3 * kBlock);
  const Descriptor plain = file(pattern(0, kBlocks * kBlock));
  const Descriptor direct = open_again(plain, O_DIRECT);
  std::vector<Queue> queue = queues(1);
  std::atomic<bool> over{false};
  const auto write = [&]() -> Troubles {
    for (unsigned generation = 1; generation <= 64; ++generation) {
      const std::uint64_t offset = kBlock * (generation * 7 % kBlocks);
      const std::string bytes = pattern(offset, kBlock, generation);
      put(memory, bytes);
      const Piece piece{kPwrite, direct.get(), memory, kBlock, static_cast<std::int64_t>(offset)};
      if (Troubles wrong = queue.front().perform(std::span(&piece, 1), 1); !wrong.empty()) return wrong;
      for (const int reader : {plain.get(), direct.get()}) {
        if (std::string old = difference(bytes, read_at(reader, offset, rooms, kBlock)); !old.empty()) {
          return {
              {"data.page_cache_follows_direct_writes",
               fmt::format("after write {} {} {}", generation, reader == direct.get() ? "direct" : "buffered", old)}};
        }
      }
    }
    return {};
  };
  in_threads(3, [&](unsigned thread) -> Troubles {
    if (thread == 0) {
      Troubles wrong = write();
      over = true;
      return wrong;
    }
    while (!over) {
      for (std::uint64_t at = 0; at < kBlocks * kBlock; at += kBlock) {
        static_cast<void>(read_at(plain.get(), at, rooms + thread * kBlock, kBlock));
      }
    }
    return {};
  });
}

DATA_TEST(every_way_sees_the_others, {.holds = {"data.every_way_sees_the_others"}}) {
  constexpr unsigned kBlocks = 8;
  const Address memory = map(kBlock);
  const Descriptor plain = file(pattern(0, kBlocks * kBlock));
  Queue queue = queues(1).front();
  const auto transfer = [&](Opcode opcode, const Descriptor& fd, std::uint64_t offset) {
    const Piece piece{opcode, fd.get(), memory, kBlock, static_cast<std::int64_t>(offset)};
    blame(queue.perform(std::span(&piece, 1), 1));
  };
  unsigned generation = 1;
  for (const Mode& writer : modes()) {
    for (const Mode& reader : modes()) {
      const Descriptor written = open_again(plain, writer.flags);
      const Descriptor read = open_again(plain, reader.flags);
      const Mapping mapping(plain.get(), kBlocks * kBlock);
      for (std::uint64_t offset = 0; offset < kBlocks * kBlock; offset += kBlock, ++generation) {
        // AIO, then all others.
        const std::string bytes = pattern(offset, kBlock, generation);
        put(memory, bytes);
        transfer(kPwrite, written, offset);
        put(memory, std::string(kBlock, kStale));
        transfer(kPread, read, offset);
        claim("data.every_way_sees_the_others");
        ASSERT_EQ(difference(bytes, get(memory, kBlock)), "") << writer.name << " write, " << reader.name << " read";
        ASSERT_EQ(difference(bytes, {mapping.bytes() + offset, kBlock}), "") << writer.name << " write, mapping";
        // Others, then AIO.
        const std::string newer = pattern(offset, kBlock, 1000 + generation);
        std::copy_n(newer.begin(), kPage, mapping.bytes() + offset);
        ASSERT_EQ(::pwrite(plain.get(), newer.data() + kPage, kBlock - kPage, static_cast<off_t>(offset + kPage)),
                  ssize_t(kBlock - kPage));
        transfer(kPread, read, offset);
        claim("data.every_way_sees_the_others");
        ASSERT_EQ(difference(newer, get(memory, kBlock)), "") << "mapping and write(2), " << reader.name << " read";
      }
    }
  }
}

DATA_TEST(overlapping_writes_mix_only_their_own_bytes,
          {.holds = {"data.overlapping_writes_mix_only_their_own_bytes", "data.buffered_writes_come_in_order"}}) {
  for (const Mode& mode : modes()) {
    const bool direct = (mode.flags & O_DIRECT) != 0;
    const std::uint64_t unit = direct ? direct_unit() : 500;
    const Overlap overlap{unit, unit, 8 * unit, 3 * unit, 4};
    const Address memory = map(overlap.length * overlap.count);
    Queue queue = queues(1).front();
    for (int round = 0; round < 16; ++round) {
      std::string wanted = round % 2 == 0 ? "" : pattern(0, overlap.end() + unit, 9);
      const Descriptor plain = file(wanted);
      const Descriptor fd = open_again(plain, mode.flags);
      blame(queue.perform(overlapping(overlap, fd.get(), memory), overlap.count));
      claim("data.overlapping_writes_mix_only_their_own_bytes");
      ASSERT_EQ(strange_overlap(overlap, content(plain.get())), "") << mode.name;
      if (direct) continue;
      wanted.resize(std::max<std::size_t>(wanted.size(), overlap.end()));
      for (unsigned i = 0; i < overlap.count; ++i) {
        wanted.replace(overlap.offset(i), overlap.length, pattern(overlap.offset(i), overlap.length, 1 + i));
      }
      claim("data.buffered_writes_come_in_order");
      ASSERT_EQ(difference(wanted, content(plain.get())), "") << mode.name;
    }
  }
}

DATA_TEST(overlapping_writes_around_an_end_within_a_block,
          {.holds = {"data.overlapping_writes_mix_only_their_own_bytes", "data.written_bytes_are_read_back"}}) {
  for (const Mode& mode : modes()) {
    if (!may_share_blocks(mode)) continue;
    const std::uint64_t unit = (mode.flags & O_DIRECT) != 0 ? direct_unit() : 512;
    const Address memory = map(2 * kPage);
    Queue queue = queues(1).front();
    for (std::uint64_t step = 0; step <= kPage; step += unit) {
      const Descriptor plain = file();
      const Descriptor fd = open_again(plain, mode.flags);
      const std::string before = pattern(0, 2 * kPage, 9);
      put(memory, before);
      const Piece both[] = {{kPwrite, fd.get(), memory, kPage, 0},
                            {kPwrite, fd.get(), memory + kPage, kPage, std::int64_t{kPage}}};
      blame(queue.perform(both, 2));
      ASSERT_EQ(::ftruncate(plain.get(), kPage + 700), 0);
      const Overlap overlap{unit, (kPage + 700) / unit * unit, kPage, step, 2};
      blame(queue.perform(overlapping(overlap, fd.get(), memory), 2));
      const std::string seen = content(plain.get());
      claim("data.overlapping_writes_mix_only_their_own_bytes");
      ASSERT_EQ(strange_overlap(overlap, seen), "") << mode.name << ", " << step << " bytes apart";
      claim("data.written_bytes_are_read_back");
      EXPECT_EQ(seen.size(), overlap.end()) << mode.name << ", " << step << " bytes apart";
      ASSERT_EQ(difference(before.substr(0, overlap.begin), seen.substr(0, overlap.begin)), "") << mode.name;
    }
  }
}

DATA_TEST(writes_to_a_clone_leave_its_source, {.holds = {"data.writes_to_a_clone_leave_its_source"}}) {
  constexpr std::uint64_t kSize = 16 * kBlock;
  const Address memory = map(kSize);
  Queue queue = queues(1).front();
  const Descriptor source = file(pattern(0, kSize));
  ASSERT_EQ(::fsync(source.get()), 0);
  for (const Mode& mode : modes()) {
    const Descriptor plain = file();
    if (::ioctl(plain.get(), FICLONE, source.get()) != 0) skip("the file system cannot clone files");
    const Descriptor fd = open_again(plain, mode.flags);
    const Overlap overlap{kPage, 0, 2 * kBlock, kPage, 4};
    blame(queue.perform(overlapping(overlap, fd.get(), memory), overlap.count));
    claim("data.writes_to_a_clone_leave_its_source");
    EXPECT_EQ(strange_overlap(overlap, content(plain.get())), "") << mode.name;
    EXPECT_EQ(difference(pattern(overlap.end(), kSize - overlap.end()), content(plain.get()).substr(overlap.end())), "")
        << mode.name;
    // The whole of it, in blocks.
    const std::string bytes = pattern(0, kSize, 2);
    put(memory, bytes);
    std::vector<Piece> pieces;
    for (std::uint64_t at = 0; at < kSize; at += kBlock) {
      pieces.push_back({kPwrite, fd.get(), memory + at, kBlock, static_cast<std::int64_t>(at)});
    }
    blame(queue.perform(pieces, 8));
    claim("data.writes_to_a_clone_leave_its_source");
    EXPECT_EQ(difference(bytes, content(plain.get())), "") << mode.name << ", the clone";
    EXPECT_EQ(difference(pattern(0, kSize), content(source.get())), "") << mode.name << ", its source";
  }
}

}  // namespace aio::suites
