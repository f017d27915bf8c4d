// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit(2) of several iocbs at once.
// Claims: what happens before, at and behind an iocb that fails; that the rest can be submitted again; that requests
// which are done inside the call are done in the list's order; that one iocb may stand in the list twice.
// Provoked by batches of which each place in turn holds each kind of bad iocb, and by more iocbs than a ring has slots.
// Not seen: how many slots there are (quota.cpp).
#include <unistd.h>

#include <array>

#include "fixtures/arena_memory.h"
#include "fixtures/lane.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr std::uint32_t kKeyBefore = 7;
constexpr unsigned kBatch = 5;

// What a place of the list may hold that makes io_submit stop there. `spoil` gets the iocb and returns what stands in
// the list.
struct Stop {
  const char* what;
  int error;
  std::uint32_t key;  // afterwards, of the iocb
  Address (*spoil)(Iocb& iocb, Address at);
};

Address in_read_only_memory(Iocb& iocb, Address) {
  ArenaMemory::instance().store(arena::kReadOnly, std::as_bytes(std::span(&iocb, 1)));
  return arena::kReadOnly;
}

constexpr std::array kStops{
    Stop{"null pointer", EFAULT, kKeyBefore, [](Iocb&, Address) { return arena::kNull; }},
    Stop{"read-only iocb", EFAULT, kKeyBefore, in_read_only_memory},
    Stop{"aio_reserved2", EINVAL, kKeyBefore,
         [](Iocb& iocb, Address at) {
           iocb.reserved2 = 1;
           return at;
         }},
    Stop{"closed descriptor", EBADF, kKeyBefore,
         [](Iocb& iocb, Address at) {
           iocb.fildes = ~0u;
           return at;
         }},
    Stop{"unknown opcode", EINVAL, 0,
         [](Iocb& iocb, Address at) {
           iocb.opcode = kNoop;
           return at;
         }},
    Stop{"buffer of the kernel's half", EFAULT, 0,
         [](Iocb& iocb, Address at) {
           iocb.buf = arena::kKernel;
           return at;
         }},
    Stop{"negative offset", EINVAL, 0,
         [](Iocb& iocb, Address at) {
           iocb.offset = -1;
           return at;
         }},
};

// Where in the list an address lies.
Address place_in_list(EntryKind kind, unsigned index) { return arena::kPointers + word_size(kind) * index; }

}  // namespace

SUITE_TEST(io_submit, a_batch_ends_at_its_first_bad_iocb,
           {.holds = {"io_submit.count_beats_later_error", "io_submit.nothing_behind_failure_is_touched",
                      "io_submit.key_written", "event.one_for_every_request",
                      "io_submit.rest_can_be_submitted_again"}}) {
  const Descriptor file = Case::file("abcdefgh");
  const std::uint64_t ctx = setup(64);
  for (const Stop& stop : kStops) {
    for (unsigned bad = 0; bad < kBatch; ++bad) {
      const std::string what = std::string(stop.what) + " at " + std::to_string(bad);
      put(arena::kBuffers, "-----");
      std::vector<Address> pointers;
      for (unsigned slot = 0; slot < kBatch; ++slot) {
        prepare(slot, kPread, file.get(), arena::kBuffers + slot, 1, slot);
        pointers.push_back(arena::iocb_slot(slot));
      }
      pointers[bad] = stop.spoil(iocb(bad), arena::iocb_slot(bad));
      claim("io_submit.count_beats_later_error");
      const Answer seen = io_submit(ctx, kBatch, list(pointers));
      if (bad == 0) {
        EXPECT_ERROR(stop.error, seen) << what;
      } else {
        EXPECT_RETURNS(bad, seen) << what;
      }
      claim("io_submit.key_written");
      for (unsigned slot = 0; slot < bad; ++slot) EXPECT_EQ(iocb(slot).key, 0u) << what;
      // The first stable releases of 4.18 to 5.0 look at the descriptor after they have written the key.
      if (stop.error != EBADF || !since(4, 18) || since(5, 1)) {
        EXPECT_EQ(iocb(bad).key, stop.key) << what;
      }
      claim("event.one_for_every_request");
      EXPECT_EQ(get(arena::kBuffers, bad), std::string("abcde").substr(0, bad)) << what;
      EXPECT_EQ(in_ring(ctx), bad) << what;
      collect(ctx, bad);
      claim("io_submit.nothing_behind_failure_is_touched");
      EXPECT_EQ(get(arena::kBuffers + bad, kBatch - bad), std::string(kBatch - bad, '-')) << what;
      for (unsigned slot = bad + 1; slot < kBatch; ++slot) EXPECT_EQ(iocb(slot).key, kKeyBefore) << what;
      claim("io_submit.rest_can_be_submitted_again");
      const unsigned rest = kBatch - bad;
      EXPECT_ERROR(stop.error, io_submit(ctx, rest, place_in_list(kind(), bad))) << what;
      EXPECT_RETURNS(rest - 1, io_submit(ctx, rest - 1, place_in_list(kind(), bad + 1))) << what;
      collect(ctx, rest - 1);
      prepare(bad, kPread, file.get(), arena::kBuffers + bad, 1, bad);
      EXPECT_RETURNS(1, submit(ctx, {bad})) << what;
      collect(ctx, 1);
      EXPECT_EQ(get(arena::kBuffers, kBatch), "abcde") << what;
    }
  }
}

