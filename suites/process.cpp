// SPDX-License-Identifier: GPL-2.0-or-later
//
// Contexts and processes: who finds a context, and who only sees its ring.
// Claims: a context belongs to the memory that io_setup was called in. A forked child inherits the ring's pages and no
// context; threads and CLONE_VM processes share all, and what they made outlives them.
// Provoked by children that call, read and write while the owner waits for them.
// Not seen: an inherited ring while its owner destroys it or exits (process_left_over.cpp); exits (process_exit.cpp).
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "fixtures/lane.h"
#include "fixtures/proc_stat.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

constexpr const char* kContent = "ring";
constexpr std::int64_t kLength = 4;

// What a forked child returns, or how it ended.
std::string in_child(const std::function<std::string()>& body) {
  WorkerDeath how;
  return run_in_worker(body, setting().patience, &how).value_or("the child: " + how.text());
}

void ring_bell(int eventfd) {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(eventfd, &one, sizeof one), 8);
}

// The text that comes through a pipe until its other end is closed.
std::string read_text(int fd) {
  std::string text;
  char byte = 0;
  while (::read(fd, &byte, 1) == 1) text += byte;
  return text;
}

void write_text(int fd, const std::string& text) {
  [[maybe_unused]] const ssize_t count = ::write(fd, text.data(), text.size());
}

}  // namespace

