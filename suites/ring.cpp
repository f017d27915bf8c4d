// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mapped ring as memory: where its words and events lie, and which of them the kernel believes.
// Claims: layout, consecutive slots, the wrap, a tail of the kernel's own, head and tail taken modulo the size, words
// that are never read, and the id word and address by which a context is found.
// Provoked by reads that complete inside io_submit, around which the test writes to the ring's words.
// Not seen: readers beside the kernel (ring_reaping.cpp), and what a head does to the quota (quota_head.cpp).
#include <sys/mman.h>

#include <algorithm>

#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr const char* kContent = "ring";
constexpr std::int64_t kLength = 4;

// Smallest ring for these possible CPUs: it fills its pages.
std::uint32_t smallest_ring(const Machine& machine) {
  const std::uint64_t bytes = sizeof(RingHeader) + sizeof(Event) * (2 * std::uint64_t{4} * machine.possible_cpus + 2);
  const std::uint64_t pages = (bytes + machine.page_size - 1) / machine.page_size;
  return static_cast<std::uint32_t>((pages * machine.page_size - sizeof(RingHeader)) / sizeof(Event));
}

// Heads and tails beyond any ring.
std::vector<std::uint32_t> large_indices(std::uint32_t nr) {
  return {nr, nr + 1, 2 * nr + 3, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
}

std::vector<Event> events_at(Address where, std::int64_t count) {
  const auto* const first = reinterpret_cast<const Event*>(where);
  return std::vector<Event>(first, first + std::max<std::int64_t>(count, 0));
}

}  // namespace

SUITE_TEST(ring, the_header_lies_at_fixed_offsets, {.holds = {"ring.header_layout"}}) {
  setup();
  const std::uint64_t ctx = setup(1, 1);
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u, 2u}) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  collect(ctx, 1);
  const struct {
    const char* name;
    Address offset;
    std::uint32_t value;
  } words[] = {
      {"id", 0, 1},
      {"nr", 4, smallest_ring(machine())},
      {"head", 8, 1},
      {"tail", 12, 3},
      {"magic", 16, 0xa10a10a1},
      {"compat_features", 20, 1},
      {"incompat_features", 24, 0},
      {"header_length", 28, 32},
  };
  for (const auto& word : words) EXPECT_EQ(at<std::uint32_t>(ctx + word.offset), word.value) << word.name;
}

SUITE_TEST(ring, events_lie_behind_the_header, {.holds = {"ring.event_layout"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u, 2u}) {
    prepare(slot, kPread, data.get(), arena::kBuffers, slot + 1).data = 0x8000000700000000 + slot;
  }
  ASSERT_RETURNS(3, submit(ctx, {0, 1, 2}));
  for (const unsigned slot : {0u, 1u, 2u}) {
    const Address event = ctx + 32 + Address{32} * slot;
    EXPECT_EQ(at<std::uint64_t>(event), 0x8000000700000000 + slot);
    EXPECT_EQ(at<std::uint64_t>(event + 8), arena::iocb_slot(slot));
    EXPECT_EQ(at<std::int64_t>(event + 16), slot + 1);
    EXPECT_EQ(at<std::int64_t>(event + 24), 0);
  }
}

SUITE_TEST(ring, a_completion_takes_the_slot_at_the_tail,
           {.holds = {"ring.tail_counts_events", "ring.tail_wraps_at_size", "ring.written_slots_keep_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const std::uint32_t nr = ring(ctx).nr;
  for (std::uint32_t i = 0; i < nr + 3; ++i) {
    prepare(0, kPread, data.get(), arena::kBuffers, kLength).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
    claim(i < nr - 1 ? "ring.tail_counts_events" : "ring.tail_wraps_at_size");
    ASSERT_EQ(ring(ctx).tail, (i + 1) % nr) << i;
    ASSERT_EQ(ring_event(ctx, i % nr).data, i);
    claim("ring.written_slots_keep_events");
    if (i > 0) {
      ASSERT_EQ(ring_event(ctx, (i - 1) % nr).data, i - 1);
    }
    collect(ctx, 1);
  }
}

SUITE_TEST(ring, a_result_may_cross_the_end_of_a_page_and_of_the_ring,
           {.holds = {"ring.events_cross_pages_and_wrap"}}) {
  const std::uint64_t ctx = setup(4 * machine().possible_cpus + 200);
  const Descriptor data = file(kContent);
  const std::uint32_t nr = ring(ctx).nr;
  const auto page_end = static_cast<std::uint32_t>((machine().page_size - sizeof(RingHeader)) / sizeof(Event));
  std::uint64_t next = 0;
  const auto submit_some = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      prepare(0, kPread, data.get(), arena::kBuffers, kLength).data = next++;
      require(returns("", "io_submit", 1, submit(ctx, {0})));
    }
  };
  for (const std::uint32_t edge : {page_end, nr}) {
    while (ring(ctx).tail != edge - 3) {
      submit_some(1);
      collect(ctx, 1);
    }
    submit_some(7);
    const std::vector<Event> seen = collect(ctx, 7);
    for (std::uint64_t i = 0; i < 7; ++i) EXPECT_EQ(seen[i].data, next - 7 + i) << "at " << edge;
    EXPECT_EQ(ring(ctx).head, (edge + 4) % nr);
  }
}

