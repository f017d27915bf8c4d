// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_submit(2): what may happen to iocb, list, vector and descriptors once it has returned, and what its events name.
// Claims: that a request in flight needs none of them any more, and that its event has obj and data as they were.
// Provoked by polls that wait and by requests that a file system holds, whose arguments are overwritten, unmapped or
// closed meanwhile; and by many different iocb addresses and data words.
// Not seen: buffers, which a request needs to its end (process.cpp).
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <set>
#include <system_error>

#include "fixtures/gate.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

void write_one(int fd) {
  const std::uint64_t one = 1;
  if (::write(fd, &one, sizeof one) != sizeof one) {
    throw std::system_error(errno, std::generic_category(), "cannot write");
  }
}

Descriptor duplicate(int fd) { return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

// What the gate file holds.
std::string gate_bytes(std::uint64_t offset, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(gate_byte(offset + i));
  return bytes;
}

}  // namespace

SUITE_TEST(io_submit, iocb_and_list_may_be_overwritten,
           {.holds = {"io_submit.arguments_unused_after_return", "event.data_as_submitted"}, .needs = ">=4.19"}) {
  const Descriptor polled = eventfd();
  const std::uint64_t ctx = setup();
  prepare_poll(0, polled.get(), kPollIn);
  prepare_poll(1, polled.get(), kPollIn);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  put(arena::kIocbs, std::string(arena::kPage, '\xff'));
  put(arena::kPointers, std::string(arena::kPage, '\xff'));
  write_one(polled.get());
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (const Event& event : collect(ctx, 2)) {
    EXPECT_EQ(event.res & kPollIn, kPollIn);
    seen.emplace(event.obj, event.data);
  }
  claim("event.data_as_submitted");
  const std::set<std::pair<std::uint64_t, std::uint64_t>> wanted{{arena::iocb_slot(0), 100},
                                                                 {arena::iocb_slot(1), 101}};
  EXPECT_EQ(seen, wanted);
}

SUITE_TEST(io_submit, iocb_and_list_may_be_unmapped,
           {.holds = {"io_submit.arguments_unused_after_return", "event.obj_is_iocb_address"}, .needs = ">=4.19"}) {
  const Descriptor polled = eventfd();
  const std::uint64_t ctx = setup();
  const Address page = map(machine().page_size);
  at<Iocb>(page) = prepare_poll(0, polled.get(), kPollIn);
  ASSERT_RETURNS(1, io_submit(ctx, 1, list(std::array{page}, page + 0x100)));
  ASSERT_EQ(::munmap(reinterpret_cast<void*>(page), machine().page_size), 0);
  write_one(polled.get());
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.res & kPollIn, kPollIn);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(event.obj, page);
}

SUITE_TEST(io_submit, vector_and_iocb_of_a_read_in_flight_may_be_overwritten,
           {.holds = {"io_submit.arguments_unused_after_return", "event.data_as_submitted"}, .needs = "gate"}) {
  const Gate gate;
  const Descriptor file(gate.open());
  const std::uint64_t ctx = setup();
  const Address buffers = map(2 * machine().page_size), second = buffers + machine().page_size;
  prepare(0, kPreadv, file.get(), iovecs({{buffers, 4096}, {second, 4096}}), 2, 8192);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const std::vector<GateRequest> held = gate.held(1);
  ASSERT_EQ(held.size(), 1u);
  put(arena::kIocbs, std::string(arena::kPage, '\xff'));
  put(arena::kPointers, std::string(arena::kPage, '\xff'));
  put(arena::kIovecs, std::string(arena::kPage, '\xff'));
  gate.let_go();
  const Event event = collect(ctx, 1).front();
  EXPECT_EQ(event.res, 8192);
  EXPECT_EQ(get(buffers, 4096) == gate_bytes(8192, 4096), true);
  EXPECT_EQ(get(second, 4096) == gate_bytes(8192 + 4096, 4096), true);
  claim("event.data_as_submitted");
  EXPECT_EQ(event.data, 100u);
  EXPECT_EQ(event.obj, arena::iocb_slot(0));
}

SUITE_TEST(io_submit, the_descriptor_of_a_pending_poll_may_be_closed,
           {.holds = {"io_submit.descriptor_unused_after_return"}, .needs = ">=4.19"}) {
  Descriptor polled = eventfd();
  const Descriptor other = duplicate(polled.get());
  const std::uint64_t ctx = setup();
  prepare_poll(0, polled.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  polled = Descriptor();
  write_one(other.get());
  EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn);
}

