// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the tests of data integrity have in common: bytes that tell where and when they were written, queues of requests
// that several threads can have at once, and file systems on images beside the one that the run's directory is on.
#pragma once

#include <fcntl.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "suites/harness/case.h"
#include "suites/threads.h"

namespace aio::suites {

// What the free blocks of an image hold, so that it shows where they are exposed. No pattern has it.
inline constexpr char kStale = '\xaa';

// The bytes that generation `generation` of writes puts at this offset. Neighbouring blocks and generations differ;
// none is zero.
std::string pattern(std::uint64_t offset, std::size_t size, unsigned generation = 0);
// "" where they are equal, else where they begin to differ and how.
std::string difference(std::string_view wanted, std::string_view seen);
// "" where each byte is that of one of these generations, or zero unless that is excluded, else the first that is not.
enum class Zero { kToo, kNot };
std::string strange_byte(std::string_view seen, std::uint64_t offset, std::span<const unsigned> generations,
                         Zero zero = Zero::kToo);
// What read(2) finds there. `room` is memory of that length; what it holds before is not what was read.
std::string read_at(int fd, std::uint64_t offset, Address room, std::size_t length);

struct Piece {
  Opcode opcode = kPwrite;
  int fd = -1;
  Address buf = 0;
  std::uint64_t length = 0;
  std::int64_t offset = 0;
  // What it must move: all of it, unless the file ends before.
  std::optional<std::uint64_t> moved = std::nullopt;
};

// A context with its share of the arena's iocbs, pointers and events, to be used by one thread.
class Queue {
 public:
  // The `share`th of `shares` equal shares.
  Queue(Entry& entry, EntryKind kind, std::uint64_t ctx, unsigned share = 0, unsigned shares = 1);

  // Most requests at a time.
  unsigned depth() const { return depth_; }
  void prepare(unsigned slot, const Piece& piece);
  Answer submit(std::span<const unsigned> slots);
  // Takes events: at least that many, if they come before the patience is over.
  std::vector<Event> collect(unsigned least);
  // The slot of this event's request; depth() where it is none of this queue's.
  unsigned slot_of(const Event& event) const;
  // What is wrong with the event of a transfer that was prepared here.
  Troubles judge(const Event& event) const;
  // Does all of them, `in_flight` at a time: each completes once and moves what it must.
  Troubles perform(std::span<const Piece> pieces, unsigned in_flight);

 private:
  Iocb& iocb(unsigned slot) const { return *reinterpret_cast<Iocb*>(arena::iocb_slot(first_ + slot)); }

  Entry& entry_;
  EntryKind kind_;
  std::uint64_t ctx_;
  unsigned share_;
  unsigned depth_;
  unsigned first_;                    // of its iocbs
  std::vector<std::uint64_t> moved_;  // what each slot's transfer must move
};

// How a file is opened, beside O_RDWR.
struct Mode {
  const char* name;
  int flags;
};

class DataCase : public Case {
 protected:
  // Those of the four that the file system knows: buffered, O_SYNC, O_DIRECT, O_DIRECT | O_SYNC.
  static std::vector<Mode> modes();
  // Ends the test where the file system knows no O_DIRECT.
  static void require_direct();
  // Of offsets and lengths of direct transfers.
  static std::uint64_t direct_unit() { return std::max<std::uint64_t>(machine().direct_align, 512); }
  // The file once more, with flags of its own.
  static Descriptor open_again(const Descriptor& file, int flags = 0, int access = O_RDWR);
  // Whether direct requests may meet in one block. Before 5.1 (372a03e01853, 2032a8a27b5c) ext4 and xfs lose bytes.
  static bool may_share_blocks(const Mode& mode) { return (mode.flags & O_DIRECT) == 0 || since(5, 1); }
  // That many queues with a context each.
  std::vector<Queue> queues(unsigned count, unsigned nr = 64);
  // Runs it in so many threads at once, each on a CPU of its own as far as there are any, and blames what they report.
  void in_threads(unsigned count, const std::function<Troubles(unsigned thread)>& body);
  // Ends the test if there is any.
  static void blame(const Troubles& troubles);
};

enum class FileSystem { kExt4, kXfs, kBtrfs };

// From now on the run's directory of this process is the top of a new file system on an image. nullptr, or why there
// can be none.
const char* move_to_image(FileSystem kind);
// Gives it back.
void leave_image();

// A test on such a file system.
template <class Test, FileSystem Kind>
class OnImage final : public Test {
  struct Leaving {
    ~Leaving() { leave_image(); }
  };
  void run() override {
    if (const char* const why = move_to_image(Kind)) Test::skip(why);
    const Leaving at_the_end;
    Test::run();
  }
};

// What every transfer is held against.
About with_rules_of_transfers(About about);

template <class Test>
bool add_data_test(const char* (&&names)[4], const char* file, int line, const About& given) {
  About about = with_rules_of_transfers(given);
  add_test({"data", names[0], file, line, about, []() -> Case* { return new Test; }});
  // The file system is the same behind all entries.
  about.entries = kNativeOnly;
  about.alone = true;
  about.changes_system = true;
  add_test({"data", names[1], file, line, about, []() -> Case* { return new OnImage<Test, FileSystem::kExt4>; }});
  add_test({"data", names[2], file, line, about, []() -> Case* { return new OnImage<Test, FileSystem::kXfs>; }});
  add_test({"data", names[3], file, line, about, []() -> Case* { return new OnImage<Test, FileSystem::kBtrfs>; }});
  return true;
}

}  // namespace aio::suites

// Tests of the suite `data`: in the run's directory, and on images of three file systems.
#define DATA_TEST(name, ...)                                                                                   \
  namespace {                                                                                                  \
  class data_##name : public ::aio::suites::DataCase {                                                         \
   protected:                                                                                                  \
    void run() override;                                                                                       \
  };                                                                                                           \
  [[maybe_unused]] const bool data_##name##_added =                                                            \
      ::aio::suites::add_data_test<data_##name>({#name, #name "_on_ext4", #name "_on_xfs", #name "_on_btrfs"}, \
                                                __FILE__, __LINE__, ::aio::suites::About __VA_ARGS__);         \
  }                                                                                                            \
  void data_##name::run()
