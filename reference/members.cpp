// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/members.h"

#include <variant>

namespace aio {
namespace {

constexpr std::size_t bit(Fd fd) { return static_cast<std::size_t>(fd); }

struct NameVisitor {
  FdSet& named;

  void operator()(const Submit& op) const {
    for (const IocbSpec& spec : op.iocbs) {
      named.set(bit(spec.fd));
      if (has_resfd(spec)) named.set(bit(spec.resfd));
    }
  }
  void operator()(const FdWrite& op) const { named.set(bit(op.fd)); }
  void operator()(const FdRead& op) const { named.set(bit(op.fd)); }
  void operator()(const FdClose& op) const { named.set(bit(op.fd)); }
  void operator()(const Expire&) const { named.set(bit(Fd::kTimer)); }
  void operator()(const Hold&) const { named.set(bit(Fd::kGate)); }
  void operator()(const ReleaseHeld&) const { named.set(bit(Fd::kGate)); }
  void operator()(const ReleaseAll&) const { named.set(bit(Fd::kGate)); }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

FdSet named_members(const Program& program) {
  FdSet named;
  for (const Operation& operation : program.operations) std::visit(NameVisitor{named}, operation);
  constexpr Fd kPairs[][2] = {
      {Fd::kPipeRead, Fd::kPipeWrite}, {Fd::kNbPipeRead, Fd::kNbPipeWrite}, {Fd::kSocket0, Fd::kSocket1}};
  for (const auto& [one, other] : kPairs) {
    const bool either = named[bit(one)] || named[bit(other)];
    named[bit(one)] = either;
    named[bit(other)] = either;
  }
  return named;
}

}  // namespace aio
