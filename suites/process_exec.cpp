// SPDX-License-Identifier: GPL-2.0-or-later
//
// execve(2) in a process that has contexts.
// Claims: the contexts go with the old memory before the new program runs; an execve that fails leaves them alone.
// Provoked by a program of a few instructions, which says that it runs and then waits: what has happened by then is
// execve's doing and not an exit's.
// Not seen: what the new program finds at the old addresses.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>

#include "fixtures/tiny_program.h"
#include "fixtures/worker.h"
#include "suites/harness/case.h"

namespace aio::suites {
namespace {

// A child that does `work` and then runs the program.
class Program {
 public:
  explicit Program(const std::function<void()>& work) : image_(::memfd_create("program", MFD_CLOEXEC)) {
    const std::string bytes = tiny_program();
    int ends[4];
    if (!image_ || ::write(image_.get(), bytes.data(), bytes.size()) < 0 || ::pipe2(ends, O_CLOEXEC) != 0 ||
        ::pipe2(ends + 2, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot make a program");
    }
    output_ = Descriptor(ends[0]);
    input_ = Descriptor(ends[3]);
    const Descriptor its_output(ends[1]);
    const Descriptor its_input(ends[2]);
    worker_.emplace([&] {
      work();
      char name[] = "program";
      char* const arguments[] = {name, nullptr};
      if (::dup2(its_input.get(), 0) == 0 && ::dup2(its_output.get(), 1) == 1) {
        input_ = Descriptor();
        ::fexecve(image_.get(), arguments, arguments + 1);
      }
      return 1;
    });
  }

  // Whether it runs; false where it could not be executed.
  bool runs() const {
    char byte = 0;
    return ::read(output_.get(), &byte, 1) == 1;
  }
  bool has_ended() { return worker_->poll_exit().has_value(); }
  bool end() {
    input_ = Descriptor();
    return worker_->wait_exit(setting().patience) == 0;
  }

 private:
  Descriptor image_;
  Descriptor output_;
  Descriptor input_;
  std::optional<Worker> worker_;
};

constexpr const char* kNoProgram = "programs in memory cannot be executed here";

}  // namespace

SUITE_TEST(process_exec, pending_polls_signal_their_eventfds,
           {.holds = {"process.exec_ends_contexts"}, .needs = ">=4.19"}) {
  const Descriptor silent = eventfd();
  const Descriptor counter = eventfd();
  Program program([&] {
    const std::uint64_t ctx = setup();
    signal(prepare_poll(0, silent.get(), kPollIn), counter.get());
    submit(ctx, {0, 0, 0});
  });
  if (!program.runs()) skip(kNoProgram);
  EXPECT_EQ(drain(counter.get()), 3u);
  EXPECT_FALSE(program.has_ended());
  EXPECT_TRUE(program.end());
}

SUITE_TEST(process_exec, the_old_contexts_count_no_more,
           {.holds = {"process.exec_ends_contexts"}, .needs = ">=4.14", .alone = true}) {
  if (::access("/proc/sys/fs/aio-nr", R_OK) != 0) skip("there is no fs.aio-nr here");
  // What the number was more by than before while the program waited. Others use AIO too, so again and again.
  constexpr unsigned kTries = 40;
  std::map<std::int64_t, unsigned> seen;
  for (unsigned i = 0; i < kTries && seen[0] == 0; ++i) {
    const std::uint64_t before = entry().aio_nr();
    Program program([&] { setup(1009); });
    if (!program.runs()) skip(kNoProgram);
    ++seen[static_cast<std::int64_t>(entry().aio_nr() - before)];
    ASSERT_TRUE(program.end());
  }
  if (seen[0] != 0) return;
  const auto most = std::max_element(seen.begin(), seen.end(), [](auto& a, auto& b) { return a.second < b.second; });
  if (2 * most->second < kTries) skip("other processes keep changing fs.aio-nr");
  EXPECT_EQ(most->first, 0);
}

SUITE_TEST(process_exec, an_execve_that_fails_changes_nothing, {.holds = {"process.failed_exec_keeps_contexts"}}) {
  const std::uint64_t ctx = setup();
  const Descriptor data = file("x");
  const Descriptor bell = eventfd();
  const Descriptor counter = eventfd();
  prepare(0, kPread, data.get(), arena::kBuffers, 1);
  signal(prepare_poll(1, bell.get(), kPollIn), counter.get());
  if (since(4, 19)) {
    ASSERT_RETURNS(1, submit(ctx, {1}));
  }
  char name[] = "program";
  char* const arguments[] = {name, nullptr};
  for (const char* path : {"/nowhere/at/all", "/proc/self/maps", "/"}) {
    ASSERT_EQ(::execve(path, arguments, arguments + 1), -1);
    EXPECT_EQ(drain(counter.get()), 0u) << path;
    EXPECT_RETURNS(1, submit(ctx, {0})) << path;
    EXPECT_EQ(collect(ctx, 1).front().data, 100u) << path;
  }
  if (!since(4, 19)) return;
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(bell.get(), &one, sizeof one), 8);
  EXPECT_EQ(collect(ctx, 1).front().res, kPollIn);
}

}  // namespace aio::suites
