// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests: random operations and random but possible sequences of observations, by seed.
#pragma once

#include <array>
#include <concepts>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "reports/trace_fields.h"

namespace aio::testing {

class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  Operation operation() { return operation_of(static_cast<unsigned>(below(kOperationCount))); }

  // The operation with numbers in place of its symbols.
  static Operation resolved(Operation operation) {
    std::visit([](auto& op) { visit_fields(op, Literals{}); }, operation);
    return operation;
  }

  // What might be seen next: parts of everything change.
  const Observation& observe() {
    Observation& seen = observation_;
    seen.result = static_cast<std::int64_t>(below(100)) - 1;
    seen.error = below(2) == 0 ? 0 : static_cast<int>(below(140));
    seen.skipped = below(2) == 0;
    seen.cpu = static_cast<unsigned>(below(4));
    seen.signals = static_cast<unsigned>(below(3));
    seen.elapsed_ns = below(2) * random_();
    seen.mask_changed = below(2) * random_();
    seen.ring_remains = below(2) == 0;
    scribble(memory_.arena);
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
      seen.memory[i] = std::as_bytes(std::span(memory_.arena).subspan(begin, arena::kAreas[i].size));
      begin += arena::kAreas[i].size;
    }
    observe_rings();
    observe_files();
    for (auto& counter : seen.counters) counter = maybe();
    seen.aio_nr_before = maybe();
    seen.aio_nr_after = maybe();
    data_.resize(below(20));
    scribble(data_);
    seen.data = std::as_bytes(std::span(data_));
    seen.peers.clear();
    if (below(3) == 0) seen.peers.push_back({static_cast<Fd>(below(kFdCount)), below(2) == 0});
    seen.moved_to = below(4) == 0 ? random_() : 0;
    seen.asleep = below(4) == 0;
    seen.lane = static_cast<unsigned>(below(kLanes));
    seen.returns.clear();
    if (below(3) == 0) {
      LaneReturn& returned = seen.returns.emplace_back();
      returned.lane = static_cast<unsigned>(below(kLanes));
      returned.result = -1;
      returned.error = static_cast<int>(below(140));
      if (below(2) == 0) returned.handlers = static_cast<unsigned>(below(4));
    }
    seen.arrived.clear();
    if (below(3) == 0) {
      GateRequest& request = seen.arrived.emplace_back();
      request.id = random_();
      request.call = static_cast<GateCall>(below(kGateCallCount));
      request.offset = below(2) * random_();
      request.uid = static_cast<std::uint32_t>(random_());
      request.data.assign(below(9), static_cast<std::uint8_t>(below(256)));
    }
    return seen;
  }

  // A trace of `steps` random steps with every member filled.
  Trace trace(unsigned steps) {
    TraceRecorder recorder;
    for (unsigned i = 0; i < steps; ++i) {
      const Operation next = operation();
      recorder.add(next, resolved(next), observe());
    }
    recorder.finish(observe());
    Trace& trace = recorder.trace();
    trace.profile = "6.18";
    trace.release = {6, 18};
    trace.kernel = "6.18.44-test";
    trace.machine.possible_cpus = 2;
    trace.machine.file_system = "tmpfs";
    trace.lie = "a lie";
    trace.mutant = "a.mutant";
    Check check{Check::What::kCounter, below(3), below(9), {1, -22}, {0, 0xff}};
    trace.divergence = Divergence{{static_cast<Req>(below(kRequirementCount)), Kind::kLost},
                                  below(steps + 1),
                                  "this \"or\" that",
                                  "neither\n",
                                  check};
    trace.repeats_shown = 37;
    trace.repeats_of = 50;
    trace.needs_history = below(2) == 0;
    return std::move(trace);
  }

 private:
  struct Literals {
    void operator()(const char*, Value& value) const { value.symbol = Symbol::kLiteral; }
    template <class T>
    void operator()(const char*, std::vector<T>& list) const {
      for (T& element : list) visit_fields(element, *this);
    }
    template <class T>
    void operator()(const char*, T&&) const {}
  };

  // Fills a field with anything that its type can hold.
  struct Filler {
    RandomWorld& world;

    template <std::integral T>
    void operator()(const char*, T& number) const {
      number = static_cast<T>(world.random_() >> world.below(64));
    }
    void operator()(const char*, Value& value) const {
      value = Value(static_cast<Symbol>(world.below(kSymbolCount)),
                    static_cast<std::int64_t>(world.random_() >> world.below(64)));
    }
    void operator()(const char*, Fd& fd) const { fd = static_cast<Fd>(world.below(kFdCount)); }
    void operator()(const char*, RingField& field) const {
      field = static_cast<RingField>(world.below(kRingFieldCount));
    }
    void operator()(const char*, SignalKind& kind) const {
      kind = static_cast<SignalKind>(world.below(kSignalKindCount));
    }
    void operator()(const char*, EntryKind& entry) const {
      entry = static_cast<EntryKind>(world.below(kEntryKindCount));
    }
    void operator()(const char*, MapAction& action) const {
      action = static_cast<MapAction>(world.below(kMapActionCount));
    }
    template <class T>
    void operator()(const char*, AddressField<T> address) const {
      address.value = world.below(2) == 0 ? arena::kBase + world.below(arena::kEnd - arena::kBase) : world.random_();
    }
    template <class T>
    void operator()(const char*, std::vector<T>& list) const {
      list.resize(world.below(3));
      for (T& element : list) visit_fields(element, *this);
    }
  };

  template <std::size_t i = 0>
  Operation operation_of(unsigned index) {
    if constexpr (i + 1 < kOperationCount) {
      if (index != i) return operation_of<i + 1>(index);
    }
    std::variant_alternative_t<i, Operation> op;
    visit_fields(op, Filler{*this});
    return op;
  }

  std::optional<std::uint64_t> maybe() { return below(2) == 0 ? std::nullopt : std::optional(random_()); }

  void scribble(std::vector<std::uint8_t>& bytes) {
    if (bytes.empty()) return;
    for (std::uint64_t i = below(4); i > 0; --i) {
      const std::uint64_t at = below(bytes.size());
      for (std::uint64_t j = at; j < std::min<std::uint64_t>(bytes.size(), at + below(30)); ++j) {
        bytes[j] = static_cast<std::uint8_t>(random_());
      }
    }
  }

  void observe_rings() {
    const Address id = 0x7f0000000000 + below(4) * 0x1000;
    if (below(3) == 0) {
      memory_.rings.erase(id);
    } else {
      memory_.rings[id].resize(below(5) == 0 ? 0 : 4096);
    }
    observation_.rings.clear();
    for (auto& [ring, bytes] : memory_.rings) {
      scribble(bytes);
      observation_.rings.push_back({ring, std::as_bytes(std::span(bytes)), static_cast<std::uint32_t>(random_())});
    }
  }

  void observe_files() {
    for (std::size_t i = 0; i < observation_.files.size(); ++i) {
      observation_.files[i] = {};
      if (below(2) == 0) continue;
      auto& bytes = memory_.files[i];
      const std::uint64_t size = below(3) == 0 ? below(2 * kMaxObservedFile) : bytes.size();
      bytes.resize(std::min(size, kMaxObservedFile));
      scribble(bytes);
      observation_.files[i] = {true, size, std::as_bytes(std::span(bytes))};
    }
  }

  std::mt19937_64 random_;
  ObservedMemory memory_;
  std::vector<std::uint8_t> data_;
  Observation observation_;
};

}  // namespace aio::testing
