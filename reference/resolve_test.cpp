// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/resolve.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

constexpr Address kRingA = 0x7f0000001000;
constexpr Address kRingB = 0x7f0000002000;

Facts two_rings(std::uint32_t head_of_a = 5) {
  Facts facts;
  facts.contexts = {kRingA, kRingB, 0, 77};
  facts.ring = [head_of_a](Address id) {
    if (id == kRingA) return RingFacts{kRingA, 127, 120, head_of_a, 3};
    return id == kRingB ? RingFacts{kRingB, 255, 248, 10, 30} : RingFacts{};
  };
  facts.max_nr = 65536;
  facts.max_file = 0x7fffffffffffffff;
  return facts;
}

// What the symbol stands for as io_getevents' nr, with the context given.
std::int64_t nr_of(Value ctx, Value nr, const Facts& facts = two_rings()) {
  Getevents op;
  op.ctx = ctx;
  op.nr = nr;
  const Operation resolved = resolve(op, facts);
  const Value& value = std::get<Getevents>(resolved).nr;
  EXPECT_EQ(value.symbol, Symbol::kLiteral);
  return value.offset;
}

TEST(Resolve, contexts_are_the_variables_now) {
  for (unsigned slot = 0; slot < 4; ++slot) {
    const Operation resolved = resolve(Destroy{context(slot)}, two_rings());
    EXPECT_EQ(std::get<Destroy>(resolved).ctx, Value(static_cast<std::int64_t>(two_rings().contexts[slot])));
  }
}

TEST(Resolve, ring_symbols_belong_to_the_context_of_the_operation) {
  EXPECT_EQ(nr_of(context(0), {Symbol::kQuota, 1}), 121);
  EXPECT_EQ(nr_of(context(1), {Symbol::kQuota, 1}), 249);
  EXPECT_EQ(nr_of(context(1), {Symbol::kRingSize, -1}), 254);
  EXPECT_EQ(nr_of(context(1), {Symbol::kHead, 0}), 10);
  EXPECT_EQ(nr_of(context(1), {Symbol::kTail, 0}), 30);
  EXPECT_EQ(nr_of(context(1), {Symbol::kInRing, 0}), 20);
  EXPECT_EQ(nr_of(Value(std::int64_t{kRingB}), {Symbol::kQuota, 0}), 248);
}

TEST(Resolve, ring_symbols_are_zero_without_a_ring) {
  EXPECT_EQ(nr_of(context(2), {Symbol::kQuota, 1}), 1);
  EXPECT_EQ(nr_of({Symbol::kContext0, 8}, {Symbol::kRingSize, 0}), 0);
  EXPECT_EQ(nr_of(context(3), {Symbol::kInRing, 0}), 0);
  aio::Setup setup;  // GoogleTest has a member of that name
  setup.nr = {Symbol::kQuota, 3};
  EXPECT_EQ(std::get<aio::Setup>(resolve(setup, two_rings())).nr, Value(3));
}

TEST(Resolve, events_in_the_ring_are_counted_modulo_its_size) {
  // Head 5, tail 3, R 127: the ring has wrapped.
  EXPECT_EQ(nr_of(context(0), {Symbol::kInRing, 0}), 125);
  // Written by the user beyond the ring's end.
  EXPECT_EQ(nr_of(context(0), {Symbol::kInRing, 0}, two_rings(3 + 127)), 0);
  // 2^32 - 1 is 15 modulo 127.
  EXPECT_EQ(nr_of(context(0), {Symbol::kInRing, 0}, two_rings(0xffffffff)), 115);
}

TEST(Resolve, symbols_of_the_machine_need_no_ring) {
  EXPECT_EQ(nr_of(0, {Symbol::kMaxNr, 1}), 65537);
  EXPECT_EQ(nr_of(0, {Symbol::kMaxFile, -1}), 0x7ffffffffffffffe);
}

TEST(Resolve, sums_wrap_at_64_bits) {
  EXPECT_EQ(nr_of(0, {Symbol::kMaxFile, 1}), INT64_MIN);
  EXPECT_EQ(nr_of(0, -7), -7);
}

TEST(Resolve, every_value_of_a_submit_is_resolved_and_nothing_else_changes) {
  Submit op;
  op.ctx = context(1);
  op.nr = {Symbol::kQuota, 0};
  op.fill = {Symbol::kRingSize, 0};
  op.list = arena::kPointers + 8;
  op.iocbs.resize(2);
  op.iocbs[0].data = 5;
  op.iocbs[1].offset = {Symbol::kMaxFile, -4};
  op.iocbs[1].segments = {{arena::kBuffers, 9}};

  Submit expected = op;
  expected.ctx = std::int64_t{kRingB};
  expected.nr = 248;
  expected.fill = 255;
  expected.iocbs[1].offset = 0x7ffffffffffffffb;
  EXPECT_EQ(std::get<Submit>(resolve(op, two_rings())), expected);
}

TEST(Resolve, what_is_resolved_stays_as_it_is) {
  RingStore op;
  op.value = {Symbol::kTail, 1};
  const Operation once = resolve(op, two_rings());
  EXPECT_EQ(std::get<RingStore>(once).value, Value(4));
  EXPECT_EQ(resolve(once, Facts{}), once);
}

}  // namespace
}  // namespace aio
