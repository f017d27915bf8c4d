// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_setup where a limit is only just too low for its ring, and where one has nothing to do with it.
// Claims: ENOMEM where the ring's mapping would pass RLIMIT_AS by a page, or the file table is full; no other limit of
// the process counts; and that nothing stays of what was refused.
// Provoked by limits of the process's own to the page, for rings of one page up to hundreds; and by fs.file-max.
// Not seen: a shortage of the kernel's own memory.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "reference/geometry.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/kept_sysctl.h"

namespace aio::suites {
namespace {

constexpr Address kVariable = arena::context_slot(0);
constexpr std::uint32_t kSizes[] = {1, 64, 200, 1000, 4096};

// What RLIMIT_AS counts. It takes no memory itself.
std::size_t address_space() {
  std::array<char, 128> text{};
  const Descriptor file = opened("/proc/self/statm", O_RDONLY);
  unsigned long pages = 0;
  if (::read(file.get(), text.data(), text.size() - 1) <= 0 || std::sscanf(text.data(), "%lu", &pages) != 1) {
    fail("cannot read /proc/self/statm");
  }
  return pages * setting().machine.page_size;
}

// Whether this process may go beyond limits of the whole machine.
bool may_exceed(bool may) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  constexpr std::uint32_t kAdmin = 1u << CAP_SYS_ADMIN;
  sets[0].effective = may ? sets[0].effective | kAdmin : sets[0].effective & ~kAdmin;
  return ::syscall(SYS_capset, &header, sets.data()) == 0;
}

}  // namespace

SUITE_TEST(limits, a_ring_fits_the_address_space_or_nothing_stays,
           {.holds = {"limits.address_space_counts_the_rings_pages", "io_setup.failure_leaves_variable"},
            .entries = kRawEntries}) {
  const std::size_t page = machine().page_size;
  for (const std::uint32_t nr : kSizes) {
    if (nr > machine().aio_max_nr / 2) continue;
    claim("limits.address_space_counts_the_rings_pages");
    const std::uint64_t first = setup(nr);
    const std::size_t size = (ring_bytes(ring(first).nr) + page - 1) / page * page;
    ASSERT_RETURNS(0, io_destroy(first));
    at<std::uint64_t>(kVariable) = 0;
    const std::size_t before = address_space();
    limit(RLIMIT_AS, before + size - page);
    const Answer refused = io_setup(nr, kVariable);
    const auto left = at<std::uint64_t>(kVariable);
    limit(RLIMIT_AS, before + size);
    const std::size_t after = address_space();
    const Answer taken = io_setup(nr, kVariable);
    limit(RLIMIT_AS, RLIM_INFINITY);
    EXPECT_ERROR(ENOMEM, refused) << nr << " events, room for all pages but one";
    EXPECT_EQ(after, before) << nr << " events: something stayed mapped";
    ASSERT_RETURNS(0, taken) << nr << " events, room for all pages";
    EXPECT_EQ(ring(at<std::uint64_t>(kVariable)).id, 0u) << "the first index of the table was not free";
    claim("io_setup.failure_leaves_variable");
    EXPECT_EQ(left, 0u) << nr << " events";
    io_destroy(at<std::uint64_t>(kVariable));
    at<std::uint64_t>(kVariable) = 0;
  }
}

SUITE_TEST(limits, a_ring_that_does_not_fit_counts_nothing,
           {.holds = {"io_setup.failure_keeps_aio_nr"}, .entries = kNativeOnly, .alone = true}) {
  if (::access("/proc/sys/fs/aio-nr", R_OK) != 0) skip("there is no fs.aio-nr here");
  for (const std::uint32_t nr : kSizes) {
    if (nr > machine().aio_max_nr / 2) continue;
    std::int64_t change = 0;
    // Others use AIO too: what a kernel keeps it keeps each time.
    const bool none = await([&] {
      const std::uint64_t before = entry().aio_nr();
      limit(RLIMIT_AS, address_space());
      const Answer refused = io_setup(nr, kVariable);
      limit(RLIMIT_AS, RLIM_INFINITY);
      change = static_cast<std::int64_t>(entry().aio_nr() - before);
      EXPECT_ERROR(ENOMEM, refused) << nr;
      return change == 0;
    });
    EXPECT_TRUE(none) << "fs.aio-nr moved by " << change << " each time that " << nr << " events were refused";
  }
}

SUITE_TEST(limits, a_ring_is_no_data_and_no_file_of_the_process,
           {.holds = {"limits.rings_are_not_data", "io_setup.needs_no_descriptor"}}) {
  for (const auto what : {RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE}) {
    claim(what == RLIMIT_NOFILE ? "io_setup.needs_no_descriptor" : "limits.rings_are_not_data");
    rlimit usual{};
    ::getrlimit(what, &usual);
    for (const std::uint32_t nr : kSizes) {
      if (nr > machine().aio_max_nr / 2) continue;
      at<std::uint64_t>(kVariable) = 0;
      limit(what, 0);
      const Answer made = io_setup(nr, kVariable);
      limit(what, usual.rlim_cur);
      ASSERT_RETURNS(0, made) << nr << " events, limit " << static_cast<int>(what);
      EXPECT_RETURNS(0, io_destroy(at<std::uint64_t>(kVariable)));
    }
  }
}

SUITE_TEST(limits, a_full_file_table_is_enomem,
           {.holds = {"limits.full_file_table_is_enomem", "io_setup.failure_leaves_variable"},
            .entries = kNativeOnly,
            .alone = true,
            .changes_system = true}) {
  if (::access("/proc/sys/fs/file-max", W_OK) != 0) skip("fs.file-max cannot be changed here");
  const KeptSysctl most("fs/file-max");
  for (const std::uint32_t nr : kSizes) {
    if (nr > machine().aio_max_nr / 2) continue;
    at<std::uint64_t>(kVariable) = 0;
    const std::size_t before = address_space();
    if (!may_exceed(false)) skip("capabilities cannot be given up");
    most.set(1);
    const Answer refused = io_setup(nr, kVariable);
    most.reset();
    may_exceed(true);
    const auto left = at<std::uint64_t>(kVariable);
    const std::size_t after = address_space();
    claim("limits.full_file_table_is_enomem");
    EXPECT_ERROR(ENOMEM, refused) << nr;
    EXPECT_EQ(after, before) << nr << " events: something stayed mapped";
    claim("io_setup.failure_leaves_variable");
    EXPECT_EQ(left, 0u) << nr;
    at<std::uint64_t>(kVariable) = 0;
    const Answer made = io_setup(nr, kVariable);
    claim("limits.full_file_table_is_enomem");
    ASSERT_RETURNS(0, made) << nr << " events, with room in the table again";
    EXPECT_EQ(ring(at<std::uint64_t>(kVariable)).id, 0u) << "the first index of the table was not free";
    io_destroy(at<std::uint64_t>(kVariable));
  }
}

}  // namespace aio::suites
