// SPDX-License-Identifier: GPL-2.0-or-later
//
// The faults of an iocb: each spoils one field of a request that was good.
#include <algorithm>
#include <limits>

#include "properties/generator_composer.h"

namespace aio {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr Address kBuffersEnd = arena::kBuffers + 2 * arena::kPage;
constexpr unsigned kMisalignedSlot = 56;

bool is_transfer(RequestKind request) { return request <= RequestKind::kPwritev; }
bool is_vectored(RequestKind request) { return request == RequestKind::kPreadv || request == RequestKind::kPwritev; }

}  // namespace

void Composer::spoil_iocb(IocbSpec& spec, RequestKind request) {
  if (has(Fault::kIocb)) {
    // Each misaligned address has its own place, so that what one leaves is never part of another.
    constexpr std::array<unsigned, 3> kShifts{1, 4, 32};
    const unsigned place = dice_.below(3);
    spec.at = dice_.pick<Address>({arena::kNull, arena::kKernel, arena::kUnmapped, arena::kNoAccess,
                                   arena::kNonCanonical, arena::kReadOnly + 64 * dice_.below(64),
                                   arena::kReadOnly + 64 * dice_.below(64), arena::kIocbs + arena::kPage - 32,
                                   arena::iocb_slot(kMisalignedSlot + 2 * place) + kShifts[place]});
  }
  if (has(Fault::kOpcode)) spec.opcode = dice_.pick<std::uint16_t>({kPreadx, kNoop, 9, 0xffff});
  if (has(Fault::kFd)) {
    spec.fd = dice_.pick({Fd::kPath, Fd::kClosed, Fd::kNever, Fd::kMinusOne, Fd::kDirectory, Fd::kFileRo, Fd::kFileWo,
                          Fd::kNbPipeWrite, Fd::kNbPipeRead});
  }
  if (has(Fault::kReserved)) spec.reserved2 = dice_.pick<std::uint64_t>({1, 1ull << 63, ~0ull});
  if (has(Fault::kResfd)) {
    spec.flags |= kFlagResfd;
    spec.resfd = dice_.pick(
        {Fd::kFile, Fd::kNbPipeRead, Fd::kSocket0, Fd::kClosed, Fd::kNever, Fd::kMinusOne, Fd::kPath, Fd::kDirectory});
  }
  if (has(Fault::kPriority)) {
    constexpr unsigned kClassShift = 13;
    spec.flags |= kFlagIoprio;
    spec.reqprio = static_cast<std::int16_t>(dice_.below(8) << kClassShift | dice_.pick({0u, 1u, 7u, 8u, 0x1fffu}));
  }
  if (!is_transfer(request)) return spoil_zero_fields(spec, request);
  if (has(Fault::kRwFlags)) {
    spec.rw_flags = dice_.percent(50) ? 1u << dice_.below(10)
                                      : dice_.pick<std::uint32_t>({kRwfAppend | kRwfNoappend, kRwfAtomic, 0x200,
                                                                   0x80000000, 0xffffffff, 0x80000008});
  }
  if (has(Fault::kBuffer)) spoil_buffer(spec);
  if (has(Fault::kLength)) spoil_length(spec);
  if (has(Fault::kOffset)) spoil_offset(spec);
  if (is_vectored(request) && has(Fault::kSegments)) spoil_segments(spec);
}

void Composer::spoil_buffer(IocbSpec& spec) {
  const Address before_end = dice_.pick<Address>({1, 7, 10, 512, 4095, 4096});
  const std::size_t segment = spec.segments.empty() ? 0 : dice_.below(static_cast<std::uint32_t>(spec.segments.size()));
  Address& base = spec.segments.empty() ? spec.buf : spec.segments[segment].base;
  if (dice_.percent(40)) {
    base = kBuffersEnd - before_end;
  } else {
    base = dice_.pick<Address>({arena::kNull, arena::kKernel, arena::kNonCanonical, arena::kUnmapped, arena::kNoAccess,
                                arena::kReadOnly, arena::kReadOnly, arena::kUserEnd - 8});
    // The page before the end may be somebody's stack: the buffer must pass it.
    std::uint64_t& length = spec.segments.empty() ? spec.nbytes : spec.segments[segment].len;
    if (base == arena::kUserEnd - 8) length = std::max<std::uint64_t>(length, 9);
  }
}

void Composer::spoil_length(IocbSpec& spec) {
  if (spec.segments.empty()) {
    spec.nbytes = dice_.pick<std::uint64_t>({0x7ffff000, 0x7ffff001, 0x7fffffffffffffff, 1ull << 63, ~0ull, 20'000});
    return;
  }
  const auto index = dice_.below(static_cast<std::uint32_t>(spec.segments.size()));
  spec.segments[index].len = dice_.pick<std::uint64_t>({0x7ffff000, 0x7fffffffffffffff, 1ull << 63, ~0ull, 20'000, 0});
}

void Composer::spoil_offset(IocbSpec& spec) {
  const bool writes = is_write(spec.opcode);
  // A write in between would leave a file too large to look at.
  spec.offset = dice_.pick<Value>(
      {-1, -5, kLeast, kMost, {Symbol::kMaxFile, 0}, {Symbol::kMaxFile, 1}, {Symbol::kMaxFile, 4096}});
  if (!writes && dice_.percent(50)) {
    const auto nbytes = static_cast<std::int64_t>(std::clamp<std::uint64_t>(spec.nbytes, 1, 1u << 20));
    spec.offset = dice_.pick<Value>({{Symbol::kMaxFile, -1},
                                     {Symbol::kMaxFile, -nbytes},
                                     kMost - nbytes,
                                     kMost - nbytes + 1,
                                     100'000,
                                     std::int64_t{1} << 40});
  }
}

void Composer::spoil_segments(IocbSpec& spec) {
  const std::uint64_t count = spec.segments.size();
  if (dice_.percent(50)) {
    // Wrong numbers of segments; the kernel looks at 32 bits only.
    spec.nbytes = dice_.pick<std::uint64_t>({1024, 1025, 0, (1ull << 32) + count, 1ull << 32, (1ull << 32) + 1025,
                                             1ull << 63, ~0ull, count + 1, count / 2});
  } else if (dice_.percent(50)) {
    spec.buf = bad_pointer();
  } else {
    // Fewer segments than asked for lie before the page's end.
    spec.buf = arena::kIovecs + arena::kPage - 16 * dice_.below(3);
    spec.nbytes = std::max<std::uint64_t>(spec.nbytes, 1);
  }
}

// FSYNC and POLL want most fields to be zero.
void Composer::spoil_zero_fields(IocbSpec& spec, RequestKind request) {
  if (has(Fault::kPollMask) && request == RequestKind::kPoll) {
    spec.buf = dice_.pick<Address>({0x10000, 0x10001, kPollIn | 1ull << 32, 1ull << 63});
  }
  if (!has(Fault::kMustBeZero)) return;
  switch (dice_.below(request == RequestKind::kPoll ? 3 : 4)) {
    case 0:
      spec.offset = dice_.pick<std::int64_t>({1, -1, 4096});
      break;
    case 1:
      spec.nbytes = dice_.pick<std::uint64_t>({1, 4096, 1ull << 40, 1ull << 63});
      break;
    case 2:
      spec.rw_flags = dice_.pick<std::uint32_t>({1, 2, 0x80000000});
      break;
    default:
      spec.buf = dice_.pick<Address>({1, arena::kBuffers, 1ull << 40});
      break;
  }
}

}  // namespace aio
