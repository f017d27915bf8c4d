// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/program.h"

#include <gtest/gtest.h>

#include <set>

#include "reference/field_change.h"

namespace aio {
namespace {

std::uint64_t hash_of(const Operation& operation) { return hash(Program{{operation}}); }

TEST(Program, names_are_distinct) {
  std::set<std::string_view> symbols, fields, operations;
  for (unsigned i = 0; i < kSymbolCount; ++i) symbols.insert(symbol_name(static_cast<Symbol>(i)));
  for (unsigned i = 0; i < kRingFieldCount; ++i) {
    fields.insert(ring_field_name(static_cast<RingField>(i)));
  }
  for (unsigned i = 0; i < kOperationCount; ++i) operations.insert(operation_name(i));
  EXPECT_EQ(symbols.size(), kSymbolCount);
  EXPECT_EQ(fields.size(), kRingFieldCount);
  EXPECT_EQ(operations.size(), kOperationCount);
}

TEST(Program, names_belong_to_their_enumerators) {
  EXPECT_EQ(symbol_name(Symbol::kContext3), "context3");
  EXPECT_EQ(symbol_name(Symbol::kInRing), "in_ring");
  EXPECT_EQ(symbol_name(Symbol::kMaxFile), "max_file");
  EXPECT_EQ(ring_field_name(RingField::kHead), "head");
  EXPECT_EQ(ring_field_name(RingField::kHeaderLength), "header_length");
  EXPECT_EQ(operation_name(aio::Setup{}), "io_setup");
  EXPECT_EQ(operation_name(Pgetevents{}), "io_pgetevents");
  EXPECT_EQ(operation_name(RingStore{}), "ring_store");
  EXPECT_EQ(operation_name(FdClose{}), "fd_close");
  EXPECT_EQ(operation_name(Store{}), "store");
}

TEST(Program, the_six_calls_of_aio_are_system_calls) {
  for (const Operation& operation : one_of_each()) {
    EXPECT_EQ(is_system_call(operation), operation.index() < 6) << operation_name(operation);
  }
}

TEST(Program, hash_is_the_same_on_every_machine) {
  // Written down once: a change breaks the identity of stored findings.
  EXPECT_EQ(hash(Program{}), 0xcbf29ce484222325u);
  EXPECT_EQ(hash(Program{one_of_each()}), 15078566564891173362u);
}

TEST(Program, hash_tells_kinds_and_order_of_operations) {
  std::set<std::uint64_t> hashes;
  for (const Operation& operation : one_of_each()) hashes.insert(hash_of(operation));
  EXPECT_EQ(hashes.size(), kOperationCount);
  EXPECT_NE(hash(Program{{aio::Setup{}, Destroy{}}}), hash(Program{{Destroy{}, aio::Setup{}}}));
}

TEST(Program, hash_depends_on_every_field) {
  std::vector<Operation> operations = one_of_each();
  Submit submit;
  submit.iocbs.resize(2);
  submit.iocbs[1].segments.resize(2);
  operations.emplace_back(submit);
  for (const Operation& before : operations) {
    std::set<std::uint64_t> hashes{hash_of(before)};
    for (unsigned i = 0;; ++i) {
      Operation after = before;
      if (!change_field(after, i, 1)) break;
      ASSERT_NE(after, before) << operation_name(before) << " field " << i;
      EXPECT_TRUE(hashes.insert(hash_of(after)).second) << operation_name(before) << " field " << i;
    }
    const bool has_fields = !std::holds_alternative<Hold>(before) && !std::holds_alternative<ReleaseAll>(before) &&
                            !std::holds_alternative<InChild>(before) && !std::holds_alternative<Expire>(before);
    EXPECT_EQ(hashes.size() > 1, has_fields) << operation_name(before);
  }
}

TEST(Program, hash_tells_where_a_list_ends) {
  Submit first, second;
  first.iocbs.resize(2);
  second.iocbs.resize(2);
  first.iocbs[0].segments.resize(1);
  second.iocbs[1].segments.resize(1);
  EXPECT_NE(hash_of(first), hash_of(second));
}

}  // namespace
}  // namespace aio