SUITE_TEST(process, a_child_reads_the_same_ring, {.holds = {"process.child_shares_ring_pages"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  const Pipe go = pipe();
  Pipe answer = pipe();
  Worker child([&] {
    const std::uint32_t before = ring(ctx).tail;
    write_text(answer.write.get(), ".");
    char byte = 0;
    [[maybe_unused]] const ssize_t told = ::read(go.read.get(), &byte, 1);
    write_text(answer.write.get(),
               fmt::format("{} then {}, event {}", before, ring(ctx).tail, ring_event(ctx, 1).data));
    return 0;
  });
  answer.write = Descriptor();
  char byte = 0;
  ASSERT_EQ(::read(answer.read.get(), &byte, 1), 1);
  // What completes from now on is seen by the child as well.
  ASSERT_RETURNS(1, submit(ctx, {1}));
  write_text(go.write.get(), ".");
  EXPECT_EQ(read_text(answer.read.get()), "1 then 2, event 101");
  EXPECT_TRUE(child.wait_exit(setting().patience));
}

SUITE_TEST(process, a_child_moves_the_head, {.holds = {"process.child_shares_ring_pages"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  for (const unsigned slot : {0u, 1u}) prepare(slot, kPread, data.get(), arena::kBuffers, kLength);
  ASSERT_RETURNS(2, submit(ctx, {0, 1}));
  EXPECT_EQ(in_child([&] {
              ring(ctx).head = 1;
              return std::string("moved");
            }),
            "moved");
  ASSERT_RETURNS(1, io_getevents(ctx, 0, 10, arena::kEvents, arena::kNull));
  EXPECT_EQ(event(0).data, 101u);
}

SUITE_TEST(process, a_child_finds_no_context_of_its_parents, {.holds = {"process.child_has_no_contexts"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file(kContent);
  const Descriptor silent = eventfd();
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  prepare_poll(1, silent.get(), kPollIn);
  ASSERT_RETURNS(1, submit(ctx, {0}));
  if (since(4, 19)) {
    ASSERT_RETURNS(1, submit(ctx, {1}));
  }
  std::string wanted = "EINVAL EINVAL EINVAL EINVAL EINVAL ";
  if (since(4, 18)) wanted += "EINVAL ";
  // Without a context of its own, and with one that has the same index.
  for (const bool own : {false, true}) {
    EXPECT_EQ(in_child([&] {
                if (own) setup(1, 1);
                std::string seen;
                const auto add = [&](const Answer& answer) { seen += answer_text(answer) + " "; };
                add(io_submit(ctx, 0, arena::kNull));
                add(submit(ctx, {0}));
                add(io_getevents(ctx, 0, 1, arena::kEvents, arena::kNull));
                add(io_cancel(ctx, arena::iocb_slot(1)));
                add(io_destroy(ctx));
                if (since(4, 18)) add(io_pgetevents(ctx, 0, 1, arena::kEvents, arena::kNull, arena::kNull));
                return seen;
              }),
              wanted)
        << "a context of its own: " << own;
  }
  // The parent's is as it was.
  EXPECT_EQ(in_ring(ctx), 1u);
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull));
}

SUITE_TEST(process, a_childs_first_index_is_zero, {.holds = {"process.child_has_a_table_of_its_own"}}) {
  for (unsigned slot = 0; slot < 3; ++slot) setup(1, slot);
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  EXPECT_EQ(in_child([&] {
              const std::uint64_t ctx = setup(1, 3);
              const Answer answer = submit(ctx, {0});
              return fmt::format("index {}, submitted {}, tail {}", ring(ctx).id, answer_text(answer), ring(ctx).tail);
            }),
            "index 0, submitted 1, tail 1");
  EXPECT_EQ(ring(setup(1, 3)).id, 3u);
}

SUITE_TEST(process, a_childs_end_is_not_its_parents, {.holds = {"process.child_ends_alone"}, .needs = ">=4.19"}) {
  const std::uint64_t ctx = setup();
  const Descriptor bell = eventfd();
  const Descriptor counter = eventfd();
  signal(prepare_poll(0, bell.get(), kPollIn), counter.get());
  ASSERT_RETURNS(1, submit(ctx, {0}));
  // One that does nothing, and one that unmaps the ring.
  EXPECT_EQ(in_child([] { return std::string("nothing"); }), "nothing");
  EXPECT_EQ(in_child([&] { return fmt::format("{}", ::munmap(&ring(ctx), machine().page_size)); }), "0");
  EXPECT_EQ(drain(counter.get()), 0u);
  EXPECT_EQ(in_ring(ctx), 0u);
  ring_bell(bell.get());
  EXPECT_TRUE(await([&] { return drain(counter.get()) == 1; }));
  EXPECT_RETURNS(1, io_getevents(ctx, 1, 10, arena::kEvents, timeout(5, 0)));
  EXPECT_EQ(event(0), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
}

// From 3.19 to 6.1 such a child never came back.
SUITE_TEST(process, a_child_cannot_move_an_inherited_ring, {.holds = {"mapping.inherited_ring_does_not_move"}}) {
  const std::uint64_t ctx = setup();
  const std::size_t page = machine().page_size;
  const Address there = map(page, PROT_NONE);
  const auto move = [&](std::uint64_t from) {
    void* const to = reinterpret_cast<void*>(there);
    void* const moved = ::mremap(&ring(from), page, page, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    return moved == to ? std::string("moved") : answer_text({-1, errno});
  };
  EXPECT_EQ(in_child([&] { return move(ctx); }), "EINVAL");
  EXPECT_EQ(in_child([&] {
              const std::uint64_t own = setup(1, 1);
              const std::string inherited = move(ctx);
              const std::string moved = move(own);
              return fmt::format("{}, its own {}, which answers {}", inherited, moved,
                                 answer_text(io_submit(there, 0, arena::kNull)));
            }),
            "EINVAL, its own moved, which answers 0");
  EXPECT_RETURNS(0, io_submit(ctx, 0, arena::kNull));
}

SUITE_TEST(process, who_shares_the_memory_shares_the_contexts, {.holds = {"process.shared_memory_shares_contexts"}}) {
  for (const Lane::Kind how : {Lane::Kind::kThread, Lane::Kind::kProcess}) {
    const std::uint64_t ctx = setup();
    const Descriptor file_to_write = file();
    put(arena::kBuffers, "hello, world");
    prepare(0, kPwrite, file_to_write.get(), arena::kBuffers, 12);
    Answer submitted{};
    Answer collected{};
    Lane other(cpus().number(0), how);
    other.start([&] { submitted = submit(ctx, {0}); });
    other.wait();
    EXPECT_RETURNS(1, submitted);
    EXPECT_EQ(collect(ctx, 1).front(), (Event{100, arena::iocb_slot(0), 12, 0}));
    EXPECT_EQ(content(file_to_write.get()), "hello, world");
    // And the other way round.
    ASSERT_RETURNS(1, submit(ctx, {0}));
    other.start([&] { collected = io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull); });
    other.wait();
    EXPECT_RETURNS(1, collected);
    EXPECT_EQ(in_ring(ctx), 0u);
  }
}

SUITE_TEST(process, contexts_and_requests_outlive_who_made_them,
           {.holds = {"process.contexts_outlive_their_maker"}, .needs = ">=4.19"}) {
  unsigned slot = 0;
  for (const Lane::Kind how : {Lane::Kind::kThread, Lane::Kind::kProcess}) {
    const Descriptor bell = eventfd();
    const Address variable = arena::context_slot(slot++);
    prepare_poll(0, bell.get(), kPollIn);
    const Address pointers = list({arena::iocb_slot(0)});
    Answer made{};
    Answer submitted{};
    {
      Lane other(cpus().number(0), how);
      other.start([&] {
        made = io_setup(1, variable);
        submitted = io_submit(at<std::uint64_t>(variable), 1, pointers);
      });
    }
    ASSERT_RETURNS(0, made);
    ASSERT_RETURNS(1, submitted);
    const auto ctx = at<std::uint64_t>(variable);
    EXPECT_EQ(in_ring(ctx), 0u);
    ring_bell(bell.get());
    EXPECT_EQ(collect(ctx, 1).front(), (Event{100, arena::iocb_slot(0), kPollIn, 0}));
    EXPECT_RETURNS(0, io_destroy(ctx));
  }
}

SUITE_TEST(process, contexts_outlive_the_first_thread, {.holds = {"process.contexts_outlive_their_maker"}}) {
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  Pipe answer = pipe();
  Worker child([&] {
    const std::uint64_t ctx = setup();
    std::thread([&, ctx] {
      const std::string leader = fmt::format("/proc/self/task/{}", ::getpid());
      const bool gone = await([&] { return proc_stat(leader).value_or(ProcStat{}).state == 'Z'; });
      const Answer submitted = submit(ctx, {0});
      const Answer collected = io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull);
      write_text(answer.write.get(), fmt::format("{}, {} and {}", gone ? "gone" : "still there", answer_text(submitted),
                                                 answer_text(collected)));
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);
    return 0;
  });
  answer.write = Descriptor();
  EXPECT_EQ(read_text(answer.read.get()), "gone, 1 and 1");
  EXPECT_TRUE(child.wait_exit(setting().patience));
}

namespace {

// A process in the memory of another, which has ended.
struct Survivor {
  int gone;  // reads as ended when the other has
  int only_the_others;
  std::function<void()> work;
};

int survive(void* argument) {
  const Survivor& told = *static_cast<const Survivor*>(argument);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::close(told.only_the_others);
  read_text(told.gone);
  told.work();
  ::_exit(0);
}

}  // namespace

SUITE_TEST(process, contexts_outlive_the_process_that_made_them, {.holds = {"process.contexts_outlive_their_maker"}}) {
  const Descriptor data = file(kContent);
  prepare(0, kPread, data.get(), arena::kBuffers, kLength);
  Pipe gone = pipe();
  Pipe answer = pipe();
  Pipe survivor_id = pipe();
  constexpr std::size_t kStack = std::size_t{256} << 10;
  const Address stack = map(kStack);
  Worker child([&] {
    const std::uint64_t ctx = setup();
    Survivor survivor{gone.read.get(), gone.write.get(), [&] {
                        const Answer submitted = submit(ctx, {0});
                        const Answer collected = io_getevents(ctx, 1, 1, arena::kEvents, arena::kNull);
                        write_text(answer.write.get(),
                                   fmt::format("{} and {}", answer_text(submitted), answer_text(collected)));
                      }};
    // A child of this one's parent, which waits for both.
    const pid_t made =
        ::clone(survive, reinterpret_cast<void*>(stack + kStack), CLONE_VM | CLONE_PARENT | SIGCHLD, &survivor);
    write_text(survivor_id.write.get(), std::to_string(made));
    ::_exit(0);
    return 0;
  });
  gone.write = Descriptor();
  answer.write = Descriptor();
  survivor_id.write = Descriptor();
  const auto ended = child.wait_exit(setting().patience);
  EXPECT_EQ(read_text(answer.read.get()), "1 and 1");
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, 0);
  const pid_t survivor = std::stoi(read_text(survivor_id.read.get()));
  EXPECT_EQ(::waitpid(survivor, nullptr, __WALL), survivor);
}

}  // namespace aio::suites
