// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_getevents, io_pgetevents and io_cancel. Source: semantics.md A.3, A.4, A.5 and C.1; fs/aio.c of v4.9:
// aio_read_events_ring, read_events, io_cancel.
#include <algorithm>

#include "reference/model.h"

namespace aio {
namespace {

constexpr std::uint32_t kEventsPerPage = 128;  // of 32 bytes in a 4 KiB page; the header takes the place of the first
constexpr std::int64_t kNsPerSecond = 1000000000;
// No test waits so long: a signal ends it.
constexpr std::int64_t kVeryLong = 100 * kNsPerSecond;
constexpr std::int64_t kMaxSeconds = INT64_MAX / kNsPerSecond;  // KTIME_SEC_MAX

// What the kernel makes of a timeout: nanoseconds, without any check. From kMaxSeconds on it is for ever.
std::int64_t nanoseconds(const Timespec& timeout) {
  if (timeout.sec >= kMaxSeconds) return INT64_MAX;
  const auto product = static_cast<std::uint64_t>(timeout.sec) * static_cast<std::uint64_t>(kNsPerSecond);
  return static_cast<std::int64_t>(product + static_cast<std::uint64_t>(timeout.nsec));
}

bool is_odd(const Timespec& timeout) { return timeout.sec < 0 || timeout.nsec < 0 || timeout.nsec >= kNsPerSecond; }

}  // namespace

// One pass over the ring (aio_read_events_ring). The number of events copied or -EFAULT; then the head has not moved.
std::int64_t Model::read_ring(Context& context, Address events, std::int64_t nr, Req& rule) {
  if (context.ringless && rehearsal_) return std::min<std::int64_t>(nr, std::ssize(context.unseen));
  if (context.ringless) hand_over(context, events, nr);
  RingHeader header = context.header();
  const std::uint32_t size = context.geometry.ring_size;
  rule = Req::kGeteventsEmpty;
  if (header.head == header.tail) return 0;
  rule = Req::kGeteventsTakes;
  if (context.tail_is_users) rule = Req::kRingTailTrusted;
  if (header.head >= size || header.tail >= size) rule = Req::kRingIndexModulo;
  std::uint32_t head = header.head % size;
  const std::uint32_t tail = header.tail % size;
  std::int64_t got = 0;
  while (got < nr && head != tail) {
    std::uint32_t chunk = (head <= tail ? tail : size) - head;
    chunk = static_cast<std::uint32_t>(std::min<std::int64_t>(chunk, nr - got));
    chunk = std::min(chunk, kEventsPerPage - (head + 1) % kEventsPerPage);
    const std::size_t from = sizeof(RingHeader) + std::size_t{head} * sizeof(Event);
    const auto bytes = std::span(context.ring).subspan(from, std::size_t{chunk} * sizeof(Event));
    const Address to = events + static_cast<std::uint64_t>(got) * sizeof(Event);
    const std::uint64_t copied =
        rehearsal_ ? memory_.writable(to, bytes.size()) : memory_.copy_to(to, bytes, Req::kGeteventsCopies);
    if (copied < bytes.size()) {
      if (rehearsal_) return -kEFAULT;
      rule = got > 0 || copied >= sizeof(Event) ? Req::kGeteventsPartFault : Req::kGeteventsFault;
      if (context.ringless) take_back(context);
      context.head_rule = Req::kGeteventsFaultKeepsEvents;
      if (rules_.wrong(Req::kGeteventsFaultKeepsEvents)) {
        header.head = (head + chunk) % size;
        context.set_header(header);
      }
      return -kEFAULT;
    }
    got += chunk;
    head = (head + chunk) % size;
  }
  if (rehearsal_) return got;
  if (got == nr && head != tail && rule == Req::kGeteventsTakes) rule = Req::kGeteventsAtMostNr;
  context.head_rule = Req::kGeteventsMovesHead;
  header.head = rules_.wrong(Req::kGeteventsMovesHead) ? header.head : head;
  context.set_header(header);
  return got;
}

Model::Expected Model::wait_events(std::uint64_t id, std::int64_t min_nr, std::int64_t nr, Address events,
                                   std::optional<Timespec> timeout, Req unknown) {
  Expected failure;
  Context* context = lookup(id, unknown, failure);
  if (context == nullptr) return failure;
  if (min_nr < 0) return fail(Req::kGeteventsMinNegative, kEINVAL);
  if (min_nr > nr) return fail(Req::kGeteventsMinOverNr, kEINVAL);
  const std::int64_t until_ns = timeout ? nanoseconds(*timeout) : INT64_MAX;
  Req rule{};
  const std::int64_t got = read_ring(*context, events, nr, rule);
  if (got < 0) return fail(rule, kEFAULT);
  if (stopped_short(*context, events, min_nr, got, until_ns)) return fail(Req::kGeteventsPartFault, kEFAULT);
  if (got >= min_nr) {
    return value(rule, got);
  }
  if (until_ns == 0) {
    const Req zero = timeout && is_odd(*timeout) ? Req::kGeteventsOddTimeoutPolls : Req::kGeteventsZeroTimeoutPolls;
    return value(zero, got);
  }
  // With one lane nobody else is there to complete anything: only time or a signal ends the wait.
  if (until_ns < 0 || until_ns > kVeryLong) {
    const Req why = !timeout           ? Req::kGeteventsNullWaits
                    : is_odd(*timeout) ? Req::kGeteventsNegativeWaits
                                       : Req::kGeteventsHugeTimeoutWaits;
    if (stepped_) {
      Sleeper sleeper;
      sleeper.context = context->serial;
      sleeper.min_nr = min_nr;
      sleeper.nr = nr;
      sleeper.got = got;
      sleeper.events = events;
      return fall_asleep(std::move(sleeper), why);
    }
    waited_ = true;
    return got > 0 ? value(Req::kGeteventsSignalKeepsCount, got) : fail(why, kEINTR);
  }
  least_ns_ = static_cast<std::uint64_t>(until_ns);
  if (rules_.wrong(Req::kGeteventsWaitsTimeout)) least_ns_ += 1000000000;
  return value(got > 0 ? Req::kGeteventsTimeoutKeepsCount : Req::kGeteventsTimeoutZero, got);
}

Model::Expected Model::getevents(const Getevents& op) {
  const auto id = static_cast<std::uint64_t>(op.ctx.offset);
  if (library_answers(id, op.timeout)) return value(Req::kLibaioEmpty, 0);
  std::optional<Timespec> timeout;
  if (op.timeout != arena::kNull) {
    timeout = read_timeout(op.timeout);
    if (timeout && is_compat()) {
      if (rules_.wrong(Req::kCompatTimeout)) return {-1, kEFAULT, Req::kCompatTimeout};
      rules_.exercise(Req::kCompatTimeout);
    }
    if (!timeout && profile_->timeout_before_lookup) return fail(Req::kGeteventsTimeoutFault, kEFAULT);
    if (!timeout) {
      Expected failure;
      if (lookup(id, Req::kGeteventsUnknown, failure) == nullptr) return failure;
      if (op.min_nr.offset < 0 || op.min_nr.offset > op.nr.offset) return fail(Req::kGeteventsMinOverNr, kEINVAL);
      return fail(Req::kGeteventsTimeoutFault, kEFAULT);
    }
  }
  Expected expected = wait_events(id, op.min_nr.offset, op.nr.offset, op.events, timeout, Req::kGeteventsUnknown);
  // Refused for what is right of its arguments it has not come to what is wrong with the rest of them.
  const bool refused = quirks_ != nullptr && seen_->error == kEINVAL && expected.error != kEINVAL;
  if (refused && timeout && is_odd(*timeout) && expected.rule != Req::kGeteventsNegativeWaits) {
    expected.rule = Req::kGeteventsOddTimeoutPolls;
  } else if (refused && op.nr.offset > INT32_MAX) {
    expected.rule = Req::kGeteventsTakes;
  }
  return expected;
}

Model::Expected Model::pgetevents(const Pgetevents& op) {
  const auto id = static_cast<std::uint64_t>(op.ctx.offset);
  const auto has_mask = [&] { return op.sigset == arena::kNull || memory_.get<AioSigset>(op.sigset); };
  if (library_answers(id, op.timeout) && has_mask()) return value(Req::kLibaioEmpty, 0);
  if (!profile_->has_pgetevents) return fail(Req::kPgeteventsMissing, kENOSYS);
  std::optional<Timespec> timeout;
  if (op.timeout != arena::kNull) {
    timeout = read_timeout(op.timeout);
    if (!timeout) return fail(Req::kPgeteventsTimeoutFault, kEFAULT);
  }
  if (op.sigset != arena::kNull) {
    auto sigset = read_sigset(op.sigset);
    if (!sigset) return fail(Req::kPgeteventsSigsetFault, kEFAULT);
    if (const auto failed = pass_sigset(*sigset)) return *failed;
    if (sigset->mask != arena::kNull) {
      if (sigset->size != 8) return fail(Req::kPgeteventsSigsetSize, kEINVAL);
      if (!memory_.get<std::uint64_t>(sigset->mask)) return fail(Req::kPgeteventsMaskFault, kEFAULT);
    } else {
      if (sigset->size != 8) rules_.exercise(Req::kPgeteventsNullMask);
      if (sigset->size != 8 && rules_.wrong(Req::kPgeteventsNullMask)) return {-1, kEINVAL, Req::kPgeteventsNullMask};
    }
  }
  Expected expected = wait_events(id, op.min_nr.offset, op.nr.offset, op.events, timeout, Req::kPgeteventsUnknown);
  if (expected.asleep && !rehearsal_) {
    Sleeper& sleeper = sleepers_.back();
    sleeper.call = op;
    sleeper.arguments = arguments_of(op);
    if (op.sigset != arena::kNull && op.mask != arena::kNull) sleeper.mask = op.signals;
    handlers_[lane_].masks = true;
  }
  if (expected.asleep) return expected;
  if (rules_.wrong(Req::kPgeteventsAsGetevents) && expected.error == 0) ++expected.result;
  if (expected.error == 0) {
    rules_.exercise(Req::kPgeteventsAsGetevents);
    if (rules_.wrong(Req::kPgeteventsAsGetevents)) expected.rule = Req::kPgeteventsAsGetevents;
  }
  return expected;
}

Model::Expected Model::cancel(const Cancel& op) {
  const auto key = memory_.get<std::uint32_t>(op.iocb + 8);
  if (!key) return fail(Req::kCancelIocbFault, kEFAULT);
  if (*key != 0) return fail(Req::kCancelKey, kEINVAL);
  Expected failure;
  Context* context = lookup(static_cast<std::uint64_t>(op.ctx.offset), Req::kCancelUnknown, failure);
  if (context == nullptr) return failure;
  const auto is_named = [&](const Request& request) { return request.iocb == op.iocb; };
  auto found = std::find_if(context->pending.begin(), context->pending.end(), is_named);
  if (found == context->pending.end()) return fail(Req::kCancelNotFound, kEINVAL);
  const auto next = std::find_if(found + 1, context->pending.end(), is_named);
  // Told from each other by their data.
  const bool several = next != context->pending.end() && next->data != found->data;
  if (several && rules_.wrong(Req::kCancelOldest)) found = next;
  Request request = *found;
  context->pending.erase(found);
  request.rule = Req::kCancelledResult;
  request.due_rule = Req::kCancelDelivers;
  if (several) request.data_rule = Req::kCancelOldest;
  request.res = rules_.wrong(Req::kCancelledResult) ? -kEINTR : 0;
  complete_later(*context, request);
  files_.drop(request.fd);
  deliver_wakes();
  if (!profile_->cancel_in_progress) return value(Req::kCancelInProgress, 0);
  return fail(Req::kCancelInProgress, kEINPROGRESS);
}

}  // namespace aio
