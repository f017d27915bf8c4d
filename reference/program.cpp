// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/program.h"

#include <algorithm>
#include <array>
#include <concepts>

#include "reference/fields.h"
#include "reference/fnv.h"

namespace aio {

namespace {

// In the order of enum Symbol, of enum RingField and of the variant Operation.
constexpr std::array<std::string_view, kSymbolCount> kSymbolNames{
    "literal", "context0", "context1", "context2", "context3", "quota", "ring_size",
    "in_ring", "head",     "tail",     "max_nr",   "max_file", "id"};
constexpr std::array<std::string_view, kRingFieldCount> kRingFieldNames{
    "id", "nr", "head", "tail", "magic", "compat_features", "incompat_features", "header_length"};
constexpr std::array<std::string_view, kOperationCount> kOperationNames{
    "io_setup", "io_destroy", "io_submit", "io_getevents", "io_pgetevents", "io_cancel", "ring_store", "reap",
    "move",     "fd_write",   "fd_read",   "fd_close",     "store",         "hold",      "release",    "release_all",
    "lane",     "interrupt",  "ring_map",  "in_child",     "expire",        "through"};
constexpr std::array<std::string_view, kMapActionCount> kMapActionNames{
    "mremap",        "mremap_grow",  "mremap_duplicate", "mremap_dontunmap", "munmap",    "mprotect_none",
    "mprotect_read", "mprotect_all", "mremap_grow_here", "madvise_dontneed", "mmap_over", "munmap_free",
    "mlock"};
constexpr std::array<std::string_view, kSignalKindCount> kSignalKindNames{"caught", "restart", "stop", "ignored",
                                                                          "blocked"};
static_assert(std::variant_size_v<Operation> == kOperationCount);

// FNV-1a by 64-bit words instead of bytes. The shift brings high bits down, which the product alone
// never does. Numbers are hashed by value, so byte order and padding play no part.
class Hasher {
 public:
  template <class T>
  void operator()(const char*, const T& field) {
    add(field);
  }
  void add(std::uint64_t word) {
    hash_ = fnv_step(hash_, word);
    hash_ ^= hash_ >> 32;
  }
  template <std::integral T>
  void add(T number) {
    add(static_cast<std::uint64_t>(number));
  }
  template <class T>
  requires std::is_enum_v<T>
  void add(T name) { add(static_cast<std::uint64_t>(name)); }
  template <class T>
  void add(const AddressField<T>& address) {
    add(std::uint64_t{address.value});
  }
  void add(const Value& value) {
    add(value.symbol);
    add(value.offset);
  }
  template <class T>
  void add(const std::vector<T>& elements) {
    add(std::uint64_t{elements.size()});
    for (const T& element : elements) visit_fields(element, *this);
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = kFnvStart;
};

}  // namespace

std::string_view symbol_name(Symbol symbol) { return kSymbolNames.at(static_cast<std::size_t>(symbol)); }

std::string_view ring_field_name(RingField field) { return kRingFieldNames.at(static_cast<std::size_t>(field)); }

std::string_view map_action_name(MapAction action) { return kMapActionNames.at(static_cast<std::size_t>(action)); }

std::string_view signal_kind_name(SignalKind kind) { return kSignalKindNames.at(static_cast<std::size_t>(kind)); }

std::string_view operation_name(unsigned index) { return kOperationNames.at(index); }

std::string_view operation_name(const Operation& operation) { return kOperationNames.at(operation.index()); }

bool is_system_call(const Operation& operation) { return operation_name(operation).starts_with("io_"); }

bool is_plain_call(const Operation& operation) {
  return std::holds_alternative<FdWrite>(operation) || std::holds_alternative<FdRead>(operation) ||
         std::holds_alternative<FdClose>(operation) || std::holds_alternative<Expire>(operation);
}

bool ChildTurn::would_take(const Operation& operation) const {
  const bool can = is_system_call(operation) || is_plain_call(operation) ||
                   std::holds_alternative<RingStore>(operation) || std::holds_alternative<Reap>(operation) ||
                   std::holds_alternative<RingMap>(operation) || std::holds_alternative<Store>(operation);
  return next_ && can;
}

bool ChildTurn::take(const Operation& operation) {
  const bool taken = would_take(operation);
  next_ = std::holds_alternative<InChild>(operation) || (next_ && !taken);
  return taken;
}

bool is_stepped(const Program& program) {
  return std::any_of(program.operations.begin(), program.operations.end(),
                     [](const Operation& operation) { return std::holds_alternative<InLane>(operation); });
}

std::uint64_t hash(const Program& program) {
  Hasher hasher;
  for (const Operation& operation : program.operations) {
    hasher.add(std::uint64_t{operation.index()});
    std::visit([&](const auto& op) { visit_fields(op, hasher); }, operation);
  }
  return hasher.hash();
}

}  // namespace aio
