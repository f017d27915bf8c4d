// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/memory.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aio {
namespace {

using arena::kPage;

constexpr Req kRule = Req::kReadOffset;
constexpr Req kOtherRule = Req::kSubmitKeyWritten;

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 5 + 3);
  return bytes;
}

std::vector<std::byte> bytes_of(const Memory& memory, Address at, std::size_t size) {
  std::vector<std::byte> bytes(size);
  EXPECT_EQ(memory.copy_from(at, bytes), size);
  return bytes;
}

// Every area, in one piece: where it was changed from what it holds at first.
std::vector<Address> changes(const Memory& memory) {
  std::vector<Address> found;
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    const auto area = memory.area(i);
    for (std::size_t at = 0; at < area.size(); ++at) {
      const Address address = arena::kAreas[i].begin + at;
      if (area[at] != std::byte{arena::initial_byte(address)}) found.push_back(address);
    }
  }
  return found;
}

struct Access {
  const char* what;
  Address at;
  std::uint64_t size;
  std::uint64_t readable;
  std::uint64_t writable;
};

constexpr Access kAccesses[] = {
    {"inside an area", arena::kVars + 8, 16, 16, 16},
    {"nothing", arena::kVars, 0, 0, 0},
    {"nothing in a hole", arena::kUnmapped, 0, 0, 0},
    {"up to the end of an area", arena::kIocbs + kPage - 64, 64, 64, 64},
    {"over the end of an area", arena::kIocbs + kPage - 10, 64, 10, 10},
    {"from the end of an area", arena::kIocbs + kPage, 64, 0, 0},
    {"from before an area", arena::kIocbs - 1, 64, 0, 0},
    {"over both pages of the buffers", arena::kBuffers + kPage - 100, 300, 300, 300},
    {"all buffers", arena::kBuffers, 2 * kPage, 2 * kPage, 2 * kPage},
    {"more than all buffers", arena::kBuffers, 2 * kPage + 1, 2 * kPage, 2 * kPage},
    {"over the end of the buffers", arena::kBuffers + 2 * kPage - 7, 100, 7, 7},
    {"read-only memory", arena::kReadOnly, 100, 100, 0},
    {"over the end of read-only memory", arena::kReadOnly + kPage - 1, 2, 1, 0},
    {"memory without access", arena::kNoAccess, 1, 0, 0},
    {"a hole", arena::kUnmapped, 1, 0, 0},
    {"the end of the arena", arena::kEnd, 1, 0, 0},
    {"before the arena", arena::kBase - 4, 8, 0, 0},
    {"null", arena::kNull, 1, 0, 0},
    {"the kernel's half", arena::kKernel, 1, 0, 0},
    {"no address", arena::kNonCanonical, 1, 0, 0},
    {"the last byte of all", ~0ull, 2, 0, 0},
};

TEST(Memory, accesses_stop_at_the_first_page_that_faults) {
  const Memory memory;
  for (const Access& access : kAccesses) {
    EXPECT_EQ(memory.readable(access.at, access.size), access.readable) << access.what;
    EXPECT_EQ(memory.writable(access.at, access.size), access.writable) << access.what;
  }
}

TEST(Memory, copies_from_the_user_stop_where_reading_does) {
  const Memory memory;
  for (const Access& access : kAccesses) {
    std::vector<std::byte> bytes(access.size, std::byte{0x77});
    ASSERT_EQ(memory.copy_from(access.at, bytes), access.readable) << access.what;
    for (std::uint64_t i = 0; i < access.size; ++i) {
      const std::uint8_t expected = i < access.readable ? arena::initial_byte(access.at + i) : 0x77;
      ASSERT_EQ(bytes[i], std::byte{expected}) << access.what << ", byte " << i;
    }
  }
}

