// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/zoo.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace aio {
namespace {

TEST(Zoo, each_descriptor_is_found_by_its_name_and_its_number) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i < kFdCount; ++i) {
    const auto fd = static_cast<Fd>(i);
    EXPECT_EQ(fd_of_name(fd_name(fd)), fd);
    EXPECT_EQ(fd_of_number(fd_number(fd)), fd);
    names.insert(fd_name(fd));
  }
  EXPECT_EQ(names.size(), kFdCount);
}

TEST(Zoo, names_are_those_of_the_traces) {
  EXPECT_EQ(fd_name(Fd::kFile), "file");
  EXPECT_EQ(fd_name(Fd::kDirect), "direct");
  EXPECT_EQ(fd_name(Fd::kNbPipeWrite), "nb_pipe_write");
  EXPECT_EQ(fd_name(Fd::kSemEvent), "sem_event");
  EXPECT_EQ(fd_name(Fd::kSocket1), "socket1");
  EXPECT_EQ(fd_name(Fd::kPath), "path");
  EXPECT_EQ(fd_name(Fd::kZero), "zero");
  EXPECT_EQ(fd_name(Fd::kNever), "never");
  EXPECT_EQ(fd_name(Fd::kMinusOne), "minus_one");
}

TEST(Zoo, other_names_and_numbers_are_not_found) {
  EXPECT_EQ(fd_of_name(""), std::nullopt);
  EXPECT_EQ(fd_of_name("File"), std::nullopt);
  EXPECT_EQ(fd_of_name("file_"), std::nullopt);
  EXPECT_EQ(fd_of_number(0), std::nullopt);
  EXPECT_EQ(fd_of_number(fd_number(Fd::kFile) - 1), std::nullopt);
  EXPECT_EQ(fd_of_number(fd_number(Fd::kNever) + 1), std::nullopt);
}

}  // namespace
}  // namespace aio
