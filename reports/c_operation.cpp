// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/c_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "reference/notation.h"
#include "reference/stores.h"

namespace aio {
namespace {

// More pointers than this are stored by a loop.
constexpr std::uint64_t kFewPointers = 4;

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// A context stays a variable, because its value is the kernel's choice; other symbols are the
// numbers that were recorded.
std::string value_of(const Value& written, const Value& resolved) {
  const auto slot = static_cast<unsigned>(written.symbol) - static_cast<unsigned>(Symbol::kContext0);
  if (written.symbol == Symbol::kLiteral || slot >= arena::kContextSlots) {
    return c_number(resolved.offset);
  }
  if (written.offset == 0) return fmt::format("CONTEXT({})", slot);
  return fmt::format("CONTEXT({}) + {}", slot, c_number(written.offset));
}

std::string store_line(Address at, const std::string& type, const std::string& value) {
  return fmt::format("\tSTORE({}, {}, {});\n", c_address(at), type, value);
}

// The members that are not zero, as designated initializers.
std::string iocb_initializer(const Iocb& iocb, const IocbSpec& spec, CNeeds& needs) {
  std::string text = fmt::format(".aio_lio_opcode = {} /* {} */", iocb.opcode, c_comment(opcode_text(iocb.opcode)));
  const auto member = [&](const char* name, std::uint64_t value, const std::string& written) {
    if (value != 0) text += fmt::format(",\n\t      .{} = {}", name, written);
  };
  const auto number = [&](const char* name, std::uint64_t value) {
    member(name, value, c_number(static_cast<std::int64_t>(value)));
  };
  needs.descriptors.set(static_cast<std::size_t>(spec.fd));
  member("aio_fildes", iocb.fildes, c_descriptor(spec.fd));
  member("aio_buf", iocb.buf, c_address(iocb.buf));
  number("aio_nbytes", iocb.nbytes);
  number("aio_offset", static_cast<std::uint64_t>(iocb.offset));
  number("aio_data", iocb.data);
  number("aio_key", iocb.key);
  // The kernel's type is int.
  member("aio_rw_flags", iocb.rw_flags, c_number(static_cast<std::int32_t>(iocb.rw_flags)));
  number("aio_reqprio", static_cast<std::uint64_t>(std::int64_t{iocb.reqprio}));
  number("aio_reserved2", iocb.reserved2);
  number("aio_flags", iocb.flags);
  if (has_resfd(spec)) {
    needs.descriptors.set(static_cast<std::size_t>(spec.resfd));
    member("aio_resfd", iocb.resfd, c_descriptor(spec.resfd));
  }
  return text;
}

// The stores of each operation, as in stores_impl.h.
struct Stores {
  CNeeds& needs;
  EntryKind entry;
  std::string text;

  bool narrow() const { return entry == EntryKind::kCompat; }
  std::string word(const std::string& number) const { return narrow() ? "(uint32_t)(" + number + ")" : number; }
  const char* pointer_type() const { return narrow() ? "uint32_t" : "uint64_t"; }

