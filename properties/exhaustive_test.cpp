// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/exhaustive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <vector>

namespace aio {
namespace {

TEST(Exhaustive, there_are_as_many_programs_as_words) {
  // 17 last letters behind 0 to 3 of 16.
  EXPECT_EQ(exhaustive_count(), 17u * (1 + 16 + 256 + 4096));
}

TEST(Exhaustive, no_program_occurs_twice) {
  std::unordered_set<std::uint64_t> seen;
  for (std::uint64_t index = 0; index < exhaustive_count(); ++index) {
    EXPECT_TRUE(seen.insert(hash(exhaustive_program(index))).second) << "program " << index;
  }
}

TEST(Exhaustive, shorter_programs_come_first) {
  std::size_t length = 2;
  for (std::uint64_t index = 0; index < exhaustive_count(); ++index) {
    const std::size_t next = exhaustive_program(index).operations.size();
    ASSERT_GE(next, length);
    ASSERT_LE(next, length + 1);
    length = next;
  }
  EXPECT_EQ(length, kExhaustiveLength + 1);
}

TEST(Exhaustive, every_program_sets_up_first_and_destroys_last) {
  for (std::uint64_t index = 0; index < exhaustive_count(); ++index) {
    const Program program = exhaustive_program(index);
    ASSERT_EQ(program.operations.front(), Operation(aio::Setup{}));
    const auto last = program.operations.end() - 1;
    ASSERT_EQ(std::count(program.operations.begin(), last, Operation(Destroy{})), 0);
  }
}

TEST(Exhaustive, every_letter_takes_every_place) {
  std::array<std::array<unsigned, kExhaustiveLength + 1>, kExhaustiveLetters + 1> seen{};
  std::vector<Operation> letters;
  for (unsigned i = 0; i <= kExhaustiveLetters; ++i) letters.push_back(exhaustive_letter(i));
  for (std::uint64_t index = 0; index < exhaustive_count(); ++index) {
    const Program program = exhaustive_program(index);
    if (program.operations.size() != kExhaustiveLength + 1) continue;
    for (unsigned letter = 0; letter <= kExhaustiveLetters; ++letter) {
      const Operation& wanted = letters[letter];
      for (unsigned place = 1; place <= kExhaustiveLength; ++place) {
        if (program.operations[place] == wanted) ++seen[letter][place];
      }
    }
  }
  for (unsigned letter = 0; letter <= kExhaustiveLetters; ++letter) {
    const bool only_last = letter == kExhaustiveLetters;
    for (unsigned place = 1; place < kExhaustiveLength; ++place) {
      EXPECT_EQ(seen[letter][place], only_last ? 0u : 16u * 16 * 17);
    }
    EXPECT_EQ(seen[letter][kExhaustiveLength], 16u * 16 * 16);
  }
}

TEST(Exhaustive, programs_stay_within_the_bounds_of_programs) {
  for (unsigned letter = 0; letter <= kExhaustiveLetters; ++letter) {
    const Operation operation = exhaustive_letter(letter);
    const auto* submit = std::get_if<Submit>(&operation);
    if (submit == nullptr) continue;
    EXPECT_GE(submit->iocbs.size(), 1u);
    EXPECT_LE(submit->iocbs.size(), kMaxIocbs);
    // No two iocbs of one io_submit share an address.
    for (std::size_t i = 1; i < submit->iocbs.size(); ++i) {
      EXPECT_NE(submit->iocbs[i].at, submit->iocbs[i - 1].at);
    }
  }
}

}  // namespace
}  // namespace aio
