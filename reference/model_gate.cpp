// SPDX-License-Identifier: GPL-2.0-or-later
//
// Requests to the gate file: what its file system must see of them, and what becomes of its answers. Source: fs/aio.c
// aio_complete_rw, aio_fsync_work; fs/fuse/file.c fuse_direct_IO, fuse_aio_complete, fuse_fsync.
#include <algorithm>

#include "reference/fnv.h"
#include "reference/model.h"

namespace aio {
namespace {

constexpr std::uint64_t kMostPages = kGateMaxRequest / arena::kPage;

bool is_sync(GateCall call) { return call == GateCall::kFsync || call == GateCall::kFdatasync; }

bool syncs(const Held& held) { return is_sync(held.seen.call); }

bool any_syncs(const std::vector<Held>& all) { return std::any_of(all.begin(), all.end(), syncs); }

Check held_check(std::uint64_t index, HeldFact fact, std::uint64_t want) {
  return {Check::What::kHeld, index, static_cast<std::uint64_t>(fact), {static_cast<std::int64_t>(want)}, {}};
}

std::uint64_t pages_of(const Iovec& segment) {
  return segment.len == 0 ? 0 : (segment.base + segment.len - 1) / arena::kPage - segment.base / arena::kPage + 1;
}

}  // namespace

// A write, even of nothing, waits inside io_submit for an fsync that is on its way, and for itself where it may extend
// the file.
bool Model::gate_blocks(const Iocb& write, const Buffers& buffers) const {
  const bool extends =
      (write.rw_flags & kRwfAppend) != 0 || static_cast<std::uint64_t>(write.offset) + buffers.total > kGateSize;
  return any_syncs(held_) || any_syncs(coming_) || (extends && buffers.total > 0);
}

// The bytes before the first page that cannot be used make the request; a request of none ends at once.
void Model::start_gate(Context& context, const Iocb& iocb, Request request, const Buffers& buffers, bool write) {
  std::uint64_t length = 0;
  std::uint64_t pages = 0;
  for (const Iovec& segment : buffers.segments) {
    const std::uint64_t usable =
        write ? memory_.readable(segment.base, segment.len) : memory_.writable(segment.base, segment.len);
    length += usable;
    pages += pages_of({segment.base, usable});
    if (usable < segment.len) break;
  }
  const auto offset = static_cast<std::uint64_t>(iocb.offset);
  const bool at_end = !write && offset >= kGateSize;
  if (write && stuck_) return undecided("a write that waits inside io_submit");
  if (buffers.total == 0 || at_end || length == 0) {
    request.rule = at_end ? Req::kReadEndOfFile : write ? Req::kWriteZeroBytes : Req::kReadZeroBytes;
    if (buffers.total > 0 && !at_end) {
      request.rule = write ? Req::kWriteFaultIsResult : Req::kReadFaultIsResult;
      request.res = -kEFAULT;
    }
    if (rules_.wrong(request.rule)) --request.res;
    return complete_now(context, request);
  }
  if (pages > kMostPages) return undecided("a request to the gate file that comes in pieces");
  // A write's bytes are fetched at any time during the call; a read that is held puts its own later.
  if (write || !holding_) use_late(buffers, !write);
  Held held{context.serial, request, buffers, {}};
  held.seen.call = write ? GateCall::kWrite : GateCall::kRead;
  held.seen.offset = offset;
  held.seen.length = length;
  if (write) {
    held.seen.data.resize(length);
    copy_from_user(memory_, buffers, 0, std::as_writable_bytes(std::span(held.seen.data)));
  }
  send(std::move(held));
}

void Model::send(Held held) {
  held.request.due_rule = Req::kHeldDelivers;
  if (holding_) {
    if (is_sync(held.seen.call)) held.request.cpu = seen_->cpu;
    coming_.push_back(std::move(held));
  } else {
    answer(held, kGateMaxRequest, is_sync(held.seen.call) ? seen_->cpu : 0);
  }
}

// The file system answers a request, on the CPU with this index.
void Model::answer(Held& held, std::int64_t wanted, unsigned cpu) {
  Request& request = held.request;
  completing_cpu_ = request.cpu.value_or(cpu);
  request.rule = Req::kHeldResult;
  std::int64_t res = gate_answer(wanted, held.seen.length);
  if (held.seen.call == GateCall::kRead && res > 0) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(res));
    for (std::uint64_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte{gate_byte(held.seen.offset + i)};
    copy_to_user(memory_, held.buffers, 0, bytes, Req::kHeldReadData);
    if (held.forked && !profile_->held_read_pins) {
      for (const Iovec& segment : held.buffers.segments) unknown_memory_.emplace_back(segment.base, segment.len);
    }
  }
  if (held.seen.call == GateCall::kWrite && res >= 0 && res < static_cast<std::int64_t>(held.seen.length)) {
    request.rule = Req::kHeldShortWrite;
    res = -kEIO;
  }
  request.res = rules_.wrong(request.rule) ? res + 1 : res;
  complete_later(*alive(held.context), request);
  completing_cpu_.reset();
}

