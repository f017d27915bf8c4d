// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/print.h"

#include <fmt/format.h>

namespace aio {

std::string ctx_text(const Value& ctx) {
  if (ctx.symbol < Symbol::kContext0 || ctx.symbol > Symbol::kContext3) return value_text(ctx);
  // "context1+8" becomes "ctx1+8".
  return "ctx" + value_text(ctx).substr(symbol_name(Symbol::kContext0).size() - 1);
}

std::string ctxp_text(Address ctxp) {
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    if (ctxp == arena::context_slot(slot)) return fmt::format("&ctx{}", slot);
  }
  return address_text(ctxp);
}

namespace {

// The opcode with its arguments: what differs between opcodes.
std::string request_text(const IocbSpec& iocb) {
  const std::string name = opcode_text(iocb.opcode);
  if (iocb.opcode != kFsync && iocb.opcode != kFdsync && iocb.opcode != kPoll) {
    return fmt::format("{}({}, {}, {}, offset {})", name, fd_name(iocb.fd), address_text(iocb.buf), iocb.nbytes,
                       value_text(iocb.offset));
  }
  std::string text = fmt::format("{}({}", name, fd_name(iocb.fd));
  if (iocb.opcode == kPoll && iocb.buf <= UINT16_MAX) {
    text += ", " + poll_text(static_cast<std::uint16_t>(iocb.buf));
  } else if (iocb.buf != 0) {
    text += ", buf " + address_text(iocb.buf);
  }
  if (iocb.nbytes != 0) text += fmt::format(", nbytes {}", iocb.nbytes);
  if (iocb.offset != Value(0)) text += ", offset " + value_text(iocb.offset);
  return text + ")";
}

std::string segments_text(const std::vector<Segment>& segments) {
  std::string text;
  for (const Segment& segment : segments) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", address_text(segment.base), segment.len);
  }
  return text;
}

// `index` is the place in the list: iocb number i usually lies in slot i.
std::string iocb_text(const IocbSpec& iocb, std::size_t index) {
  std::string text = request_text(iocb);
  if (!iocb.segments.empty()) text += fmt::format(" iov={{{}}}", segments_text(iocb.segments));
  if (has_resfd(iocb)) {
    const bool asked = (iocb.flags & kFlagResfd) != 0;
    text += fmt::format(" {}resfd={}{}", asked ? "" : "(", fd_name(iocb.resfd), asked ? "" : ")");
  }
  if (iocb.rw_flags != 0) text += " rw_flags=" + rw_flags_text(iocb.rw_flags);
  const std::uint32_t unnamed = iocb.flags & ~(kFlagResfd | kFlagIoprio);
  if ((iocb.flags & kFlagIoprio) != 0) text += " IOPRIO";
  if (unnamed != 0) text += fmt::format(" flags={:#x}", unnamed);
  if (iocb.reqprio != 0) {
    text += fmt::format(" reqprio={:#x}", static_cast<std::uint16_t>(iocb.reqprio));
  }
  if (iocb.data != 0) text += fmt::format(" data={:#x}", iocb.data);
  if (iocb.key != 0) text += fmt::format(" key={:#x}", iocb.key);
  if (iocb.reserved2 != 0) text += fmt::format(" reserved2={:#x}", iocb.reserved2);
  if (iocb.at != arena::iocb_slot(static_cast<unsigned>(index))) {
    text += " @" + address_text(iocb.at);
  }
  return text;
}

std::string iocbs_text(const std::vector<IocbSpec>& iocbs) {
  std::string text;
  for (std::size_t i = 0; i < iocbs.size(); ++i) {
    text += (i == 0 ? "" : ", ") + iocb_text(iocbs[i], i);
  }
  return text;
}

// What is stored at the address is in braces behind it; at the usual address the braces suffice.
std::string timeout_text(Address at, std::int64_t sec, std::int64_t nsec) {
  if (at == arena::kNull && sec == 0 && nsec == 0) return address_text(at);
  const std::string stored = fmt::format("{{{},{}}}", sec, nsec);
  return at == arena::kTimespec ? stored : address_text(at) + stored;
}

template <class Wait>
std::string wait_text(const Wait& op) {
  return fmt::format("{}, min {}, nr {}, {}, {}", ctx_text(op.ctx), value_text(op.min_nr), value_text(op.nr),
                     address_text(op.events), timeout_text(op.timeout, op.sec, op.nsec));
}

