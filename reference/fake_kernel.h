// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of the model: a kernel on paper. The test says what a call answers and what it leaves in memory, rings,
// files and counters; the fake shows that to a model as an observation. What it does by itself it does right: setup()
// and the user's own stores.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "reference/model.h"
#include "reference/stores.h"

namespace aio {

struct FakeRing {
  Address id = 0;
  std::vector<std::byte> bytes;
  std::uint32_t size = 0;                       // R
  std::uint32_t tail = 0;                       // the kernel's own
  std::optional<std::uint32_t> tail_at_return;  // if not the tail word

  std::uint32_t word(RingField field) const {
    std::uint32_t value = 0;
    if (!bytes.empty()) std::memcpy(&value, bytes.data() + 4 * static_cast<std::size_t>(field), sizeof(value));
    return value;
  }
  void set_word(RingField field, std::uint32_t value) {
    std::memcpy(bytes.data() + 4 * static_cast<std::size_t>(field), &value, sizeof(value));
  }
  // A completion.
  void add(const Event& event) {
    std::memcpy(bytes.data() + sizeof(RingHeader) + std::size_t{tail} * sizeof(Event), &event, sizeof(event));
    tail = (tail + 1) % size;
    set_word(RingField::kTail, tail);
  }
  std::byte& event_byte(std::uint32_t slot, std::size_t offset) {
    return bytes[sizeof(RingHeader) + std::size_t{slot} * sizeof(Event) + offset];
  }
};

// Two CPUs, files on a tmpfs.
inline const Machine& fake_machine() {
  static const Machine kMachine = [] {
    Machine machine;
    machine.possible_cpus = machine.usable_cpus = 2;
    machine.max_file = INT64_MAX;
    machine.file_system = "tmpfs";
    machine.compat = true;
    return machine;
  }();
  return kMachine;
}

// The same with a file system that holds requests, of a user of its own.
inline const Machine& fake_machine_with_gate() {
  static const Machine kMachine = [] {
    Machine machine = fake_machine();
    machine.gate = true;
    machine.uid = machine.gid = 1000;
    return machine;
  }();
  return kMachine;
}

// A request that completes at once with 0, and the event of one in that slot.
inline IocbSpec nothing_to_read(unsigned slot) {
  IocbSpec spec;
  spec.at = arena::iocb_slot(slot);
  spec.data = 40 + slot;
  return spec;
}
inline Event event_of(unsigned slot, std::int64_t res = 0) { return {40 + slot, arena::iocb_slot(slot), res, 0}; }

class FakeKernel {
 public:
  using Answer = std::function<void(FakeKernel&)>;

  explicit FakeKernel(const Profile& profile = profiles().back(), const Rules& rules = {},
                      const Machine& machine = fake_machine(), bool stepped = false, const Quirks* quirks = nullptr)
      : model(profile, machine, rules, quirks), machine_(&machine), old_count_(!profile.counts_user_nr) {
    for (unsigned i = 0; i < 2; ++i) {
      files[i].resize(i == 0 ? kFileSize : kDirectFileSize);
      for (std::uint64_t at = 0; at < files[i].size(); ++at) files[i][at] = std::byte{initial_file_byte(i, at)};
    }
    std::bitset<kFdCount> all;
    model.begin_case(all.set(), stepped);
  }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  // The user's stores, then the answer, then the model's opinion of it. Without an answer the call returns 0 and does
  // nothing.
  Verdict run(const Operation& operation, const Answer& answer = {}) {
    result = 0;
    error = 0;
    aio_nr_before = aio_nr;
    elapsed_ns = 0;
    mask_changed = 0;
    ring_remains = false;
    skipped = false;
    asleep = false;
    moved_to = 0;
    returns.clear();
    data.clear();
    arrived.clear();
    for (FakeRing& ring : rings) ring.tail_at_return.reset();
    if (const auto* through = std::get_if<Through>(&operation)) entry = through->entry;
    user_stores(
        operation, [&](Address at, std::span<const std::byte> bytes) { memory.store(at, bytes); }, entry);
    if (answer) answer(*this);
    const Observation seen = observe();
    due = model.begin(operation, seen);
    return model.judge(seen);
  }

