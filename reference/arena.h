// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arena: the memory that a program hands to the kernel. It lies at a fixed address, so the same program passes the
// same pointers on every machine, and a trace contains no address that another run would choose differently. Each
// area ends at a page that cannot be touched, so a copy that runs over an end fails half-way. The address is below
// 2 GiB, so 32-bit entry points can reach it too.
#pragma once

#include <array>
#include <cstdint>

#include "reference/abi.h"

namespace aio::arena {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr Address kBase = 0x40000000;

inline constexpr Address kVars = kBase;                   // context variables, timespecs, sigsets
inline constexpr Address kIocbs = kBase + 2 * kPage;      // 64 iocbs
inline constexpr Address kPointers = kBase + 4 * kPage;   // 512 iocb pointers
inline constexpr Address kIovecs = kBase + 6 * kPage;     // 256 iovecs
inline constexpr Address kEvents = kBase + 8 * kPage;     // 128 events
inline constexpr Address kBuffers = kBase + 10 * kPage;   // two pages of data
inline constexpr Address kReadOnly = kBase + 13 * kPage;  // readable, not writable
inline constexpr Address kNoAccess = kBase + 14 * kPage;  // mapped PROT_NONE
inline constexpr Address kUnmapped = kBase + 15 * kPage;  // a hole
inline constexpr Address kEnd = kBase + 16 * kPage;

inline constexpr Address kNull = 0;
inline constexpr Address kKernel = 0xffff888000000000;        // the kernel's half
inline constexpr Address kNonCanonical = 0x0000900000000000;  // neither half
inline constexpr Address kUserEnd = 0x00007ffffffff000;       // first byte beyond the user's half (4-level tables)

// Within kVars.
inline constexpr unsigned kContextSlots = 4;
constexpr Address context_slot(unsigned slot) { return kVars + 8 * slot; }
inline constexpr Address kTimespec = kVars + 0x100;
inline constexpr Address kSigset = kVars + 0x200;      // struct __aio_sigset
inline constexpr Address kSignalMask = kVars + 0x300;  // the mask that it points to
inline constexpr Address kCancelResult = kVars + 0x400;

constexpr Address iocb_slot(unsigned slot) { return kIocbs + 64 * slot; }
inline constexpr unsigned kIocbSlots = 64;
inline constexpr unsigned kPointerSlots = 512;
inline constexpr unsigned kIovecSlots = 256;
inline constexpr unsigned kEventSlots = 128;

// An accessible piece of the arena. Everything in [kBase, kEnd) outside these areas faults.
struct Area {
  const char* name;
  Address begin;
  std::uint64_t size;
  bool writable;
};

inline constexpr std::array<Area, 7> kAreas{{
    {"vars", kVars, kPage, true},
    {"iocbs", kIocbs, kPage, true},
    {"pointers", kPointers, kPage, true},
    {"iovecs", kIovecs, kPage, true},
    {"events", kEvents, kPage, true},
    {"buffers", kBuffers, 2 * kPage, true},
    {"readonly", kReadOnly, kPage, false},
}};

// All areas back to back, in the order of kAreas: the length of an arena image.
inline constexpr std::uint64_t kImageSize = 8 * kPage;

// What every byte holds before the first operation: the context slots are zero, everything else a canary that depends
// on the address, so that neither a shifted nor a stale byte goes unseen.
constexpr std::uint8_t initial_byte(Address at) {
  if (at >= kVars && at < kVars + 8 * kContextSlots) return 0;
  return static_cast<std::uint8_t>(0x80 | ((at * 37 + (at >> 8) * 11) & 0x7f));
}

}  // namespace aio::arena