std::string sigset_text(const Pgetevents& op) {
  const Pgetevents usual;
  std::string text = "sigset";
  if (op.sigset != usual.sigset) text += " " + address_text(op.sigset);
  text += fmt::format("{{{:#x}", op.signals);
  if (op.mask != usual.mask) text += " at " + address_text(op.mask);
  if (op.size != usual.size) text += fmt::format(", size {}", op.size);
  return text + "}";
}

struct Printer {
  std::string operator()(const Setup& op) const {
    std::string text = fmt::format("io_setup({}, {})", value_text(op.nr), ctxp_text(op.ctxp));
    if (op.initial != 0) text += fmt::format(" initial={:#x}", op.initial);
    return text;
  }
  std::string operator()(const Destroy& op) const { return fmt::format("io_destroy({})", ctx_text(op.ctx)); }
  std::string operator()(const Submit& op) const {
    std::string text = fmt::format("io_submit({}, {}, ", ctx_text(op.ctx), value_text(op.nr));
    if (op.list != arena::kPointers) text += address_text(op.list) + " ";
    text += fmt::format("[{}])", iocbs_text(op.iocbs));
    if (op.fill != op.nr) text += " fill=" + value_text(op.fill);
    return text;
  }
  std::string operator()(const Getevents& op) const { return fmt::format("io_getevents({})", wait_text(op)); }
  std::string operator()(const Pgetevents& op) const {
    return fmt::format("io_pgetevents({}, {})", wait_text(op), sigset_text(op));
  }
  std::string operator()(const Cancel& op) const {
    std::string text = fmt::format("io_cancel({}, {}", ctx_text(op.ctx), address_text(op.iocb));
    if (op.result != Cancel{}.result) text += ", " + address_text(op.result);
    return text + ")";
  }
  std::string operator()(const RingStore& op) const {
    return fmt::format("ring.{}({}) = {}", ring_field_name(op.field), ctx_text(op.ctx), value_text(op.value));
  }
  std::string operator()(const Reap& op) const {
    return fmt::format("reap({}, {})", ctx_text(op.ctx), value_text(op.count));
  }
  std::string operator()(const Move& op) const { return fmt::format("move(cpu {})", value_text(op.cpu)); }
  std::string operator()(const FdWrite& op) const {
    std::string text = fmt::format("fd_write({}, {} bytes", fd_name(op.fd), op.nbytes);
    if (op.value != FdWrite{}.value) text += fmt::format(", value {:#x}", op.value);
    return text + ")";
  }
  std::string operator()(const FdRead& op) const {
    return fmt::format("fd_read({}, {} bytes)", fd_name(op.fd), op.nbytes);
  }
  std::string operator()(const FdClose& op) const { return fmt::format("fd_close({})", fd_name(op.fd)); }
  std::string operator()(const Store& op) const {
    return fmt::format("store({}, {} bytes, {:#x})", address_text(op.at), op.width, op.value);
  }
  std::string operator()(const Hold&) const { return "hold"; }
  std::string operator()(const ReleaseHeld& op) const {
    constexpr std::int64_t kMostErrno = 200;
    std::string result = fmt::format("{} bytes", op.result);
    if (op.result == ReleaseHeld{}.result) result = "whole";
    if (op.result < 0 && op.result > -kMostErrno) result = fmt::format("-{}", errno_name(static_cast<int>(-op.result)));
    return fmt::format("release(held {}, {}, cpu {})", value_text(op.which), result, value_text(op.cpu));
  }
  std::string operator()(const ReleaseAll&) const { return "release_all"; }
  std::string operator()(const InLane& op) const { return fmt::format("lane({})", value_text(op.number)); }
  std::string operator()(const RingMap& op) const {
    return fmt::format("{}({})", map_action_name(op.action), ctx_text(op.ctx));
  }
  std::string operator()(const InChild&) const { return "in_child"; }
  std::string operator()(const Through& op) const { return fmt::format("through({})", entry_name(op.entry)); }
  std::string operator()(const Expire&) const { return "expire(timer)"; }
  std::string operator()(const Interrupt& op) const {
    if (op.kind == SignalKind::kCaught) return fmt::format("interrupt(lane {})", value_text(op.number));
    return fmt::format("interrupt(lane {}, {})", value_text(op.number), signal_kind_name(op.kind));
  }
};

}  // namespace

std::string operation_text(const Operation& operation) { return std::visit(Printer{}, operation); }

std::string program_text(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    text += fmt::format("{:>3}  {}\n", i, operation_text(program.operations[i]));
  }
  return text;
}

}  // namespace aio
