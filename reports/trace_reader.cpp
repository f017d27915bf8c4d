// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "reports/decode.h"
#include "reports/trace_fields.h"

namespace aio {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxDataBytes = std::max(kMaxObservedFile, kGateMaxRequest);
// Ring memory that replaying a whole trace makes anew: what bounds its time.
constexpr std::uint64_t kMaxFreshRingBytes = std::uint64_t{4} << 30;

// The most elements of each list.
template <class T>
constexpr std::size_t kMaxElements = kMaxOperations;
template <>
constexpr std::size_t kMaxElements<IocbSpec> = kMaxIocbs;
template <>
constexpr std::size_t kMaxElements<Segment> = kMaxSegments;
template <>
constexpr std::size_t kMaxElements<RecordedPeer> = kFdCount;
template <>
constexpr std::size_t kMaxElements<std::int64_t> = kMaxCheckValues;

const std::vector<JsonNode>& elements_of(const JsonNode& node, std::size_t max) {
  if (node.kind != JsonNode::Kind::kArray) refuse_kind(node, "an array");
  if (node.children.size() > max) {
    refuse(node, fmt::format("\"{}\" has {} elements; at most {} are allowed", node.key, node.children.size(), max));
  }
  return node.children;
}

// Overloads for the wrappers of trace_fields.h and for compound types; decode.h has the plain ones.
template <class T>
void decode(const JsonNode& node, AddressField<T>& field) {
  field.value = decode_address(node);
}
template <class T>
void decode(const JsonNode& node, HexField<T>& field) {
  field.value = decode_hex(node, kMaxDataBytes);
}
template <class T>
void decode(const JsonNode& node, ErrnoField<T>& field) {
  field.value = decode_errno(node);
}
template <class T>
void decode(const JsonNode& node, ArenaRangesField<T>& field) {
  field.value = decode_arena_ranges(node);
}
template <class T>
void decode(const JsonNode& node, RangesField<T>& field) {
  field.value = decode_ranges(node, 0, kMaxRingBytes);
}

// What a struct must fulfil beyond the types of its members.
template <class T>
void check_bounds(const JsonNode&, const T&) {}
void check_bounds(const JsonNode& node, const LaneReturn& returned) {
  if (returned.lane >= kLanes) refuse(node, fmt::format("\"lane\" must be below {}", kLanes));
}
void check_bounds(const JsonNode& node, const RecordedObservation& seen) {
  if (seen.lane >= kLanes) refuse(node, fmt::format("\"lane\" must be below {}", kLanes));
}
bool ranges_within(const ByteRanges& ranges, std::uint64_t begin, std::uint64_t end) {
  return ranges.empty() || (ranges.front().at >= begin && ranges.back().at + ranges.back().bytes.size() <= end);
}
void check_bounds(const JsonNode& node, const RecordedRing& ring) {
  constexpr std::uint64_t kHeader = sizeof(RingHeader);
  if (ring.size > kMaxRingBytes || (ring.size != 0 && ring.size < kHeader)) {
    refuse(node,
           fmt::format("a ring of {} bytes; right would be 0 or from {} to {}", ring.size, kHeader, kMaxRingBytes));
  }
  if (!ranges_within(ring.changes, kHeader, ring.size)) {
    refuse(node, "changes outside the ring's events");
  }
}
void check_bounds(const JsonNode& node, const RecordedFile& file) {
  if (!ranges_within(file.changes, 0, std::min(file.size, kMaxObservedFile))) {
    refuse(node, fmt::format("changes beyond the file's size or its first {} bytes", kMaxObservedFile));
  }
  if (!file.seen && !file.changes.empty()) refuse(node, "changes of a file that was not seen");
}
void check_bounds(const JsonNode& node, const Check& check) {
  using What = Check::What;
  const bool numeric = check.what != What::kArenaBytes && check.what != What::kRingBytes &&
                       check.what != What::kFileBytes && check.what != What::kReadBytes;
  if (numeric && check.values.empty()) refuse(node, "a check of a number needs \"values\"");
  if (check.what == What::kArenaBytes && !within_an_area(check.at, check.bytes.size())) {
    refuse(node, "the bytes to check do not lie within one area of the arena");
  }
  if (check.what == What::kMapped && !within_an_area(check.at, sizeof(Address))) {
    refuse(node, "the variable does not lie within one area of the arena");
  }
  const std::uint64_t end = check.what == What::kFileBytes   ? kMaxObservedFile
                            : check.what == What::kRingBytes ? kMaxRingBytes
                                                             : check.at + check.bytes.size();
  if (check.at > end || check.bytes.size() > end - check.at) {
    refuse(node, fmt::format("the bytes to check reach beyond {}", end));
  }
  const std::uint64_t indexes = check.what == What::kCounter      ? 3
                                : check.what == What::kFileBytes  ? 2
                                : check.what == What::kFileLength ? 2
                                : check.what == What::kPeerEnd    ? kFdCount
                                : check.what == What::kAsleep     ? kLanes
                                : check.what == What::kLaneResult ? kLanes
                                : check.what == What::kHandlers   ? kLanes
                                                                  : kMaxOperations;
  if (check.index >= indexes) refuse(node, fmt::format("\"index\" must be below {}", indexes));
}

template <Struct T>
void decode(const JsonNode& node, T& object);
void decode(const JsonNode& node, Divergence& divergence);
template <class T>
void decode(const JsonNode& node, std::vector<T>& list);

template <class T>
void decode(const JsonNode& node, std::optional<T>& value) {
  value.reset();
  if (node.kind != JsonNode::Kind::kNull) decode(node, value.emplace());
}
template <class T>
void decode(const JsonNode& node, std::vector<T>& list) {
  list.clear();
  for (const JsonNode& child : elements_of(node, kMaxElements<T>)) {
    decode(child, list.emplace_back());
  }
}
template <class T, std::size_t n>
void decode(const JsonNode& node, std::array<T, n>& list) {
  if (elements_of(node, n).size() != n) refuse(node, fmt::format("right would be {} elements", n));
  for (std::size_t i = 0; i < n; ++i) decode(node.children[i], list[i]);
}

// Takes the members that `object` has fields for; a missing one leaves its field as it is.
template <class T>
void take_fields(Members& members, T& object) {
  visit_fields(object, [&](const char* name, auto&& field) {
    if (const JsonNode* const node = members.take(name)) decode(*node, field);
  });
}

template <Struct T>
void decode(const JsonNode& node, T& object) {
  Members members(node);
  take_fields(members, object);
  members.done();
  check_bounds(node, object);
}
void decode(const JsonNode& node, Divergence& divergence) {
  Members members(node);
  decode(members.require("requirement"), divergence.signature.requirement);
  decode(members.require("kind"), divergence.signature.kind);
  take_fields(members, divergence);
  members.done();
}

// Refuses symbols in an operation that ran.
struct RefuseSymbols {
  const JsonNode& node;

