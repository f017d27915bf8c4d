// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/scenes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "properties/bounds.h"

namespace aio {
namespace {

TEST(Scenes, each_is_short_and_within_bounds) {
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Program program = scene(1, index);
    EXPECT_LE(program.operations.size(), 6u);
    EXPECT_TRUE(std::all_of(program.operations.begin(), program.operations.end(), within_bounds));
  }
}

TEST(Scenes, they_depend_on_seed_and_index_alone) {
  EXPECT_EQ(scene(1, 5), scene(1, 5));
  const auto differ = [](std::uint64_t index) { return !(scene(1, index) == scene(2, index)); };
  unsigned different = 0;
  for (std::uint64_t index = 0; index < 100; ++index) different += differ(index) ? 1u : 0u;
  EXPECT_GT(different, 50u);
}

}  // namespace
}  // namespace aio
