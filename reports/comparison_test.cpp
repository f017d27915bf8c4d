// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/comparison.h"

#include <gtest/gtest.h>

#include "reports/saved_report_testing.h"

namespace aio {
namespace {

TEST(Comparison, tells_kernels_and_shapes_of_machines_apart) {
  SavedReport small;
  small.summary = testing::sample_run();
  SavedReport large = small;
  large.summary.usable_cpus = 8;
  EXPECT_NE(name_of(small).find(small.summary.kernel + ", 2 CPUs, "), std::string::npos) << name_of(small);
  EXPECT_NE(name_of(large).find(", 8 CPUs, "), std::string::npos) << name_of(large);
  const std::string text = comparison_text(std::vector{small, large});
  EXPECT_LT(text.find("2 CPUs"), text.find("8 CPUs")) << text;
  EXPECT_NE(text.find("0 new, 0 gone"), std::string::npos) << text;
}

}  // namespace
}  // namespace aio
