// SPDX-License-Identifier: GPL-2.0-or-later
//
// The reference model: what a kernel of one release may answer to a program. It is stepped beside the kernel, one
// operation at a time:
//
//     model.begin(operation, observation)   what the call did to files, memory and requests; which events are due
//     (the driver waits until the due events are in the rings and observes again)
//     model.judge(observation)              compares everything
//
// Everything that the kernel is free to choose is taken from the observation: where a ring lies, and in which order
// outstanding requests complete. What it is not free to choose is compared. The only state of which the model keeps a
// set of candidates is each context's quota; all else follows from what was seen.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reference/context.h"
#include "reference/coverage.h"
#include "reference/files.h"
#include "reference/memory.h"
#include "reference/observation.h"
#include "reference/program.h"
#include "reference/quirks.h"
#include "reference/verdict.h"

namespace aio {

class Model {
 public:
  // All but the rules must outlive the model and its copies. With quirks, if only none so far, the state can be
  // followed where the kernel has one (quirks.h).
  Model(const Profile& profile, const Machine& machine, const Rules& rules = {}, const Quirks* quirks = nullptr);

  // A new case in the same process, with these descriptors open: contexts of earlier cases keep their ids. With lanes
  // (is_stepped()) a call that waits sleeps until another lane's operation ends it; otherwise signals end it.
  void begin_case(const std::bitset<kFdCount>& descriptors, bool stepped = false);
  // What is due in a ring: its tail word must become `tail`.
  struct Due {
    Address ring = 0;
    std::uint32_t tail = 0;
  };
  // How many requests must reach the gate file during the current operation.
  std::size_t arrivals_due() const;
  // How many are kept from it by one that it holds.
  std::size_t unsent() const { return coming_.size(); }
  // Ends of pipes and sockets that must see during the current operation that their other side was closed.
  const std::vector<Fd>& ends_due() const { return files_.hung_up(); }
  // A reason (a constant) not to run the operation at all, or nullptr: it names a context of an earlier case, or would
  // wait where no signal reaches it.
  const char* refuses(const Operation& operation) const;
  // Whether the operation is not made because its lane sleeps inside a call.
  bool skips_lane(const Operation& operation) const;
  // Whether the call, which comes next, ends by what another lane does, or by a signal alone.
  bool waits(const Operation& operation);
  // The rule by which the call returns; what a hang would break.
  Req returns_by(const Operation& operation) const;
  std::vector<Due> begin(const Operation& operation, const Observation& observation);
  // Whether all calls that the operation ends have returned, as far as this observation tells.
  bool lanes_settled(const Observation& observation) const;
  // How many lanes wait for events of one context, at most.
  std::size_t most_waiters() const;
  // What ends a call inside which a lane still sleeps; none if no lane does.
  std::optional<Operation> loose_end() const;
  // Whether requests may complete of which the eventfds alone tell.
  bool completes_unseen() const { return stepped_ || !lost_.empty() || has_ringless(); }
  // Whether the eventfds' counters are what they must be, as they may lag behind the rings; where no ring tells when
  // requests are done, also what these have written.
  bool effects_show(const Observation& observation) const;
  // Whether what the operation began ends at a time that nothing tells, though soon.
  bool ends_unseen() const;
  Verdict judge(const Observation& observation);

  // After the last operation: which ends of pipes and sockets must see the end of their other side once everything
  // else is closed; then the judgement of that.
  std::vector<Fd> peers(const Program& program) const;
  Verdict finish(const Observation& observation);

  const Rules& rules() const { return rules_; }
  // For people to look at, after judge(): the contexts that live, and the requests in flight of one of them.
  const std::vector<Context>& contexts() const { return contexts_; }
  std::vector<Request> in_flight(const Context& context) const;
  // Appends the abstract state of each context, also of those that no call finds any more, as seen from this CPU.
  void survey(unsigned cpu, std::vector<ContextSurvey>& into) const;
  // The rule that decided what the latest operation returned.
  Req decided_by() const { return decided_by_; }

 private:
  // The copy on which waits() tries an io_submit, kept for its storage. A copy has no such copy.
  struct RehearsalRoom {
    RehearsalRoom() = default;
    RehearsalRoom(const RehearsalRoom&) {}
    RehearsalRoom& operator=(const RehearsalRoom&) { return *this; }
    std::unique_ptr<Model> model;
  };
  struct LateBuffer {
    Iovec segment;
    bool written = false;  // or else read
  };
  struct Expected {
    std::int64_t result = 0;
    int error = 0;
    Req rule{};
    bool asleep = false;  // the call does not return now
  };
  // How a call ends: rules decide it, wrong rules decide it wrongly.
  Expected fail(Req rule, int error);
  Expected value(Req rule, std::int64_t result);