  void operator()(const char* name, const Value& value) const {
    if (value.symbol == Symbol::kLiteral) return;
    refuse(node, fmt::format("\"{}\" is a symbol, and \"resolved\" does not say its number", name));
  }
  template <Struct T>
  void operator()(const char*, const std::vector<T>& list) const {
    for (const T& element : list) visit_fields(element, *this);
  }
  template <class T>
  void operator()(const char*, const T&) const {}
};

class TraceDecoder {
 public:
  Trace trace(const JsonNode& root) {
    Members members(root);
    decode_signed(members.require("version"), kVersion, kVersion);
    Trace trace;
    const JsonNode* steps = members.take("steps");
    const JsonNode* const program = members.take("program");
    if ((steps == nullptr) == (program == nullptr)) {
      refuse(root, "there must be either \"steps\" or \"program\"");
    }
    if (steps == nullptr) steps = program;
    for (const JsonNode& node : elements_of(*steps, kMaxOperations)) {
      trace.steps.push_back(step(node));
    }
    take_fields(members, trace);
    members.done();
    if (trace.end) check_rings(root, *trace.end);
    if (trace.divergence && trace.divergence->operation > trace.steps.size()) {
      refuse(root,
             fmt::format("the divergence is at operation {} of {}", trace.divergence->operation, trace.steps.size()));
    }
    return trace;
  }

