// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/verdict.h"

#include <gtest/gtest.h>

#include <set>

namespace aio {
namespace {

TEST(Verdict, each_kind_is_found_by_its_name) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i < kKindCount; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(find_kind(kind_name(kind)), kind);
    names.insert(kind_name(kind));
  }
  EXPECT_EQ(names.size(), kKindCount);
}

TEST(Verdict, names_of_kinds_are_those_of_the_reports) {
  EXPECT_EQ(kind_name(Kind::kErrno), "errno");
  EXPECT_EQ(kind_name(Kind::kHeader), "header");
  EXPECT_EQ(kind_name(Kind::kAioNr), "aio_nr");
  EXPECT_EQ(kind_name(Kind::kCrash), "crash");
}

TEST(Verdict, other_names_of_kinds_are_not_found) {
  EXPECT_EQ(find_kind(""), std::nullopt);
  EXPECT_EQ(find_kind("Errno"), std::nullopt);
  EXPECT_EQ(find_kind("aio"), std::nullopt);
}

TEST(Verdict, signatures_differ_by_requirement_and_by_kind) {
  const Signature first{static_cast<Req>(0), Kind::kErrno};
  EXPECT_EQ(first, (Signature{static_cast<Req>(0), Kind::kErrno}));
  EXPECT_NE(first, (Signature{static_cast<Req>(1), Kind::kErrno}));
  EXPECT_NE(first, (Signature{static_cast<Req>(0), Kind::kCount}));
}

}  // namespace
}  // namespace aio
