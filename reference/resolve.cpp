// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/resolve.h"

#include "reference/fields.h"

namespace aio {

namespace {

// What user space counts in the ring: as the kernel, it takes both words modulo R.
std::uint64_t in_ring(const RingFacts& ring) {
  if (ring.size == 0) return 0;
  const std::uint32_t head = ring.head % ring.size;
  const std::uint32_t tail = ring.tail % ring.size;
  return head <= tail ? tail - head : ring.size - head + tail;
}

// The number that a symbol stands for. `ring` is the ring of the operation's context, all zero if
// there is none.
std::uint64_t number(Symbol symbol, const Facts& facts, const RingFacts& ring) {
  switch (symbol) {
    case Symbol::kLiteral:
      return 0;
    case Symbol::kContext0:
      return facts.contexts[0];
    case Symbol::kContext1:
      return facts.contexts[1];
    case Symbol::kContext2:
      return facts.contexts[2];
    case Symbol::kContext3:
      return facts.contexts[3];
    case Symbol::kQuota:
      return ring.quota;
    case Symbol::kRingSize:
      return ring.size;
    case Symbol::kInRing:
      return in_ring(ring);
    case Symbol::kHead:
      return ring.head;
    case Symbol::kTail:
      return ring.tail;
    case Symbol::kMaxNr:
      return facts.max_nr;
    case Symbol::kMaxFile:
      return facts.max_file;
    case Symbol::kId:
      return ring.id_word;
  }
  return 0;
}

struct Resolver {
  const Facts& facts;
  RingFacts ring;

  Value literal(const Value& value) const {
    const std::uint64_t base = number(value.symbol, facts, ring);
    return static_cast<std::int64_t>(base + static_cast<std::uint64_t>(value.offset));
  }
  void operator()(const char*, Value& value) const { value = literal(value); }
  template <class T>
  void operator()(const char*, std::vector<T>& elements) const {
    for (T& element : elements) visit_fields(element, *this);
  }
  template <class Other>
  void operator()(const char*, const Other&) const {}
};

// Arguments as 32-bit calls pass them on: addresses and ids extended with zeros, counts with their sign.
struct Cut {
  static void address(Address& address) { address &= 0xffffffff; }
  static void id(Value& value) { value.offset &= 0xffffffff; }
  static void count(Value& value) { value.offset = static_cast<std::int32_t>(value.offset); }

  void operator()(Setup& op) const { address(op.ctxp); }
  void operator()(Destroy& op) const { id(op.ctx); }
  void operator()(Submit& op) const {
    id(op.ctx);
    count(op.nr);
    address(op.list);
  }
  template <class Wait>
  void wait(Wait& op) const {
    id(op.ctx);
    count(op.min_nr);
    count(op.nr);
    address(op.events);
    address(op.timeout);
  }
  void operator()(Getevents& op) const { wait(op); }
  void operator()(Pgetevents& op) const {
    wait(op);
    address(op.sigset);
  }
  void operator()(Cancel& op) const {
    id(op.ctx);
    address(op.iocb);
    address(op.result);
  }
  template <class Other>
  void operator()(Other&) const {}
};

// The ring that the operation names, for its other arguments.
RingFacts ring_of(const Value& ctx, const Facts& facts) {
  const auto id = static_cast<Address>(Resolver{facts, {}}.literal(ctx).offset);
  return facts.ring ? facts.ring(id) : RingFacts{};
}

}  // namespace

Operation resolve(const Operation& operation, const Facts& facts) {
  Operation resolved = operation;
  std::visit(
      [&](auto& op) {
        Resolver resolver{facts, {}};
        if constexpr (requires { op.ctx; }) resolver.ring = ring_of(op.ctx, facts);
        visit_fields(op, resolver);
      },
      resolved);
  if (facts.entry == EntryKind::kCompat) std::visit(Cut{}, resolved);
  return resolved;
}

std::uint64_t context_argument(const Operation& resolved) {
  return std::visit(
      [](const auto& op) -> std::uint64_t {
        if constexpr (requires { op.ctx; }) {
          return static_cast<std::uint64_t>(op.ctx.offset);
        } else {
          return 0;
        }
      },
      resolved);
}

}  // namespace aio
