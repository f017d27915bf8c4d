// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes of regular files through the page cache: what their events say, what lands in file and buffer.
// Claims: counts, the end of the file, offsets, appending, vectors, and that all is done when io_submit returns.
// Provoked by the same transfer in both forms, with and without a vector, around page ends and the file's end.
// Not seen: O_DIRECT and what several processes do to one file (data.cpp); the file system's own limits (limits.cpp).
#include <fcntl.h>
#include <fmt/format.h>

#include <cstring>

#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr Opcode kReads[] = {kPread, kPreadv};
constexpr Opcode kWrites[] = {kPwrite, kPwritev};

// Bytes no two pages or offsets of which look alike; another `seed`, other bytes.
std::string pattern(std::size_t size, unsigned seed = 0) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>((i + i / 251 + i / 4096 * 7 + seed * 31) % 255 + 1);
  }
  return bytes;
}

struct Range {
  std::int64_t offset;
  std::uint64_t bytes;
};
// Inside 8000 bytes: the first, the last, some that touch and cross page ends.
constexpr std::size_t kSize = 8000;
constexpr Range kRanges[] = {{0, 1},     {0, 4096},  {0, 8000},  {1, 4096},    {4095, 1}, {4095, 2},   {4096, 3904},
                             {100, 512}, {4000, 96}, {4000, 97}, {4097, 3000}, {7999, 1}, {5000, 3000}};
constexpr std::size_t kRoom = 2 * arena::kPage;  // behind arena::kBuffers

}  // namespace

SUITE_TEST(results, a_read_gives_the_bytes_asked_for,
           {.holds = {"read.returns_bytes_read", "read.bytes_at_offset", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = pattern(kSize);
  const Descriptor fd = file(bytes);
  for (const Opcode opcode : kReads) {
    for (const auto& [offset, length] : kRanges) {
      const std::string what = fmt::format("opcode {}, {} bytes at {}", +opcode, length, offset);
      const std::string wanted = bytes.substr(static_cast<std::size_t>(offset), length);
      put(arena::kBuffers, std::string(kRoom, '\xff'));
      transfer(0, opcode, fd.get(), arena::kBuffers + 8, length, offset);
      claim("read.returns_bytes_read");
      EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(length)) << what;
      claim("read.bytes_at_offset");
      EXPECT_TRUE(get(arena::kBuffers + 8, length) == wanted) << what;
      claim("memory.nothing_else_written");
      EXPECT_EQ(get(arena::kBuffers, 8), std::string(8, '\xff')) << what;
      EXPECT_EQ(get(arena::kBuffers + 8 + length, 64), std::string(64, '\xff')) << what;
      // The same where the last byte is the last of its page.
      put(arena::kBuffers, std::string(kRoom, '\xff'));
      transfer(0, opcode, fd.get(), arena::kBuffers + kRoom - length, length, offset);
      claim("read.returns_bytes_read");
      EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(length)) << what << ", up to the buffer's end";
      claim("read.bytes_at_offset");
      EXPECT_TRUE(get(arena::kBuffers + kRoom - length, length) == wanted) << what << ", up to the buffer's end";
    }
  }
}