  void put(Address at, const std::string& type, const std::string& value) {
    needs.parts.need(CPart::kStore);
    text += store_line(at, type, value);
  }
  void put_pair(Address at, const std::string& first, const std::string& second) {
    if (!narrow()) return put(at, "pair", first + ", " + second);
    put(at, "narrow_pair", word(first) + ", " + word(second));
  }
  void operator()(const Setup& op) { put(op.ctxp, "uint64_t", c_number(static_cast<std::int64_t>(op.initial))); }
  void operator()(const Submit& op) {
    for (const IocbSpec& spec : op.iocbs) {
      put(spec.at, "struct iocb", iocb_initializer(iocb_of(spec), spec, needs));
      for (std::size_t i = 0; i < spec.segments.size(); ++i) {
        put_pair(spec.buf + 2 * word_size(entry) * i, c_address(spec.segments[i].base),
                 c_number(static_cast<std::int64_t>(spec.segments[i].len)));
      }
    }
    put_pointers(op);
  }
  void put_pointers(const Submit& op) {
    const std::uint64_t count = pointers_stored(op);
    if (count <= kFewPointers) {
      for (std::uint64_t i = 0; i < count; ++i) {
        put(arena::kPointers + word_size(entry) * i, pointer_type(), word(c_address(op.iocbs[i % op.iocbs.size()].at)));
      }
      return;
    }
    std::string list;
    for (const IocbSpec& spec : op.iocbs) list += c_address(spec.at) + ", ";
    needs.parts.need(CPart::kStore);
    text += fmt::format(
        "\tfor (int i = 0; i < {}; i++)\n"
        "\t\tSTORE(POINTERS + {} * i, {}, ((uint64_t[]){{ {}}})[i % {}]);\n",
        count, word_size(entry), pointer_type(), list, op.iocbs.size());
  }
  void put_timeout(Address at, std::int64_t sec, std::int64_t nsec) {
    if (at != arena::kNull) put_pair(at, c_number(sec), c_number(nsec));
  }
  void operator()(const Getevents& op) { put_timeout(op.timeout, op.sec, op.nsec); }
  void operator()(const Pgetevents& op) {
    put_timeout(op.timeout, op.sec, op.nsec);
    if (op.sigset != arena::kNull) {
      put_pair(op.sigset, c_address(op.mask), c_number(static_cast<std::int64_t>(op.size)));
    }
    if (op.mask != arena::kNull) {
      put(op.mask, "uint64_t", c_number(static_cast<std::int64_t>(op.signals)));
    }
  }
  void operator()(const Store& op) {
    const std::uint64_t width = std::clamp<std::uint64_t>(op.width, 1, 8);
    needs.parts.need(CPart::kStore);
    text += fmt::format("\tstore({}, &(uint64_t){{ {} }}, {});\n", c_address(op.at),
                        c_number(static_cast<std::int64_t>(op.value)), width);
  }
  template <class Other>
  void operator()(const Other&) {}
};

// The call of each operation. `written` is the operation with its symbols.
struct Call {
  const Operation& written;
  CNeeds& needs;
  unsigned cpu = 0;  // index of the CPU on which it was made

  template <class T>
  const T& symbolic(const T&) const {
    return std::get<T>(written);
  }
  // A call of a helper that is a part of its own.
  template <class... Arguments>
  std::string call(CPart part, const char* name, Arguments... arguments) const {
    needs.parts.need(part);
    std::string list;
    ((list += (list.empty() ? "" : ", ") + std::string(arguments)), ...);
    return fmt::format("{}({})", name, list);
  }
  std::string named(Fd fd) const {
    needs.descriptors.set(static_cast<std::size_t>(fd));
    return c_descriptor(fd);
  }

