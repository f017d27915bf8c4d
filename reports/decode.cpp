// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/decode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "reference/notation.h"
#include "reports/trace_fields.h"

namespace aio {
namespace {

using Kinds = JsonNode::Kind;

const std::string& text_of(const JsonNode& node, std::string_view right) {
  if (node.kind != Kinds::kString) refuse_kind(node, right);
  return node.text;
}

// The index of the node's text among names, or a refusal that lists them.
template <class Names>
std::size_t index_among(const JsonNode& node, const Names& names) {
  const std::string& text = text_of(node, fmt::format("one of {}", fmt::join(names, ", ")));
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) refuse_kind(node, fmt::format("one of {}", fmt::join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

// The names of an enumeration of `count` values.
template <class Enum, class NameOf>
std::vector<std::string_view> names_of(unsigned count, NameOf&& name_of) {
  std::vector<std::string_view> names;
  for (unsigned i = 0; i < count; ++i) names.push_back(name_of(static_cast<Enum>(i)));
  return names;
}

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// An offset as it is written in a key: "0x40", or decimal.
std::optional<std::uint64_t> parse_offset(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return offset;
}

// Ranges in ascending order whose keys `parse` reads.
template <class Parse, class Within>
ByteRanges ranges(const JsonNode& node, Parse&& parse, Within&& within, std::string_view where) {
  if (node.kind != Kinds::kObject) refuse_kind(node, "an object of ranges, {\"0x40\":\"00ff\"}");
  ByteRanges result;
  std::uint64_t free_from = 0;
  for (const JsonNode& child : node.children) {
    const auto at = parse(child.key);
    if (!at) refuse(child, fmt::format("\"{:.40}\" is no {}", child.key, where));
    ByteRange range{*at, decode_hex(child, kMaxJsonBytes)};
    if (range.bytes.empty()) refuse(child, "an empty range; leave it out");
    if (range.at < free_from) refuse(child, "ranges must ascend and not overlap");
    if (!within(range)) {
      refuse(child, fmt::format("{} bytes at \"{:.40}\" do not lie within one piece of memory", range.bytes.size(),
                                child.key));
    }
    free_from = range.at + range.bytes.size();
    result.push_back(std::move(range));
  }
  return result;
}

}  // namespace

void refuse(const JsonNode& node, std::string reason) { throw Refused{node.line, std::move(reason)}; }

void refuse_kind(const JsonNode& node, std::string_view right) {
  const std::string name = node.key.empty() ? "" : fmt::format("\"{:.40}\": ", node.key);
  refuse(node, fmt::format("{}found {}; right would be {}", name, describe(node), right));
}

Members::Members(const JsonNode& object) : object_(object) {
  if (object.kind != Kinds::kObject) refuse_kind(object, "an object");
  for (const JsonNode& child : object.children) {
    if (!left_.emplace(child.key, &child).second) {
      refuse(child, fmt::format("\"{:.40}\" comes twice", child.key));
    }
  }
}

const JsonNode* Members::take(std::string_view name) {
  known_.push_back(name);
  const auto found = left_.find(name);
  if (found == left_.end()) return nullptr;
  return std::exchange(left_.extract(found).mapped(), nullptr);
}

const JsonNode& Members::require(std::string_view name) {
  const JsonNode* const node = take(name);
  if (node == nullptr) refuse(object_, fmt::format("\"{}\" is missing", name));
  return *node;
}

void Members::done() const {
  if (left_.empty()) return;
  const JsonNode& unknown = *left_.begin()->second;
  refuse(unknown, fmt::format("unknown member \"{:.40}\"; known here: {}", unknown.key, fmt::join(known_, ", ")));
}

std::uint64_t decode_unsigned(const JsonNode& node, std::uint64_t max) {
  if (node.kind != Kinds::kUnsigned || node.number > max) {
    refuse_kind(node, fmt::format("a whole number from 0 to {}", max));
  }
  return node.number;
}

std::int64_t decode_signed(const JsonNode& node, std::int64_t min, std::int64_t max) {
  const auto number = static_cast<std::int64_t>(node.number);
  const bool fits =
      node.kind == Kinds::kNegative ? number >= min : node.kind == Kinds::kUnsigned && number >= 0 && number <= max;
  if (!fits) refuse_kind(node, fmt::format("a whole number from {} to {}", min, max));
  return number;
}

void decode(const JsonNode& node, bool& truth) {
  if (node.kind != Kinds::kBool) refuse_kind(node, "true or false");
  truth = node.number != 0;
}

void decode(const JsonNode& node, std::string& text) {
  text = text_of(node, "a string");
  if (text.size() > kMaxStringBytes) {
    refuse(node, fmt::format("a string longer than {} bytes", kMaxStringBytes));
  }
}

void decode(const JsonNode& node, Value& value) {
  if (node.kind == Kinds::kUnsigned || node.kind == Kinds::kNegative) {
    // Numbers from 2^63 on are those modulo 2^64, as everywhere in a Value.
    value = Value(static_cast<std::int64_t>(node.number));
    return;
  }
  const char* const right = "a number, or a symbol as in \"context0\" or \"quota+1\"";
  const auto parsed = parse_value(text_of(node, right));
  if (!parsed) refuse_kind(node, right);
  value = *parsed;
}

void decode(const JsonNode& node, Fd& fd) { fd = static_cast<Fd>(index_among(node, names_of<Fd>(kFdCount, fd_name))); }

void decode(const JsonNode& node, RingField& field) {
  field = static_cast<RingField>(index_among(node, names_of<RingField>(kRingFieldCount, ring_field_name)));
}

void decode(const JsonNode& node, MapAction& action) {
  action = static_cast<MapAction>(index_among(node, names_of<MapAction>(kMapActionCount, map_action_name)));
}

void decode(const JsonNode& node, SignalKind& kind) {
  kind = static_cast<SignalKind>(index_among(node, names_of<SignalKind>(kSignalKindCount, signal_kind_name)));
}

void decode(const JsonNode& node, EntryKind& entry) {
  entry = static_cast<EntryKind>(index_among(node, names_of<EntryKind>(kEntryKindCount, entry_name)));
}

void decode(const JsonNode& node, Req& req) {
  const auto found = find_requirement(text_of(node, "the id of a requirement"));
  if (!found) refuse_kind(node, "a requirement of this version's catalogue");
  req = *found;
}

void decode(const JsonNode& node, Kind& kind) {
  kind = static_cast<Kind>(index_among(node, names_of<Kind>(kKindCount, kind_name)));
}

void decode(const JsonNode& node, GateCall& call) { call = static_cast<GateCall>(index_among(node, kGateCallNames)); }

void decode(const JsonNode& node, Check::What& what) {
  what = static_cast<Check::What>(index_among(node, kCheckNames));
}

Address decode_address(const JsonNode& node) {
  if (node.kind == Kinds::kUnsigned) return node.number;
  const char* const right = "an address as in \"iocbs+0x40\"";
  const auto address = parse_address(text_of(node, right));
  if (!address) refuse_kind(node, right);
  return *address;
}

int decode_errno(const JsonNode& node) {
  constexpr int kMaxErrno = 4095;
  if (node.kind != Kinds::kString) return static_cast<int>(decode_unsigned(node, kMaxErrno));
  for (int error = 1; error < 200; ++error) {
    if (errno_name(error) == node.text) return error;
  }
  refuse_kind(node, "the name of an errno, or its number");
}

std::vector<std::uint8_t> decode_hex(const JsonNode& node, std::size_t max_bytes) {
  const char* const right = "an even number of the digits 0 to 9 and a to f";
  const std::string& text = text_of(node, right);
  if (text.size() % 2 != 0) refuse_kind(node, right);
  if (text.size() / 2 > max_bytes) refuse(node, fmt::format("more than {} bytes", max_bytes));
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) refuse_kind(node, right);
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

ByteRanges decode_ranges(const JsonNode& node, std::uint64_t begin, std::uint64_t end) {
  const auto within = [&](const ByteRange& range) {
    return range.at >= begin && range.at <= end && range.bytes.size() <= end - range.at;
  };
  return ranges(node, parse_offset, within, "offset");
}

ByteRanges decode_arena_ranges(const JsonNode& node) {
  const auto within = [](const ByteRange& range) { return within_an_area(range.at, range.bytes.size()); };
  const auto parse = [](std::string_view text) { return parse_address(text); };
  return ranges(node, parse, within, "address");
}

bool within_an_area(Address at, std::uint64_t size) {
  return std::any_of(arena::kAreas.begin(), arena::kAreas.end(), [&](const arena::Area& area) {
    return at >= area.begin && at - area.begin <= area.size && size <= area.size - (at - area.begin);
  });
}

unsigned decode_operation_name(const JsonNode& node) {
  std::vector<std::string_view> names;
  for (unsigned i = 0; i < kOperationCount; ++i) names.push_back(operation_name(i));
  return static_cast<unsigned>(index_among(node, names));
}

}  // namespace aio