  void store(const Operation& operation);
  template <class Wait>
  bool may_wait(const Wait& wait) const;
  bool may_wait(const Submit& submit) const;
  const Model& rehearse(const Operation& submit) const;
  const char* refuses_map(const RingMap& map) const;
  // model_context.cpp
  Expected setup(const Setup& op);
  Expected destroy(const Destroy& op);
  void create_context(const Setup& op, std::uint32_t nr);
  std::uint32_t take_index();
  Context* find(std::uint64_t id);
  // Of a context that lives, whether or not a call finds it; nullptr once it is gone.
  Context* alive(std::uint64_t serial);
  const Context* alive(std::uint64_t serial) const { return const_cast<Model*>(this)->alive(serial); }
  // The context that the kernel would find, or the failure.
  Context* lookup(std::uint64_t id, Req unknown, Expected& failure);
  // model_submit.cpp
  Expected submit(const Submit& op);
  Expected submit_sleeps(std::int64_t index, std::int64_t limit);
  Expected submit_stopped(Context& context, std::int64_t accepted, std::int64_t limit, const Submit& op);
  std::optional<Expected> read_iocb(Address list, std::int64_t index, Address& pointer, Iocb& iocb);
  Expected bad_fd(Fd fd);
  // The checks that follow once a slot was taken; if they all pass and `start`, the request starts.
  std::optional<Expected> run_iocb(Context& context, Address pointer, const Iocb& iocb, bool start);
  // model_rw.cpp
  std::optional<Expected> check_rw(const Iocb& iocb, Fd fd, bool write, Buffers& buffers);
  std::optional<Expected> check_ioprio(const Iocb& iocb);
  std::optional<Expected> check_rw_flags(const Iocb& iocb, Fd fd, bool write);
  std::optional<Expected> import_buffers(const Iocb& iocb, Buffers& buffers);
  bool unsure_transfer(Fd fd, const Buffers& buffers, bool write);
  void use_late(const Buffers& buffers, bool writes);
  bool shares_late_buffer(const Buffers& buffers, bool writes) const;
  std::optional<Expected> start_rw(Context& context, const Iocb& iocb, Request request, bool write, bool start);
  std::optional<Expected> start_fsync(Context& context, const Iocb& iocb, Request request, bool start);
  std::optional<Expected> start_poll(Context& context, const Iocb& iocb, Request request, bool start);
  // model_events.cpp
  Expected getevents(const Getevents& op);
  Expected pgetevents(const Pgetevents& op);
  Expected wait_events(std::uint64_t id, std::int64_t min_nr, std::int64_t nr, Address events,
                       std::optional<Timespec> timeout, Req unknown);
  std::int64_t read_ring(Context& context, Address events, std::int64_t nr, Req& rule);
  Expected cancel(const Cancel& op);
  // model_user.cpp
  Expected apply(const RingStore& op);
  Expected apply(const Reap& op);
  Expected apply(const Move& op);
  Expected apply(const FdWrite& op);
  Expected apply(const FdRead& op);
  Expected apply(const FdClose& op);
  Expected apply(const Expire& op);
  // model_entries.cpp
  Expected apply(const Through& op);
  bool is_compat() const { return entry_ == EntryKind::kCompat; }
  // What lies in memory as the entry reads it; nothing where it cannot be read.
  std::optional<Address> read_pointer(Address list, std::int64_t index) const;
  std::optional<Timespec> read_timeout(Address at) const;
  std::optional<AioSigset> read_sigset(Address at) const;
  std::optional<std::uint64_t> read_variable(Address at) const;
  // How many of so many segments can be read; `into` has them.
  std::uint64_t read_segments(Address at, std::vector<Iovec>& into) const;
  // What the entry makes of it before the kernel looks at it; or the failure.
  std::optional<Expected> pass_sigset(AioSigset& sigset);
  // Whether libaio answers a call that collects events without making it.
  bool library_answers(std::uint64_t id, Address timeout) const;
  // model_mapping.cpp
  Expected apply(const RingMap& op);
  Expected apply(const InChild&) { return {0, 0, Req::kUserActions}; }
  Expected move_ring(Context& context);
  void unmap_ring(Context& context, Req rule);
  void forget_id(Address id);
  // model_gate.cpp
  void start_gate(Context& context, const Iocb& iocb, Request request, const Buffers& buffers, bool write);
  bool gate_blocks(const Iocb& write, const Buffers& buffers) const;
  void send(Held held);
  void answer(Held& held, std::int64_t wanted, unsigned cpu);
  Expected apply(const Hold& op);
  Expected apply(const ReleaseHeld& op);
  Expected apply(const ReleaseAll& op);
  void compare_arrivals(const Observation& observation);
  void compare_arrival(const GateRequest& seen);
  // A read(2) or write(2) of the user that poll let through; `size` bytes are in `own`, at arena::kBuffers.
  Outcome plain_transfer(Fd fd, Memory& own, std::uint64_t size, bool write);
  // model_lanes.cpp
  Expected apply(const InLane& op);
  Expected apply(const Interrupt& op);
  // What a signal does to a call that sleeps, and by which rule.
  struct Effect {
    Req rule{};
    bool ends = false;
  };
  Effect effect_of(SignalKind kind, const Sleeper& sleeper) const;
  void note_handlers(SignalKind kind, const Effect& effect, unsigned lane);
  std::vector<std::byte> arguments_of(const Pgetevents& call) const;
  bool has_events(const Sleeper& sleeper) const;
  const char* refuses_stop() const;
  void compare_handlers(const Observation& observation);
  Expected fall_asleep(Sleeper sleeper, Req rule);
  bool destroy_waits(std::uint64_t ctx) const;
  const char* refuses_submit(const Submit& submit) const;
  const char* refuses_step(const Operation& operation) const;
  const char* refuses_wait(std::uint64_t ctx, std::int64_t min_nr, std::int64_t nr, Address events) const;
  bool in_flight(std::uint64_t serial) const;
  bool is_inside_submit(std::uint64_t serial) const;
  void cancel_pending(Context& context);
  void end_waits(const Context& destroyed);
  bool resume_read(const Sleeper& sleeper);
  void go_on();
  void compare_returns(const Observation& observation);
  // model_waiters.cpp
  std::vector<Sleeper*> waiters_of(std::uint64_t serial);
  bool waiters_settled(const Context& context, const Observation& observation) const;
  bool ends_wait(std::int64_t wants, std::int64_t left) const;
  bool distribute(const std::vector<Sleeper*>& waiters, const std::vector<Event>& events,
                  std::vector<std::int64_t>& takes);
  void compare_waiters(Context& context, const RingHeader& seen, std::uint32_t tail);
  void compare_asleep(const Sleeper& waiter, std::int64_t took, std::int64_t left, bool alone);
  void compare_waiter(const Sleeper& waiter, std::int64_t took, std::int64_t left, bool alone);
  void compare_return(const LaneReturn& seen, const Expected& expected);
  void compare_destroyed_waiters();
  std::vector<std::byte> seen_bytes(Address at, std::uint64_t size) const;
  // Completions: model_complete.cpp
  void complete_now(Context& context, Request request);
  void add_due(Context& context, const Request& request);
  void complete_later(Context& context, Request request);
  // Of a context without a ring, by the rule that it signals its eventfd all the same.
  void complete_unseen(const Request& request, Req rule);
  void signal_resfd(const Request& request);
  void deliver_wakes();
  bool wakes(const Wake& wake, Request& request);
  void wake_pending(const Wake& wake);
  void wake_pending(Context& context, const Wake& wake);
  bool reads_late_signal(Fd fd) const;
  // model_quota.cpp
  struct Foresight {
    bool grants = false;
    bool denies = false;
  };
  Foresight next_slot(const Context& context) const;
  Req blame_denial(const Context& context) const;
  void run_quota(Context& context, const std::vector<std::size_t>& order, std::uint32_t head);
  void note_quota_exercised(const Context& context);
  // model_judge.cpp
  void compare_result(const Observation& observation, const Expected& expected);
  void compare_rings(const Observation& observation);
  void compare_ring(Context& context, const RingView& view);
  // Which due request each new event belongs to, in the order of the ring.
  std::vector<std::size_t> assign_events(const Context& context, const std::vector<Event>& events) const;
  bool compare_event(Context& context, const Request& request, std::uint32_t slot, const Event& seen);
  // model_judge_state.cpp
  void compare_memory(const Observation& observation, bool whole);
  void compare_counters(const Observation& observation);
  void compare_files(const Observation& observation);
  void compare_aio_nr(const Observation& observation);
  // Signal mask and mapping.
  void compare_left_over(const Observation& observation);
  std::optional<Check> variable_check(Address id) const;
  bool writes_show(const Observation& observation) const;
  bool files_show(const Observation& observation) const;
  // model_coverage.cpp
  AbstractState state_of(const Context& context, unsigned cpu, AbstractState::Life life) const;
  // model_quirks.cpp
  bool is_quirk(Req rule, Kind kind) const { return quirks_ != nullptr && quirks_->has({rule, kind}); }
  void keep_for_undo();
  const char* refuses_quirk(const Operation& operation) const;
  void undo();
  void adopt_result(const Observation& seen, const Expected& expected);
  Req refused_rule(const Iocb& iocb, std::int64_t nr) const;
  bool stopped_short(const Context& context, Address events, std::int64_t min_nr, std::int64_t got,
                     std::int64_t until_ns) const;
  Req read_rule(Fd fd) const;
  bool has_ringless() const;
  void keep_unseen(Context& context);
  void hand_over(Context& context, Address events, std::int64_t nr);
  void take_back(Context& context) const;
  void require_order(const Context& context);
  // The rest of the program cannot be judged.
  void undecided(const char* reason);
  void diverge(Req rule, Kind kind, std::string expected, std::string seen, std::optional<Check> check = std::nullopt);
  bool done() const { return verdict_.divergence.has_value() || verdict_.lost_track; }
  const RingView* view_of(const Observation& observation, Address id) const;

