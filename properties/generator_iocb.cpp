// SPDX-License-Identifier: GPL-2.0-or-later
//
// One iocb that is good, or good but for its faults (generator_faults.cpp).
#include <algorithm>

#include "properties/generator_composer.h"

namespace aio {

namespace {

// Slots that are used as a whole; above them lie the misaligned iocbs, which would spoil others.
constexpr unsigned kAlignedSlots = 56;
constexpr unsigned kIovecPlaces = 16;
constexpr Address kIovecPlaceSize = 0x100;
// Files stay small: writes begin below it.
constexpr std::int64_t kMaxWriteOffset = 20'000;

constexpr std::uint16_t kOpcodeOf[kRequestCount] = {kPread, kPwrite, kPreadv, kPwritev, kFsync, kFdsync, kPoll};

bool is_event(Fd fd) { return fd == Fd::kEvent || fd == Fd::kNbEvent || fd == Fd::kSemEvent; }

bool can(RequestKind request, Fd fd) {
  switch (fd) {
    case Fd::kFile:
    case Fd::kFileAppend:
    case Fd::kDirect:
    case Fd::kGate:
      return true;
    case Fd::kFileRo:
      return request != RequestKind::kPwrite && request != RequestKind::kPwritev;
    case Fd::kFileWo:
      return request != RequestKind::kPread && request != RequestKind::kPreadv;
    case Fd::kDirectory:
      return request == RequestKind::kFsync || request == RequestKind::kFdsync || request == RequestKind::kPoll;
    case Fd::kPipeRead:
    case Fd::kNbPipeRead:
    case Fd::kEvent:
    case Fd::kNbEvent:
    case Fd::kSemEvent:
    case Fd::kTimer:
      return request == RequestKind::kPread || request == RequestKind::kPreadv || request == RequestKind::kPoll;
    case Fd::kPipeWrite:
    case Fd::kNbPipeWrite:
      return request == RequestKind::kPwrite || request == RequestKind::kPwritev || request == RequestKind::kPoll;
    case Fd::kSocket0:
    case Fd::kSocket1:
    case Fd::kNull:
    case Fd::kZero:
      return request != RequestKind::kFsync && request != RequestKind::kFdsync;
    case Fd::kPath:
    case Fd::kClosed:
    case Fd::kNever:
    case Fd::kMinusOne:
      return false;
  }
  return false;
}

std::uint32_t faults_of(RequestKind request) {
  constexpr std::uint32_t kAny = fault_bit(Fault::kIocb) | fault_bit(Fault::kOpcode) | fault_bit(Fault::kFd) |
                                 fault_bit(Fault::kReserved) | fault_bit(Fault::kResfd) | fault_bit(Fault::kPriority);
  constexpr std::uint32_t kTransfer = kAny | fault_bit(Fault::kBuffer) | fault_bit(Fault::kLength) |
                                      fault_bit(Fault::kOffset) | fault_bit(Fault::kRwFlags);
  switch (request) {
    case RequestKind::kPread:
    case RequestKind::kPwrite:
      return kTransfer;
    case RequestKind::kPreadv:
    case RequestKind::kPwritev:
      return kTransfer | fault_bit(Fault::kSegments);
    case RequestKind::kFsync:
    case RequestKind::kFdsync:
      return kAny | fault_bit(Fault::kMustBeZero);
    case RequestKind::kPoll:
      return kAny | fault_bit(Fault::kMustBeZero) | fault_bit(Fault::kPollMask);
  }
  return kAny;
}

}  // namespace

// `modest`: it will run many times in one io_submit. `first`: it is the first one there, which
// alone may lie where an earlier one lay; two at one address would be one iocb that runs twice.
IocbSpec Composer::iocb(bool modest, bool first) {
  auto request = static_cast<RequestKind>(dice_.weighted_index(swarm_.requests));
  // Every FSYNC is work for a kernel thread and a disk.
  const bool syncs = request == RequestKind::kFsync || request == RequestKind::kFdsync;
  if (modest && syncs) request = RequestKind::kPoll;
  IocbSpec spec;
  spec.at = iocb_address(first);
  spec.data = dice_.percent(90) ? next_data_++ : dice_.bits();
  spec.opcode = kOpcodeOf[static_cast<unsigned>(request)];
  spec.fd = pick_fd(request);
  if (modest && (spec.fd == Fd::kDirect || (spec.fd == Fd::kGate && !hazards_.holds()))) spec.fd = Fd::kFile;
  switch (request) {
    case RequestKind::kPread:
    case RequestKind::kPwrite:
    case RequestKind::kPreadv:
    case RequestKind::kPwritev:
      transfer(spec, request, modest);
      break;
    case RequestKind::kPoll:
      poll(spec);
      break;
    default:
      spec.buf = 0;
      break;
  }
  decorate(spec, modest);
  draw_faults(faults_of(request));
  if (faults_now_ != 0) spoil_iocb(spec, request);
  return spec;
}

Address Composer::iocb_address(bool first) {
  if (first && next_iocb_ > 0 && dice_.percent(25)) return arena::iocb_slot(dice_.below(next_iocb_));
  const unsigned slot = next_iocb_;
  next_iocb_ = (next_iocb_ + 1) % kAlignedSlots;
  return arena::iocb_slot(slot);
}

Fd Composer::pick_fd(RequestKind request) {
  Fd fd = Fd::kFile;
  for (unsigned tries = 0; tries < 4; ++tries) {
    fd = static_cast<Fd>(dice_.weighted_index(swarm_.fds));
    if (can(request, fd)) return fd;
  }
  if (dice_.percent(30)) return fd;
  return request == RequestKind::kPoll ? dice_.pick({Fd::kPipeRead, Fd::kNbPipeRead, Fd::kNbEvent}) : Fd::kFile;
}

void Composer::transfer(IocbSpec& spec, RequestKind request, bool modest) {
  const bool vector = request == RequestKind::kPreadv || request == RequestKind::kPwritev;
  const bool writes = request == RequestKind::kPwrite || request == RequestKind::kPwritev;
  if (spec.fd == Fd::kDirect) return direct_transfer(spec, vector);
  std::uint64_t nbytes =
      modest ? dice_.pick<std::uint64_t>({1, 8, 10})
             : dice_.weighted<std::uint64_t>(
                   {{6, 8}, {5, 64}, {4, 10}, {4, 1}, {4, 512}, {2, 0}, {2, 4095}, {3, 4096}, {2, 4097}, {2, 8192}});
  if (is_event(spec.fd) && dice_.percent(85)) nbytes = 8;
  spec.offset = dice_.weighted<std::int64_t>({{10, 0},
                                              {2, 1},
                                              {2, 511},
                                              {2, 512},
                                              {2, 4095},
                                              {2, 4096},
                                              {2, 5999},
                                              {2, 6000},
                                              {1, 6001},
                                              {2, dice_.below(kMaxWriteOffset + 1)}});
  const bool seekable = spec.fd <= Fd::kDirect || spec.fd == Fd::kGate;
  if (!seekable && dice_.percent(80)) spec.offset = 0;
  if (spec.fd == Fd::kGate && !writes && dice_.percent(15)) {
    spec.offset = dice_.pick<std::int64_t>({kGateSize - 8192, kGateSize - 10, kGateSize - 1, kGateSize, kGateSize + 1});
  }
  if (!writes && dice_.percent(4)) spec.offset = {Symbol::kMaxFile, -1};
  const std::uint64_t slack = 2 * arena::kPage - nbytes;
  spec.buf = arena::kBuffers;
  if (slack > 0 && dice_.percent(40)) {
    spec.buf += dice_.pick<std::uint64_t>({slack, slack / 2, std::min<std::uint64_t>(slack, 512)});
  }
  spec.nbytes = nbytes;
  if (vector) vectored(spec, nbytes);
}

void Composer::direct_transfer(IocbSpec& spec, bool vector) {
  // Offset, length and address are each misaligned now and then.
  spec.nbytes = dice_.weighted<std::uint64_t>({{6, 512}, {6, 4096}, {3, 8192}, {1, 0}, {1, 100}});
  spec.offset =
      dice_.weighted<std::int64_t>({{6, 0}, {3, 512}, {3, 4096}, {3, 12288}, {2, 16384}, {1, 511}, {1, 16000}});
  spec.buf = arena::kBuffers + dice_.weighted<Address>({{10, 0}, {2, 4096}, {1, 512}, {1, 1}});
  if (vector) vectored(spec, spec.nbytes);
}

// Spreads the transfer over up to four segments.
void Composer::vectored(IocbSpec& spec, std::uint64_t nbytes) {
  const Address base = spec.buf;
  const unsigned count = dice_.weighted<unsigned>({{1, 0}, {6, 1}, {5, 2}, {2, 3}, {2, 4}});
  std::uint64_t done = 0;
  for (unsigned i = 0; i < count; ++i) {
    const auto rest = static_cast<std::uint32_t>(nbytes - done);
    std::uint64_t len = rest;
    if (i + 1 < count) len = spec.fd == Fd::kDirect ? rest / 1024 * 512 : dice_.below(rest + 1);
    // A second segment over the first: what is read last stays.
    const Address at = dice_.percent(8) ? base : base + done;
    spec.segments.push_back({at, len});
    done += len;
  }
  spec.nbytes = count;
  spec.buf = arena::kIovecs + kIovecPlaceSize * next_iovecs_;
  next_iovecs_ = (next_iovecs_ + 1) % kIovecPlaces;
}

void Composer::poll(IocbSpec& spec) {
  spec.buf = dice_.weighted<Address>({{10, kPollIn},
                                      {4, kPollOut},
                                      {3, kPollIn | kPollOut},
                                      {2, kPollPri},
                                      {2, 0},
                                      {1, kPollRdhup},
                                      {1, 0x800},
                                      {1, kPollIn | kPollRdnorm | kPollRdband},
                                      {1, kPollErr | kPollHup | kPollNval},
                                      {1, 0xffff}});
  // Ends that are empty keep the request pending.
  const bool waits = spec.fd == Fd::kPipeRead || spec.fd == Fd::kNbPipeRead || is_event(spec.fd);
  if (waits && dice_.percent(60)) spec.buf = kPollIn;
  // Without a ->poll, a file is ready for these and has no queue to wait on for others.
  const bool always_ready = spec.fd <= Fd::kDirect || spec.fd >= Fd::kDirectory;
  if (always_ready && dice_.percent(70)) spec.buf = dice_.pick<Address>({kPollIn, kPollOut});
  polled_[polled_count_ % polled_.size()] = spec.fd;
  ++polled_count_;
}

void Composer::decorate(IocbSpec& spec, bool modest) {
  const bool rw = spec.opcode != kPoll && spec.opcode != kFsync && spec.opcode != kFdsync;
  if (rw && dice_.percent(swarm_.rw_flags_percent)) {
    spec.rw_flags = modest ? std::uint32_t{kRwfNowait}
                           : dice_.pick<std::uint32_t>({kRwfHipri, kRwfDsync, kRwfSync, kRwfNowait, kRwfNowait,
                                                        kRwfAppend, kRwfNoappend, kRwfDontcache, kRwfNosignal});
  }
  if (dice_.percent(nearly_full_ ? 60 : swarm_.resfd_percent)) {
    spec.flags |= kFlagResfd;
    spec.resfd = nearly_full_.value_or(dice_.pick({Fd::kEvent, Fd::kNbEvent, Fd::kSemEvent}));
  } else if (dice_.percent(2)) {
    spec.resfd = Fd::kNbEvent;  // without the flag it is not looked at
  }
  if (dice_.percent(swarm_.priority_percent)) {
    constexpr unsigned kClassShift = 13;
    const unsigned best_effort = 2u << kClassShift | dice_.pick({0u, 1u, 4u, 7u});
    const unsigned idle = 3u << kClassShift | dice_.pick({0u, 7u});
    spec.flags |= kFlagIoprio;
    spec.reqprio = static_cast<std::int16_t>(dice_.pick({0u, best_effort, best_effort, idle}));
  }
  if (dice_.percent(4)) spec.flags |= dice_.pick<std::uint32_t>({4, 8, 0x80000000, 0xfffffffc});
  if (dice_.percent(4)) spec.reqprio = static_cast<std::int16_t>(dice_.below(0x10000));
  // The kernel overwrites it.
  if (dice_.percent(10)) spec.key = dice_.pick<std::uint32_t>({1, 0xffffffff, 0x12345678});
}

}  // namespace aio