std::size_t Model::arrivals_due() const {
  const auto waiting = static_cast<std::size_t>(std::count_if(coming_.begin(), coming_.end(), syncs));
  return coming_.size() - waiting + (waiting > 0 && !any_syncs(held_) ? 1 : 0);
}

Model::Expected Model::apply(const Hold&) {
  skips_ = !gate_;
  if (!skips_) holding_ = true;
  return {0, 0, Req::kUserActions};
}

Model::Expected Model::apply(const ReleaseHeld& op) {
  in_kernel_ = true;
  skips_ = held_.empty();
  if (skips_) return {0, 0, Req::kUserActions};
  const auto which = static_cast<std::uint64_t>(op.which.offset) % held_.size();
  const auto cpu = static_cast<std::uint64_t>(op.cpu.offset) % machine_->usable_cpus;
  Held held = std::move(held_[which]);
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
  answer(held, op.result, static_cast<unsigned>(cpu));
  return {0, 0, Req::kUserActions};
}

// What waits for an fsync that is held comes when that has ended, and is answered at once.
Model::Expected Model::apply(const ReleaseAll&) {
  in_kernel_ = true;
  skips_ = !gate_;
  if (skips_) return {0, 0, Req::kUserActions};
  holding_ = false;
  std::vector<Held> all = std::move(held_);
  held_.clear();
  all.insert(all.end(), std::make_move_iterator(coming_.begin()), std::make_move_iterator(coming_.end()));
  coming_.clear();
  for (Held& held : all) answer(held, kGateMaxRequest, 0);
  return {0, 0, Req::kUserActions};
}

void Model::compare_arrivals(const Observation& seen) {
  const std::size_t due = arrivals_due() + (rules_.wrong(Req::kHeldRequestSent) && !coming_.empty() ? 1 : 0);
  for (const GateRequest& request : seen.arrived) {
    if (coming_.empty()) break;
    compare_arrival(request);
    if (done()) return;
  }
  if (seen.arrived.size() != due) {
    const bool lost = seen.arrived.size() < due;
    diverge(Req::kHeldRequestSent, lost ? Kind::kLost : Kind::kEvent,
            std::to_string(due) + " requests at the file system", std::to_string(seen.arrived.size()),
            held_check(0, HeldFact::kCount, held_.size() + due - seen.arrived.size()));
  } else if (due > 0) {
    rules_.exercise(Req::kHeldRequestSent);
  }
}

