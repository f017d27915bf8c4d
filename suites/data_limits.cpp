// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity where there is no more room: a full file system, the largest offset of a file.
// Claims: a write takes what fits and says how much; one that finds no room at all completes with -ENOSPC or -EFBIG;
// what was written before is read back, and a write of nothing is always fine.
// Provoked on a tmpfs of 64 KiB that only the test's process sees, and at the end of the largest file there can be.
// Not seen: a device that has less room than it says.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kRoom = 64 << 10;

bool write_text(const char* path, const std::string& text) {
  const Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Mounts need a user name space where this process has no privilege.
bool have_own_mounts() {
  if (::unshare(CLONE_NEWNS) == 0) return true;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", fmt::format("0 {} 1", uid)) &&
         write_text("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

// From now on the run's directory is, for this process, a file system with that much room and nothing in it.
bool move_to_small_tmpfs() {
  return have_own_mounts() && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("aio-cts", setting().directory.c_str(), "tmpfs", 0, fmt::format("size={}", kRoom).c_str()) == 0;
}

constexpr int kFlags[] = {0, O_SYNC};
constexpr const char* kNoMounts = "this process may not have mounts of its own";

std::uint64_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

SUITE_TEST(data, a_write_can_fill_a_file_system,
           {.holds = {"data.last_room_is_usable", "data.full_file_system_is_result_enospc", "read.beyond_end_is_zero",
                      "write.nothing_is_zero"}}) {
  if (!move_to_small_tmpfs()) skip(kNoMounts);
  const std::uint64_t ctx = setup();
  const Address memory = map(kRoom);
  for (const int flags : kFlags) {
    const Descriptor fd = file("", flags);
    const std::string bytes = pattern(0, kRoom);
    put(memory, bytes);
    claim("data.last_room_is_usable");
    prepare(0, kPwrite, fd.get(), memory, kRoom, 0);
    ASSERT_EQ(result(ctx, 0), std::int64_t{kRoom});
    put(memory, std::string(kRoom, kStale));
    prepare(0, kPread, fd.get(), memory, kRoom, 0);
    EXPECT_EQ(result(ctx, 0), std::int64_t{kRoom});
    EXPECT_EQ(difference(bytes, get(memory, kRoom)), "");

    claim("data.full_file_system_is_result_enospc");
    prepare(0, kPwrite, fd.get(), memory, kRoom, kRoom);
    EXPECT_EQ(result(ctx, 0), -ENOSPC);
    EXPECT_EQ(size_of(fd.get()), kRoom);
    claim("read.beyond_end_is_zero");
    prepare(0, kPread, fd.get(), memory, kRoom, kRoom);
    EXPECT_EQ(result(ctx, 0), 0);
    claim("write.nothing_is_zero");
    prepare(0, kPwrite, fd.get(), memory, 0, kRoom);
    EXPECT_EQ(result(ctx, 0), 0);
  }
}

SUITE_TEST(data, a_write_takes_what_fits,
           {.holds = {"data.nearly_full_file_system_takes_part", "data.full_file_system_is_result_enospc",
                      "read.beyond_end_is_zero"}}) {
  if (!move_to_small_tmpfs()) skip(kNoMounts);
  const std::uint64_t ctx = setup();
  const Address memory = map(kRoom);
  for (const int flags : kFlags) {
    const Descriptor fd = file("", flags);
    const std::string bytes = pattern(1, kRoom);
    put(memory, bytes);
    claim("data.nearly_full_file_system_takes_part");
    prepare(0, kPwrite, fd.get(), memory, kRoom, 1);
    ASSERT_EQ(result(ctx, 0), std::int64_t{kRoom - 1});
    EXPECT_EQ(size_of(fd.get()), kRoom);
    put(memory, std::string(kRoom, kStale));
    prepare(0, kPread, fd.get(), memory, kRoom, 1);
    EXPECT_EQ(result(ctx, 0), std::int64_t{kRoom - 1});
    EXPECT_EQ(difference(bytes.substr(0, kRoom - 1), get(memory, kRoom - 1)), "");

    claim("read.beyond_end_is_zero");
    prepare(0, kPread, fd.get(), memory, kRoom, kRoom);
    EXPECT_EQ(result(ctx, 0), 0);
    claim("data.full_file_system_is_result_enospc");
    prepare(0, kPwrite, fd.get(), memory, kRoom, kRoom);
    EXPECT_EQ(result(ctx, 0), -ENOSPC);
    // Room that is given back is there at once.
    ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
    claim("data.last_room_is_usable");
    prepare(0, kPwrite, fd.get(), memory, kRoom, 0);
    EXPECT_EQ(result(ctx, 0), std::int64_t{kRoom});
  }
}

SUITE_TEST(data, several_writes_share_the_last_room,
           {.holds = {"data.nearly_full_file_system_takes_part", "data.full_file_system_is_result_enospc"}}) {
  if (!move_to_small_tmpfs()) skip(kNoMounts);
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  // The room of two and a half.
  constexpr std::uint64_t kLength = kRoom * 2 / 5 / 4096 * 4096;
  const Address memory = map(kLength);
  put(memory, pattern(0, kLength));
  for (unsigned i = 0; i < 4; ++i) {
    prepare(i, kPwrite, fd.get(), memory, kLength, static_cast<std::int64_t>(i * kLength));
  }
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  const std::vector<Event> events = collect(ctx, 4);
  const std::int64_t wanted[] = {kLength, kLength, kRoom - 2 * kLength, -ENOSPC};
  for (unsigned i = 0; i < 4; ++i) {
    claim(wanted[i] < 0 ? "data.full_file_system_is_result_enospc" : "data.nearly_full_file_system_takes_part");
    EXPECT_EQ(events[i].res, wanted[i]) << i;
  }
}

DATA_TEST(the_largest_offset,
          {.holds = {"data.largest_offset_cuts_writes", "write.beyond_largest_offset_is_efbig",
                     "rw.offset_overflow_is_einval", "read.beyond_end_is_zero", "write.nothing_is_zero"}}) {
  constexpr std::uint64_t kLength = 512;
  const auto largest = static_cast<std::int64_t>(machine().max_file);
  const bool is_largest_of_all = largest == std::numeric_limits<std::int64_t>::max();
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  const auto transfer = [&](Opcode opcode, std::uint64_t length, std::int64_t offset) -> Iocb& {
    return prepare(0, opcode, fd.get(), arena::kBuffers, length, offset);
  };
  const std::string bytes = pattern(static_cast<std::uint64_t>(largest), kLength);

  claim("data.largest_offset_cuts_writes");
  put(arena::kBuffers, bytes);
  transfer(kPwrite, kLength, largest - std::int64_t{kLength});
  ASSERT_EQ(result(ctx, 0), std::int64_t{kLength});
  put(arena::kBuffers, std::string(kLength, kStale));
  transfer(kPread, kLength, largest - std::int64_t{kLength});
  EXPECT_EQ(result(ctx, 0), std::int64_t{kLength});
  EXPECT_EQ(difference(bytes, get(arena::kBuffers, kLength)), "");
  claim("write.nothing_is_zero");
  transfer(kPwrite, 0, largest);
  EXPECT_EQ(result(ctx, 0), 0);

  for (const std::int64_t offset : {largest - std::int64_t{kLength} + 1, largest}) {
    const bool is_at_end = offset == largest;
    for (const Opcode opcode : {kPwrite, kPread}) {
      put(arena::kBuffers, bytes);
      transfer(opcode, kLength, offset);
      if (is_largest_of_all) {
        claim("rw.offset_overflow_is_einval");
        EXPECT_ERROR(EINVAL, submit(ctx, {0})) << offset;
        continue;
      }
      claim(!is_at_end          ? "data.largest_offset_cuts_writes"
            : opcode == kPwrite ? "write.beyond_largest_offset_is_efbig"
                                : "read.beyond_end_is_zero");
      const std::int64_t at_end = opcode == kPwrite ? -EFBIG : 0;
      EXPECT_EQ(result(ctx, 0), is_at_end ? at_end : std::int64_t{kLength} - 1) << offset;
    }
  }
}

}  // namespace aio::suites
