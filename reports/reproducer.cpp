// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/reproducer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "reference/print.h"
#include "reports/c_check.h"
#include "reports/c_operation.h"
#include "reports/c_parts.h"
#include "reports/c_zoo.h"

namespace aio {
namespace {

// One io_setup that made a ring: the rings of a trace are numbered in this order.
struct RingLife {
  Address id;
  std::uint32_t tail;
  unsigned number;
};

// The rings that live after each step, followed through the observations.
class Rings {
 public:
  // The ring at one address has moved to another with the step that comes.
  void move(Address from, Address to) {
    for (RingLife& life : live_) {
      if (life.id == from) life.id = to;
    }
  }
  // The number of the ring there.
  std::optional<unsigned> number_at(Address id) const {
    for (const RingLife& life : live_) {
      if (life.id == id) return life.number;
    }
    return std::nullopt;
  }
  // The rings of a step; `fresh` says which of them appeared with it.
  void step(const RecordedObservation& seen) {
    std::vector<RingLife> now;
    fresh_.clear();
    moved_.clear();
    for (const RecordedRing& ring : seen.rings) {
      const std::uint32_t tail = ring.header[static_cast<std::size_t>(RingField::kTail)];
      const auto known =
          std::find_if(live_.begin(), live_.end(), [&](const RingLife& life) { return life.id == ring.id; });
      const bool is_fresh = known == live_.end();
      const unsigned number = is_fresh ? count_++ : known->number;
      if (is_fresh) fresh_.push_back(number);
      if (!is_fresh && ring.size != 0 && tail != known->tail) moved_.push_back({ring.id, tail, number});
      now.push_back({ring.id, tail, number});
    }
    live_ = std::move(now);
  }
  std::vector<unsigned> numbers() const {
    std::vector<unsigned> numbers;
    for (const RingLife& life : live_) numbers.push_back(life.number);
    return numbers;
  }
  const std::vector<unsigned>& fresh() const { return fresh_; }
  const std::vector<RingLife>& moved() const { return moved_; }
  unsigned count() const { return count_; }

 private:
  std::vector<RingLife> live_;
  std::vector<unsigned> fresh_;
  std::vector<RingLife> moved_;  // rings whose tail is another than one step ago
  unsigned count_ = 0;
};

std::int64_t answer_of(const RecordedObservation& seen) {
  return seen.error != 0 ? -std::int64_t{seen.error} : seen.result;
}

class Writer {
 public:
  explicit Writer(const Trace& trace)
      : trace_(trace), last_(trace.divergence ? trace.divergence->operation : trace.steps.size()) {}

  std::string text() {
    std::string operations;
    for (std::size_t i = 0; i < trace_.steps.size() && i < last_; ++i) operations += earlier(i);
    operations += divergent();
    const std::string zoo = c_open_zoo(needs_);
    std::string text = head() + "\n" + c_prologue() + c_descriptor_names(needs_) + needs_.parts.text();
    if ((operations + check_.functions).find("ring[") != std::string::npos) {
      text += fmt::format("\n/* Where each io_setup mapped its ring. */\nstatic volatile uint64_t ring[{}];\n",
                          std::max(rings_.count(), 1u));
    }
    text += check_.functions;
    text += "\nstatic int program(void)\n{\n";
    if (returns_ || check_.uses_result) text += "\tint64_t r = 0;\n\n";
    text += "\tsignal(SIGPIPE, SIG_IGN);\n\tmap_arena();\n\tmove_to_cpu(0);\n" + zoo + operations;
    text += check_.after + "}\n";
    const bool hang = trace_.divergence && trace_.divergence->signature.kind == Kind::kHang;
    const bool death = trace_.divergence && trace_.divergence->signature.kind == Kind::kCrash;
    return text + c_main(hang ? 1 : 2, death ? 1 : 2);
  }

 private:
  std::string head() const;
  std::string earlier(std::size_t index);
  std::string divergent();
  std::string operation_comment(std::size_t index) const;
  // Who makes this step, and through which entry.
  void note_state(const Step& step) {
    const auto* const through = std::get_if<Through>(&step.operation);
    if (through != nullptr && !(step.observation && step.observation->skipped)) entry_ = through->entry;
    by_child_ = child_.take(step.operation);
  }
  bool is_checked(unsigned lane) const;
  std::string after_call(const Step& step);
  std::string after_map(const Step& step);
  bool may_be_late(const Step& step) const;
  std::string in_child(const std::string& stores, std::string& call, bool returns);
  std::string show_hidden() const;

