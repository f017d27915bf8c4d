// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/minimizer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <unordered_set>

#include "properties/minimizer_edits.h"

namespace aio {

namespace {

// More rounds than any program needs: each changes something for the plainer.
constexpr unsigned kMaxRounds = 100;
// How much of the first program's rate every smaller one must keep.
constexpr double kKeep = 0.75;

class Minimizer {
 public:
  Minimizer(const Program& program, const Trial& trial, const MinimizeOptions& options, const Progress& progress)
      : trial_(trial), options_(options), progress_(progress), begin_(options.now()) {
    best_.program = program;
    seen_.insert(hash(program));
  }

  Minimized run() {
    if (!estimate()) return best_;
    for (unsigned round = 0; round < kMaxRounds && this->round(); ++round) estimate();
    best_.shown = count(options_.estimate_runs);
    best_.of = options_.estimate_runs;
    return best_;
  }

 private:
  unsigned count(unsigned runs) { return trial_({best_.program}, runs).at(0); }

  // How often a candidate must run so that one which shows the signature as often as the best
  // program does is overlooked no more often than is allowed. False if the signature does not show.
  bool estimate() {
    const unsigned most = std::max(options_.max_repeats, options_.estimate_runs);
    for (const unsigned runs : {options_.estimate_runs, most}) {
      best_.shown = count(runs);
      best_.of = runs;
      if (best_.shown == 0) continue;
      // One run more than were made: 20 of 20 does not mean always.
      const double rate = double{1} * best_.shown / (runs + 1);
      if (first_rate_ == 0) first_rate_ = rate;
      always_ = best_.shown == best_.of;
      repeats_ = static_cast<unsigned>(std::ceil(std::log(options_.miss) / std::log(1 - rate)));
      repeats_ = std::clamp(repeats_, 1u, options_.max_repeats);
      return true;
    }
    repeats_ = options_.max_repeats;
    return false;
  }

  // Tries everything once; true if something was found.
  bool round() {
    bool found = remove_operations();
    found |= sweep([](const Program& p) { return with_two_submits_merged(p); });
    found |= sweep([](const Program& p) { return without_one_move(p); });
    found |= sweep([](const Program& p) { return with_one_context(p); });
    for (std::size_t i = best_.program.operations.size(); i-- > 0 && !best_.out_of_budget;) {
      found |= sweep([i](const Program& p) { return with_plainer_operation(p, i); });
      found |= sweep([i](const Program& p) { return with_fewer_parts(p, i); });
      found |= sweep([i](const Program& p) { return with_plainer_values(p, i); });
    }
    return found && !best_.out_of_budget;
  }

  bool remove_operations() {
    bool found = false;
    for (std::size_t size = best_.program.operations.size() / 2; size > 0; size /= 2) {
      found |= sweep([size](const Program& p) { return without_chunks(p, size); });
    }
    return found;
  }

  // Goes through the list of candidates that `edits` makes of the best program. After a success it
  // goes on at the same place of the new program's list.
  template <class Edits>
  bool sweep(const Edits& edits) {
    bool found = false;
    std::vector<Program> candidates = edits(best_.program);
    std::size_t next = 0;
    while (next < candidates.size() && within_budget()) {
      const std::size_t success = try_from(candidates, next);
      if (success == candidates.size()) continue;
      best_.program = candidates[success];
      found = true;
      if (progress_) progress_(best_.program, best_.tried);
      candidates = edits(best_.program);
      next = success;
    }
    return found;
  }

  // Tries the next batch of candidates and moves `next` behind it. Returns the index of the first
  // that shows the signature, or their number.
  std::size_t try_from(const std::vector<Program>& candidates, std::size_t& next) {
    std::vector<Program> batch;
    std::vector<std::size_t> indices;
    const unsigned most = options_.quick ? std::min(grown_, options_.batch) : options_.batch;
    for (; next < candidates.size() && batch.size() < most; ++next) {
      if (!seen_.insert(hash(candidates[next])).second) continue;
      batch.push_back(candidates[next]);
      indices.push_back(next);
    }
    if (batch.empty()) return candidates.size();
    best_.tried += static_cast<unsigned>(batch.size());
    const std::vector<unsigned> shown = trial_(batch, repeats_);
    assert(shown.size() == batch.size());
    std::size_t success = 0;
    while (success < batch.size() && !(shown[success] > 0 && shows_as_often(batch[success]))) ++success;
    grown_ = success == batch.size() ? 2 * most : 1;
    if (success == batch.size()) return candidates.size();
    // Those behind it were not rejected, and may come up again.
    for (std::size_t i = success + 1; i < batch.size(); ++i) seen_.erase(hash(batch[i]));
    return indices[success];
  }

  // A smaller program that shows the signature far more seldom is no gain: nobody could act on it.
  bool shows_as_often(const Program& candidate) {
    if (options_.quick && always_) return true;
    const unsigned runs = std::min(options_.estimate_runs, 4 * repeats_);
    return trial_({candidate}, runs).at(0) >= kKeep * first_rate_ * runs;
  }

  bool within_budget() {
    if (options_.now() - begin_ >= options_.budget) best_.out_of_budget = true;
    return !best_.out_of_budget;
  }

  const Trial& trial_;
  const MinimizeOptions& options_;
  const Progress& progress_;
  std::chrono::steady_clock::time_point begin_;
  Minimized best_;
  unsigned repeats_ = 1;
  unsigned grown_ = 1;                      // candidates of the next batch, if they are to be quick
  bool always_ = false;                     // the best program showed the signature in every run
  double first_rate_ = 0;                   // how often the program that was given shows the signature
  std::unordered_set<std::uint64_t> seen_;  // hashes of programs that need not be tried (again)
};

}  // namespace

Minimized minimize(const Program& program, const Trial& trial, const MinimizeOptions& options,
                   const Progress& progress) {
  return Minimizer(program, trial, options, progress).run();
}

}  // namespace aio
