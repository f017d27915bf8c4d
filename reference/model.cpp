// SPDX-License-Identifier: GPL-2.0-or-later
//
// The step function: one operation, applied and judged. The rules themselves are in model_*.cpp.
#include "reference/model.h"

#include <algorithm>

#include "reference/fields.h"
#include "reference/resolve.h"
#include "reference/stores.h"

namespace aio {

RingHeader Context::header() const {
  RingHeader header;
  std::memcpy(&header, ring.data(), sizeof(header));
  return header;
}

void Context::set_header(const RingHeader& header) { std::memcpy(ring.data(), &header, sizeof(header)); }

Event Context::event(std::uint32_t slot) const {
  Event event;
  std::memcpy(&event, ring.data() + sizeof(RingHeader) + std::size_t{slot} * sizeof(Event), sizeof(event));
  return event;
}

void Context::set_event(std::uint32_t slot, const Event& event) {
  std::memcpy(ring.data() + sizeof(RingHeader) + std::size_t{slot} * sizeof(Event), &event, sizeof(event));
}

Model::Model(const Profile& profile, const Machine& machine, const Rules& rules, const Quirks* quirks)
    : profile_(&profile), machine_(&machine), rules_(rules), quirks_(quirks), files_(profile, machine) {
  memory_.corrupt(rules.mutant());
}

void Model::begin_case(const std::bitset<kFdCount>& descriptors, bool stepped) {
  for (const Context& context : contexts_) foreign_.push_back(context.id);
  contexts_.clear();
  former_ids_.clear();
  positions_.fill(0);
  next_area_ = 0;
  holding_ = false;
  coming_.clear();
  held_.clear();
  stepped_ = stepped;
  lane_ = 0;
  sleepers_.clear();
  handlers_ = {};
  dying_.clear();
  lost_.clear();
  child_ = {};
  entry_ = EntryKind::kNative;
  memory_.reset();
  files_.reset(descriptors);
  gate_ = files_.number_open(Fd::kGate);
}

namespace {

// Tells the memory all addresses that an operation hands to the kernel.
struct AddressNamer {
  const Memory& memory;

