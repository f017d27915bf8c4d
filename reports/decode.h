// SPDX-License-Identifier: GPL-2.0-or-later
//
// From JSON nodes to the plain types that traces are made of. Within the reader a refusal is an
// exception, so that each decoder is as short as what it decodes; trace_reader.cpp catches it.
#pragma once

#include <concepts>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reference/program.h"
#include "reports/json_tree.h"
#include "reports/trace.h"

namespace aio {

// Thrown by every decoder: the line of the text, what was found there and what would be right.
struct Refused {
  unsigned line;
  std::string reason;
};
[[noreturn]] void refuse(const JsonNode& node, std::string reason);
// "`found` where `right` belongs".
[[noreturn]] void refuse_kind(const JsonNode& node, std::string_view right);

// The members of an object, each to be taken once; left-over ones are refused, as are doubles.
class Members {
 public:
  explicit Members(const JsonNode& object);
  // nullptr where there is no such member.
  const JsonNode* take(std::string_view name);
  const JsonNode& require(std::string_view name);
  void done() const;

 private:
  const JsonNode& object_;
  std::map<std::string_view, const JsonNode*> left_;
  std::vector<std::string_view> known_;
};

inline constexpr std::size_t kMaxStringBytes = 4096;

// A whole number within bounds.
std::uint64_t decode_unsigned(const JsonNode& node, std::uint64_t max);
std::int64_t decode_signed(const JsonNode& node, std::int64_t min, std::int64_t max);

template <std::integral T>
void decode(const JsonNode& node, T& number) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::signed_integral<T>) {
    number = static_cast<T>(decode_signed(node, Limits::min(), Limits::max()));
  } else {
    number = static_cast<T>(decode_unsigned(node, Limits::max()));
  }
}
void decode(const JsonNode& node, bool& truth);
void decode(const JsonNode& node, std::string& text);
void decode(const JsonNode& node, Value& value);
void decode(const JsonNode& node, Fd& fd);
void decode(const JsonNode& node, RingField& field);
void decode(const JsonNode& node, MapAction& action);
void decode(const JsonNode& node, SignalKind& kind);
void decode(const JsonNode& node, EntryKind& entry);
void decode(const JsonNode& node, Req& req);
void decode(const JsonNode& node, Kind& kind);
void decode(const JsonNode& node, GateCall& call);
void decode(const JsonNode& node, Check::What& what);

Address decode_address(const JsonNode& node);
// An errno by name or number, 0 to 4095.
int decode_errno(const JsonNode& node);
// Hex digits, two a byte.
std::vector<std::uint8_t> decode_hex(const JsonNode& node, std::size_t max_bytes);
// Ranges with offsets as keys, all within [begin, end).
ByteRanges decode_ranges(const JsonNode& node, std::uint64_t begin, std::uint64_t end);
// Ranges with addresses as keys, each within one area of the arena.
ByteRanges decode_arena_ranges(const JsonNode& node);
// Whether [at, at + size) lies within one area of the arena.
bool within_an_area(Address at, std::uint64_t size);
// The index of the operation with that name.
unsigned decode_operation_name(const JsonNode& node);

}  // namespace aio
