// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes at RLIMIT_FSIZE, and transfers far from the start of a file.
// Claims: a write is cut at the limit; one from the limit on completes with -EFBIG and sends SIGXFSZ to its submitter;
// reads, pipes and what was there before know no limit; offsets have 64 bits.
// Provoked by a limit of two pages of the test's own process.
// Not seen: the largest file of a file system and a full one (limits.cpp).
#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr std::int64_t kLimit = 8192;

// From here on this process may make no file longer; the signal about that waits for came().
void limit_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = kLimit;
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) fail("cannot lower RLIMIT_FSIZE");
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGXFSZ);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

// Whether the signal has come since the last look.
bool came() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGXFSZ);
  const timespec at_once{};
  return ::sigtimedwait(&wanted, nullptr, &at_once) == SIGXFSZ;
}

std::string letters(std::size_t size, char letter) { return std::string(size, letter); }

}  // namespace

SUITE_TEST(results_limits, a_write_up_to_the_limit,
           {.holds = {"write.up_to_file_size_limit_is_whole", "write.file_size_signal_only_beyond"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  limit_files();
  put(arena::kBuffers, letters(512, 'w'));
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, kLimit - 512);
  EXPECT_EQ(result(ctx, 0), 512);
  EXPECT_EQ(content(fd.get()).size(), 8192u);
  prepare(0, kPread, fd.get(), arena::kBuffers + 1000, 512, kLimit - 512);
  EXPECT_EQ(result(ctx, 0), 512);
  EXPECT_EQ(get(arena::kBuffers + 1000, 512), letters(512, 'w'));
  claim("write.file_size_signal_only_beyond");
  EXPECT_FALSE(came());
}

SUITE_TEST(results_limits, a_write_across_the_limit_is_cut,
           {.holds = {"write.cut_at_file_size_limit", "write.file_size_signal_only_beyond"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  put(arena::kBuffers, letters(512, 'w'));
  for (const bool vectored : {false, true}) {
    const Descriptor fd = file();
    if (vectored) {
      const Address vector = iovecs({{arena::kBuffers, 300}, {arena::kBuffers, 212}});
      prepare(0, kPwritev, fd.get(), vector, 2, kLimit - 511);
    } else {
      prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, kLimit - 511);
    }
    claim("write.cut_at_file_size_limit");
    EXPECT_EQ(result(ctx, 0), 511) << vectored;
    EXPECT_EQ(content(fd.get()).size(), 8192u) << vectored;
    prepare(0, kPread, fd.get(), arena::kBuffers + 1000, 512, kLimit - 511);
    EXPECT_EQ(result(ctx, 0), 511) << vectored;
    EXPECT_EQ(get(arena::kBuffers + 1000, 511), letters(511, 'w')) << vectored;
    claim("write.file_size_signal_only_beyond");
    EXPECT_FALSE(came()) << vectored;
  }
}

SUITE_TEST(results_limits, a_write_from_the_limit_on_is_efbig,
           {.holds = {"write.beyond_file_size_limit_is_efbig", "write.beyond_file_size_limit_signals",
                      "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  const std::string before = letters(8192, 'o');
  const Descriptor fd = file(before);
  for (const Opcode opcode : {kPwrite, kPwritev}) {
    const Address buffer = opcode == kPwritev ? iovecs({{arena::kBuffers, 512}}) : arena::kBuffers;
    for (const std::int64_t offset : {kLimit, kLimit + 1, kLimit * 1000}) {
      claim("write.beyond_file_size_limit_is_efbig");
      prepare(0, opcode, fd.get(), buffer, opcode == kPwritev ? 1 : 512, offset);
      EXPECT_EQ(result(ctx, 0), -EFBIG) << opcode << ", offset " << offset;
      claim("write.beyond_file_size_limit_signals");
      EXPECT_TRUE(came()) << opcode << ", offset " << offset;
    }
  }
  claim("files.nothing_else_written");
  EXPECT_TRUE(content(fd.get()) == before);
}

SUITE_TEST(results_limits, an_append_at_the_limit_is_efbig,
           {.holds = {"write.beyond_file_size_limit_is_efbig", "write.beyond_file_size_limit_signals"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  const Descriptor fd = file(letters(8192, 'o'), O_APPEND);
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, 0);
  EXPECT_EQ(result(ctx, 0), -EFBIG);
  claim("write.beyond_file_size_limit_signals");
  EXPECT_TRUE(came());
}

SUITE_TEST(results_limits, an_ignored_signal_leaves_efbig, {.holds = {"write.beyond_file_size_limit_is_efbig"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  const Descriptor fd = file();
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, kLimit);
  EXPECT_EQ(result(ctx, 0), -EFBIG);
}

SUITE_TEST(results_limits, nothing_written_at_the_limit_is_zero,
           {.holds = {"write.nothing_is_zero", "write.file_size_signal_only_beyond"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  const Descriptor fd = file();
  for (const std::int64_t offset : {kLimit, kLimit + 1000}) {
    claim("write.nothing_is_zero");
    prepare(0, kPwrite, fd.get(), arena::kBuffers, 0, offset);
    EXPECT_EQ(result(ctx, 0), 0) << offset;
    claim("write.file_size_signal_only_beyond");
    EXPECT_FALSE(came()) << offset;
  }
}

SUITE_TEST(results_limits, what_lies_beyond_the_limit_can_be_read, {.holds = {"read.knows_no_file_size_limit"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(letters(10000, 'r'));
  const Descriptor small = file("small");
  limit_files();
  prepare(0, kPread, fd.get(), arena::kBuffers, 512, kLimit + 100);
  EXPECT_EQ(result(ctx, 0), 512);
  EXPECT_EQ(get(arena::kBuffers, 512), letters(512, 'r'));
  prepare(0, kPread, small.get(), arena::kBuffers, 512, kLimit);
  EXPECT_EQ(result(ctx, 0), 0) << "at the limit, behind the end";
  EXPECT_FALSE(came());
}

SUITE_TEST(results_limits, bytes_below_the_limit_of_a_longer_file_can_be_written,
           {.holds = {"write.cut_at_file_size_limit", "write.beyond_file_size_limit_is_efbig"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(letters(10000, 'o'));
  limit_files();
  put(arena::kBuffers, letters(512, 'w'));
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, kLimit - 10);
  EXPECT_EQ(result(ctx, 0), 10);
  EXPECT_TRUE(content(fd.get()) == letters(8182, 'o') + letters(10, 'w') + letters(1808, 'o'));
  claim("write.beyond_file_size_limit_is_efbig");
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 512, kLimit + 100);
  EXPECT_EQ(result(ctx, 0), -EFBIG);
  EXPECT_TRUE(came());
}

SUITE_TEST(results_limits, pipes_and_devices_have_no_size, {.holds = {"write.file_size_limit_is_for_regular_files"}}) {
  const std::uint64_t ctx = setup();
  limit_files();
  const Pipe ends = pipe();
  const Address buffer = map(3 * arena::kPage);
  prepare(0, kPwrite, ends.write.get(), buffer, 10000, kLimit * 2);
  EXPECT_EQ(result(ctx, 0), 10000);
  const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!null) fail("cannot open /dev/null");
  prepare(0, kPwrite, null.get(), buffer, 10000, kLimit * 2);
  EXPECT_EQ(result(ctx, 0), 10000);
  EXPECT_FALSE(came());
}

// The files are nearly all hole.
SUITE_TEST(results_limits, offsets_have_64_bits,
           {.holds = {"rw.offset_has_64_bits", "read.beyond_end_is_zero", "write.returns_bytes_written"}}) {
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "far away");
  for (const int bit : {31, 32, 33, 40, 42}) {
    const std::int64_t offset = (std::int64_t{1} << bit) + 5;
    if (static_cast<std::uint64_t>(offset) + 8 > machine().max_file) break;
    const Descriptor fd = file("near");
    claim("write.returns_bytes_written");
    prepare(0, kPwrite, fd.get(), arena::kBuffers, 8, offset);
    EXPECT_EQ(result(ctx, 0), 8) << offset;
    claim("rw.offset_has_64_bits");
    char seen[9] = {};
    EXPECT_EQ(::pread(fd.get(), seen, 9, offset), 8) << offset;
    EXPECT_STREQ(seen, "far away") << offset;
    EXPECT_EQ(::pread(fd.get(), seen, 5, 0), 5) << offset;
    EXPECT_EQ(std::string(seen, 5), std::string("near\0", 5)) << offset;
    prepare(0, kPread, fd.get(), arena::kBuffers + 64, 64, offset + 4);
    EXPECT_EQ(result(ctx, 0), 4) << offset;
    EXPECT_EQ(get(arena::kBuffers + 64, 4), "away") << offset;
    claim("read.beyond_end_is_zero");
    prepare(0, kPread, fd.get(), arena::kBuffers, 64, offset + 8);
    EXPECT_EQ(result(ctx, 0), 0) << offset;
  }
}

}  // namespace aio::suites
