// SPDX-License-Identifier: GPL-2.0-or-later
//
// Swarms: which features one random program uses, and how often. Leaving features out at random
// reaches deeper states than using all of them everywhere: a ring fills only where nothing reaps.
#pragma once

#include <array>
#include <cstdint>

#include "properties/dice.h"
#include "reference/entry_kind.h"
#include "reference/zoo.h"

namespace aio {

enum class Call : unsigned { kSubmit, kGetevents, kPgetevents, kCancel, kSetup, kDestroy };
inline constexpr unsigned kCallCount = 6;

enum class Deed : unsigned {
  kRingStore,
  kReap,
  kMove,
  kFdWrite,
  kFdRead,
  kFdClose,
  kStore,
  kGate,
  kRingMap,
  kInChild,
  kThrough
};
inline constexpr unsigned kDeedCount = 11;

// Opcodes that exist, in the order of Swarm::opcodes.
enum class RequestKind : unsigned { kPread, kPwrite, kPreadv, kPwritev, kFsync, kFdsync, kPoll };
inline constexpr unsigned kRequestCount = 7;

// Classes of bad or unusual arguments.
enum class Fault : unsigned {
  kContext,
  kCount,  // io_submit's nr
  kList,   // io_submit's pointer array
  kIocb,   // an iocb's address
  kOpcode,
  kFd,
  kBuffer,
  kLength,
  kOffset,
  kRwFlags,
  kResfd,
  kPriority,
  kReserved,
  kSegments,    // of a vectored request
  kMustBeZero,  // fields that FSYNC and POLL want to be zero
  kPollMask,
  kEvents,
  kTimeout,
  kRange,  // min_nr and nr of io_getevents
  kSigset,
};
inline constexpr unsigned kFaultCount = 20;
constexpr std::uint32_t fault_bit(Fault fault) { return 1u << static_cast<unsigned>(fault); }

// What may be wrong with io_submit itself, with io_getevents and io_pgetevents, and with an iocb.
inline constexpr std::uint32_t kSubmitFaults =
    fault_bit(Fault::kContext) | fault_bit(Fault::kCount) | fault_bit(Fault::kList);
inline constexpr std::uint32_t kWaitFaults = fault_bit(Fault::kContext) | fault_bit(Fault::kEvents) |
                                             fault_bit(Fault::kTimeout) | fault_bit(Fault::kRange) |
                                             fault_bit(Fault::kSigset);

struct Swarm {
  std::array<unsigned, kCallCount> calls{};        // weights
  std::array<unsigned, kDeedCount> deeds{};        // weights; all 0: no user actions
  std::array<unsigned, kRequestCount> requests{};  // weights
  unsigned deed_percent = 0;                       // operations that are no system call
  std::array<unsigned, kFdCount> fds{};            // weights
  std::uint32_t faults = 0;                        // bit 1 << Fault
  unsigned fault_percent = 0;                      // calls and iocbs that get one of `faults`
  unsigned fill_percent = 0;                       // io_submits that fill the ring
  unsigned resfd_percent = 0;
  unsigned priority_percent = 0;
  unsigned rw_flags_percent = 0;
  unsigned contexts = 1;  // how many are set up at first
  unsigned blocking = 0;  // calls that may block until the driver interrupts them
  bool destroys = false;  // a live context is destroyed
  bool hostile = false;   // user space scribbles on ring headers
  bool holds = false;     // the gate file holds requests
  unsigned lanes = 1;
  EntryKind entry = EntryKind::kNative;  // through which most calls are made
  bool spread_lanes = false;             // over several CPUs
};

Swarm draw_swarm(Dice& dice);
// One whose requests go to the gate file, mostly.
Swarm draw_held_swarm(Dice& dice);
// One with lanes, of which some wait for what others do.
Swarm draw_stepped_swarm(Dice& dice);

}  // namespace aio
