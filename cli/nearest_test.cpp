// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/nearest.h"

#include <gtest/gtest.h>

namespace aio::cli {
namespace {

using Names = std::vector<std::string_view>;

const Names kKnown{"io_setup.returns_zero", "io_setup.nr_zero_is_einval", "io_submit.returns_count", "poll.ready"};

TEST(Nearest, a_typing_error_finds_its_name_first) {
  EXPECT_EQ(nearest("io_setup.nr_zerro_is_einval", kKnown).front(), "io_setup.nr_zero_is_einval");
  EXPECT_EQ(nearest("pol.ready", kKnown).front(), "poll.ready");
}

TEST(Nearest, a_piece_of_a_name_comes_before_what_merely_resembles_it) {
  EXPECT_EQ(nearest("io_setup.nr_ze", kKnown).front(), "io_setup.nr_zero_is_einval");
}

TEST(Nearest, what_resembles_nothing_finds_nothing) {
  EXPECT_EQ(nearest("xyzzy", kKnown), Names{});
  EXPECT_EQ(nearest("", kKnown), Names{});
}

TEST(Nearest, three_names_are_enough) { EXPECT_EQ(nearest("io_", {"io_a", "io_b", "io_c", "io_d"}).size(), 3U); }

TEST(Nearest, an_unknown_name_is_wrong_usage_and_tells_where_the_names_are) {
  const Failure failure = unknown_name("lie", "pol.ready", kKnown);
  EXPECT_EQ(failure.exit(), Exit::kUsage);
  EXPECT_STREQ(failure.what(), "there is no lie 'pol.ready'; the nearest: poll.ready (all of them: aio-cts list lies)");
}

}  // namespace
}  // namespace aio::cli
