// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/self_check.h"

#include <gtest/gtest.h>

#include "cli/target.h"

namespace aio::cli {
namespace {

using Lines = std::vector<std::string>;

TEST(SelfCheckAlone, is_content_where_lies_are_noticed) {
  const Target target{TargetOptions()};
  EXPECT_EQ(self_check(target.setting()), Lines());
}

TEST(SelfCheckAlone, tells_what_a_wrong_model_sees) {
  const Target target{TargetOptions()};
  Setting wrong = target.setting();
  wrong.mutant = Req::kSubmitKeyWritten;
  EXPECT_EQ(self_check(wrong), Lines{"the first look at a ring and its events diverged: io_submit.key_written"});
}

TEST(SelfCheckAlone, tells_which_lie_a_blind_model_takes_over) {
  const Target target{TargetOptions()};
  Setting blind = target.setting();
  blind.quirks.emplace().add({Req::kSubmitKeyWritten, Kind::kMemory});
  EXPECT_EQ(self_check(blind), Lines{"the lie key_not_written was not noticed here"});
}

}  // namespace
}  // namespace aio::cli
