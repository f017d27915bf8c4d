// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads and writes while the file system has not answered yet, and what it answers.
// Claims: the answer is the result; the file system sees what was asked for; once io_submit has returned, iocb, vector,
// descriptor and the mapping of the buffer may go.
// Provoked by a file system that holds each request until the test lets it go (fixtures/gate.h).
// Not seen: what disks do; io_destroy and exit with such requests (io_destroy.cpp, process.cpp).
#include <sys/mman.h>

#include <system_error>

#include "fixtures/gate.h"
#include "reference/zoo.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kPage = arena::kPage;

// What the file of the gate holds.
std::string gate_bytes(std::uint64_t offset, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(gate_byte(offset + i));
  return bytes;
}

}  // namespace

SUITE_TEST(results_in_flight, a_read_ends_with_the_answer,
           {.holds = {"held.event_when_answered", "held.offset_passed_on", "held.length_passed_on",
                      "held.result_is_the_answer", "held.read_gets_the_bytes"}}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const std::int64_t answer : {4096, 1000, 1, 0, -EIO, -ENOSPC, -EACCES, -ETIMEDOUT}) {
    put(arena::kBuffers, std::string(kPage, '.'));
    prepare(0, kPread, fd.get(), arena::kBuffers, kPage, 8192);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    claim("held.event_when_answered");
    ASSERT_EQ(held.size(), 1u) << answer;
    EXPECT_EQ(in_ring(ctx), 0u) << answer;
    claim("held.offset_passed_on");
    EXPECT_EQ(held[0].offset, 8192u) << answer;
    claim("held.length_passed_on");
    EXPECT_EQ(held[0].length, 4096u) << answer;
    entry().answer_held(gate, held[0].id, answer, cpus().number(0));
    claim("held.result_is_the_answer");
    EXPECT_EQ(collect(ctx, 1)[0].res, answer);
    claim("held.read_gets_the_bytes");
    const auto got = static_cast<std::size_t>(std::max<std::int64_t>(answer, 0));
    EXPECT_TRUE(get(arena::kBuffers, kPage) == gate_bytes(8192, got) + std::string(kPage - got, '.')) << answer;
  }
}

SUITE_TEST(results_in_flight, a_write_ends_with_the_answer,
           {.holds = {"held.result_is_the_answer", "held.write_passes_bytes_on", "held.short_write_is_eio",
                      "held.credentials_of_submitter"}}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  const std::string bytes = gate_bytes(777, kPage);
  put(arena::kBuffers, bytes);
  for (const std::int64_t answer : {4096, 1000, -EIO, -ENOSPC, -EACCES, -ETIMEDOUT}) {
    prepare(0, kPwrite, fd.get(), arena::kBuffers, kPage, 512);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    claim("held.write_passes_bytes_on");
    ASSERT_EQ(held.size(), 1u) << answer;
    EXPECT_EQ(held[0].offset, 512u) << answer;
    EXPECT_TRUE(std::string(held[0].data.begin(), held[0].data.end()) == bytes) << answer;
    claim("held.credentials_of_submitter");
    EXPECT_EQ(held[0].uid, machine().uid);
    EXPECT_EQ(held[0].gid, machine().gid);
    entry().answer_held(gate, held[0].id, answer, cpus().number(0));
    claim(answer == 1000 ? "held.short_write_is_eio" : "held.result_is_the_answer");
    EXPECT_EQ(collect(ctx, 1)[0].res, answer == 1000 ? -EIO : answer);
  }
}

SUITE_TEST(results_in_flight, events_come_in_the_order_of_the_answers,
           {.holds = {"held.event_when_answered", "event.obj_is_iocb_address"}}) {
  const std::uint64_t ctx = setup(4);
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (unsigned slot = 0; slot < 4; ++slot) prepare(slot, kPread, fd.get(), arena::kBuffers, 512, 4096 * slot);
  ASSERT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  const std::vector<GateRequest> held = entry().held(gate, 4, setting().patience, 0);
  ASSERT_EQ(held.size(), 4u);
  for (const unsigned slot : {2u, 0u, 3u, 1u}) {
    const auto of_slot = std::find_if(
        held.begin(), held.end(), [&](const GateRequest& each) { return each.offset == std::uint64_t{4096} * slot; });
    claim("held.event_when_answered");
    ASSERT_NE(of_slot, held.end());
    entry().answer_held(gate, of_slot->id, slot + 1, cpus().number(0));
    const Event seen = collect(ctx, 1)[0];
    EXPECT_EQ(seen.res, slot + 1);
    claim("event.obj_is_iocb_address");
    EXPECT_EQ(seen.obj, arena::iocb_slot(slot));
  }
}

