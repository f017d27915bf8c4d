// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/saved_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>

#include "reports/decode.h"
#include "reports/wrapped.h"

namespace aio {
namespace {

constexpr const char* kFile = "report.json";
constexpr std::size_t kMostValues = 10 * kMaxJsonNodes;

constexpr std::uint64_t kMostShards = 1'000'000;

// Texts of suites may be long; the whole file is bounded.
std::string lines_of(const JsonNode& node) {
  if (node.kind != JsonNode::Kind::kString) refuse_kind(node, "a string");
  return cleaned(node.text);
}

std::string text_of(const JsonNode& node) { return one_line(lines_of(node)); }

// Of a requirement, a test, an entry or a file beside the report: formats print them where they would read more into
// other letters.
std::string name_of(const JsonNode& node) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  std::string name = text_of(node);
  if (name.find_first_not_of(kLetters) == std::string::npos) return name;
  refuse(node, fmt::format("\"{:.80}\" has other letters than a to z, digits, dots, dashes and underscores", name));
}

template <class T>
T number_of(const JsonNode& node) {
  T number = 0;
  decode(node, number);
  return number;
}

double real_of(const JsonNode& node) {
  if (node.kind == JsonNode::Kind::kUnsigned) return static_cast<double>(node.number);
  double number = 0;
  const char* const end = node.text.data() + node.text.size();
  if (node.kind != JsonNode::Kind::kReal || std::from_chars(node.text.data(), end, number).ptr != end) {
    refuse_kind(node, "a number, 0 or more");
  }
  return number;
}

bool truth_of(const JsonNode& node) {
  bool truth = false;
  decode(node, truth);
  return truth;
}

template <class T>
std::vector<T> list_of(const JsonNode& node, T (*element)(const JsonNode&)) {
  if (node.kind != JsonNode::Kind::kArray) refuse_kind(node, "an array");
  std::vector<T> list;
  for (const JsonNode& child : node.children) list.push_back(element(child));
  return list;
}

template <class T>
std::map<std::string, T> map_of(const JsonNode& node, T (*element)(const JsonNode&)) {
  if (node.kind != JsonNode::Kind::kObject) refuse_kind(node, "an object");
  std::map<std::string, T> map;
  for (const JsonNode& child : node.children) map[child.key] = element(child);
  return map;
}

std::uint64_t hash_of(const JsonNode& node) {
  const std::string text = text_of(node);
  std::uint64_t hash = 0;
  const char* const end = text.data() + text.size();
  if (text.size() != 16 || std::from_chars(text.data(), end, hash, 16).ptr != end) refuse_kind(node, "16 hex digits");
  return hash;
}

FlakyDivergence flaky_of(const JsonNode& node) {
  Members members(node);
  FlakyDivergence flaky{name_of(members.require("requirement")), text_of(members.require("kind")),
                        text_of(members.require("how"))};
  members.done();
  return flaky;
}

void shards_of(const JsonNode& node, RunSummary& summary) {
  Members members(node);
  summary.shards = decode_unsigned(members.require("of"), kMostShards);
  const JsonNode& here = members.require("here");
  summary.shard_numbers = list_of(here, number_of<std::uint64_t>);
  const auto& numbers = summary.shard_numbers;
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>()) != numbers.end() || numbers.empty() ||
      numbers.back() >= summary.shards) {
    refuse(here, fmt::format("\"here\" has other numbers than some below {}, in order, each once", summary.shards));
  }
  members.done();
}

