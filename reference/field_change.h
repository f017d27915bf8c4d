// SPDX-License-Identifier: GPL-2.0-or-later
//
// For unit tests: changes one field of an operation, whichever it is. So a property can go over all
// fields without naming them, also those that are added later.
#pragma once

#include <array>
#include <concepts>
#include <utility>
#include <vector>

#include "reference/fields.h"

namespace aio {

// A visitor that changes field number `index`, counted through nested structs; a vector's size and
// a value's symbol count as fields. What it becomes is drawn from `bits`. With odd bits the change
// is small and certain; with even bits it may be a special value, perhaps the old one.
class FieldChange {
 public:
  FieldChange(unsigned index, std::uint64_t bits) : index_(index), bits_(bits) {}
  // Whether the operation had a field of that number.
  bool made() const { return made_; }

  void operator()(const char*, Value& value) {
    if (mine()) value.offset = special() ? 0 : flip(value.offset);
    if (mine()) value.symbol = next(value.symbol, kSymbolCount);
  }
  void operator()(const char*, Fd& fd) {
    if (mine()) fd = next(fd, kFdCount);
  }
  void operator()(const char*, RingField& field) {
    if (mine()) field = next(field, kRingFieldCount);
  }
  void operator()(const char*, MapAction& action) {
    if (mine()) action = next(action, kMapActionCount);
  }
  void operator()(const char*, SignalKind& kind) {
    if (mine()) kind = next(kind, kSignalKindCount);
  }
  void operator()(const char*, EntryKind& entry) {
    if (mine()) entry = next(entry, kEntryKindCount);
  }
  void operator()(const char*, AddressField<Address> address) {
    static constexpr std::array kSpecial{
        arena::kNull,   arena::kVars,         arena::context_slot(1), arena::iocb_slot(1),
        arena::kEvents, arena::kPointers + 8, arena::kReadOnly,       arena::kUserEnd - 8,
        arena::kKernel, arena::kTimespec,     arena::kNonCanonical,   arena::kBuffers,
        arena::kSigset, arena::kNoAccess,     arena::kUnmapped,       Address{1}};
    if (!mine()) return;
    address.value = special() ? kSpecial[(bits_ >> 1) % kSpecial.size()] : flip(address.value);
  }
  template <std::integral T>
  void operator()(const char*, T& number) {
    if (mine()) number = special() ? T{0} : flip(number);
  }
  template <class T>
  void operator()(const char*, std::vector<T>& elements) {
    if (mine()) {
      special() && !elements.empty() ? elements.pop_back() : elements.push_back(T{});
    }
    for (T& element : elements) visit_fields(element, *this);
  }

 private:
  bool mine() {
    const bool mine = index_-- == 0;
    made_ = made_ || mine;
    return mine;
  }
  bool special() const { return bits_ % 2 == 0; }
  template <std::integral T>
  T flip(T number) const {
    constexpr unsigned kWidth = 8 * sizeof(T);
    return static_cast<T>(static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << ((bits_ >> 1) % kWidth)));
  }
  template <class Enum>
  Enum next(Enum name, unsigned count) const {
    const auto step = 1 + static_cast<unsigned>((bits_ >> 1) % (count - 1));
    return static_cast<Enum>((static_cast<unsigned>(name) + step) % count);
  }

  unsigned index_;
  std::uint64_t bits_;
  bool made_ = false;
};

// Changes field number `index` of the operation; false if it has none of that number.
inline bool change_field(Operation& operation, unsigned index, std::uint64_t bits) {
  FieldChange change(index, bits);
  std::visit([&](auto& op) { visit_fields(op, change); }, operation);
  return change.made();
}

// One operation of each kind, as they are by default.
inline std::vector<Operation> one_of_each() {
  return []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::vector<Operation>{Operation(std::in_place_index<kIndex>)...};
  }
  (std::make_index_sequence<kOperationCount>());
}

}  // namespace aio
