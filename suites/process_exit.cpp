// SPDX-License-Identifier: GPL-2.0-or-later
//
// The end of a process that has contexts: exit, and SIGKILL.
// Claims: polls end and signal their eventfds, other requests are waited for and done whole, threads that sleep inside
// a call do not hold the end up; all this before wait(2) returns.
// Provoked by children with contexts that they do not destroy, requests that they do not collect, and requests that a
// file system holds until the parent lets go.
// Not seen: how long many contexts take; what another process sees in an inherited ring (process_left_over.cpp).
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "fixtures/gate.h"
#include "fixtures/lane.h"
#include "fixtures/proc_stat.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

// A child that has done `work` and sleeps, until it is told to exit or is killed.
class Child {
 public:
  explicit Child(const std::function<std::string()>& work)
      : pipes_(make_pipes()), worker_([this, &work] {
          pipes_.go[1] = Descriptor();
          const std::string text = work() + "\n";
          char byte = 0;
          if (::write(pipes_.said[1].get(), text.data(), text.size()) < 0) return 1;
          return ::read(pipes_.go[0].get(), &byte, 1) == 1 ? 0 : 1;
        }) {
    pipes_.said[1] = Descriptor();
  }

  // What `work` returned; empty where it did not.
  std::string said() const {
    std::string text;
    for (char byte = 0; ::read(pipes_.said[0].get(), &byte, 1) == 1 && byte != '\n';) text += byte;
    return text;
  }
  void begin_end(bool by_signal) const {
    if (by_signal) {
      ::kill(worker_.pid(), SIGKILL);
    } else {
      EXPECT_EQ(::write(pipes_.go[1].get(), "x", 1), 1);
    }
  }
  // How it ended, once it has.
  std::string end() {
    const auto status = worker_.wait_exit(setting().patience);
    return status ? status_text(*status) : "it is still there";
  }
  std::string end(bool by_signal) {
    begin_end(by_signal);
    return end();
  }
  bool has_ended() { return worker_.poll_exit().has_value(); }
  bool waits_in_its_exit() const {
    const auto stat = proc_stat(fmt::format("/proc/{}", worker_.pid()));
    return stat && stat->exiting && stat->state == 'D';
  }

 private:
  struct Pipes {
    Descriptor said[2];
    Descriptor go[2];
  };
  static Pipes make_pipes() {
    int ends[4];
    if (::pipe2(ends, O_CLOEXEC) != 0 || ::pipe2(ends + 2, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot make pipes");
    }
    return {{Descriptor(ends[0]), Descriptor(ends[1])}, {Descriptor(ends[2]), Descriptor(ends[3])}};
  }

  Pipes pipes_;
  Worker worker_;
};

const char* how_it_ends(bool by_signal) { return by_signal ? "SIGKILL" : "exit 0"; }

}  // namespace

SUITE_TEST(process_exit, pending_polls_signal_their_eventfds,
           {.holds = {"process.exit_signals_resfd_of_polls"}, .needs = ">=4.19"}) {
  for (const bool by_signal : {false, true}) {
    const Descriptor silent = eventfd();
    const Descriptor counter = eventfd();
    Child child([&] {
      signal(prepare_poll(0, silent.get(), kPollIn), counter.get());
      const Answer first = submit(setup(1, 0), {0, 0, 0});
      const Answer second = submit(setup(1, 1), {0, 0});
      return answer_text(first) + " and " + answer_text(second);
    });
    ASSERT_EQ(child.said(), "3 and 2");
    EXPECT_EQ(drain(counter.get()), 0u);
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
    // At once: what is still to come would be lost.
    EXPECT_EQ(drain(counter.get()), 5u) << how_it_ends(by_signal);
  }
}

SUITE_TEST(process_exit, an_fsync_is_done_before_the_end,
           {.holds = {"process.exit_waits_for_requests"}, .needs = ">=4.18"}) {
  for (const bool by_signal : {false, true}) {
    const Descriptor data = file("data");
    const Descriptor counter = eventfd();
    Child child([&] {
      const std::uint64_t ctx = setup();
      signal(prepare(0, kFsync, data.get()), counter.get());
      return answer_text(submit(ctx, {0, 0, 0, 0}));
    });
    ASSERT_EQ(child.said(), "4");
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
    EXPECT_EQ(drain(counter.get()), 4u) << how_it_ends(by_signal);
  }
}