// Which one it is: its kind tells, then where in the file, then how long it is.
void Model::compare_arrival(const GateRequest& seen) {
  constexpr int kAlike = 4 + 8 + 2 + 1 + 1;
  const auto likeness = [&](const Held& each) {
    return 4 * (is_sync(each.seen.call) == is_sync(seen.call)) + 8 * (each.seen.call == seen.call) +
           2 * (each.seen.offset == seen.offset) + (each.seen.length == seen.length) + (each.seen.data == seen.data);
  };
  // They come in their order mostly, and data is long: all of a batch need not be compared with all.
  const auto is_it = [&](const Held& each) { return likeness(each) == kAlike; };
  auto best = std::find_if(coming_.begin(), coming_.end(), is_it);
  if (best == coming_.end()) {
    best = std::max_element(coming_.begin(), coming_.end(),
                            [&](const Held& a, const Held& b) { return likeness(a) < likeness(b); });
  }
  const auto is_twin = [&](const Held& each) {
    return each.seen.call == best->seen.call &&
           (each.context != best->context || each.request.iocb != best->request.iocb ||
            each.request.data != best->request.data || each.request.resfd != best->request.resfd);
  };
  if (is_sync(best->seen.call) && std::any_of(coming_.begin(), coming_.end(), is_twin)) {
    return undecided("which of several fsyncs has reached the file system cannot be told");
  }
  Held held = std::move(*best);
  coming_.erase(best);
  GateRequest expected = held.seen;
  if (rules_.wrong(Req::kHeldOffset)) ++expected.offset;
  if (rules_.wrong(Req::kHeldLength)) ++expected.length;
  if (rules_.wrong(Req::kHeldDatasync) && is_sync(expected.call)) {
    expected.call = expected.call == GateCall::kFsync ? GateCall::kFdatasync : GateCall::kFsync;
  }
  const std::uint32_t uid = machine_->uid + (rules_.wrong(Req::kHeldCredentials) ? 1 : 0);
  const auto call_name = [](GateCall call) {
    static constexpr const char* kNames[kGateCallCount] = {"a read", "a write", "an fsync", "an fdatasync"};
    return std::string(kNames[static_cast<std::size_t>(call)]);
  };
  const auto check = [&](HeldFact fact, std::uint64_t want) { return held_check(held_.size(), fact, want); };
  const auto differ = [&](Req rule, HeldFact fact, const std::string& what, std::uint64_t want, std::uint64_t got) {
    rules_.exercise(rule);
    if (want == got) return;
    diverge(rule, Kind::kRequest, what + " " + std::to_string(want), what + " " + std::to_string(got),
            check(fact, want));
  };
  if (is_sync(held.seen.call) || is_sync(seen.call)) rules_.exercise(Req::kHeldDatasync);
  if (seen.call != expected.call) {
    const bool both_sync = is_sync(seen.call) && is_sync(held.seen.call);
    diverge(both_sync ? Req::kHeldDatasync : Req::kHeldRequestSent, Kind::kRequest, call_name(expected.call),
            call_name(seen.call), check(HeldFact::kCall, static_cast<std::uint64_t>(expected.call)));
  }
  differ(Req::kHeldOffset, HeldFact::kOffset, "offset", expected.offset, seen.offset);
  differ(Req::kHeldLength, HeldFact::kLength, "length", expected.length, seen.length);
  if (!is_sync(seen.call) || profile_->fsync_as_submitter) {
    differ(Req::kHeldCredentials, HeldFact::kUid, "uid", uid, seen.uid);
    differ(Req::kHeldCredentials, HeldFact::kGid, "gid", machine_->gid, seen.gid);
  }
  if (seen.call == GateCall::kWrite) {
    rules_.exercise(Req::kHeldWriteData);
    if (expected.data != seen.data || rules_.wrong(Req::kHeldWriteData)) {
      diverge(Req::kHeldWriteData, Kind::kRequest, "the bytes of the buffer", "others",
              check(HeldFact::kDataHash, fnv1a(expected.data) + (rules_.wrong(Req::kHeldWriteData) ? 1 : 0)));
    }
  }
  held_.push_back(std::move(held));
}

}  // namespace aio
