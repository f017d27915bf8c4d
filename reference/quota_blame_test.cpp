// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each rule of the quota can be seen from outside: a kernel that has it wrong answers some program differently, and its
// answers name the rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "reference/arena.h"
#include "reference/quota.h"

namespace aio {
namespace {

// A kernel with the given rules, and the history of its answers.
class Kernel {
 public:
  Kernel(const Rules& rules, std::uint32_t cpus)
      : shape_(geometry(1, cpus, arena::kPage)), rules_(rules), quota_(shape_, cpus, rules_), slots_(quota_.fresh()) {}
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  bool submit(unsigned cpu) {
    const bool granted = quota_.take(slots_, cpu, head, tail);
    note(granted ? QuotaStep::What::kTaken : QuotaStep::What::kDenied, cpu);
    return granted;
  }
  bool submit_bad(unsigned cpu) {
    if (!submit(cpu)) return false;
    quota_.give_back(slots_, cpu);
    note(QuotaStep::What::kGivenBack, cpu);
    return true;
  }
  void complete(unsigned cpu) {
    tail = (tail + 1) % shape_.ring_size;
    quota_.complete(slots_, cpu, head, tail);
    note(QuotaStep::What::kCompleted, cpu);
  }
  bool read(unsigned cpu) {
    if (!submit(cpu)) return false;
    complete(cpu);
    return true;
  }
  // Up to 200 times, until refused.
  void repeat(const std::function<bool()>& step) {
    for (int i = 0; i < 200 && step(); ++i) continue;
  }
  void submit_until_refused(unsigned cpu) {
    repeat([&] { return submit(cpu); });
  }
  const QuotaHistory& history() const { return history_; }

  std::uint32_t head = 0;
  std::uint32_t tail = 0;

 private:
  void note(QuotaStep::What what, unsigned cpu) { history_.push_back({what, cpu, head, tail}); }

