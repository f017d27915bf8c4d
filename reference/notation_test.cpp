// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/notation.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace aio {
namespace {

TEST(Notation, addresses_are_written_by_the_place_they_lie_in) {
  EXPECT_EQ(address_text(0), "null");
  EXPECT_EQ(address_text(1), "0x1");
  EXPECT_EQ(address_text(arena::kVars), "vars");
  EXPECT_EQ(address_text(arena::context_slot(1)), "vars+0x8");
  EXPECT_EQ(address_text(arena::iocb_slot(1)), "iocbs+0x40");
  EXPECT_EQ(address_text(arena::kBuffers), "buffers");
  EXPECT_EQ(address_text(arena::kBuffers + 0x1fff), "buffers+0x1fff");
  EXPECT_EQ(address_text(arena::kReadOnly + 8), "readonly+0x8");
  EXPECT_EQ(address_text(arena::kNoAccess), "noaccess");
  EXPECT_EQ(address_text(arena::kUnmapped + 1), "unmapped+0x1");
  EXPECT_EQ(address_text(arena::kEnd), "0x40010000");
  EXPECT_EQ(address_text(arena::kBase - 1), "0x3fffffff");
  EXPECT_EQ(address_text(arena::kKernel + 8), "kernel+0x8");
  EXPECT_EQ(address_text(arena::kNonCanonical), "noncanonical");
  EXPECT_EQ(address_text(arena::kUserEnd - 16), "user_end-0x10");
  EXPECT_EQ(address_text(arena::kUserEnd + 16), "user_end+0x10");
  EXPECT_EQ(address_text(arena::kUserEnd - 0x10000), "user_end-0x10000");
  EXPECT_EQ(address_text(arena::kUserEnd - 0x10001), "0x7ffffffeefff");
  EXPECT_EQ(address_text(arena::kUserEnd + 0x10000), "0x80000000f000");
  EXPECT_EQ(address_text(~Address{0}), "0xffffffffffffffff");
}

TEST(Notation, each_area_of_the_arena_is_written_by_its_name) {
  for (const arena::Area& area : arena::kAreas) EXPECT_EQ(address_text(area.begin), area.name);
}

TEST(Notation, guard_pages_are_written_by_the_area_before_them) {
  EXPECT_EQ(address_text(arena::kIocbs + arena::kPage), "iocbs+0x1000");
}

TEST(Notation, every_address_near_a_place_is_read_back) {
  const Address bases[] = {0,
                           arena::kVars,
                           arena::kIocbs,
                           arena::kPointers,
                           arena::kIovecs,
                           arena::kEvents,
                           arena::kBuffers,
                           arena::kReadOnly,
                           arena::kNoAccess,
                           arena::kUnmapped,
                           arena::kEnd,
                           arena::kUserEnd,
                           arena::kUserEnd - 0x10000,
                           arena::kUserEnd + 0x10000,
                           arena::kKernel,
                           arena::kKernel + 0x10000,
                           arena::kNonCanonical,
                           arena::kNonCanonical + 0x10000};
  for (const Address base : bases) {
    for (Address address = base - 70; address != base + 70; ++address) {
      EXPECT_EQ(parse_address(address_text(address)), address) << address_text(address);
    }
  }
}

TEST(Notation, random_addresses_and_values_are_read_back) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t bits = random() >> random() % 64;
    EXPECT_EQ(parse_address(address_text(bits)), bits);
    const Value value(static_cast<Symbol>(random() % kSymbolCount),
                      static_cast<std::int64_t>(random() % 2 == 0 ? bits : 0 - bits));
    EXPECT_EQ(parse_value(value_text(value)), value) << value_text(value);
  }
}

TEST(Notation, other_spellings_of_an_address_are_refused) {
  for (const char* text : {"",
                           " ",
                           "0",
                           "64",
                           "NULL",
                           "null+0x1",
                           "buffers+0x0",
                           "buffers+16",
                           "buffers+0x3000",
                           "buffers-0x1",
                           "buffers+",
                           "buffers+0x",
                           "buffers +0x1",
                           "buffers+0x1 ",
                           "buffers+0X1",
                           "buffers+0xA",
                           "buffers+0x0a",
                           "buffers+-0x1",
                           "buffers+0x1+0x1",
                           "Buffers",
                           "buffer",
                           "0x0",
                           "0x",
                           "0x01",
                           "0xg",
                           "0x4000a000",
                           "0x1ffffffffffffffff",
                           "-0x1",
                           "+0x1",
                           "kernel-0x1",
                           "user_end+0x0"}) {
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
  }
}

TEST(Notation, values_are_numbers_or_symbols_with_an_offset) {
  EXPECT_EQ(value_text(0), "0");
  EXPECT_EQ(value_text(-3), "-3");
  EXPECT_EQ(value_text({Symbol::kQuota, 1}), "quota+1");
  EXPECT_EQ(value_text({Symbol::kMaxFile, -511}), "max_file-511");
  EXPECT_EQ(value_text(context(0)), "context0");
  EXPECT_EQ(value_text(65537), "65537");
  EXPECT_EQ(value_text(0x80000001), "0x80000001");
  EXPECT_EQ(value_text(INT64_MAX), "0x7fffffffffffffff");
  EXPECT_EQ(value_text(INT64_MIN), "-0x8000000000000000");
  EXPECT_EQ(value_text({Symbol::kTail, INT64_MIN}), "tail-0x8000000000000000");
}

TEST(Notation, other_spellings_of_a_value_are_refused) {
  for (const char* text : {"",
                           " ",
                           "+1",
                           "-0",
                           "--1",
                           "1 ",
                           " 1",
                           "01",
                           "0x1",
                           "1e3",
                           "268435456",
                           "0x80000000000000001",
                           "0xffffffffffffffff",
                           "literal",
                           "literal+1",
                           "quota+0",
                           "quota-0",
                           "quota+",
                           "quota1",
                           "quota + 1",
                           "quota+1+1",
                           "+quota",
                           "-quota",
                           "Quota",
                           "context4",
                           "quota+0x1"}) {
    EXPECT_EQ(parse_value(text), std::nullopt) << text;
  }
}

TEST(Notation, flags_are_written_by_name_and_the_rest_in_hex) {
  EXPECT_EQ(rw_flags_text(0), "0");
  EXPECT_EQ(rw_flags_text(0x1ff), "HIPRI|DSYNC|SYNC|NOWAIT|APPEND|NOAPPEND|ATOMIC|DONTCACHE|NOSIGNAL");
  EXPECT_EQ(rw_flags_text(0x80000008), "NOWAIT|0x80000000");
  EXPECT_EQ(rw_flags_text(0x200), "0x200");
  EXPECT_EQ(poll_text(0), "0");
  EXPECT_EQ(poll_text(0x2fff), "IN|PRI|OUT|ERR|HUP|NVAL|RDNORM|RDBAND|WRNORM|WRBAND|MSG|RDHUP|0x800");
  EXPECT_EQ(poll_text(0x5000), "0x5000");
}

TEST(Notation, opcodes_have_distinct_names) {
  std::set<std::string> names;
  for (unsigned i = 0; i <= 0xffff; ++i) names.insert(opcode_text(static_cast<std::uint16_t>(i)));
  EXPECT_EQ(names.size(), 0x10000u);
  EXPECT_EQ(opcode_text(kPwritev), "pwritev");
  EXPECT_EQ(opcode_text(kPoll), "poll");
  EXPECT_EQ(opcode_text(9), "op9");
}

}  // namespace
}  // namespace aio
