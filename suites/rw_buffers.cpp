// SPDX-License-Identifier: GPL-2.0-or-later
//
// PREAD, PWRITE, PREADV and PWRITEV: what io_submit itself says about buffers, vectors, lengths and offsets.
// Claims: which addresses, segment counts, segment lengths and offsets are refused, and where long transfers are cut.
// Provoked by addresses around the end of the user's half, vectors that cannot be read, and counts around each limit,
// mostly on /dev/null, which takes any length and looks at no buffer.
// Not seen: what happens to a buffer that only the transfer finds missing (results_faults.cpp).
#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr std::int64_t kLongest = 0x7ffff000;  // MAX_RW_COUNT
constexpr Opcode kTransfers[] = {kPread, kPwrite, kPreadv, kPwritev};
constexpr Opcode kVectored[] = {kPreadv, kPwritev};

bool cpu_has(std::string_view flag) {
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string word; cpu >> word;) {
    if (word == flag) return true;
  }
  return false;
}

// First byte beyond the user's half.
Address user_end() { return cpu_has("la57") ? 0x00fffffffffff000 : arena::kUserEnd; }

// Why only the top bit of an address tells its half here; nullptr where all of its bits count.
const char* end_is_vague(Release release) {
  if (release >= Release{6, 4} && release < Release{6, 12}) return "the release looks at the top bit alone";
  if (cpu_has("lam")) return "the CPU lets addresses carry tags";
  return nullptr;
}

}  // namespace

