// SPDX-License-Identifier: GPL-2.0-or-later
//
// The fields of a trace, named once, as fields.h names those of operations: the writer and the
// reader of the text form are visitors over these lists, so neither can miss a field. Wrappers tell
// the visitors how a field is to be written where its type does not.
#pragma once

#include <vector>

#include "reference/fields.h"
#include "reports/trace.h"

namespace aio {

// Bytes as one string of hex digits.
template <class T>
struct HexField {
  T& value;
};
template <class T>
HexField(T&) -> HexField<T>;

// An errno by name.
template <class T>
struct ErrnoField {
  T& value;
};
template <class T>
ErrnoField(T&) -> ErrnoField<T>;

// ByteRanges as an object: where, as a key, and bytes. Addresses for the arena, else offsets.
template <class T>
struct ArenaRangesField {
  T& value;
};
template <class T>
ArenaRangesField(T&) -> ArenaRangesField<T>;
template <class T>
struct RangesField {
  T& value;
};
template <class T>
RangesField(T&) -> RangesField<T>;

// The stable version is part of `kernel`, and its rules of `profile`.
template <SameFieldsAs<Release> T, class F>
void visit_fields(T& release, F&& f) {
  f("major", release.major);
  f("minor", release.minor);
}

template <SameFieldsAs<Machine> T, class F>
void visit_fields(T& machine, F&& f) {
  f("possible_cpus", machine.possible_cpus);
  f("usable_cpus", machine.usable_cpus);
  f("page_size", machine.page_size);
  f("aio_max_nr", machine.aio_max_nr);
  f("aio_nr", machine.aio_nr);
  f("may_use_rt_ioprio", machine.may_use_rt_ioprio);
  f("file_system", machine.file_system);
  f("max_file", machine.max_file);
  f("file_nowait", machine.file_nowait);
  f("nowait_write_error", machine.nowait_write_error);
  f("fault_extends_file", machine.fault_extends_file);
  f("file_dontcache", machine.file_dontcache);
  f("direct", machine.direct);
  f("direct_queues", machine.direct_queues);
  f("direct_align", machine.direct_align);
  f("gate", machine.gate);
  f("compat", machine.compat);
  f("user_end", machine.user_end);
  f("lanes", machine.lanes);
  f("uid", machine.uid);
  f("gid", machine.gid);
}

template <SameFieldsAs<RecordedRing> T, class F>
void visit_fields(T& ring, F&& f) {
  f("id", AddressField{ring.id});
  f("size", ring.size);
  f("tail_at_return", ring.tail_at_return);
  f("header", ring.header);
  f("changes", RangesField{ring.changes});
}

template <SameFieldsAs<RecordedFile> T, class F>
void visit_fields(T& file, F&& f) {
  f("seen", file.seen);
  f("size", file.size);
  f("changes", RangesField{file.changes});
}

template <SameFieldsAs<RecordedPeer> T, class F>
void visit_fields(T& peer, F&& f) {
  f("fd", peer.fd);
  f("end_seen", peer.end_seen);
}

template <SameFieldsAs<GateRequest> T, class F>
void visit_fields(T& request, F&& f) {
  f("id", request.id);
  f("call", request.call);
  f("offset", request.offset);
  f("length", request.length);
  f("uid", request.uid);
  f("gid", request.gid);
  f("data", HexField{request.data});
}

template <SameFieldsAs<LaneReturn> T, class F>
void visit_fields(T& returned, F&& f) {
  f("lane", returned.lane);
  f("result", returned.result);
  f("error", ErrnoField{returned.error});
  f("handlers", returned.handlers);
}

template <SameFieldsAs<RecordedObservation> T, class F>
void visit_fields(T& seen, F&& f) {
  f("result", seen.result);
  f("error", ErrnoField{seen.error});
  f("skipped", seen.skipped);
  f("moved_to", AddressField{seen.moved_to});
  f("asleep", seen.asleep);
  f("lane", seen.lane);
  f("cpu", seen.cpu);
  f("signals", seen.signals);
  f("elapsed_ns", seen.elapsed_ns);
  f("mask_changed", seen.mask_changed);
  f("ring_remains", seen.ring_remains);
  f("aio_nr_before", seen.aio_nr_before);
  f("aio_nr_after", seen.aio_nr_after);
  f("event_counter", seen.counters[0]);
  f("nb_event_counter", seen.counters[1]);
  f("sem_event_counter", seen.counters[2]);
  f("data", HexField{seen.data});
  f("peers", seen.peers);
  f("returns", seen.returns);
  f("arrived", seen.arrived);
  f("memory", ArenaRangesField{seen.memory});
  f("rings", seen.rings);
  f("file_a", seen.files[0]);
  f("file_b", seen.files[1]);
}

template <SameFieldsAs<Check> T, class F>
void visit_fields(T& check, F&& f) {
  f("what", check.what);
  f("index", check.index);
  f("at", check.at);
  f("values", check.values);
  f("bytes", HexField{check.bytes});
}

template <SameFieldsAs<Divergence> T, class F>
void visit_fields(T& divergence, F&& f) {
  f("requirement", divergence.signature.requirement);
  f("kind", divergence.signature.kind);
  f("operation", divergence.operation);
  f("expected", divergence.expected);
  f("seen", divergence.seen);
  f("check", divergence.check);
}

template <SameFieldsAs<Signature> T, class F>
void visit_fields(T& signature, F&& f) {
  f("requirement", signature.requirement);
  f("kind", signature.kind);
}

// All but the steps, which have a line each.
template <SameFieldsAs<Trace> T, class F>
void visit_fields(T& trace, F&& f) {
  f("version", trace.version);
  f("profile", trace.profile);
  f("kernel", trace.kernel);
  f("release", trace.release);
  f("machine", trace.machine);
  f("lie", trace.lie);
  f("mutant", trace.mutant);
  f("quirks", trace.quirks);
  f("divergence", trace.divergence);
  f("repeats_shown", trace.repeats_shown);
  f("repeats_of", trace.repeats_of);
  f("needs_history", trace.needs_history);
  f("end", trace.end);
}

// "result", "arena_bytes", …: the name of What in traces.
inline constexpr std::array<const char*, kCheckCount> kCheckNames{
    "result",  "arena_bytes", "ring_bytes", "counter", "file_bytes",  "file_length", "read_bytes", "aio_nr_delta",
    "elapsed", "held",        "peer_end",   "asleep",  "lane_result", "mask",        "mapped",     "handlers"};

// In the order of enum GateCall.
inline constexpr std::array<const char*, kGateCallCount> kGateCallNames{"read", "write", "fsync", "fdatasync"};

// What has fields, here or in fields.h.
template <class T>
concept Struct = requires(T& object) {
  visit_fields(object, [](auto&&...) {});
};

}  // namespace aio