  const Trace& trace_;
  const std::size_t last_;  // the divergent operation
  Rings rings_;
  CNeeds needs_;
  CCheck check_;
  bool returns_ = false;
  bool writes_last_ = false;
  EntryKind entry_ = EntryKind::kNative;
  ChildTurn child_;
  bool by_child_ = false;      // a child makes this one
  std::set<unsigned> hidden_;  // numbers of rings that cannot be read
  std::size_t held_ = 0;       // requests that the gate file holds
};

// A line of the head comment, broken at blanks.
std::string comment_line(const std::string& label, const std::string& text) {
  constexpr std::size_t kWidth = 90;
  std::string line = " *" + (label.empty() ? "" : " " + label);
  std::string result;
  std::string rest = c_comment(text);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (line.size() + 1 + end > kWidth) {
      result += line + "\n";
      line = " *  ";
    }
    line += " " + rest.substr(0, end);
    rest.erase(0, end + 1);
  }
  return result + line + "\n";
}

std::string Writer::head() const {
  std::string text = "/*\n";
  if (const auto& divergence = trace_.divergence) {
    const Requirement& broken = requirement(divergence->signature.requirement);
    text += comment_line("", std::string(broken.id));
    text += comment_line("", std::string(broken.sentence));
    text += " *\n";
    text += comment_line(fmt::format("Operation {}:", divergence->operation), "");
    text += comment_line("  expected:", divergence->expected);
    text += comment_line("  seen:    ", divergence->seen);
  } else {
    text += comment_line("", "A program without a divergence.");
  }
  if (!trace_.kernel.empty()) text += comment_line("  kernel:  ", trace_.kernel);
  if (!trace_.lie.empty()) text += comment_line("  this kernel's answers were falsified:", trace_.lie);
  if (!trace_.mutant.empty()) text += comment_line("  the rules were falsified:", trace_.mutant);
  text +=
      " *\n"
      " * Build with: gcc -Wall -o reproducer FILE.c     Run in a directory that can be written.\n"
      " * Exit code 1: the kernel answers other than expected. 0: it answers as expected.\n"
      " * 2: this could not be run, or an earlier call took another course than recorded.\n"
      " */";
  return text;
}

std::string Writer::operation_comment(std::size_t index) const {
  return fmt::format("\n\t/* {}: {} */\n", index, c_comment(operation_text(trace_.steps[index].operation)));
}

// New rings are remembered by their number, and completions that were seen are awaited.
std::string Writer::after_call(const Step& step) {
  if (!step.observation) return "";
  std::string text = after_map(step);
  rings_.step(*step.observation);
  if (std::holds_alternative<ReleaseHeld>(step.operation) && held_ > 0) --held_;
  if (std::holds_alternative<ReleaseAll>(step.operation)) held_ = 0;
  for (const LaneReturn& returned : step.observation->returns) {
    if (is_checked(returned.lane)) continue;
    needs_.parts.need(CPart::kLaneCalls);
    text += fmt::format("\tlane_returned({}, {});\n", returned.lane,
                        c_result(returned.error != 0 ? -std::int64_t{returned.error} : returned.result));
  }
  held_ += step.observation->arrived.size();
  if (!step.observation->arrived.empty()) {
    needs_.descriptors.set(static_cast<std::size_t>(Fd::kGate));
    text += fmt::format("\tgate_arrived({});\n", held_);
  }
  if (const auto* const setup = std::get_if<Setup>(&step.resolved)) {
    for (const unsigned number : rings_.fresh()) {
      const char* const type = entry_ == EntryKind::kCompat ? "uint32_t" : "uint64_t";
      text += fmt::format("\tring[{}] = *(volatile {} *)({});\n", number, type, c_address(setup->ctxp));
    }
  }
  if (std::holds_alternative<RingStore>(step.operation)) return text;
  if (may_be_late(step)) text += "\tusleep(2000); /* what it has begun may end by itself */\n";
  for (const RingLife& life : rings_.moved()) {
    if (hidden_.contains(life.number)) continue;
    needs_.parts.need(CPart::kAwait);
    text += fmt::format("\tawait_tail(ring[{}], {});\n", life.number, c_number(life.tail));
  }
  return text;
}

// Where nothing shows when requests are done, unless that is what it is about.
bool Writer::may_be_late(const Step& step) const {
  if (!trace_.quirks || (trace_.divergence && trace_.divergence->signature.requirement == Req::kEventAtReturn))
    return false;
  return std::holds_alternative<Submit>(step.operation) || std::holds_alternative<Getevents>(step.operation);
}

// A ring that moved, or that cannot be read from now on.
std::string Writer::after_map(const Step& step) {
  const auto* const map = std::get_if<RingMap>(&step.resolved);
  if (map == nullptr || step.observation->skipped || step.observation->error != 0 || by_child_) return "";
  const auto id = static_cast<Address>(map->ctx.offset);
  const std::optional<unsigned> number = rings_.number_at(id);
  if (!number) return "";
  hidden_.erase(*number);
  if (map->action == MapAction::kHide) hidden_.insert(*number);
  if (map->action != MapAction::kMove) return "";
  rings_.move(id, step.observation->moved_to);
  return fmt::format("\tring[{}] = moved_to;\n", *number);
}

// The stores and the call of a child. Its result is the call from here on.
std::string Writer::in_child(const std::string& stores, std::string& call, bool returns) {
  needs_.parts.need(CPart::kChild);
  std::string text = "\tif (fork_child() == 0) {\n";
  std::istringstream lines(stores);
  for (std::string line; std::getline(lines, line);) text += "\t" + line + "\n";
  const std::string result = call.empty() ? "0" : returns ? call : "(" + call + ", 0)";
  text += fmt::format("\t\texit_child({});\n\t}}\n", result);
  call = "child_result()";
  return text;
}

// What is looked at in the end must be readable.
std::string Writer::show_hidden() const {
  std::string text;
  for (const unsigned number : hidden_) {
    text += fmt::format("\tmprotect((void *)ring[{0}], ring_bytes(ring[{0}]), PROT_READ);\n", number);
  }
  return text;
}

// Whether what is looked at in the end is what this lane does, in the operation that is being written.
bool Writer::is_checked(unsigned lane) const {
  if (!writes_last_ || !trace_.divergence || !trace_.divergence->check) return false;
  const Check& check = *trace_.divergence->check;
  return (check.what == Check::What::kAsleep || check.what == Check::What::kLaneResult) && check.index == lane;
}

std::string Writer::earlier(std::size_t index) {
  const Step& step = trace_.steps[index];
  note_state(step);
  const std::string stores = c_stores(step, entry_, needs_);
  std::string text = operation_comment(index) + (by_child_ ? "" : stores);
  if (step.observation && step.observation->asleep) {
    return text + fmt::format("\t{};\n\tlane_asleep({});\n", c_sleeping_call(step, needs_), step.observation->lane) +
           after_call(step);
  }
  std::string call = c_call(step, needs_);
  const bool expected = step.observation && c_returns(step.operation);
  if (by_child_) text += in_child(stores, call, expected);
  if (call.empty()) return text + "\t/* Nothing was called. */\n" + after_call(step);
  if (expected) {
    needs_.parts.need(CPart::kExpect);
    call = fmt::format("expect({}, {}, {})", index, call, c_result(answer_of(*step.observation)));
  }
  const bool released = step.observation && step.observation->signals > 0;
  if (released) {
    needs_.parts.need(CPart::kRelease);
    text += "\trelease(1);\n";
  }
  text += "\t" + call + ";\n";
  if (released) text += "\trelease(0);\n";
  return text + after_call(step);
}

std::string Writer::divergent() {
  if (last_ >= trace_.steps.size()) {
    check_ = c_check(trace_, rings_.numbers(), needs_);
    return "\n\t/* The end of the program. */\n" + show_hidden() + check_.before;
  }
  const Step& step = trace_.steps[last_];
  writes_last_ = true;
  note_state(step);
  const std::string stores = c_stores(step, entry_, needs_);
  std::string text = operation_comment(last_) + (by_child_ ? "" : stores);
  if (step.observation && (step.observation->asleep || is_checked(step.observation->lane))) {
    if (const std::string sleeping = c_sleeping_call(step, needs_); !sleeping.empty()) {
      const std::string later = after_call(step);
      check_ = c_check(trace_, rings_.numbers(), needs_);
      return text + check_.before + "\t" + sleeping + ";\n" + later;
    }
  }
  std::string call = c_call(step, needs_);
  std::string forked;
  if (by_child_) forked = in_child(stores, call, c_returns(step.operation));
  const std::string later = after_call(step) + show_hidden();
  check_ = c_check(trace_, rings_.numbers(), needs_);
  text += check_.before + forked;
  const bool released = step.observation && step.observation->signals > 0;
  if (released) {
    needs_.parts.need(CPart::kRelease);
    text += "\trelease(1);\n";
  }
  if (c_returns(step.operation) && !call.empty()) {
    returns_ = true;
    text += fmt::format("\tr = {};\n", call);
  } else if (!call.empty()) {
    text += "\t" + call + ";\n";
  }
  if (released) text += "\trelease(0);\n";
  text += later;
  if (returns_) text += "\tprintf(\"it returned %lld\\n\", (long long)r);\n";
  return text;
}

}  // namespace

std::string reproducer_c(const Trace& trace) { return Writer(trace).text(); }

}  // namespace aio
