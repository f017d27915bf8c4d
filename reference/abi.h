// SPDX-License-Identifier: GPL-2.0-or-later
//
// The binary interface of Linux AIO as this project sees it: the structures that cross the system-call boundary and
// the ring that io_setup maps. The types are ours, so that the model needs no kernel header; abi_test.cpp holds sizes,
// offsets and values against <linux/aio_abi.h>. Source: semantics.md C.1 and G; fs/aio.c of v4.9, lines 49 to 66.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aio {

// An address in the memory of the program under test. Never dereferenced by the model.
using Address = std::uint64_t;

// struct iocb, little endian.
struct Iocb {
  std::uint64_t data = 0;
  std::uint32_t key = 0;
  std::uint32_t rw_flags = 0;
  std::uint16_t opcode = 0;
  std::int16_t reqprio = 0;
  std::uint32_t fildes = 0;
  std::uint64_t buf = 0;
  std::uint64_t nbytes = 0;
  std::int64_t offset = 0;
  std::uint64_t reserved2 = 0;
  std::uint32_t flags = 0;
  std::uint32_t resfd = 0;
};
static_assert(sizeof(Iocb) == 64);

// struct io_event: one completion.
struct Event {
  std::uint64_t data = 0;
  std::uint64_t obj = 0;
  std::int64_t res = 0;
  std::int64_t res2 = 0;

  friend bool operator==(const Event&, const Event&) = default;
};
static_assert(sizeof(Event) == 32);

// struct aio_ring without its events: the first 32 bytes of the mapping.
struct RingHeader {
  std::uint32_t id = 0;
  std::uint32_t nr = 0;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
  std::uint32_t magic = 0;
  std::uint32_t compat_features = 0;
  std::uint32_t incompat_features = 0;
  std::uint32_t header_length = 0;
};
static_assert(sizeof(RingHeader) == 32);

// One segment of PREADV and PWRITEV.
struct Iovec {
  std::uint64_t base = 0;
  std::uint64_t len = 0;
};
static_assert(sizeof(Iovec) == 16);

// struct __kernel_timespec.
struct Timespec {
  std::int64_t sec = 0;
  std::int64_t nsec = 0;
};
static_assert(sizeof(Timespec) == 16);

// struct __aio_sigset, the last argument of io_pgetevents.
struct AioSigset {
  std::uint64_t mask = 0;
  std::uint64_t size = 0;
};
static_assert(sizeof(AioSigset) == 16);

// Two numbers as 32-bit calls read them: a segment, a timespec, a sigset.
struct NarrowPair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};
static_assert(sizeof(NarrowPair) == 8);

inline constexpr std::uint32_t kRingMagic = 0xa10a10a1;
inline constexpr std::uint32_t kRingCompatFeatures = 1;
inline constexpr std::uint32_t kRingIncompatFeatures = 0;

enum Opcode : std::uint16_t {
  kPread = 0,
  kPwrite = 1,
  kFsync = 2,
  kFdsync = 3,
  kPreadx = 4,  // reserved, never implemented
  kPoll = 5,
  kNoop = 6,
  kPreadv = 7,
  kPwritev = 8,
};
constexpr bool is_read(std::uint16_t opcode) { return opcode == kPread || opcode == kPreadv; }
constexpr bool is_write(std::uint16_t opcode) { return opcode == kPwrite || opcode == kPwritev; }
constexpr bool is_transfer(std::uint16_t opcode) { return is_read(opcode) || is_write(opcode); }
constexpr bool is_vectored(std::uint16_t opcode) { return opcode == kPreadv || opcode == kPwritev; }

inline constexpr std::uint32_t kFlagResfd = 1;
inline constexpr std::uint32_t kFlagIoprio = 2;

enum RwFlag : std::uint32_t {
  kRwfHipri = 0x1,
  kRwfDsync = 0x2,
  kRwfSync = 0x4,
  kRwfNowait = 0x8,
  kRwfAppend = 0x10,
  kRwfNoappend = 0x20,
  kRwfAtomic = 0x40,
  kRwfDontcache = 0x80,
  kRwfNosignal = 0x100,
};

enum PollBit : std::uint16_t {
  kPollIn = 0x1,
  kPollPri = 0x2,
  kPollOut = 0x4,
  kPollErr = 0x8,
  kPollHup = 0x10,
  kPollNval = 0x20,
  kPollRdnorm = 0x40,
  kPollRdband = 0x80,
  kPollWrnorm = 0x100,
  kPollWrband = 0x200,
  kPollMsg = 0x400,
  kPollRdhup = 0x2000,
};

// The errno values that AIO answers with, by the numbers of x86-64.
enum Errno : int {
  kOk = 0,
  kEPERM = 1,
  kEINTR = 4,
  kEIO = 5,
  kEBADF = 9,
  kEAGAIN = 11,
  kENOMEM = 12,
  kEACCES = 13,
  kEFAULT = 14,
  kEINVAL = 22,
  kENFILE = 23,
  kEFBIG = 27,
  kENOSPC = 28,
  kESPIPE = 29,
  kEPIPE = 32,
  kENOSYS = 38,
  kEOVERFLOW = 75,
  kEOPNOTSUPP = 95,
  kECONNRESET = 104,
  kEINPROGRESS = 115,
};

// The symbol of an errno ("EINVAL"), or "errno N" for one that AIO never answers with.
const char* errno_name(int error);

}  // namespace aio
