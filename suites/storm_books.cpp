// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/storm_books.h"

#include <fmt/format.h>
#include <unistd.h>

namespace aio::suites {
namespace {

constexpr std::size_t kRequests = 65536;
constexpr std::size_t kMostTroubles = 5;

std::string name_of(const Request& request) {
  return fmt::format("iocb {:#x} (opcode {}, data {:#x})", reinterpret_cast<Address>(&request.iocb),
                     request.iocb.opcode, request.iocb.data);
}

bool fits(const Request& request) {
  const std::int64_t res = request.res;
  switch (request.iocb.opcode) {
    case kFsync:
    case kFdsync:
      return res == 0;
    case kPoll:
      return res == kPollIn || (request.cancelled && res == 0);
    default:
      return res == static_cast<std::int64_t>(kTransfer);
  }
}

}  // namespace

std::int64_t SharedContext::least_in_use() const {
  const std::uint64_t not_got = left, in = accepted, wanted = asked;
  return static_cast<std::int64_t>(in - (wanted - not_got));
}

void Signals::drain() {
  std::uint64_t count = 0;
  if (::read(eventfd.get(), &count, sizeof(count)) == sizeof(count)) seen += count;
}

StormBooks::StormBooks(unsigned threads)
    : threads_(threads), share_(kRequests / threads), requests_(std::make_unique<Request[]>(share_ * threads)) {}

void StormBooks::take(const Event& event) {
  const Address at = event.obj - reinterpret_cast<Address>(requests_.get());
  if (at >= sizeof(Request) * all().size() || at % sizeof(Request) != 0) {
    return trouble("stress.one_event_for_each_request", fmt::format("an event with obj {:#x}: no iocb", event.obj));
  }
  Request& request = all()[at / sizeof(Request)];
  std::uint64_t data = event.data;
  if (event.res2 != 0) trouble("stress.results_fit", fmt::format("{}: res2 is {}", name_of(request), event.res2));
  const bool in_flight = request.in_flight == data;
  if (in_flight) request.res = event.res;
  if (!in_flight || data == 0 || !request.in_flight.compare_exchange_strong(data, 0)) {
    trouble("stress.one_event_for_each_request",
            fmt::format("{}: an event with data {:#x}, res {}, which is not in flight", name_of(request), event.data,
                        event.res));
  }
}

void StormBooks::take_back(Request& request) {
  std::uint64_t data = request.iocb.data;
  if (!request.in_flight.compare_exchange_strong(data, 0)) {
    trouble("stress.one_event_for_each_request",
            fmt::format("{}: an event, though io_submit did not accept it", name_of(request)));
  }
}

void StormBooks::judge(const Request& request) {
  if (fits(request)) return;
  trouble("stress.results_fit",
          fmt::format("{}{}: res is {}", name_of(request), request.cancelled ? ", cancelled" : "", request.res.load()));
}

void StormBooks::trouble(std::string_view requirement, const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (troubles_.size() < kMostTroubles) troubles_.push_back({requirement, text});
  troubled_ = true;
}

Troubles StormBooks::troubles() const {
  const std::lock_guard lock(mutex_);
  return troubles_;
}

}  // namespace aio::suites
