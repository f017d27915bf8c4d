// SPDX-License-Identifier: GPL-2.0-or-later
//
// Programs: what a case does, as plain data. Programs are total: every program may run on every kernel; an operation
// that names a context or an iocb that isn't there runs with a bogus one. Arguments that depend on the machine or on
// what came before are symbols, resolved just before the operation runs.
//
// Each operation is first a number of stores of the user into the arena (stores.h), then one call or one user-space
// action.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reference/abi.h"
#include "reference/arena.h"
#include "reference/entry_kind.h"
#include "reference/zoo.h"

namespace aio {

enum class Symbol : std::uint8_t {
  kLiteral,
  kContext0,  // the value of context variable 0 (arena::context_slot)
  kContext1,
  kContext2,
  kContext3,
  kQuota,     // most requests that a task pinned to one CPU can have in the ring of the operation's context
  kRingSize,  // R of that context: io_events in its ring
  kInRing,    // events in the ring: (tail - head) mod R as user space sees them
  kHead,      // the ring's head word
  kTail,      // the ring's tail word
  kMaxNr,     // fs.aio-max-nr
  kMaxFile,   // the largest file offset of the file system that holds the regular files
  kId,        // the ring's id word as io_setup left it, so that a program can restore it
};
inline constexpr unsigned kSymbolCount = 13;
std::string_view symbol_name(Symbol symbol);

// A number: `offset` alone (kLiteral), or a symbol plus `offset`, modulo 2^64.
struct Value {
  Symbol symbol = Symbol::kLiteral;
  std::int64_t offset = 0;

