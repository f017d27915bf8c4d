// SPDX-License-Identifier: GPL-2.0-or-later
//
// fs.aio-max-nr at work: what a test finds out that may write to it.
// Claims: the limit is on the sum, to the last event; contexts that exist outlive a lower one; any number is taken.
// Provoked by writing it, for as short as possible, and io_setup. The old value comes back however the test ends
// (kept_sysctl.h).
// Not seen: what happens to processes that make contexts meanwhile; their number moves, and a round is played again.
#include <fmt/format.h>

#include <string>

#include "fixtures/worker.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/kept_sysctl.h"

namespace aio::suites {
namespace {

constexpr unsigned kRounds = 20;

struct MaxNr : KeptSysctl {
  MaxNr() : KeptSysctl("fs/aio-max-nr") {}
};

// Plays a round, which says what it saw in words, until it sees what it should: others may make contexts meanwhile.
std::string play(const std::string& wanted, const std::function<std::string()>& round) {
  std::string seen;
  for (unsigned i = 0; i < kRounds && seen != wanted; ++i) seen = round();
  return seen;
}

}  // namespace

SUITE_TEST(
    limits_max_nr, the_sum_ends_at_the_last_event,
    {.holds = {"io_setup.sum_over_aio_max_nr_is_eagain"}, .needs = ">=4.14", .alone = true, .changes_system = true}) {
  const MaxNr max;
  const std::string wanted = "12000: 0, 8001: EAGAIN and 0, 8000: 0, 1: EAGAIN";
  const auto round = [&] {
    for (unsigned slot = 0; slot < 3; ++slot) at<std::uint64_t>(arena::context_slot(slot)) = 0;
    max.set(entry().aio_nr() + 20000);
    const Answer most = io_setup(12000, arena::context_slot(0));
    const Answer too_many = io_setup(8001, arena::context_slot(1));
    const auto untouched = at<std::uint64_t>(arena::context_slot(1));
    const Answer rest = io_setup(8000, arena::context_slot(1));
    const Answer one_more = io_setup(1, arena::context_slot(2));
    max.reset();
    for (unsigned slot = 0; slot < 3; ++slot) io_destroy(at<std::uint64_t>(arena::context_slot(slot)));
    return fmt::format("12000: {}, 8001: {} and {}, 8000: {}, 1: {}", answer_text(most), answer_text(too_many),
                       untouched, answer_text(rest), answer_text(one_more));
  };
  EXPECT_EQ(play(wanted, round), wanted);
}

// Before 4.14 the limit was twice fs.aio-max-nr, on twice the counts, and those at least 8 for each possible CPU.
SUITE_TEST(
    limits_max_nr, the_sum_of_the_doubled_counts_ends_at_the_doubled_limit,
    {.holds = {"io_setup.sum_over_aio_max_nr_is_eagain"}, .needs = "<4.14", .alone = true, .changes_system = true}) {
  const MaxNr max;
  const std::string wanted = "1: 0, 1: EAGAIN";
  const auto round = [&] {
    for (unsigned slot = 0; slot < 2; ++slot) at<std::uint64_t>(arena::context_slot(slot)) = 0;
    max.set(entry().aio_nr() / 2 + std::uint64_t{4} * machine().possible_cpus);
    const Answer fits = io_setup(1, arena::context_slot(0));
    const Answer one_more = io_setup(1, arena::context_slot(1));
    max.reset();
    for (unsigned slot = 0; slot < 2; ++slot) io_destroy(at<std::uint64_t>(arena::context_slot(slot)));
    return fmt::format("1: {}, 1: {}", answer_text(fits), answer_text(one_more));
  };
  EXPECT_EQ(play(wanted, round), wanted);
}

// In a process of its own for each size, whose end takes all contexts at once.
SUITE_TEST(limits_max_nr, any_size_fills_it_up,
           {.holds = {"limits.all_that_is_left_can_be_had"}, .alone = true, .changes_system = true}) {
  const MaxNr max;
  for (const std::uint32_t nr : {1u, 2u, 4u, 8u, 16u, 32u, 64u}) {
    const std::string wanted = fmt::format("{} contexts, then EAGAIN", 64 / nr);
    const auto round = [&] {
      const auto fill = [&] {
        unsigned made = 0;
        Answer answer{};
        max.set(entry().aio_nr() + 64);
        do {
          at<std::uint64_t>(arena::context_slot(0)) = 0;
          answer = io_setup(nr, arena::context_slot(0));
          made += answer.value == 0 ? 1 : 0;
        } while (answer.value == 0 && made < 1000);
        max.reset();
        return fmt::format("{} contexts, then {}", made, answer_text(answer));
      };
      return run_in_worker(fill, setting().patience, nullptr).value_or("the process failed");
    };
    EXPECT_EQ(play(wanted, round), wanted) << "io_setup of " << nr;
  }
}

SUITE_TEST(limits_max_nr, a_lower_one_leaves_contexts_alone,
           {.holds = {"limits.lowered_max_spares_contexts"}, .alone = true, .changes_system = true}) {
  const MaxNr max;
  const Descriptor data = file("x");
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  const std::uint64_t ctx = setup(100);
  for (const std::uint64_t lower : {99u, 1u, 0u}) {
    max.set(lower);
    const Answer refused = io_setup(1, arena::context_slot(1));
    const Answer submitted = submit(ctx, {0});
    const Answer collected = io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull);
    max.reset();
    EXPECT_ERROR(EAGAIN, refused) << lower;
    EXPECT_RETURNS(1, submitted);
    EXPECT_RETURNS(1, collected);
  }
  max.set(0);
  const Answer destroyed = io_destroy(ctx);
  max.reset();
  EXPECT_RETURNS(0, destroyed);
}

