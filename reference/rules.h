// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the model is told about its own rules: which of them, if any, is to be decided wrongly (a *mutant*: the proof
// that the rule is noticed), and which have decided a compared part of an answer.
#pragma once

#include <optional>

#include "reference/requirement.h"

namespace aio {

class Rules {
 public:
  // A model with all rules right.
  Rules() = default;
  // A model in which this rule is wrong.
  explicit Rules(std::optional<Req> mutant) : mutant_(mutant) {}

  bool wrong(Req rule) const { return mutant_ == rule; }
  std::optional<Req> mutant() const { return mutant_; }
  // The same rules with one of them turned over, from right to wrong or back.
  Rules flipped(Req rule) const { return Rules(wrong(rule) ? std::nullopt : std::optional(rule)); }

  void exercise(Req rule) { ++exercised_[static_cast<std::size_t>(rule)]; }
  bool exercised(Req rule) const { return exercised_[static_cast<std::size_t>(rule)] > 0; }
  const RequirementCounts& exercised() const { return exercised_; }

 private:
  std::optional<Req> mutant_;
  RequirementCounts exercised_{};
};

}  // namespace aio