  Geometry shape_;
  Rules rules_;
  Quota quota_;
  Slots slots_;
  QuotaHistory history_;
};

// A program whose answers depend on the rule.
struct Scene {
  Req rule;
  std::function<void(Kernel&)> run;
};

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> kScenes{
      {Req::kQuotaErrorReturnsSlot, [](Kernel& k) { k.repeat([&] { return k.submit_bad(0); }); }},
      {Req::kQuotaHeadClamped,
       [](Kernel& k) {
         k.repeat([&] { return k.read(0); });
         k.head = k.tail + 127;
         k.submit(0);
       }},
      {Req::kQuotaUnreadHeld, [](Kernel& k) { k.repeat([&] { return k.read(0); }); }},
      {Req::kQuotaRefillWhenDry,
       [](Kernel& k) {
         k.repeat([&] { return k.read(0); });
         k.head = k.tail;
         k.submit(0);
       }},
      {Req::kQuotaRefillOnCompletion,
       [](Kernel& k) {
         for (int i = 0; i < 28; ++i) k.read(0);
         k.head = k.tail;
         k.submit(0);
         k.complete(1);
         k.submit_until_refused(0);
       }},
      {Req::kQuotaSurplusReturned,
       [](Kernel& k) {
         for (int i = 0; i < 60; ++i) k.read(0);
         k.head = k.tail;
         k.submit(0);
         k.complete(1);
         k.submit_until_refused(0);
       }},
      {Req::kQuotaPerCpu,
       [](Kernel& k) {
         k.submit(0);
         k.submit_until_refused(1);
       }},
      {Req::kQuotaBatch, [](Kernel& k) { k.submit_until_refused(0); }},
      {Req::kQuotaRingLessOne, [](Kernel& k) { k.submit_until_refused(0); }},
      {Req::kQuotaPinnedMax, [](Kernel& k) { k.submit_until_refused(0); }},
  };
  return kScenes;
}

bool explained(const QuotaHistory& history, std::uint32_t cpus, const Rules& rules) {
  return explains(history, Quota(geometry(1, cpus, arena::kPage), cpus, rules));
}

TEST(QuotaBlame, right_answers_need_no_wrong_rule) {
  for (const Scene& scene : scenes()) {
    Kernel kernel(Rules(), 2);
    scene.run(kernel);
    EXPECT_TRUE(explained(kernel.history(), 2, Rules())) << requirement(scene.rule).id;
  }
}

TEST(QuotaBlame, each_wrong_rule_is_seen_and_named) {
  for (const Scene& scene : scenes()) {
    SCOPED_TRACE(requirement(scene.rule).id);
    Kernel kernel(Rules(scene.rule), 2);
    scene.run(kernel);
    EXPECT_FALSE(explained(kernel.history(), 2, Rules()));
    EXPECT_TRUE(explained(kernel.history(), 2, Rules(scene.rule)));
    EXPECT_EQ(blame(kernel.history(), geometry(1, 2, arena::kPage), 2, Rules()), scene.rule);
  }
}

TEST(QuotaBlame, each_wrong_model_is_seen_by_a_right_kernel) {
  for (const Scene& scene : scenes()) {
    Kernel kernel(Rules(), 2);
    scene.run(kernel);
    EXPECT_FALSE(explained(kernel.history(), 2, Rules(scene.rule))) << requirement(scene.rule).id;
  }
}

TEST(QuotaBlame, every_rule_of_the_quota_has_a_scene) {
  for (const Requirement& each : requirements()) {
    if (!each.id.starts_with("quota.")) continue;
    const auto has_rule = [&](const Scene& scene) { return scene.rule == each.req; };
    EXPECT_TRUE(std::any_of(scenes().begin(), scenes().end(), has_rule)) << each.id;
  }
}

TEST(QuotaBlame, answers_that_no_rule_explains_blame_the_pinned_maximum) {
  const QuotaHistory refused_at_once{{QuotaStep::What::kDenied, 0, 0, 0}};
  EXPECT_EQ(blame(refused_at_once, geometry(1, 2, arena::kPage), 2, Rules()), Req::kQuotaPinnedMax);
}

// With one CPU the batches that it gives back are there for it all the same, and no other CPU can take its slots: these
// two rules show in no history, which is why the catalogue says that they need two CPUs.
TEST(QuotaBlame, one_cpu_cannot_tell_whose_slots_they_are) {
  for (const Req rule : {Req::kQuotaSurplusReturned, Req::kQuotaPerCpu}) {
    std::mt19937 dice(1);
    Kernel kernel((Rules(rule)), 1);
    std::uint32_t in_flight = 0;
    for (int i = 0; i < 20000; ++i) {
      switch (dice() % 4) {
        case 0:
          kernel.submit_bad(0);
          break;
        case 1:
          kernel.head = static_cast<std::uint32_t>(dice() % 256);
          break;
        case 2:
          if (in_flight > 0) {
            kernel.complete(0);
            --in_flight;
          }
          break;
        default:
          in_flight += kernel.submit(0) ? 1u : 0u;
      }
    }
    EXPECT_TRUE(explained(kernel.history(), 1, Rules())) << requirement(rule).id;
    EXPECT_EQ(requirement(rule).needs, "cpus2");
  }
}

// A head that the user takes back after a completion has looked at it shows that rule even on one CPU; an honest user
// does not see it.
TEST(QuotaBlame, one_cpu_sees_a_refill_on_completion_only_if_the_user_takes_his_head_back) {
  for (const bool honest : {true, false}) {
    Kernel kernel(Rules(Req::kQuotaRefillOnCompletion), 1);
    for (int i = 0; i < 20; ++i) kernel.read(0);
    kernel.head = kernel.tail;
    kernel.read(0);
    if (!honest) kernel.head = 0;
    kernel.submit_until_refused(0);
    EXPECT_EQ(explained(kernel.history(), 1, Rules()), honest);
  }
}

}  // namespace
}  // namespace aio
