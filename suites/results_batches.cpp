// SPDX-License-Identifier: GPL-2.0-or-later
//
// Many reads and writes of regular files through the page cache: those of one io_submit, and one after the other.
// Claims: all are done, in the order of the list, when io_submit returns; each has its own event with its own fields.
// Provoked by full lists, by transfers that overlap, and by an iocb that is used again and again.
// Not seen: lists in which something is wrong (io_submit.cpp); more requests than the ring takes (quota.cpp).
#include <fcntl.h>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kChunk = 65536;
constexpr unsigned kChunks = 32;

// So many iocb addresses in a row, from slot 0 on.
std::vector<Address> slots(unsigned count) {
  std::vector<Address> addresses;
  for (unsigned slot = 0; slot < count; ++slot) addresses.push_back(arena::iocb_slot(slot));
  return addresses;
}

char letter(unsigned index) { return static_cast<char>('A' + index % 57); }

}  // namespace

SUITE_TEST(results_batches, transfers_are_done_when_io_submit_returns, {.holds = {"event.in_ring_when_call_returns"}}) {
  const std::uint64_t ctx = setup(8);
  const Descriptor fd = file(std::string(100, 'a'));
  const Pipe ends = pipe();
  prepare(0, kPwrite, fd.get(), arena::kBuffers, 16);
  prepare(1, kPread, fd.get(), arena::kBuffers, 16);
  prepare(2, kPwritev, fd.get(), iovecs({{arena::kBuffers, 16}}), 1);
  prepare(3, kPreadv, fd.get(), arena::kIovecs, 1);
  prepare(4, kPwrite, ends.write.get(), arena::kBuffers, 16);
  prepare(5, kPread, ends.read.get(), arena::kBuffers, 16);
  for (unsigned slot = 0; slot < 6; ++slot) {
    ASSERT_RETURNS(1, submit(ctx, {slot}));
    EXPECT_EQ(in_ring(ctx), slot + 1) << "slot " << slot;
  }
  EXPECT_RETURNS(6, io_getevents(ctx, 0, 8, arena::kEvents, timeout(0, 0)));
}

