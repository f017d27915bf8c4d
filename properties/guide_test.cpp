// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/guide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace aio {
namespace {

std::vector<Program> some_corpus() {
  std::vector<Program> corpus;
  for (std::uint64_t index = 0; index < 200; ++index) {
    const auto kind = index % 3 == 0   ? ProgramKind::kPlain
                      : index % 3 == 1 ? ProgramKind::kHeld
                                       : ProgramKind::kStepped;
    corpus.push_back(generate(9, index, {.kind = kind}));
  }
  return corpus;
}

std::uint64_t hash_of(const Guide& guide, std::uint64_t first, std::uint64_t last) {
  std::uint64_t sum = 0;
  for (std::uint64_t index = first; index < last; ++index) sum = sum * 31 + hash(guide.program(index));
  return sum;
}

// As if program number `index` had reached the feature.
struct Reached {
  std::uint64_t index;
  Feature feature;
};

// Runs an epoch in batches of this size, in an order of their own.
void run_epoch(Guide& guide, std::uint64_t epoch, const std::vector<Reached>& reached, std::uint64_t batch,
               bool backwards) {
  std::vector<std::uint64_t> firsts;
  for (std::uint64_t first = 0; first < Guide::kEpoch; first += batch) firsts.push_back(epoch * Guide::kEpoch + first);
  if (backwards) std::reverse(firsts.begin(), firsts.end());
  for (const std::uint64_t first : firsts) {
    const auto discoveries = std::make_unique<Discoveries>();
    std::uint32_t count = 0;
    for (const Reached& each : reached) {
      if (each.index < first || each.index >= first + batch) continue;
      discoveries->all[count++] = {each.feature, static_cast<std::uint32_t>(each.index - first)};
    }
    discoveries->count = count;
    guide.account(first, first + batch, *discoveries);
  }
}

TEST(Guide, programs_depend_on_seed_and_corpus_alone) {
  constexpr std::uint64_t kMany = 2000;
  std::vector<Program> corpus = some_corpus();
  const Guide one({.seed = 4, .one_epoch = true}, corpus);
  std::reverse(corpus.begin(), corpus.end());
  corpus.insert(corpus.begin(), corpus.front());  // a file that somebody has copied
  const Guide same({.seed = 4, .one_epoch = true}, corpus);
  EXPECT_EQ(one.start_hash(), same.start_hash());
  EXPECT_EQ(hash_of(one, 0, kMany), hash_of(same, 0, kMany));
  const Guide other_seed({.seed = 5, .one_epoch = true}, corpus);
  EXPECT_EQ(one.start_hash(), other_seed.start_hash());
  EXPECT_NE(hash_of(one, corpus.size(), kMany), hash_of(other_seed, corpus.size(), kMany));
  corpus.pop_back();
  const Guide other_corpus({.seed = 4, .one_epoch = true}, corpus);
  EXPECT_NE(one.start_hash(), other_corpus.start_hash());
  EXPECT_NE(hash_of(one, corpus.size() + 1, kMany), hash_of(other_corpus, corpus.size() + 1, kMany));
}

TEST(Guide, the_corpus_itself_comes_first) {
  const std::vector<Program> corpus = some_corpus();
  const Guide guide({.seed = 4}, corpus);
  // Some of them are the same.
  ASSERT_GT(guide.start_size(), corpus.size() * 9 / 10);
  for (const Program& program : corpus) {
    bool found = false;
    for (std::uint64_t index = 0; index < guide.start_size(); ++index) found = found || guide.program(index) == program;
    EXPECT_TRUE(found);
  }
}

TEST(Guide, what_joins_depends_on_neither_batches_nor_their_order) {
  const std::vector<Reached> reached{{30, 7}, {31, 8}, {40, 8}, {41, 7}, {42, 9}, {50, 10}, {50, 11}};
  Guide one({.seed = 4}, {});
  Guide other({.seed = 4}, {});
  run_epoch(one, 0, reached, 64, false);
  run_epoch(other, 0, reached, 16, true);
  EXPECT_EQ(one.corpus(), other.corpus());
  // 30, 31, 42 and 50 were first.
  ASSERT_EQ(one.corpus().size(), 4u);
  EXPECT_EQ(one.corpus()[2], one.program(42));
  EXPECT_EQ(one.reached().count(kModelFeatures), 5u);
  EXPECT_EQ(hash_of(one, 2 * Guide::kEpoch, 4 * Guide::kEpoch), hash_of(other, 2 * Guide::kEpoch, 4 * Guide::kEpoch));
}

TEST(Guide, an_epoch_opens_when_the_first_half_of_those_before_is_through_and_later_all_but_the_last) {
  Guide guide({.seed = 4}, some_corpus());
  const auto opens = [&](std::uint64_t epoch) {
    return guide.is_open((epoch + 1) * Guide::kEpoch - 1) && !guide.is_open((epoch + 1) * Guide::kEpoch);
  };
  EXPECT_TRUE(opens(1));
  const std::uint64_t before = hash_of(guide, Guide::kEpoch, 2 * Guide::kEpoch);
  // Epochs close in their order.
  run_epoch(guide, 1, {{Guide::kEpoch + 100, 3}}, 64, false);
  EXPECT_TRUE(opens(1));
  run_epoch(guide, 0, {{100, 4}}, 64, false);
  EXPECT_TRUE(opens(5));
  for (std::uint64_t epoch = 2; epoch < 3 * Guide::kLag; ++epoch) run_epoch(guide, epoch, {}, 64, false);
  EXPECT_TRUE(opens(4 * Guide::kLag));
  // What has joined since changes no program of an epoch that was open.
  EXPECT_EQ(hash_of(guide, Guide::kEpoch, 2 * Guide::kEpoch), before);
}

TEST(Guide, places_in_the_kernel_may_be_counted_without_going_by_them) {
  for (const bool kernel : {true, false}) {
    Guide guide({.seed = 4, .kernel = kernel}, {});
    run_epoch(guide, 0, {{5, kKernelFeatures.first + 7}, {6, 0}}, 64, false);
    guide.finish();
    EXPECT_EQ(guide.corpus().size(), kernel ? 2u : 1u);
    EXPECT_EQ(guide.reached().count(kKernelFeatures), 1u);
  }
}

TEST(Guide, programs_of_the_start_do_not_join_again) {
  Guide guide({.seed = 4}, some_corpus());
  run_epoch(guide, 0, {{3, 7}, {100, 8}}, 64, false);
  EXPECT_EQ(guide.corpus().size(), guide.start_size());
  run_epoch(guide, 1, {{Guide::kEpoch + 100, 7}, {Guide::kEpoch + 101, 9}}, 64, false);
  ASSERT_EQ(guide.corpus().size(), guide.start_size() + 1);
  EXPECT_EQ(guide.corpus().back(), guide.program(Guide::kEpoch + 101));
}

TEST(Guide, a_shard_has_one_epoch) {
  Guide guide({.seed = 4, .one_epoch = true}, some_corpus());
  const std::uint64_t before = hash_of(guide, 0, 3000);
  EXPECT_TRUE(guide.is_open(1'000'000));
  run_epoch(guide, 2, {{300, 7}}, 64, false);
  run_epoch(guide, 3, {{500, 8}}, 64, false);
  std::vector<Program> joined;
  guide.on_join([&](const Program& program) { joined.push_back(program); });
  guide.finish();
  EXPECT_EQ(joined.size(), 2u);
  EXPECT_EQ(hash_of(guide, 0, 3000), before);
}

TEST(Guide, without_a_corpus_it_begins_with_fresh_programs) {
  const Guide guide({.seed = 4, .kind = ProgramKind::kPlain}, {});
  EXPECT_EQ(guide.program(17), generate(4, 17, {.kind = ProgramKind::kPlain}));
}

}  // namespace
}  // namespace aio