  std::string operator()(const Setup& op) const {
    const auto nr = static_cast<std::uint32_t>(op.nr.offset);
    return call(CPart::kSetup, "io_setup", c_number(nr), c_address(op.ctxp));
  }
  std::string operator()(const Destroy& op) const {
    return call(CPart::kDestroy, "io_destroy", value_of(symbolic(op).ctx, op.ctx));
  }
  std::string operator()(const Submit& op) const {
    return call(CPart::kSubmit, "io_submit", value_of(symbolic(op).ctx, op.ctx), value_of(symbolic(op).nr, op.nr),
                c_address(op.list));
  }
  std::string operator()(const Getevents& op) const {
    return call(CPart::kGetevents, "io_getevents", value_of(symbolic(op).ctx, op.ctx),
                value_of(symbolic(op).min_nr, op.min_nr), value_of(symbolic(op).nr, op.nr), c_address(op.events),
                c_address(op.timeout));
  }
  std::string operator()(const Pgetevents& op) const {
    return call(CPart::kPgetevents, "io_pgetevents", value_of(symbolic(op).ctx, op.ctx),
                value_of(symbolic(op).min_nr, op.min_nr), value_of(symbolic(op).nr, op.nr), c_address(op.events),
                c_address(op.timeout), c_address(op.sigset));
  }
  std::string operator()(const Cancel& op) const {
    return call(CPart::kCancel, "io_cancel", value_of(symbolic(op).ctx, op.ctx), c_address(op.iocb),
                c_address(op.result));
  }
  std::string operator()(const RingStore& op) const {
    needs.parts.need(CPart::kRing);
    return fmt::format("*ring_word({}, {}) = {}", value_of(symbolic(op).ctx, op.ctx), static_cast<unsigned>(op.field),
                       c_number(static_cast<std::uint32_t>(op.value.offset)));
  }
  std::string operator()(const Reap& op) const {
    return call(CPart::kReap, "reap", value_of(symbolic(op).ctx, op.ctx), value_of(symbolic(op).count, op.count));
  }
  std::string operator()(const Move& op) const { return fmt::format("move_to_cpu({})", c_number(op.cpu.offset)); }
  std::string operator()(const FdWrite& op) const {
    constexpr std::uint64_t kMost = 4096;
    const bool counts = op.fd == Fd::kEvent || op.fd == Fd::kNbEvent || op.fd == Fd::kSemEvent;
    const std::string fd = named(op.fd);
    needs.parts.need(CPart::kReady);
    if (counts) {
      return fmt::format("ready({0}, POLLOUT) ? answer(write({0}, &(uint64_t){{ {1} }}, 8)) : 0", fd,
                         c_number(static_cast<std::int64_t>(op.value)));
    }
    needs.parts.need(CPart::kPayload);
    return fmt::format("ready({0}, POLLOUT) ? answer(write({0}, payload({1}), {2})) : 0", fd,
                       c_number(static_cast<std::int64_t>(op.value)), std::min(op.nbytes, kMost));
  }
  std::string operator()(const FdRead& op) const {
    constexpr std::uint64_t kMost = 4096;
    needs.parts.need(CPart::kReady);
    needs.parts.need(CPart::kData);
    return fmt::format("ready({0}, POLLIN) ? answer(read({0}, data, {1})) : 0", named(op.fd),
                       std::min(op.nbytes, kMost));
  }
  std::string operator()(const FdClose& op) const { return fmt::format("answer(close({}))", named(op.fd)); }
  std::string operator()(const Store&) const { return ""; }
  std::string gate(const std::string& text) const {
    named(Fd::kGate);
    return text;
  }
  std::string operator()(const Hold&) const { return gate("gate_hold()"); }
  std::string operator()(const ReleaseHeld& op) const {
    return gate(fmt::format("gate_release({}, {}, {})", c_number(op.which.offset), c_result(op.result),
                            c_number(op.cpu.offset)));
  }
  std::string operator()(const ReleaseAll&) const { return gate("gate_release_all()"); }
  std::string operator()(const InLane&) const { return fmt::format("move_to_cpu({})", cpu); }
  std::string operator()(const RingMap& op) const {
    needs.parts.need(CPart::kRingMap);
    const std::string ring = value_of(symbolic(op).ctx, op.ctx);
    switch (op.action) {
      case MapAction::kMove:
        return fmt::format("ring_move({})", ring);
      case MapAction::kGrow:
        return fmt::format("ring_remap({}, 1, 4096, 0)", ring);
      case MapAction::kDuplicate:
        return fmt::format("ring_remap({}, 0, 0, 0)", ring);
      case MapAction::kDontUnmap:
        return fmt::format("ring_remap({}, 1, 0, MREMAP_DONTUNMAP)", ring);
      case MapAction::kGrowHere:
        return fmt::format("ring_grow_here({})", ring);
      case MapAction::kDrop:
        return fmt::format("answer(madvise((void *)({0}), ring_bytes({0}), MADV_DONTNEED))", ring);
      case MapAction::kLock:
        return fmt::format("(mlock((void *)({0}), ring_bytes({0})), 0)", ring);
      case MapAction::kUnmap:
        return fmt::format("ring_unmap({})", ring);
      case MapAction::kReplace:
        return fmt::format("ring_replace({})", ring);
      case MapAction::kFree:
        return fmt::format("answer(munmap((void *)({0}), ring_bytes({0})))", ring);
      case MapAction::kHide:
        return protect(ring, "PROT_NONE");
      case MapAction::kFreeze:
        return protect(ring, "PROT_READ");
      case MapAction::kOpen:
        return protect(ring, "PROT_READ | PROT_WRITE");
    }
    return "";
  }
  static std::string protect(const std::string& ring, const char* protection) {
    return fmt::format("answer(mprotect((void *)({0}), ring_bytes({0}), {1}))", ring, protection);
  }
  std::string operator()(const InChild&) const { return ""; }
  std::string operator()(const Through& op) const {
    needs.parts.need(CPart::kThrough);
    const char* const name = op.entry == EntryKind::kNative   ? "NATIVE"
                             : op.entry == EntryKind::kLibaio ? "LIBAIO"
                                                              : "COMPAT32";
    return fmt::format("entry = {}", name);
  }
  std::string operator()(const Expire&) const { return call(CPart::kExpire, "expire", named(Fd::kTimer)); }
  std::string operator()(const Interrupt& op) const {
    needs.parts.need(CPart::kLaneCalls);
    constexpr const char* kNames[] = {"SIGUSR2", "SIGUSR1", "SIGSTOP", "SIGWINCH", "SIGIO"};
    return fmt::format("lane_signal({}, {})", lane_of(op.number), kNames[static_cast<unsigned>(op.kind)]);
  }
};

// A call that may sleep, as the arguments of lane_call() behind the lane.
struct SleepingCall {
  const Operation& written;

