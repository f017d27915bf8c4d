// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes of regular files whose memory is not all there, is protected, or is itself what the request names.
// Claims: where a fault is found only by the transfer it is the event's result, after as much as could be done; any
// memory may be a buffer; what io_submit has copied may be overwritten by the request.
// Provoked by buffers that end at a page which cannot be touched, by mappings of the same file, by overlaps.
// Not seen: buffers of O_DIRECT requests (data.cpp); addresses that are refused at once (rw_buffers.cpp).
#include <sys/mman.h>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kPage = arena::kPage;
// Behind this byte nothing can be touched.
constexpr Address kBuffersEnd = arena::kBuffers + 2 * kPage;

std::string counted(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i + i / 256) % 255 + 1);
  return bytes;
}

// Gone with the test.
Address mapped(int fd, std::uint64_t size, int protection, int flags) {
  void* const at = ::mmap(nullptr, size, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (at == MAP_FAILED) fail("cannot map memory");
  return reinterpret_cast<Address>(at);
}

}  // namespace

SUITE_TEST(results_faults, a_read_into_no_memory_completes_with_efault,
           {.holds = {"read.unwritable_buffer_is_result_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(counted(10000));
  for (const Address bad : {arena::kNull, arena::kReadOnly, arena::kNoAccess, arena::kUnmapped}) {
    for (const std::uint64_t bytes : {1u, 16u, 5000u}) {
      prepare(0, kPread, fd.get(), bad, bytes, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", " << bytes << " bytes";
      prepare(0, kPreadv, fd.get(), iovecs({{bad, bytes}}), 1, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", vector, " << bytes << " bytes";
      prepare(0, kPreadv, fd.get(), iovecs({{bad, bytes}, {arena::kBuffers, 10}}), 2, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", first of two, " << bytes << " bytes";
    }
  }
  EXPECT_EQ(at<std::uint8_t>(arena::kBuffers), arena::initial_byte(arena::kBuffers));
}

SUITE_TEST(results_faults, a_write_from_no_memory_completes_with_efault,
           {.holds = {"write.unreadable_buffer_is_result_efault", "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const std::string before = counted(10000);
  const Descriptor fd = file(before);
  for (const Address bad : {arena::kNull, arena::kNoAccess, arena::kUnmapped}) {
    for (const std::uint64_t bytes : {1u, 16u, 5000u}) {
      claim("write.unreadable_buffer_is_result_efault");
      prepare(0, kPwrite, fd.get(), bad, bytes, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", " << bytes << " bytes";
      prepare(0, kPwritev, fd.get(), iovecs({{bad, bytes}}), 1, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", vector, " << bytes << " bytes";
      prepare(0, kPwritev, fd.get(), iovecs({{bad, bytes}, {arena::kBuffers, 10}}), 2, 100);
      EXPECT_EQ(result(ctx, 0), -EFAULT) << bad << ", first of two, " << bytes << " bytes";
      claim("files.nothing_else_written");
      EXPECT_TRUE(content(fd.get()) == before) << bad << ", " << bytes << " bytes";
    }
  }
}

SUITE_TEST(results_faults, a_fault_is_a_completion_like_any_other,
           {.holds = {"resfd.one_per_completion", "event.obj_is_iocb_address", "event.res2_is_zero"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(counted(100));
  const Descriptor counter = eventfd();
  signal(prepare(0, kPread, fd.get(), arena::kUnmapped, 16), counter.get());
  const Event seen = complete(ctx, 0);
  EXPECT_EQ(drain(counter.get()), 1u);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(seen.obj, arena::iocb_slot(0));
  claim("event.res2_is_zero");
  EXPECT_EQ(seen.res2, 0);
}

SUITE_TEST(results_faults, a_read_stops_where_its_memory_ends, {.holds = {"read.short_where_buffer_faults"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = counted(13000);
  const Descriptor fd = file(bytes);
  for (const std::int64_t room : {1, 7, 10, 100, 4095, 4096, 4097, 8192}) {
    const auto size = static_cast<std::size_t>(room);
    for (const std::int64_t offset : {0, 1, 4000}) {
      prepare(0, kPread, fd.get(), kBuffersEnd - size, size + 50, offset);
      EXPECT_EQ(result(ctx, 0), room) << "offset " << offset;
      EXPECT_TRUE(get(kBuffersEnd - size, size) == bytes.substr(static_cast<std::size_t>(offset), size)) << room;
    }
    prepare(0, kPreadv, fd.get(), iovecs({{kBuffersEnd - size, size}, {arena::kUnmapped, 50}}), 2);
    EXPECT_EQ(result(ctx, 0), room) << "two segments";
    EXPECT_TRUE(get(kBuffersEnd - size, size) == bytes.substr(0, size)) << room;
  }
}

SUITE_TEST(results_faults, a_hole_in_the_middle_ends_a_read,
           {.holds = {"read.short_where_buffer_faults", "memory.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(counted(3 * kPage));
  const Address buffer = map(3 * kPage);
  put(buffer + 2 * kPage, std::string(kPage, '\xff'));
  if (::mprotect(reinterpret_cast<void*>(buffer + kPage), kPage, PROT_READ) != 0) fail("cannot protect a page");
  prepare(0, kPread, fd.get(), buffer, 3 * kPage);
  EXPECT_EQ(result(ctx, 0), 4096);
  claim("memory.nothing_else_written");
  EXPECT_EQ(get(buffer + kPage, kPage), std::string(kPage, '\0'));
  EXPECT_EQ(get(buffer + 2 * kPage, kPage), std::string(kPage, '\xff'));
}

SUITE_TEST(results_faults, a_write_takes_the_pages_that_are_there,
           {.holds = {"write.short_where_buffer_faults", "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = counted(2 * kPage);
  put(arena::kBuffers, bytes);
  for (const Opcode opcode : {kPwrite, kPwritev}) {
    const Descriptor fd = file(std::string(3 * kPage, 'o'));
    const Address second = arena::kBuffers + kPage;
    const bool vectored = opcode == kPwritev;
    prepare(0, opcode, fd.get(), vectored ? iovecs({{second, kPage}, {arena::kUnmapped, kPage}}) : second,
            vectored ? 2 : 2 * kPage);
    claim("write.short_where_buffer_faults");
    EXPECT_EQ(result(ctx, 0), 4096) << opcode;
    claim("files.nothing_else_written");
    EXPECT_TRUE(content(fd.get()) == bytes.substr(kPage) + std::string(2 * kPage, 'o')) << opcode;
  }
}

SUITE_TEST(results_faults, a_write_whose_memory_ends_within_a_page,
           {.holds = {"write.short_where_buffer_faults", "write.fault_within_page_is_efault"}}) {
  const std::uint64_t ctx = setup();
  const std::string before(200, 'o');
  put(kBuffersEnd - 10, "0123456789");
  if (!since(5, 16)) claim("write.fault_within_page_is_efault");
  for (const std::int64_t offset : {0, 50}) {
    for (const bool vectored : {false, true}) {
      const Descriptor fd = file(before);
      if (vectored) {
        prepare(0, kPwritev, fd.get(), iovecs({{kBuffersEnd - 10, 10}, {arena::kNull, 10}}), 2, offset);
      } else {
        prepare(0, kPwrite, fd.get(), kBuffersEnd - 10, 20, offset);
      }
      const std::string what = vectored ? "two segments" : "one buffer";
      EXPECT_EQ(result(ctx, 0), since(5, 16) ? 10 : -EFAULT) << what << ", offset " << offset;
      std::string wanted = before;
      if (since(5, 16)) wanted.replace(static_cast<std::size_t>(offset), 10, "0123456789");
      EXPECT_EQ(content(fd.get()), wanted) << what << ", offset " << offset;
    }
  }
}

SUITE_TEST(results_faults, a_mapping_of_the_same_file_is_a_buffer, {.holds = {"rw.mapping_of_same_file_is_a_buffer"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = counted(3 * kPage);
  for (const bool touched : {true, false}) {
    const Descriptor fd = file(bytes);
    const Address view = mapped(fd.get(), 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (touched) {
      ASSERT_TRUE(get(view, 3 * kPage) == bytes);
    }
    // The very bytes that the mapping shows, then others of the file.
    prepare(0, kPwrite, fd.get(), view, 512);
    EXPECT_EQ(result(ctx, 0), 512) << "written onto itself, touched " << touched;
    prepare(0, kPread, fd.get(), view, 512);
    EXPECT_EQ(result(ctx, 0), 512) << "read onto itself, touched " << touched;
    EXPECT_TRUE(content(fd.get()) == bytes) << touched;
    prepare(0, kPwrite, fd.get(), view + kPage, 512, 0);
    EXPECT_EQ(result(ctx, 0), 512) << "written from the second page, touched " << touched;
    prepare(0, kPread, fd.get(), view + 2 * kPage, 512, 4096 + 100);
    EXPECT_EQ(result(ctx, 0), 512) << "read into the third page, touched " << touched;
    std::string wanted = bytes;
    wanted.replace(0, 512, bytes, kPage, 512);
    wanted.replace(2 * kPage, 512, bytes, kPage + 100, 512);
    EXPECT_TRUE(content(fd.get()) == wanted) << touched;
  }
}

SUITE_TEST(results_faults, protection_decides_what_a_buffer_is_for,
           {.holds = {"rw.buffer_protection_counts", "read.unwritable_buffer_is_result_efault",
                      "write.unreadable_buffer_is_result_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(counted(kPage));
  const Descriptor other = file(counted(kPage));
  for (const int backing : {-1, fd.get(), other.get()}) {
    const Address readable = mapped(backing, kPage, PROT_READ, MAP_SHARED);
    const Address writable = mapped(backing, kPage, PROT_WRITE, MAP_SHARED);
    const Address nothing = mapped(backing, kPage, PROT_NONE, MAP_SHARED);
    claim("rw.buffer_protection_counts");
    prepare(0, kPwrite, fd.get(), readable, 512);
    EXPECT_EQ(result(ctx, 0), 512) << "PROT_READ, descriptor " << backing;
    prepare(0, kPread, fd.get(), writable, 512);
    EXPECT_EQ(result(ctx, 0), 512) << "PROT_WRITE, descriptor " << backing;
    // Whether memory can be written only is the architecture's choice.
    const ssize_t plain = ::pwrite(fd.get(), reinterpret_cast<void*>(writable), 512, 0);
    prepare(0, kPwrite, fd.get(), writable, 512);
    EXPECT_EQ(result(ctx, 0), plain < 0 ? -errno : plain) << "PROT_WRITE, descriptor " << backing;
    claim("read.unwritable_buffer_is_result_efault");
    prepare(0, kPread, fd.get(), readable, 512);
    EXPECT_EQ(result(ctx, 0), -EFAULT) << "PROT_READ, descriptor " << backing;
    prepare(0, kPread, fd.get(), nothing, 512);
    EXPECT_EQ(result(ctx, 0), -EFAULT) << "PROT_NONE, descriptor " << backing;
    claim("write.unreadable_buffer_is_result_efault");
    prepare(0, kPwrite, fd.get(), nothing, 512);
    EXPECT_EQ(result(ctx, 0), -EFAULT) << "PROT_NONE, descriptor " << backing;
  }
}

SUITE_TEST(results_faults, a_private_mapping_keeps_what_is_read_to_itself,
           {.holds = {"rw.private_mapping_is_a_buffer", "files.nothing_else_written"}}) {
  const std::uint64_t ctx = setup();
  const std::string bytes = counted(2 * kPage);
  const Descriptor fd = file(bytes);
  const Address view = mapped(fd.get(), 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  prepare(0, kPread, fd.get(), view, 1000, 4096);
  EXPECT_EQ(result(ctx, 0), 1000);
  EXPECT_TRUE(get(view, 1000) == bytes.substr(kPage, 1000));
  EXPECT_TRUE(get(view + 1000, kPage) == bytes.substr(1000, kPage));
  claim("files.nothing_else_written");
  EXPECT_TRUE(content(fd.get()) == bytes);
}

SUITE_TEST(results_faults, a_mapping_behind_the_end_of_its_file_faults,
           {.holds = {"read.unwritable_buffer_is_result_efault", "write.unreadable_buffer_is_result_efault"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(counted(kPage));
  const Descriptor small = file("small");
  const Address view = mapped(small.get(), 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED);
  prepare(0, kPread, fd.get(), view + kPage, 16);
  EXPECT_EQ(result(ctx, 0), -EFAULT);
  claim("write.unreadable_buffer_is_result_efault");
  prepare(0, kPwrite, fd.get(), view + kPage, 16);
  EXPECT_EQ(result(ctx, 0), -EFAULT);
}

SUITE_TEST(results_faults, an_iocb_may_be_its_own_buffer,
           {.holds = {"rw.iocb_copied_before_transfer", "event.data_as_submitted", "event.obj_is_iocb_address",
                      "io_submit.key_written"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(64, 'x'));
  prepare(0, kPread, fd.get(), arena::iocb_slot(0), 64);
  const Event seen = complete(ctx, 0);
  claim("rw.iocb_copied_before_transfer");
  EXPECT_EQ(seen.res, 64);
  EXPECT_EQ(get(arena::iocb_slot(0), 64), std::string(64, 'x'));
  claim("event.data_as_submitted");
  EXPECT_EQ(seen.data, 100u);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(seen.obj, arena::iocb_slot(0));
  // What a write sees of it has the key that io_submit has put there.
  claim("io_submit.key_written");
  Iocb wanted = prepare(1, kPwrite, fd.get(), arena::iocb_slot(1), 64);
  wanted.key = 0;
  EXPECT_EQ(result(ctx, 1), 64);
  EXPECT_TRUE(content(fd.get()) == std::string(reinterpret_cast<const char*>(&wanted), 64));
}

SUITE_TEST(results_faults, a_vector_may_be_its_own_buffer, {.holds = {"rw.vector_copied_before_transfer"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file(std::string(600, '\xee'));
  for (const unsigned count : {2u, 20u}) {
    std::vector<Iovec> segments(count, {arena::kIovecs, 16});
    segments.back() = {arena::kBuffers + count, 16};
    prepare(0, kPreadv, fd.get(), iovecs(segments), count);
    EXPECT_EQ(result(ctx, 0), 16 * count);
    EXPECT_EQ(get(arena::kIovecs, 16), std::string(16, '\xee')) << count;
    EXPECT_EQ(get(arena::kBuffers + count, 16), std::string(16, '\xee')) << count;
  }
}

SUITE_TEST(results_faults, io_submit_may_read_over_its_own_list, {.holds = {"rw.list_read_pointer_by_pointer"}}) {
  const std::uint64_t ctx = setup(4);
  // The first request puts another pointer into the list's second place.
  const std::size_t word = word_size(kind());
  const Address other = arena::iocb_slot(2);
  const Descriptor fd = file(std::string_view(reinterpret_cast<const char*>(&other), word));
  const Address pointers = list({arena::iocb_slot(0), arena::iocb_slot(1)});
  prepare(0, kPread, fd.get(), pointers + word, word);
  prepare(1, kPread, fd.get(), arena::kBuffers, 1);
  prepare(2, kPread, fd.get(), arena::kBuffers, 2);
  ASSERT_RETURNS(2, io_submit(ctx, 2, pointers));
  EXPECT_EQ(collect(ctx, 2)[1].obj, arena::iocb_slot(2));
}

}  // namespace aio::suites