SUITE_TEST(results, a_read_stops_at_the_end_of_the_file,
           {.holds = {"read.stops_at_end_of_file", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = pattern(kSize);
  const Descriptor fd = file(bytes);
  for (const Opcode opcode : kReads) {
    for (const Range& range : {Range{0, 8001}, {0, 8192}, {7999, 2}, {7990, 100}, {4096, 8192}, {0, 0x7fffffff}}) {
      const std::string wanted = bytes.substr(static_cast<std::size_t>(range.offset));
      const std::string what = fmt::format("opcode {}, {} bytes at {}", +opcode, range.bytes, range.offset);
      put(arena::kBuffers, std::string(kRoom, '\xff'));
      transfer(0, opcode, fd.get(), arena::kBuffers, range.bytes, range.offset);
      claim("read.stops_at_end_of_file");
      EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(wanted.size())) << what;
      EXPECT_TRUE(get(arena::kBuffers, wanted.size()) == wanted) << what;
      claim("memory.nothing_else_written");
      EXPECT_EQ(get(arena::kBuffers + wanted.size(), 64), std::string(64, '\xff')) << what;
    }
  }
}

SUITE_TEST(results, a_read_at_or_behind_the_end_is_zero,
           {.holds = {"read.beyond_end_is_zero", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor empty = file();
  const Descriptor full = file(pattern(kSize));
  put(arena::kBuffers, std::string(kRoom, '\xff'));
  for (const Opcode opcode : kReads) {
    for (const std::int64_t offset : {0ll, 1ll, 4096ll, 8000ll, 8001ll, 12288ll, 1ll << 31, 1ll << 32, 1ll << 40}) {
      transfer(0, opcode, empty.get(), arena::kBuffers, 512, offset);
      claim("read.beyond_end_is_zero");
      EXPECT_EQ(result(ctx, 0), 0) << opcode << ", empty file, offset " << offset;
      if (offset < 8000) continue;
      transfer(0, opcode, full.get(), arena::kBuffers, 512, offset);
      EXPECT_EQ(result(ctx, 0), 0) << opcode << ", offset " << offset;
    }
  }
  claim("memory.nothing_else_written");
  EXPECT_TRUE(get(arena::kBuffers, kRoom) == std::string(kRoom, '\xff'));
}

SUITE_TEST(results, nothing_read_is_zero, {.holds = {"read.nothing_is_zero"}}) {
  const std::uint64_t ctx = setup();
  for (const Descriptor& fd : {file(), file(pattern(kSize))}) {
    for (const Opcode opcode : kReads) {
      for (const Address buffer : {arena::kBuffers, arena::kNull, arena::kUnmapped}) {
        transfer(0, opcode, fd.get(), buffer, 0, 0);
        EXPECT_EQ(result(ctx, 0), 0) << opcode << ", " << buffer;
      }
    }
  }
}

SUITE_TEST(results, a_write_puts_its_bytes_into_the_file,
           {.holds = {"write.returns_bytes_written", "write.bytes_at_offset"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = pattern(kRoom, 1);
  put(arena::kBuffers, bytes);
  for (const Opcode opcode : kWrites) {
    for (const auto& [offset, length] : kRanges) {
      const std::string what = fmt::format("opcode {}, {} bytes at {}", +opcode, length, offset);
      std::string wanted = pattern(kSize);
      const Descriptor fd = file(wanted);
      transfer(0, opcode, fd.get(), arena::kBuffers + 8, length, offset);
      claim("write.returns_bytes_written");
      EXPECT_EQ(result(ctx, 0), static_cast<std::int64_t>(length)) << what;
      claim("write.bytes_at_offset");
      wanted.replace(static_cast<std::size_t>(offset), length, bytes, 8, length);
      EXPECT_TRUE(content(fd.get()) == wanted) << what;
    }
  }
  EXPECT_TRUE(get(arena::kBuffers, bytes.size()) == bytes) << "a write leaves its buffer as it is";
}

SUITE_TEST(results, a_write_makes_the_file_longer,
           {.holds = {"write.extends_file", "write.gap_reads_as_zeros", "write.returns_bytes_written"}}) {
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "new bytes");
  for (const Opcode opcode : kWrites) {
    for (const std::int64_t offset : {0, 7, 10, 11, 4090, 4096, 20000}) {
      const Descriptor fd = file("0123456789");
      transfer(0, opcode, fd.get(), arena::kBuffers, 9, offset);
      claim("write.returns_bytes_written");
      EXPECT_EQ(result(ctx, 0), 9) << opcode << ", offset " << offset;
      const std::string seen = content(fd.get());
      const auto end = static_cast<std::size_t>(offset) + 9;
      claim("write.extends_file");
      EXPECT_EQ(seen.size(), std::max<std::size_t>(end, 10)) << opcode << ", offset " << offset;
      EXPECT_EQ(seen.substr(end - 9, 9), "new bytes") << opcode << ", offset " << offset;
      claim("write.gap_reads_as_zeros");
      if (offset <= 10) continue;
      EXPECT_EQ(seen.substr(0, 10), "0123456789") << opcode << ", offset " << offset;
      EXPECT_EQ(seen.find_first_not_of('\0', 10), end - 9) << opcode << ", offset " << offset;
    }
  }
}

SUITE_TEST(results, nothing_written_is_zero, {.holds = {"write.nothing_is_zero", "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file("0123456789");
  for (const Opcode opcode : kWrites) {
    for (const std::int64_t offset : {0, 5, 10, 5000}) {
      for (const Address buffer : {arena::kBuffers, arena::kNull, arena::kUnmapped}) {
        transfer(0, opcode, fd.get(), buffer, 0, offset);
        claim("write.nothing_is_zero");
        EXPECT_EQ(result(ctx, 0), 0) << opcode << ", offset " << offset << ", " << buffer;
        claim("files.nothing_else_written");
        EXPECT_EQ(content(fd.get()), "0123456789") << opcode << ", offset " << offset << ", " << buffer;
      }
    }
  }
}

SUITE_TEST(results, an_append_file_grows_at_its_end,
           {.holds = {"write.append_file_ignores_offset", "read.bytes_at_offset"}}) {
  const std::uint64_t ctx = setup();
  for (const Opcode opcode : kWrites) {
    const Descriptor fd = file("", O_APPEND);
    std::string wanted;
    for (const std::int64_t offset : {0, 0, 2, 1000}) {
      put(arena::kBuffers, "1234");
      wanted += "1234";
      transfer(0, opcode, fd.get(), arena::kBuffers, 4, offset);
      claim("write.append_file_ignores_offset");
      EXPECT_EQ(result(ctx, 0), 4) << opcode << ", offset " << offset;
      EXPECT_EQ(content(fd.get()), wanted) << opcode << ", offset " << offset;
    }
    claim("read.bytes_at_offset");
    transfer(0, kPread, fd.get(), arena::kBuffers, 512, 13);
    EXPECT_EQ(result(ctx, 0), 3) << "a read keeps to its offset";
    EXPECT_EQ(get(arena::kBuffers, 3), "234");
  }
}

SUITE_TEST(results, a_write_may_append_by_itself, {.holds = {"write.append_flag_ignores_offset"}}) {
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "1234");
  for (const Opcode opcode : kWrites) {
    const Descriptor fd = file("abc");
    for (const std::int64_t offset : {0, 1, 1000}) {
      transfer(0, opcode, fd.get(), arena::kBuffers, 4, offset).rw_flags = kRwfAppend;
      EXPECT_EQ(result(ctx, 0), 4) << opcode << ", offset " << offset;
    }
    EXPECT_EQ(content(fd.get()), "abc123412341234") << opcode;
    // The next write without the flag is none that appends.
    transfer(0, opcode, fd.get(), arena::kBuffers, 4, 1);
    EXPECT_EQ(result(ctx, 0), 4) << opcode;
    EXPECT_EQ(content(fd.get()), "a12343412341234") << opcode;
  }
}

SUITE_TEST(results, a_write_may_decline_to_append, {.holds = {"write.noappend_flag_keeps_offset"}}) {
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "1234");
  for (const Opcode opcode : kWrites) {
    const Descriptor fd = file("abcdefgh", O_APPEND);
    transfer(0, opcode, fd.get(), arena::kBuffers, 4, 2).rw_flags = kRwfNoappend;
    EXPECT_EQ(result(ctx, 0), 4) << opcode;
    EXPECT_EQ(content(fd.get()), "ab1234gh") << opcode;
    transfer(0, opcode, fd.get(), arena::kBuffers, 4, 2);
    EXPECT_EQ(result(ctx, 0), 4) << opcode;
    EXPECT_EQ(content(fd.get()), "ab1234gh1234") << opcode << ", without the flag";
  }
}

SUITE_TEST(results, no_transfer_moves_or_uses_the_file_position, {.holds = {"rw.file_position_untouched"}}) {
  const std::uint64_t ctx = setup();
  for (const int flags : {0, O_APPEND}) {
    const Descriptor fd = file(pattern(kSize), flags);
    ASSERT_EQ(::lseek(fd.get(), 5, SEEK_SET), 5);
    for (const Opcode opcode : {kPread, kPreadv, kPwrite, kPwritev}) {
      transfer(0, opcode, fd.get(), arena::kBuffers, 512, 4000);
      EXPECT_EQ(result(ctx, 0), 512) << opcode;
      EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 5) << opcode << ", flags " << flags;
    }
    transfer(0, kPread, fd.get(), arena::kBuffers, 4, 0);
    EXPECT_EQ(result(ctx, 0), 4);
    EXPECT_EQ(get(arena::kBuffers, 4), pattern(kSize).substr(0, 4)) << "a read at 0";
  }
}

SUITE_TEST(results, what_is_written_can_be_read, {.holds = {"read.bytes_at_offset", "files.plain_calls_agree"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  const Address from = map(kRoom);
  for (unsigned round = 0; round < 10; ++round) {
    const std::string bytes = pattern(kRoom, round + 1);
    const std::int64_t offset = round % 3 * 4096;
    put(from, bytes);
    transfer(0, round % 2 == 0 ? kPwrite : kPwritev, fd.get(), from, bytes.size(), offset);
    transfer(1, round % 2 == 0 ? kPreadv : kPread, fd.get(), arena::kBuffers, bytes.size(), offset);
    ASSERT_EQ(result(ctx, 0), 8192) << round;
    ASSERT_EQ(result(ctx, 1), 8192) << round;
    claim("read.bytes_at_offset");
    EXPECT_TRUE(get(arena::kBuffers, bytes.size()) == bytes) << round;
    claim("files.plain_calls_agree");
    EXPECT_TRUE(content(fd.get()).substr(static_cast<std::size_t>(offset), bytes.size()) == bytes) << round;
  }
}

SUITE_TEST(results, a_segment_after_the_other,
           {.holds = {"read.vector_in_order", "write.vector_in_order", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  const Address buffer = map(3 * arena::kPage);
  // Ten of 512 bytes, each with its own letter; then nine more behind them.
  for (const unsigned count : {10u, 9u}) {
    std::vector<Iovec> segments;
    std::string wanted;
    const std::int64_t offset = count == 10 ? 0 : 512;
    for (unsigned i = 0; i < count; ++i) {
      segments.push_back({buffer + 1024 * i, 512});
      put(segments.back().base, std::string(512, static_cast<char>('a' + count + i)));
      wanted += std::string(512, static_cast<char>('a' + count + i));
    }
    prepare(0, kPwritev, fd.get(), iovecs(segments), count, offset);
    claim("write.vector_in_order");
    EXPECT_EQ(result(ctx, 0), 512 * count);
    EXPECT_TRUE(content(fd.get()).substr(static_cast<std::size_t>(offset), wanted.size()) == wanted) << count;
    put(buffer, std::string(3 * arena::kPage, '\xff'));
    prepare(0, kPreadv, fd.get(), iovecs(segments), count, offset);
    claim("read.vector_in_order");
    EXPECT_EQ(result(ctx, 0), 512 * count);
    for (unsigned i = 0; i < count; ++i) {
      EXPECT_EQ(get(buffer + 1024 * i, 512), wanted.substr(512 * i, 512)) << i;
      claim("memory.nothing_else_written");
      EXPECT_EQ(get(buffer + 1024 * i + 512, 512), std::string(512, '\xff')) << "behind segment " << i;
    }
  }
}

SUITE_TEST(results, segments_may_be_empty_and_uneven, {.holds = {"write.vector_in_order", "read.vector_in_order"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  put(arena::kBuffers, "0123456789");
  const Address vector = iovecs({{arena::kBuffers, 0},
                                 {arena::kBuffers + 4, 3},
                                 {arena::kUnmapped, 0},
                                 {arena::kBuffers, 2},
                                 {arena::kBuffers + 4, 6},
                                 {arena::kNull, 0}});
  prepare(0, kPwritev, fd.get(), vector, 6);
  EXPECT_EQ(result(ctx, 0), 11);
  EXPECT_EQ(content(fd.get()), "45601456789");
  claim("read.vector_in_order");
  iovecs({{arena::kBuffers + 20, 1}, {arena::kUnmapped, 0}, {arena::kBuffers, 4}, {arena::kBuffers + 10, 10}});
  prepare(0, kPreadv, fd.get(), vector, 4);
  EXPECT_EQ(result(ctx, 0), 11);
  EXPECT_EQ(get(arena::kBuffers + 20, 1), "4");
  EXPECT_EQ(get(arena::kBuffers, 4), "5601");
  EXPECT_EQ(get(arena::kBuffers + 10, 6), "456789");
}

}  // namespace aio::suites