SUITE_TEST(io_submit, the_number_of_a_pending_poll_may_become_another_file,
           {.holds = {"io_submit.descriptor_unused_after_return"}, .needs = ">=4.19"}) {
  const Descriptor polled = eventfd(), ready = eventfd(1), other = duplicate(polled.get());
  const std::uint64_t ctx = setup();
  prepare_poll(0, polled.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  ASSERT_EQ(::dup2(ready.get(), polled.get()), polled.get());
  write_one(ready.get());
  EXPECT_EQ(in_ring(ctx), 0u);
  write_one(other.get());
  EXPECT_EQ(collect(ctx, 1).front().res & kPollIn, kPollIn);
}

SUITE_TEST(io_submit, the_descriptor_of_a_read_in_flight_may_be_closed,
           {.holds = {"io_submit.descriptor_unused_after_return"}, .needs = "gate"}) {
  const Gate gate;
  const Address buffer = map(machine().page_size);
  const std::uint64_t ctx = setup();
  {
    const Descriptor file(gate.open());
    prepare(0, kPread, file.get(), buffer, 4096, 4096);
    ASSERT_RETURNS(1, submit(ctx, {0}));
  }
  ASSERT_EQ(gate.held(1).size(), 1u);
  gate.let_go();
  EXPECT_EQ(collect(ctx, 1).front().res, 4096);
  EXPECT_EQ(get(buffer, 4096) == gate_bytes(4096, 4096), true);
}

SUITE_TEST(io_submit, the_resfd_of_a_pending_poll_may_be_closed,
           {.holds = {"io_submit.resfd_unused_after_return", "resfd.no_other_counter_changes"}, .needs = ">=4.19"}) {
  const Descriptor polled = eventfd(), signalled = eventfd(), another = eventfd();
  const Descriptor kept = duplicate(signalled.get());
  const std::uint64_t ctx = setup();
  signal(prepare_poll(0, polled.get(), kPollIn), signalled.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  // Its number becomes another eventfd.
  ASSERT_EQ(::dup2(another.get(), signalled.get()), signalled.get());
  write_one(polled.get());
  pollfd counted{kept.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&counted, 1, 5000), 1);
  EXPECT_EQ(drain(kept.get()), 1u);
  claim("resfd.no_other_counter_changes");
  EXPECT_EQ(drain(another.get()), 0u);
}

SUITE_TEST(io_submit, data_may_be_any_word,
           {.holds = {"event.data_as_submitted", "event.obj_is_iocb_address", "event.res2_is_zero"}}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  std::vector<std::uint64_t> words{0, ~std::uint64_t{0}, 0x0123456789abcdef};
  for (unsigned bit = 0; bit < 64; ++bit) words.push_back(std::uint64_t{1} << bit);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const unsigned slot = i % arena::kIocbSlots;
    prepare(slot, kPread, file.get(), arena::kBuffers).data = words[i];
    claim("event.data_as_submitted");
    const Event event = complete(ctx, slot);
    EXPECT_EQ(event.data, words[i]);
    claim("event.obj_is_iocb_address");
    EXPECT_EQ(event.obj, arena::iocb_slot(slot)) << i;
    claim("event.res2_is_zero");
    EXPECT_EQ(event.res2, 0) << i;
  }
}

SUITE_TEST(io_submit, obj_is_the_whole_address,
           {.holds = {"event.obj_is_iocb_address"}, .entries = kNativeOnly | kLibaioOnly}) {
  const Descriptor file = Case::file();
  const std::uint64_t ctx = setup();
  void* const high = ::mmap(reinterpret_cast<void*>(0x234500000000), machine().page_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (high == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map memory");
  const auto address = reinterpret_cast<Address>(high) + 0x540;
  at<Iocb>(address) = prepare(0, kPread, file.get(), arena::kBuffers);
  ASSERT_RETURNS(1, io_submit(ctx, 1, list({address})));
  EXPECT_EQ(collect(ctx, 1).front().obj, address);
}

SUITE_TEST(io_submit, many_iocbs_each_have_their_event,
           {.holds = {"event.one_for_every_request", "event.obj_is_iocb_address", "event.data_as_submitted"}}) {
  constexpr unsigned kCount = 1000;
  const Descriptor file = Case::file("0123456");
  const std::uint64_t ctx = setup(kCount);
  const Address iocbs = map(kCount * sizeof(Iocb));
  std::vector<Address> pointers;
  for (unsigned i = 0; i < kCount; ++i) {
    pointers.push_back(iocbs + i * sizeof(Iocb));
    Iocb& made = at<Iocb>(pointers.back()) = prepare(0, kPread, file.get(), arena::kBuffers, i % 8);
    made.data = ~std::uint64_t{i} * 0x9e3779b97f4a7c15;
  }
  ASSERT_RETURNS(kCount, io_submit(ctx, kCount, list(pointers, map(kCount * sizeof(Address)))));
  for (unsigned i = 0; i < kCount; ++i) {
    const Event wanted{~std::uint64_t{i} * 0x9e3779b97f4a7c15, pointers[i], i % 8, 0};
    ASSERT_EQ(collect(ctx, 1).front(), wanted) << i;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

}  // namespace aio::suites
