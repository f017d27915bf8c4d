// SPDX-License-Identifier: GPL-2.0-or-later
//
// In 20,000 programs each class of iocb that a rule of the model asks for occurs in at least so
// many.
#include <array>

#include "properties/generator_distribution.h"

namespace aio {
namespace {

constexpr Address kBuffersEnd = arena::kBuffers + 2 * arena::kPage;

bool writes(const IocbSpec& spec) { return spec.opcode == kPwrite || spec.opcode == kPwritev; }
bool moves(const IocbSpec& spec) { return writes(spec) || spec.opcode == kPread || spec.opcode == kPreadv; }
bool vectored(const IocbSpec& spec) { return spec.opcode == kPreadv || spec.opcode == kPwritev; }
bool syncs(const IocbSpec& spec) { return spec.opcode == kFsync || spec.opcode == kFdsync; }
bool asks_for_resfd(const IocbSpec& spec) { return (spec.flags & kFlagResfd) != 0; }
bool has_priority(const IocbSpec& spec) { return (spec.flags & kFlagIoprio) != 0; }
unsigned priority_class(const IocbSpec& spec) { return static_cast<std::uint16_t>(spec.reqprio) >> 13; }

const std::vector<Class<IocbSpec>> kIocbs{
    {"null iocb", 60, IS(IocbSpec, x.at == arena::kNull)},
    {"kernel iocb", 60, IS(IocbSpec, x.at == arena::kKernel)},
    {"unmapped iocb", 60, IS(IocbSpec, x.at == arena::kUnmapped)},
    {"iocb without access", 60, IS(IocbSpec, x.at == arena::kNoAccess)},
    {"iocb over the page's end", 60, IS(IocbSpec, x.at == arena::kIocbs + arena::kPage - 32)},
    {"read-only iocb", 150, IS(IocbSpec, x.at >= arena::kReadOnly && x.at < arena::kNoAccess)},
    {"misaligned iocb", 60, IS(IocbSpec, x.at % 64 != 0 && x.at < arena::kIocbs + 4000)},
    {"PREAD", 10000, IS(IocbSpec, x.opcode == kPread)},
    {"PWRITE", 8000, IS(IocbSpec, x.opcode == kPwrite)},
    {"PREADV", 6000, IS(IocbSpec, x.opcode == kPreadv)},
    {"PWRITEV", 6000, IS(IocbSpec, x.opcode == kPwritev)},
    {"FSYNC", 5000, IS(IocbSpec, x.opcode == kFsync)},
    {"FDSYNC", 3000, IS(IocbSpec, x.opcode == kFdsync)},
    {"POLL", 10000, IS(IocbSpec, x.opcode == kPoll)},
    {"PREADX", 200, IS(IocbSpec, x.opcode == kPreadx)},
    {"NOOP", 200, IS(IocbSpec, x.opcode == kNoop)},
    {"opcode 9", 200, IS(IocbSpec, x.opcode == 9)},
    {"opcode 0xffff", 200, IS(IocbSpec, x.opcode == 0xffff)},
    {"random data", 5000, IS(IocbSpec, x.data > 0xffffffff)},
    {"key", 5000, IS(IocbSpec, x.key != 0)},
    {"reserved2", 500, IS(IocbSpec, x.reserved2 != 0)},
    {"unknown flags", 3000, IS(IocbSpec, (x.flags & ~3u) != 0)},
    {"RESFD blocking eventfd", 2000, IS(IocbSpec, asks_for_resfd(x) && x.resfd == Fd::kEvent)},
    {"RESFD eventfd", 2000, IS(IocbSpec, asks_for_resfd(x) && x.resfd == Fd::kNbEvent)},
    {"RESFD semaphore", 2000, IS(IocbSpec, asks_for_resfd(x) && x.resfd == Fd::kSemEvent)},
    {"an eventfd without RESFD", 500, IS(IocbSpec, !asks_for_resfd(x) && x.resfd == Fd::kNbEvent)},
    {"RESFD closed", 60, IS(IocbSpec, asks_for_resfd(x) && x.resfd == Fd::kClosed)},
    {"RESFD no eventfd", 60, IS(IocbSpec, asks_for_resfd(x) && x.resfd == Fd::kFile)},
    {"FSYNC with RESFD", 800, IS(IocbSpec, syncs(x) && asks_for_resfd(x))},
    {"POLL with RESFD", 2000, IS(IocbSpec, x.opcode == kPoll && asks_for_resfd(x))},
    {"priority none", 500, IS(IocbSpec, has_priority(x) && x.reqprio == 0)},
    {"priority none with level", 60, IS(IocbSpec, has_priority(x) && priority_class(x) == 0 && x.reqprio != 0)},
    {"priority real time", 100, IS(IocbSpec, has_priority(x) && priority_class(x) == 1)},
    {"priority best effort", 1000, IS(IocbSpec, has_priority(x) && priority_class(x) == 2)},
    {"priority best effort, level 8", 20,
     IS(IocbSpec, has_priority(x) && priority_class(x) == 2 && (x.reqprio & 0x1fff) == 8)},
    {"priority idle", 500, IS(IocbSpec, has_priority(x) && priority_class(x) == 3)},
    {"priority of no class", 200, IS(IocbSpec, has_priority(x) && priority_class(x) > 3)},
    {"priority not looked at", 2000, IS(IocbSpec, !has_priority(x) && x.reqprio != 0)},
};

const std::vector<Class<IocbSpec>> kTransfers{
    {"null buffer", 100, IS(IocbSpec, moves(x) && x.buf == arena::kNull)},
    {"kernel buffer", 100, IS(IocbSpec, moves(x) && x.buf == arena::kKernel)},
    {"non-canonical buffer", 80, IS(IocbSpec, moves(x) && x.buf == arena::kNonCanonical)},
    {"unmapped buffer", 80, IS(IocbSpec, moves(x) && x.buf == arena::kUnmapped)},
    {"buffer without access", 80, IS(IocbSpec, moves(x) && x.buf == arena::kNoAccess)},
    {"read into read-only", 60, IS(IocbSpec, x.opcode == kPread && x.buf == arena::kReadOnly)},
    {"write from read-only", 60, IS(IocbSpec, x.opcode == kPwrite && x.buf == arena::kReadOnly)},
    {"buffer over the user's end", 60, IS(IocbSpec, moves(x) && x.buf == arena::kUserEnd - 8)},
    {"buffer too short", 200,
     IS(IocbSpec, moves(x) && !vectored(x) && x.buf >= arena::kBuffers && x.buf < kBuffersEnd &&
                      x.nbytes > kBuffersEnd - x.buf && x.nbytes < 10'000)},
    {"no bytes", 3000, IS(IocbSpec, moves(x) && !vectored(x) && x.nbytes == 0)},
    {"a page and one", 3000, IS(IocbSpec, moves(x) && x.nbytes == 4097)},
    {"two pages", 3000, IS(IocbSpec, moves(x) && x.nbytes == 8192)},
    {"greatest transfer", 60, IS(IocbSpec, moves(x) && x.nbytes == 0x7ffff000)},
    {"greatest length", 60, IS(IocbSpec, moves(x) && x.nbytes == 0x7fffffffffffffff)},
    {"negative length", 200, IS(IocbSpec, moves(x) && x.nbytes >> 63 != 0)},
    {"offset -1", 80, IS(IocbSpec, moves(x) && x.offset == Value(-1))},
    {"greatest offset", 80, IS(IocbSpec, moves(x) && x.offset == Value(kMost))},
    {"offset that overflows", 100,
     IS(IocbSpec, moves(x) && x.offset.offset > kMost - 10'000 && x.offset.offset < kMost)},
    {"write at the largest file's end", 60, IS(IocbSpec, writes(x) && x.offset == Value(Symbol::kMaxFile, 0))},
    {"write beyond the largest file", 100,
     IS(IocbSpec, writes(x) && x.offset.symbol == Symbol::kMaxFile && x.offset.offset > 0)},
    {"read at the largest file's end", 500,
     IS(IocbSpec, x.opcode == kPread && x.offset == Value(Symbol::kMaxFile, -1))},
    {"read across the file's end", 1000, IS(IocbSpec, x.opcode == kPread && x.offset == Value(5999))},
    {"read at the file's end", 1000, IS(IocbSpec, x.opcode == kPread && x.offset == Value(6000))},
    {"RWF of each bit", 1500, IS(IocbSpec, moves(x) && x.rw_flags == kRwfNowait)},
    {"RWF_APPEND", 500, IS(IocbSpec, writes(x) && x.rw_flags == kRwfAppend)},
    {"RWF_NOAPPEND", 500, IS(IocbSpec, writes(x) && x.rw_flags == kRwfNoappend)},
    {"RWF_NOAPPEND on O_APPEND", 30, IS(IocbSpec, writes(x) && x.rw_flags == kRwfNoappend && x.fd == Fd::kFileAppend)},
    {"RWF_APPEND and NOAPPEND", 80, IS(IocbSpec, x.rw_flags == (kRwfAppend | kRwfNoappend))},
    {"RWF_ATOMIC", 80, IS(IocbSpec, moves(x) && x.rw_flags == kRwfAtomic)},
    {"RWF 0x200", 80, IS(IocbSpec, moves(x) && x.rw_flags == 0x200)},
    {"RWF 0x80000000", 60, IS(IocbSpec, moves(x) && x.rw_flags == 0x80000000)},
    {"RWF and wrong mode", 10, IS(IocbSpec, writes(x) && x.fd == Fd::kFileRo && x.rw_flags != 0)},
    {"no segments", 2000, IS(IocbSpec, vectored(x) && x.nbytes == 0)},
    {"four segments", 3000, IS(IocbSpec, vectored(x) && x.nbytes == 4)},
    {"1025 segments", 40, IS(IocbSpec, vectored(x) && x.nbytes == 1025)},
    {"2^32 segments and some", 40, IS(IocbSpec, vectored(x) && x.nbytes >> 32 == 1)},
    {"more segments than stored", 30,
     IS(IocbSpec, vectored(x) && !x.segments.empty() && x.nbytes == x.segments.size() + 1)},
    {"bad iovec array", 40, IS(IocbSpec, vectored(x) && x.buf == arena::kUnmapped)},
    {"iovec array at the page's end", 40,
     IS(IocbSpec, vectored(x) && x.buf > arena::kIovecs + 4000 && x.buf <= arena::kIovecs + 4096)},
    {"direct", 900, IS(IocbSpec, moves(x) && x.fd == Fd::kDirect)},
    {"direct at a misaligned offset", 200, IS(IocbSpec, moves(x) && x.fd == Fd::kDirect && x.offset == Value(511))},
    {"direct at a misaligned address", 150, IS(IocbSpec, moves(x) && x.fd == Fd::kDirect && (x.buf & 511) == 1)},
};

const std::vector<Class<Segment>> kSegments{
    {"empty", 2000, IS(Segment, x.len == 0)},
    {"negative", 60, IS(Segment, x.len >> 63 != 0)},
    {"greatest", 60, IS(Segment, x.len == 0x7fffffffffffffff)},
    {"kernel", 60, IS(Segment, x.base == arena::kKernel)},
    {"unmapped", 60, IS(Segment, x.base == arena::kUnmapped)},
    {"read-only", 60, IS(Segment, x.base == arena::kReadOnly)},
};

const std::vector<Class<IocbSpec>> kPollsAndSyncs{
    {"IN", 5000, IS(IocbSpec, x.opcode == kPoll && x.buf == kPollIn)},
    {"OUT", 3000, IS(IocbSpec, x.opcode == kPoll && x.buf == kPollOut)},
    {"IN and OUT", 3000, IS(IocbSpec, x.opcode == kPoll && x.buf == (kPollIn | kPollOut))},
    {"PRI", 3000, IS(IocbSpec, x.opcode == kPoll && x.buf == kPollPri)},
    {"nothing", 3000, IS(IocbSpec, x.opcode == kPoll && x.buf == 0)},
    {"RDHUP", 1000, IS(IocbSpec, x.opcode == kPoll && x.buf == kPollRdhup)},
    {"0x800", 1000, IS(IocbSpec, x.opcode == kPoll && x.buf == 0x800)},
    {"mask of more than 16 bits", 200, IS(IocbSpec, x.opcode == kPoll && x.buf > 0xffff)},
    {"poll with offset", 80, IS(IocbSpec, x.opcode == kPoll && x.offset != Value(0))},
    {"poll with length", 80, IS(IocbSpec, x.opcode == kPoll && x.nbytes != 0)},
    {"poll with flags", 80, IS(IocbSpec, x.opcode == kPoll && x.rw_flags != 0)},
    {"sync with buffer", 20, IS(IocbSpec, syncs(x) && x.buf != 0)},
    {"sync with offset", 20, IS(IocbSpec, syncs(x) && x.offset != Value(0))},
    {"sync with length", 20, IS(IocbSpec, syncs(x) && x.nbytes != 0)},
    {"sync with flags", 20, IS(IocbSpec, syncs(x) && x.rw_flags != 0)},
    {"sync of a directory", 200, IS(IocbSpec, syncs(x) && x.fd == Fd::kDirectory)},
    {"sync of a pipe", 20, IS(IocbSpec, syncs(x) && x.fd == Fd::kNbPipeRead)},
};

TEST(Distribution, iocbs_reach_every_class) { expect_classes(kIocbs); }
TEST(Distribution, transfers_reach_every_class) { expect_classes(kTransfers); }
TEST(Distribution, segments_reach_every_class) { expect_classes(kSegments); }
TEST(Distribution, polls_and_syncs_reach_every_class) { expect_classes(kPollsAndSyncs); }

TEST(Distribution, every_request_meets_every_descriptor) {
  std::array<std::array<unsigned, kFdCount>, kPwritev + 1> met{};
  for (const Program& program : sample()) {
    visit_parts<IocbSpec>(program, [&](const IocbSpec& spec) {
      if (spec.opcode < met.size()) ++met[spec.opcode][static_cast<unsigned>(spec.fd)];
    });
  }
  for (unsigned opcode = 0; opcode < met.size(); ++opcode) {
    for (unsigned fd = 0; fd < kFdCount; ++fd) {
      EXPECT_GE(met[opcode][fd], 4u) << opcode << " on " << fd_name(static_cast<Fd>(fd));
    }
  }
}

}  // namespace
}  // namespace aio
