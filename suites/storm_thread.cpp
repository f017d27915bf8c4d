// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/storm_thread.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "reference/geometry.h"
#include "suites/harness/expect.h"

namespace aio::suites {
namespace {

constexpr unsigned kPercent = 100;
constexpr unsigned kMostThreads = 16;  // among which the buffers are shared out
constexpr std::int64_t kWaitNs = 1'000'000;

// Of a hundred steps so many submit, and so many collect without waiting, and after waiting; the rest cancels, writes
// to eventfds and reads them.
struct Mix {
  unsigned submits;
  unsigned collects;
  unsigned waits;
};
constexpr Mix kFlood{50, 2, 2};
constexpr Mix kEbb{15, 45, 10};

bool is(const Answer& answer, int error) { return answer.value == -1 && answer.error == error; }

}  // namespace

StormThread::StormThread(Storm& storm, unsigned index)
    : storm_(storm),
      books_(storm.books_),
      requests_(books_.of_thread(index)),
      serial_((std::uint64_t{index} + 1) << 56),
      random_(std::random_device()()),
      buffer_(storm.setting_.buffers + kStormBuffers / kMostThreads * index),
      vector_{buffer_, kTransfer} {}

void StormThread::run() {
  while (!storm_.is_over()) {
    const unsigned index = dice(static_cast<unsigned>(storm_.contexts_.size()));
    SharedContext& context = storm_.contexts_[index];
    const Mix& mix = context.ebb ? kEbb : kFlood;
    const unsigned step = dice(kPercent);
    if (step < mix.submits) {
      submit(index);
    } else if (step < mix.submits + mix.collects) {
      collect(context, false);
    } else if (step < mix.submits + mix.collects + mix.waits) {
      collect(context, true);
    } else if (!context.stays && dice(storm_.setting_.renewals) == 0) {
      renew(context);
    } else if (dice(4) == 0) {
      cancel();
    } else {
      poke();
    }
  }
}

void StormThread::judge_rest() {
  for (const Request* const each : out_) {
    if (each->is_over()) books_.judge(*each);
  }
}

// The oldest that are out: those that are over can be used again. Where a context is gone with a request of its ring
// nobody knows whether somebody holds its event already, so it is not.
void StormThread::recycle() {
  for (unsigned i = 0; i < 2 * kMostAtOnce && !out_.empty(); ++i) {
    Request* const oldest = out_.front();
    out_.pop_front();
    const bool over = oldest->is_over();
    if (!over && context(*oldest).lives <= oldest->life_after) {
      out_.push_back(oldest);
      continue;
    }
    if (oldest->iocb.opcode == kFsync || oldest->iocb.opcode == kFdsync) --fsyncs_;
    if (!over) continue;
    books_.judge(*oldest);
    free_.push_back(oldest);
  }
}

Request* StormThread::fresh() {
  if (free_.empty()) return used_ < requests_.size() ? &requests_[used_++] : nullptr;
  Request* const request = free_.back();
  free_.pop_back();
  return request;
}

void StormThread::fill(Request& request) {
  const auto block = [&] { return static_cast<std::int64_t>(kTransfer * dice(kStormFile / kTransfer)); };
  Iocb& iocb = request.iocb;
  iocb = {.data = ++serial_, .key = 7, .fildes = static_cast<std::uint32_t>(storm_.setting_.file)};
  request.cancelled = false;
  const unsigned kind = dice(16);
  if (kind < 4 && storm_.setting_.poll) {
    iocb.opcode = kPoll;
    iocb.fildes = static_cast<std::uint32_t>(storm_.polled_[dice(Storm::kEventfds)].get());
    iocb.buf = kPollIn;
  } else if (kind == 4 && storm_.setting_.fsync && fsyncs_ < kMostFsyncs) {
    iocb.opcode = dice(2) == 0 ? kFsync : kFdsync;
    ++fsyncs_;
  } else if (kind < 8) {
    iocb.opcode = dice(2) == 0 ? kPreadv : kPwritev;
    iocb.buf = reinterpret_cast<Address>(&vector_);
    iocb.nbytes = 1;
    iocb.offset = block();
  } else {
    iocb.opcode = dice(2) == 0 ? kPread : kPwrite;
    iocb.buf = buffer_;
    iocb.nbytes = kTransfer;
    iocb.offset = block();
  }
  if (dice(3) != 0) return;
  iocb.flags = kFlagResfd;
  iocb.resfd = dice(Storm::kEventfds);  // which of them, until it is submitted
}

void StormThread::submit(unsigned index) {
  SharedContext& to = storm_.contexts_[index];
  recycle();
  // In this order: who sees no life over sees no id of a later one as of an earlier.
  const std::uint64_t life = to.lives, id = to.id;
  if (id == 0) return;
  std::array<Request*, kMostAtOnce> batch{};
  std::array<Signals*, kMostAtOnce> signals{};
  std::size_t count = 0;
  for (const std::size_t wanted = 1 + dice(kMostAtOnce); count < wanted; ++count) {
    Request* const request = fresh();
    if (request == nullptr) break;
    fill(*request);
    request->context = index;
    request->life_before = life;
    Iocb& iocb = request->iocb;
    if (iocb.flags == kFlagResfd) {
      signals[count] = &storm_.signals_[iocb.resfd];
      iocb.resfd = static_cast<std::uint32_t>(signals[count]->eventfd.get());
    }
    request->in_flight = iocb.data;
    batch[count] = request;
    list_[count] = reinterpret_cast<Address>(&iocb);
  }
  if (count == 0) return;
  const std::uint64_t over_before = to.refused + to.collected;
  to.begun += count;
  const Answer answer = [&] {
    const auto lock = one_at_a_time_if_lying();
    return storm_.entry_.io_submit(id, static_cast<std::int64_t>(count), reinterpret_cast<Address>(list_.data()));
  }();
  const std::uint64_t begun_after = to.begun;
  const auto taken = static_cast<std::size_t>(std::clamp<std::int64_t>(answer.value, 0, std::int64_t{kMostAtOnce}));
  const std::uint64_t life_after = to.lives;
  for (std::size_t i = 0; i < count; ++i) {
    batch[i]->life_after = life_after;
    if (i < taken) {
      out_.push_back(batch[i]);
      if (signals[i] != nullptr) ++signals[i]->due;
    } else {
      books_.take_back(*batch[i]);
      if (batch[i]->iocb.opcode == kFsync || batch[i]->iocb.opcode == kFdsync) --fsyncs_;
      free_.push_back(batch[i]);
    }
  }
  to.accepted += std::min(taken, count);
  to.refused += count - std::min(taken, count);
  judge_answer(to, static_cast<std::int64_t>(count), answer, begun_after - over_before);
}

// `most_in_use`: more requests were never in flight or in the ring while io_submit ran.
void StormThread::judge_answer(const SharedContext& to, std::int64_t wanted, const Answer& answer,
                               std::uint64_t most_in_use) {
  if (answer.value == wanted) return;
  if (is(answer, EINVAL) && to.may_be_missed()) return;
  const bool fewer = answer.value >= 1 && answer.value < wanted;
  if (!fewer && !is(answer, EAGAIN)) {
    return books_.trouble("stress.calls_answer",
                          fmt::format("io_submit of {} requests: {}", wanted, answer_text(answer)));
  }
  storm_.contexts_[static_cast<std::size_t>(&to - storm_.contexts_.data())].ebb = true;
  if (!to.stays) return;
  const unsigned cpus = storm_.setting_.possible_cpus;
  const std::int64_t least = geometry(to.nr, cpus, storm_.setting_.page_size).worst_case(cpus);
  if (static_cast<std::int64_t>(most_in_use) >= least) return;
  books_.trouble(
      "stress.eagain_only_on_a_full_ring",
      fmt::format("a context for {} events: io_submit of {} requests: {}, where at most {} are in use, of {}", to.nr,
                  wanted, answer_text(answer), most_in_use, least));
}

void StormThread::collect(SharedContext& from, bool wait) {
  const std::uint64_t id = from.id;
  if (id == 0) return;
  const Timespec time{0, kWaitNs};
  const std::int64_t least = wait ? 1 + std::int64_t{dice(4)} : 0;
  from.asked += kMostEvents;
  const Answer answer = [&] {
    const auto lock = one_at_a_time_if_lying();
    return storm_.entry_.io_getevents(id, least, kMostEvents, reinterpret_cast<Address>(events_.data()),
                                      wait ? reinterpret_cast<Address>(&time) : 0);
  }();
  const auto got = static_cast<std::size_t>(std::clamp<std::int64_t>(answer.value, 0, std::int64_t{kMostEvents}));
  for (std::size_t i = 0; i < got; ++i) books_.take(events_[i]);
  from.left += kMostEvents - got;
  from.collected += got;
  if (got == 0) from.ebb = false;
  const bool none = is(answer, EINTR) || (is(answer, EINVAL) && from.may_be_missed());
  if (none || (answer.value >= 0 && answer.value <= std::int64_t{kMostEvents})) return;
  books_.trouble("stress.calls_answer",
                 fmt::format("io_getevents of {}: {}", unsigned{kMostEvents}, answer_text(answer)));
}

// Only what is its own: it knows that it is the same request still.
void StormThread::cancel() {
  if (out_.empty()) return;
  Request& request = *out_[dice(static_cast<unsigned>(out_.size()))];
  const std::uint64_t id = context(request).id;
  if (request.iocb.opcode != kPoll || request.is_over() || id == 0) return;
  Event unused;
  const auto lock = one_at_a_time_if_lying();
  const Answer answer =
      storm_.entry_.io_cancel(id, reinterpret_cast<Address>(&request.iocb), reinterpret_cast<Address>(&unused));
  // Some releases answered 0.
  if (is(answer, EINPROGRESS) || answer.value == 0) {
    request.cancelled = true;
  } else if (!is(answer, EINVAL)) {
    books_.trouble("stress.calls_answer", fmt::format("io_cancel: {}", answer_text(answer)));
  }
}

void StormThread::poke() {
  std::uint64_t count = 1;
  const int polled = storm_.polled_[dice(Storm::kEventfds)].get();
  switch (dice(8)) {
    case 0:
      return storm_.signals_[dice(Storm::kEventfds)].drain();
    case 1:
    case 2:
    case 3:
      static_cast<void>(::read(polled, &count, sizeof(count)) == sizeof(count));
      return;
    default:
      static_cast<void>(::write(polled, &count, sizeof(count)) == sizeof(count));
  }
}

void StormThread::renew(SharedContext& context) {
  if (context.renewing.exchange(true)) return;
  if (context.id != 0) storm_.destroy(context);
  if (!storm_.is_over()) storm_.make(context);
  context.renewing = false;
}

}  // namespace aio::suites