  const Profile* profile_;
  const Machine* machine_;
  Rules rules_;
  const Quirks* quirks_ = nullptr;
  RehearsalRoom before_;  // the call, but after the user's stores; only with quirks
  Memory memory_;
  Files files_;
  std::vector<Context> contexts_;
  std::vector<bool> ids_;         // the table of contexts of this process: which indices are taken
  std::vector<Address> foreign_;  // contexts of earlier cases
  // Addresses that were ids in this case, and why they are none any more.
  struct FormerId {
    Address id = 0;
    Req rule{};
  };
  std::vector<FormerId> former_ids_;
  std::array<std::uint64_t, kFdCount> positions_{};  // file offsets of the descriptors themselves
  std::size_t next_area_ = 0;                        // of memory, to be compared in its turn
  bool gate_ = false;                                // the case began with the gate file open
  bool holding_ = false;                             // the gate file keeps what comes from here on
  std::vector<Held> coming_;                         // on their way to it
  std::vector<Held> held_;                           // by it, in the order of their coming
  bool stepped_ = false;                             // the case has lanes
  unsigned lane_ = 0;                                // whose operations come
  std::vector<Sleeper> sleepers_;
  // Handlers of signals that come while a lane sleeps.
  struct Handlers {
    unsigned ran = 0;         // during the call
    std::uint64_t later = 0;  // signals whose handlers run at its end
    bool kept_out = false;    // by its mask, one of them
    bool masks = false;       // the call is an io_pgetevents
  };
  std::array<Handlers, kLanes> handlers_{};
  std::vector<Context> dying_;  // that an io_destroy waits for
  std::vector<Context> lost_;   // whose ring was unmapped
  ChildTurn child_;
  EntryKind entry_ = EntryKind::kNative;  // through which calls are made
  std::uint64_t next_serial_ = 1;

