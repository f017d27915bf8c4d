// SPDX-License-Identifier: GPL-2.0-or-later
//
// Quirks: divergences that were confirmed and that the model takes over for the rest of the run, so that what lies
// behind them is found too. Where the state can follow the kernel's answer the model goes on from it; where it cannot,
// it has lost track of the program.
#pragma once

#include <set>

#include "reference/verdict.h"

namespace aio {

class Quirks {
 public:
  void add(const Signature& signature) { all_.insert(plain(signature)); }
  bool has(const Signature& signature) const { return all_.contains(plain(signature)); }
  const std::set<Signature>& all() const { return all_; }

  // Of which another signature says nothing more: an errno shows as a count where other iocbs were accepted before.
  static Signature plain(Signature signature) {
    if (signature.kind == Kind::kCount) signature.kind = Kind::kErrno;
    return signature;
  }

 private:
  std::set<Signature> all_;
};

}  // namespace aio
