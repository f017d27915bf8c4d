// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dice: choices drawn from one RapidCheck stream. Composing RapidCheck's combinators costs a split
// of the stream, hence a hash, per choice; drawing from the stream itself costs a quarter of a hash
// per two choices.
#pragma once

#include <rapidcheck/Random.h>

#include <cstdint>
#include <initializer_list>

namespace aio {

template <class T>
struct Weighted {
  unsigned weight;
  T value;
};

class Dice {
 public:
  explicit Dice(const rc::Random& random) : random_(random) {}

  std::uint64_t bits() { return random_.next(); }
  // 0 to n - 1; 0 for n = 0.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((std::uint64_t{half()} * n) >> 32); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  bool percent(std::uint32_t chance) { return below(100) < chance; }

  template <class T>
  T pick(std::initializer_list<T> table) {
    return table.begin()[below(static_cast<std::uint32_t>(table.size()))];
  }
  // One of the table, each as often as its weight says; the weights' sum is at least 1.
  template <class T>
  T weighted(std::initializer_list<Weighted<T>> table) {
    std::uint32_t sum = 0;
    for (const Weighted<T>& row : table) sum += row.weight;
    std::uint32_t rest = below(sum);
    for (const Weighted<T>& row : table) {
      if (rest < row.weight) return row.value;
      rest -= row.weight;
    }
    return table.begin()->value;
  }
  // Index into a table of weights; 0 if all of them are 0.
  template <class Weights>
  unsigned weighted_index(const Weights& weights) {
    std::uint32_t sum = 0;
    for (const unsigned weight : weights) sum += weight;
    std::uint32_t rest = below(sum);
    unsigned index = 0;
    for (const unsigned weight : weights) {
      if (rest < weight) return index;
      rest -= weight;
      ++index;
    }
    return 0;
  }

 private:
  // A draw gives 64 bits; every choice takes 32 of them.
  std::uint32_t half() {
    if (!half_left_) {
      drawn_ = random_.next();
      half_left_ = true;
      return static_cast<std::uint32_t>(drawn_ >> 32);
    }
    half_left_ = false;
    return static_cast<std::uint32_t>(drawn_);
  }

  rc::Random random_;
  std::uint64_t drawn_ = 0;
  bool half_left_ = false;
};

}  // namespace aio
