// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the model keeps of a context and of what goes on in it: requests, calls inside which lanes sleep, and what
// happened during the current operation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "reference/files.h"
#include "reference/memory.h"
#include "reference/observation.h"
#include "reference/program.h"
#include "reference/quota.h"
#include "reference/verdict.h"

namespace aio {

// One accepted iocb until its event has been seen.
struct Request {
  Address iocb = 0;
  std::uint64_t data = 0;
  Fd fd = Fd::kFile;
  std::optional<Fd> resfd;
  std::uint16_t want = 0;  // poll bits of a pending POLL
  WaitQueue queue;         // on which it waits

  // Once it is due:
  std::int64_t res = 0;
  std::optional<std::int64_t> other_res;      // where the kernel may answer either
  Req rule{};                                 // what decided res
  Req due_rule = Req::kEventForEveryRequest;  // why there must be an event
  Req data_rule = Req::kEventData;            // why it is this request's
  bool certain = true;                        // false: any res
  bool at_return = false;                     // the event is in the ring when the call returns
  bool unknown_cpu = false;                   // which CPU completes it is not known
  std::optional<unsigned> cpu;                // index of the CPU that does, where it is not that of the call
};

// A request that the gate file's file system holds, or is to hold.
struct Held {
  std::uint64_t context = 0;  // its serial
  Request request;
  Buffers buffers;      // where a read puts what it gets
  GateRequest seen;     // what the file system must see, but for its number and the credentials
  bool forked = false;  // the process has forked since
};

// A call inside which a lane sleeps.
struct Sleeper {
  enum class What : std::uint8_t { kGetevents, kDestroy, kSubmit };
  What what = What::kGetevents;
  unsigned lane = 0;
  unsigned cpu = 0;           // index of the CPU to which the lane is pinned
  std::uint64_t context = 0;  // serial
  // io_getevents:
  std::int64_t min_nr = 0;
  std::int64_t nr = 0;
  std::int64_t got = 0;  // events that it has taken
  Address events = 0;
  bool signalled = false;  // it ends now, with what is in the ring
  bool spared = false;     // a signal came now, and it sleeps on
  Req signal_rule{};       // by which it does either
  // io_pgetevents, which is made again where no handler has run:
  std::optional<Pgetevents> call;
  std::vector<std::byte> arguments;   // what it reads through pointers
  std::optional<std::uint64_t> mask;  // in force while it sleeps
  // io_submit, inside a read:
  Request request;
  Buffers buffers;
  Transfer transfer;
  std::int64_t accepted = 0;  // what it returns

  std::int64_t room() const { return nr - got; }
  std::int64_t wants() const { return min_nr - got; }
};

// What happened to one context during the current operation, in the order in which the kernel did it.
struct ScriptStep {
  enum class What : std::uint8_t {
    kTake,      // iocb `index` got a slot
    kDenied,    // iocb `index` did not
    kGiveBack,  // it failed after it had got one
    kComplete,  // Context::due[index] was completed
    kLaunch,    // Context::due[index] may complete from here on
  };
  What what;
  std::size_t index = 0;
};

struct Context {
  Address id = 0;
  std::uint64_t serial = 0;  // of this case's contexts; ids come again
  std::uint32_t index = 0;   // in the table of contexts, which is the ring's id word
  std::uint32_t nr = 0;      // what it counts for in aio-nr
  Geometry geometry;
  std::vector<std::byte> ring;   // the mapping as it must look
  std::uint32_t tail = 0;        // the kernel's own tail
  std::vector<Request> pending;  // POLL requests, oldest first
  std::vector<Slots> candidates;
  QuotaHistory history;
  bool history_exact = true;
  bool widened = false;  // too many candidates: only the bound of section B is left
  // Which rule last decided each word of the header, for the name of a difference.
  Req head_rule{};
  Req tail_rule{};
  bool tail_is_users = false;
  bool head_is_users = false;
  MapAction access = MapAction::kOpen;  // the mapping's protection: kHide, kFreeze or kOpen
  bool locked = false;                  // the user has called mlock
  // By a quirk nobody sees the ring: `ring` is only ours, and gets its events when a call hands them out.
  bool ringless = false;
  std::vector<Request> unseen;  // that were to complete by now
  Address handed_to = 0;        // where the current call puts the event that is compared
  std::size_t shown = 0;        // so many of `unseen` are there for sure: a call has failed to copy them

  // Of the current operation:
  std::vector<ScriptStep> script;
  std::vector<Request> due;
  std::vector<std::uint32_t> takes;  // by waiters, in the order of the ring: how many events each pass over it took

  RingHeader header() const;
  void set_header(const RingHeader& header);
  Event event(std::uint32_t slot) const;
  void set_event(std::uint32_t slot, const Event& event);
};

}  // namespace aio