SUITE_TEST(io_submit, of_two_bad_iocbs_the_first_decides, {.holds = {"io_submit.nothing_behind_failure_is_touched"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  for (const Stop& first : kStops) {
    for (const Stop& second : kStops) {
      prepare(0, kPread, file.get(), arena::kBuffers);
      prepare(1, kPread, file.get(), arena::kBuffers);
      const std::array pointers{first.spoil(iocb(0), arena::iocb_slot(0)), second.spoil(iocb(1), arena::iocb_slot(1))};
      // There is one iocb in read-only memory.
      if (pointers[0] == pointers[1]) continue;
      EXPECT_ERROR(first.error, io_submit(ctx, 2, list(pointers))) << first.what << ", " << second.what;
      EXPECT_EQ(iocb(1).key, kKeyBefore) << first.what << ", " << second.what;
    }
  }
}

SUITE_TEST(io_submit, one_list_may_name_an_iocb_twice,
           {.holds = {"io_submit.same_iocb_is_another_request", "event.obj_is_iocb_address"}}) {
  const Descriptor file = Case::file("bytes");
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers, 5);
  prepare(1, kPread, file.get(), arena::kBuffers, 2);
  EXPECT_RETURNS(4, submit(ctx, {0, 1, 0, 0}));
  const std::vector<Event> events = collect(ctx, 4);
  for (const unsigned index : {0u, 2u, 3u}) EXPECT_EQ(events[index], (Event{100, arena::iocb_slot(0), 5, 0})) << index;
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(events[1], (Event{101, arena::iocb_slot(1), 2, 0}));
}

SUITE_TEST(io_submit, one_iocb_may_be_submitted_again_and_again,
           {.holds = {"io_submit.same_iocb_is_another_request", "event.data_as_submitted"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup(100);
  prepare(0, kPread, file.get(), arena::kBuffers);
  for (std::uint64_t i = 0; i < 100; ++i) {
    iocb(0).data = i;
    ASSERT_RETURNS(1, submit(ctx, {0})) << i;
  }
  EXPECT_EQ(in_ring(ctx), 100u);
  claim("event.data_as_submitted");
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(collect(ctx, 1).front(), (Event{i, arena::iocb_slot(0), 0, 0}));
}

// Two requests of one iocb that are both in flight.
SUITE_TEST(io_submit, one_iocb_may_be_pending_twice,
           {.holds = {"io_submit.same_iocb_is_another_request"}, .needs = ">=4.19"}) {
  const Descriptor first = eventfd(), second = eventfd();
  const std::uint64_t ctx = setup();
  prepare_poll(0, first.get(), kPollIn).data = 1;
  ASSERT_RETURNS(1, submit(ctx, {0}));
  prepare_poll(0, second.get(), kPollIn).data = 2;
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(second.get(), &one, sizeof one), 8);
  EXPECT_EQ(collect(ctx, 1).front().data, 2u);
  ASSERT_EQ(::write(first.get(), &one, sizeof one), 8);
  EXPECT_EQ(collect(ctx, 1).front().data, 1u);
}

SUITE_TEST(io_submit, a_done_iocb_may_become_another_request, {.holds = {"io_submit.same_iocb_is_another_request"}}) {
  const Descriptor file = Case::file("abcd");
  const std::uint64_t ctx = setup();
  prepare(0, kPread, file.get(), arena::kBuffers, 4);
  ASSERT_EQ(result(ctx, 0), 4);
  for (const std::int64_t offset : {4, 8, 12}) {
    Iocb& again = iocb(0);
    again.opcode = kPwrite;
    again.offset = offset;
    EXPECT_EQ(result(ctx, 0), 4) << offset;
  }
  EXPECT_EQ(content(file.get()), "abcdabcdabcdabcd");
}

SUITE_TEST(io_submit, a_batch_is_done_in_the_lists_order,
           {.holds = {"io_submit.in_list_order", "event.in_ring_when_call_returns"}}) {
  const Pipe ends = pipe();
  const Descriptor file = Case::file("file");
  const std::uint64_t ctx = setup();
  put(arena::kBuffers, "0123456789abcdef");
  const Address to = arena::kBuffers + 0x100;
  prepare(3, kPwrite, ends.write.get(), arena::kBuffers, 10);
  prepare(1, kPread, ends.read.get(), to, 4);
  prepare(7, kPwrite, ends.write.get(), arena::kBuffers + 10, 6);
  prepare(2, kPread, ends.read.get(), to + 4, 6);
  prepare(9, kPread, file.get(), to + 16, 4);
  prepare(0, kPread, ends.read.get(), to + 10, 6);
  EXPECT_RETURNS(6, submit(ctx, {3, 1, 7, 2, 9, 0}));
  EXPECT_EQ(get(to, 20), "0123456789abcdeffile");
  claim("event.in_ring_when_call_returns");
  ASSERT_EQ(ring(ctx).tail, 6u);
  claim("io_submit.in_list_order");
  constexpr std::array<unsigned, 6> kOrder{3, 1, 7, 2, 9, 0};
  constexpr std::array<std::int64_t, 6> kResults{10, 4, 6, 6, 4, 6};
  for (unsigned i = 0; i < kOrder.size(); ++i) {
    EXPECT_EQ(ring_event(ctx, i), (Event{100 + kOrder[i], arena::iocb_slot(kOrder[i]), kResults[i], 0})) << i;
  }
}

SUITE_TEST(io_submit, events_follow_the_order_of_the_calls, {.holds = {"io_submit.in_list_order"}}) {
  const Descriptor file = Case::file("bytes");
  const std::uint64_t ctx = setup(64);
  std::vector<Address> pointers;
  for (unsigned slot = 0; slot < 32; ++slot) {
    prepare(slot, kPread, file.get(), arena::kBuffers, slot % 6);
    pointers.push_back(arena::iocb_slot(31 - slot));
  }
  ASSERT_RETURNS(16, io_submit(ctx, 16, list(pointers)));
  ASSERT_RETURNS(16, io_submit(ctx, 16, place_in_list(kind(), 16)));
  const std::vector<Event> events = collect(ctx, 32);
  for (unsigned i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].obj, pointers[i]) << i;
}

SUITE_TEST(io_submit, two_threads_may_submit_to_one_context,
           {.holds = {"event.one_for_every_request", "io_submit.in_list_order"}}) {
  constexpr std::uint64_t kEach = 400;
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup(1000);
  std::array<std::uint64_t, 2> accepted{};
  {
    Lane first(cpus().number(0)), second(cpus().number(cpus().count() - 1));
    const auto submit_all = [&](unsigned slot) {
      Iocb& mine = prepare(slot, kPread, file.get(), arena::kBuffers);
      const Address pointers = list(std::array{arena::iocb_slot(slot)}, arena::kPointers + 64 * slot);
      for (mine.data = 0; mine.data < kEach; ++mine.data) {
        accepted[slot] += io_submit(ctx, 1, pointers).value == 1 ? 1u : 0u;
      }
    };
    first.start([&] { submit_all(0); });
    second.start([&] { submit_all(1); });
  }
  EXPECT_EQ(accepted[0], kEach);
  EXPECT_EQ(accepted[1], kEach);
  std::array<std::uint64_t, 2> next{};
  for (std::uint64_t i = 0; i < 2 * kEach; ++i) {
    const Event event = collect(ctx, 1).front();
    const unsigned slot = event.obj == arena::iocb_slot(1) ? 1 : 0;
    claim("io_submit.in_list_order");
    ASSERT_EQ(event, (Event{next[slot]++, arena::iocb_slot(slot), 0, 0})) << i;
  }
  claim("event.one_for_every_request");
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(io_submit, large_writes_are_all_accepted, {.holds = {"io_submit.returns_number_accepted"}}) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup(8);
  const Address buffer = map(kMebibyte);
  for (unsigned slot = 0; slot < 8; ++slot) prepare(slot, kPwrite, file.get(), buffer, kMebibyte);
  EXPECT_RETURNS(8, submit(ctx, {0, 1, 2, 3, 4, 5, 6, 7}));
  for (const Event& event : collect(ctx, 8)) EXPECT_EQ(event.res, static_cast<std::int64_t>(kMebibyte));
}

SUITE_TEST(io_submit, more_than_fits_is_accepted_in_part,
           {.holds = {"io_submit.count_beats_later_error", "io_submit.full_ring_is_eagain",
                      "io_submit.nothing_behind_failure_is_touched", "io_submit.rest_can_be_submitted_again",
                      "event.one_for_every_request"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  const std::uint32_t size = ring(ctx).nr, nr = size + 10;
  const Address iocbs = map(nr * sizeof(Iocb));
  std::vector<Address> pointers;
  for (std::uint32_t i = 0; i < nr; ++i) {
    pointers.push_back(iocbs + i * sizeof(Iocb));
    at<Iocb>(pointers.back()) = prepare(0, kPread, file.get(), arena::kBuffers);
  }
  const Address where = list(pointers, map(nr * sizeof(Address)));
  const Answer first = io_submit(ctx, nr, where);
  ASSERT_GT(first.value, 0);
  EXPECT_LT(first.value, size);
  claim("event.one_for_every_request");
  EXPECT_EQ(in_ring(ctx), first.value);
  claim("io_submit.nothing_behind_failure_is_touched");
  for (std::uint32_t i = 0; i < nr; ++i) {
    EXPECT_EQ(at<Iocb>(pointers[i]).key, i < first.value ? 0u : kKeyBefore) << i;
  }
  claim("io_submit.full_ring_is_eagain");
  const auto accepted = static_cast<std::uint64_t>(first.value);
  const Address rest = where + word_size(kind()) * accepted;
  EXPECT_ERROR(EAGAIN, io_submit(ctx, static_cast<std::int64_t>(nr - accepted), rest));
  claim("io_submit.rest_can_be_submitted_again");
  collect(ctx, std::min<unsigned>(arena::kEventSlots, static_cast<unsigned>(accepted)));
  EXPECT_RETURNS(nr - first.value, io_submit(ctx, static_cast<std::int64_t>(nr - accepted), rest));
}

}  // namespace aio::suites
