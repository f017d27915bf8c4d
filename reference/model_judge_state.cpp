// SPDX-License-Identifier: GPL-2.0-or-later
//
// The judgement of what a call leaves behind beside its rings: memory, counters, files, aio-nr.
#include <algorithm>

#include "reference/byte_difference.h"
#include "reference/model.h"

namespace aio {
namespace {

constexpr const char* kAioNrMoved = "aio-nr was moved by somebody else";

}  // namespace

// The areas that the call had to do with, and one other in turn; all of them at the end of the case.
void Model::compare_memory(const Observation& observation, bool whole) {
  for (const auto& [at, size] : unknown_memory_) {
    for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
      const arena::Area& area = arena::kAreas[i];
      if (at < area.begin || at >= area.begin + area.size) continue;
      const std::uint64_t here = std::min(size, area.begin + area.size - at);
      memory_.store(at, observation.memory[i].subspan(at - area.begin, here));
    }
  }
  next_area_ = (next_area_ + 1) % arena::kAreas.size();
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    if (!whole && !memory_.used()[i] && i != next_area_) continue;
    const std::span<const std::byte> expected = memory_.area(i);
    std::size_t at = mismatch(expected, observation.memory[i]);
    const bool wrong = rules_.wrong(Req::kMemoryOnlyByRules) && arena::kAreas[i].begin == arena::kBuffers;
    if (wrong) at = 0;
    if (at == std::string::npos) continue;
    const Address address = arena::kAreas[i].begin + at;
    const Req rule = wrong ? Req::kMemoryOnlyByRules : memory_.rule_of(address);
    if (is_quirk(rule, Kind::kMemory)) {
      memory_.store(address, observation.memory[i].subspan(at, 1));
      --i;
      continue;
    }
    diverge(rule, Kind::kMemory, std::string(arena::kAreas[i].name) + "+" + hex(at) + ": " + byte_text(expected, at),
            byte_text(observation.memory[i], at),
            Check{Check::What::kArenaBytes, 0, address, {}, bytes_at(expected, at)});
    return;
  }
  rules_.exercise(Req::kMemoryOnlyByRules);
  for (const Write& write : memory_.writes()) rules_.exercise(write.rule);
}

bool Model::effects_show(const Observation& observation) const {
  if (done()) return true;
  for (unsigned i = 0; i < observation.counters.size(); ++i) {
    if (observation.counters[i] && *observation.counters[i] != files_.counter(i)) return false;
  }
  return !has_ringless() || (writes_show(observation) && files_show(observation));
}

bool Model::writes_show(const Observation& observation) const {
  return std::all_of(memory_.writes().begin(), memory_.writes().end(), [&](const Write& write) {
    if (is_quirk(write.rule, Kind::kMemory)) return true;
    for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
      const arena::Area& area = arena::kAreas[i];
      if (write.at < area.begin || write.at - area.begin >= area.size) continue;
      const std::uint64_t from = write.at - area.begin;
      const std::uint64_t size = std::min(write.size, area.size - from);
      return mismatch(memory_.area(i).subspan(from, size), observation.memory[i].subspan(from, size)) ==
             std::string::npos;
    }
    return true;
  });
}

bool Model::files_show(const Observation& observation) const {
  for (unsigned i = 0; i < observation.files.size(); ++i) {
    const FileView& view = observation.files[i];
    const RegularFile& file = files_.regular(i);
    if (!view.seen || !file.known) continue;
    if (view.size != file.content.size() || mismatch(file.content, view.content) != std::string::npos) return false;
  }
  return true;
}

void Model::compare_counters(const Observation& observation) {
  for (unsigned i = 0; i < observation.counters.size(); ++i) {
    if (!observation.counters[i]) continue;
    const std::uint64_t expected = files_.counter(i) + (rules_.wrong(Req::kCountersOnlyByRules) ? 1 : 0);
    const std::uint64_t seen = *observation.counters[i];
    const Req rule = rules_.wrong(Req::kCountersOnlyByRules) ? Req::kCountersOnlyByRules : counter_rule_;
    rules_.exercise(counter_rule_);
    if (seen == expected) continue;
    diverge(rule, Kind::kCounter, std::to_string(expected), std::to_string(seen),
            Check{Check::What::kCounter, i, 0, {static_cast<std::int64_t>(expected)}, {}});
    return;
  }
}