SUITE_TEST(process_exit, requests_that_a_file_system_holds_hold_the_end_up,
           {.holds = {"process.exit_waits_for_requests"}, .needs = "gate"}) {
  const Gate gate;
  const Descriptor data(gate.open());
  const Address buffer = map(machine().page_size);
  const bool with_fsync = since(4, 18);
  std::uint64_t seen = 0;
  for (const bool by_signal : {false, true}) {
    const Descriptor counter = eventfd();
    Child child([&] {
      const std::uint64_t ctx = setup();
      signal(prepare(0, kPread, data.get(), buffer, 512), counter.get());
      signal(prepare(1, kFsync, data.get()), counter.get());
      return answer_text(with_fsync ? submit(ctx, {0, 1}) : submit(ctx, {0}));
    });
    const std::size_t requests = with_fsync ? 2 : 1;
    ASSERT_EQ(child.said(), std::to_string(requests));
    const std::vector<GateRequest> held = gate.held(requests, setting().patience, seen);
    ASSERT_EQ(held.size(), requests);
    child.begin_end(by_signal);
    EXPECT_TRUE(await([&] { return child.waits_in_its_exit(); })) << how_it_ends(by_signal);
    EXPECT_FALSE(child.has_ended()) << how_it_ends(by_signal);
    EXPECT_EQ(drain(counter.get()), 0u);
    for (const GateRequest& each : held) {
      EXPECT_TRUE(child.waits_in_its_exit()) << how_it_ends(by_signal);
      ASSERT_TRUE(gate.release(each.id, static_cast<std::int64_t>(each.length)));
      seen = each.id;
    }
    EXPECT_EQ(child.end(), how_it_ends(by_signal));
    EXPECT_EQ(drain(counter.get()), requests) << how_it_ends(by_signal);
  }
}

SUITE_TEST(process_exit, direct_writes_are_in_the_file,
           {.holds = {"process.exit_waits_for_requests"}, .needs = "direct"}) {
  constexpr unsigned kWrites = 16;
  constexpr std::size_t kSize = 65536;
  for (const bool by_signal : {false, true}) {
    const Descriptor data = file("", O_DIRECT);
    Child child([&] {
      const std::uint64_t ctx = setup(kWrites);
      const Address buffers = map(kWrites * kSize);
      std::vector<Address> pointers;
      for (unsigned i = 0; i < kWrites; ++i) {
        put(buffers + i * kSize, std::string(kSize, static_cast<char>('a' + i)));
        prepare(i, kPwrite, data.get(), buffers + i * kSize, kSize, static_cast<std::int64_t>(i * kSize));
        pointers.push_back(arena::iocb_slot(i));
      }
      return answer_text(io_submit(ctx, kWrites, list(pointers)));
    });
    ASSERT_EQ(child.said(), "16");
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
    std::string wanted;
    for (unsigned i = 0; i < kWrites; ++i) wanted += std::string(kSize, static_cast<char>('a' + i));
    const Descriptor again(::open(fmt::format("/proc/self/fd/{}", data.get()).c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(content(again.get()) == wanted) << how_it_ends(by_signal);
  }
}

SUITE_TEST(process_exit, unread_events_go_with_their_ring, {.holds = {"process.exit_with_unread_events"}}) {
  for (const bool by_signal : {false, true}) {
    const Descriptor data = file();
    Child child([&] {
      const std::uint64_t ctx = setup(100);
      put(arena::kBuffers, "x");
      for (unsigned i = 0; i < 100; ++i) {
        prepare(0, kPwrite, data.get(), arena::kBuffers, 1, i);
        if (submit(ctx, {0}).value != 1) return fmt::format("refused after {}", i);
      }
      return fmt::format("{} in the ring", in_ring(ctx));
    });
    ASSERT_EQ(child.said(), "100 in the ring");
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
    EXPECT_EQ(content(data.get()), std::string(100, 'x'));
  }
}

SUITE_TEST(process_exit, many_contexts_end_together,
           {.holds = {"process.exit_with_many_contexts"}, .needs = ">=4.14"}) {
  for (const bool by_signal : {false, true}) {
    const Descriptor silent = eventfd();
    const Descriptor counter = eventfd();
    Child child([&] {
      for (unsigned i = 0; i < 500; ++i) {
        const std::uint64_t ctx = setup();
        if (!since(4, 19)) continue;
        signal(prepare_poll(0, silent.get(), kPollIn), counter.get());
        if (submit(ctx, {0}).value != 1) return std::string("refused");
      }
      return std::string("made");
    });
    ASSERT_EQ(child.said(), "made");
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
    EXPECT_EQ(drain(counter.get()), since(4, 19) ? 500u : 0u);
  }
}

SUITE_TEST(process_exit, threads_inside_calls_do_not_hold_it_up,
           {.holds = {"process.exit_ends_calls"}, .needs = "lanes"}) {
  for (const bool by_signal : {false, true}) {
    const Pipe empty = pipe();
    Child child([&] {
      const std::uint64_t ctx = setup();
      prepare(0, kPread, empty.read.get(), arena::kBuffers, 1);
      const Address pointers = list({arena::iocb_slot(0)});
      const unsigned cpu = cpus().number(0);
      // They are never told to end, and this process does not wait for them.
      auto* const waiter = new Lane(cpu);
      auto* const submitter = new Lane(cpu);
      waiter->start([this, ctx] { io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
      submitter->start([this, ctx, pointers] { io_submit(ctx, 1, pointers); });
      const bool asleep = waiter->settle(numbers().io_getevents) == Lane::State::kAsleep &&
                          submitter->settle(numbers().io_submit) == Lane::State::kAsleep;
      return std::string(asleep ? "asleep" : "awake");
    });
    ASSERT_EQ(child.said(), "asleep");
    EXPECT_EQ(child.end(by_signal), how_it_ends(by_signal));
  }
}

}  // namespace aio::suites
