// SPDX-License-Identifier: GPL-2.0-or-later
//
// What poll says of each file, which wake-ups are sent, and when the last reference to a file goes.
#include <gtest/gtest.h>

#include <functional>

#include "reference/files_harness.h"

namespace aio {
namespace {

using arena::kBuffers;

constexpr std::uint16_t kReadable = kPollIn | kPollRdnorm;
constexpr std::uint16_t kWritable = kPollOut | kPollWrnorm;
constexpr std::uint16_t kSocketIdle = kWritable | kPollWrband;

using H = FilesHarness;
struct Mask {
  const char* what;
  std::function<void(H&)> before;
  Fd fd;
  unsigned mask;
};

TEST(FilesPoll, masks_follow_what_was_done) {
  const Mask masks[] = {
      {"empty pipe", [](H&) {}, Fd::kPipeRead, 0},
      {"empty pipe, write end", [](H&) {}, Fd::kPipeWrite, kWritable},
      {"pipe with bytes", [](H& h) { h.write(Fd::kPipeWrite, 1); }, Fd::kPipeRead, kReadable},
      {"pipe of one page with bytes, write end", [](H& h) { h.write(Fd::kPipeWrite, 1); }, Fd::kPipeWrite, 0},
      {"pipe without writer", [](H& h) { h.close(Fd::kPipeWrite); }, Fd::kPipeRead, kPollHup},
      {"pipe without reader", [](H& h) { h.close(Fd::kPipeRead); }, Fd::kPipeWrite, kWritable | kPollErr},
      {"eventfd of 0", [](H&) {}, Fd::kEvent, kPollOut},
      {"eventfd of 1", [](H& h) { h.files.add(Fd::kEvent, 1); }, Fd::kEvent, kPollIn | kPollOut},
      {"eventfd, one below the most", [](H& h) { h.files.add(Fd::kEvent, ~0ull - 1); }, Fd::kEvent, kPollIn},
      {"eventfd, two below the most", [](H& h) { h.files.add(Fd::kEvent, ~0ull - 2); }, Fd::kEvent, kPollIn | kPollOut},
      {"eventfd of the most",
       [](H& h) {
         h.files.add(Fd::kEvent, ~0ull - 1);
         h.files.signal(Fd::kEvent, h.rules);
       },
       Fd::kEvent, kPollIn | kPollErr},
      {"socket", [](H&) {}, Fd::kSocket0, kSocketIdle},
      {"socket with bytes", [](H& h) { h.write(Fd::kSocket1, 1); }, Fd::kSocket0, kSocketIdle | kReadable},
      {"socket with its own bytes unread", [](H& h) { h.write(Fd::kSocket0, 1); }, Fd::kSocket0, kSocketIdle},
      {"socket without peer", [](H& h) { h.close(Fd::kSocket1); }, Fd::kSocket0,
       kSocketIdle | kReadable | kPollHup | kPollRdhup},
      {"socket that was reset",
       [](H& h) {
         h.write(Fd::kSocket0, 1);
         h.close(Fd::kSocket1);
       },
       Fd::kSocket0, kSocketIdle | kReadable | kPollHup | kPollRdhup | kPollErr},
      {"regular file", [](H&) {}, Fd::kFile, kReadable | kWritable},
      {"directory", [](H&) {}, Fd::kDirectory, kReadable | kWritable},
      {"null", [](H&) {}, Fd::kNull, kReadable | kWritable},
  };
  for (const Mask& each : masks) {
    FilesHarness h;
    each.before(h);
    EXPECT_EQ(h.files.poll_mask(each.fd), each.mask) << each.what;
    const FileKind kind = traits(each.fd).kind;
    const bool queue = kind == FileKind::kPipe || kind == FileKind::kEventfd || kind == FileKind::kSocket;
    EXPECT_EQ(h.files.has_queue(each.fd), queue) << each.what;
  }
}

// The keys of the wake-ups on the queue of a descriptor since the last look.
std::vector<unsigned> keys(FilesHarness& h, Fd fd) {
  std::vector<unsigned> found;
  for (const Wake& wake : h.files.take_wakes()) {
    if (wake.queue == h.files.queue_of(fd)) found.push_back(wake.key);
  }
  return found;
}

using Keys = std::vector<unsigned>;

TEST(FilesPoll, writes_wake_readers_with_the_key_of_their_kind) {
  FilesHarness h;
  h.write(Fd::kPipeWrite, 1);
  EXPECT_EQ(keys(h, Fd::kPipeRead), Keys{0x41});
  h.write(Fd::kSocket1, 1);
  EXPECT_EQ(keys(h, Fd::kSocket0), Keys{0xc3});
  h.files.add(Fd::kEvent, 1);
  EXPECT_EQ(keys(h, Fd::kEvent), Keys{0x1});
  h.files.signal(Fd::kEvent, h.rules);
  EXPECT_EQ(keys(h, Fd::kEvent), Keys{0x1});
  h.read(Fd::kEvent, 8);
  EXPECT_EQ(keys(h, Fd::kEvent), Keys{0x4});
  h.write(Fd::kNull, 8);
  EXPECT_TRUE(h.files.take_wakes().empty());
}

TEST(FilesPoll, a_write_to_a_pipe_with_bytes_wakes_only_once_its_reader_was_polled) {
  for (const bool polled : {false, true}) {
    FilesHarness h;
    h.write(Fd::kNbPipeWrite, 1);
    if (polled) h.files.note_polled(Fd::kNbPipeRead);
    h.files.take_wakes();
    h.write(Fd::kNbPipeWrite, 1);
    EXPECT_EQ(keys(h, Fd::kNbPipeRead), polled ? Keys{0x41} : Keys{});
    h.write(Fd::kNbPipeWrite, 4096);
    EXPECT_EQ(keys(h, Fd::kNbPipeRead), polled ? Keys{0x41} : Keys{}) << "even if nothing fits";
  }
}

TEST(FilesPoll, a_read_wakes_writers_once_a_page_is_free) {
  for (const auto& [name, any_read] : {std::pair{"6.12", true}, std::pair{"6.14", false}}) {
    SCOPED_TRACE(name);
    FilesHarness h(*find_profile(name));
    h.write(Fd::kPipeWrite, 4096);
    h.files.take_wakes();
    h.read(Fd::kPipeRead, 4000);
    EXPECT_EQ(keys(h, Fd::kPipeWrite), any_read ? Keys{0x104} : Keys{});
    h.read(Fd::kPipeRead, 96);
    EXPECT_EQ(keys(h, Fd::kPipeWrite), Keys{0x104});
    h.read(Fd::kPipeRead, 1);
    EXPECT_EQ(keys(h, Fd::kPipeWrite), Keys{});
  }
}

TEST(FilesPoll, a_closed_end_wakes_the_other_without_a_key) {
  for (const auto& [closed, other] :
       {std::pair{Fd::kPipeWrite, Fd::kPipeRead}, {Fd::kNbPipeRead, Fd::kNbPipeWrite}, {Fd::kSocket1, Fd::kSocket0}}) {
    FilesHarness h;
    h.close(closed);
    EXPECT_EQ(h.files.hung_up(), std::vector<Fd>{other});
    EXPECT_EQ(keys(h, other), Keys{0});
    h.close(other);
    EXPECT_EQ(keys(h, closed), Keys{}) << "nobody is left";
  }
}

TEST(FilesPoll, a_file_ends_with_its_last_reference_and_not_with_its_number) {
  FilesHarness h;
  h.files.hold(Fd::kPipeWrite);
  h.files.close(Fd::kPipeWrite);
  EXPECT_FALSE(h.files.number_open(Fd::kPipeWrite));
  EXPECT_FALSE(h.files.usable(Fd::kPipeWrite));
  EXPECT_FALSE(h.files.release_unused());
  EXPECT_EQ(h.files.poll_mask(Fd::kPipeRead), 0);
  EXPECT_FALSE(h.files.end_will_show(Fd::kPipeRead));
  h.files.drop(Fd::kPipeWrite);
  EXPECT_EQ(h.files.poll_mask(Fd::kPipeRead), 0) << "the end comes when the call ends";
  EXPECT_TRUE(h.files.release_unused());
  EXPECT_EQ(h.files.poll_mask(Fd::kPipeRead), kPollHup);
  EXPECT_TRUE(h.files.end_will_show(Fd::kPipeRead));
  EXPECT_FALSE(h.files.release_unused());
}

TEST(FilesPoll, a_reference_to_an_open_number_ends_nothing) {
  FilesHarness h;
  h.files.hold(Fd::kSocket0);
  EXPECT_EQ(h.files.held(Fd::kSocket0), 1u);
  h.files.drop(Fd::kSocket0);
  EXPECT_FALSE(h.files.release_unused());
  h.files.close(Fd::kSocket0);
  h.files.close(Fd::kSocket0);
  EXPECT_TRUE(h.files.release_unused());
  EXPECT_EQ(h.files.hung_up(), std::vector<Fd>{Fd::kSocket1});
}

TEST(FilesPoll, only_what_was_opened_is_usable) {
  Machine machine = tmpfs_machine();
  machine.direct = false;
  FilesHarness h(profiles().back(), machine);
  for (const Fd fd : {Fd::kClosed, Fd::kNever, Fd::kMinusOne, Fd::kPath, Fd::kDirect}) {
    EXPECT_FALSE(h.files.usable(fd)) << fd_name(fd);
  }
  EXPECT_TRUE(h.files.number_open(Fd::kPath));
  EXPECT_TRUE(h.files.usable(Fd::kDirectory));
  h.files.reset({});
  for (unsigned fd = 0; fd < kFdCount; ++fd) EXPECT_FALSE(h.files.number_open(static_cast<Fd>(fd)));
}

TEST(FilesPoll, a_new_case_starts_with_fresh_files) {
  FilesHarness h;
  h.write(Fd::kPipeWrite, 1);
  h.write(Fd::kSocket0, 1);
  h.write(Fd::kFile, 1, {9000});
  h.files.add(Fd::kEvent, 1);
  h.close(Fd::kNbPipeRead);
  std::bitset<kFdCount> all;
  h.files.reset(all.set());
  EXPECT_EQ(h.files.poll_mask(Fd::kPipeRead), 0);
  EXPECT_EQ(h.files.poll_mask(Fd::kSocket1), kSocketIdle);
  EXPECT_EQ(h.files.poll_mask(Fd::kNbPipeWrite), kWritable);
  EXPECT_EQ(h.files.counter(0), 0u);
  EXPECT_EQ(h.files.regular(0).content.size(), kFileSize);
  EXPECT_TRUE(h.files.take_wakes().empty());
  EXPECT_TRUE(h.files.hung_up().empty());
}

}  // namespace
}  // namespace aio