TEST(Memory, copies_to_the_user_stop_where_writing_does_and_touch_nothing_else) {
  for (const Access& access : kAccesses) {
    Memory memory;
    std::vector<std::byte> from(access.size);
    for (std::uint64_t i = 0; i < from.size(); ++i) {
      from[i] = std::byte{static_cast<std::uint8_t>(~arena::initial_byte(access.at + i))};
    }
    ASSERT_EQ(memory.copy_to(access.at, from, kRule), access.writable) << access.what;
    const std::vector<Address> changed = changes(memory);
    ASSERT_EQ(changed.size(), access.writable) << access.what;
    for (std::size_t i = 0; i < changed.size(); ++i) ASSERT_EQ(changed[i], access.at + i) << access.what;
  }
}

TEST(Memory, copies_span_both_pages_of_the_buffers) {
  Memory memory;
  const Address at = arena::kBuffers + kPage - 50;
  const auto bytes = pattern(100);
  EXPECT_EQ(memory.copy_to(at, bytes, kRule), 100u);
  EXPECT_EQ(bytes_of(memory, at, 100), bytes);
  EXPECT_EQ(memory.area(5)[kPage - 50], bytes.front());
  EXPECT_EQ(memory.area(5)[kPage + 49], bytes.back());
}

TEST(Memory, objects_are_got_whole_or_not_at_all) {
  Memory memory;
  const std::uint64_t number = 0x1122334455667788;
  EXPECT_TRUE(memory.put(arena::kVars, number, kRule));
  EXPECT_EQ(memory.get<std::uint64_t>(arena::kVars), number);
  EXPECT_EQ(memory.get<std::uint32_t>(arena::kVars), 0x55667788u);
  EXPECT_TRUE(memory.get<std::uint64_t>(arena::kVars + kPage - 8).has_value());
  EXPECT_FALSE(memory.get<std::uint64_t>(arena::kVars + kPage - 7).has_value());
  EXPECT_FALSE(memory.get<std::uint64_t>(arena::kNull).has_value());
  EXPECT_TRUE(memory.get<Iocb>(arena::kReadOnly).has_value());
}

TEST(Memory, objects_are_put_whole_or_not_at_all) {
  Memory memory;
  const std::uint64_t number = ~0ull;
  for (const Address at : {arena::kVars + kPage - 7, arena::kReadOnly, arena::kNoAccess, arena::kNull}) {
    EXPECT_FALSE(memory.put(at, number, kRule));
  }
  EXPECT_TRUE(changes(memory).empty());
  EXPECT_TRUE(memory.writes().empty());
  EXPECT_TRUE(memory.put(arena::kVars + kPage - 8, number, kRule));
  EXPECT_EQ(memory.get<std::uint64_t>(arena::kVars + kPage - 8), number);
}

TEST(Memory, arena_holds_canaries_and_empty_context_variables_at_first) {
  Memory memory;
  EXPECT_TRUE(changes(memory).empty());
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    EXPECT_EQ(memory.get<std::uint64_t>(arena::context_slot(slot)), 0u);
  }
  const auto after = memory.get<std::uint8_t>(arena::context_slot(arena::kContextSlots));
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(*after & 0x80, 0);
}

TEST(Memory, reset_brings_the_canaries_back_and_forgets_writes) {
  Memory memory;
  memory.copy_to(arena::kBuffers, pattern(8192), kRule);
  memory.store(arena::kReadOnly, pattern(16));
  EXPECT_FALSE(changes(memory).empty());
  memory.reset();
  EXPECT_TRUE(changes(memory).empty());
  EXPECT_TRUE(memory.writes().empty());
}

TEST(Memory, users_store_where_the_kernel_may_not_write) {
  Memory memory;
  memory.store(arena::kReadOnly + 8, pattern(16));
  EXPECT_EQ(bytes_of(memory, arena::kReadOnly + 8, 16), pattern(16));
  memory.store(arena::kVars, {});
  EXPECT_EQ(changes(memory).front(), arena::kReadOnly + 8);
}

