// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mutants, and mutants of these, keep what generated programs keep.
#include "properties/mutator.h"

#include <gtest/gtest.h>
#include <rapidcheck/Random.h>

#include <utility>
#include <vector>

#include "properties/bounds.h"
#include "properties/destroyed_testing.h"
#include "properties/dice.h"
#include "reference/danger.h"

namespace aio {
namespace {

constexpr std::uint64_t kMutants = 6000;

// Of each kind: what mutants begin with are mutants themselves, after a while.
const std::vector<std::pair<ProgramKind, Program>>& programs_by_kind() {
  static const auto kSample = [] {
    std::vector<std::pair<ProgramKind, Program>> made;
    for (const ProgramKind kind : {ProgramKind::kPlain, ProgramKind::kHeld, ProgramKind::kStepped}) {
      std::vector<Program> corpus;
      for (std::uint64_t index = 0; index < 50; ++index) corpus.push_back(generate(5, index, {.kind = kind}));
      for (std::uint64_t index = 0; index < kMutants / 3; ++index) {
        Dice dice(rc::Random(rc::Random::Key{5, index, 9, 0}));
        const auto pick = [&] { return corpus[dice.below(static_cast<std::uint32_t>(corpus.size()))]; };
        corpus.push_back(mutate(rc::Random(rc::Random::Key{5, index, 8, 0}), kind, pick(), pick()));
        made.emplace_back(kind, corpus.back());
      }
    }
    return made;
  }();
  return kSample;
}

template <class Op, class F>
void for_each(const Program& program, F&& f) {
  for (const Operation& operation : program.operations) {
    if (const Op* op = std::get_if<Op>(&operation)) f(*op);
  }
}

TEST(Mutator, mutants_stay_within_the_bounds_of_programs) {
  for (const auto& [kind, program] : programs_by_kind()) {
    ASSERT_GE(program.operations.size(), 1u);
    ASSERT_LE(program.operations.size(), kMostOfMutant);
    for (const Operation& operation : program.operations) ASSERT_TRUE(within_bounds(operation));
    for_each<Submit>(program, [](const Submit& op) {
      ASSERT_LE(op.iocbs.size(), kMaxIocbs);
      for (const IocbSpec& spec : op.iocbs) ASSERT_LE(spec.segments.size(), kMaxSegments);
    });
  }
}

TEST(Mutator, mutants_need_no_more_than_their_kind_has) {
  for (const auto& [kind, program] : programs_by_kind()) ASSERT_LE(kind_of(program), kind);
}

TEST(Mutator, setups_stay_within_their_share_of_aio_nr) {
  for (const auto& [kind, program] : programs_by_kind()) {
    std::int64_t sum = 0;
    bool childs = false;
    for (const Operation& operation : program.operations) {
      const bool by_child = std::exchange(childs, std::holds_alternative<InChild>(operation));
      const auto* setup = std::get_if<aio::Setup>(&operation);
      if (setup == nullptr || by_child || setup->nr.symbol != Symbol::kLiteral || setup->initial != 0) continue;
      if (setup->nr.offset > 0 && setup->nr.offset < 65536) sum += setup->nr.offset;
    }
    ASSERT_LE(sum, std::int64_t{kMaxSetupSum});
  }
}

TEST(Mutator, at_most_one_live_context_is_destroyed) {
  const auto makes = [](const aio::Setup& setup) {
    const bool good = setup.initial == 0 && setup.nr.symbol == Symbol::kLiteral && setup.nr.offset > 0;
    return good && setup.nr.offset < 65536;
  };
  for (const auto& [kind, program] : programs_by_kind()) ASSERT_LE(live_contexts_destroyed(program, makes), 1u);
}

TEST(Mutator, endless_waits_for_what_is_not_there_are_rare_without_lanes) {
  unsigned programs = 0;
  const auto waits = [](const auto& op) {
    const bool endless = op.timeout == arena::kNull || wait_ns(op.sec, op.nsec) < 0;
    const bool there = op.min_nr == Value(0) || op.min_nr == Value(Symbol::kInRing, 0);
    const bool refused = op.min_nr.symbol == op.nr.symbol ? op.min_nr.offset > op.nr.offset : op.min_nr.offset < 0;
    return endless && !there && !refused;
  };
  for (const auto& [kind, program] : programs_by_kind()) {
    if (kind == ProgramKind::kStepped) continue;
    bool found = false;
    for_each<Getevents>(program, [&](const Getevents& op) { found = found || waits(op); });
    for_each<Pgetevents>(program, [&](const Pgetevents& op) { found = found || waits(op); });
    programs += found ? 1 : 0;
  }
  EXPECT_LT(programs, kMutants / 20);
}

TEST(Mutator, children_do_only_what_generated_ones_do) {
  for (const auto& [kind, program] : programs_by_kind()) {
    bool childs = false;
    for (const Operation& operation : program.operations) {
      const bool by_child = std::exchange(childs, std::holds_alternative<InChild>(operation));
      if (!by_child) continue;
      const auto* map = std::get_if<RingMap>(&operation);
      ASSERT_TRUE(map == nullptr || map->action == MapAction::kMove || map->action == MapAction::kUnmap ||
                  map->action == MapAction::kHide);
      ASSERT_FALSE(std::holds_alternative<Hold>(operation) || std::holds_alternative<InLane>(operation));
    }
  }
}

TEST(Mutator, a_mutant_depends_on_its_arguments_alone) {
  const Program base = generate(1, 1);
  const Program donor = generate(1, 2);
  const auto make = [&](std::uint64_t index) {
    return mutate(rc::Random(rc::Random::Key{1, index, 0, 0}), ProgramKind::kPlain, base, donor);
  };
  unsigned others = 0;
  for (std::uint64_t index = 0; index < 100; ++index) {
    ASSERT_EQ(make(index), make(index));
    others += make(index) != base ? 1u : 0u;
  }
  EXPECT_GT(others, 95u);
}

}  // namespace
}  // namespace aio
