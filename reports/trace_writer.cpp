// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reference/notation.h"
#include "reports/trace_fields.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

// One overload for each type of field. Structs are objects of those members that differ from a
// default-constructed one.
template <class T>
concept Plain = std::is_integral_v<T> || std::is_same_v<T, std::string>;

template <Plain T>
Json to_json(const T& value) {
  return value;
}
Json to_json(const Value& value) {
  if (value.symbol == Symbol::kLiteral) return value.offset;
  return value_text(value);
}
template <class T>
Json to_json(const AddressField<T>& address) {
  return address_text(address.value);
}
template <class T>
Json to_json(const HexField<T>& field) {
  return hex(field.value);
}
template <class T>
Json to_json(const ErrnoField<T>& field) {
  const std::string name = errno_name(field.value);
  if (field.value == 0 || name.find(' ') != std::string::npos) return field.value;
  return name;
}
template <class T>
Json to_json(const ArenaRangesField<T>& field) {
  Json object = Json::object();
  for (const ByteRange& range : field.value) object[address_text(range.at)] = hex(range.bytes);
  return object;
}
template <class T>
Json to_json(const RangesField<T>& field) {
  Json object = Json::object();
  for (const ByteRange& range : field.value) {
    object[fmt::format("{:#x}", range.at)] = hex(range.bytes);
  }
  return object;
}
Json to_json(Fd fd) { return fd_name(fd); }
Json to_json(RingField field) { return ring_field_name(field); }
Json to_json(MapAction action) { return map_action_name(action); }
Json to_json(SignalKind kind) { return signal_kind_name(kind); }
Json to_json(EntryKind entry) { return entry_name(entry); }
Json to_json(Req req) { return requirement(req).id; }
Json to_json(GateCall call) { return kGateCallNames.at(static_cast<std::size_t>(call)); }
Json to_json(Kind kind) { return kind_name(kind); }
Json to_json(Check::What what) { return kCheckNames.at(static_cast<std::size_t>(what)); }

template <Struct T>
Json to_json(const T& object);
Json to_json(const Divergence& divergence);
template <class T>
Json to_json(const std::vector<T>& elements);
template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? to_json(*value) : Json();
}
template <class T>
Json list(const T& elements) {
  Json array = Json::array();
  for (const auto& element : elements) array.push_back(to_json(element));
  return array;
}
template <class T>
Json to_json(const std::vector<T>& elements) {
  return list(elements);
}
template <class T, std::size_t n>
Json to_json(const std::array<T, n>& elements) {
  return list(elements);
}

template <class T>
Json all_fields(const T& object) {
  Json all = Json::object();
  visit_fields(object, [&](const char* name, const auto& field) { all[name] = to_json(field); });
  return all;
}

// The members in which `object` differs from `base`.
template <class T>
Json fields_beyond(const T& object, const T& base) {
  const Json all = all_fields(object);
  const Json defaults = all_fields(base);
  Json different = Json::object();
  for (const auto& [name, value] : all.items()) {
    if (value != defaults[name]) different[name] = value;
  }
  return different;
}

template <Struct T>
Json to_json(const T& object) {
  return fields_beyond(object, T{});
}
// Whole, because there is no default requirement.
Json to_json(const Divergence& divergence) { return all_fields(divergence); }

Json operation_json(const Operation& operation) {
  Json line{{"op", operation_name(operation)}};
  std::visit([&](const auto& op) { line.update(to_json(op)); }, operation);
  return line;
}

Json step_json(const Step& step) {
  Json line = operation_json(step.operation);
  if (step.resolved != step.operation) {
    std::visit(
        [&]<class T>(const T& resolved) { line["resolved"] = fields_beyond(resolved, std::get<T>(step.operation)); },
        step.resolved);
  }
  if (step.observation) line["seen"] = to_json(*step.observation);
  return line;
}

// Text from elsewhere may be no UTF-8; that must not keep a trace from being written.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class Elements, class ToJson>
void append_lines(std::string& text, const Elements& elements, ToJson&& json_of) {
  const char* separator = "\n";
  for (const auto& element : elements) {
    text += separator + dump(json_of(element));
    separator = ",\n";
  }
  text += "\n]\n}\n";
}

}  // namespace

std::string trace_text(const Trace& trace) {
  std::string text = fmt::format("{{\n\"version\":{},\n", trace.version);
  const Json head = to_json(trace);
  for (const auto& [name, value] : head.items()) {
    if (name == "version") continue;
    text += fmt::format("\"{}\":{},\n", name, dump(value));
  }
  text += "\"steps\":[";
  append_lines(text, trace.steps, step_json);
  return text;
}

std::string bare_trace_text(const Program& program) {
  std::string text = "{\n\"version\":1,\n\"program\":[";
  append_lines(text, program.operations, operation_json);
  return text;
}

}  // namespace aio