void Model::compare_files(const Observation& observation) {
  for (unsigned i = 0; i < observation.files.size(); ++i) {
    const FileView& view = observation.files[i];
    if (!view.seen) continue;
    const RegularFile& file = files_.regular(i);
    if (!file.known) {
      if (view.size <= kMaxObservedFile) files_.adopt(i, view.content);
      continue;
    }
    const bool wrong = rules_.wrong(Req::kFilesOnlyByRules);
    rules_.exercise(file_rule_);
    rules_.exercise(Req::kFilesOnlyByRules);
    if (view.size != file.content.size() || wrong) {
      diverge(wrong ? Req::kFilesOnlyByRules : file_rule_, Kind::kFile, std::to_string(file.content.size()) + " bytes",
              std::to_string(view.size),
              Check{Check::What::kFileLength, i, 0, {static_cast<std::int64_t>(file.content.size())}, {}});
      return;
    }
    const std::size_t at = mismatch(file.content, view.content);
    if (at == std::string::npos) continue;
    diverge(file_rule_, Kind::kFile, "byte " + std::to_string(at) + " " + byte_text(file.content, at),
            byte_text(view.content, at), Check{Check::What::kFileBytes, i, at, {}, bytes_at(file.content, at)});
    return;
  }
}

void Model::compare_aio_nr(const Observation& observation) {
  if (!aio_nr_change_ || !machine_->aio_nr) return;
  if (!observation.aio_nr_before || !observation.aio_nr_after) {
    verdict_.certainty = Certainty::kUndecided;
    verdict_.reason = kAioNrMoved;
    return;
  }
  const auto change = static_cast<std::int64_t>(*observation.aio_nr_after - *observation.aio_nr_before);
  const std::int64_t expected = *aio_nr_change_ + (*aio_nr_change_ == 0 && rules_.wrong(aio_nr_rule_) ? 1 : 0);
  if (change != expected) {
    diverge(aio_nr_rule_, Kind::kAioNr, std::to_string(expected), std::to_string(change),
            Check{Check::What::kAioNrDelta, 0, 0, {expected}, {}});
    return;
  }
  rules_.exercise(aio_nr_rule_);
}

void Model::compare_left_over(const Observation& observation) {
  const bool wrong_mask = restores_mask_ && rules_.wrong(Req::kPgeteventsMaskRestored);
  if ((observation.mask_changed != 0) != wrong_mask && !is_quirk(Req::kPgeteventsMaskRestored, Kind::kMask)) {
    return diverge(Req::kPgeteventsMaskRestored, Kind::kMask, wrong_mask ? "another mask" : "the mask of before",
                   "changed are " + hex(observation.mask_changed),
                   Check{Check::What::kMask, observation.returns.empty() ? 0u : 1u, 0, {wrong_mask ? 1 : 0}, {}});
  }
  if (restores_mask_) rules_.exercise(Req::kPgeteventsMaskRestored);
  if (!destroyed_ || is_quirk(Req::kMapDestroyUnmaps, Kind::kMemory)) return;
  if (observation.ring_remains != rules_.wrong(Req::kMapDestroyUnmaps)) {
    return diverge(Req::kMapDestroyUnmaps, Kind::kMemory,
                   observation.ring_remains ? "nothing where the ring was" : "the ring is mapped",
                   observation.ring_remains ? "it is mapped" : "nothing is", variable_check(*destroyed_));
  }
  rules_.exercise(Req::kMapDestroyUnmaps);
}

// A program without the model looks where a context variable says.
std::optional<Check> Model::variable_check(Address id) const {
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    const Address at = arena::context_slot(slot);
    if (memory_.get<Address>(at) != id) continue;
    return Check{Check::What::kMapped, 0, at, {rules_.wrong(Req::kMapDestroyUnmaps) ? 1 : 0}, {}};
  }
  return std::nullopt;
}

}  // namespace aio
