// SPDX-License-Identifier: GPL-2.0-or-later
//
// PREAD, PWRITE, PREADV and PWRITEV, FSYNC and FDSYNC, POLL: the checks that io_submit itself answers for, then the
// start of the request. Source: semantics.md A.2 (lists 1 to 8, FSYNC) and D; fs/aio.c of v4.9: aio_run_iocb,
// aio_setup_vectored_rw; kiocb_set_rw_flags and ioprio_check_cap for the flags.
#include <algorithm>

#include "reference/model.h"

namespace aio {
namespace {

constexpr std::uint64_t kMaxTransfer = 0x7ffff000;  // MAX_RW_COUNT
constexpr std::uint64_t kMaxSegmentCount = 1024;    // UIO_MAXIOV

}  // namespace

std::optional<Model::Expected> Model::check_ioprio(const Iocb& iocb) {
  if ((iocb.flags & kFlagIoprio) == 0 || !profile_->has_ioprio) return std::nullopt;
  const auto priority = static_cast<std::uint16_t>(iocb.reqprio);
  const unsigned level = profile_->ioprio_hints ? priority & 7 : priority & 0x1fff;
  switch (priority >> 13) {
    case 0:
      if (level != 0) return fail(Req::kIoprioNoneHasNoLevel, kEINVAL);
      return std::nullopt;
    case 1:
      if (!machine_->may_use_rt_ioprio) return fail(Req::kIoprioRtNeedsCapability, kEPERM);
      [[fallthrough]];
    case 2:
      if (level >= 8) return fail(Req::kIoprioBadClass, kEINVAL);
      return std::nullopt;
    case 3:
      return std::nullopt;
    default:
      return fail(Req::kIoprioBadClass, kEINVAL);
  }
}

std::optional<Model::Expected> Model::check_rw_flags(const Iocb& iocb, Fd fd, bool write) {
  const std::uint32_t flags = iocb.rw_flags;
  if (flags == 0) return std::nullopt;
  if ((flags & ~profile_->rw_flags) != 0) return fail(Req::kRwFlagsUnknown, kEOPNOTSUPP);
  if ((flags & kRwfAppend) != 0 && (flags & kRwfNoappend) != 0) return fail(Req::kRwFlagsAppendBoth, kEINVAL);
  // 4.13 takes RWF_NOWAIT where the file system serves O_DIRECT without waiting, which nothing else tells.
  if ((flags & kRwfNowait) != 0 && !profile_->nowait_buffered && traits(fd).direct && machine_->direct_queues) {
    undecided("whether 4.13 takes RWF_NOWAIT with O_DIRECT is the file system's affair");
  }
  if ((flags & kRwfNowait) != 0 && !files_.allows_nowait(fd)) return fail(Req::kRwFlagsNowait, kEOPNOTSUPP);
  if ((flags & kRwfAtomic) != 0) return fail(write ? Req::kRwFlagsAtomicWrite : Req::kRwFlagsAtomicRead, kEOPNOTSUPP);
  if ((flags & kRwfDontcache) != 0 && !files_.allows_dontcache(fd)) return fail(Req::kRwFlagsDontcache, kEOPNOTSUPP);
  return std::nullopt;
}

std::optional<Model::Expected> Model::import_buffers(const Iocb& iocb, Buffers& buffers) {
  if (iocb.opcode == kPread || iocb.opcode == kPwrite) {
    const std::uint64_t length = std::min(iocb.nbytes, kMaxTransfer);
    if (!in_user_half(iocb.buf, length, machine_->user_end)) return fail(Req::kBufferOutsideUserHalf, kEFAULT);
    buffers.segments.push_back({iocb.buf, length});
    buffers.total = length;
    return std::nullopt;
  }
  // The number of segments is cut to 32 bits.
  const std::uint64_t count = rules_.wrong(Req::kVectorCountTruncated) ? iocb.nbytes : iocb.nbytes & 0xffffffff;
  if (count > kMaxSegmentCount) {
    return fail(rules_.wrong(Req::kVectorCountTruncated) ? Req::kVectorCountTruncated : Req::kVectorTooMany, kEINVAL);
  }
  std::vector<Iovec> segments(count);
  const std::uint64_t copied = read_segments(iocb.buf, segments);
  // Those of 32-bit calls always were (compat_rw_copy_check_uvector, copy_compat_iovec_from_user).
  const bool in_order = profile_->vectors_in_order || is_compat();
  if (copied < count && !in_order) return fail(Req::kVectorFault, kEFAULT);
  for (const Iovec& segment : std::span(segments).first(copied)) {
    if (static_cast<std::int64_t>(segment.len) < 0) return fail(Req::kVectorNegativeLength, kEINVAL);
  }
  if (copied < count) return fail(Req::kVectorFault, kEFAULT);
  if (is_compat() && count > 0) {
    if (rules_.wrong(Req::kCompatIovecs)) return Expected{-1, kEFAULT, Req::kCompatIovecs};
    rules_.exercise(Req::kCompatIovecs);
  }
  for (Iovec segment : segments) {
    if (count == 1 && profile_->clips_single_segment) {
      if (!in_user_half(segment.base, segment.len, machine_->user_end)) {
        if (rules_.wrong(Req::kVectorCutFirst)) return Expected{-1, kEFAULT, Req::kVectorCutFirst};
        rules_.exercise(Req::kVectorCutFirst);
      }
      segment.len = std::min(segment.len, kMaxTransfer);
    }
    if (!in_user_half(segment.base, segment.len, machine_->user_end)) return fail(Req::kVectorOutsideUserHalf, kEFAULT);
    segment.len = std::min(segment.len, kMaxTransfer - buffers.total);
    buffers.total += segment.len;
    buffers.segments.push_back(segment);
  }
  if (iocb.nbytes != count) rules_.exercise(Req::kVectorCountTruncated);
  return std::nullopt;
}

std::optional<Model::Expected> Model::check_rw(const Iocb& iocb, Fd fd, bool write, Buffers& buffers) {
  if (auto failed = check_ioprio(iocb)) return failed;
  if (auto failed = check_rw_flags(iocb, fd, write)) return failed;
  if (write ? !traits(fd).writable : !traits(fd).readable) {
    return fail(write ? Req::kWriteNeedsMode : Req::kReadNeedsMode, kEBADF);
  }
  if (write ? !files_.has_write(fd) : !files_.has_read(fd)) return fail(Req::kRwNeedsMethod, kEINVAL);
  if (auto failed = import_buffers(iocb, buffers)) return failed;
  if (iocb.offset < 0) return fail(Req::kOffsetNegative, kEINVAL);
  if (buffers.total > static_cast<std::uint64_t>(INT64_MAX - iocb.offset)) return fail(Req::kOffsetOverflow, kEINVAL);
  return std::nullopt;
}

// Direct I/O moves its bytes at any time until its event comes.
void Model::use_late(const Buffers& buffers, bool writes) {
  for (const Iovec& segment : buffers.segments) late_buffers_.push_back({segment, writes});
}

bool Model::shares_late_buffer(const Buffers& buffers, bool writes) const {
  for (const auto& [busy, written] : late_buffers_) {
    for (const Iovec& segment : buffers.segments) {
      const bool overlap = segment.base < busy.base + busy.len && busy.base < segment.base + segment.len;
      if (overlap && (written || writes)) return true;
    }
  }
  return false;
}

// Whether it cannot be told what a transfer does; a rehearsal does not ask.
bool Model::unsure_transfer(Fd fd, const Buffers& buffers, bool write) {
  if (rehearsal_) return false;
  if (reads_late_signal(fd)) {
    undecided("an eventfd is read while a completion may be signalling it");
  } else if (shares_late_buffer(buffers, !write)) {
    undecided("a request shares a buffer with an earlier one of the call");
  } else if (write && !unknown_memory_.empty()) {
    undecided("a write from memory that an uncertain read has filled");
  } else {
    return false;
  }
  return true;
}

std::optional<Model::Expected> Model::start_rw(Context& context, const Iocb& iocb, Request request, bool write,
                                               bool start) {
  Buffers buffers;
  if (auto failed = check_rw(iocb, request.fd, write, buffers)) return failed;
  if (!start) return std::nullopt;
  const bool gate = traits(request.fd).kind == FileKind::kGate;
  if (gate && write) stuck_ = stuck_ || gate_blocks(iocb, buffers);
  if (unsure_transfer(request.fd, buffers, write)) return std::nullopt;
  if (gate) {
    start_gate(context, iocb, request, buffers, write);
    return std::nullopt;
  }
  const Transfer transfer{static_cast<std::uint64_t>(iocb.offset), iocb.rw_flags};
  Outcome outcome = write ? files_.write(request.fd, buffers, transfer, memory_, rules_)
                          : files_.read(request.fd, buffers, transfer, memory_, rules_);
  if (stepped_ && outcome.waited) {
    blocks_oddly_ = write || traits(request.fd).kind != FileKind::kPipe;
    blocked_.emplace();
    blocked_->what = Sleeper::What::kSubmit;
    blocked_->context = context.serial;
    blocked_->request = request;
    blocked_->buffers = buffers;
    blocked_->transfer = transfer;
    return std::nullopt;
  }
  // While signals come, /dev/zero may stop after any page.
  if (waited_ && traits(request.fd).kind == FileKind::kZeroDevice && buffers.total > arena::kPage)
    outcome.certain = false;
  waited_ = waited_ || outcome.waited;
  const bool queues = traits(request.fd).direct && machine_->direct_queues;
  if (queues) use_late(buffers, !write);
  if (queues && ++direct_requests_ > 1) outcome.certain = false;
  if (!outcome.certain) {
    for (const Iovec& segment : buffers.segments) {
      if (!write) unknown_memory_.emplace_back(segment.base, segment.len);
    }
  }
  request.res = rules_.wrong(outcome.rule) ? outcome.res + 1 : outcome.res;
  request.rule = outcome.rule;
  request.certain = outcome.certain;
  if (write) file_rule_ = outcome.rule == Req::kWriteCount ? Req::kWriteOffset : outcome.rule;
  if (queues) {
    request.unknown_cpu = true;
    complete_later(context, request);
  } else {
    complete_now(context, request);
  }
  return std::nullopt;
}

std::optional<Model::Expected> Model::start_fsync(Context& context, const Iocb& iocb, Request request, bool start) {
  if (iocb.buf != 0 || iocb.offset != 0 || iocb.nbytes != 0 || iocb.rw_flags != 0) {
    return fail(Req::kFsyncFieldsZero, kEINVAL);
  }
  if (!files_.usable(request.fd)) return bad_fd(request.fd);
  if (!files_.has_fsync(request.fd)) return fail(Req::kFsyncNeedsMethod, kEINVAL);
  if (!start) return std::nullopt;
  if (traits(request.fd).kind == FileKind::kGate) {
    Held held{context.serial, request, {}, {}};
    held.seen.call = iocb.opcode == kFsync ? GateCall::kFsync : GateCall::kFdatasync;
    send(std::move(held));
    return std::nullopt;
  }
  request.rule = iocb.opcode == kFsync ? Req::kFsyncResult : Req::kFdsyncResult;
  request.res = rules_.wrong(request.rule) ? 1 : 0;
  complete_later(context, request);
  return std::nullopt;
}

std::optional<Model::Expected> Model::start_poll(Context& context, const Iocb& iocb, Request request, bool start) {
  if (iocb.buf > 0xffff) return fail(Req::kPollMaskTooWide, kEINVAL);
  if (iocb.offset != 0 || iocb.nbytes != 0 || iocb.rw_flags != 0) return fail(Req::kPollFieldsZero, kEINVAL);
  if (!files_.usable(request.fd)) return bad_fd(request.fd);
  if (reads_late_signal(request.fd)) {
    undecided("an eventfd is polled while a completion may be signalling it");
    return std::nullopt;
  }
  constexpr unsigned kKnownBits = kPollIn | kPollPri | kPollOut | kPollErr | kPollHup | kPollNval | kPollRdnorm |
                                  kPollRdband | kPollWrnorm | kPollWrband | kPollMsg | kPollRdhup;
  request.want = static_cast<std::uint16_t>((iocb.buf & kKnownBits) | kPollErr | kPollHup);
  const unsigned mask = files_.poll_mask(request.fd) & request.want;
  const bool completes = mask != 0 && profile_->poll_ready_anywhere;
  if (!completes && !files_.has_queue(request.fd)) return fail(Req::kPollNeedsQueue, kEINVAL);
  if (!start) return std::nullopt;
  files_.note_polled(request.fd);
  if (mask != 0) {
    request.rule = files_.has_queue(request.fd) ? Req::kPollReadyMask : Req::kPollReadyAnywhere;
    request.res = rules_.wrong(request.rule) ? mask ^ 0x400u : mask;
    complete_now(context, request);
  } else {
    files_.hold(request.fd);
    request.queue = files_.queue_of(request.fd);
    context.pending.push_back(request);
  }
  return std::nullopt;
}

}  // namespace aio