  template <class T>
  void operator()(const char*, const AddressField<T>& address) const {
    memory.name(address.value);
  }
  template <class T>
  void operator()(const char*, const std::vector<T>& elements) const {
    for (const T& element : elements) visit_fields(element, *this);
  }
  template <class Other>
  void operator()(const char*, const Other&) const {}
};

// By which rule to say that a call is not there: one for each call, whatever it was asked.
std::optional<Req> name_of_missing(const Operation& operation) {
  if (std::holds_alternative<Setup>(operation)) return Req::kSetupSucceeds;
  if (std::holds_alternative<Destroy>(operation)) return Req::kDestroySucceeds;
  if (std::holds_alternative<Submit>(operation)) return Req::kSubmitCounts;
  if (std::holds_alternative<Getevents>(operation)) return Req::kGeteventsTakes;
  if (std::holds_alternative<Pgetevents>(operation)) return Req::kPgeteventsAsGetevents;
  if (std::holds_alternative<Cancel>(operation)) return Req::kCancelInProgress;
  // The user cannot write to the ring.
  if (std::holds_alternative<RingStore>(operation) || std::holds_alternative<Reap>(operation) ||
      std::holds_alternative<RingMap>(operation)) {
    return Req::kRingWordsKept;
  }
  return std::nullopt;
}

// Errors other than the right one, for rules that are to be wrong.
int wrong_error(int error) { return error == kEFAULT ? kEINVAL : kEFAULT; }

}  // namespace

const char* Model::refuses(const Operation& operation) const {
  const std::uint64_t ctx = context_argument(operation);
  const bool foreign = std::find(foreign_.begin(), foreign_.end(), ctx) != foreign_.end();
  if (foreign && ctx != 0) return "the operation names a context of an earlier case";
  if (const char* const reason = refuses_quirk(operation)) return reason;
  if (child_.would_take(operation)) return nullptr;
  if (const auto* map = std::get_if<RingMap>(&operation)) return refuses_map(*map);
  if (!gate_ && !stepped_) return nullptr;
  if (!stepped_ && std::holds_alternative<Destroy>(operation) && destroy_waits(ctx)) {
    return "io_destroy would wait for requests that nobody releases";
  }
  if (const auto* submit = std::get_if<Submit>(&operation)) return refuses_submit(*submit);
  return stepped_ ? refuses_step(operation) : nullptr;
}

void Model::store(const Operation& operation) {
  user_stores(
      operation, [this](Address at, std::span<const std::byte> bytes) { memory_.store(at, bytes); }, entry_);
}

Model::Expected Model::fail(Req rule, int error) { return {-1, rules_.wrong(rule) ? wrong_error(error) : error, rule}; }

Model::Expected Model::value(Req rule, std::int64_t result) {
  return {rules_.wrong(rule) ? result + 1 : result, 0, rule};
}

std::vector<Model::Due> Model::begin(const Operation& operation, const Observation& observation) {
  seen_ = &observation;
  verdict_ = {};
  aio_nr_change_.reset();
  destroyed_.reset();
  least_ns_ = 0;
  waited_ = false;
  stuck_ = false;
  data_.reset();
  data_rule_ = Req::kUserActions;
  signals_follow_ = false;
  skips_ = false;
  unknown_memory_.clear();
  late_signals_.clear();
  late_ = false;
  files_.forget_hung_up();
  direct_requests_ = 0;
  late_buffers_.clear();
  in_kernel_ = is_system_call(operation);
  returns_rule_ = returns_by(operation);
  counter_rule_ = Req::kCountersOnlyByRules;
  file_rule_ = Req::kFilesOnlyByRules;
  memory_.forget_use();
  returns_.clear();
  destroyed_waiters_.clear();
  destroyed_events_.clear();
  judged_returns_.reset();
  for (Sleeper& each : sleepers_) each.spared = false;
  blocked_.reset();
  blocks_oddly_ = false;
  for (Context& context : contexts_) {
    context.script.clear();
    context.due.clear();
    context.takes.clear();
  }
  in_child_ = child_.take(operation);
  restores_mask_ =
      std::holds_alternative<Pgetevents>(operation) && profile_->has_pgetevents && !in_child_ && !observation.asleep;
  // A child's memory is its own, but for the rings.
  std::optional<Memory> parents;
  if (in_child_) {
    parents = memory_;
    for (Held& held : held_) held.forked = true;
  }
  store(operation);
  if (in_kernel_) std::visit([this](const auto& op) { visit_fields(op, AddressNamer{memory_}); }, operation);
  if (quirks_ != nullptr) missing_rule_ = name_of_missing(operation);
  keep_for_undo();
  const Expected expected = std::visit(
      [this](const auto& op) -> Expected {
        using Op = std::remove_cvref_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, Setup>) {
          return setup(op);
        } else if constexpr (std::is_same_v<Op, Destroy>) {
          return destroy(op);
        } else if constexpr (std::is_same_v<Op, Submit>) {
          return submit(op);
        } else if constexpr (std::is_same_v<Op, Getevents>) {
          return getevents(op);
        } else if constexpr (std::is_same_v<Op, Pgetevents>) {
          return pgetevents(op);
        } else if constexpr (std::is_same_v<Op, Cancel>) {
          return cancel(op);
        } else if constexpr (std::is_same_v<Op, Store>) {
          return {0, 0, Req::kUserActions};
        } else {
          return apply(op);
        }
      },
      operation);
  decided_by_ = expected.rule;
  if (parents) memory_ = std::move(*parents);
  in_child_ = false;
  // Files that the call used last are let go as it ends, some by a worker still later.
  go_on();
  if (!rehearsal_ && !done()) compare_result(observation, expected);
  std::vector<Due> due;
  for (const Context& context : contexts_) {
    if (context.due.empty() || context.ringless) continue;
    const auto count = static_cast<std::uint32_t>(context.due.size());
    due.push_back({context.id, (context.tail + count) % context.geometry.ring_size});
    if (context.due.size() >= context.geometry.ring_size) undecided("a whole ring of events in one call");
    const bool hidden = context.header().tail == due.back().tail;
    const bool late =
        std::any_of(context.due.begin(), context.due.end(), [](const Request& r) { return !r.at_return; });
    if (late && hidden) undecided("the tail that the user wrote hides when an event comes");
  }
  if (files_.socket_near_limit()) undecided("the program fills a socket buffer");
  // Nothing more is judged: nothing is worth waiting for.
  if (done()) due.clear();
  return due;
}

// Whether it is worth trying on a copy if the call waits: too few events, and a timeout that is not plainly zero.
template <class Wait>
bool Model::may_wait(const Wait& wait) const {
  const std::int64_t wanted = wait.min_nr.offset;
  if (wanted <= 0 || (wait.timeout != arena::kNull && wait.sec == 0 && wait.nsec == 0)) return false;
  for (const Context& context : contexts_) {
    if (context.id != static_cast<std::uint64_t>(wait.ctx.offset)) continue;
    const RingHeader header = context.header();
    const std::uint32_t size = context.geometry.ring_size;
    return header.head == header.tail || (header.tail % size + size - header.head % size) % size < wanted;
  }
  return false;
}

template bool Model::may_wait(const Getevents& wait) const;
template bool Model::may_wait(const Pgetevents& wait) const;