SUITE_TEST(limits_max_nr, a_higher_one_lets_more_through,
           {.holds = {"io_setup.nr_over_aio_max_nr_is_eagain"}, .alone = true, .changes_system = true}) {
  if (machine().aio_max_nr > 1000000) skip("fs.aio-max-nr is too high to reach");
  const MaxNr max;
  const auto over = static_cast<std::uint32_t>(machine().aio_max_nr + 1);
  EXPECT_ERROR(EAGAIN, io_setup(over, arena::context_slot(0)));
  max.set(4 * machine().aio_max_nr);
  const Answer answer = io_setup(over, arena::context_slot(0));
  max.reset();
  EXPECT_RETURNS(0, answer);
}

SUITE_TEST(limits_max_nr, it_takes_any_number,
           {.holds = {"limits.max_is_unsigned_long"}, .entries = kNativeOnly, .alone = true, .changes_system = true}) {
  const MaxNr max;
  for (const std::uint64_t value :
       {std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    max.set(value);
    const std::string seen = max.value();
    max.reset();
    EXPECT_EQ(seen, std::to_string(value));
  }
}

SUITE_TEST(limits_max_nr, a_nr_that_wraps_counts_whole,
           {.holds = {"limits.wrapping_nr_counts_whole"}, .alone = true, .changes_system = true}) {
  const MaxNr max;
  const std::uint32_t small = ring(setup(1, 3)).nr;
  const std::string wanted = fmt::format("0, ring of {}, fs.aio-nr +2147483649", small);
  const auto round = [&] {
    at<std::uint64_t>(arena::context_slot(0)) = 0;
    max.set(~std::uint64_t{0});
    const std::uint64_t before = entry().aio_nr();
    const Answer answer = io_setup(0x80000001, arena::context_slot(0));
    const std::uint64_t more = entry().aio_nr() - before;
    const auto ctx = at<std::uint64_t>(arena::context_slot(0));
    const std::uint32_t nr = answer.value == 0 ? ring(ctx).nr : 0;
    if (answer.value == 0) io_destroy(ctx);
    max.reset();
    return fmt::format("{}, ring of {}, fs.aio-nr +{}", answer_text(answer), nr, more);
  };
  EXPECT_EQ(play(wanted, round), wanted);
}

}  // namespace aio::suites
