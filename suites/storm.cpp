// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/storm.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include "fixtures/racing_lies.h"
#include "reference/geometry.h"
#include "suites/harness/expect.h"
#include "suites/harness/objects.h"
#include "suites/harness/setting.h"
#include "suites/storm_thread.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;

// One page of ring, and several.
constexpr std::array<std::uint32_t, 2> kSizes{1, 300};

const RingHeader& ring(const SharedContext& context) { return *reinterpret_cast<const RingHeader*>(context.id.load()); }

std::uint32_t word(const std::uint32_t& at) { return *const_cast<const volatile std::uint32_t*>(&at); }

}  // namespace

StormSetting storm_here(const Descriptor& file, Address buffers, std::chrono::milliseconds time) {
  StormSetting wanted;
  wanted.file = file.get();
  wanted.buffers = buffers;
  wanted.fsync = setting().profile->release >= Release{4, 18};
  wanted.poll = setting().profile->release >= Release{4, 19};
  wanted.possible_cpus = setting().machine.possible_cpus;
  wanted.page_size = setting().machine.page_size;
  wanted.time = time;
  wanted.patience = setting().patience;
  return wanted;
}

Storm::Storm(Entry& honest, const StormSetting& setting)
    : racing_(aio::suites::setting().racing_lie.empty() ? nullptr
                                                        : make_racing_entry(aio::suites::setting().racing_lie, honest)),
      entry_(racing_ ? *racing_ : honest),
      setting_(setting),
      books_(setting.threads),
      contexts_(setting.staying + setting.passing) {
  for (unsigned i = 0; i < contexts_.size(); ++i) {
    contexts_[i].nr = kSizes[i % kSizes.size()];
    contexts_[i].stays = i < setting.staying;
    contexts_[i].moves = setting.moving;
  }
  for (Signals& each : signals_) each.eventfd = owned(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  for (Descriptor& each : polled_) each = owned(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

bool Storm::is_over() const { return books_.troubled() || Clock::now() >= end_; }

void Storm::make(SharedContext& context) {
  std::uint64_t id = 0;
  const auto lock = one_at_a_time_if_lying();
  const Answer none = entry_.io_setup(0, reinterpret_cast<Address>(&id));
  if (none.error != EINVAL || id != 0) {
    books_.trouble("stress.calls_answer", fmt::format("io_setup of no events: {}", answer_text(none)));
  }
  const Answer answer = entry_.io_setup(context.nr, reinterpret_cast<Address>(&id));
  if (answer.value == 0) {
    ++contexts_made_;
    if (context.stays) context.header = *reinterpret_cast<const RingHeader*>(id);
    context.id = id;
  } else if (answer.error != EAGAIN) {
    books_.trouble("stress.calls_answer", fmt::format("io_setup: {}", answer_text(answer)));
  }
}

void Storm::destroy(SharedContext& context) {
  const auto lock = one_at_a_time_if_lying();
  const Answer answer = entry_.io_destroy(context.id);
  if (answer.value != 0) books_.trouble("stress.calls_answer", fmt::format("io_destroy: {}", answer_text(answer)));
  context.id = 0;
  ++context.lives;
}

Troubles Storm::run() {
  end_ = Clock::now() + setting_.time;
  for (SharedContext& each : contexts_) {
    make(each);
    if (each.id == 0 && !books_.troubled()) throw std::runtime_error("others have taken what fs.aio-max-nr allows");
  }
  std::vector<std::unique_ptr<StormThread>> lanes;
  std::vector<std::thread> threads;
  threads.reserve(setting_.threads);
  for (unsigned i = 0; i < setting_.threads; ++i) lanes.push_back(std::make_unique<StormThread>(*this, i));
  for (const auto& each : lanes) threads.emplace_back([&] { each->run(); });
  while (!is_over()) watch();
  for (std::thread& each : threads) each.join();
  // What is polled for comes now.
  const std::uint64_t one = 1;
  for (const Descriptor& each : polled_) static_cast<void>(::write(each.get(), &one, sizeof(one)) == sizeof(one));
  for (SharedContext& each : contexts_) {
    if (!books_.troubled() && each.id != 0) collect_rest(each);
  }
  for (const auto& each : lanes) each->judge_rest();
  if (books_.troubled()) return books_.troubles();
  for (SharedContext& each : contexts_) {
    if (each.id != 0) destroy(each);
  }
  settle_signals();
  return books_.troubles();
}

std::uint64_t Storm::requests() const {
  std::uint64_t sum = 0;
  for (const SharedContext& each : contexts_) sum += each.accepted;
  return sum;
}

std::uint64_t Storm::contexts() const { return contexts_made_; }

void Storm::watch() {
  for (SharedContext& each : contexts_) {
    if (!each.stays || each.id == 0) continue;
    if (setting_.disturb) disturb(each);
    look_at_ring(each);
    const std::int64_t in_use = each.least_in_use(), all = std::int64_t{each.header.nr} - 1;
    if (in_use > all) {
      books_.trouble(
          "stress.no_more_requests_than_slots",
          fmt::format("a context for {} events: {} in flight or in the ring, {} slots", each.nr, in_use, all));
    }
  }
  std::this_thread::yield();
}

void Storm::disturb(SharedContext& context) const {
  context.id = setting_.disturb(context.id, ring_bytes(context.header.nr));
}

void Storm::look_at_ring(const SharedContext& context) {
  const RingHeader &now = ring(context), &made = context.header;
  const std::uint32_t head = word(now.head), tail = word(now.tail);
  if (head >= made.nr || tail >= made.nr) {
    books_.trouble("stress.head_and_tail_in_the_ring", fmt::format("head {}, tail {} of {}", head, tail, made.nr));
  }
  const auto kept = [&](const char* what, const std::uint32_t& here, std::uint32_t before) {
    const std::uint32_t seen = word(here);
    if (seen != before)
      books_.trouble("stress.ring_words_stay", fmt::format("{} is {:#x}, was {:#x}", what, seen, before));
  };
  kept("id", now.id, made.id);
  kept("nr", now.nr, made.nr);
  kept("magic", now.magic, made.magic);
  kept("compat_features", now.compat_features, made.compat_features);
  kept("incompat_features", now.incompat_features, made.incompat_features);
  kept("header_length", now.header_length, made.header_length);
}

std::uint64_t Storm::due(const SharedContext& context) const {
  const auto index = static_cast<unsigned>(&context - contexts_.data());
  const auto requests = books_.all();
  return static_cast<std::uint64_t>(std::count_if(requests.begin(), requests.end(), [&](const Request& each) {
    return !each.is_over() && each.context == index && (context.stays || each.life_before == context.lives);
  }));
}

void Storm::collect_rest(SharedContext& context) {
  std::array<Event, 64> events;
  const Timespec patience{setting_.patience.count() / 1000 + 1, 0};
  for (bool more = true; more && !books_.troubled();) {
    const std::uint64_t awaited = due(context);
    const auto lock = one_at_a_time_if_lying();
    const Answer answer =
        entry_.io_getevents(context.id, awaited == 0 ? 0 : 1, std::int64_t{events.size()},
                            reinterpret_cast<Address>(events.data()), reinterpret_cast<Address>(&patience));
    if (answer.value <= 0 && awaited != 0) {
      books_.trouble("stress.one_event_for_each_request",
                     fmt::format("a context for {} events: {} requests gave none (io_getevents: {})", context.nr,
                                 awaited, answer_text(answer)));
    }
    for (std::int64_t i = 0; i < std::min<std::int64_t>(answer.value, events.size()); ++i) {
      books_.take(events[static_cast<std::size_t>(i)]);
    }
    more = answer.value > 0;
  }
  if (!context.stays || books_.troubled()) return;
  look_at_ring(context);
  if (word(ring(context).head) != word(ring(context).tail)) {
    books_.trouble("stress.head_and_tail_in_the_ring", "all events are taken, and head is not tail");
  }
}

// After io_destroy: then all signals have come.
void Storm::settle_signals() {
  for (Signals& each : signals_) {
    each.drain();
    if (each.seen == each.due) continue;
    books_.trouble("stress.resfd_counts_each_request",
                   fmt::format("{} requests ended, their eventfd has counted {}", each.due.load(), each.seen.load()));
  }
}

}  // namespace aio::suites