  std::string operator()(const Destroy& op) const {
    return fmt::format("SYS_io_destroy, {}, 0, 0, 0, 0, 0", value_of(std::get<Destroy>(written).ctx, op.ctx));
  }
  std::string operator()(const Submit& op) const {
    const auto& symbolic = std::get<Submit>(written);
    return fmt::format("SYS_io_submit, {}, {}, {}, 0, 0, 0", value_of(symbolic.ctx, op.ctx),
                       value_of(symbolic.nr, op.nr), c_address(op.list));
  }
  template <class Wait>
  requires requires(const Wait& op) { op.min_nr; }
  std::string operator()(const Wait& op) const {
    const auto& symbolic = std::get<Wait>(written);
    std::string sigset = "0";
    if constexpr (std::is_same_v<Wait, Pgetevents>) sigset = c_address(op.sigset);
    return fmt::format("{}, {}, {}, {}, {}, {}, {}", sigset == "0" ? "SYS_io_getevents" : "SYS_io_pgetevents",
                       value_of(symbolic.ctx, op.ctx), value_of(symbolic.min_nr, op.min_nr),
                       value_of(symbolic.nr, op.nr), c_address(op.events), c_address(op.timeout), sigset);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

}  // namespace

std::string c_number(std::int64_t number) {
  if (number == std::clamp(number, std::int64_t{INT32_MIN} + 1, std::int64_t{1} << 24)) {
    return fmt::format("{}", number);
  }
  return fmt::format("{:#x}UL", static_cast<std::uint64_t>(number));
}

std::string c_address(Address address) {
  for (const arena::Area& area : arena::kAreas) {
    if (address < area.begin || address >= area.begin + area.size) continue;
    if (address == area.begin) return upper(area.name);
    return fmt::format("{} + {:#x}", upper(area.name), address - area.begin);
  }
  return c_number(static_cast<std::int64_t>(address));
}

std::string c_result(std::int64_t result) {
  if (result >= 0 || result < -4095) return c_number(result);
  const std::string name = errno_name(static_cast<int>(-result));
  return name.find(' ') == std::string::npos ? "-" + name : c_number(result);
}

std::string c_descriptor(Fd fd) { return "FD_" + upper(fd_name(fd)); }

std::string c_comment(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    const char last = safe.empty() ? ' ' : safe.back();
    if ((last == '*' && c == '/') || (last == '/' && c == '*')) safe += ' ';
    safe += c < ' ' || c > '~' ? '?' : c;
  }
  return safe;
}

std::string c_bytes(const std::vector<std::uint8_t>& bytes) {
  std::string list;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    list += fmt::format("{}{:#04x}", i == 0 ? "" : i % 12 == 0 ? ",\n\t\t" : ", ", bytes[i]);
  }
  return list;
}

std::string c_stores(const Step& step, EntryKind entry, CNeeds& needs) {
  Stores stores{needs, entry, {}};
  std::visit(stores, step.resolved);
  return stores.text;
}

std::string c_call(const Step& step, CNeeds& needs) {
  if (step.observation && step.observation->skipped) return "";
  const unsigned cpu = step.observation ? step.observation->cpu : 0;
  return std::visit(Call{step.operation, needs, cpu}, step.resolved);
}

std::string c_sleeping_call(const Step& step, CNeeds& needs) {
  const std::string arguments = std::visit(SleepingCall{step.operation}, step.resolved);
  if (arguments.empty()) return "";
  needs.parts.need(CPart::kLaneCalls);
  return fmt::format("lane_call({}, {})", step.observation ? step.observation->lane : 0, arguments);
}

bool c_returns(const Operation& operation) {
  return is_system_call(operation) || is_plain_call(operation) || std::holds_alternative<Reap>(operation) ||
         std::holds_alternative<RingMap>(operation);
}

}  // namespace aio
