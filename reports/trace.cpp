// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>
#include <utility>

namespace aio {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Fewer unchanged bytes than this between two changes don't part them: one range reads better.
constexpr std::size_t kGap = 8;
constexpr std::size_t kBlock = 4096;

// Brings `before` up to `now` and appends what differed to `ranges`, the first byte being at `at`.
void take_changes(std::span<std::uint8_t> before, std::span<const std::byte> now, std::uint64_t at,
                  ByteRanges& ranges) {
  const std::size_t first_range = ranges.size();
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (i % kBlock == 0 && i + kBlock <= now.size() && std::memcmp(before.data() + i, now.data() + i, kBlock) == 0) {
      i += kBlock - 1;
      continue;
    }
    const auto byte = std::to_integer<std::uint8_t>(now[i]);
    if (before[i] == byte) continue;
    if (ranges.size() == first_range || at + i - (ranges.back().at + ranges.back().bytes.size()) >= kGap) {
      ranges.push_back({at + i, {}});
    }
    Bytes& bytes = ranges.back().bytes;
    for (std::size_t j = ranges.back().at + bytes.size() - at; j <= i; ++j) {
      bytes.push_back(std::to_integer<std::uint8_t>(now[j]));
    }
    before[i] = byte;
  }
}

// The other way: puts the ranges into `bytes`, whose first byte is at `at`.
void put_changes(const ByteRanges& ranges, std::span<std::uint8_t> bytes, std::uint64_t at) {
  for (const ByteRange& range : ranges) {
    assert(range.at >= at && range.at - at <= bytes.size() && range.bytes.size() <= bytes.size() - (range.at - at));
    std::copy(range.bytes.begin(), range.bytes.end(), bytes.subspan(range.at - at, range.bytes.size()).begin());
  }
}

std::span<std::uint8_t> area_of(Bytes& image, std::size_t index) {
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < index; ++i) begin += arena::kAreas[i].size;
  return std::span(image).subspan(begin, arena::kAreas[index].size);
}

ByteRanges ranges_within(const ByteRanges& ranges, const arena::Area& area) {
  ByteRanges inside;
  for (const ByteRange& range : ranges) {
    if (range.at >= area.begin && range.at < area.begin + area.size) inside.push_back(range);
  }
  return inside;
}

std::size_t observed_length(std::uint64_t file_size) {
  return static_cast<std::size_t>(std::min(file_size, kMaxObservedFile));
}

// Forgets the rings that are no longer watched: the next one of that id is another ring.
template <class Rings>
void forget_gone(const Rings& rings, std::map<Address, Bytes>& known) {
  std::erase_if(known, [&](const auto& entry) {
    return std::none_of(rings.begin(), rings.end(), [&](const auto& ring) { return ring.id == entry.first; });
  });
}

RecordedRing record_ring(const RingView& view, Bytes& before) {
  RecordedRing ring{view.id, view.bytes.size(), view.tail_at_return, {}, {}};
  before.resize(view.bytes.size());
  if (view.bytes.size() < sizeof ring.header) return ring;
  std::memcpy(ring.header.data(), view.bytes.data(), sizeof ring.header);
  take_changes(std::span(before).subspan(sizeof ring.header), view.bytes.subspan(sizeof ring.header),
               sizeof ring.header, ring.changes);
  return ring;
}

RecordedFile record_file(const FileView& view, Bytes& before) {
  RecordedFile file;
  file.seen = view.seen;
  if (!view.seen) return file;
  file.size = view.size;
  before.resize(observed_length(view.size));
  take_changes(before, view.content.first(std::min(view.content.size(), before.size())), 0, file.changes);
  return file;
}

