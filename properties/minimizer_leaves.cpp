// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/minimizer_leaves.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <utility>

#include "reference/fields.h"

namespace aio {

namespace {

// Calls f(leaf, put) for every leaf; put(const Leaf&) changes the field.
template <class F>
struct LeafVisitor {
  F& f;

  void operator()(const char*, Value& value) const {
    f(Leaf{Leaf::Kind::kValue, value.symbol, static_cast<std::uint64_t>(value.offset)},
      [&value](const Leaf& leaf) { value = Value(leaf.symbol, static_cast<std::int64_t>(leaf.number)); });
  }
  template <std::integral T>
  void operator()(const char*, T& number) const {
    constexpr auto kKind = std::signed_integral<T> ? Leaf::Kind::kSigned : Leaf::Kind::kUnsigned;
    f(Leaf{kKind, Symbol::kLiteral, static_cast<std::uint64_t>(number)},
      [&number](const Leaf& leaf) { number = static_cast<T>(leaf.number); });
  }
  template <class T>
  void operator()(const char*, const AddressField<T>& address) const {
    f(Leaf{Leaf::Kind::kAddress, Symbol::kLiteral, address.value},
      [&address](const Leaf& leaf) { address.value = leaf.number; });
  }
  template <class T>
  requires std::is_enum_v<T>
  void operator()(const char*, T& name) const {
    f(Leaf{Leaf::Kind::kName, Symbol::kLiteral, static_cast<std::uint64_t>(name)},
      [&name](const Leaf& leaf) { name = static_cast<T>(leaf.number); });
  }
  template <class T>
  void operator()(const char*, std::vector<T>& elements) const {
    for (T& element : elements) visit_fields(element, *this);
  }
};

template <class F>
void visit_leaves(Operation& operation, F&& f) {
  std::visit([&](auto& op) { visit_fields(op, LeafVisitor<std::remove_reference_t<F>>{f}); }, operation);
}

// How far the leaf is from plain: the default first, then numbers by magnitude, symbols last.
std::pair<unsigned, std::uint64_t> distance(const Leaf& leaf, const Leaf& plain) {
  if (leaf == plain) return {0, 0};
  std::uint64_t magnitude = leaf.number;
  const bool is_signed = leaf.kind == Leaf::Kind::kSigned || leaf.kind == Leaf::Kind::kValue;
  if (is_signed && magnitude >> 63 != 0) magnitude = ~magnitude + 1;
  return {leaf.symbol == Symbol::kLiteral ? 1 : 2, magnitude};
}

// Steps down from the number, each half as far as the one before: a bound is found in few tries.
void add_steps(std::uint64_t number, std::vector<std::uint64_t>& numbers) {
  for (std::uint64_t step = number - number / 2; step > 0; step /= 2) {
    numbers.push_back(number - step);
  }
}

std::vector<std::uint64_t> plainer_numbers(const Leaf& leaf) {
  const std::uint64_t number = leaf.number;
  switch (leaf.kind) {
    case Leaf::Kind::kName:
      return {0};  // Fd::kFile
    case Leaf::Kind::kAddress: {
      const std::uint64_t page = number / arena::kPage * arena::kPage;
      std::vector<std::uint64_t> numbers{0, page};
      // Iocbs and context variables are told apart by their slots.
      for (unsigned slot = 1; slot < 8; ++slot) {
        if (page == arena::kIocbs) numbers.push_back(arena::iocb_slot(slot));
        if (page == arena::kVars) numbers.push_back(arena::context_slot(slot));
      }
      numbers.push_back(number / 64 * 64);
      return numbers;
    }
    case Leaf::Kind::kUnsigned: {
      // It may be a mask: one with a bit fewer.
      std::vector<std::uint64_t> numbers{0, 1, 2, 8, number & ~std::bit_floor(number), number & (number - 1)};
      add_steps(number, numbers);
      return numbers;
    }
    case Leaf::Kind::kSigned:
    case Leaf::Kind::kValue: {
      std::vector<std::uint64_t> numbers{0, 1, ~std::uint64_t{0}, 2, 8};
      const bool negative = number >> 63 != 0;
      const std::size_t first = numbers.size();
      add_steps(negative ? ~number + 1 : number, numbers);
      for (std::size_t i = first; negative && i < numbers.size(); ++i) numbers[i] = ~numbers[i] + 1;
      return numbers;
    }
  }
  return {};
}

}  // namespace

std::vector<Leaf> leaves_of(const Operation& operation) {
  std::vector<Leaf> leaves;
  Operation copy = operation;
  visit_leaves(copy, [&](const Leaf& leaf, const auto&) { leaves.push_back(leaf); });
  return leaves;
}

void set_leaf(Operation& operation, std::size_t index, const Leaf& leaf) {
  std::size_t at = 0;
  visit_leaves(operation, [&](const Leaf&, const auto& put) {
    if (at++ == index) put(leaf);
  });
}

Operation plain_twin(const Operation& operation) {
  return std::visit(
      [](const auto& op) -> Operation {
        std::decay_t<decltype(op)> plain;
        if constexpr (requires { op.iocbs; }) {
          plain.iocbs.resize(op.iocbs.size());
          for (std::size_t i = 0; i < op.iocbs.size(); ++i) {
            plain.iocbs[i].segments.resize(op.iocbs[i].segments.size());
          }
        }
        return plain;
      },
      operation);
}

std::vector<Leaf> plainer_leaves(const Leaf& leaf, const Leaf& plain) {
  std::vector<Leaf> plainer;
  const auto now = distance(leaf, plain);
  const auto offer = [&](const Leaf& candidate) {
    const bool is_new = std::find(plainer.begin(), plainer.end(), candidate) == plainer.end();
    if (is_new && distance(candidate, plain) < now) plainer.push_back(candidate);
  };
  offer(plain);
  for (const std::uint64_t number : plainer_numbers(leaf)) {
    offer({leaf.kind, Symbol::kLiteral, number});
  }
  if (leaf.symbol != Symbol::kLiteral) {
    for (const std::uint64_t number : plainer_numbers(leaf)) {
      offer({leaf.kind, leaf.symbol, number});
    }
  }
  return plainer;
}

}  // namespace aio
