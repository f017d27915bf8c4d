// SPDX-License-Identifier: GPL-2.0-or-later
//
// What io_submit looks at in an iocb, in which order in which release; the faults that an iocb may have, one for each;
// and iocbs with one or two of them, with what must come of it.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/entry_kinds.h"
#include "reference/arena.h"
#include "reference/profile.h"

namespace aio::suites {

enum class Check : std::uint8_t {
  kReadable,    // the 64 bytes of the iocb
  kReserved2,   // is 0
  kLength,      // aio_nbytes is not negative
  kSlot,        // the ring has a free one
  kDescriptor,  // aio_fildes is open
  kResfd,       // aio_resfd is an open eventfd, where the flag is set
  kKey,         // aio_key can be written, and is zeroed
  kOpcode,      // is known
  kFields,      // of FSYNC and POLL: what they have no use for is 0
  kPriority,    // of transfers: aio_reqprio, where the flag is set
  kRwFlags,     // of transfers
  kMode,        // the descriptor is open for reading, or for writing
  kMethod,      // the file can be read, written, synced or waited for
  kSegments,    // there are no more than 1024
  kVector,      // the array of segments can be read
  kBuffer,      // lies in the user's half, and no length is negative
  kOffset,      // is not negative, and the end does not pass the largest one
};

using Order = std::vector<Check>;
// `late`: of a kernel of 4.18 to 5.0 that looks at the descriptor after the opcode.
const Order& order_of(Release release, bool late);

// An iocb that is to be refused: what stands in it, where it lies and where it goes.
struct Wrong {
  Iocb iocb;
  bool cut_off = false;    // what is mapped ends before it does
  bool read_only = false;  // it cannot be written
  bool full = false;       // it goes to a ring without a free slot
};
// Puts it into memory as it wants it, and returns where.
Address store(const Wrong& wrong);

// What a fault spoils. No iocb has two faults of one part.
enum class Part : std::uint8_t {
  kPlace,
  kPage,
  kReserved2,
  kSign,
  kRing,
  kFile,
  kResfd,
  kOpcode,
  kReqprio,
  kFlags,
  kBuf,
  kNbytes,
  kOffset,
};

struct Fault {
  Check check;  // that notices it
  const char* what;
  int error;
  Part part;
  std::function<void(Wrong&)> spoil;
};

// Descriptors that are wrong for a request, each in its way; -1: there is none.
struct Files {
  int path = -1;        // O_PATH
  int no_eventfd = -1;  // open
  int other_mode = -1;  // open for writing only where it is to be read, and the other way round
  int no_method = -1;   // open in the right way, but without the method
  int neither = -1;     // nor that
};

// Vectors of one wrong segment, which the faults of PREADV and PWRITEV name: {buffer, -1} and {kernel's half, 8}.
inline constexpr Address kNegativeVector = arena::kIovecs + 0x100;
inline constexpr Address kOutsideVector = arena::kIovecs + 0x200;

std::vector<Fault> faults_of_transfers(const Files& files, Opcode opcode, EntryKind kind, Release release);
std::vector<Fault> faults_of_fsync(const Files& files);
std::vector<Fault> faults_of_poll(const Files& files);

inline constexpr std::uint32_t kKeyBefore = 7;

struct Trial {
  Wrong wrong;
  int error = 0;
  std::uint32_t key = kKeyBefore;  // afterwards
  std::string_view requirement;
  std::string what;
};

// Each fault alone, and each two of which the order decides, in an iocb that is good without them.
std::vector<Trial> trials(const Order& order, Release release, const Iocb& good, const std::vector<Fault>& faults);

}  // namespace aio::suites
