// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/generator.h"

#include <gtest/gtest.h>
#include <rapidcheck/Random.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "properties/bounds.h"
#include "properties/destroyed_testing.h"

namespace aio {
namespace {

constexpr std::uint64_t kPrograms = 20'000;

template <class Op, class F>
void for_each(const Program& program, F&& f) {
  for (const Operation& operation : program.operations) {
    if (const Op* op = std::get_if<Op>(&operation)) f(*op);
  }
}

TEST(Generator, programs_depend_on_seed_and_index_alone) {
  std::uint64_t sum = 0;
  for (std::uint64_t index = 0; index < 1000; ++index) sum = sum * 31 + hash(generate(1, index));
  // Changes with every change of the generator, and must be the same on every machine.
  EXPECT_EQ(sum, 0x838850e2bbf1def9) << std::hex << sum;
  EXPECT_EQ(generate(7, 12345), generate(7, 12345));
  EXPECT_NE(generate(7, 12345), generate(8, 12345));
  EXPECT_NE(generate(7, 12345), generate(7, 12346));
}

TEST(Generator, rapidcheck_generator_gives_the_same_programs) {
  const rc::Gen<Program> gen = programs({});
  for (std::uint64_t index = 0; index < 100; ++index) {
    EXPECT_EQ(gen(rc::Random(rc::Random::Key{3, index, 0, 0})).value(), generate(3, index));
  }
}

TEST(Generator, max_operations_bounds_every_program) {
  for (const unsigned max : {1u, 2u, 5u, 17u}) {
    std::size_t longest = 0;
    for (std::uint64_t index = 0; index < 300; ++index) {
      const std::size_t length = generate(1, index, {.max_operations = max}).operations.size();
      EXPECT_GE(length, 1u);
      longest = std::max(longest, length);
    }
    EXPECT_EQ(longest, max);
  }
}

TEST(Generator, programs_stay_within_the_bounds_of_programs) {
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    const Program program = generate(1, index);
    ASSERT_GE(program.operations.size(), 1u);
    ASSERT_LE(program.operations.size(), 60u);
    for (const Operation& operation : program.operations) {
      ASSERT_TRUE(within_bounds(operation)) << operation_name(operation) << " of program " << index;
    }
    for_each<Submit>(program, [](const Submit& op) {
      ASSERT_GE(op.iocbs.size(), 1u);
      ASSERT_LE(op.iocbs.size(), kMaxIocbs);
      for (const IocbSpec& spec : op.iocbs) ASSERT_LE(spec.segments.size(), kMaxSegments);
    });
  }
}

TEST(Generator, setups_stay_within_their_share_of_aio_nr) {
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    std::int64_t sum = 0;
    for_each<aio::Setup>(generate(1, index), [&](const aio::Setup& op) {
      const bool may_succeed = op.initial == 0 && op.nr.symbol == Symbol::kLiteral && op.nr.offset > 0 &&
                               op.nr.offset < 65536 && op.ctxp < arena::context_slot(arena::kContextSlots) &&
                               op.ctxp >= arena::context_slot(0);
      if (may_succeed) sum += op.nr.offset;
    });
    ASSERT_LE(sum, std::int64_t{kMaxSetupSum}) << "program " << index;
  }
}

TEST(Generator, at_most_one_live_context_is_destroyed) {
  const auto makes = [](const aio::Setup& setup) { return setup.initial == 0; };
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    ASSERT_LE(live_contexts_destroyed(generate(1, index), makes), 1u) << "program " << index;
  }
}

TEST(Generator, endless_waits_for_what_is_not_there_are_rare) {
  unsigned programs = 0;
  const auto waits = [](const auto& op) {
    const bool endless = op.timeout == arena::kNull || wait_ns(op.sec, op.nsec) < 0;
    const bool there = op.min_nr == Value(0) || op.min_nr == Value(Symbol::kInRing, 0);
    // EINVAL comes first: a negative minimum, or more than nr.
    const bool refused = op.min_nr.symbol == op.nr.symbol ? op.min_nr.offset > op.nr.offset : op.min_nr.offset < 0;
    return endless && !there && !refused;
  };
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    bool found = false;
    // Where there are several threads others end the wait.
    const Program program = generate(1, index, {.kind = ProgramKind::kPlain});
    for_each<Getevents>(program, [&](const Getevents& op) { found = found || waits(op); });
    for_each<Pgetevents>(program, [&](const Pgetevents& op) { found = found || waits(op); });
    programs += found ? 1 : 0;
  }
  EXPECT_LT(programs, kPrograms / 50);
  EXPECT_GT(programs, 0u);
}

TEST(Generator, appends_leave_files_small) {
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    std::uint64_t size = kFileSize;
    for_each<Submit>(generate(1, index), [&](const Submit& op) {
      for (const IocbSpec& spec : op.iocbs) {
        const bool writes = spec.opcode == kPwrite || spec.opcode == kPwritev;
        const bool flagged = (spec.rw_flags & kRwfAppend) != 0 && spec.fd <= Fd::kFileWo;
        if (!writes || (spec.fd != Fd::kFileAppend && !flagged)) continue;
        std::uint64_t nbytes = spec.opcode == kPwrite ? std::min<std::uint64_t>(spec.nbytes, 8192) : 0;
        for (const Segment& segment : spec.segments) {
          nbytes += std::min<std::uint64_t>(segment.len, 8192);
        }
        // A ring of the largest size that the generator asks for has room for fewer.
        constexpr std::uint64_t kMostRuns = 4096;
        std::uint64_t runs = kMostRuns;
        if (op.fill.symbol == Symbol::kLiteral) {
          // From another list pointer on, only the last few of the array can be read.
          const auto fill = static_cast<std::uint64_t>(op.fill.offset);
          runs = op.list == arena::kPointers ? (fill + op.iocbs.size() - 1) / op.iocbs.size() : 3;
        }
        if (op.list < arena::kPointers || op.list >= arena::kPointers + arena::kPage) runs = 0;
        size += nbytes * runs;
      }
    });
    ASSERT_LT(size, kMaxObservedFile) << "program " << index;
  }
}

TEST(Generator, speed_is_reported) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t operations = 0;
  for (std::uint64_t index = 0; index < kPrograms; ++index) {
    operations += generate(2, index).operations.size();
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  ASSERT_GT(operations, kPrograms);
  std::printf("%.1f us a program, %.1f operations on average\n", took.count() / double{kPrograms},
              static_cast<double>(operations) / double{kPrograms});
}

}  // namespace
}  // namespace aio
