// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/notation.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace aio {

namespace {

// Addresses from base - before up to base + after (exclusive) are written by this name.
struct Place {
  std::string_view name;
  Address base;
  std::uint64_t before;
  std::uint64_t after;
};

constexpr std::uint64_t kNear = 16 * arena::kPage;

constexpr std::array<Place, 13> kPlaces{{
    {"null", arena::kNull, 0, 1},
    {"vars", arena::kVars, 0, arena::kIocbs - arena::kVars},
    {"iocbs", arena::kIocbs, 0, arena::kPointers - arena::kIocbs},
    {"pointers", arena::kPointers, 0, arena::kIovecs - arena::kPointers},
    {"iovecs", arena::kIovecs, 0, arena::kEvents - arena::kIovecs},
    {"events", arena::kEvents, 0, arena::kBuffers - arena::kEvents},
    {"buffers", arena::kBuffers, 0, arena::kReadOnly - arena::kBuffers},
    {"readonly", arena::kReadOnly, 0, arena::kNoAccess - arena::kReadOnly},
    {"noaccess", arena::kNoAccess, 0, arena::kUnmapped - arena::kNoAccess},
    {"unmapped", arena::kUnmapped, 0, arena::kEnd - arena::kUnmapped},
    {"user_end", arena::kUserEnd, kNear, kNear},
    {"noncanonical", arena::kNonCanonical, 0, kNear},
    {"kernel", arena::kKernel, 0, kNear},
}};

template <class Number>
std::optional<Number> parse_digits(std::string_view digits, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number, base);
  if (error != std::errc{} || end != digits.end()) return std::nullopt;
  return number;
}

// "12" or "0x12"; callers refuse other spellings by writing the result again.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.starts_with("0x")) return parse_digits<std::uint64_t>(text.substr(2), 16);
  return parse_digits<std::uint64_t>(text, 10);
}

std::uint64_t magnitude(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  return number < 0 ? 0 - bits : bits;
}

std::string number_text(std::uint64_t number) {
  constexpr std::uint64_t kFirstInHex = 1 << 28;
  return number < kFirstInHex ? fmt::format("{}", number) : fmt::format("{:#x}", number);
}

// A name, then perhaps "+number" or "-number".
struct Sum {
  std::string_view name;
  std::uint64_t offset = 0;  // modulo 2^64
};

std::optional<Sum> parse_sum(std::string_view text) {
  const std::size_t sign = text.find_first_of("+-");
  if (sign == std::string_view::npos) return Sum{text, 0};
  const auto number = parse_number(text.substr(sign + 1));
  if (!number) return std::nullopt;
  return Sum{text.substr(0, sign), text[sign] == '-' ? 0 - *number : *number};
}

struct Bit {
  std::uint32_t bit;
  std::string_view name;
};

template <std::size_t N>
std::string bits_text(std::uint32_t bits, const std::array<Bit, N>& names) {
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) == 0) continue;
    bits &= ~bit;
    text += fmt::format("{}{}", text.empty() ? "" : "|", name);
  }
  if (bits != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", bits);
  return text.empty() ? "0" : text;
}

std::optional<Address> read_address(std::string_view text) {
  if (text.starts_with("0x")) return parse_number(text);
  const auto sum = parse_sum(text);
  if (!sum) return std::nullopt;
  for (const Place& place : kPlaces) {
    if (place.name == sum->name) return place.base + sum->offset;
  }
  return std::nullopt;
}

std::optional<Value> read_value(std::string_view text) {
  const auto sum = parse_sum(text);
  if (sum && sum->name.empty()) return Value(static_cast<std::int64_t>(sum->offset));
  if (const auto literal = parse_number(text)) return Value(static_cast<std::int64_t>(*literal));
  for (unsigned i = 1; sum && i < kSymbolCount; ++i) {
    const auto symbol = static_cast<Symbol>(i);
    if (symbol_name(symbol) == sum->name) {
      return Value(symbol, static_cast<std::int64_t>(sum->offset));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string address_text(Address address) {
  for (const Place& place : kPlaces) {
    if (address == place.base) return std::string(place.name);
    const bool below = address < place.base;
    const std::uint64_t distance = below ? place.base - address : address - place.base;
    if (below ? distance <= place.before : distance < place.after) {
      return fmt::format("{}{}{:#x}", place.name, below ? '-' : '+', distance);
    }
  }
  return fmt::format("{:#x}", address);
}

std::optional<Address> parse_address(std::string_view text) {
  const auto address = read_address(text);
  return address && address_text(*address) == text ? address : std::nullopt;
}

std::string value_text(const Value& value) {
  const std::string number = number_text(magnitude(value.offset));
  if (value.symbol == Symbol::kLiteral) return (value.offset < 0 ? "-" : "") + number;
  const std::string_view name = symbol_name(value.symbol);
  if (value.offset == 0) return std::string(name);
  return fmt::format("{}{}{}", name, value.offset < 0 ? '-' : '+', number);
}

std::optional<Value> parse_value(std::string_view text) {
  const auto value = read_value(text);
  return value && value_text(*value) == text ? value : std::nullopt;
}

std::string rw_flags_text(std::uint32_t flags) {
  static constexpr std::array<Bit, 9> kNames{{{kRwfHipri, "HIPRI"},
                                              {kRwfDsync, "DSYNC"},
                                              {kRwfSync, "SYNC"},
                                              {kRwfNowait, "NOWAIT"},
                                              {kRwfAppend, "APPEND"},
                                              {kRwfNoappend, "NOAPPEND"},
                                              {kRwfAtomic, "ATOMIC"},
                                              {kRwfDontcache, "DONTCACHE"},
                                              {kRwfNosignal, "NOSIGNAL"}}};
  return bits_text(flags, kNames);
}

std::string poll_text(std::uint16_t mask) {
  static constexpr std::array<Bit, 12> kNames{{{kPollIn, "IN"},
                                               {kPollPri, "PRI"},
                                               {kPollOut, "OUT"},
                                               {kPollErr, "ERR"},
                                               {kPollHup, "HUP"},
                                               {kPollNval, "NVAL"},
                                               {kPollRdnorm, "RDNORM"},
                                               {kPollRdband, "RDBAND"},
                                               {kPollWrnorm, "WRNORM"},
                                               {kPollWrband, "WRBAND"},
                                               {kPollMsg, "MSG"},
                                               {kPollRdhup, "RDHUP"}}};
  return bits_text(mask, kNames);
}

std::string opcode_text(std::uint16_t opcode) {
  static constexpr std::array<std::string_view, 9> kNames{"pread", "pwrite", "fsync",  "fdsync", "preadx",
                                                          "poll",  "noop",   "preadv", "pwritev"};
  if (opcode < kNames.size()) return std::string(kNames[opcode]);
  return fmt::format("op{}", opcode);
}

}  // namespace aio
