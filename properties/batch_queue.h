// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which programs a run gives to its workers next: lots of them in order, and first of all what an earlier lot has left
// when its worker ended early.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "properties/batch.h"

namespace aio {

class BatchQueue {
 public:
  // Lots of `size` programs, from one to the next `stride`.
  BatchQueue(std::uint64_t first, std::uint64_t size, std::uint64_t stride)
      : next_(first), size_(size), stride_(stride) {}

  // No program from here on.
  void end_at(std::uint64_t end) {
    end_ = end;
    for (BatchOrder& each : rests_) each.last = std::min(each.last, end);
    std::erase_if(rests_, [](const BatchOrder& each) { return each.first >= each.last; });
  }
  std::uint64_t end() const { return end_; }

  bool empty() const { return rests_.empty() && next_ >= end_; }
  // The first program of the next order.
  std::uint64_t next() const { return rests_.empty() ? next_ : rests_.front().first; }
  // Which programs; all else of it is for the caller to say.
  BatchOrder take() {
    BatchOrder order;
    if (rests_.empty()) {
      order.first = next_;
      order.last = std::min(next_ + size_, end_);
      next_ += stride_;
    } else {
      order = rests_.front();
      rests_.pop_front();
    }
    return order;
  }
  // Of this order the programs from `next` on were not run.
  void give_back(const BatchOrder& order, std::uint64_t next) {
    BatchOrder rest;
    rest.first = next;
    rest.last = std::min(order.last, end_);
    if (rest.first < rest.last) rests_.push_back(rest);
  }

 private:
  std::uint64_t next_;
  std::uint64_t end_ = UINT64_MAX;
  std::uint64_t size_;
  std::uint64_t stride_;
  std::deque<BatchOrder> rests_;
};

}  // namespace aio