bool Model::may_wait(const Submit& submit) const {
  // Pointers of an earlier call may name iocbs that this one does not write.
  const bool stored =
      submit.list == arena::kPointers && submit.nr.offset <= static_cast<std::int64_t>(pointers_stored(submit));
  if (!stored) return true;
  std::size_t moving = 0;
  bool may = false;
  for (const IocbSpec& spec : submit.iocbs) {
    if (spec.opcode == kPoll || spec.opcode == kFsync || spec.opcode == kFdsync) continue;
    if (!Files::blocks(spec.fd) || (spec.rw_flags & kRwfNowait) != 0) continue;
    ++moving;
    const bool write = is_write(spec.opcode);
    // The iovecs in memory may be others than those that this iocb stores.
    may = may || files_.may_wait(spec.fd, write, spec.opcode == kPwritev ? UINT64_MAX : spec.nbytes);
  }
  // What one of several takes or fills, or the same one before, another may find so.
  const bool alone = moving == 1 && submit.iocbs.size() == 1 && submit.nr.offset == 1;
  return moving > 0 && (may || !alone);
}

bool Model::waits(const Operation& operation) {
  // It has no context to wait for.
  if (child_.would_take(operation)) return false;
  if (const auto* destroy = std::get_if<Destroy>(&operation)) {
    return stepped_ && destroy_waits(static_cast<std::uint64_t>(destroy->ctx.offset));
  }
  if (const auto* submit = std::get_if<Submit>(&operation)) return may_wait(*submit) && rehearse(operation).waited_;
  const auto* get = std::get_if<Getevents>(&operation);
  const auto* pget = std::get_if<Pgetevents>(&operation);
  if ((get == nullptr || !may_wait(*get)) && (pget == nullptr || !may_wait(*pget))) return false;
  store(operation);
  waited_ = false;
  rehearsal_ = true;
  get != nullptr ? getevents(*get) : pgetevents(*pget);
  rehearsal_ = false;
  return waited_;
}

// What an io_submit does to files decides if a later one of its iocbs waits, so it is tried on a copy.
const Model& Model::rehearse(const Operation& submit) const {
  if (rehearsal_room_.model) {
    *rehearsal_room_.model = *this;
  } else {
    rehearsal_room_.model = std::make_unique<Model>(*this);
  }
  Model& rehearsal = *rehearsal_room_.model;
  rehearsal.rehearsal_ = true;
  Observation nothing;
  nothing.result = INT64_MAX;
  rehearsal.begin(submit, nothing);
  return rehearsal;
}

Req Model::returns_by(const Operation& operation) const {
  if (std::holds_alternative<Getevents>(operation) || std::holds_alternative<Pgetevents>(operation)) {
    return Req::kGeteventsReturns;
  }
  if (quirks_ != nullptr && !is_system_call(operation)) return Req::kUserActions;
  return std::holds_alternative<Destroy>(operation) ? Req::kDestroyReturns : Req::kCallsReturn;
}

Verdict Model::judge(const Observation& observation) {
  seen_ = &observation;
  if (!done()) compare_rings(observation);
  if (!done()) compare_destroyed_waiters();
  if (!done()) compare_returns(observation);
  if (!done()) compare_handlers(observation);
  if (!done()) compare_arrivals(observation);
  // What anything else does to memory shows after the next system call.
  if (!done() && in_kernel_) compare_memory(observation, false);
  if (!done()) compare_counters(observation);
  if (!done()) compare_files(observation);
  if (!done()) compare_aio_nr(observation);
  if (!done()) compare_left_over(observation);
  return verdict_;
}

std::vector<Fd> Model::peers(const Program& program) const {
  std::vector<Fd> found;
  const bool forward = program.operations.size() % 2 == 0;
  for (const auto& [first, second] :
       {std::pair{Fd::kPipeRead, Fd::kPipeWrite}, std::pair{Fd::kNbPipeRead, Fd::kNbPipeWrite},
        std::pair{Fd::kSocket0, Fd::kSocket1}}) {
    const Fd peer = forward ? first : second;
    if (files_.number_open(peer) && files_.end_will_show(peer)) found.push_back(peer);
  }
  return found;
}

Verdict Model::finish(const Observation& observation) {
  verdict_ = {};
  memory_.forget_use();
  seen_ = &observation;
  for (Context& context : contexts_) {
    context.script.clear();
    context.due.clear();
    note_quota_exercised(context);
  }
  compare_rings(observation);
  if (!done()) compare_arrivals(observation);
  if (!done()) compare_memory(observation, true);
  counter_rule_ = Req::kCountersOnlyByRules;
  if (!done()) compare_counters(observation);
  if (!done()) compare_files(observation);
  for (const PeerView& peer : observation.peers) {
    if (done()) break;
    if (peer.end_seen == rules_.wrong(Req::kFilesNotLeaked)) {
      diverge(Req::kFilesNotLeaked, Kind::kLost, "the other side of " + std::string(fd_name(peer.fd)) + " sees the end",
              "a reference to the file is left");
    }
    rules_.exercise(Req::kFilesNotLeaked);
  }
  return verdict_;
}

}  // namespace aio
