// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/mutator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "properties/generator_composer.h"
#include "properties/mutator_tweaks.h"

namespace aio {
namespace {

// What is spliced meets another state than it had made for itself: that reaches most.
constexpr std::uint32_t kCutPercent = 45;
constexpr std::uint32_t kMostRun = 8;  // operations that are repeated
constexpr std::uint32_t kMostRepeats = 3;
constexpr std::uint32_t kMostLeftOut = 6;
constexpr std::uint32_t kMostOfDonor = 48;

// Operations that stay together, an InChild and what the child does; or a number of new ones.
struct Piece {
  std::vector<Operation> operations;
  unsigned fresh = 0;
};
using Pieces = std::vector<Piece>;

Pieces pieces_of(const Program& program) {
  Pieces pieces;
  bool joined = false;
  for (const Operation& operation : program.operations) {
    if (!joined) pieces.emplace_back();
    pieces.back().operations.push_back(operation);
    joined = std::holds_alternative<InChild>(operation);
  }
  return pieces;
}

class Mutation {
 public:
  Mutation(Dice& dice, const Program& base, const Program& donor)
      : dice_(dice), pieces_(pieces_of(base)), donor_(pieces_of(donor)) {}

  Pieces make() {
    cut();
    for (unsigned left = dice_.weighted<unsigned>({{5, 1}, {3, 2}, {2, 3}, {1, 4}}); left > 0; --left) edit();
    return std::move(pieces_);
  }

 private:
  // A long history leads deep, but one that only grows leaves no room.
  void cut() {
    const bool is_long = pieces_.size() > kMostOfMutant * 3 / 4;
    if (is_long || dice_.percent(kCutPercent)) pieces_.resize(pieces_.size() - dice_.below(size() / 2 + 1));
  }

  void edit() {
    enum { kExtend, kSplice, kInsert, kRepeat, kChange, kLeaveOut };
    switch (dice_.weighted<int>(
        {{20, kExtend}, {70, kSplice}, {12, kInsert}, {10, kRepeat}, {12, kChange}, {8, kLeaveOut}})) {
      case kExtend:
        pieces_.push_back({{}, 1 + dice_.below(dice_.percent(70) ? 8 : 30)});
        break;
      case kSplice:
        return splice();
      case kInsert:
        pieces_.insert(place(), Piece{{}, 1 + dice_.below(4)});
        break;
      case kRepeat:
        return repeat();
      case kChange:
        return change();
      default:
        return leave_out();
    }
  }

  void change() {
    if (pieces_.empty()) return;
    Piece& piece = pieces_[dice_.below(size())];
    if (piece.operations.size() == 1) tweak(dice_, piece.operations[0]);
  }

  void splice() {
    if (donor_.empty()) return;
    const std::uint32_t all = static_cast<std::uint32_t>(donor_.size());
    const std::uint32_t first = dice_.below(all);
    const std::uint32_t count = dice_.percent(50) ? all - first : 1 + dice_.below(all - first);
    const auto begin = donor_.begin() + first;
    const auto at = dice_.percent(60) ? pieces_.end() : place();
    pieces_.insert(at, begin, begin + std::min(count, kMostOfDonor));
  }

  void repeat() {
    if (pieces_.empty()) return;
    const std::uint32_t first = dice_.below(size());
    const std::uint32_t count = 1 + dice_.below(std::min(kMostRun, size() - first));
    const Pieces run(pieces_.begin() + first, pieces_.begin() + first + count);
    for (std::uint32_t left = 1 + dice_.below(kMostRepeats); left > 0; --left) {
      pieces_.insert(pieces_.begin() + first + count, run.begin(), run.end());
    }
  }

  void leave_out() {
    if (pieces_.empty()) return;
    const std::uint32_t first = dice_.below(size());
    const std::uint32_t count = 1 + dice_.below(std::min(kMostLeftOut, size() - first));
    pieces_.erase(pieces_.begin() + first, pieces_.begin() + first + count);
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(pieces_.size()); }
  Pieces::iterator place() { return pieces_.begin() + dice_.below(size() + 1); }

  Dice& dice_;
  Pieces pieces_;
  Pieces donor_;
};

}  // namespace

ProgramKind kind_of(const Program& program) {
  if (is_stepped(program)) return ProgramKind::kStepped;
  const bool holds = std::any_of(program.operations.begin(), program.operations.end(), [](const Operation& operation) {
    if (std::holds_alternative<Hold>(operation)) return true;
    const auto* submit = std::get_if<Submit>(&operation);
    return submit != nullptr && std::any_of(submit->iocbs.begin(), submit->iocbs.end(),
                                            [](const IocbSpec& spec) { return spec.fd == Fd::kGate; });
  });
  return holds ? ProgramKind::kHeld : ProgramKind::kPlain;
}

Program mutate(const rc::Random& random, ProgramKind kind, const Program& base, const Program& donor) {
  rc::Random second = random;
  Dice dice(second.split());
  const Pieces pieces = Mutation(dice, base, donor).make();
  Composer composer(random, {.kind = kind});
  composer.continue_another();
  for (const Piece& piece : pieces) {
    if (composer.length() >= kMostOfMutant) break;
    for (unsigned left = piece.fresh; left > 0; --left) composer.add_fresh();
    if (!piece.operations.empty()) composer.adopt(piece.operations);
  }
  return composer.finish(kMostOfMutant);
}

}  // namespace aio
