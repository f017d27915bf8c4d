// SPDX-License-Identifier: GPL-2.0-or-later
//
// The fields of every operation, named once. Readers, writers, the hash, the printer and the minimizer are visitors
// over this list, so none of them can miss a field. visit_fields(op, f) calls f(name, field) in order; a field is a
// Value, an integer, an enum (Fd, RingField, MapAction, EntryKind, SignalKind) or a vector of structs that are visited
// in turn.
#pragma once

#include <type_traits>

#include "reference/program.h"

namespace aio {

template <class T, class Op>
concept SameFieldsAs = std::is_same_v<std::remove_const_t<T>, Op>;

// Addresses are wrapped while visiting, so that visitors can print "iocbs+0x40" and tell them from numbers.
template <class T>
struct AddressField {
  T& value;  // Address or const Address
};
template <class T>
AddressField(T&) -> AddressField<T>;

template <SameFieldsAs<Setup> T, class F>
void visit_fields(T& op, F&& f) {
  f("nr", op.nr);
  f("ctxp", AddressField{op.ctxp});
  f("initial", op.initial);
}
template <SameFieldsAs<Destroy> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
}
template <SameFieldsAs<Segment> T, class F>
void visit_fields(T& op, F&& f) {
  f("base", AddressField{op.base});
  f("len", op.len);
}
template <SameFieldsAs<IocbSpec> T, class F>
void visit_fields(T& op, F&& f) {
  f("at", AddressField{op.at});
  f("data", op.data);
  f("key", op.key);
  f("rw_flags", op.rw_flags);
  f("opcode", op.opcode);
  f("reqprio", op.reqprio);
  f("fd", op.fd);
  f("buf", AddressField{op.buf});
  f("nbytes", op.nbytes);
  f("offset", op.offset);
  f("reserved2", op.reserved2);
  f("flags", op.flags);
  f("resfd", op.resfd);
  f("segments", op.segments);
}
template <SameFieldsAs<Submit> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("nr", op.nr);
  f("list", AddressField{op.list});
  f("fill", op.fill);
  f("iocbs", op.iocbs);
}
template <class T, class F>
void visit_wait_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("min_nr", op.min_nr);
  f("nr", op.nr);
  f("events", AddressField{op.events});
  f("timeout", AddressField{op.timeout});
  f("sec", op.sec);
  f("nsec", op.nsec);
}
template <SameFieldsAs<Getevents> T, class F>
void visit_fields(T& op, F&& f) {
  visit_wait_fields(op, f);
}
template <SameFieldsAs<Pgetevents> T, class F>
void visit_fields(T& op, F&& f) {
  visit_wait_fields(op, f);
  f("sigset", AddressField{op.sigset});
  f("mask", AddressField{op.mask});
  f("size", op.size);
  f("signals", op.signals);
}
template <SameFieldsAs<Cancel> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("iocb", AddressField{op.iocb});
  f("result", AddressField{op.result});
}
template <SameFieldsAs<RingStore> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("field", op.field);
  f("value", op.value);
}
template <SameFieldsAs<Reap> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("count", op.count);
}
template <SameFieldsAs<Move> T, class F>
void visit_fields(T& op, F&& f) {
  f("cpu", op.cpu);
}
template <SameFieldsAs<FdWrite> T, class F>
void visit_fields(T& op, F&& f) {
  f("fd", op.fd);
  f("nbytes", op.nbytes);
  f("value", op.value);
}
template <SameFieldsAs<FdRead> T, class F>
void visit_fields(T& op, F&& f) {
  f("fd", op.fd);
  f("nbytes", op.nbytes);
}
template <SameFieldsAs<FdClose> T, class F>
void visit_fields(T& op, F&& f) {
  f("fd", op.fd);
}
template <SameFieldsAs<Store> T, class F>
void visit_fields(T& op, F&& f) {
  f("at", AddressField{op.at});
  f("value", op.value);
  f("width", op.width);
}

template <SameFieldsAs<Hold> T, class F>
void visit_fields(T&, F&&) {}
template <SameFieldsAs<ReleaseHeld> T, class F>
void visit_fields(T& op, F&& f) {
  f("which", op.which);
  f("result", op.result);
  f("cpu", op.cpu);
}
template <SameFieldsAs<ReleaseAll> T, class F>
void visit_fields(T&, F&&) {}
template <SameFieldsAs<InLane> T, class F>
void visit_fields(T& op, F&& f) {
  f("number", op.number);
}
template <SameFieldsAs<Interrupt> T, class F>
void visit_fields(T& op, F&& f) {
  f("number", op.number);
  f("kind", op.kind);
}

template <SameFieldsAs<RingMap> T, class F>
void visit_fields(T& op, F&& f) {
  f("ctx", op.ctx);
  f("action", op.action);
}
template <SameFieldsAs<InChild> T, class F>
void visit_fields(T&, F&&) {}
template <SameFieldsAs<Expire> T, class F>
void visit_fields(T&, F&&) {}
template <SameFieldsAs<Through> T, class F>
void visit_fields(T& op, F&& f) {
  f("entry", op.entry);
}

}  // namespace aio