void summary_of(const JsonNode& node, int version, SavedReport& report) {
  Members members(node);
  RunSummary& summary = report.summary;
  const auto number = [&](const char* name) { return number_of<std::uint64_t>(members.require(name)); };
  const auto text = [&](const char* name) { return text_of(members.require(name)); };
  const auto counts = [&](const char* name) { return map_of(members.require(name), number_of<std::uint64_t>); };
  summary.kernel = text("kernel");
  summary.implementation = text("implementation");
  summary.profile = text("profile");
  summary.profile_notes = list_of(members.require("profile_notes"), text_of);
  summary.seed = number("seed");
  summary.programs = number("programs");
  summary.program_hash = hash_of(members.require("program_hash"));
  summary.operations = number("operations");
  summary.judged_exactly = number("judged_exactly");
  summary.judged_by_set = number("judged_by_set");
  summary.widened = number("widened");
  number("undecided");
  summary.undecided = counts("undecided_by_reason");
  summary.left_out = counts("left_out");
  summary.refusals = counts("refusals");
  summary.divergences = number("divergences");
  report.applicable = number("requirements_applicable");
  number("requirements_exercised");
  summary.seconds = real_of(members.require("seconds"));
  summary.lie = text("lie");
  summary.mutant = text("mutant");
  if (version >= 2) {
    summary.tool = text("tool");
    summary.started = text("started");
    summary.file_system = text("file_system");
    summary.usable_cpus = number_of<std::uint32_t>(members.require("usable_cpus"));
    summary.possible_cpus = number_of<std::uint32_t>(members.require("possible_cpus"));
    summary.incomplete = list_of(members.require("incomplete"), text_of);
    summary.flaky = list_of(members.require("flaky"), flaky_of);
  }
  if (version >= 3) {
    summary.kernel_build = text("kernel_build");
    summary.request = text("request");
    shards_of(members.require("shards"), summary);
    summary.abstract_states = number("abstract_states");
    summary.features = number("features");
    summary.kernel_places = number("kernel_places");
    summary.corpus = text("corpus");
    summary.corpus_programs = number("corpus_programs");
    summary.corpus_added = number("corpus_added");
  }
  members.done();
}

SavedReport::Excluded excluded_of(const JsonNode& node) {
  Members members(node);
  SavedReport::Excluded excluded{name_of(members.require("id")), text_of(members.require("why"))};
  members.done();
  return excluded;
}

SuiteRun::Failure failure_of(const JsonNode& node) {
  Members members(node);
  SuiteRun::Failure failure{name_of(members.require("requirement")), text_of(members.require("where")),
                            lines_of(members.require("text")), truth_of(members.require("reported"))};
  members.done();
  return failure;
}

SuiteRun test_of(const JsonNode& node) {
  Members members(node);
  SuiteRun run;
  run.test = name_of(members.require("test"));
  run.entry = name_of(members.require("entry"));
  run.verdict = text_of(members.require("verdict"));
  run.reason = text_of(members.require("reason"));
  run.failures = list_of(members.require("failures"), failure_of);
  run.seconds = real_of(members.require("seconds"));
  members.done();
  return run;
}

MatrixCell cell_of(const JsonNode& node) {
  Members members(node);
  MatrixCell cell{number_of<std::uint32_t>(members.require("held")),
                  number_of<std::uint32_t>(members.require("failed")),
                  number_of<std::uint32_t>(members.require("skipped"))};
  members.done();
  return cell;
}

MatrixRow row_of(const JsonNode& node) {
  Members members(node);
  MatrixRow row;
  row.requirement = name_of(members.require("requirement"));
  row.why_not = text_of(members.require("why_not"));
  row.not_run = text_of(members.require("not_run"));
  row.reported = truth_of(members.require("reported"));
  row.entries = map_of(members.require("entries"), cell_of);
  row.random = number_of<std::uint64_t>(members.require("random"));
  members.done();
  return row;
}

RingPicture ring_of(const JsonNode& node) {
  Members members(node);
  RingPicture ring;
  ring.context = text_of(members.require("context"));
  ring.slots = number_of<std::uint32_t>(members.require("slots"));
  ring.head = number_of<std::uint32_t>(members.require("head"));
  ring.tail = number_of<std::uint32_t>(members.require("tail"));
  ring.in_flight = list_of(members.require("in_flight"), text_of);
  if (const JsonNode* const unreserved = members.take("unreserved")) {
    ring.unreserved = number_of<std::uint32_t>(*unreserved);
    for (const auto& [cpu, slots] : map_of(members.require("reserved"), number_of<std::uint32_t>)) {
      ring.reserved[static_cast<unsigned>(std::strtoul(cpu.c_str(), nullptr, 10))] = slots;
    }
  }
  members.done();
  return ring;
}

StepView step_of(const JsonNode& node) {
  Members members(node);
  StepView view{text_of(members.require("operation")), text_of(members.require("lanes")),
                text_of(members.require("kernel")), text_of(members.require("model")),
                list_of(members.require("rings"), ring_of)};
  members.done();
  return view;
}

