// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/c_check.h"

#include <fmt/format.h>

namespace aio {
namespace {

using What = Check::What;

// Whether it may come true some time after the call returned.
bool may_come_later(What what) {
  return what != What::kResult && what != What::kReadBytes && what != What::kElapsed && what != What::kPeerEnd &&
         what != What::kMask && what != What::kMapped;
}

// A C condition: `expression` is one of the values.
std::string one_of(const std::vector<std::int64_t>& values) {
  std::string condition;
  for (const std::int64_t value : values) {
    condition += (condition.empty() ? "" : " || ") + ("seen == " + c_result(value));
  }
  return condition.empty() ? "0" : condition;
}

// A number that is looked at, as a C expression.
std::string number_expression(const Check& check, CNeeds& needs) {
  constexpr Fd kCounters[] = {Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent};
  switch (check.what) {
    case What::kCounter: {
      const Fd fd = kCounters[check.index % 3];
      needs.descriptors.set(static_cast<std::size_t>(fd));
      needs.parts.need(CPart::kCounter);
      return fmt::format("counter({})", c_descriptor(fd));
    }
    case What::kFileLength:
      return fmt::format("(fstat(files[{}], &file), file.st_size)", check.index % 2);
    case What::kAioNrDelta:
      needs.parts.need(CPart::kAioNr);
      return "aio_nr() - aio_nr_before";
    case What::kMask:
      needs.parts.need(CPart::kMask);
      if (check.index == 0) return "signal_mask() ^ mask_before";
      needs.parts.need(CPart::kLaneCalls);
      return "(signal_mask() ^ mask_before) | lanes_mask_changed()";
    case What::kMapped:
      needs.parts.need(CPart::kMapped);
      return fmt::format("is_mapped(*(volatile uint64_t *){})", c_address(check.at));
    case What::kAsleep:
    case What::kLaneResult:
    case What::kHandlers:
      needs.parts.need(CPart::kLaneCalls);
      if (check.what == What::kHandlers) return fmt::format("lane_handlers({})", check.index % kLanes);
      return fmt::format("{}({})", check.what == What::kAsleep ? "lane_sleeps" : "lane_result", check.index % kLanes);
    case What::kHeld:
      needs.descriptors.set(static_cast<std::size_t>(Fd::kGate));
      if (check.at == static_cast<std::uint64_t>(HeldFact::kCount)) return "gate_ask(GATE_COUNT, 0, 0, 0)";
      return fmt::format("gate_fact({}, {})", check.index, check.at);
    default: {
      const auto fd = static_cast<Fd>(check.index % kFdCount);
      needs.descriptors.set(static_cast<std::size_t>(fd));
      needs.parts.need(CPart::kPeer);
      return fmt::format("end_seen({})", c_descriptor(fd));
    }
  }
}

// as_expected() for a number.
std::string number_function(const Check& check, CNeeds& needs) {
  const std::string expression = number_expression(check, needs);
  std::string text;
  if (check.what == What::kAioNrDelta) text += "\nstatic int64_t aio_nr_before;\n";
  if (check.what == What::kMask) text += "\nstatic int64_t mask_before;\n";
  text += "\nstatic int64_t seen;\nstatic int as_expected(void)\n{\n";
  if (check.what == What::kFileLength) text += "\tstruct stat file = { 0 };\n\n";
  text += fmt::format("\tseen = {};\n\treturn {};\n}}\n", expression, one_of(check.values));
  return text;
}

// Where the bytes are that are looked at; empty for those that must be read first.
std::string bytes_place(const Check& check, unsigned ring) {
  switch (check.what) {
    case What::kArenaBytes:
      return fmt::format("(volatile uint8_t *)({})", c_address(check.at));
    case What::kRingBytes:
      return fmt::format("(volatile uint8_t *)ring[{}] + {}", ring, check.at);
    case What::kReadBytes:
      return "data";
    default:
      return "";
  }
}

// as_expected() for bytes.
std::string bytes_function(const Check& check, unsigned ring) {
  const std::size_t size = check.bytes.size();
  std::string text = fmt::format("\nstatic const uint8_t wanted[{}] = {{\n\t\t{}\n}};\n", size, c_bytes(check.bytes));
  text += fmt::format("static uint8_t seen[{}];\n", size);
  text += "static int as_expected(void)\n{\n";
  const std::string place = bytes_place(check, ring);
  if (place.empty()) {
    text += fmt::format(
        "\tmemset(seen, 0, sizeof(seen));\n"
        "\tif (pread(files[{}], seen, sizeof(seen), {}) < 0)\n\t\tdie(\"cannot read a file\");\n",
        check.index % 2, check.at);
  } else {
    text += fmt::format("\tfor (unsigned i = 0; i < sizeof(seen); i++)\n\t\tseen[i] = ({})[i];\n", place);
  }
  text += "\treturn memcmp(seen, wanted, sizeof(wanted)) == 0;\n}\n";
  return text;
}

std::string conclusion() { return "\tprintf(\"NOT as expected\\n\");\n\treturn 1;\n"; }

// Gives what is due `patience_ms`, then decides.
std::string decide_later(const Check& check, unsigned patience_ms) {
  std::string text;
  if (may_come_later(check.what)) {
    text = fmt::format("\tfor (int ms = 0; ms < {} && !as_expected(); ms++)\n\t\tusleep(1000);\n", patience_ms);
  }
  text += "\tif (as_expected()) {\n\t\tprintf(\"as expected\\n\");\n\t\treturn 0;\n\t}\n";
  return text;
}

void need_file(const Check& check, CNeeds& needs) {
  if (check.what != What::kFileBytes && check.what != What::kFileLength) return;
  needs.descriptors.set(static_cast<std::size_t>(check.index % 2 == 0 ? Fd::kFile : Fd::kDirect));
}

CCheck result_check(const std::vector<std::int64_t>& allowed) {
  CCheck c;
  c.uses_result = true;
  std::string condition;
  for (const std::int64_t value : allowed) {
    condition += (condition.empty() ? "" : " || ") + ("r == " + c_result(value));
  }
  c.after =
      fmt::format("\tif ({}) {{\n\t\tprintf(\"as expected\\n\");\n\t\treturn 0;\n\t}}\n", condition) + conclusion();
  return c;
}

CCheck elapsed_check(const Check& check, CNeeds& needs) {
  needs.parts.need(CPart::kClock);
  CCheck c;
  c.functions = "\nstatic int64_t start_ns;\n";
  c.before = "\tstart_ns = now_ns();\n";
  c.after = fmt::format(
                "\tint64_t elapsed_ns = now_ns() - start_ns;\n\n"
                "\tprintf(\"it took %lld ns\\n\", (long long)elapsed_ns);\n"
                "\tif (elapsed_ns >= {}) {{\n\t\tprintf(\"as expected\\n\");\n\t\treturn 0;\n\t}}\n",
                c_number(check.values.empty() ? 0 : check.values[0])) +
            conclusion();
  return c;
}

CCheck state_check(const Check& check, Kind kind, const std::vector<unsigned>& ring_numbers, CNeeds& needs) {
  constexpr unsigned kLostMs = 5000;
  constexpr unsigned kLateMs = 1000;
  CCheck c;
  const unsigned ring = check.index < ring_numbers.size() ? ring_numbers[check.index] : 0;
  need_file(check, needs);
  const std::string decision = decide_later(check, kind == Kind::kLost ? kLostMs : kLateMs);
  if (check.bytes.empty()) {
    c.functions = number_function(check, needs);
    // Who must not wake up yet is given time to do so.
    if (check.what == What::kAsleep && check.values == std::vector<std::int64_t>{1}) c.after = "\tusleep(300000);\n";
    if (check.what == What::kAioNrDelta) c.before = "\taio_nr_before = aio_nr();\n";
    if (check.what == What::kMask) c.before = "\tmask_before = signal_mask();\n";
    c.after += decision + "\tprintf(\"seen %lld\\n\", (long long)seen);\n" + conclusion();
    return c;
  }
  if (check.what == What::kReadBytes) needs.parts.need(CPart::kData);
  needs.parts.need(CPart::kShowBytes);
  c.functions = bytes_function(check, ring);
  c.after = decision +
            "\tshow_bytes(\"wanted\", wanted, sizeof(wanted));\n"
            "\tshow_bytes(\"seen  \", seen, sizeof(seen));\n" +
            conclusion();
  return c;
}

}  // namespace

CCheck c_check(const Trace& trace, const std::vector<unsigned>& ring_numbers, CNeeds& needs) {
  CCheck returns;
  returns.after = "\tprintf(\"done\\n\");\n\treturn 0;\n";
  if (!trace.divergence) return returns;
  const Divergence& divergence = *trace.divergence;
  const Kind kind = divergence.signature.kind;
  // That the program comes this far is what is expected.
  if (kind == Kind::kHang || kind == Kind::kCrash || kind == Kind::kKernel) return returns;
  if (divergence.check) {
    const Check& check = *divergence.check;
    if (check.what == What::kResult) return result_check(check.values);
    if (check.what == What::kElapsed) return elapsed_check(check, needs);
    return state_check(check, kind, ring_numbers, needs);
  }
  CCheck c;
  const bool by_result = (kind == Kind::kErrno || kind == Kind::kCount) && divergence.operation < trace.steps.size() &&
                         trace.steps[divergence.operation].observation;
  if (!by_result) {
    c.after = "\tprintf(\"what to look at is only in the comment above\\n\");\n\treturn 2;\n";
    return c;
  }
  // What would be right is not known as a number; what was seen is.
  const RecordedObservation& seen = *trace.steps[divergence.operation].observation;
  c.uses_result = true;
  c.after = fmt::format(
      "\tif (r == {}) {{\n\t\tprintf(\"as recorded, NOT as expected\\n\");\n\t\treturn 1;\n\t}}\n"
      "\tprintf(\"not as recorded\\n\");\n\treturn 0;\n",
      c_result(seen.error != 0 ? -seen.error : seen.result));
  return c;
}

}  // namespace aio
