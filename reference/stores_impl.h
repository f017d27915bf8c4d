// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stores of each operation; see stores.h.
#pragma once

#include <algorithm>

#include "reference/stores.h"

namespace aio {

// The iocb that a specification stands for.
inline Iocb iocb_of(const IocbSpec& spec) {
  Iocb iocb;
  iocb.data = spec.data;
  iocb.key = spec.key;
  iocb.rw_flags = spec.rw_flags;
  iocb.opcode = spec.opcode;
  iocb.reqprio = spec.reqprio;
  iocb.fildes = fd_number(spec.fd);
  iocb.buf = spec.buf;
  iocb.nbytes = spec.nbytes;
  iocb.offset = spec.offset.offset;
  iocb.reserved2 = spec.reserved2;
  iocb.flags = spec.flags;
  iocb.resfd = has_resfd(spec) ? fd_number(spec.resfd) : 0;
  return iocb;
}

// How many pointers a Submit stores.
inline std::uint64_t pointers_stored(const Submit& submit) {
  if (submit.iocbs.empty() || submit.fill.offset <= 0) return 0;
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(submit.fill.offset), arena::kPointerSlots);
}

namespace detail {

template <class T>
std::span<const std::byte> bytes_of(const T& object) {
  return std::as_bytes(std::span(&object, 1));
}

template <class Sink>
struct StoreVisitor {
  Sink& sink;
  EntryKind entry;

  void put(Address at, std::span<const std::byte> bytes) {
    for (const arena::Area& area : arena::kAreas) {
      if (at >= area.begin && at - area.begin <= area.size && bytes.size() <= area.size - (at - area.begin)) {
        sink(at, bytes);
        return;
      }
    }
  }

  // Two numbers of the entry's size; the size of a segment in memory is theirs.
  void put_pair(Address at, std::uint64_t first, std::uint64_t second) {
    const std::array<std::uint64_t, 2> wide{first, second};
    const std::array<std::uint32_t, 2> narrow{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second)};
    entry == EntryKind::kCompat ? put(at, bytes_of(narrow)) : put(at, bytes_of(wide));
  }

  void operator()(const Setup& op) { put(op.ctxp, bytes_of(op.initial)); }
  void operator()(const Submit& op) {
    for (const IocbSpec& spec : op.iocbs) {
      const Iocb iocb = iocb_of(spec);
      put(spec.at, bytes_of(iocb));
      for (std::size_t i = 0; i < spec.segments.size(); ++i) {
        put_pair(spec.buf + 2 * word_size(entry) * i, spec.segments[i].base, spec.segments[i].len);
      }
    }
    entry == EntryKind::kCompat ? put_pointers<std::uint32_t>(op) : put_pointers<Address>(op);
  }
  template <class Pointer>
  void put_pointers(const Submit& op) {
    std::array<Pointer, arena::kPointerSlots> pointers;
    const std::uint64_t count = pointers_stored(op);
    for (std::uint64_t i = 0; i < count; ++i) pointers[i] = static_cast<Pointer>(op.iocbs[i % op.iocbs.size()].at);
    if (count > 0) put(arena::kPointers, std::as_bytes(std::span(pointers).first(count)));
  }
  void put_timeout(Address at, std::int64_t sec, std::int64_t nsec) {
    if (at != arena::kNull) put_pair(at, static_cast<std::uint64_t>(sec), static_cast<std::uint64_t>(nsec));
  }
  void operator()(const Getevents& op) { put_timeout(op.timeout, op.sec, op.nsec); }
  void operator()(const Pgetevents& op) {
    put_timeout(op.timeout, op.sec, op.nsec);
    if (op.sigset != arena::kNull) put_pair(op.sigset, op.mask, op.size);
    if (op.mask != arena::kNull) put(op.mask, bytes_of(op.signals));
  }
  void operator()(const Store& op) {
    const std::uint64_t width = std::clamp<std::uint64_t>(op.width, 1, 8);
    put(op.at, bytes_of(op.value).first(width));
  }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace detail

template <class Sink>
void user_stores(const Operation& operation, Sink&& sink, EntryKind entry) {
  std::visit(detail::StoreVisitor<std::remove_reference_t<Sink>>{sink, entry}, operation);
}

}  // namespace aio
