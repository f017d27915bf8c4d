// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit: the pointers, the checks of io_submit_one in their order, and how many iocbs are accepted. Source:
// semantics.md A.2; fs/aio.c of v4.9: do_io_submit, io_submit_one.
#include <algorithm>

#include "reference/model.h"

namespace aio {

Model::Expected Model::submit(const Submit& op) {
  std::int64_t nr = op.nr.offset;
  if (nr < 0) return fail(Req::kSubmitNrNegative, kEINVAL);
  if (is_compat() && !profile_->clamps_nr) {
    // A page of 64-bit pointers was made of the list before anything else: E16.
    nr = std::min(nr, static_cast<std::int64_t>(machine_->page_size / sizeof(Address)));
    for (std::int64_t i = 0; i < nr; ++i) {
      if (!read_pointer(op.list, i)) return fail(Req::kSubmitListFault, kEFAULT);
    }
  }
  const std::uint64_t word = word_size(entry_);
  const bool whole_list = static_cast<std::uint64_t>(nr) <= arena::kUserEnd / word &&
                          in_user_half(op.list, static_cast<std::uint64_t>(nr) * word, machine_->user_end);
  if (!whole_list && !profile_->clamps_nr) return fail(Req::kSubmitListFault, kEFAULT);
  if (!whole_list) {
    if (rules_.wrong(Req::kSubmitListAsUsed)) return {-1, kEFAULT, Req::kSubmitListAsUsed};
    rules_.exercise(Req::kSubmitListAsUsed);
  }
  Expected failure;
  Context* context = lookup(static_cast<std::uint64_t>(op.ctx.offset), Req::kSubmitUnknown, failure);
  if (context == nullptr) return failure;
  const std::int64_t ring_size = context->geometry.ring_size;
  const std::int64_t limit = profile_->clamps_nr ? std::min(nr, ring_size) : nr;
  if (limit == 0) return value(Req::kSubmitNothing, 0);

  // The kernel says how many it accepted. Up to there every iocb must be acceptable.
  const std::int64_t accepted = seen_->asleep ? limit : std::clamp<std::int64_t>(seen_->result, 0, limit);
  for (std::int64_t i = 0; i < accepted; ++i) {
    Address pointer = 0;
    Iocb iocb;
    std::optional<Expected> failed = read_iocb(op.list, i, pointer, iocb);
    if (!failed) {
      context->script.push_back({ScriptStep::What::kTake, static_cast<std::size_t>(i)});
      failed = run_iocb(*context, pointer, iocb, true);
    }
    if (blocked_ && !failed) return submit_sleeps(i, limit);
    if (done() || (rehearsal_ && failed)) return {};
    if (failed) return i == 0 ? *failed : Expected{i, 0, failed->rule};
  }
  require_order(*context);
  if (accepted < limit) return submit_stopped(*context, accepted, limit, op);
  return value(is_compat() ? Req::kCompatList : Req::kSubmitCounts, limit);
}

// The call sleeps inside its iocb number `index`.
Model::Expected Model::submit_sleeps(std::int64_t index, std::int64_t limit) {
  const Fd fd = blocked_->request.fd;
  const bool shared = std::any_of(sleepers_.begin(), sleepers_.end(), [fd](const Sleeper& each) {
    return each.what == Sleeper::What::kSubmit && each.request.fd == fd;
  });
  blocks_oddly_ = blocks_oddly_ || shared || index + 1 != limit;
  blocked_->accepted = index + 1;
  if (!rehearsal_) files_.hold(fd);
  return fall_asleep(*blocked_, Req::kSubmitSleeps);
}

// The kernel accepted so many and not the next: there must be a reason. Where some were accepted, the reason's errno is
// lost and only the count shows.
Model::Expected Model::submit_stopped(Context& context, std::int64_t accepted, std::int64_t limit, const Submit& op) {
  const auto answer = [&](const Expected& reason) {
    if (accepted == 0) return reason;
    const bool hidden = rules_.wrong(Req::kSubmitErrorAfterCount);
    rules_.exercise(reason.rule);
    return hidden ? Expected{-1, reason.error, Req::kSubmitErrorAfterCount}
                  : Expected{accepted, 0, Req::kSubmitErrorAfterCount};
  };
  Address pointer = 0;
  Iocb iocb;
  if (const auto failed = read_iocb(op.list, accepted, pointer, iocb)) return answer(*failed);
  const auto index = static_cast<std::size_t>(accepted);
  const Foresight slot = next_slot(context);
  const bool errno_shown = accepted == 0 && seen_->result < 0;
  if (slot.denies && (!slot.grants || (errno_shown && seen_->error == kEAGAIN))) {
    context.script.push_back({ScriptStep::What::kDenied, index});
    return answer(fail(Req::kSubmitFullIsEagain, kEAGAIN));
  }
  if (slot.denies && !errno_shown) {
    // The count alone doesn't tell: it was the quota if nothing else is wrong with the iocb.
    const Memory before = memory_;
    const bool fails = run_iocb(context, pointer, iocb, false).has_value();
    memory_ = before;
    if (fails) {
      undecided("the quota and a later check both explain where io_submit stopped");
      return {};
    }
    context.script.push_back({ScriptStep::What::kDenied, index});
    return answer(fail(Req::kSubmitFullIsEagain, kEAGAIN));
  }
  context.script.push_back({ScriptStep::What::kTake, index});
  if (const auto failed = run_iocb(context, pointer, iocb, false)) {
    context.script.push_back({ScriptStep::What::kGiveBack, index});
    return answer(*failed);
  }
  if (done()) return {};
  // Nothing is wrong with it. If a slot was missing to the kernel, the quota is what differs.
  const bool quota_differs = accepted > 0 || seen_->error == kEAGAIN;
  const Req rule = quota_differs ? blame_denial(context) : refused_rule(iocb, op.nr.offset);
  // How far it should have gone is not known: every count beyond this one is right.
  Check check;
  for (std::int64_t count = accepted + 1; count <= limit && check.values.size() < kMaxCheckValues; ++count) {
    check.values.push_back(count);
  }
  const Kind kind = quota_differs || seen_->error == 0 ? Kind::kCount : Kind::kErrno;
  if (is_quirk(rule, kind)) return {seen_->result, seen_->error, rule};
  diverge(rule, kind, "at least " + std::to_string(accepted + 1), result_text(seen_->result, seen_->error), check);
  return {};
}

std::optional<Model::Expected> Model::read_iocb(Address list, std::int64_t index, Address& pointer, Iocb& iocb) {
  const auto entry = read_pointer(list, index);
  if (!entry) return fail(Req::kSubmitListFault, kEFAULT);
  pointer = *entry;
  const auto copy = memory_.get<Iocb>(pointer);
  if (!copy) return fail(Req::kSubmitIocbFault, kEFAULT);
  iocb = *copy;
  if (iocb.reserved2 != 0) return fail(Req::kSubmitReserved, kEINVAL);
  if (profile_->rw_flags == 0 && iocb.rw_flags != 0) return fail(Req::kSubmitReserved, kEINVAL);
  if (static_cast<std::int64_t>(iocb.nbytes) < 0) return fail(Req::kSubmitNbytesNegative, kEINVAL);
  return std::nullopt;
}

Model::Expected Model::bad_fd(Fd fd) {
  return fail(files_.number_open(fd) ? Req::kSubmitPathFd : Req::kSubmitBadFd, kEBADF);
}

std::optional<Model::Expected> Model::run_iocb(Context& context, Address pointer, const Iocb& iocb, bool start) {
  const Fd fd = fd_of_number(iocb.fildes).value_or(Fd::kMinusOne);
  const bool fd_usable = files_.usable(fd);
  if (!fd_usable && profile_->fd_before_resfd) return bad_fd(fd);
  Request request;
  request.iocb = pointer;
  request.data = iocb.data;
  request.fd = fd;
  if ((iocb.flags & kFlagResfd) != 0) {
    const Fd resfd = fd_of_number(iocb.resfd).value_or(Fd::kMinusOne);
    if (!files_.usable(resfd)) return fail(Req::kResfdBadFd, kEBADF);
    if (traits(resfd).kind != FileKind::kEventfd) return fail(Req::kResfdNoEventfd, kEINVAL);
    request.resfd = resfd;
  }
  const bool write = is_write(iocb.opcode);
  if (profile_->flags_before_key) {
    if (const auto failed = check_rw_flags(iocb, fd, write)) return failed;
  }
  // aio_key, at offset 8, is zeroed whatever becomes of the iocb from here on.
  if (!memory_.put(pointer + 8, std::uint32_t{rules_.wrong(Req::kSubmitKeyWritten) ? 1u : 0u},
                   Req::kSubmitKeyWritten)) {
    return fail(Req::kSubmitKeyFault, kEFAULT);
  }
  switch (iocb.opcode) {
    case kPread:
    case kPreadv:
    case kPwrite:
    case kPwritev:
      if (!fd_usable) return bad_fd(fd);
      return start_rw(context, iocb, request, write, start);
    case kFsync:
    case kFdsync:
      if (!profile_->has_fsync) return fail(Req::kSubmitBadOpcode, kEINVAL);
      return start_fsync(context, iocb, request, start);
    case kPoll:
      if (!profile_->has_poll) return fail(Req::kSubmitBadOpcode, kEINVAL);
      return start_poll(context, iocb, request, start);
    default:
      return fail(Req::kSubmitBadOpcode, kEINVAL);
  }
}

}  // namespace aio
