// SPDX-License-Identifier: GPL-2.0-or-later
//
// One program with its right answers is conforming; the same with any single part of an answer falsified is a
// divergence that names the requirement and the part, and says what to look at.
#include "reference/model.h"

#include <gtest/gtest.h>

#include "reference/fake_kernel.h"
#include "reference/print.h"

namespace aio {
namespace {

constexpr std::uint64_t kData = 0x1122334455667788;
constexpr Address kIocb = arena::iocb_slot(3);
constexpr std::uint64_t kBytes = 512;

IocbSpec pread() {
  return {.at = kIocb, .data = kData, .key = 7, .nbytes = kBytes, .offset = 100, .flags = kFlagResfd, .segments = {}};
}

using Answer = FakeKernel::Answer;
struct Step {
  Operation operation;
  Answer answer;
};

// io_setup, io_submit of one read with an eventfd, io_getevents, io_cancel of nothing, a ring word, io_destroy.
std::vector<Step> program() {
  const aio::Setup set_up{.nr = 1};
  const Value ctx = 0x7f0000000000;
  return {
      {set_up, [=](FakeKernel& k) { k.map_ring(set_up); }},
      {Submit{.ctx = ctx, .iocbs = {pread()}},
       [](FakeKernel& k) {
         k.result = 1;
         k.store_word(kIocb + 8, 0, 4);
         k.memory.store(arena::kBuffers, std::span(k.files[0]).subspan(100, kBytes));
         k.rings[0].add({kData, kIocb, kBytes, 0});
         k.counters[0] = 1;
       }},
      {Getevents{.ctx = ctx, .min_nr = 1, .nr = 2},
       [](FakeKernel& k) {
         k.result = 1;
         k.memory.store(arena::kEvents, std::span(k.rings[0].bytes).subspan(sizeof(RingHeader), sizeof(Event)));
         k.rings[0].set_word(RingField::kHead, 1);
       }},
      {RingStore{.ctx = ctx, .field = RingField::kNr, .value = 5},
       [](FakeKernel& k) { k.rings[0].set_word(RingField::kNr, 5); }},
      {Cancel{.ctx = ctx, .iocb = kIocb}, [](FakeKernel& k) { k.fails(kEINVAL); }},
      {Destroy{.ctx = ctx},
       [](FakeKernel& k) {
         k.rings.clear();
         k.aio_nr -= 1;
       }},
  };
}

// The first divergence, with one more change of one answer.
std::optional<Divergence> divergence(std::size_t falsified, const Answer& change, const Rules& rules = {}) {
  FakeKernel kernel(profiles().back(), rules);
  const std::vector<Step> steps = program();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Verdict verdict = kernel.run(steps[i].operation, [&](FakeKernel& k) {
      steps[i].answer(k);
      if (i == falsified) change(k);
    });
    if (!verdict.divergence) continue;
    EXPECT_TRUE(falsified > steps.size() || i == falsified);
    return verdict.divergence;
  }
  return std::nullopt;
}

constexpr std::size_t kNowhere = 100;

TEST(Model, right_answers_are_conforming_and_exact) {
  for (const Profile& profile : profiles()) {
    FakeKernel kernel(profile);
    for (const Step& step : program()) {
      const Verdict verdict = kernel.run(step.operation, [&](FakeKernel& k) {
        step.answer(k);
        if (std::holds_alternative<Destroy>(step.operation)) k.aio_nr = 0;
      });
      EXPECT_FALSE(verdict.divergence) << profile.name << ": " << operation_text(step.operation) << ": "
                                       << verdict.divergence->expected;
      EXPECT_EQ(verdict.certainty, Certainty::kExact);
    }
    EXPECT_FALSE(kernel.model.finish(kernel.observe()).divergence);
  }
}

void flip(std::byte& byte) { byte ^= std::byte{1}; }
void flip(FakeKernel& k, Address at) { k.store_word(at, *k.memory.get<std::uint8_t>(at) ^ 1u, 1); }

struct Falsification {
  const char* what;
  std::size_t step;
  Answer change;
  Req rule;
  Kind kind;
  std::optional<Check::What> check;
};

constexpr auto kResult = Check::What::kResult;
constexpr auto kInRing = Check::What::kRingBytes;
constexpr auto kInArena = Check::What::kArenaBytes;

const std::vector<Falsification>& falsifications() {
  using K = FakeKernel;
  static const std::vector<Falsification> kAll{
      {"setup: errno", 0, [](K& k) { k.fails(kENOMEM); }, Req::kSetupSucceeds, Kind::kErrno, kResult},
      {"setup: value", 0, [](K& k) { k.result = 1; }, Req::kSetupSucceeds, Kind::kCount, kResult},
      {"setup: id", 0, [](K& k) { k.store_word(arena::kVars, 0x7f0000000008, 8); }, Req::kSetupIdIsRing, Kind::kMemory,
       std::nullopt},
      {"setup: no ring", 0, [](K& k) { k.rings[0].bytes.clear(); }, Req::kSetupRingMapped, Kind::kMemory, std::nullopt},
      {"setup: id word", 0, [](K& k) { k.rings[0].set_word(RingField::kId, 1); }, Req::kSetupLowestId, Kind::kHeader,
       kInRing},
      {"setup: nr", 0, [](K& k) { k.rings[0].set_word(RingField::kNr, 128); }, Req::kSetupRingSize, Kind::kHeader,
       kInRing},
      {"setup: head", 0, [](K& k) { k.rings[0].set_word(RingField::kHead, 1); }, Req::kSetupRingEmpty, Kind::kHeader,
       kInRing},
      {"setup: tail", 0, [](K& k) { k.rings[0].set_word(RingField::kTail, 1); }, Req::kSetupRingEmpty, Kind::kHeader,
       kInRing},
      {"setup: magic", 0, [](K& k) { k.rings[0].set_word(RingField::kMagic, 1); }, Req::kSetupRingMagic, Kind::kHeader,
       kInRing},
      {"setup: compat", 0, [](K& k) { k.rings[0].set_word(RingField::kCompat, 0); }, Req::kSetupRingFeatures,
       Kind::kHeader, kInRing},
      {"setup: incompat", 0, [](K& k) { k.rings[0].set_word(RingField::kIncompat, 1); }, Req::kSetupRingFeatures,
       Kind::kHeader, kInRing},
      {"setup: header length", 0, [](K& k) { k.rings[0].set_word(RingField::kHeaderLength, 64); },
       Req::kSetupRingHeaderLength, Kind::kHeader, kInRing},
      {"setup: stale slot", 0, [](K& k) { flip(k.rings[0].bytes.back()); }, Req::kSetupRingZeroed, Kind::kMemory,
       kInRing},
      {"setup: arena", 0, [](K& k) { flip(k, arena::kVars + 8); }, Req::kMemoryOnlyByRules, Kind::kMemory, kInArena},
      {"setup: aio-nr", 0, [](K& k) { k.aio_nr += 1; }, Req::kSetupCountsNr, Kind::kAioNr, Check::What::kAioNrDelta},
      {"submit: errno", 1, [](K& k) { k.fails(kEINVAL); }, Req::kSubmitCounts, Kind::kErrno, kResult},
      {"submit: refused", 1, [](K& k) { k.fails(kEAGAIN); }, Req::kQuotaPinnedMax, Kind::kCount, kResult},
      {"submit: nothing", 1, [](K& k) { k.result = 0; }, Req::kSubmitCounts, Kind::kCount, kResult},
      {"submit: too many", 1, [](K& k) { k.result = 2; }, Req::kSubmitCounts, Kind::kCount, kResult},
      {"submit: key", 1, [](K& k) { k.store_word(kIocb + 8, 7, 4); }, Req::kSubmitKeyWritten, Kind::kMemory, kInArena},
      {"submit: key byte", 1, [](K& k) { flip(k, kIocb + 11); }, Req::kSubmitKeyWritten, Kind::kMemory, kInArena},
      {"submit: iocb", 1, [](K& k) { flip(k, kIocb + 12); }, Req::kMemoryOnlyByRules, Kind::kMemory, kInArena},
      {"submit: data", 1, [](K& k) { flip(k.rings[0].event_byte(0, 0)); }, Req::kEventData, Kind::kEvent, kInRing},
      {"submit: obj", 1, [](K& k) { flip(k.rings[0].event_byte(0, 15)); }, Req::kEventObj, Kind::kEvent, kInRing},
      {"submit: res", 1, [](K& k) { flip(k.rings[0].event_byte(0, 16)); }, Req::kReadCount, Kind::kEvent, kInRing},
      {"submit: res2", 1, [](K& k) { flip(k.rings[0].event_byte(0, 31)); }, Req::kEventRes2Zero, Kind::kEvent, kInRing},
      {"submit: lost event", 1, [](K& k) { k.rings[0].set_word(RingField::kTail, 0); }, Req::kEventForEveryRequest,
       Kind::kLost, kInRing},
      {"submit: extra event", 1,
       [](K& k) {
         k.rings[0].add({kData, kIocb, kBytes, 0});
       },
       Req::kEventOnlyForRequests, Kind::kEvent, kInRing},
      {"submit: late event", 1, [](K& k) { k.rings[0].tail_at_return = 0; }, Req::kEventAtReturn, Kind::kEvent,
       std::nullopt},
      {"submit: buffer", 1, [](K& k) { flip(k, arena::kBuffers + 200); }, Req::kReadOffset, Kind::kMemory, kInArena},
      {"submit: behind the buffer", 1, [](K& k) { flip(k, arena::kBuffers + kBytes); }, Req::kMemoryOnlyByRules,
       Kind::kMemory, kInArena},
      {"submit: no signal", 1, [](K& k) { k.counters[0] = 0; }, Req::kResfdCountsCompletions, Kind::kCounter,
       Check::What::kCounter},
      {"submit: two signals", 1, [](K& k) { k.counters[0] = 2; }, Req::kResfdCountsCompletions, Kind::kCounter,
       Check::What::kCounter},
      {"submit: file byte", 1, [](K& k) { flip(k.files[0][100]); }, Req::kFilesOnlyByRules, Kind::kFile,
       Check::What::kFileBytes},
      {"submit: file length", 1, [](K& k) { k.files[1].pop_back(); }, Req::kFilesOnlyByRules, Kind::kFile,
       Check::What::kFileLength},
      {"submit: slot to come", 1, [](K& k) { flip(k.rings[0].event_byte(1, 0)); }, Req::kSetupRingZeroed, Kind::kMemory,
       kInRing},
      {"getevents: errno", 2, [](K& k) { k.fails(kEINTR); }, Req::kGeteventsTakes, Kind::kErrno, kResult},
      {"getevents: count", 2, [](K& k) { k.result = 0; }, Req::kGeteventsTakes, Kind::kCount, kResult},
      {"getevents: copy", 2, [](K& k) { flip(k, arena::kEvents + 31); }, Req::kGeteventsCopies, Kind::kMemory,
       kInArena},
      {"getevents: behind", 2, [](K& k) { flip(k, arena::kEvents + 32); }, Req::kMemoryOnlyByRules, Kind::kMemory,
       kInArena},
      {"getevents: head", 2, [](K& k) { k.rings[0].set_word(RingField::kHead, 0); }, Req::kGeteventsMovesHead,
       Kind::kHeader, kInRing},
      {"getevents: new event", 2, [](K& k) { k.rings[0].add({}); }, Req::kEventOnlyForRequests, Kind::kEvent,
       std::nullopt},
      {"getevents: old event", 2, [](K& k) { flip(k.rings[0].event_byte(0, 4)); }, Req::kRingOnlyEvents, Kind::kMemory,
       kInRing},
      {"getevents: counter", 2, [](K& k) { k.counters[2] = 1; }, Req::kCountersOnlyByRules, Kind::kCounter,
       Check::What::kCounter},
      {"store: word", 3, [](K& k) { k.rings[0].set_word(RingField::kNr, 127); }, Req::kSetupRingSize, Kind::kHeader,
       kInRing},
      {"cancel: errno", 4, [](K& k) { k.fails(kEAGAIN); }, Req::kCancelNotFound, Kind::kErrno, kResult},
      {"cancel: success", 4, [](K& k) { k.result = 0, k.error = 0; }, Req::kCancelNotFound, Kind::kErrno, kResult},
      {"cancel: result", 4, [](K& k) { flip(k, arena::kCancelResult); }, Req::kMemoryOnlyByRules, Kind::kMemory,
       kInArena},
      {"destroy: errno", 5, [](K& k) { k.fails(kEINVAL); }, Req::kDestroySucceeds, Kind::kErrno, kResult},
      {"destroy: mapped", 5, [](K& k) { k.ring_remains = true; }, Req::kMapDestroyUnmaps, Kind::kMemory,
       Check::What::kMapped},
      {"a signal mask", 2, [](K& k) { k.mask_changed = 1; }, Req::kPgeteventsMaskRestored, Kind::kMask,
       Check::What::kMask},
      {"destroy: aio-nr", 5, [](K& k) { k.aio_nr += 1; }, Req::kDestroyGivesBackNr, Kind::kAioNr,
       Check::What::kAioNrDelta},
  };
  return kAll;
}

TEST(Model, each_single_falsification_is_a_divergence_of_its_requirement) {
  for (const Falsification& each : falsifications()) {
    SCOPED_TRACE(each.what);
    const std::optional<Divergence> found = divergence(each.step, each.change);
    ASSERT_TRUE(found);
    EXPECT_EQ(requirement(found->signature.requirement).id, requirement(each.rule).id);
    EXPECT_EQ(kind_name(found->signature.kind), kind_name(each.kind));
    EXPECT_NE(found->expected, found->seen);
    ASSERT_EQ(found->check.has_value(), each.check.has_value());
    if (!found->check) continue;
    EXPECT_EQ(found->check->what, *each.check);
    EXPECT_NE(found->check->values.empty(), found->check->bytes.empty());
  }
}

// No call of the program has to do with this area.
TEST(Model, a_byte_that_changes_elsewhere_is_found_in_its_turn_or_at_the_end) {
  for (std::size_t at = 0; at < program().size(); ++at) {
    FakeKernel kernel;
    std::optional<Divergence> found;
    std::size_t calls = 0;
    for (const Step& step : program()) {
      found = kernel
                  .run(step.operation,
                       [&](FakeKernel& k) {
                         step.answer(k);
                         if (calls++ == at) flip(k, arena::kIovecs + 5);
                       })
                  .divergence;
      if (found) break;
    }
    if (!found) found = kernel.model.finish(kernel.observe()).divergence;
    ASSERT_TRUE(found) << at;
    EXPECT_EQ(found->signature, (Signature{Req::kMemoryOnlyByRules, Kind::kMemory})) << at;
  }
}

TEST(Model, no_change_is_no_divergence) { EXPECT_FALSE(divergence(kNowhere, {})); }

// Whatever rule decided a part of the right answers: a model that has it wrong finds them wrong, and names it.
TEST(Model, each_rule_that_decided_is_noticed_when_it_is_wrong) {
  FakeKernel kernel;
  for (const Step& step : program()) kernel.run(step.operation, step.answer);
  const RequirementCounts& exercised = kernel.model.rules().exercised();
  std::size_t seen = 0;
  for (std::size_t i = 0; i < kRequirementCount; ++i) {
    if (exercised[i] == 0) continue;
    ++seen;
    const auto rule = static_cast<Req>(i);
    const std::optional<Divergence> found = divergence(kNowhere, {}, Rules(rule));
    ASSERT_TRUE(found) << requirement(rule).id;
    EXPECT_EQ(requirement(found->signature.requirement).id, requirement(rule).id);
  }
  EXPECT_GE(seen, 25u);
}

TEST(Model, checks_say_where_to_look) {
  const auto buffer = divergence(1, [](FakeKernel& k) { flip(k, arena::kBuffers + 200); });
  ASSERT_TRUE(buffer && buffer->check);
  const std::vector<std::uint8_t> right{initial_file_byte(0, 300)};
  EXPECT_EQ(*buffer->check, (Check{kInArena, 0, arena::kBuffers + 200, {}, right}));
  const auto res = divergence(1, [](FakeKernel& k) { flip(k.rings[0].event_byte(0, 16)); });
  ASSERT_TRUE(res && res->check);
  EXPECT_EQ(*res->check, (Check{kInRing, 0, 32 + 16, {}, {0, 2, 0, 0, 0, 0, 0, 0}}));
  const auto lost = divergence(1, [](FakeKernel& k) { k.rings[0].set_word(RingField::kTail, 0); });
  ASSERT_TRUE(lost && lost->check);
  EXPECT_EQ(*lost->check, (Check{kInRing, 0, 12, {}, {1, 0, 0, 0}}));
  const auto counter = divergence(2, [](FakeKernel& k) { k.counters[2] = 9; });
  ASSERT_TRUE(counter && counter->check);
  EXPECT_EQ(*counter->check, (Check{Check::What::kCounter, 2, 0, {0}, {}}));
  const auto cancelled = divergence(4, [](FakeKernel& k) { k.result = 0, k.error = 0; });
  ASSERT_TRUE(cancelled && cancelled->check);
  EXPECT_EQ(*cancelled->check, (Check{kResult, 0, 0, {-kEINVAL}, {}}));
}

}  // namespace
}  // namespace aio