SUITE_TEST(results_in_flight, iocb_and_descriptors_may_go,
           {.holds = {"rw.needs_no_iocb_in_flight", "rw.needs_no_descriptor_in_flight", "event.data_as_submitted",
                      "resfd.one_per_completion"}}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  for (const Opcode opcode : {kPread, kPwrite}) {
    Descriptor fd(gate.open());
    Descriptor counter = eventfd();
    const Descriptor same_counter(::dup(counter.get()));
    signal(prepare(0, opcode, fd.get(), arena::kBuffers, 512), counter.get());
    ASSERT_RETURNS(1, submit(ctx, {0}));
    const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
    ASSERT_EQ(held.size(), 1u);
    fd = Descriptor();
    counter = Descriptor();
    put(arena::iocb_slot(0), std::string(sizeof(Iocb), '\xff'));
    claim("rw.needs_no_descriptor_in_flight");
    EXPECT_EQ(in_ring(ctx), 0u) << opcode;
    entry().answer_held(gate, held[0].id, 512, cpus().number(0));
    const Event seen = collect(ctx, 1)[0];
    EXPECT_EQ(seen.res, 512) << opcode;
    claim("rw.needs_no_iocb_in_flight");
    EXPECT_EQ(seen.obj, arena::iocb_slot(0)) << opcode;
    claim("event.data_as_submitted");
    EXPECT_EQ(seen.data, 100u) << opcode;
    claim("resfd.one_per_completion");
    EXPECT_TRUE(await([&] { return drain(same_counter.get()) == 1; })) << opcode;
  }
}

SUITE_TEST(results_in_flight, a_vector_may_go, {.holds = {"rw.needs_no_vector_in_flight"}}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  for (const unsigned count : {1u, 2u, 12u}) {
    std::vector<Iovec> segments;
    for (unsigned i = 0; i < count; ++i) segments.push_back({arena::kBuffers + 512 * i, 512});
    prepare(0, kPreadv, fd.get(), iovecs(segments), count);
    ASSERT_RETURNS(1, submit(ctx, {0}));
    put(arena::kIovecs, std::string(kPage, '\xff'));
    // It may come in pieces.
    std::uint64_t answered = 0;
    for (std::uint64_t last = 0; answered < 512 * count;) {
      const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, last);
      ASSERT_FALSE(held.empty()) << count;
      for (const GateRequest& each : held) {
        last = each.id;
        answered += each.length;
        entry().answer_held(gate, each.id, static_cast<std::int64_t>(each.length), cpus().number(0));
      }
    }
    EXPECT_EQ(collect(ctx, 1)[0].res, 512 * count);
    EXPECT_TRUE(get(arena::kBuffers, 512 * count) == gate_bytes(0, 512 * count)) << count;
  }
}

// What was there at submission is held by the request; what is there later at that address is another's.
SUITE_TEST(results_in_flight, a_buffer_may_be_unmapped,
           {.holds = {"rw.needs_no_mapping_in_flight", "held.write_passes_bytes_on"}}) {
  const std::uint64_t ctx = setup();
  const Gate gate(cpus().number(0));
  const Descriptor fd(gate.open());
  const Address buffer = map(kPage);
  prepare(0, kPread, fd.get(), buffer, kPage);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::vector<GateRequest> held = entry().held(gate, 1, setting().patience, 0);
  ASSERT_EQ(held.size(), 1u);
  void* const there = reinterpret_cast<void*>(buffer);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (::mmap(there, kPage, PROT_READ | PROT_WRITE, flags, -1, 0) != there) {
    throw std::system_error(errno, std::generic_category(), "cannot map memory");
  }
  put(buffer, "another page");
  entry().answer_held(gate, held[0].id, 4096, cpus().number(0));
  EXPECT_EQ(collect(ctx, 1)[0].res, 4096);
  EXPECT_EQ(get(buffer, 16), std::string("another page\0\0\0\0", 16));
}

}  // namespace aio::suites
