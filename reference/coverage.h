// SPDX-License-Identifier: GPL-2.0-or-later
//
// Coverage: what programs have reached of the model. Everything that can be reached is a feature, and every feature has
// a bit of its own, so counts are exact. There are five families of features of the model, and one of the kernel:
//
//   state        the abstract state of a context after an operation: AbstractState
//   step         which call was made through which entry, by whom, how it ended, and how it found ring and quota
//   pair         which operation follows which, of the same lane or another, and how it found the ring
//   rule         by which rule an answer was decided, of which operation, by whom
//   requirement  a requirement that decided something that was compared
//   kernel       a place in the kernel's code to which a call came, where the kernel tells (fixtures/kcov.h)
//
// The number of features of the first family is "abstract states reached" in reports. Whatever programs are chosen by,
// all of them are counted by this code.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/program.h"
#include "reference/requirement.h"

namespace aio {

class Model;
struct Observation;

// None, one, more.
enum class Some : std::uint8_t { kNone, kOne, kMore };

// What of a context decides what it does next. Its ring's size plays no part, but where it is full and how far.
struct AbstractState {
  enum class Life : std::uint8_t {
    kLive,
    kDying,     // an io_destroy sleeps until its requests are done
    kUnmapped,  // user space took its ring away: no call finds it, and its requests complete unseen
  };
  enum class Ring : std::uint8_t {
    kEmpty,
    kOne,          // one event is unread
    kSome,         // several
    kWrapped,      // several, which run over the end of the ring
    kFull,         // unread events hold so many slots that no CPU gets another batch
    kFullWrapped,  // they do, and run over the end of the ring
    kOdd,          // the user wrote a head or tail beyond the ring
  };
  // Slots that io_submit can get on the CPU on which the latest operation was made.
  enum class Quota : std::uint8_t {
    kNone,
    kBelowBatch,
    kSome,
    kAll,  // nothing is in flight or unread
  };
  enum class Access : std::uint8_t { kOpen, kFrozen, kHidden };  // the ring's protection

  Life life = Life::kLive;
  Ring ring = Ring::kEmpty;
  Quota quota = Quota::kAll;
  bool elsewhere = false;      // another CPU keeps slots for itself
  bool unaccounted = false;    // events were written that the next refill will count
  Some polls = Some::kNone;    // POLL requests that wait
  Some held = Some::kNone;     // requests that the gate file keeps
  Some waiters = Some::kNone;  // lanes that sleep in io_getevents
  bool submitting = false;     // a lane sleeps in io_submit
  Access access = Access::kOpen;
  bool users_tail = false;  // user space wrote the tail word after the kernel did
  friend bool operator==(const AbstractState&, const AbstractState&) = default;
};

// How many there are, and the number of one.
inline constexpr std::uint32_t kAbstractStates = 3 * 7 * 4 * 2 * 2 * 3 * 3 * 3 * 2 * 3 * 2;
std::uint32_t index_of(const AbstractState& state);

// The state of one context of a model, after judge().
struct ContextSurvey {
  Address id = 0;
  AbstractState state;
};

// How an operation ended.
enum class Ending : std::uint8_t { kFailed, kZero, kOne, kMore, kAsleep, kNotMade };
inline constexpr std::uint32_t kEndings = 6;

// Who made it: lane 0, another thread, the process that shares its memory, or a child.
enum class Maker : std::uint8_t { kFirst, kThread, kProcess, kChild };
inline constexpr std::uint32_t kMakers = 4;

using Feature = std::uint32_t;

// A family's features are first, first + 1, …, first + count - 1.
struct FeatureFamily {
  Feature first = 0;
  std::uint32_t count = 0;
  constexpr Feature end() const { return first + count; }
};

// The ring as an operation found it: one of AbstractState::Ring, or none.
inline constexpr std::uint32_t kRingsFound = 8;
inline constexpr std::uint32_t kQuotas = 4;
inline constexpr FeatureFamily kStateFeatures{0, kAbstractStates};
inline constexpr FeatureFamily kStepFeatures{
    kStateFeatures.end(), std::uint32_t{kOperationCount} * kEndings* kMakers* kEntryKindCount* kRingsFound* kQuotas};
inline constexpr FeatureFamily kPairFeatures{kStepFeatures.end(),
                                             std::uint32_t{kOperationCount} * kOperationCount * 2 * kRingsFound};
inline constexpr FeatureFamily kRuleFeatures{kPairFeatures.end(),
                                             static_cast<std::uint32_t>(kRequirementCount) * kOperationCount* kMakers};
inline constexpr FeatureFamily kRequirementFeatures{kRuleFeatures.end(), static_cast<std::uint32_t>(kRequirementCount)};
inline constexpr FeatureFamily kModelFeatures{0, kRequirementFeatures.end()};
// By the low 16 bits of its address: fs/aio.c is smaller, and kernels lie at multiples of more.
inline constexpr FeatureFamily kKernelFeatures{kModelFeatures.end(), 1 << 16};
inline constexpr std::uint32_t kFeatureCount = kKernelFeatures.end();

// Which features were reached.
class CoverageMap {
 public:
  CoverageMap() : bits_((kFeatureCount + 63) / 64) {}
  bool has(Feature feature) const { return (bits_[feature / 64] >> (feature % 64) & 1) != 0; }
  // Whether it was not there before.
  bool add(Feature feature);
  void remove(Feature feature) { bits_[feature / 64] &= ~(std::uint64_t{1} << (feature % 64)); }
  std::uint64_t count(const FeatureFamily& family) const;

 private:
  std::vector<std::uint64_t> bits_;
};

// Follows programs, operation by operation, and tells what they reach that a map does not have yet.
class CoverageTracker {
 public:
  // Starts from what `known` has.
  explicit CoverageTracker(const CoverageMap& known) : map_(known) {}

  void begin_program();
  // After Model::judge().
  void note(const Model& model, const Operation& resolved, const Observation& seen);
  // What was exercised since the model was made.
  void end_program(const RequirementCounts& exercised);
  // Where its calls came in the kernel.
  void note_places(std::span<const std::uint64_t> places);
  // Of the current program, what no program before it had reached.
  const std::vector<Feature>& fresh() const { return fresh_; }
  // As if the current program had not been: what it reached is new to the next one.
  void forget_program();

 private:
  void reach(Feature feature);
  Maker maker() const;

  CoverageMap map_;
  RequirementCounts counted_{};  // at the end of the program before
  std::vector<Feature> fresh_;
  std::vector<ContextSurvey> before_;  // after the latest operation
  std::vector<ContextSurvey> now_;
  ChildTurn child_;
  bool in_child_ = false;
  unsigned lane_ = 0;
  EntryKind entry_ = EntryKind::kNative;
  std::size_t last_kind_ = 0;
  unsigned last_lane_ = 0;
};

}  // namespace aio
