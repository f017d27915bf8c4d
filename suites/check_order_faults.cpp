// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/check_order_faults.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>

#include "fixtures/arena_memory.h"

namespace aio::suites {
namespace {

using enum Check;

const Order kOrder{kReadable, kReserved2, kLength, kSlot,   kDescriptor, kResfd,  kKey,    kOpcode, kFields,
                   kPriority, kRwFlags,   kMode,   kMethod, kSegments,   kVector, kBuffer, kOffset};
// 4.18 to 5.0, before stable took "aio: simplify - and fix - fget/fput for io_submit()".
const Order kOrderDescriptorLate{kReadable, kReserved2, kLength,     kSlot,     kResfd,   kKey,
                                 kOpcode,   kFields,    kDescriptor, kPriority, kRwFlags, kMode,
                                 kMethod,   kSegments,  kVector,     kBuffer,   kOffset};
// 4.13 to 4.17.
const Order kOrderRwFlagsBeforeKey{kReadable, kReserved2, kLength, kSlot,     kDescriptor, kResfd,  kRwFlags, kKey,
                                   kOpcode,   kMode,      kMethod, kSegments, kVector,     kBuffer, kOffset};
// Before 4.13 the word of the flags was aio_reserved1.
const Order kOrderReserved1{kReadable, kRwFlags, kReserved2, kLength,   kSlot,   kDescriptor, kResfd, kKey,
                            kOpcode,   kMode,    kMethod,    kSegments, kVector, kBuffer,     kOffset};

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
// So much of an iocb that is cut off lies before the end of what is mapped.
constexpr std::size_t kReadablePart = 60;

std::size_t rank(const Order& order, Check check) {
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), check) - order.begin());
}

std::string_view requirement_of(Check first, Check second, Opcode opcode, Release release) {
  const auto either = [&](Check check) { return first == check || second == check; };
  if (either(kSlot)) return "check_order.full_ring";
  if (either(kRwFlags) && release < Release{4, 13}) return "check_order.flags_word_is_reserved";
  if (either(kRwFlags) && release < Release{4, 18}) return "check_order.rw_flags_before_key";
  if (first <= kOpcode && second <= kOpcode) return "check_order.every_iocb";
  if (opcode == kPoll) return "check_order.poll";
  return is_transfer(opcode) ? "check_order.transfers" : "check_order.fsync";
}

Fault file_fault(Check check, const char* what, int error, int fd) {
  return {check, what, error, Part::kFile, [fd](Wrong& w) { w.iocb.fildes = static_cast<std::uint32_t>(fd); }};
}

Fault resfd_fault(const char* what, int error, int fd) {
  return {kResfd, what, error, Part::kResfd, [fd](Wrong& w) {
            w.iocb.flags |= kFlagResfd;
            w.iocb.resfd = static_cast<std::uint32_t>(fd);
          }};
}

Fault priority_fault(const char* what, int error, std::uint16_t priority) {
  return {kPriority, what, error, Part::kReqprio, [priority](Wrong& w) {
            w.iocb.flags |= kFlagIoprio;
            w.iocb.reqprio = static_cast<std::int16_t>(priority);
          }};
}

Fault buf_fault(Check check, const char* what, int error, Address buf) {
  return {check, what, error, Part::kBuf, [buf](Wrong& w) { w.iocb.buf = buf; }};
}

Fault offset_fault(Check check, const char* what, std::int64_t offset) {
  return {check, what, EINVAL, Part::kOffset, [offset](Wrong& w) { w.iocb.offset = offset; }};
}

Fault flags_fault(Check check, int error) {
  return {check, "aio_rw_flags", error, Part::kFlags, [](Wrong& w) { w.iocb.rw_flags = 0x80000000; }};
}

// The low half of aio_nbytes, so that it can be negative as well.
Fault nbytes_fault(Check check, const char* what, std::uint64_t nbytes) {
  return {check, what, EINVAL, Part::kNbytes,
          [nbytes](Wrong& w) { w.iocb.nbytes = (w.iocb.nbytes & kSignBit) | nbytes; }};
}

std::vector<Fault> faults_of_all(const Files& files) {
  return {
      {kReadable, "unreadable iocb", EFAULT, Part::kPlace, [](Wrong& w) { w.cut_off = true; }},
      {kReserved2, "aio_reserved2", EINVAL, Part::kReserved2, [](Wrong& w) { w.iocb.reserved2 = 1; }},
      {kLength, "negative aio_nbytes", EINVAL, Part::kSign, [](Wrong& w) { w.iocb.nbytes |= kSignBit; }},
      {kSlot, "full ring", EAGAIN, Part::kRing, [](Wrong& w) { w.full = true; }},
      file_fault(kDescriptor, "closed aio_fildes", EBADF, -1),
      file_fault(kDescriptor, "O_PATH aio_fildes", EBADF, files.path),
      resfd_fault("closed aio_resfd", EBADF, -1),
      resfd_fault("aio_resfd that is no eventfd", EINVAL, files.no_eventfd),
      {kKey, "read-only iocb", EFAULT, Part::kPage, [](Wrong& w) { w.read_only = true; }},
      {kOpcode, "unknown opcode", EINVAL, Part::kOpcode, [](Wrong& w) { w.iocb.opcode = kNoop; }},
  };
}