  // What the model would have a call return, and by which rule; nothing happens.
  struct Opinion {
    Req rule{};
    std::int64_t value = 0;  // or -errno
    friend bool operator==(const Opinion&, const Opinion&) = default;
  };
  Opinion opinion(const Operation& operation) const {
    constexpr int kNoErrno = 4000;
    Model copy = model;
    Observation seen = observe();
    seen.result = -1;
    seen.error = kNoErrno;
    copy.begin(operation, seen);
    const Verdict verdict = copy.judge(seen);
    if (!verdict.divergence || !verdict.divergence->check) return {};
    return {verdict.divergence->signature.requirement, verdict.divergence->check->values.at(0)};
  }

  void fails(int why) {
    result = -1;
    error = why;
  }
  void store_word(Address at, std::uint64_t value, std::size_t size) {
    memory.store(at, std::as_bytes(std::span(&value, 1)).first(size));
  }
  // Maps a new ring as io_setup does.
  void map_ring(const Setup& op, Address id = 0x7f0000000000) {
    const auto nr = static_cast<std::uint32_t>(op.nr.offset);
    const Geometry shape = geometry(nr, machine_->possible_cpus, machine_->page_size);
    FakeRing ring;
    ring.id = id + 0x100000 * rings.size();
    ring.size = shape.ring_size;
    ring.bytes.resize(shape.pages * machine_->page_size);
    const RingHeader header{static_cast<std::uint32_t>(rings.size()), ring.size, 0, 0, kRingMagic, 1, 0, 32};
    std::memcpy(ring.bytes.data(), &header, sizeof(header));
    store_word(op.ctxp, ring.id, 8);
    rings.push_back(std::move(ring));
    aio_nr += old_count_ ? shape.wanted : nr;
  }
  Verdict setup(std::uint32_t nr = 1) {
    const aio::Setup op{.nr = nr, .ctxp = arena::context_slot(static_cast<unsigned>(rings.size()))};
    return run(op, [&](FakeKernel& kernel) { kernel.map_ring(op); });
  }
  // io_submit of each of these once, all accepted, with these events.
  Verdict submit(const std::vector<IocbSpec>& iocbs, const std::vector<Event>& events) {
    const auto count = static_cast<std::int64_t>(iocbs.size());
    return run(Submit{.ctx = ctx(), .nr = count, .fill = count, .iocbs = iocbs}, [&](FakeKernel& kernel) {
      kernel.result = count;
      for (const IocbSpec& spec : iocbs) kernel.store_word(spec.at + 8, 0, 4);
      for (const Event& event : events) kernel.rings[0].add(event);
    });
  }
  Value ctx(std::size_t index = 0) const { return static_cast<std::int64_t>(rings.at(index).id); }

  Observation observe() const {
    Observation seen;
    seen.result = result;
    seen.error = error;
    seen.cpu = cpu;
    seen.skipped = skipped;
    seen.asleep = asleep;
    seen.moved_to = moved_to;
    seen.lane = lane;
    seen.returns = returns;
    seen.elapsed_ns = elapsed_ns;
    seen.mask_changed = mask_changed;
    seen.ring_remains = ring_remains;
    seen.data = data;
    seen.arrived = arrived;
    for (std::size_t i = 0; i < arena::kAreas.size(); ++i) seen.memory[i] = memory.area(i);
    for (const FakeRing& ring : rings) {
      seen.rings.push_back({ring.id, ring.bytes, ring.tail_at_return.value_or(ring.word(RingField::kTail))});
    }
    for (unsigned i = 0; i < 3; ++i) seen.counters[i] = counters[i];
    for (unsigned i = 0; i < 2; ++i) seen.files[i] = {true, files[i].size(), files[i]};
    seen.aio_nr_before = aio_nr_before;
    seen.aio_nr_after = aio_nr;
    return seen;
  }

  Model model;
  Memory memory;
  std::vector<FakeRing> rings;
  std::array<std::uint64_t, 3> counters{};
  std::array<std::vector<std::byte>, 2> files;
  std::uint64_t aio_nr = 0;
  std::vector<Model::Due> due;  // of the last operation

  unsigned lane = 0;
  EntryKind entry = EntryKind::kNative;

  // Of the current operation:
  std::int64_t result = 0;
  int error = 0;
  unsigned cpu = 0;
  bool skipped = false;
  bool asleep = false;
  Address moved_to = 0;
  std::vector<LaneReturn> returns;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t mask_changed = 0;
  bool ring_remains = false;
  std::uint64_t aio_nr_before = 0;
  std::vector<std::byte> data;
  std::vector<GateRequest> arrived;

 private:
  const Machine* machine_;
  bool old_count_;
};

}  // namespace aio
