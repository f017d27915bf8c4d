// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/bounds.h"

#include <gtest/gtest.h>

#include <limits>

namespace aio {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

TEST(Bounds, waits_end_when_the_kernel_ends_them) {
  EXPECT_EQ(wait_ns(0, 0), 0);
  EXPECT_EQ(wait_ns(2, 5), 2'000'000'005);
  EXPECT_EQ(wait_ns(1, -900'000'000), 100'000'000);
  EXPECT_EQ(wait_ns(kLowest, 0), 0);
  EXPECT_EQ(wait_ns(-1, 0), -1);
  EXPECT_EQ(wait_ns(0, kLowest), -1);
  EXPECT_EQ(wait_ns(9'223'372'036, 0), -1);
  EXPECT_EQ(wait_ns(kHighest, 0), -1);
  EXPECT_EQ(wait_ns(-9'223'372'037, 0), -1);
}

TEST(Bounds, waits_are_short_or_endless) {
  Pgetevents op;
  for (const std::int64_t nsec : {std::int64_t{0}, kMaxWaitNs, std::int64_t{-1}}) {
    op.nsec = nsec;
    EXPECT_TRUE(within_bounds(op));
  }
  op.nsec = kMaxWaitNs + 1;
  EXPECT_FALSE(within_bounds(op));
  EXPECT_FALSE(within_bounds(Getevents{.sec = 8}));
}

TEST(Bounds, masks_leave_the_releasing_signals_alone) {
  EXPECT_TRUE(within_bounds(Pgetevents{.signals = 1ull << 9}));
  for (const unsigned number : {9u, 12u, 14u}) {
    EXPECT_FALSE(within_bounds(Pgetevents{.signals = 1ull << (number - 1)})) << number;
  }
}

TEST(Bounds, rings_are_small_or_refused) {
  EXPECT_TRUE(within_bounds(aio::Setup{.nr = kMaxSetupSum}));
  EXPECT_TRUE(within_bounds(aio::Setup{.nr = 4'194'305}));
  EXPECT_TRUE(within_bounds(aio::Setup{.nr = {Symbol::kMaxNr, 1}}));
  EXPECT_FALSE(within_bounds(aio::Setup{.nr = kMaxSetupSum + 1}));
  EXPECT_FALSE(within_bounds(aio::Setup{.nr = 4'194'304}));
}

TEST(Bounds, writes_are_near_or_refused) {
  const auto at = [](std::uint16_t opcode, Value offset) {
    Submit op;
    op.iocbs.resize(2);
    op.iocbs[1].opcode = opcode;
    op.iocbs[1].offset = offset;
    return within_bounds(op);
  };
  EXPECT_TRUE(at(kPwrite, 20'000));
  EXPECT_TRUE(at(kPwrite, -1));
  EXPECT_TRUE(at(kPwritev, kHighest));
  EXPECT_TRUE(at(kPwrite, {Symbol::kMaxFile, 0}));
  EXPECT_TRUE(at(kPread, 1'000'000));
  EXPECT_FALSE(at(kPwrite, 65'536));
  EXPECT_FALSE(at(kPwritev, kHighest - 1));
  EXPECT_FALSE(at(kPwrite, {Symbol::kMaxFile, -1}));
}

}  // namespace
}  // namespace aio