  // Of the current operation:
  const Observation* seen_ = nullptr;
  bool in_kernel_ = true;  // it is a system call of AIO
  bool in_child_ = false;  // a child makes it
  Verdict verdict_;
  Req counter_rule_{};
  Req file_rule_{};
  Req aio_nr_rule_{};
  std::optional<std::int64_t> aio_nr_change_;
  std::optional<Address> destroyed_;  // ring of the context that the call destroyed
  bool restores_mask_ = false;        // the call is an io_pgetevents that has returned
  std::uint64_t least_ns_ = 0;
  bool waited_ = false;     // the call ended only by a signal, or sleeps
  bool stuck_ = false;      // the call waits where no signal reaches it
  bool rehearsal_ = false;  // waits() tries an operation: nothing is to change
  mutable RehearsalRoom rehearsal_room_;
  // Calls that another lane's operation ends.
  struct Return {
    LaneReturn seen;
    Req rule{};
  };
  std::vector<Return> returns_;
  std::vector<Sleeper> destroyed_waiters_;
  std::vector<Event> destroyed_events_;         // that were in their ring
  std::bitset<kLanes> judged_returns_;          // lanes
  std::optional<Sleeper> blocked_;              // the read inside which the io_submit sleeps
  bool blocks_oddly_ = false;                   // it would sleep where what comes then cannot be told
  Req returns_rule_{};                          // why the call returns
  Req decided_by_{};                            // what it returns
  std::optional<Req> missing_rule_;             // of a call that may not be there: by what to name that
  bool skips_ = false;                          // the user's action is not made
  std::optional<std::vector<std::byte>> data_;  // what an FdRead must have got
  Req data_rule_{};                             // why
  bool signals_follow_ = false;                 // events were handed out whose eventfds may be signalled after them
  std::vector<std::pair<Address, std::uint64_t>> unknown_memory_;  // left to the kernel: adopt what is seen
  bool late_ = false;                                              // within a completion at an unknown time
  std::vector<Fd> late_signals_;  // eventfds that an asynchronous completion of this call signals at any time
  unsigned direct_requests_ = 0;
  std::vector<LateBuffer> late_buffers_;    // that requests of this call use at any time
  std::optional<unsigned> completing_cpu_;  // index of the CPU that completes requests now, if not the call's
};

// "EINVAL (22)" or the number.
std::string result_text(std::int64_t result, int error);

}  // namespace aio