SUITE_TEST(results_batches, events_come_in_the_order_of_the_list,
           {.holds = {"event.done_inside_call_in_list_order", "event.obj_is_iocb_address", "event.data_as_submitted",
                      "event.res2_is_zero"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor fd = file(std::string(1000, 'a'));
  for (unsigned slot = 0; slot < 20; ++slot) {
    prepare(slot, slot % 3 == 0 ? kPread : kPwrite, fd.get(), arena::kBuffers, 10 + slot);
    iocb(slot).data = slot % 2 == 0 ? ~std::uint64_t{slot} : 0x123 + slot;
  }
  // The list is not in the order of addresses.
  std::vector<Address> pointers;
  for (unsigned i = 0; i < 20; ++i) pointers.push_back(arena::iocb_slot(i * 7 % 20));
  ASSERT_RETURNS(20, io_submit(ctx, 20, list(pointers)));
  const std::vector<Event> events = collect(ctx, 20);
  for (unsigned i = 0; i < 20; ++i) {
    const unsigned slot = i * 7 % 20;
    claim("event.obj_is_iocb_address");
    EXPECT_EQ(events[i].obj, pointers[i]) << i;
    claim("event.data_as_submitted");
    EXPECT_EQ(events[i].data, slot % 2 == 0 ? ~std::uint64_t{slot} : 0x123 + slot) << i;
    claim("event.done_inside_call_in_list_order");
    EXPECT_EQ(events[i].res, 10 + slot) << i;
    claim("event.res2_is_zero");
    EXPECT_EQ(events[i].res2, 0) << i;
  }
}

SUITE_TEST(results_batches, a_later_write_overwrites_an_earlier_one, {.holds = {"write.later_in_list_wins"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor fd = file();
  const Address bytes = map(64 * 100);
  for (unsigned slot = 0; slot < 64; ++slot) {
    put(bytes + 100 * slot, std::string(100, letter(slot)));
    prepare(slot, kPwrite, fd.get(), bytes + 100 * slot, 100, 10 * slot);
  }
  ASSERT_RETURNS(64, io_submit(ctx, 64, list(slots(64))));
  collect(ctx, 64);
  std::string wanted;
  for (unsigned slot = 0; slot < 63; ++slot) wanted += std::string(10, letter(slot));
  EXPECT_EQ(content(fd.get()), wanted + std::string(100, letter(63)));
}

SUITE_TEST(results_batches, a_later_read_sees_an_earlier_write, {.holds = {"read.sees_earlier_write_of_list"}}) {
  const std::uint64_t ctx = setup(64);
  const Descriptor fd = file("..........");
  put(arena::kBuffers, "first");
  put(arena::kBuffers + 16, "second");
  for (unsigned i = 0; i < 3; ++i) {
    const Address target = arena::kBuffers + 100 + 16 * i;
    prepare(i * 2, kPread, fd.get(), target, 10);
  }
  prepare(1, kPwrite, fd.get(), arena::kBuffers, 5);
  prepare(3, kPwrite, fd.get(), arena::kBuffers + 16, 6, 4);
  ASSERT_RETURNS(5, submit(ctx, {0, 1, 2, 3, 4}));
  collect(ctx, 5);
  EXPECT_EQ(get(arena::kBuffers + 100, 10), "..........");
  EXPECT_EQ(get(arena::kBuffers + 116, 10), "first.....");
  EXPECT_EQ(get(arena::kBuffers + 132, 10), "firssecond");
}

// As O_RDWR, and as write-only and read-only descriptors of a file that was emptied.
SUITE_TEST(results_batches, two_mebibytes_in_one_list,
           {.holds = {"write.returns_bytes_written", "write.bytes_at_offset", "read.returns_bytes_read",
                      "read.bytes_at_offset"}}) {
  const std::uint64_t ctx = setup(kChunks);
  const Descriptor whole = file();
  const Descriptor write_only = opened_again(whole.get(), O_WRONLY | O_TRUNC);
  const Descriptor read_only = opened_again(whole.get(), O_RDONLY);
  const Address buffer = map(kChunk * kChunks);
  const std::pair<int, int> both[] = {{whole.get(), whole.get()}, {write_only.get(), read_only.get()}};
  for (const auto& [to, from] : both) {
    ASSERT_EQ(::ftruncate(whole.get(), 0), 0);
    for (unsigned i = 0; i < kChunks; ++i) {
      put(buffer + kChunk * i, std::string(kChunk, letter(i)));
      prepare(i, kPwrite, to, buffer + kChunk * i, kChunk, static_cast<std::int64_t>(kChunk * i));
    }
    claim("write.returns_bytes_written");
    ASSERT_RETURNS(kChunks, io_submit(ctx, kChunks, list(slots(kChunks))));
    for (const Event& each : collect(ctx, kChunks)) EXPECT_EQ(each.res, 65536);
    claim("write.bytes_at_offset");
    const std::string wanted = get(buffer, kChunk * kChunks);
    EXPECT_TRUE(content(whole.get()) == wanted);
    put(buffer, std::string(kChunk * kChunks, '\0'));
    for (unsigned i = 0; i < kChunks; ++i) {
      prepare(i, kPread, from, buffer + kChunk * i, kChunk, static_cast<std::int64_t>(kChunk * i));
    }
    claim("read.returns_bytes_read");
    ASSERT_RETURNS(kChunks, io_submit(ctx, kChunks, list(slots(kChunks))));
    for (const Event& each : collect(ctx, kChunks)) EXPECT_EQ(each.res, 65536);
    claim("read.bytes_at_offset");
    EXPECT_TRUE(get(buffer, kChunk * kChunks) == wanted);
  }
}

SUITE_TEST(results_batches, large_writes_are_there_without_waiting,
           {.holds = {"event.in_ring_when_call_returns", "write.returns_bytes_written"}}) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  const std::uint64_t ctx = setup(8);
  const Descriptor fd = file();
  const Address buffer = map(kMebibyte);
  for (unsigned slot = 0; slot < 8; ++slot) {
    prepare(slot, kPwrite, fd.get(), buffer, kMebibyte, static_cast<std::int64_t>(kMebibyte * slot));
  }
  ASSERT_RETURNS(8, io_submit(ctx, 8, list(slots(8))));
  for (unsigned slot = 0; slot < 8; ++slot) {
    claim("event.in_ring_when_call_returns");
    ASSERT_RETURNS(1, io_getevents(ctx, 0, 1, arena::kEvents, timeout(0, 0))) << slot;
    claim("write.returns_bytes_written");
    EXPECT_EQ(event(0).res, 1048576) << slot;
  }
}

SUITE_TEST(results_batches, one_iocb_again_and_again,
           {.holds = {"write.returns_bytes_written", "read.returns_bytes_read", "event.one_for_every_request"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  put(arena::kBuffers, std::string(256, 'p'));
  // 256 bytes into the same page each time, and back; the same iocb, prepared once.
  for (const Opcode opcode : {kPwrite, kPread}) {
    claim(opcode == kPwrite ? "write.returns_bytes_written" : "read.returns_bytes_read");
    prepare(0, opcode, fd.get(), arena::kBuffers, 256, 512);
    for (unsigned round = 0; round < 3000; ++round) {
      ASSERT_RETURNS(1, submit(ctx, {0})) << round;
      ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, timeout(5, 0))) << round;
      ASSERT_EQ(event(0).res, 256) << round;
    }
  }
  claim("event.one_for_every_request");
  EXPECT_EQ(in_ring(ctx), 0u);
  EXPECT_EQ(content(fd.get()).substr(512), std::string(256, 'p'));
}

// Nothing of the memory was touched before: the read has to bring its pages.
SUITE_TEST(results_batches, a_transfer_of_many_pages,
           {.holds = {"write.returns_bytes_written", "read.returns_bytes_read", "read.bytes_at_offset"}}) {
  constexpr std::uint64_t kBytes = 24 << 20;
  const std::uint64_t ctx = setup();
  const Descriptor fd = file();
  const Address from = map(kBytes);
  for (std::uint64_t i = 0; i < kBytes; i += kBytes / 6) put(from + i, "here and there");
  claim("write.returns_bytes_written");
  prepare(0, kPwrite, fd.get(), from, kBytes);
  ASSERT_EQ(result(ctx, 0), 25165824);
  claim("read.returns_bytes_read");
  const Address to = map(kBytes);
  prepare(0, kPread, fd.get(), to, kBytes);
  ASSERT_EQ(result(ctx, 0), 25165824);
  claim("read.bytes_at_offset");
  EXPECT_TRUE(get(to, kBytes) == get(from, kBytes));
}

}  // namespace aio::suites
