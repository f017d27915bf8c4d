// SPDX-License-Identifier: GPL-2.0-or-later
//
// The quota over one operation. Which CPU completes a request, and when an asynchronous one does, is the kernel's
// choice: so each context has a set of candidates for its slots, and every order that the ring allows is followed.
#include <algorithm>
#include <cstring>
#include <set>

#include "reference/model.h"

namespace aio {
namespace {

constexpr std::size_t kMaxCandidates = 4096;

// One way in which the operation may have gone so far.
struct Course {
  Slots slots;
  std::size_t completed = 0;  // how many of the new events were written
  std::size_t passes = 0;     // how many of the waiters' passes over the ring were made

  friend auto operator<=>(const Course&, const Course&) = default;
};

// Follows all courses of one operation on one context.
class Courses {
 public:
  // `head` is the ring's before the operation, `takes` what waiters have taken off it since.
  Courses(const Quota& quota, const Context& context, unsigned cpu, std::uint32_t possible_cpus,
          const std::vector<std::size_t>& order, std::uint32_t head, const std::vector<std::uint32_t>& takes)
      : quota_(quota), context_(context), cpu_(cpu), possible_cpus_(possible_cpus), order_(order), heads_{head} {
    for (const Slots& slots : context.candidates) courses_.push_back({slots});
    launched_.resize(context.due.size(), false);
    const std::uint32_t size = context.geometry.ring_size;
    const std::uint32_t there = takes.empty() ? 0 : (context.tail + size - head) % size;
    std::uint32_t end = 0;
    for (const std::uint32_t taken : takes) {
      end += taken;
      heads_.push_back((head + end) % size);
      needed_.push_back(end > there ? end - there : 0);
    }
  }

  // Follows one step; false if no course is left. Once there are too many nothing more is followed.
  bool step(const ScriptStep& step) {
    if (too_many_) return true;
    if (step.what == ScriptStep::What::kLaunch) {
      launched_[step.index] = true;
      return true;
    }
    if (step.what == ScriptStep::What::kComplete) {
      complete_until(step.index);
      return !courses_.empty();
    }
    let_others_in();
    if (step.what == ScriptStep::What::kGiveBack) {
      for (Course& course : courses_) quota_.give_back(course.slots, cpu_);
      return true;
    }
    std::erase_if(courses_, [&](Course& course) {
      return quota_.take(course.slots, cpu_, head(course), tail(course)) != (step.what == ScriptStep::What::kTake);
    });
    return !courses_.empty();
  }

  // What is left completes after the call.
  void drain() {
    for (std::size_t left = order_.size(); left > 0; --left) {
      let_waiters_in();
      complete_below(order_.size());
    }
    for (Course& course : courses_) course.passes = needed_.size();
    unite();
  }