SavedDivergence divergence_of(const JsonNode& node) {
  Members members(node);
  const auto text = [&](const char* name) { return text_of(members.require(name)); };
  SavedDivergence divergence;
  divergence.requirement = name_of(members.require("requirement"));
  divergence.sentence = text("sentence");
  divergence.source = text("source");
  divergence.kind = text("kind");
  divergence.operation = number_of<std::size_t>(members.require("operation"));
  divergence.expected = text("expected");
  divergence.seen = text("seen");
  divergence.kernel = text("kernel");
  divergence.repeats_shown = number_of<std::uint64_t>(members.require("repeats_shown"));
  divergence.repeats_of = number_of<std::uint64_t>(members.require("repeats_of"));
  divergence.needs_history = truth_of(members.require("needs_history"));
  divergence.lie = text("lie");
  divergence.mutant = text("mutant");
  divergence.program = list_of(members.require("program"), text_of);
  if (const JsonNode* const steps = members.take("steps")) divergence.steps = list_of(*steps, step_of);
  divergence.trace = name_of(members.require("trace"));
  divergence.reproducer = name_of(members.require("reproducer"));
  if (const JsonNode* const shards = members.take("shards")) divergence.shards = number_of<std::uint64_t>(*shards);
  members.done();
  divergence.fingerprint = fingerprint_of(divergence);
  return divergence;
}

SavedReport report_of(const JsonNode& root) {
  Members members(root);
  SavedReport report;
  const JsonNode& version = members.require("version");
  report.version = static_cast<int>(decode_unsigned(version, std::numeric_limits<int>::max()));
  if (report.version < 1 || report.version > kReportVersion) {
    refuse(version, fmt::format("a report of version {}; known here: 1 to {}", report.version, kReportVersion));
  }
  summary_of(members.require("summary"), report.version, report);
  Members requirements(members.require("requirements"));
  report.exercised = list_of(requirements.require("exercised"), name_of);
  report.not_exercised = list_of(requirements.require("not_exercised"), name_of);
  report.excluded = list_of(requirements.require("excluded"), excluded_of);
  requirements.done();
  Members suites(members.require("suites"));
  report.summary.suites.seconds = real_of(suites.require("seconds"));
  report.summary.suites.runs = list_of(suites.require("tests"), test_of);
  suites.done();
  report.summary.suites.matrix = list_of(members.require("matrix"), row_of);
  report.divergences = list_of(members.require("divergences"), divergence_of);
  members.done();
  return report;
}

}  // namespace

std::string fingerprint_of(const SavedDivergence& divergence) {
  // FNV-1a over the names of the calls, of what they submit and of the entries that they are made through.
  std::uint32_t hash = 0x811c9dc5;
  const auto add = [&](std::string_view text) {
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x01000193;
  };
  const auto is_letter = [](char letter) { return std::isalpha(static_cast<unsigned char>(letter)) != 0; };
  for (const std::string& line : divergence.program) {
    for (std::size_t end = 0; (end = line.find('(', end)) != std::string::npos; ++end) {
      std::size_t begin = end;
      while (begin > 0 && (is_letter(line[begin - 1]) || line[begin - 1] == '_')) --begin;
      add(line.substr(begin, end - begin) + "(");
    }
    if (line.starts_with("through(")) add(line);
  }
  // Where no program is known, what was seen has to do, without its numbers.
  if (divergence.program.empty()) {
    for (const char letter : divergence.seen) add(is_letter(letter) ? std::string_view(&letter, 1) : "");
  }
  return fmt::format("{}/{}/{:04x}", divergence.requirement, divergence.kind, (hash >> 16) ^ (hash & 0xffff));
}

tl::expected<SavedReport, ReadError> read_report(std::string_view text, const std::string& file) {
  const tl::expected<JsonNode, JsonError> root = parse_json(text, kMostValues);
  if (!root) return tl::unexpected(ReadError{file, root.error().line, root.error().reason});
  try {
    return report_of(*root);
  } catch (const Refused& refused) {
    return tl::unexpected(ReadError{file, refused.line, refused.reason});
  }
}

tl::expected<SavedReport, ReadError> load_report(const std::string& path, std::string* text) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path file = fs::is_directory(path, ignored) ? fs::path(path) / kFile : fs::path(path);
  auto content = read_bounded(file);
  if (!content) return tl::unexpected(content.error());
  tl::expected<SavedReport, ReadError> report = read_report(*content, file.string());
  if (text != nullptr) *text = std::move(*content);
  if (report) report->directory = file.has_parent_path() ? file.parent_path() : ".";
  return report;
}

}  // namespace aio
