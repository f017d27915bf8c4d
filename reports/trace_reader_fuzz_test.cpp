// SPDX-License-Identifier: GPL-2.0-or-later
//
// Random bytes and mutated traces: the reader never crashes, and what it accepts is within bounds
// and survives being written and read again. The seeds are fixed, so a failure repeats;
// trace_reader_fuzz.cpp searches further.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "reports/exercise_reader.h"
#include "reports/testing.h"

namespace aio {
namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::string bytes(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(random_());
    return text;
  }

  void mutate(std::string& text) {
    const std::size_t at = below(text.size());
    const std::size_t length = below(below(2) == 0 ? 8 : text.size());
    switch (below(6)) {
      case 0:  // a bit flips
        if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text.resize(at);
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      case 4:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      default:
        replace_number(text, at);
    }
  }

 private:
  inline static const std::vector<std::string> kPieces{
      "{",  "[",  "null", "-1", "1e999", "\"\\ud800\"", "0x", "\"\"", "}",
      "],", "\n", "true", ",,", "\xff",  "\"steps\":",  "{}", "[]",   "\"resolved\":{}",
  };

  // The next number becomes one that no field expects.
  void replace_number(std::string& text, std::size_t at) {
    static const std::vector<std::string> kNumbers{"18446744073709551615", "-9223372036854775808",
                                                   "99999999999999999999", "67108864", "1e3"};
    const std::size_t begin = text.find_first_of("0123456789", at);
    if (begin == std::string::npos) return;
    const std::size_t end = text.find_first_not_of("0123456789", begin);
    text.replace(begin, end == std::string::npos ? end : end - begin, kNumbers[below(kNumbers.size())]);
  }

  std::mt19937_64 random_;
};

TEST(TraceReaderFuzz, RandomBytesAreRefused) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Mutator mutator(seed);
    const auto result = testing::exercise_reader(mutator.bytes(mutator.below(300)));
    EXPECT_FALSE(result.accepted);
    EXPECT_EQ(result.complaint, "");
  }
}

TEST(TraceReaderFuzz, MutatedTracesAreRefusedOrWithinBounds) {
  int accepted = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(seed);
    Mutator mutator(seed);
    testing::RandomWorld world(seed % 50);
    std::string text = trace_text(world.trace(2));
    for (std::size_t i = mutator.below(4); i > 0; --i) mutator.mutate(text);
    const auto result = testing::exercise_reader(text);
    ++(result.accepted ? accepted : refused);
    ASSERT_EQ(result.complaint, "");
  }
  // Neither outcome alone would show anything.
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(TraceReaderFuzz, EveryPrefixOfATraceIsRefused) {
  testing::RandomWorld world(7);
  const std::string text = trace_text(world.trace(1));
  for (std::size_t length = 0; length + 2 < text.size(); length += 1 + text.size() / 500) {
    EXPECT_FALSE(testing::exercise_reader(text.substr(0, length)).accepted) << length;
  }
}

}  // namespace
}  // namespace aio
