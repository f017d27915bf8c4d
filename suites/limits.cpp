// SPDX-License-Identifier: GPL-2.0-or-later
//
// What AIO counts on the whole machine, and what limits of a process it heeds: fs.aio-nr, RLIMIT_*, the map count.
// Claims: what moves fs.aio-nr and by how much; that submitting needs nothing that these limits ration.
// Provoked by readings before and after a step. Other processes use AIO too, so a step is repeated until it moves the
// number as it should; a kernel that counts otherwise never does.
// Not seen: fs.aio-max-nr at work (limits_max_nr.cpp); a shortage of kernel memory; limits that are only just too low,
// and fs.file-max (limits_setup.cpp).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "fixtures/worker.h"
#include "reference/geometry.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"

namespace aio::suites {
namespace {

constexpr const char* kAioNr = "/proc/sys/fs/aio-nr";
constexpr const char* kAioMaxNr = "/proc/sys/fs/aio-max-nr";
constexpr const char* kNoAioNr = "there is no fs.aio-nr here";
constexpr const char* kDisturbed = "other processes keep changing fs.aio-nr";
constexpr unsigned kTries = 40;

bool can_read(const char* path) { return ::access(path, R_OK) == 0; }

// What a step did to fs.aio-nr, by `wanted` of how much it should have: that, if a try comes to it; otherwise what most
// tries came to; none if they differ too much to say.
std::optional<std::int64_t> change_of(
    Entry& entry, std::int64_t wanted, const std::function<void()>& step, const std::function<void()>& undo = [] {}) {
  std::map<std::int64_t, unsigned> seen;
  for (unsigned i = 0; i < kTries; ++i) {
    const std::uint64_t before = entry.aio_nr();
    step();
    const auto change = static_cast<std::int64_t>(entry.aio_nr() - before);
    undo();
    if (change == wanted) return change;
    ++seen[change];
  }
  const auto most = std::max_element(seen.begin(), seen.end(), [](auto& a, auto& b) { return a.second < b.second; });
  return 2 * most->second >= kTries ? std::optional(most->first) : std::nullopt;
}

// How much a context for `nr` events counts.
std::int64_t share(std::uint32_t nr, const Profile& profile, const Machine& machine) {
  if (profile.release >= Release{4, 14}) return nr;
  return 2 * std::max(std::int64_t{nr}, 4 * std::int64_t{machine.possible_cpus});
}

mode_t mode_of(const char* path) {
  struct stat status {};
  return ::stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

// A process that does `what`, says so and waits to be let go. Then it exits, without another word to the kernel.
class Holder {
 public:
  explicit Holder(const std::function<void()>& what)
      : pipes_(make_pipes()), worker_([this, &what] {
          what();
          char byte = 'x';
          if (::write(pipes_.done[1].get(), &byte, 1) != 1) return 1;
          pipes_.go[1] = Descriptor();
          return ::read(pipes_.go[0].get(), &byte, 1) == 1 ? 0 : 1;
        }) {
    pipes_.done[1] = Descriptor();
  }

  bool ready() const {
    char byte = 0;
    return ::read(pipes_.done[0].get(), &byte, 1) == 1;
  }
  // Its end has come when this returns.
  bool let_go() {
    const bool told = ::write(pipes_.go[1].get(), "x", 1) == 1;
    const auto status = worker_.wait_exit(setting().patience);
    return told && status == 0;
  }
  bool kill() { return worker_.kill_and_reap(setting().patience).has_value(); }

 private:
  struct Pipes {
    Descriptor done[2];
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

}  // namespace

SUITE_TEST(limits, who_may_read_and_write_the_two_files, {.holds = {"limits.files_are_for_the_owner_to_write"}}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  EXPECT_EQ(mode_of(kAioNr), 0444u);
  EXPECT_EQ(mode_of(kAioMaxNr), 0644u);
  const Descriptor writing(::open(kAioNr, O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(writing) << "not even root writes fs.aio-nr";
}

SUITE_TEST(limits, the_limit_where_nobody_has_set_it, {.holds = {"limits.default_is_65536"}, .entries = kNativeOnly}) {
  EXPECT_EQ(machine().aio_max_nr, 65536u);
}

SUITE_TEST(limits, a_context_counts_what_was_asked_for,
           {.holds = {"io_setup.aio_nr_grows_by_nr", "io_destroy.aio_nr_shrinks_by_nr"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  for (const std::uint32_t nr : {1u, 37u, 1009u}) {
    const std::int64_t wanted = share(nr, profile(), machine());
    std::uint64_t ctx = 0;
    claim("io_setup.aio_nr_grows_by_nr");
    auto change = change_of(
        entry(), wanted, [&] { ctx = setup(nr); }, [&] { io_destroy(ctx); });
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, wanted) << "io_setup of " << nr;
    claim("io_destroy.aio_nr_shrinks_by_nr");
    ctx = setup(nr);
    change = change_of(
        entry(), -wanted, [&] { io_destroy(ctx); }, [&] { ctx = setup(nr); });
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, -wanted) << "io_destroy of " << nr;
  }
}

SUITE_TEST(limits, contexts_add_up, {.holds = {"limits.aio_nr_is_a_sum"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  std::vector<std::uint64_t> made;
  std::int64_t wanted = 0;
  for (const std::uint32_t nr : {7u, 53u, 301u}) wanted += share(nr, profile(), machine());
  const auto change = change_of(
      entry(), wanted,
      [&] {
        for (const std::uint32_t nr : {7u, 53u, 301u}) made.push_back(setup(nr));
      },
      [&] {
        for (const std::uint64_t ctx : made) io_destroy(ctx);
        made.clear();
      });
  if (!change) skip(kDisturbed);
  EXPECT_EQ(*change, wanted);
}

SUITE_TEST(limits, all_processes_count_until_they_end,
           {.holds = {"limits.aio_nr_is_a_sum", "limits.exit_gives_back"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  const std::int64_t wanted = share(7, profile(), machine()) + share(350, profile(), machine());
  const auto hold = [&] {
    setup(7, 0);
    setup(350, 1);
  };
  for (const bool killed : {false, true}) {
    std::optional<Holder> holder;
    const auto make = [&] {
      holder.emplace(hold);
      require(testing::AssertionResult(holder->ready()));
    };
    const auto end = [&] { require(testing::AssertionResult(killed ? holder->kill() : holder->let_go())); };
    claim("limits.aio_nr_is_a_sum");
    auto change = change_of(entry(), wanted, make, end);
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, wanted) << "contexts of another process";
    claim("limits.exit_gives_back");
    make();
    change = change_of(entry(), -wanted, end, make);
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, -wanted) << (killed ? "SIGKILL" : "exit");
  }
}

SUITE_TEST(limits, a_fork_counts_nothing, {.holds = {"limits.fork_counts_nothing"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  setup(353);
  const auto change = change_of(entry(), 0, [&] {
    Holder holder([] {});
    require(testing::AssertionResult(holder.ready() && holder.let_go()));
  });
  if (!change) skip(kDisturbed);
  EXPECT_EQ(*change, 0);
}

SUITE_TEST(limits, an_io_setup_that_fails_counts_nothing, {.holds = {"io_setup.failure_keeps_aio_nr"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  const Address read_only = map(machine().page_size);
  ASSERT_EQ(::mprotect(reinterpret_cast<void*>(read_only), machine().page_size, PROT_READ), 0);
  at<std::uint64_t>(arena::context_slot(1)) = 1;
  const auto over = static_cast<std::uint32_t>(std::min<std::uint64_t>(machine().aio_max_nr + 1, 4194305));
  struct Attempt {
    const char* what;
    int error;
    std::uint32_t nr;
    Address variable;
    rlim_t address_space;
  };
  std::vector<Attempt> attempts{
      {"a variable that cannot be read", EFAULT, 37, arena::kNoAccess, RLIM_INFINITY},
      {"no events", EINVAL, 0, arena::context_slot(0), RLIM_INFINITY},
      {"a variable that is not zero", EINVAL, 37, arena::context_slot(1), RLIM_INFINITY},
      {"too large a ring", EINVAL, 4194305, arena::context_slot(0), RLIM_INFINITY},
      {"more than fs.aio-max-nr", over == 4194305 ? EINVAL : EAGAIN, over, arena::context_slot(0), RLIM_INFINITY},
      {"no address space", ENOMEM, 37, arena::context_slot(0), 1},
  };
  // Before 4.10 this left a context behind.
  if (kind() != EntryKind::kCompat || since(4, 10)) {
    attempts.push_back({"a variable that cannot be written", EFAULT, 37, read_only, RLIM_INFINITY});
  }
  for (const Attempt& each : attempts) {
    Answer answer{};
    const auto change = change_of(entry(), 0, [&] {
      limit(RLIMIT_AS, each.address_space);
      answer = io_setup(each.nr, each.variable);
      limit(RLIMIT_AS, RLIM_INFINITY);
    });
    ASSERT_ERROR(each.error, answer) << each.what;
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, 0) << each.what;
  }
}

SUITE_TEST(limits, an_io_destroy_that_fails_gives_nothing_back,
           {.holds = {"io_destroy.failure_keeps_aio_nr"}, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  const std::uint64_t ctx = setup(353);
  const std::uint64_t gone = setup(37, 1);
  ASSERT_RETURNS(0, io_destroy(gone));
  ring(ctx).id = 7;
  for (const std::uint64_t bad : {ctx, gone, std::uint64_t{arena::kBuffers}}) {
    Answer answer{};
    const auto change = change_of(entry(), 0, [&] { answer = io_destroy(bad); });
    ASSERT_ERROR(EINVAL, answer);
    if (!change) skip(kDisturbed);
    EXPECT_EQ(*change, 0);
  }
}

SUITE_TEST(limits, a_lost_ring_counts_until_the_process_ends,
           {.holds = {"limits.unmapped_ring_counts_until_exit"}, .entries = kRawEntries, .alone = true}) {
  if (!can_read(kAioNr)) skip(kNoAioNr);
  const std::int64_t wanted = share(353, profile(), machine());
  std::optional<Holder> holder;
  const auto make = [&] {
    holder.emplace([&] {
      const std::uint64_t ctx = setup(353);
      ::munmap(&ring(ctx), ring_bytes(ring(ctx).nr));
      io_destroy(ctx);
    });
    require(testing::AssertionResult(holder->ready()));
  };
  const auto end = [&] { require(testing::AssertionResult(holder->let_go())); };
  auto change = change_of(entry(), wanted, make, end);
  if (!change) skip(kDisturbed);
  EXPECT_EQ(*change, wanted) << "io_setup, munmap, io_destroy";
  make();
  change = change_of(entry(), -wanted, end, make);
  if (!change) skip(kDisturbed);
  EXPECT_EQ(*change, -wanted) << "exit";
}

SUITE_TEST(limits, requests_need_no_descriptor_and_no_memory_of_the_process,
           {.holds = {"limits.requests_need_none_of_the_process"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("limits", machine().direct ? O_DIRECT : 0);
  const Descriptor counter = eventfd();
  const std::uint64_t bytes = machine().page_size;
  const Address page = map(bytes);
  signal(prepare(0, kPread, data.get(), page, bytes), counter.get());
  const Address pointers = list({arena::iocb_slot(0)});
  const Address patience = timeout(5, 0);
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_MEMLOCK, 0);
  limit(RLIMIT_DATA, 0);
  limit(RLIMIT_AS, 1);
  const Answer submitted = io_submit(ctx, 1, pointers);
  const Answer collected = io_getevents(ctx, 1, 1, arena::kEvents, patience);
  const Answer destroyed = io_destroy(ctx);
  limit(RLIMIT_AS, RLIM_INFINITY);
  limit(RLIMIT_DATA, RLIM_INFINITY);
  EXPECT_RETURNS(1, submitted);
  EXPECT_RETURNS(1, collected);
  EXPECT_EQ(event(0).res, 6);
  EXPECT_EQ(get(page, 6), "limits");
  EXPECT_EQ(drain(counter.get()), 1u);
  EXPECT_RETURNS(0, destroyed);
}

SUITE_TEST(limits, a_process_with_too_many_mappings_gets_no_ring,
           {.holds = {"limits.map_count_is_enomem"}, .entries = kNativeOnly}) {
  std::uint64_t most = 0;
  if (!(std::ifstream("/proc/sys/vm/max_map_count") >> most)) skip("vm.max_map_count cannot be read");
  if (most > 200000) skip("vm.max_map_count is too high to reach");
  const std::size_t page = machine().page_size;
  const std::size_t size = 2 * (most + 10) * page;
  char* const region =
      static_cast<char*>(::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  ASSERT_TRUE(region != MAP_FAILED);
  // Every second page gets another protection, so each is a mapping of its own.
  for (char* at = region; at < region + size && ::mprotect(at, page, PROT_READ) == 0; at += 2 * page) {
  }
  // What splits leave free.
  for (unsigned i = 0; i < 10; ++i) {
    const int protection = i % 2 == 0 ? PROT_WRITE : PROT_READ;
    if (::mmap(nullptr, page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
  }
  const Answer answer = io_setup(1, arena::context_slot(0));
  ::munmap(region, size);
  EXPECT_ERROR(ENOMEM, answer);
  EXPECT_EQ(at<std::uint64_t>(arena::context_slot(0)), 0u);
  EXPECT_EQ(ring(setup()).id, 0u);
}

}  // namespace aio::suites