// Copies the members that are plain values in both kinds of observation.
template <class From, class To>
void copy_values(const From& from, To& to) {
  to.result = from.result;
  to.error = from.error;
  to.skipped = from.skipped;
  to.moved_to = from.moved_to;
  to.asleep = from.asleep;
  to.lane = from.lane;
  to.cpu = from.cpu;
  to.signals = from.signals;
  to.elapsed_ns = from.elapsed_ns;
  to.mask_changed = from.mask_changed;
  to.ring_remains = from.ring_remains;
  to.counters = from.counters;
  to.aio_nr_before = from.aio_nr_before;
  to.aio_nr_after = from.aio_nr_after;
  to.returns = from.returns;
  to.arrived = from.arrived;
  to.peers.clear();
  for (const auto& peer : from.peers) to.peers.push_back({peer.fd, peer.end_seen});
}

}  // namespace

Program program_of(const Trace& trace) {
  Program program;
  for (const Step& step : trace.steps) program.operations.push_back(step.operation);
  return program;
}

Trace bare_trace(const Program& program) {
  TraceRecorder recorder;
  for (const Operation& operation : program.operations) recorder.add(operation, operation);
  return std::move(recorder.trace());
}

ObservedMemory::ObservedMemory() {
  for (const arena::Area& area : arena::kAreas) {
    for (std::uint64_t i = 0; i < area.size; ++i) {
      arena.push_back(arena::initial_byte(area.begin + i));
    }
  }
  const std::array<std::uint64_t, 2> sizes{kFileSize, kDirectFileSize};
  for (unsigned file = 0; file < files.size(); ++file) {
    for (std::uint64_t i = 0; i < sizes[file]; ++i) {
      files[file].push_back(initial_file_byte(file, i));
    }
  }
}

void TraceRecorder::add(const Operation& operation, const Operation& resolved, const Observation& observation) {
  trace_.steps.push_back({operation, resolved, record(observation)});
}

void TraceRecorder::add(const Operation& operation, const Operation& resolved) {
  trace_.steps.push_back({operation, resolved, std::nullopt});
}

void TraceRecorder::finish(const Observation& observation) { trace_.end = record(observation); }

RecordedObservation TraceRecorder::record(const Observation& observation) {
  RecordedObservation recorded;
  copy_values(observation, recorded);
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    const auto now = observation.memory[i];
    if (now.size() != arena::kAreas[i].size) continue;  // not observed
    take_changes(area_of(last_.arena, i), now, arena::kAreas[i].begin, recorded.memory);
  }
  forget_gone(observation.rings, last_.rings);
  for (const RingView& view : observation.rings) {
    recorded.rings.push_back(record_ring(view, last_.rings[view.id]));
  }
  for (std::size_t i = 0; i < observation.files.size(); ++i) {
    recorded.files[i] = record_file(observation.files[i], last_.files[i]);
  }
  for (const std::byte byte : observation.data) {
    recorded.data.push_back(std::to_integer<std::uint8_t>(byte));
  }
  return recorded;
}

const Observation& TraceReplayer::next(const RecordedObservation& recorded) {
  copy_values(recorded, observation_);
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    const arena::Area& area = arena::kAreas[i];
    put_changes(ranges_within(recorded.memory, area), area_of(now_.arena, i), area.begin);
    observation_.memory[i] = std::as_bytes(area_of(now_.arena, i));
  }
  forget_gone(recorded.rings, now_.rings);
  observation_.rings.clear();
  for (const RecordedRing& ring : recorded.rings) {
    Bytes& bytes = now_.rings[ring.id];
    bytes.resize(ring.size);
    if (ring.size >= sizeof ring.header) {
      std::memcpy(bytes.data(), ring.header.data(), sizeof ring.header);
    }
    put_changes(ring.changes, bytes, 0);
    observation_.rings.push_back({ring.id, std::as_bytes(std::span(bytes)), ring.tail_at_return});
  }
  for (std::size_t i = 0; i < recorded.files.size(); ++i) {
    const RecordedFile& file = recorded.files[i];
    observation_.files[i] = {};
    if (!file.seen) continue;
    now_.files[i].resize(observed_length(file.size));
    put_changes(file.changes, now_.files[i], 0);
    observation_.files[i] = {true, file.size, std::as_bytes(std::span(now_.files[i]))};
  }
  data_ = recorded.data;
  observation_.data = std::as_bytes(std::span(data_));
  return observation_;
}

}  // namespace aio
