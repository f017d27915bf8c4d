// SPDX-License-Identifier: GPL-2.0-or-later
//
// IOCB_CMD_POLL: which requests io_submit refuses, and what it answers of a file that is ready.
// Claims: the fields and bits that are looked at, the result where the file is ready, and which files can be awaited.
// Provoked by one bad field at a time, and by files whose state the test has made.
// Not seen: what ends a pending request (poll_wake.cpp, poll_races.cpp), files of every kind (poll_kinds.cpp).
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

// A FIFO without a name, open for reading and writing at once.
Descriptor make_fifo_for_both(const std::string& directory) {
  std::string folder = directory + "/aio-cts-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) fail("cannot make a directory");
  const std::string path = folder + "/fifo";
  Descriptor made;
  int error = 0;
  if (::mkfifo(path.c_str(), 0600) == 0) {
    made = Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    error = errno;
    ::unlink(path.c_str());
  } else {
    error = errno;
  }
  ::rmdir(folder.c_str());
  errno = error;
  if (!made) fail("cannot make a FIFO");
  return made;
}

struct Ready {
  const char* what;
  int fd;
  std::uint64_t asked;
  std::int64_t result;
};

}  // namespace

SUITE_TEST(poll, is_an_unknown_opcode_before_it_came,
           {.holds = {"io_submit.unknown_opcode_is_einval"}, .needs = "<4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.write.get(), kPollOut);
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
}

SUITE_TEST(poll, a_mask_wider_than_16_bits_is_einval, {.holds = {"poll.mask_wider_than_16_bits_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  for (const std::uint64_t mask : {0x10000ull, 0x10004ull, 0x80000004ull, 0x100000004ull, 0xffffffffffffffffull}) {
    prepare_poll(0, ends.write.get(), mask);
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << std::hex << mask;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll, other_fields_must_be_zero, {.holds = {"poll.other_fields_must_be_zero"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  struct Change {
    const char* what;
    void (*make)(Iocb&);
  };
  const Change changes[] = {
      {"offset 1", [](Iocb& iocb) { iocb.offset = 1; }},
      {"offset -1", [](Iocb& iocb) { iocb.offset = -1; }},
      {"offset 2^32", [](Iocb& iocb) { iocb.offset = 1ll << 32; }},
      {"nbytes 1", [](Iocb& iocb) { iocb.nbytes = 1; }},
      {"nbytes 2^32", [](Iocb& iocb) { iocb.nbytes = 1ull << 32; }},
      {"rw_flags 1", [](Iocb& iocb) { iocb.rw_flags = 1; }},
      {"rw_flags 2^31", [](Iocb& iocb) { iocb.rw_flags = 1u << 31; }},
  };
  for (const Change& change : changes) {
    change.make(prepare_poll(0, ends.write.get(), kPollOut));  // it would complete at once
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << change.what;
    change.make(prepare_poll(0, ends.read.get(), kPollIn));  // it would be pending
    EXPECT_ERROR(EINVAL, submit(ctx, {0})) << change.what;
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll, the_descriptor_comes_before_the_fields,
           {.holds = {"io_submit.closed_fd_is_ebadf", "io_submit.path_fd_is_ebadf"}, .needs = ">=5.1"}) {
  const std::uint64_t ctx = setup();
  const Descriptor path = opened("/", O_PATH);
  for (const std::uint64_t mask : {0x1ull, 0x10001ull}) {
    claim("io_submit.closed_fd_is_ebadf");
    prepare_poll(0, -1, mask);
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << mask;
    claim("io_submit.path_fd_is_ebadf");
    prepare_poll(0, path.get(), mask);
    EXPECT_ERROR(EBADF, submit(ctx, {0})) << mask;
  }
}

SUITE_TEST(poll, the_priority_is_not_checked, {.holds = {"poll.priority_is_not_checked"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  for (const int priority : {7 << 13, 1, 1 << 13 | 8}) {
    Iocb& iocb = prepare_poll(0, ends.write.get(), kPollOut);
    iocb.flags = kFlagIoprio;
    iocb.reqprio = static_cast<std::int16_t>(priority);
    EXPECT_EQ(result(ctx, 0), kPollOut) << priority;
  }
}

SUITE_TEST(poll, the_access_mode_is_not_checked, {.holds = {"poll.access_mode_is_not_checked"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor made = file("x");
  const Descriptor read_only = opened_again(made.get(), O_RDONLY);
  prepare_poll(0, read_only.get(), kPollOut);
  EXPECT_EQ(result(ctx, 0), kPollOut);
  const Descriptor write_only = opened_again(made.get(), O_WRONLY);
  prepare_poll(0, write_only.get(), kPollIn);
  EXPECT_EQ(result(ctx, 0), kPollIn);
}

SUITE_TEST(poll, a_ready_file_gives_the_wanted_bits, {.holds = {"poll.ready_gives_wanted_bits"}}) {
  const std::uint64_t ctx = setup();
  const Pipe empty = pipe();
  const Pipe filled = pipe();
  write_bytes(filled.write.get(), "x");
  const Descriptor zero = eventfd();
  const Descriptor one = eventfd(1);
  const Ends idle = socket_pair();
  const Ready cases[] = {
      {"pipe, write end", empty.write.get(), kPollOut, 0x4},
      {"pipe, write end", empty.write.get(), kPollWrnorm, 0x100},
      {"pipe, write end", empty.write.get(), kPollOut | kPollWrnorm, 0x104},
      {"pipe, write end", empty.write.get(), kPollIn | kPollOut | kPollPri, 0x4},
      {"pipe with a byte", filled.read.get(), kPollIn, 0x1},
      {"pipe with a byte", filled.read.get(), kPollRdnorm, 0x40},
      {"pipe with a byte", filled.read.get(), kPollIn | kPollRdnorm | kPollOut, 0x41},
      {"eventfd of 0", zero.get(), kPollIn | kPollOut, 0x4},
      {"eventfd of 1", one.get(), kPollIn, 0x1},
      {"eventfd of 1", one.get(), kPollIn | kPollOut, 0x5},
      {"socket", idle.one.get(), kPollIn | kPollOut, 0x4},
      {"socket", idle.one.get(), kPollOut | kPollWrnorm | kPollWrband, 0x304},
  };
  for (const Ready& each : cases) {
    prepare_poll(0, each.fd, each.asked);
    EXPECT_EQ(result(ctx, 0), each.result) << each.what << ", asked for " << each.asked;
  }
}

SUITE_TEST(poll, err_and_hup_are_always_wanted, {.holds = {"poll.err_and_hup_always_wanted"}}) {
  const std::uint64_t ctx = setup();
  Pipe no_writer = pipe();
  no_writer.write = Descriptor();
  Pipe last_byte = pipe();
  write_bytes(last_byte.write.get(), "x");
  last_byte.write = Descriptor();
  Pipe no_reader = pipe();
  no_reader.read = Descriptor();
  Ends alone = socket_pair();
  alone.other = Descriptor();
  const Ready cases[] = {
      {"pipe without writer", no_writer.read.get(), 0, 0x10},
      {"pipe without writer", no_writer.read.get(), kPollIn, 0x10},
      {"pipe with a byte, without writer", last_byte.read.get(), 0, 0x10},
      {"pipe with a byte, without writer", last_byte.read.get(), kPollIn, 0x11},
      {"pipe without reader", no_reader.write.get(), 0, 0x8},
      {"pipe without reader", no_reader.write.get(), kPollIn, 0x8},
      {"pipe without reader", no_reader.write.get(), kPollOut, 0xc},
      {"socket without peer", alone.one.get(), 0, 0x10},
      {"socket without peer", alone.one.get(), kPollRdhup, 0x2010},
  };
  for (const Ready& each : cases) {
    prepare_poll(0, each.fd, each.asked);
    EXPECT_EQ(result(ctx, 0), each.result) << each.what << ", asked for " << each.asked;
  }
}

SUITE_TEST(poll, bits_without_a_meaning_are_dropped, {.holds = {"poll.unknown_bits_are_dropped"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(0, ends.write.get(), kPollOut | 0xd800);
  EXPECT_EQ(result(ctx, 0), 0x4);
  prepare_poll(0, ends.write.get(), 0xffff);
  EXPECT_EQ(result(ctx, 0), 0x104);
  // Nothing is left to be wanted but ERR and HUP.
  prepare_poll(0, ends.read.get(), 0xd800);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll, a_file_without_poll_is_ready, {.holds = {"poll.file_without_poll_is_ready"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor regular = file();
  const Descriptor directory = opened("/", O_RDONLY | O_DIRECTORY);
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Descriptor* each : {&regular, &directory, &null}) {
    const Ready cases[] = {
        {"IN", each->get(), kPollIn, 0x1},
        {"OUT", each->get(), kPollOut, 0x4},
        {"IN and OUT", each->get(), kPollIn | kPollOut, 0x5},
        {"PRI and IN", each->get(), kPollPri | kPollIn, 0x1},
        {"all", each->get(), 0xffff, 0x145},
    };
    for (const Ready& asked : cases) {
      prepare_poll(0, asked.fd, asked.asked);
      EXPECT_EQ(result(ctx, 0), asked.result) << asked.what << " of descriptor " << asked.fd;
    }
  }
}

SUITE_TEST(poll, a_file_that_wakes_nobody_is_einval, {.holds = {"poll.unready_file_without_queue_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor regular = file("x");
  const Descriptor directory = opened("/", O_RDONLY | O_DIRECTORY);
  const Descriptor null = opened("/dev/null", O_RDWR);
  for (const Descriptor* each : {&regular, &directory, &null}) {
    for (const std::uint64_t asked : {0u, 0x2u, 0x18u, 0x2000u}) {
      prepare_poll(0, each->get(), asked);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << "asked for " << asked << " of descriptor " << each->get();
    }
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll, a_terminal_that_is_not_ready_is_einval, {.holds = {"poll.second_queue_is_einval"}}) {
  const std::uint64_t ctx = setup();
  const std::optional<Terminal> pty = terminal();
  if (!pty) skip("there are no pseudo-terminals");
  for (const Descriptor* each : {&pty->server, &pty->user}) {
    for (const std::uint64_t asked : {0u, 0x1u, 0x2u}) {
      prepare_poll(0, each->get(), asked);
      EXPECT_ERROR(EINVAL, submit(ctx, {0})) << "asked for " << asked;
    }
  }
  EXPECT_EQ(in_ring(ctx), 0u);
}

SUITE_TEST(poll, a_ready_terminal_completes, {.holds = {"poll.ready_file_with_two_queues_completes"}}) {
  const std::uint64_t ctx = setup();
  const std::optional<Terminal> pty = terminal();
  if (!pty) skip("there are no pseudo-terminals");
  for (const Descriptor* each : {&pty->server, &pty->user}) {
    prepare_poll(0, each->get(), kPollIn | kPollOut);
    EXPECT_EQ(result(ctx, 0), 0x4);
  }
}

SUITE_TEST(poll, a_fifo_open_for_both_is_einval_unless_ready,
           {.holds = {"poll.fifo_for_both_is_einval", "poll.ready_file_with_two_queues_completes"}, .needs = ">=5.6"}) {
  const std::uint64_t ctx = setup();
  const Descriptor fifo = make_fifo_for_both(setting().directory);
  prepare_poll(0, fifo.get(), kPollIn);
  EXPECT_ERROR(EINVAL, submit(ctx, {0}));
  claim("poll.ready_file_with_two_queues_completes");
  prepare_poll(0, fifo.get(), kPollIn | kPollOut);
  EXPECT_EQ(result(ctx, 0), 0x4);
  write_bytes(fifo.get(), "x");
  prepare_poll(0, fifo.get(), kPollIn);
  EXPECT_EQ(result(ctx, 0), 0x1);
}

SUITE_TEST(poll, a_fifo_open_for_both_was_pending, {.holds = {"poll.fifo_for_both_is_pending"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor fifo = make_fifo_for_both(setting().directory);
  prepare_poll(0, fifo.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  EXPECT_EQ(in_ring(ctx), 0u);
  write_bytes(fifo.get(), "x");
  EXPECT_EQ(collect(ctx, 1).front().res, 0x41);
}

SUITE_TEST(poll, a_file_that_is_not_ready_stays_pending, {.holds = {"poll.unready_file_stays_pending"}}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  const Descriptor counter = eventfd();
  const Ends sockets = socket_pair();
  unsigned slot = 0;
  for (const int fd : {ends.read.get(), counter.get(), sockets.one.get()}) prepare_poll(slot++, fd, kPollIn);
  prepare_poll(slot, ends.write.get(), kPollIn);
  EXPECT_RETURNS(4, submit(ctx, {0, 1, 2, 3}));
  EXPECT_EQ(in_ring(ctx), 0u);
  for (const unsigned each : {3u, 0u, 2u, 1u}) EXPECT_ERROR(EINPROGRESS, io_cancel(ctx, arena::iocb_slot(each)));
}

SUITE_TEST(poll, the_event_of_a_ready_file_is_there_on_return,
           {.holds = {"event.in_ring_when_call_returns", "event.obj_is_iocb_address", "event.data_as_submitted",
                      "event.res2_is_zero"},
            .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Pipe ends = pipe();
  prepare_poll(3, ends.write.get(), kPollOut).data = 0x1122334455667788;
  ASSERT_RETURNS(1, submit(ctx, {3}));
  ASSERT_EQ(in_ring(ctx), 1u);
  const Event event = ring_event(ctx, 0);
  claim("event.obj_is_iocb_address");
  EXPECT_EQ(event.obj, arena::iocb_slot(3));
  claim("event.data_as_submitted");
  EXPECT_EQ(event.data, 0x1122334455667788u);
  claim("event.res2_is_zero");
  EXPECT_EQ(event.res2, 0);
}

}  // namespace aio::suites