// What FSYNC and POLL have no use for must be zero; where nbytes and offset count as one.
std::vector<Fault> with_zero_fields(std::vector<Fault> faults) {
  faults.push_back(nbytes_fault(kFields, "aio_nbytes", 1));
  faults.push_back(offset_fault(kFields, "aio_offset", 1));
  faults.push_back(flags_fault(kFields, EINVAL));
  return faults;
}

}  // namespace

const Order& order_of(Release release, bool late) {
  if (release < Release{4, 13}) return kOrderReserved1;
  if (release < Release{4, 18}) return kOrderRwFlagsBeforeKey;
  return release < Release{5, 1} && late ? kOrderDescriptorLate : kOrder;
}

Address store(const Wrong& wrong) {
  const Address page = wrong.read_only ? arena::kReadOnly : arena::kIocbs;
  const Address at = wrong.cut_off ? page + arena::kPage - kReadablePart : page;
  const auto bytes = std::as_bytes(std::span(&wrong.iocb, 1));
  ArenaMemory::instance().store(at, wrong.cut_off ? bytes.first(kReadablePart) : bytes);
  return at;
}

std::vector<Fault> faults_of_transfers(const Files& files, Opcode opcode, EntryKind kind, Release release) {
  std::vector<Fault> faults = faults_of_all(files);
  if (release >= Release{4, 18}) {
    faults.push_back(priority_fault("real-time priority", EPERM, 1 << 13));
    faults.push_back(priority_fault("unknown priority class", EINVAL, 7 << 13));
  }
  faults.push_back(flags_fault(kRwFlags, release < Release{4, 13} ? EINVAL : EOPNOTSUPP));
  faults.push_back(file_fault(kMode, "descriptor of the other mode", EBADF, files.other_mode));
  faults.push_back(file_fault(kMethod, "file without the method", EINVAL, files.no_method));
  if (files.neither >= 0) faults.push_back(file_fault(kMode, "neither mode nor method", EBADF, files.neither));
  if (is_vectored(opcode)) {
    faults.push_back(nbytes_fault(kSegments, "too many segments", 1025));
    faults.push_back(buf_fault(kVector, "unreadable vector", EFAULT, arena::kUnmapped));
    faults.push_back(buf_fault(kBuffer, "negative segment", EINVAL, kNegativeVector));
    // No segment of 32 bits leaves the user's half.
    if (kind != EntryKind::kCompat) {
      faults.push_back(buf_fault(kBuffer, "segment outside the user's half", EFAULT, kOutsideVector));
    }
  } else {
    faults.push_back(buf_fault(kBuffer, "buffer outside the user's half", EFAULT, arena::kKernel));
  }
  faults.push_back(offset_fault(kOffset, "negative offset", -5));
  faults.push_back(offset_fault(kOffset, "end beyond the largest offset", INT64_MAX));
  return faults;
}

std::vector<Fault> faults_of_fsync(const Files& files) {
  std::vector<Fault> faults = with_zero_fields(faults_of_all(files));
  faults.push_back(buf_fault(kFields, "aio_buf", EINVAL, arena::kBuffers));
  faults.push_back(file_fault(kMethod, "file without fsync", EINVAL, files.no_method));
  return faults;
}

std::vector<Fault> faults_of_poll(const Files& files) {
  std::vector<Fault> faults = with_zero_fields(faults_of_all(files));
  faults.push_back(buf_fault(kFields, "wide mask", EINVAL, 0x10000 | kPollOut));
  // Never ready for this, and nothing would tell when it is.
  faults.push_back({kMethod, "file that wakes nobody", EINVAL, Part::kFile, [fd = files.no_method](Wrong& w) {
                      w.iocb.fildes = static_cast<std::uint32_t>(fd);
                      w.iocb.buf = (w.iocb.buf & ~std::uint64_t{0xffff}) | kPollPri;
                    }});
  return faults;
}

std::vector<Trial> trials(const Order& order, Release release, const Iocb& good, const std::vector<Fault>& faults) {
  std::vector<Trial> all;
  const auto opcode = static_cast<Opcode>(good.opcode);
  const auto add = [&](const Fault& first, const Fault& second) {
    Trial made{{good},
               first.error,
               kKeyBefore,
               requirement_of(first.check, second.check, opcode, release),
               "opcode " + std::to_string(opcode) + ": " + first.what + ", " + second.what};
    first.spoil(made.wrong);
    second.spoil(made.wrong);
    if (rank(order, first.check) > rank(order, kKey)) made.key = 0;
    all.push_back(made);
  };
  for (const Fault& first : faults) {
    add(first, first);
    for (const Fault& second : faults) {
      if (rank(order, first.check) < rank(order, second.check) && first.part != second.part) add(first, second);
    }
  }
  return all;
}

}  // namespace aio::suites