 private:
  Step step(const JsonNode& node) {
    Members members(node);
    Step step;
    step.operation = operation_of(decode_operation_name(members.require("op")));
    std::visit([&](auto& op) { take_fields(members, op); }, step.operation);
    step.resolved = step.operation;
    const JsonNode* const resolved = members.take("resolved");
    const JsonNode* const seen = members.take("seen");
    members.done();
    if (resolved != nullptr) {
      std::visit([&](auto& op) { decode(*resolved, op); }, step.resolved);
    }
    if (resolved != nullptr || seen != nullptr) {
      std::visit([&](const auto& op) { visit_fields(op, RefuseSymbols{node}); }, step.resolved);
    }
    if (seen != nullptr) {
      decode(*seen, step.observation.emplace());
      check_rings(*seen, *step.observation);
    }
    return step;
  }

  // Bounds the memory of all rings together, and the work of replaying them.
  void check_rings(const JsonNode& node, const RecordedObservation& seen) {
    std::set<std::pair<Address, std::uint64_t>> now;
    std::set<Address> ids;
    std::uint64_t total = 0;
    for (const RecordedRing& ring : seen.rings) {
      if (!ids.insert(ring.id).second) refuse(node, "two rings at one address");
      now.emplace(ring.id, ring.size);
      total += ring.size;
      if (!rings_.contains({ring.id, ring.size})) fresh_ring_bytes_ += ring.size;
    }
    if (total > kMaxAllRingBytes || fresh_ring_bytes_ > kMaxFreshRingBytes) {
      refuse(node, fmt::format("the rings take more than {} bytes at once or {} over all steps", kMaxAllRingBytes,
                               kMaxFreshRingBytes));
    }
    rings_ = std::move(now);
  }

  // A default operation of the kind with that index.
  template <std::size_t i = 0>
  static Operation operation_of(unsigned index) {
    if constexpr (i + 1 < kOperationCount) {
      if (index != i) return operation_of<i + 1>(index);
    }
    return std::variant_alternative_t<i, Operation>{};
  }

  std::set<std::pair<Address, std::uint64_t>> rings_;  // of the step before
  std::uint64_t fresh_ring_bytes_ = 0;
};

// Names and texts of the input come back in messages; they must not steer a terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

}  // namespace

std::string ReadError::text() const {
  return line == 0 ? fmt::format("{}: {}", file, reason) : fmt::format("{}:{}: {}", file, line, reason);
}

tl::expected<Trace, ReadError> read_trace(std::string_view text, const std::string& file) {
  const auto root = parse_json(text);
  if (!root) {
    return tl::unexpected(ReadError{file, root.error().line, printable(root.error().reason)});
  }
  try {
    return TraceDecoder().trace(*root);
  } catch (const Refused& refused) {
    return tl::unexpected(ReadError{file, refused.line, printable(refused.reason)});
  }
}

tl::expected<std::string, ReadError> read_bounded(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  // One byte more than allowed, so that what is too long is seen to be.
  for (std::array<char, 65536> part; stream && text.size() <= kMaxJsonBytes;) {
    stream.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream && !stream.eof()) {
    return tl::unexpected(ReadError{path, 0, fmt::format("cannot be read: {}", std::strerror(errno))});
  }
  return text;
}

tl::expected<Trace, ReadError> load_trace(const std::string& path) {
  const auto text = read_bounded(path);
  if (!text) return tl::unexpected(text.error());
  return read_trace(*text, path);
}

}  // namespace aio