SUITE_TEST(rw_buffers, a_buffer_of_the_kernels_half_is_efault, {.holds = {"rw.buffer_outside_user_half_is_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Descriptor plain = file("0123456789");
  for (const Address bad : {arena::kKernel, Address{0x8000000000000000}, ~Address{0}}) {
    for (const std::uint64_t bytes : {0u, 1u, 16u, 4096u}) {
      for (const Opcode opcode : {kPread, kPwrite}) {
        for (const int fd : {null.get(), plain.get()}) {
          transfer(0, opcode, fd, bad, bytes);
          EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", " << bytes << " bytes, descriptor " << fd;
        }
      }
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
}

SUITE_TEST(rw_buffers, a_buffer_across_the_end_of_the_user_half_is_efault,
           {.holds = {"rw.buffer_outside_user_half_is_efault"}}) {
  if (const char* const why = end_is_vague(profile().release)) skip(why);
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Opcode opcode : {kPread, kPwrite}) {
    transfer(0, opcode, null.get(), user_end() - 15, 16);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", across the end";
    transfer(0, opcode, null.get(), user_end(), 1);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", from the end";
    transfer(0, opcode, null.get(), 0x4000000000000000, 16);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", in neither half";
    transfer(0, opcode, null.get(), user_end() - 16, 16);
    EXPECT_EQ(result(ctx, 0), opcode == kPread ? 0 : 16) << "up to the end";
  }
}

SUITE_TEST(rw_buffers, a_buffer_that_is_not_there_is_taken, {.holds = {"rw.user_address_checked_when_used"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Address missing : {arena::kNull, arena::kNoAccess, arena::kUnmapped}) {
    for (const Opcode opcode : kTransfers) {
      transfer(0, opcode, null.get(), missing, 16);
      EXPECT_EQ(result(ctx, 0), is_read(opcode) ? 0 : 16) << opcode << ", " << missing;
    }
  }
}

SUITE_TEST(rw_buffers, a_segment_of_the_kernels_half_is_efault,
           {.holds = {"rw.segment_outside_user_half_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  for (const Opcode opcode : kVectored) {
    for (const std::uint64_t bytes : {0u, 1u, 16u}) {
      const Iovec bad{arena::kKernel, bytes};
      prepare(0, opcode, plain.get(), iovecs({bad}), 1);
      EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", alone, " << bytes << " bytes";
      prepare(0, opcode, plain.get(), iovecs({bad, {arena::kBuffers, 4}}), 2);
      EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", first, " << bytes << " bytes";
      prepare(0, opcode, plain.get(), iovecs({{arena::kBuffers, 4}, bad}), 2);
      EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", last, " << bytes << " bytes";
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
  EXPECT_EQ(at<std::uint8_t>(arena::kBuffers), arena::initial_byte(arena::kBuffers));
}

SUITE_TEST(rw_buffers, a_vector_that_cannot_be_read_is_efault, {.holds = {"rw.unreadable_vector_is_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Opcode opcode : kVectored) {
    for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped, arena::kKernel}) {
      for (const std::uint64_t segments : {1u, 2u, 9u, 1024u}) {
        prepare(0, opcode, null.get(), bad, segments);
        EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", " << segments << " segments at " << bad;
      }
    }
    const Address last = arena::kIovecs + arena::kPage - 2 * word_size(kind());
    prepare(0, opcode, null.get(), iovecs(std::array{Iovec{arena::kBuffers, 4}}, last), 2);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", the second segment is not there";
    prepare(0, opcode, null.get(), last, 1);
    EXPECT_EQ(result(ctx, 0), opcode == kPreadv ? 0 : 4) << "the first segment alone";
  }
}

SUITE_TEST(rw_buffers, more_than_1024_segments_are_einval,
           {.holds = {"rw.too_many_segments_is_einval", "rw.too_many_segments_before_vector"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Address vector = map(2 * arena::kPage);  // all of its segments are empty
  for (const Opcode opcode : kVectored) {
    for (const std::uint64_t segments : {1025u, 2048u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
      claim("rw.too_many_segments_is_einval");
      prepare(0, opcode, null.get(), vector, segments);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", " << segments << " segments";
      claim("rw.too_many_segments_before_vector");
      prepare(0, opcode, null.get(), arena::kUnmapped, segments);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", " << segments << " segments that cannot be read";
    }
  }
}

SUITE_TEST(rw_buffers, as_many_as_1024_segments_are_taken, {.holds = {"rw.vector_of_1024_segments_is_taken"}}) {
  constexpr unsigned kMost = 1024;
  const std::uint64_t ctx = setup();
  const Descriptor plain = file();
  const Address vector = map(kMost * sizeof(Iovec));
  const Address bytes = map(2 * kMost);
  std::vector<Iovec> segments;
  std::string wanted;
  for (unsigned i = 0; i < kMost; ++i) {
    at<char>(bytes + 2 * i) = static_cast<char>('a' + i % 23);
    wanted += static_cast<char>('a' + i % 23);
    segments.push_back({bytes + 2 * i, 1});
  }
  prepare(0, kPwritev, plain.get(), iovecs(segments, vector), kMost);
  EXPECT_EQ(result(ctx, 0), kMost);
  EXPECT_EQ(content(plain.get()), wanted);
  for (Iovec& each : segments) each.base += 1;
  prepare(0, kPreadv, plain.get(), iovecs(segments, vector), kMost);
  EXPECT_EQ(result(ctx, 0), kMost);
  for (unsigned i = 0; i < kMost; ++i) ASSERT_EQ(at<char>(bytes + 2 * i + 1), wanted[i]) << i;
}

SUITE_TEST(rw_buffers, the_number_of_segments_is_cut_to_32_bits, {.holds = {"rw.segment_count_is_32_bits"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Address vector = iovecs({{arena::kBuffers, 4}, {arena::kBuffers, 5}, {arena::kBuffers, 6}});
  constexpr struct {
    std::uint64_t segments;
    std::int64_t bytes;
  } kCases[] = {{0x100000000, 0}, {0x100000002, 9}, {0x7fffffff00000001, 4}, {0x4000000000000003, 15}};
  for (const auto& [segments, bytes] : kCases) {
    prepare(0, kPwritev, null.get(), vector, segments);
    EXPECT_EQ(result(ctx, 0), bytes) << segments;
    prepare(0, kPreadv, null.get(), vector, segments);
    EXPECT_EQ(result(ctx, 0), 0) << segments;
  }
  for (const Opcode opcode : kVectored) {
    prepare(0, opcode, null.get(), vector, 0x100000401);
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", 1025 in the low half";
  }
}

SUITE_TEST(rw_buffers, without_segments_the_vector_is_not_looked_at, {.holds = {"rw.empty_vector_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  for (const Opcode opcode : kVectored) {
    for (const Address vector : {arena::kNull, arena::kNoAccess, arena::kUnmapped, arena::kKernel}) {
      prepare(0, opcode, plain.get(), vector, 0);
      EXPECT_EQ(result(ctx, 0), 0) << opcode << ", " << vector;
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
}

SUITE_TEST(rw_buffers, a_negative_segment_is_einval, {.holds = {"rw.negative_segment_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const unsigned top = 8 * static_cast<unsigned>(word_size(kind())) - 1;
  for (const Opcode opcode : kVectored) {
    for (const std::uint64_t bytes : {std::uint64_t{1} << top, ~std::uint64_t{0}}) {
      const Iovec bad{arena::kBuffers, bytes};
      prepare(0, opcode, plain.get(), iovecs({bad}), 1);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", alone, " << bytes;
      prepare(0, opcode, plain.get(), iovecs({bad, {arena::kBuffers, 4}}), 2);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", first, " << bytes;
      prepare(0, opcode, plain.get(), iovecs({{arena::kBuffers, 4}, bad}), 2);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", last, " << bytes;
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
}

SUITE_TEST(rw_buffers, a_long_transfer_is_cut,
           {.holds = {"rw.longest_transfer_is_two_gib_less_a_page", "rw.length_checked_after_cut"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  constexpr std::uint64_t kLengths[] = {0x7ffff000, 0x7ffff001,  0x7fffffff,        0x80000000,
                                        0xffffffff, 0x100000000, 0x7fffffffffffffff};
  for (const std::uint64_t length : kLengths) {
    transfer(0, kPwrite, null.get(), arena::kBuffers, length);
    EXPECT_EQ(result(ctx, 0), kLongest) << length;
    transfer(0, kPread, null.get(), arena::kBuffers, length);
    EXPECT_EQ(result(ctx, 0), 0) << length;
  }
  transfer(0, kPwrite, null.get(), arena::kBuffers, 0x7fffefff);
  EXPECT_EQ(result(ctx, 0), 0x7fffefff);
  claim("rw.length_checked_after_cut");
  if (end_is_vague(profile().release) != nullptr) return;
  transfer(0, kPwrite, null.get(), user_end() - kLongest, 0x7fffffffffffffff);
  EXPECT_EQ(result(ctx, 0), kLongest);
  transfer(0, kPwrite, null.get(), user_end() - kLongest + 1, 0x7fffffffffffffff);
  EXPECT_ERROR(EFAULT, submit(ctx, {0}));
}

SUITE_TEST(rw_buffers, a_long_vector_is_cut, {.holds = {"rw.vector_cut_at_longest_transfer"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  const std::vector<std::vector<std::uint64_t>> vectors = {
      {0x7ffff000, 1}, {1, 0x7ffff000}, {0x7fffffff, 0x7fffffff}, {0x40000000, 0x40000000}, {0x7fffffff}};
  for (const std::vector<std::uint64_t>& lengths : vectors) {
    std::vector<Iovec> segments;
    segments.reserve(lengths.size());
    for (const std::uint64_t length : lengths) segments.push_back({arena::kBuffers, length});
    prepare(0, kPwritev, null.get(), iovecs(segments), segments.size());
    EXPECT_EQ(result(ctx, 0), kLongest) << lengths.front();
  }
  prepare(0, kPwritev, null.get(), iovecs({{arena::kBuffers, 0x7fff0000}, {arena::kBuffers, 0xf000}}), 2);
  EXPECT_EQ(result(ctx, 0), kLongest) << "just as long";
}

SUITE_TEST(rw_buffers, a_huge_single_segment,
           {.holds = {"rw.long_single_segment_is_cut_first", "rw.long_single_segment_is_efault"},
            .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  prepare(0, kPwritev, null.get(), iovecs({{arena::kBuffers, 0x7fffffffffffffff}}), 1);
  if (since(6, 4)) {
    EXPECT_EQ(result(ctx, 0), kLongest);
  } else {
    claim("rw.long_single_segment_is_efault");
    EXPECT_ERROR(EFAULT, submit(ctx, {0}));
  }
}

SUITE_TEST(rw_buffers, a_huge_segment_among_others_is_efault,
           {.holds = {"rw.segment_outside_user_half_is_efault"}, .entries = kNativeOnly | kLibaioOnly}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Iovec huge{arena::kBuffers, 0x7fffffffffffffff};
  for (const Opcode opcode : kVectored) {
    prepare(0, opcode, null.get(), iovecs({huge, {arena::kBuffers, 1}}), 2);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", first";
    prepare(0, opcode, null.get(), iovecs({{arena::kBuffers, 1}, huge}), 2);
    EXPECT_ERROR(EFAULT, submit(ctx, {0})) << opcode << ", last";
  }
}

SUITE_TEST(rw_buffers, a_negative_offset_is_einval, {.holds = {"rw.negative_offset_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Descriptor null = opened("/dev/null", O_RDWR);
  const Ends sockets = socket_pair();
  const Pipe ends = pipe();
  for (const std::int64_t offset : {std::int64_t{-1}, std::int64_t{-4096}, INT64_MIN}) {
    for (const Opcode opcode : kTransfers) {
      const int end = is_read(opcode) ? ends.read.get() : ends.write.get();
      for (const int fd : {plain.get(), null.get(), sockets.one.get(), end}) {
        for (const std::uint64_t bytes : {0u, 16u}) {
          transfer(0, opcode, fd, arena::kBuffers, bytes, offset);
          EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd << ", offset " << offset;
        }
      }
    }
  }
  EXPECT_EQ(content(plain.get()), "0123456789");
}

SUITE_TEST(rw_buffers, an_end_beyond_the_largest_offset_is_einval, {.holds = {"rw.offset_overflow_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor plain = file("0123456789");
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Opcode opcode : kTransfers) {
    for (const int fd : {plain.get(), null.get()}) {
      transfer(0, opcode, fd, arena::kBuffers, 1, INT64_MAX);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
      transfer(0, opcode, fd, arena::kBuffers, 16, INT64_MAX - 15);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << opcode << ", descriptor " << fd;
    }
  }
  // Of a vector the sum of its lengths counts, and of a long transfer what it is cut to.
  prepare(0, kPwritev, null.get(), iovecs({{arena::kBuffers, 10}, {arena::kBuffers, 6}}), 2, INT64_MAX - 15);
  EXPECT_ERROR(EINVAL, submit(ctx, {0})) << "two segments";
  transfer(0, kPwrite, null.get(), arena::kBuffers, 0x7fffffffffffffff, INT64_MAX - kLongest + 1);
  EXPECT_ERROR(EINVAL, submit(ctx, {0})) << "the longest transfer";
}

SUITE_TEST(rw_buffers, an_end_at_the_largest_offset_is_taken, {.holds = {"rw.largest_offset_is_taken"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Opcode opcode : kTransfers) {
    for (const std::uint64_t bytes : {0u, 1u, 16u}) {
      transfer(0, opcode, null.get(), arena::kBuffers, bytes, INT64_MAX - static_cast<std::int64_t>(bytes));
      EXPECT_EQ(result(ctx, 0), is_read(opcode) ? 0 : static_cast<std::int64_t>(bytes)) << opcode;
    }
  }
  transfer(0, kPwrite, null.get(), arena::kBuffers, 0x7fffffffffffffff, INT64_MAX - kLongest);
  EXPECT_EQ(result(ctx, 0), kLongest);
}

}  // namespace aio::suites