  std::vector<Slots> candidates() {
    unite();
    std::vector<Slots> all;
    for (Course& course : courses_) all.push_back(std::move(course.slots));
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  // Not all courses were followed.
  bool too_many() const { return too_many_; }
  bool single() const { return courses_.size() == 1; }
  std::uint32_t tail(const Course& course) const {
    return static_cast<std::uint32_t>((context_.tail + course.completed) % context_.geometry.ring_size);
  }
  std::uint32_t head(const Course& course) const { return heads_[course.passes]; }
  const std::vector<Course>& courses() const { return courses_; }

 private:
  // Appends the course after its next event was written: one for each CPU that may have done it.
  void complete(const Course& course, std::vector<Course>& out) {
    const Request& request = context_.due[order_[course.completed]];
    const unsigned known = request.cpu.value_or(cpu_);
    const bool anywhere = request.unknown_cpu;
    for (unsigned cpu = anywhere ? 0 : known; cpu < (anywhere ? possible_cpus_ : known + 1); ++cpu) {
      Course next = course;
      ++next.completed;
      quota_.complete(next.slots, cpu, head(next), tail(next));
      out.push_back(std::move(next));
    }
  }

  // Writes the next event of every course that has not come to event number `end`.
  void complete_below(std::size_t end) {
    if (courses_.size() == 1 && courses_[0].completed < end &&
        !context_.due[order_[courses_[0].completed]].unknown_cpu) {
      Course& course = courses_[0];
      const unsigned cpu = context_.due[order_[course.completed]].cpu.value_or(cpu_);
      ++course.completed;
      quota_.complete(course.slots, cpu, head(course), tail(course));
      return;
    }
    std::vector<Course> next;
    for (Course& course : courses_) {
      if (course.completed < end) {
        complete(course, next);
      } else {
        next.push_back(std::move(course));
      }
    }
    courses_ = std::move(next);
  }

  // Events of launched requests may be written here, or later, and waiters may take what is written.
  void let_others_in() {
    if (!needed_.empty()) return follow_all(true);
    for (std::size_t i = 0; i < courses_.size() && courses_.size() <= kMaxCandidates; ++i) {
      const Course course = courses_[i];
      if (may_complete(course)) complete(course, courses_);
    }
    too_many_ = too_many_ || courses_.size() > kMaxCandidates;
    unite();
  }
  void let_waiters_in() {
    if (!needed_.empty()) follow_all(false);
  }
  // In whatever order passes and completions come: many orders lead to the same course.
  void follow_all(bool completions) {
    std::set<Course> all(courses_.begin(), courses_.end());
    std::vector<Course> next;
    while (!courses_.empty() && all.size() <= kMaxCandidates) {
      const Course course = std::move(courses_.back());
      courses_.pop_back();
      next.clear();
      if (may_pass(course)) next.push_back({course.slots, course.completed, course.passes + 1});
      if (completions && may_complete(course)) complete(course, next);
      for (Course& each : next) {
        if (all.insert(each).second) courses_.push_back(std::move(each));
      }
    }
    too_many_ = too_many_ || all.size() > kMaxCandidates;
    courses_.assign(all.begin(), all.end());
  }
  bool may_complete(const Course& course) const {
    return course.completed < order_.size() && launched_[order_[course.completed]];
  }
  bool may_pass(const Course& course) const {
    return course.passes < needed_.size() && needed_[course.passes] <= course.completed;
  }

  // Everything before and including the event of due[index] is written.
  void complete_until(std::size_t index) {
    const auto at = static_cast<std::size_t>(std::find(order_.begin(), order_.end(), index) - order_.begin());
    if (at == order_.size()) return;
    std::size_t first = at;
    for (const Course& course : courses_) first = std::min(first, course.completed);
    for (std::size_t done = first; done <= at; ++done) {
      let_waiters_in();
      complete_below(at + 1);
    }
    let_waiters_in();
    unite();
  }

  void unite() {
    if (courses_.size() < 2) return;
    std::sort(courses_.begin(), courses_.end());
    courses_.erase(std::unique(courses_.begin(), courses_.end()), courses_.end());
  }

  const Quota& quota_;
  const Context& context_;
  unsigned cpu_;
  std::uint32_t possible_cpus_;
  const std::vector<std::size_t>& order_;
  std::vector<bool> launched_;
  std::vector<Course> courses_;
  bool too_many_ = false;
  std::vector<std::uint32_t> heads_;  // before the first pass of a waiter, after it, after the second, ...
  std::vector<std::size_t> needed_;   // new events that must be written before each pass
};

}  // namespace

// Whether the next iocb can get a slot, over all candidates and both extremes of when launched requests complete.
Model::Foresight Model::next_slot(const Context& context) const {
  if (context.ringless) return {true, is_quirk(Req::kQuotaRingLessOne, Kind::kCount)};
  const Quota quota(context.geometry, machine_->possible_cpus, rules_);
  std::vector<std::size_t> written;  // only what completed inside the call
  std::vector<std::size_t> all;
  for (const ScriptStep& step : context.script) {
    if (step.what == ScriptStep::What::kComplete) written.push_back(step.index);
    if (step.what == ScriptStep::What::kComplete || step.what == ScriptStep::What::kLaunch) all.push_back(step.index);
  }
  if (all.size() >= context.geometry.ring_size) return {true, true};  // its head and tail no longer tell
  // What waiters have taken off the ring until the call returned, one by one.
  const std::uint32_t head = context.header().head;
  std::vector<std::uint32_t> takes;
  const RingView* const view = sleepers_.empty() ? nullptr : view_of(*seen_, context.id);
  if (view != nullptr && view->bytes.size() >= sizeof(RingHeader)) {
    RingHeader now;
    std::memcpy(&now, view->bytes.data(), sizeof(now));
    const std::uint32_t size = context.geometry.ring_size;
    takes.assign((now.head % size + size - head % size) % size, 1);
  }
  Foresight foresight;
  for (const auto* order : {&written, &all}) {
    Courses courses(quota, context, seen_->cpu, machine_->possible_cpus, *order, head, takes);
    for (const ScriptStep& step : context.script) courses.step(step);
    if (courses.too_many()) return {true, true};
    for (const Course& course : courses.courses()) {
      Course next = course;
      const bool granted = quota.take(next.slots, seen_->cpu, courses.head(course), courses.tail(next));
      (granted ? foresight.grants : foresight.denies) = true;
    }
    if (written.size() == all.size()) break;
  }
  if (context.widened) foresight = {true, true};
  return foresight;
}

// The kernel has refused a slot after what this call did so far: which rule would explain that?
Req Model::blame_denial(const Context& context) const {
  if (context.ringless) return Req::kQuotaRingLessOne;
  QuotaHistory history = context.history;
  const std::uint32_t head = context.header().head;
  std::uint32_t tail = context.tail;
  for (const ScriptStep& step : context.script) {
    if (step.what == ScriptStep::What::kLaunch) continue;
    if (step.what == ScriptStep::What::kComplete) tail = (tail + 1) % context.geometry.ring_size;
    const auto what = step.what == ScriptStep::What::kComplete   ? QuotaStep::What::kCompleted
                      : step.what == ScriptStep::What::kGiveBack ? QuotaStep::What::kGivenBack
                                                                 : QuotaStep::What::kTaken;
    history.push_back({what, seen_->cpu, head, tail});
  }
  // The last take is the one that was refused.
  if (!history.empty()) history.back().what = QuotaStep::What::kDenied;
  return blame(history, context.geometry, machine_->possible_cpus, rules_);
}

void Model::run_quota(Context& context, const std::vector<std::size_t>& order, std::uint32_t head) {
  if (context.script.empty() || context.widened || context.ringless) return;
  const Quota quota(context.geometry, machine_->possible_cpus, rules_);
  Courses courses(quota, context, seen_->cpu, machine_->possible_cpus, order, head, context.takes);
  context.history_exact = context.history_exact && context.takes.empty();
  for (const ScriptStep& step : context.script) {
    const std::uint32_t tail = courses.courses().empty() ? 0 : courses.tail(courses.courses().front());
    const bool alive = courses.step(step);
    if (courses.too_many()) {
      context.widened = true;
      verdict_.certainty = Certainty::kWidened;
      return;
    }
    context.history_exact = context.history_exact && (courses.single() || !alive);
    switch (step.what) {
      case ScriptStep::What::kTake:
        context.history.push_back({QuotaStep::What::kTaken, seen_->cpu, head, tail});
        break;
      case ScriptStep::What::kDenied:
        context.history.push_back({QuotaStep::What::kDenied, seen_->cpu, head, tail});
        break;
      case ScriptStep::What::kGiveBack:
        context.history.push_back({QuotaStep::What::kGivenBack, seen_->cpu, head, tail});
        break;
      case ScriptStep::What::kComplete:
        context.history.push_back(
            {QuotaStep::What::kCompleted, seen_->cpu, head, (tail + 1) % context.geometry.ring_size});
        break;
      case ScriptStep::What::kLaunch:
        break;
    }
    if (!alive) {
      const Req rule = blame(context.history, context.geometry, machine_->possible_cpus, rules_);
      const bool denied = step.what == ScriptStep::What::kDenied;
      const std::string count = std::to_string(step.index);
      diverge(rule, Kind::kCount,
              denied            ? "a slot for iocb " + count
              : step.index == 0 ? result_text(-1, kEAGAIN)
                                : count,
              denied ? "none" : result_text(seen_->result, seen_->error));
      return;
    }
  }
  const std::size_t before = context.script.size();
  courses.drain();
  if (context.history_exact && before > 0) {
    // What completed by itself came last, as far as one course tells.
    std::size_t synchronous = 0;
    for (const ScriptStep& step : context.script) synchronous += step.what == ScriptStep::What::kComplete;
    for (std::size_t i = synchronous; i < order.size(); ++i) {
      const auto tail = static_cast<std::uint32_t>((context.tail + i + 1) % context.geometry.ring_size);
      const unsigned cpu = context.due[order[i]].cpu.value_or(seen_->cpu);
      context.history.push_back({QuotaStep::What::kCompleted, cpu, head, tail});
    }
  }
  context.candidates = courses.candidates();
  if (context.candidates.size() > kMaxCandidates) context.widened = true;
  if (context.widened) {
    verdict_.certainty = Certainty::kWidened;
  } else if (context.candidates.size() > 1) {
    verdict_.certainty = Certainty::kSet;
  }
}

// A rule of the quota has decided something if the history could not have come about without it.
void Model::note_quota_exercised(const Context& context) {
  if (!context.history_exact || context.history.size() < 60) return;
  for (const Req rule : {Req::kQuotaErrorReturnsSlot, Req::kQuotaHeadClamped, Req::kQuotaUnreadHeld,
                         Req::kQuotaRefillWhenDry, Req::kQuotaRefillOnCompletion, Req::kQuotaSurplusReturned,
                         Req::kQuotaPerCpu, Req::kQuotaBatch, Req::kQuotaRingLessOne, Req::kQuotaPinnedMax}) {
    if (rules_.exercised(rule)) continue;
    const Rules flipped = rules_.flipped(rule);
    if (!explains(context.history, Quota(context.geometry, machine_->possible_cpus, flipped))) rules_.exercise(rule);
  }
}

}  // namespace aio
