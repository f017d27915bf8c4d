// SPDX-License-Identifier: GPL-2.0-or-later
//
// JSON from strangers: a text becomes a tree of nodes that know their line. Size, depth and number
// of nodes are bounded, so no text can exhaust memory or stack. Members keep their order and may
// come twice; who reads the tree decides what that means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace aio {

inline constexpr std::size_t kMaxJsonBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxJsonDepth = 16;
inline constexpr std::size_t kMaxJsonNodes = 500'000;

struct JsonNode {
  enum class Kind : std::uint8_t {
    kNull,
    kBool,      // number is 0 or 1
    kUnsigned,  // number
    kNegative,  // number, as two's complement
    kReal,      // a fraction, or a number beyond 64 bits: text
    kString,    // text
    kObject,    // children, each with its key
    kArray,     // children
  };
  Kind kind = Kind::kNull;
  unsigned line = 1;
  std::uint64_t number = 0;
  std::string key;
  std::string text;
  std::vector<JsonNode> children;
};

struct JsonError {
  unsigned line = 1;
  std::string reason;  // what was found, and what would be right
};

tl::expected<JsonNode, JsonError> parse_json(std::string_view text, std::size_t max_nodes = kMaxJsonNodes);

// What a node is, for messages: "the number 7", "an object".
std::string describe(const JsonNode& node);

}  // namespace aio
