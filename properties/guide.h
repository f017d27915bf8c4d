// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guide: chooses the programs of a run by what earlier ones have reached of the model (reference/coverage.h).
//
// A run has epochs of kEpoch programs. Within one, program number `index` is a pure function of the seed, the corpus as
// it was frozen for the epoch, and the index: fresh from the generator, of the exhaustive set, or a mutant of a program
// of the corpus and another one. What reaches something new joins the corpus a few epochs later, so that workers need
// not wait for each other at an epoch's end: epoch e is frozen, and open, once all programs of epoch e - kLag are
// through; at the beginning, where everything is new, those of the first half of all epochs before it.
//
// Programs join in the order of their indices, each for what no program before it had reached. So it plays no part
// which worker ran what and when: the same seed and the same corpus at the start give the same programs, as far as the
// kernel gives the same answers. The first programs are those of the corpus at the start themselves, in its order.
//
// Shards, and runs that begin with a later program, have a part of the indices and see nothing of what the others
// reach. So their only epoch is the whole run, by the corpus at its start alone; what they add is for the next run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "properties/batch.h"
#include "properties/dice.h"
#include "properties/generator.h"
#include "properties/pool.h"

namespace aio {

struct GuideOptions {
  std::uint64_t seed = 0;
  ProgramKind kind = ProgramKind::kMixed;
  bool one_epoch = false;  // the run is a shard, or begins with a later program
  bool kernel = true;      // a place in the kernel that is new is a reason to join, too
};

class Guide {
 public:
  static constexpr std::uint64_t kEpoch = 128;  // programs: a whole number of batches
  static constexpr std::uint64_t kLag = 16;     // epochs: while these run, one may be slow

  // The corpus is put into the order of its programs' hashes.
  Guide(const GuideOptions& options, std::vector<Program> corpus);

  // Of an index whose epoch is open.
  Program program(std::uint64_t index) const;
  bool is_open(std::uint64_t index) const;

  // Programs first to next - 1 were run, and this is what they reached.
  void account(std::uint64_t first, std::uint64_t next, const Discoveries& discoveries);
  // No more programs will be run.
  void finish();

  const CoverageMap& reached() const { return reached_; }
  // Of the corpus at the start: a hash of the hashes of its programs.
  std::uint64_t start_hash() const { return start_hash_; }
  std::size_t start_size() const { return start_size_; }
  // Of the corpus now: those of the start, then those that joined.
  const std::vector<Program>& corpus() const { return corpus_; }
  // Told of each program that joins: of a few at a time, as this may take time, and of the last by finish().
  void on_join(std::function<void(const Program&)> listener) { joined_ = std::move(listener); }

 private:
  struct Epoch {
    std::uint64_t done = 0;                    // programs
    std::map<Feature, std::uint64_t> reached;  // by which one first: its index
  };

  std::uint64_t epoch_of(std::uint64_t index) const { return options_.one_epoch ? 0 : index / kEpoch; }
  // How many epochs must be closed before this one opens.
  static constexpr std::uint64_t needed(std::uint64_t epoch) { return epoch < 2 * kLag ? epoch / 2 : epoch - kLag; }
  void close(Epoch& epoch);
  void join(std::uint64_t index, bool is_deep);
  void tell(std::size_t most);
  const Program* pick(Dice& dice, const std::vector<std::size_t>& members, std::size_t frozen) const;

  GuideOptions options_;
  std::vector<Program> corpus_;
  std::set<std::uint64_t> hashes_;                         // of its programs
  using ByKind = std::array<std::vector<std::size_t>, 3>;  // plain, held and stepped programs, in their order
  ByKind all_;
  ByKind deep_;  // those that reached a new abstract state, and those of the start
  std::size_t start_size_ = 0;
  std::uint64_t start_hash_ = 0;
  std::vector<std::size_t> frozen_;        // size of the corpus when so many epochs were closed
  std::map<std::uint64_t, Epoch> epochs_;  // that are not closed
  std::uint64_t closed_ = 0;               // epochs
  CoverageMap reached_;
  std::size_t told_ = 0;  // programs of the corpus
  std::function<void(const Program&)> joined_;
};

// What a batch has reached goes to the guide, or where there is none to `reached`.
void note_reached(const FinishedBatch& batch, Guide* guide, CoverageMap& reached);

}  // namespace aio
