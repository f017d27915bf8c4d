// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/pool.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "fixtures/proc_stat.h"
#include "fixtures/vm/journal.h"

namespace aio {

using Clock = std::chrono::steady_clock;

namespace {
constexpr std::chrono::milliseconds kNoPatience{0};
constexpr std::chrono::milliseconds kPatienceWithMore{500};
constexpr int kPartComputed = 10;  // of the time, at least: others want the CPU too
constexpr unsigned kMostLooks = 60;
}  // namespace

std::optional<Signature> FinishedBatch::shown() const {
  if (end == BatchEnd::kFinished) return state->diverged ? std::optional(state->signature) : std::nullopt;
  if (end == BatchEnd::kFailed) return std::nullopt;
  return Signature{static_cast<Req>(state->returns_by.load()), end == BatchEnd::kHung ? Kind::kHang : Kind::kCrash};
}

std::uint64_t FinishedBatch::next() const {
  return end == BatchEnd::kFinished ? state->next : state->current.load() + 1;
}

static_assert(sizeof(BatchState) <= JournalSlot::kStateSize);

struct Pool::Slot {
  Slot(const std::string& what, bool discovers) : journal(what), state(journal.state()) {
    if (discovers) discoveries.emplace();
  }

  // Where rules leave many courses open the model may take its time, on an emulated machine seconds. A call that hangs
  // takes none outside the kernel.
  bool computes(std::chrono::milliseconds time);

  BatchOrder order;
  JournalEntry journal;
  // In the journal where there is one: a host sees it there even if this kernel dies.
  SharedMemory<BatchState> state;
  std::optional<SharedMemory<Discoveries>> discoveries;
  std::unique_ptr<Worker> worker;
  bool collected = false;
  Clock::time_point collected_at;
  std::uint64_t last_beat = 0;
  Clock::time_point moved = Clock::now();
  unsigned reprieves = 0;
  std::optional<std::chrono::milliseconds> computed;  // user time when it was first looked at without a beat
  unsigned looks = 0;
};

Pool::Pool(const Setting& setting, ProgramSource source, const CoverageMap* known, bool kernel)
    : setting_(setting),
      source_(std::move(source)),
      known_(known),
      kernel_(kernel),
      control_(setting.directory),
      notify_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (notify_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
}

Pool::~Pool() {
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!slot->collected) slot->worker->kill_and_reap(kNoPatience);
  }
  // All together: where requests never end, none of them does.
  const Clock::time_point deadline = Clock::now() + 2 * Worker::kReapPatience;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (!slot->worker->wait_exit(std::max(left, kNoPatience))) slot->worker->kill_and_reap(kNoPatience);
  }
  ::close(notify_);
}

std::size_t Pool::running() const {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->collected; }));
}

void Pool::start(const BatchOrder& order) {
  auto slot = std::make_unique<Slot>(setting_.journaled_as, known_ != nullptr);
  slot->order = order;
  BatchState& state = *slot->state;
  state.current = order.first;
  const CoverageSink sink{known_, slot->discoveries ? &**slot->discoveries : nullptr, kernel_};
  slot->worker = std::make_unique<Worker>([this, order, &state, sink, &journal = slot->journal] {
    const ProgramSource told = [this, &journal](std::uint64_t index) {
      Program program = source_(index);
      journal.tell_program(setting_.journaled_text(program));
      return program;
    };
    run_batch(setting_, setting_.journaled_text ? told : source_, order, state, sink);
    if (setting_.ledger != nullptr) setting_.ledger->give_back(state.live_nr);
    const std::uint64_t one = 1;
    return ::write(notify_, &one, sizeof(one)) == sizeof(one) ? 0 : 1;
  });
  slots_.push_back(std::move(slot));
}

bool Pool::Slot::computes(std::chrono::milliseconds time) {
  const auto stat = proc_stat("/proc/" + std::to_string(worker->pid()));
  if (!stat || looks >= kMostLooks) return false;
  const bool first = !computed;
  if (!first && stat->user_time - *computed < time / kPartComputed) return false;
  computed = stat->user_time;
  moved += time;
  if (!first) ++looks;
  return true;
}

void Pool::check(Slot& slot, std::vector<FinishedBatch>& ended) {
  const BatchState& state = *slot.state;
  FinishedBatch batch{slot.order, BatchEnd::kFinished, "", &state, slot.discoveries ? &**slot.discoveries : nullptr};
  const std::optional<int> status = slot.worker->poll_exit();
  if (state.finished.load(std::memory_order_acquire)) {
    slot.collected = true;
  } else if (status) {
    slot.collected = true;
    const bool threw = WIFEXITED(*status) && WEXITSTATUS(*status) == Worker::kBodyThrew;
    batch.end = threw ? BatchEnd::kFailed : BatchEnd::kDied;
    batch.death = status_text(*status);
  } else {
    const std::uint64_t beat = state.heartbeat.load(std::memory_order_relaxed);
    if (beat != slot.last_beat) {
      slot.last_beat = beat;
      slot.moved = Clock::now();
      slot.computed.reset();
    }
    // Waiting for something that is lost is no hang yet.
    const auto patience = 2 * setting_.hang_time + std::chrono::seconds(1);
    if (Clock::now() - slot.moved < patience || slot.computes(patience / 2)) return;
    // Nor is waiting for a worker of the kernel that does not get its turn.
    if (slot.reprieves < ControlRequest::kMostWaits && !control_.in_time(CpuPin(), patience)) {
      ++slot.reprieves;
      slot.moved = Clock::now();
      return;
    }
    slot.collected = true;
    // A model that does not come to an end is no divergence of the kernel.
    batch.end = slot.looks >= kMostLooks ? BatchEnd::kFailed : BatchEnd::kHung;
    if (!slot.worker->kill_and_reap(reap_patience_)) reap_patience_ = kNoPatience;
  }
  if (batch.end != BatchEnd::kFinished && setting_.ledger != nullptr) setting_.ledger->give_back(state.live_nr);
  slot.collected_at = Clock::now();
  ended.push_back(batch);
}

// Where a request never ends, the process that made it does not either; then others will not. The run goes on all the
// same.
bool Pool::is_stuck(const Slot& slot) {
  const std::chrono::milliseconds patience = stuck_ == 0 ? Worker::kReapPatience : kPatienceWithMore;
  if (Clock::now() - slot.collected_at < patience) return false;
  slot.worker->kill_and_reap(kNoPatience);
  ++stuck_;
  return true;
}

std::vector<FinishedBatch> Pool::collect(std::chrono::milliseconds patience) {
  std::erase_if(slots_,
                [this](const auto& slot) { return slot->collected && (slot->worker->poll_exit() || is_stuck(*slot)); });
  std::vector<FinishedBatch> ended;
  const Clock::time_point deadline = Clock::now() + patience;
  for (bool waited = false;; waited = true) {
    for (const std::unique_ptr<Slot>& slot : slots_) {
      if (!slot->collected) check(*slot, ended);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (!ended.empty() || (waited && left.count() <= 0) || running() == 0) return ended;
    pollfd polled{notify_, POLLIN, 0};
    ::poll(&polled, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 100)));
    std::uint64_t told = 0;
    if (::read(notify_, &told, sizeof(told)) < 0 && errno != EAGAIN && errno != EINTR) return ended;
  }
}

Tally Pool::in_progress() const {
  Tally sum;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!slot->collected) sum += slot->state->tally;
  }
  return sum;
}

}  // namespace aio