TEST(Memory, kernel_writes_are_logged_in_order_with_their_rules) {
  Memory memory;
  memory.store(arena::kVars, pattern(8));
  memory.copy_to(arena::kEvents + kPage - 10, pattern(64), kRule);
  memory.copy_to(arena::kNoAccess, pattern(64), kRule);
  memory.put(arena::kIocbs + 8, std::uint32_t{0}, kOtherRule);
  ASSERT_EQ(memory.writes().size(), 2u);
  EXPECT_EQ(memory.writes()[0].at, arena::kEvents + kPage - 10);
  EXPECT_EQ(memory.writes()[0].size, 10u);
  EXPECT_EQ(memory.writes()[0].rule, kRule);
  EXPECT_EQ(memory.writes()[1].at, arena::kIocbs + 8);
  EXPECT_EQ(memory.writes()[1].size, 4u);
  EXPECT_EQ(memory.writes()[1].rule, kOtherRule);
  memory.forget_use();
  EXPECT_TRUE(memory.writes().empty());
  EXPECT_EQ(memory.get<std::uint32_t>(arena::kIocbs + 8), 0u);
}

TEST(Memory, a_wrong_rule_spoils_the_first_byte_of_its_own_copies_only) {
  Memory memory;
  memory.corrupt(kRule);
  memory.copy_to(arena::kBuffers, pattern(8), kRule);
  memory.copy_to(arena::kBuffers + 8, pattern(8), kOtherRule);
  const auto spoiled = bytes_of(memory, arena::kBuffers, 8);
  EXPECT_NE(spoiled[0], pattern(8)[0]);
  EXPECT_TRUE(std::equal(spoiled.begin() + 1, spoiled.end(), pattern(8).begin() + 1));
  EXPECT_EQ(bytes_of(memory, arena::kBuffers + 8, 8), pattern(8));
}

TEST(Memory, knows_with_which_areas_the_kernel_had_to_do) {
  const auto used = [](Memory& memory, auto&& act) {
    memory.forget_use();
    act(memory);
    return memory.used().to_string();
  };
  Memory memory;
  EXPECT_EQ(used(memory, [](Memory&) {}), "0000000");
  EXPECT_EQ(used(memory, [](Memory& m) { m.get<Iocb>(arena::kIocbs); }), "0000010");
  EXPECT_EQ(used(memory, [](Memory& m) { m.put(arena::kEvents, 1, kRule); }), "0010000");
  EXPECT_EQ(used(memory, [](Memory& m) { m.put(arena::kReadOnly, 1, kRule); }), "1000000");
  EXPECT_EQ(used(memory, [](Memory& m) { m.get<int>(arena::kUnmapped); }), "0000000");
  // What the user stores is no affair of the kernel's.
  EXPECT_EQ(used(memory, [](Memory& m) { m.store(arena::kVars, pattern(8)); }), "0000000");
}

struct Range {
  Address at;
  std::uint64_t size;
  bool in_user_half;
};

TEST(Memory, user_half_ends_where_four_level_tables_do) {
  constexpr Range kRanges[] = {
      {arena::kNull, 0, true},
      {arena::kNull, 1, true},
      {arena::kUnmapped, 100, true},
      {arena::kUserEnd, 0, true},
      {arena::kUserEnd, 1, false},
      {arena::kUserEnd - 8, 8, true},
      {arena::kUserEnd - 8, 9, false},
      {arena::kUserEnd + 1, 0, false},
      {arena::kNonCanonical, 0, false},
      {arena::kKernel, 0, false},
      {1, ~0ull, false},
      {0, arena::kUserEnd, true},
      {0, arena::kUserEnd + 1, false},
  };
  for (const Range& range : kRanges) {
    EXPECT_EQ(in_user_half(range.at, range.size), range.in_user_half) << range.at << ", " << range.size;
  }
  // With 5-level tables.
  constexpr Address kHighEnd = (Address{1} << 56) - 4096;
  EXPECT_TRUE(in_user_half(arena::kUserEnd, 1, kHighEnd));
  EXPECT_FALSE(in_user_half(kHighEnd - 8, 9, kHighEnd));
}

}  // namespace
}  // namespace aio