SUITE_TEST(ring, the_kernel_has_a_tail_of_its_own, {.holds = {"ring.tail_counts_events"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  std::uint32_t done = 0;
  for (const std::uint32_t wrong : {9u, 0u, ring(ctx).nr, 0xffffffffu}) {
    ring(ctx).tail = wrong;
    prepare(0, kPread, data.get(), arena::kBuffers, kLength).data = 500 + done;
    ASSERT_RETURNS(1, submit(ctx, {0}));
    EXPECT_EQ(ring_event(ctx, done).data, 500 + done);
    EXPECT_EQ(ring(ctx).tail, ++done) << wrong;
  }
}

SUITE_TEST(ring, a_tail_ahead_shows_what_lies_in_the_slots, {.holds = {"ring.user_tail_is_believed"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  collect(ctx, 2);
  ring_event(ctx, 3) = Event{1, 2, 3, 4};
  ring(ctx).tail += 5;
  ASSERT_RETURNS(5, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(0), Event{});
  EXPECT_EQ(event(1), (Event{1, 2, 3, 4}));
  EXPECT_EQ(event(4), Event{});
  EXPECT_EQ(ring(ctx).head, 7u);
}

SUITE_TEST(ring, a_head_left_ahead_of_the_tail_means_a_ring_almost_full, {.holds = {"ring.stale_slots_count"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const std::uint32_t nr = ring(ctx).nr;
  const Address events = map(sizeof(Event) * nr);
  ring(ctx).tail = 5;
  ASSERT_RETURNS(5, io_getevents(ctx, 0, nr, events, arena::kNull));
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_EQ(ring(ctx).tail, 1u);
  // From slot 5 on to the end, and slot 0 with the one event that there is.
  ASSERT_RETURNS(nr - 4, io_getevents(ctx, 0, nr, events, arena::kNull));
  EXPECT_EQ(events_at(events, nr - 4).back().data, 100u);
  EXPECT_EQ(ring(ctx).head, 1u);
}

SUITE_TEST(ring, a_head_one_ahead_of_the_tail_shows_all_other_slots, {.holds = {"ring.stale_slots_count"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  for (std::uint32_t i = 0; i < nr; ++i) ring_event(ctx, i) = Event{i, 0, 0, 0};
  ring(ctx).head = 1;
  const Address events = map(sizeof(Event) * nr);
  ASSERT_RETURNS(nr - 1, io_getevents(ctx, 0, nr, events, arena::kNull));
  const std::vector<Event> seen = events_at(events, nr - 1);
  for (std::uint32_t i = 0; i < nr - 1; ++i) ASSERT_EQ(seen[i].data, i + 1);
  EXPECT_EQ(ring(ctx).head, 0u);
}

SUITE_TEST(ring, equal_words_are_an_empty_ring, {.holds = {"ring.equal_head_and_tail_are_empty"}}) {
  const std::uint64_t ctx = setup();
  for (const std::uint32_t both : large_indices(ring(ctx).nr)) {
    ring(ctx).head = ring(ctx).tail = both;
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull)) << both;
    EXPECT_EQ(ring(ctx).head, both);
  }
}

SUITE_TEST(ring, a_head_a_whole_ring_ahead_is_put_right, {.holds = {"ring.head_is_stored_modulo_size"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  collect(ctx, 2);
  ring(ctx).head = 2 + ring(ctx).nr;
  EXPECT_RETURNS(0, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 2u);
}

SUITE_TEST(ring, a_call_for_no_event_puts_the_head_right, {.holds = {"ring.head_is_stored_modulo_size"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  for (const std::uint32_t head : large_indices(nr)) {
    ring(ctx).head = head;
    EXPECT_RETURNS(0, io_getevents(ctx, 0, 0, arena::kNull, arena::kNull)) << head;
    EXPECT_EQ(ring(ctx).head, head % nr);
  }
}

// CVE-2014-0206: the head was an index into the ring's pages as it stood.
SUITE_TEST(ring, any_head_and_tail_stay_inside_the_ring, {.holds = {"ring.indices_modulo_size"}}) {
  const std::uint64_t ctx = setup();
  const std::uint32_t nr = ring(ctx).nr;
  for (std::uint32_t i = 0; i < nr; ++i) ring_event(ctx, i) = Event{i, 0, 0, 0};
  const Address events = map(sizeof(Event) * nr);
  std::vector<std::uint32_t> indices = large_indices(nr);
  indices.insert(indices.end(), {0, 1, nr - 1});
  for (const std::uint32_t head : indices) {
    for (const std::uint32_t tail : indices) {
      ring(ctx).head = head;
      ring(ctx).tail = tail;
      const std::uint32_t there = (tail % nr + nr - head % nr) % nr;
      ASSERT_RETURNS(there, io_getevents(ctx, 0, nr, events, arena::kNull)) << head << " to " << tail;
      const std::vector<Event> seen = events_at(events, there);
      for (std::uint32_t i = 0; i < there; ++i) ASSERT_EQ(seen[i].data, (head + std::uint64_t{i}) % nr);
    }
  }
}

SUITE_TEST(ring, the_words_for_the_user_are_never_read,
           {.holds = {"ring.other_words_are_not_read", "ring.user_words_kept"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const std::uint32_t nr = ring(ctx).nr;
  std::uint64_t done = 0;
  for (const std::uint32_t word : {0u, 1u, 0xffffffffu}) {
    RingHeader& header = ring(ctx);
    header.nr = header.magic = header.compat_features = header.incompat_features = header.header_length = word;
    claim("ring.other_words_are_not_read");
    for (std::uint32_t i = 0; i < nr + 1; ++i) {
      prepare(0, kPread, data.get(), arena::kBuffers, kLength).data = done;
      ASSERT_RETURNS(1, submit(ctx, {0})) << word;
      ASSERT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull)) << word;
      ASSERT_EQ(event(0).data, done++);
      ASSERT_EQ(header.tail, done % nr);
    }
    claim("ring.user_words_kept");
    for (const std::uint32_t now :
         {header.nr, header.magic, header.compat_features, header.incompat_features, header.header_length}) {
      EXPECT_EQ(now, word);
    }
  }
  claim("ring.other_words_are_not_read");
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(ring, only_collecting_events_moves_the_head, {.holds = {"ring.only_reading_moves_head"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  prepare(1, kPread, -1, arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(ring(ctx).head, 0u);
  EXPECT_ERROR(EBADF, submit(ctx, {1}));
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_ERROR(EFAULT, io_getevents(ctx, 1, 1, arena::kNull, arena::kNull));
  EXPECT_ERROR(EINVAL, io_getevents(ctx, 2, 1, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 0u);
  collect(ctx, 1);
  EXPECT_EQ(ring(ctx).head, 1u);
}

SUITE_TEST(ring, a_changed_id_word_hides_the_context, {.holds = {"context.id_word_must_match"}}) {
  const std::uint64_t ctx = setup(1, 0);
  setup(1, 1);
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  // Of another context, of none in the table, beyond the table.
  for (const std::uint32_t id : {1u, 2u, 4u, 0x7fffffffu, 0xffffffffu}) {
    ring(ctx).id = id;
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << id;
    EXPECT_ERROR(EINVAL, io_submit(ctx, 0, arena::kNull)) << id;
    EXPECT_ERROR(EINVAL, io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull)) << id;
    if (since(4, 18)) {
      EXPECT_ERROR(EINVAL, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull)) << id;
    }
    EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0))) << id;
    EXPECT_ERROR(EINVAL, io_destroy(ctx)) << id;
  }
  ring(ctx).id = 0;
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_RETURNS(2, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(ring, a_changed_id_word_hides_pending_requests,
           {.holds = {"context.id_word_must_match"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor silent = eventfd();
  prepare_poll(0, silent.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ring(ctx).id = 1;
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  ring(ctx).id = 0;
  EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(0)));
}

SUITE_TEST(ring, an_address_inside_the_ring_is_no_id, {.holds = {"context.only_the_rings_start_is_the_id"}}) {
  const std::uint64_t ctx = setup();
  // Memory with 0 where the id would be, the id of the only context there is: an empty slot, the ring's own head, and
  // memory that is no ring at all.
  at<std::uint64_t>(arena::kBuffers) = 0;
  for (const Address other : {ctx + 32, ctx + 8, ctx + 24, arena::kBuffers}) {
    ASSERT_EQ(at<std::uint32_t>(other), 0u);
    EXPECT_ERROR(EINVAL, io_submit(other, 0, arena::kNull)) << other - ctx;
    EXPECT_ERROR(EINVAL, io_getevents(other, 0, 1, arena::kEvents, arena::kNull)) << other - ctx;
    EXPECT_ERROR(EINVAL, io_destroy(other)) << other - ctx;
  }
  EXPECT_RETURNS(0, io_destroy(ctx));
}

SUITE_TEST(ring, a_ring_that_can_only_be_read_is_enough, {.holds = {"context.readable_ring_is_enough"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  ASSERT_EQ(::mprotect(&ring(ctx), machine().page_size, PROT_READ), 0);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  EXPECT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(ring(ctx).tail, 1u);
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
  EXPECT_EQ(ring(ctx).head, 1u);
  EXPECT_EQ(event(0).res, kLength);
  if (since(4, 18)) {
    EXPECT_RETURNS(0, io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
  }
  // The context is found: what is missing is the request.
  EXPECT_ERROR(EINVAL, io_cancel(ctx, arena::iocb_slot(0)));
  EXPECT_RETURNS(0, io_destroy(ctx));
}

}  // namespace aio::suites
