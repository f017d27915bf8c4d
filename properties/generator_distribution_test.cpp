// SPDX-License-Identifier: GPL-2.0-or-later
//
// In 20,000 programs each class of call that a rule of the model asks for occurs in at least so
// many.
#include "properties/generator_distribution.h"

namespace aio {
namespace {

bool is_context(const Value& value) { return value.symbol >= Symbol::kContext0 && value.symbol <= Symbol::kContext3; }
bool in_ring(const Value& value, std::int64_t plus) { return value == Value(Symbol::kInRing, plus); }

const std::vector<Class<aio::Setup>> kSetups{
    {"one event", 12000, IS(aio::Setup, x.nr == Value(1))},
    {"62 events", 400, IS(aio::Setup, x.nr == Value(62))},
    {"63 events", 400, IS(aio::Setup, x.nr == Value(63))},
    {"127 events", 400, IS(aio::Setup, x.nr == Value(127))},
    {"191 events", 400, IS(aio::Setup, x.nr == Value(191))},
    {"1000 events", 100, IS(aio::Setup, x.nr == Value(1000))},
    {"no events", 100, IS(aio::Setup, x.nr == Value(0))},
    {"4194305 events", 100, IS(aio::Setup, x.nr == Value(4194305))},
    {"0x7fffffff events", 100, IS(aio::Setup, x.nr == Value(0x7fffffff))},
    {"2^31 events", 100, IS(aio::Setup, x.nr == Value(0x80000000))},
    {"2^31 + 1 events", 100, IS(aio::Setup, x.nr == Value(0x80000001))},
    {"0x80400001 events", 100, IS(aio::Setup, x.nr == Value(0x80400001))},
    {"0xffffffff events", 100, IS(aio::Setup, x.nr == Value(0xffffffff))},
    {"more than aio-max-nr", 100, IS(aio::Setup, x.nr == Value(Symbol::kMaxNr, 1))},
    {"all of aio-max-nr", 20, IS(aio::Setup, x.nr == Value(Symbol::kMaxNr, 0))},
    {"null ctxp", 100, IS(aio::Setup, x.ctxp == arena::kNull)},
    {"kernel ctxp", 100, IS(aio::Setup, x.ctxp == arena::kKernel)},
    {"unmapped ctxp", 100, IS(aio::Setup, x.ctxp == arena::kUnmapped)},
    {"ctxp without access", 100, IS(aio::Setup, x.ctxp == arena::kNoAccess)},
    {"read-only ctxp", 200, IS(aio::Setup, x.ctxp >= arena::kReadOnly && x.ctxp < arena::kNoAccess && x.initial == 0)},
    {"ctxp over the page's end", 100, IS(aio::Setup, x.ctxp == arena::kVars + arena::kPage - 4)},
    {"variable in use", 1000, IS(aio::Setup, x.initial != 0)},
    {"second context", 4000, IS(aio::Setup, x.ctxp == arena::context_slot(1))},
};

const std::vector<Class<Destroy>> kDestroys{
    {"of a context variable", 1000, IS(Destroy, is_context(x.ctx) && x.ctx.offset == 0)},
    {"zero", 300, IS(Destroy, x.ctx == Value(0))},
    {"minus one", 300, IS(Destroy, x.ctx == Value(-1))},
    {"within the ring", 300, IS(Destroy, is_context(x.ctx) && x.ctx.offset == 8)},
    {"end of the ring's first page", 300, IS(Destroy, is_context(x.ctx) && x.ctx.offset == 4088)},
    {"arena", 300, IS(Destroy, x.ctx == Value(std::int64_t{arena::kBuffers}))},
    {"unmapped", 300, IS(Destroy, x.ctx == Value(std::int64_t{arena::kUnmapped}))},
};

const std::vector<Class<Submit>> kSubmits{
    {"none", 200, IS(Submit, x.nr == Value(0))},
    {"negative count", 200, IS(Submit, x.nr == Value(-1))},
    {"least count", 80, IS(Submit, x.nr == Value(kLeast))},
    {"greatest count", 60, IS(Submit, x.nr == Value(kMost))},
    {"one pointer more than stored", 200, IS(Submit, x.nr.symbol == x.fill.symbol && x.nr.offset == x.fill.offset + 1)},
    {"as many as in the ring", 60, IS(Submit, in_ring(x.nr, 0))},
    {"more than the ring's size", 60, IS(Submit, x.nr == Value(Symbol::kRingSize, 1))},
    {"fills the quota", 2500, IS(Submit, x.fill == Value(Symbol::kQuota, 0))},
    {"one beyond the quota", 1500, IS(Submit, x.fill == Value(Symbol::kQuota, 1))},
    {"one below the quota", 1000, IS(Submit, x.fill == Value(Symbol::kQuota, -1))},
    {"eight", 5000, IS(Submit, x.fill == Value(8))},
    {"an iocb twice", 3000, IS(Submit, x.fill.offset > std::int64_t(x.iocbs.size()))},
    {"null list", 80, IS(Submit, x.list == arena::kNull)},
    {"kernel list", 80, IS(Submit, x.list == arena::kKernel)},
    {"unmapped list", 80, IS(Submit, x.list == arena::kUnmapped)},
    {"list without access", 80, IS(Submit, x.list == arena::kNoAccess)},
    {"list that ends at a page", 200, IS(Submit, x.list > arena::kPointers && x.nr.offset > 1)},
    {"misaligned list", 40, IS(Submit, (x.list & 7) == 4)},
    {"bad context", 500, IS(Submit, !is_context(x.ctx))},
    {"bad context and list", 10, IS(Submit, !is_context(x.ctx) && x.list == arena::kKernel)},
    {"within the ring", 60, IS(Submit, is_context(x.ctx) && x.ctx.offset == 8)},
};

const std::vector<Class<Getevents>> kWaits{
    {"minimum 0", 5000, IS(Getevents, x.min_nr == Value(0))},
    {"minimum in ring", 3000, IS(Getevents, in_ring(x.min_nr, 0))},
    {"minimum in ring and one", 2000, IS(Getevents, in_ring(x.min_nr, 1))},
    {"minimum beyond nr", 100, IS(Getevents, x.min_nr == Value(2) && x.nr == Value(1))},
    {"negative minimum", 100, IS(Getevents, x.min_nr == Value(-1))},
    {"negative nr", 100, IS(Getevents, x.nr == Value(-1))},
    {"greatest nr", 3000, IS(Getevents, x.nr == Value(kMost))},
    {"greatest minimum", 300, IS(Getevents, x.min_nr == Value(kMost))},
    {"nothing wanted", 1000, IS(Getevents, x.nr == Value(0))},
    {"no timeout", 2500, IS(Getevents, x.timeout == arena::kNull)},
    {"short timeout", 1500, IS(Getevents, x.sec == 0 && x.nsec > 0)},
    {"timeout of two signs", 500, IS(Getevents, x.sec == 1 && x.nsec == -1'000'000'000)},
    {"product that wraps to zero", 500, IS(Getevents, x.sec == kLeast)},
    {"negative timeout", 300, IS(Getevents, x.sec == -1 && x.nsec == 0)},
    {"least nanoseconds", 150, IS(Getevents, x.nsec == kLeast)},
    {"greatest timeout", 150, IS(Getevents, x.sec == kMost)},
    {"kernel timeout", 80, IS(Getevents, x.timeout == arena::kKernel)},
    {"unmapped timeout", 80, IS(Getevents, x.timeout == arena::kUnmapped)},
    {"timeout over the page's end", 80, IS(Getevents, x.timeout == arena::kVars + arena::kPage - 8)},
    {"null events", 30, IS(Getevents, x.events == arena::kNull)},
    {"kernel events", 30, IS(Getevents, x.events == arena::kKernel)},
    {"unmapped events", 30, IS(Getevents, x.events == arena::kUnmapped)},
    {"read-only events", 80, IS(Getevents, x.events >= arena::kReadOnly && x.events < arena::kNoAccess)},
    {"misaligned events", 500, IS(Getevents, (x.events & 31) == 4)},
    {"room for few events before the page's end", 150,
     IS(Getevents, x.events > arena::kEvents + 3900 && x.events <= arena::kEvents + 4096)},
    {"bad context", 300, IS(Getevents, !is_context(x.ctx))},
    {"bad context and timeout", 20, IS(Getevents, !is_context(x.ctx) && x.timeout == arena::kKernel)},
};

const std::vector<Class<Pgetevents>> kSignalWaits{
    {"any", 5000, IS(Pgetevents, x.nr.offset >= kLeast)},
    {"no sigset", 2000, IS(Pgetevents, x.sigset == arena::kNull)},
    {"no mask", 2000, IS(Pgetevents, x.mask == arena::kNull)},
    {"a mask", 3000, IS(Pgetevents, x.signals != 0 && x.mask == arena::kSignalMask)},
    {"kernel sigset", 50, IS(Pgetevents, x.sigset == arena::kKernel)},
    {"unmapped sigset", 50, IS(Pgetevents, x.sigset == arena::kUnmapped)},
    {"kernel mask", 50, IS(Pgetevents, x.mask == arena::kKernel)},
    {"mask over the page's end", 50, IS(Pgetevents, x.mask == arena::kVars + arena::kPage - 4)},
    {"size 0", 50, IS(Pgetevents, x.size == 0)},
    {"size 4", 50, IS(Pgetevents, x.size == 4)},
    {"size 128", 50, IS(Pgetevents, x.size == 128)},
    {"wrong size without mask", 10, IS(Pgetevents, x.size != 8 && x.mask == arena::kNull)},
    {"wrong size and context", 10, IS(Pgetevents, x.size != 8 && !is_context(x.ctx))},
};

const std::vector<Class<Cancel>> kCancels{
    {"of an iocb", 7000, IS(Cancel, x.iocb >= arena::kIocbs && x.iocb < arena::kPointers)},
    {"null", 200, IS(Cancel, x.iocb == arena::kNull)},
    {"kernel", 200, IS(Cancel, x.iocb == arena::kKernel)},
    {"unmapped", 200, IS(Cancel, x.iocb == arena::kUnmapped)},
    {"no access", 200, IS(Cancel, x.iocb == arena::kNoAccess)},
    {"key over the page's end", 200, IS(Cancel, x.iocb == arena::kIocbs + arena::kPage - 10)},
    {"bogus result", 1000, IS(Cancel, x.result != arena::kCancelResult)},
    {"bad context", 150, IS(Cancel, !is_context(x.ctx))},
};

const std::vector<Class<RingStore>> kRingStores{
    {"head behind tail", 180, IS(RingStore, x.field == RingField::kHead && x.value == Value(Symbol::kTail, 1))},
    {"head out of the ring", 200, IS(RingStore, x.field == RingField::kHead && x.value == Value(Symbol::kRingSize, 2))},
    {"head 0xffffffff", 180, IS(RingStore, x.field == RingField::kHead && x.value == Value(0xffffffff))},
    {"tail ahead", 200, IS(RingStore, x.field == RingField::kTail && x.value == Value(Symbol::kTail, 5))},
    {"tail 0xffffffff", 180, IS(RingStore, x.field == RingField::kTail && x.value == Value(0xffffffff))},
    {"id of another", 80, IS(RingStore, x.field == RingField::kId && x.value == Value(Symbol::kId, 1))},
    {"id restored", 500, IS(RingStore, x.field == RingField::kId && x.value == Value(Symbol::kId, 0))},
    {"nr", 200, IS(RingStore, x.field == RingField::kNr)},
    {"magic", 200, IS(RingStore, x.field == RingField::kMagic)},
    {"header length", 50, IS(RingStore, x.field == RingField::kHeaderLength)},
};

const std::vector<Class<Operation>> kUserActions{
    {"reap", 4000, IS(Operation, std::holds_alternative<Reap>(x))},
    {"move", 4000, IS(Operation, std::holds_alternative<Move>(x))},
    {"fd_write", 5000, IS(Operation, std::holds_alternative<FdWrite>(x))},
    {"fd_read", 2500, IS(Operation, std::holds_alternative<FdRead>(x))},
    {"fd_close", 800, IS(Operation, std::holds_alternative<FdClose>(x))},
    {"store", 2000, IS(Operation, std::holds_alternative<Store>(x))},
};

TEST(Distribution, setups_reach_every_class) { expect_classes(kSetups); }
TEST(Distribution, destroys_reach_every_class) { expect_classes(kDestroys); }
TEST(Distribution, submits_reach_every_class) { expect_classes(kSubmits); }
TEST(Distribution, waits_reach_every_class) { expect_classes(kWaits); }
TEST(Distribution, waits_with_signals_reach_every_class) { expect_classes(kSignalWaits); }
TEST(Distribution, cancels_reach_every_class) { expect_classes(kCancels); }
TEST(Distribution, ring_stores_reach_every_class) { expect_classes(kRingStores); }
TEST(Distribution, user_actions_reach_every_class) { expect_classes(kUserActions); }

TEST(Distribution, most_operations_are_system_calls) {
  std::size_t calls = 0;
  std::size_t operations = 0;
  for (const Program& program : sample()) {
    operations += program.operations.size();
    for (const Operation& operation : program.operations) calls += is_system_call(operation);
  }
  EXPECT_GE(calls * 100, operations * 80);
  EXPECT_GE(operations, 18 * kSampledPrograms);
  EXPECT_LE(operations, 22 * kSampledPrograms);
}

TEST(Distribution, lanes_reach_every_class) {
  expect_classes<InLane>({{"thread 1", 200, IS(InLane, x.number == Value(1))},
                          {"thread 2", 200, IS(InLane, x.number == Value(2))},
                          {"process", 200, IS(InLane, x.number == Value(kProcessLane))}});
  expect_classes<Interrupt>({{"caught", 100, IS(Interrupt, x.kind == SignalKind::kCaught)},
                             {"with SA_RESTART", 100, IS(Interrupt, x.kind == SignalKind::kRestart)},
                             {"stop", 100, IS(Interrupt, x.kind == SignalKind::kStop)},
                             {"ignored", 50, IS(Interrupt, x.kind == SignalKind::kIgnored)},
                             {"blocked", 100, IS(Interrupt, x.kind == SignalKind::kBlocked)}});
  expect_classes<Pgetevents>(
      {{"that keeps a signal out", 100, IS(Pgetevents, (x.signals & signal_bit(SignalKind::kRestart)) != 0)},
       {"that keeps the lane's own out", 50, IS(Pgetevents, (x.signals & signal_bit(SignalKind::kBlocked)) != 0)}});
  expect_classes<Getevents>(
      {{"wait for one more than is there", 200,
        IS(Getevents, x.timeout == arena::kNull && x.min_nr == Value(Symbol::kInRing, 1))},
       {"wait for more than the ring holds", 40, IS(Getevents, x.min_nr.symbol == Symbol::kRingSize)}});
  expect_classes<Submit>(
      {{"read of an empty pipe alone", 100, IS(Submit, x.iocbs.size() == 1 && x.iocbs[0].fd == Fd::kPipeRead)}});
}

TEST(Distribution, a_few_programs_destroy_a_live_context_and_go_on) {
  unsigned destroys = 0;
  unsigned goes_on = 0;
  for (const Program& program : sample()) {
    for (std::size_t i = 0; i < program.operations.size(); ++i) {
      const auto* op = std::get_if<Destroy>(&program.operations[i]);
      if (op == nullptr || !is_context(op->ctx) || op->ctx.offset != 0) continue;
      ++destroys;
      if (i + 1 < program.operations.size()) ++goes_on;
      break;
    }
  }
  EXPECT_GE(destroys, kSampledPrograms * 5 / 100);
  EXPECT_LE(destroys, kSampledPrograms * 8 / 100);
  EXPECT_GE(goes_on, destroys / 2);
}

}  // namespace
}  // namespace aio