  Value() = default;
  Value(std::int64_t literal) : offset(literal) {}  // NOLINT(google-explicit-constructor): literals are the rule
  Value(Symbol base, std::int64_t plus) : symbol(base), offset(plus) {}
  friend bool operator==(const Value&, const Value&) = default;
};

// The value of context variable `slot`.
inline Value context(unsigned slot) {
  return {static_cast<Symbol>(static_cast<unsigned>(Symbol::kContext0) + slot), 0};
}

// io_setup(nr, ctxp). First stores `initial` at ctxp.
struct Setup {
  Value nr = 1;
  Address ctxp = arena::context_slot(0);
  std::uint64_t initial = 0;
  friend bool operator==(const Setup&, const Setup&) = default;
};

struct Destroy {
  Value ctx = context(0);
  friend bool operator==(const Destroy&, const Destroy&) = default;
};

struct Segment {
  Address base = arena::kBuffers;
  std::uint64_t len = 0;
  friend bool operator==(const Segment&, const Segment&) = default;
};

// One iocb as the user writes it. `segments` are stored at `buf` as an iovec array, for any opcode.
struct IocbSpec {
  Address at = arena::iocb_slot(0);
  std::uint64_t data = 0;
  std::uint32_t key = 0;
  std::uint32_t rw_flags = 0;
  std::uint16_t opcode = kPread;
  std::int16_t reqprio = 0;
  Fd fd = Fd::kFile;
  Address buf = arena::kBuffers;
  std::uint64_t nbytes = 0;
  Value offset = 0;
  std::uint64_t reserved2 = 0;
  std::uint32_t flags = 0;
  Fd resfd = Fd::kEvent;  // this one is stored only if flags has kFlagResfd; otherwise the field is zero
  std::vector<Segment> segments;
  friend bool operator==(const IocbSpec&, const IocbSpec&) = default;
};

// Whether aio_resfd gets a descriptor. Without kFlagResfd it is not looked at, whatever it is.
inline bool has_resfd(const IocbSpec& spec) { return (spec.flags & kFlagResfd) != 0 || spec.resfd != IocbSpec{}.resfd; }

// io_submit(ctx, nr, list). First stores the iocbs, then `fill` pointers from arena::kPointers on: pointer i is the
// address of iocbs[i mod their number] (no pointer is stored if there is none). `list` may point elsewhere.
struct Submit {
  Value ctx = context(0);
  Value nr = 1;
  Address list = arena::kPointers;
  Value fill = 1;
  std::vector<IocbSpec> iocbs;
  friend bool operator==(const Submit&, const Submit&) = default;
};

// io_getevents(ctx, min_nr, nr, events, timeout). Unless timeout is null, {sec, nsec} is first stored there.
struct Getevents {
  Value ctx = context(0);
  Value min_nr = 0;
  Value nr = 1;
  Address events = arena::kEvents;
  Address timeout = arena::kTimespec;
  std::int64_t sec = 0;
  std::int64_t nsec = 0;
  friend bool operator==(const Getevents&, const Getevents&) = default;
};

// io_pgetevents: as Getevents, plus struct __aio_sigset {mask, size} stored at `sigset` and `signals` stored at `mask`
// (each unless null).
struct Pgetevents {
  Value ctx = context(0);
  Value min_nr = 0;
  Value nr = 1;
  Address events = arena::kEvents;
  Address timeout = arena::kTimespec;
  std::int64_t sec = 0;
  std::int64_t nsec = 0;
  Address sigset = arena::kSigset;
  Address mask = arena::kSignalMask;
  std::uint64_t size = 8;
  std::uint64_t signals = 0;
  friend bool operator==(const Pgetevents&, const Pgetevents&) = default;
};

struct Cancel {
  Value ctx = context(0);
  Address iocb = arena::iocb_slot(0);
  Address result = arena::kCancelResult;
  friend bool operator==(const Cancel&, const Cancel&) = default;
};

enum class RingField : std::uint8_t { kId, kNr, kHead, kTail, kMagic, kCompat, kIncompat, kHeaderLength };
inline constexpr unsigned kRingFieldCount = 8;
std::string_view ring_field_name(RingField field);

// User space writes one word of the ring's header. Nothing happens where `ctx` is no ring of this program.
struct RingStore {
  Value ctx = context(0);
  RingField field = RingField::kHead;
  Value value = 0;
  friend bool operator==(const RingStore&, const RingStore&) = default;
};

// User space takes min(count, in_ring) events off the ring: head = (head + that) mod R.
struct Reap {
  Value ctx = context(0);
  Value count = 1;
  friend bool operator==(const Reap&, const Reap&) = default;
};

// The lane moves to the CPU with this index (modulo the number of CPUs that the run may use).
struct Move {
  Value cpu = 0;
  friend bool operator==(const Move&, const Move&) = default;
};

// write(2) of nbytes (at most 4096; to an eventfd the 8 bytes of `value`), only if poll says that it won't block.
struct FdWrite {
  Fd fd = Fd::kPipeWrite;
  std::uint64_t nbytes = 8;
  std::uint64_t value = 1;
  friend bool operator==(const FdWrite&, const FdWrite&) = default;
};

// read(2) of nbytes (at most 4096), only if poll says that it won't block.
struct FdRead {
  Fd fd = Fd::kPipeRead;
  std::uint64_t nbytes = 8;
  friend bool operator==(const FdRead&, const FdRead&) = default;
};

struct FdClose {
  Fd fd = Fd::kPipeRead;
  friend bool operator==(const FdClose&, const FdClose&) = default;
};

// The user stores the low `width` bytes (1 to 8) of `value` in the arena.
struct Store {
  Address at = arena::kIocbs;
  std::uint64_t value = 0;
  std::uint64_t width = 4;
  friend bool operator==(const Store&, const Store&) = default;
};

// From here on requests to the gate file stay in flight until they are released. Before the first Hold, and after a
// ReleaseAll, each is answered at once with all that it asked for, on the CPU with index 0. Not made where the program
// has no gate file open.
struct Hold {
  friend bool operator==(const Hold&, const Hold&) = default;
};

// Ends request number `which` (modulo their number) of those that are held, in the order in which the file system saw
// them, with `result`: a count of bytes, or -errno, as gate_answer() makes of it. The file system's process runs on the
// CPU with index `cpu` (modulo the number of usable CPUs) while it does so. Not made where nothing is held.
struct ReleaseHeld {
  Value which = 0;
  std::int64_t result = kGateMaxRequest;
  Value cpu = 0;
  friend bool operator==(const ReleaseHeld&, const ReleaseHeld&) = default;
};

// Ends all that is held with all that was asked for, on the CPU with index 0, and holds nothing from here on.
struct ReleaseAll {
  friend bool operator==(const ReleaseAll&, const ReleaseAll&) = default;
};

// From here on the operations are made by lane `number` (modulo kLanes); those before the first of these by lane 0.
// Lanes 0 to 2 are threads, lane 3 is a process that shares their memory and descriptors. Each begins on the CPU with
// index 0. System calls, moves and plain calls that a lane is to make while it sleeps inside a call are not made.
struct InLane {
  Value number = 0;
  friend bool operator==(const InLane&, const InLane&) = default;
};
inline constexpr unsigned kLanes = 4;
inline constexpr unsigned kProcessLane = 3;
// The lane that a resolved number names.
constexpr unsigned lane_of(const Value& number) {
  return static_cast<unsigned>(static_cast<std::uint64_t>(number.offset) % kLanes);
}

enum class SignalKind : std::uint8_t {
  kCaught,   // one that is caught; no mask of a program blocks it
  kRestart,  // ... by a handler with SA_RESTART
  kStop,     // the lane's process is stopped and continued: of kProcessLane alone, as all threads of a process stop
  kIgnored,  // one that the process ignores
  kBlocked,  // one that is caught, but the lane blocks it, where no mask of io_pgetevents lets it in
};
inline constexpr unsigned kSignalKindCount = 5;
// "caught", "restart", "stop", "ignored", "blocked".
std::string_view signal_kind_name(SignalKind kind);
// Its number: SIGUSR2, SIGUSR1, SIGSTOP, SIGWINCH, SIGIO.
constexpr int signal_number(SignalKind kind) {
  constexpr int kNumbers[] = {12, 10, 19, 28, 29};
  return kNumbers[static_cast<unsigned>(kind)];
}
constexpr std::uint64_t signal_bit(SignalKind kind) { return std::uint64_t{1} << (signal_number(kind) - 1); }

// A signal hits lane `number` (modulo kLanes). Not made where it doesn't sleep, or in io_destroy, which no signal ends.
// What its call has left pending is taken away when that has returned.
struct Interrupt {
  Value number = 0;
  SignalKind kind = SignalKind::kCaught;
  friend bool operator==(const Interrupt&, const Interrupt&) = default;
};

enum class MapAction : std::uint8_t {
  kMove,       // mremap(2) of the whole ring to where there is room
  kGrow,       // mremap to a page more
  kDuplicate,  // mremap with an old length of 0
  kDontUnmap,  // a move with MREMAP_DONTUNMAP
  kUnmap,      // munmap(2) of the whole ring, after which its place stays empty
  kHide,       // mprotect(2) to PROT_NONE
  kFreeze,     // ... to PROT_READ
  kOpen,       // ... to PROT_READ | PROT_WRITE
  kGrowHere,   // mremap to a page more, without leave to move
  kDrop,       // madvise(2) of the whole ring with MADV_DONTNEED
  kReplace,    // memory of the user's own, with all bits set, comes to the place of the whole ring
  kFree,       // munmap(2) of the whole ring, after which its place is free for what comes next
  kLock,       // mlock(2) of the whole ring, whatever it answers
};
inline constexpr unsigned kMapActionCount = 13;
// "mremap", "mremap_grow", "mremap_duplicate", "mremap_dontunmap", "munmap", "mprotect_none", "mprotect_read",
// "mprotect_all", "mremap_grow_here", "madvise_dontneed", "mmap_over", "munmap_free", "mlock".
std::string_view map_action_name(MapAction action);
// Whether the ring is no longer mapped after it.
constexpr bool takes_ring_away(MapAction action) {
  return action == MapAction::kUnmap || action == MapAction::kReplace || action == MapAction::kFree;
}

// User space changes its mapping of the ring. After a move it writes the new address, which is the context's id from
// then on, into every context variable that held the old one. Not made where `ctx` is no ring of this program.
struct RingMap {
  Value ctx = context(0);
  MapAction action = MapAction::kMove;
  friend bool operator==(const RingMap&, const RingMap&) = default;
};

// The next operation is made by a child, a copy of this process (fork(2)), which exits after it; the user's stores for
// it are the child's too. Operations on lanes and on what the gate file holds, and moves to another CPU, are made as
// ever.
struct InChild {
  friend bool operator==(const InChild&, const InChild&) = default;
};

// The timerfd expires: it is set to, and what it has counted before is forgotten. Not made where it is not open.
struct Expire {
  friend bool operator==(const Expire&, const Expire&) = default;
};

// From here on AIO calls are made through this entry, and the user's stores for them are laid out as it reads them.
// 32-bit calls get their arguments cut to 32 bits. Where libaio would look at memory that cannot be read it is passed
// by. Not made where the machine does not have the entry (Machine::compat).
struct Through {
  EntryKind entry = EntryKind::kNative;
  friend bool operator==(const Through&, const Through&) = default;
};

using Operation =
    std::variant<Setup, Destroy, Submit, Getevents, Pgetevents, Cancel, RingStore, Reap, Move, FdWrite, FdRead, FdClose,
                 Store, Hold, ReleaseHeld, ReleaseAll, InLane, Interrupt, RingMap, InChild, Expire, Through>;
inline constexpr unsigned kOperationCount = 22;

// "io_setup", "io_submit", …, "ring_store", "reap", "move", "fd_write", …: the operation's name in traces.
std::string_view operation_name(const Operation& operation);
std::string_view operation_name(unsigned index);
// Whether the operation makes an AIO system call.
bool is_system_call(const Operation& operation);
// Whether it is a system call on a descriptor of the program that has nothing to do with AIO.
bool is_plain_call(const Operation& operation);

// Follows a program: which operations are made by a child.
class ChildTurn {
 public:
  // Whether this one is, if it comes next.
  bool would_take(const Operation& operation) const;
  // It comes: whether it is.
  bool take(const Operation& operation);

 private:
  bool next_ = false;  // an InChild came, and no operation since that a child can make
};

struct Program {
  std::vector<Operation> operations;
  friend bool operator==(const Program&, const Program&) = default;
};

// Whether it has lanes: then each operation is made by the thread or process that is its lane.
bool is_stepped(const Program& program);

// Bounds within which every program stays, wherever it came from; a trace beyond them is refused.
inline constexpr std::size_t kMaxOperations = 1024;
inline constexpr std::size_t kMaxIocbs = 64;
inline constexpr std::size_t kMaxSegments = 16;

// 64-bit hash of the program, the same on every machine.
std::uint64_t hash(const Program& program);

}  // namespace aio
