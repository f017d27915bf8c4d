// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/source_functions.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aio {
namespace {

const SourceFunction& function(std::string_view name) {
  const auto all = source_functions();
  return *std::find_if(all.begin(), all.end(), [&](const SourceFunction& each) { return each.name == name; });
}

TEST(SourceFunctions, each_has_requirements_or_cannot_be_seen) {
  for (const SourceFunction& each : source_functions()) {
    EXPECT_NE(requirements_of(each).empty(), each.unreachable.empty()) << each.name;
    EXPECT_LE(each.first, each.last) << each.name;
  }
}

TEST(SourceFunctions, each_requirement_about_aio_is_some_functions) {
  // What today's file has and that of 4.9 had not.
  const std::string_view since[] = {"aio_poll",
                                    "aio_poll_wake",
                                    "aio_fsync",
                                    "io_pgetevents",
                                    "aio_nr",
                                    "aio_max_nr",
                                    "struct",
                                    "aio_fsync_work",
                                    "compat",
                                    "aio_ring_mmap",
                                    "mm_init_aio",
                                    "aio_init_fs_context",
                                    "io_getevents_time32",
                                    "aio_sysctls"};
  const auto is_some = [&](const Requirement& each) {
    return std::any_of(source_functions().begin(), source_functions().end(), [&](const SourceFunction& one) {
      const auto of = requirements_of(one);
      return std::any_of(of.begin(), of.end(), [&](const Requirement* other) { return other->id == each.id; });
    });
  };
  for (const auto& part : {requirements(), suite_requirements()}) {
    for (const Requirement& each : part) {
      if (!each.source.starts_with("fs/aio.c")) continue;
      const bool is_younger = std::any_of(std::begin(since), std::end(since), [&](std::string_view name) {
        return each.source.find(name) != std::string_view::npos;
      });
      EXPECT_TRUE(is_younger || is_some(each)) << each.id << ": " << each.source;
    }
  }
}

TEST(SourceFunctions, names_are_whole_words) {
  for (const Requirement* const each : requirements_of(function("free_ioctx"))) {
    EXPECT_EQ(each->source.find("free_ioctx_reqs") == std::string_view::npos ||
                  each->source.find("free_ioctx,") != std::string_view::npos ||
                  each->source.find("free_ioctx;") != std::string_view::npos,
              true)
        << each->id;
  }
}

}  // namespace
}  // namespace aio
