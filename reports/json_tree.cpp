// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/json_tree.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace aio {
namespace {

// The parser gives no positions with its values, so its input counts lines as it is consumed. The
// last character does not count yet: after a number it is the one that ended it.
struct Position {
  unsigned line = 1;
  bool after_newline = false;
};

class CountingInput {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingInput(const char* at, Position* position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  CountingInput& operator++() {
    if (std::exchange(position_->after_newline, *at_ == '\n')) ++position_->line;
    ++at_;
    return *this;
  }
  friend bool operator==(const CountingInput& a, const CountingInput& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  Position* position_;
};

// Builds the tree from the parser's events; each returns false to stop.
class Builder {
 public:
  using Kind = JsonNode::Kind;

  Builder(const Position& position, std::size_t max_nodes) : position_(position), max_nodes_(max_nodes) {}

  bool null() { return value(Kind::kNull, 0, {}); }
  bool boolean(bool truth) { return value(Kind::kBool, truth ? 1 : 0, {}); }
  bool number_integer(std::int64_t number) {
    return value(number < 0 ? Kind::kNegative : Kind::kUnsigned, static_cast<std::uint64_t>(number), {});
  }
  bool number_unsigned(std::uint64_t number) { return value(Kind::kUnsigned, number, {}); }
  bool number_float(double, const std::string& text) { return value(Kind::kReal, 0, text); }
  bool string(std::string& text) { return value(Kind::kString, 0, std::move(text)); }
  bool binary(std::vector<std::uint8_t>&) { return false; }
  bool key(std::string& text) {
    key_ = std::move(text);
    return true;
  }
  bool start_object(std::size_t) { return start(Kind::kObject); }
  bool start_array(std::size_t) { return start(Kind::kArray); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  template <class Exception>
  bool parse_error(std::size_t, const std::string& token, const Exception&) {
    return refuse(fmt::format("this is not JSON: unexpected text at \"{:.40}\"", token));
  }

  tl::expected<JsonNode, JsonError> result() && {
    if (error_.reason.empty()) return std::move(root_);
    return tl::unexpected(std::move(error_));
  }

 private:
  bool refuse(std::string reason) {
    error_ = {position_.line, std::move(reason)};
    return false;
  }
  bool make(Kind kind, std::uint64_t number, std::string text, JsonNode& node) {
    if (++nodes_ > max_nodes_) {
      return refuse(fmt::format("more than {} values", max_nodes_));
    }
    node = {kind, position_.line, number, std::exchange(key_, {}), std::move(text), {}};
    return true;
  }
  bool place(JsonNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().children.push_back(std::move(node));
    }
    return true;
  }
  bool value(Kind kind, std::uint64_t number, std::string text) {
    JsonNode node;
    return make(kind, number, std::move(text), node) && place(std::move(node));
  }
  bool start(Kind kind) {
    if (open_.size() == kMaxJsonDepth) {
      return refuse(fmt::format("nested deeper than {} levels", kMaxJsonDepth));
    }
    return make(kind, 0, {}, open_.emplace_back());
  }
  bool end() {
    JsonNode node = std::move(open_.back());
    open_.pop_back();
    return place(std::move(node));
  }

  const Position& position_;
  const std::size_t max_nodes_;
  std::string key_;
  std::vector<JsonNode> open_;
  JsonNode root_;
  std::size_t nodes_ = 0;
  JsonError error_;
};

}  // namespace

tl::expected<JsonNode, JsonError> parse_json(std::string_view text, std::size_t max_nodes) {
  if (text.size() > kMaxJsonBytes) {
    return tl::unexpected(JsonError{1, fmt::format("longer than {} bytes", kMaxJsonBytes)});
  }
  Position position;
  Builder builder(position, max_nodes);
  nlohmann::json::sax_parse(CountingInput(text.data(), &position), CountingInput(text.data() + text.size(), &position),
                            &builder);
  return std::move(builder).result();
}

std::string describe(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::kNull:
      return "null";
    case JsonNode::Kind::kBool:
      return node.number != 0 ? "true" : "false";
    case JsonNode::Kind::kUnsigned:
      return fmt::format("the number {}", node.number);
    case JsonNode::Kind::kNegative:
      return fmt::format("the number {}", static_cast<std::int64_t>(node.number));
    case JsonNode::Kind::kReal:
      return fmt::format("the number {:.40}", node.text);
    case JsonNode::Kind::kString:
      return fmt::format("\"{:.40}\"", node.text);
    case JsonNode::Kind::kObject:
      return "an object";
    case JsonNode::Kind::kArray:
      break;
  }
  return "an array";
}

}  // namespace aio
