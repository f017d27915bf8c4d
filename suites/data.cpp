// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity: what AIO writes is what is read afterwards.
// Claims: whatever the length, number in flight, way of opening, alignment, state of the blocks and number of threads,
// a file holds exactly the bytes that were written, and the bytes around them are as they were.
// Provoked by a table of all of these, and by copies of a file in which each read is followed by its write.
// Not seen: what a crash of the machine or a broken device leaves behind.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

enum class Blocks { kHole, kUnwritten, kWritten, kPastEnd };
constexpr Blocks kStates[] = {Blocks::kHole, Blocks::kUnwritten, Blocks::kWritten, Blocks::kPastEnd};
constexpr const char* kStateNames[] = {"hole", "unwritten", "written", "past the end"};

constexpr std::uint64_t kLengths[] = {512, 1024, 4096, 8192, 65536, 262144};
constexpr unsigned kInFlight[] = {1, 2, 8, 64};
constexpr unsigned kThreads[] = {1, 2, 4};
constexpr std::uint64_t kMostBytes = 1 << 20;
constexpr std::uint64_t kMostPieces = 96;

// Pieces of one length, with as many bytes between one and the next.
struct Layout {
  Blocks blocks;
  unsigned threads;
  unsigned in_flight;
  std::uint64_t length;
  std::uint64_t shift;  // of the first one

  std::uint64_t count() const {
    const std::uint64_t most = std::clamp<std::uint64_t>(kMostBytes / (2 * length), threads, kMostPieces);
    return std::min(most, std::uint64_t{2} * in_flight * threads);
  }
  std::uint64_t offset(std::uint64_t piece) const { return shift + 2 * length * piece; }
  std::uint64_t end() const { return offset(count() - 1) + length; }
  // Each thread has every so many of them. In memory they lie back to back.
  std::vector<Piece> pieces(unsigned thread, Opcode opcode, int fd, Address memory) const {
    std::vector<Piece> mine;
    for (std::uint64_t i = thread; i < count(); i += threads) {
      mine.push_back({opcode, fd, memory + length * i, length, static_cast<std::int64_t>(offset(i))});
    }
    return mine;
  }
  std::string text(const Mode& mode) const {
    return fmt::format("{}, {}: {} x {} bytes from {} on, {} in flight, {} thread(s)", mode.name,
                       kStateNames[static_cast<unsigned>(blocks)], count(), length, shift, in_flight, threads);
  }
};

// Every state with every number of threads, aligned and not; lengths and numbers in flight go round beside them, so
// that each meets each of the others. `unit` is that of direct transfers, 0 where there is none.
std::vector<Layout> layouts(std::uint64_t unit) {
  std::vector<Layout> all;
  for (const Blocks blocks : kStates) {
    for (const bool aligned : {true, false}) {
      for (const unsigned threads : kThreads) {
        const std::size_t round = all.size();
        const std::uint64_t length = std::max(kLengths[round % std::size(kLengths)], unit);
        const unsigned in_flight = kInFlight[(round + round / std::size(kLengths)) % std::size(kInFlight)];
        all.push_back({blocks, threads, in_flight, length, 0});
        if (aligned) continue;
        all.back().shift = unit != 0 ? unit : 5;
        if (unit == 0) all.back().length -= 13;
      }
    }
  }
  return all;
}

// What the file holds before. False where the file system cannot do that.
bool make_blocks(const Layout& layout, int fd, std::string& bytes) {
  const auto size = static_cast<off_t>(layout.end());
  bool made = true;
  switch (layout.blocks) {
    case Blocks::kHole:
      made = ::ftruncate(fd, size) == 0;
      bytes.assign(layout.end(), '\0');
      break;
    case Blocks::kUnwritten:
      made = ::fallocate(fd, 0, 0, size) == 0;
      if (!made && errno == EOPNOTSUPP) return false;
      bytes.assign(layout.end(), '\0');
      break;
    case Blocks::kWritten:
      bytes = pattern(0, layout.end() + 777, 1);
      made = ::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
      break;
    case Blocks::kPastEnd:
      bytes.clear();
  }
  if (!made) throw std::system_error(errno, std::generic_category(), "cannot prepare a file");
  return true;
}

// What the writes make of it; fills the memory that they come from.
void write_over(const Layout& layout, Address memory, std::string& bytes) {
  bytes.resize(std::max<std::size_t>(bytes.size(), layout.end()));
  for (std::uint64_t i = 0; i < layout.count(); ++i) {
    const std::string piece = pattern(layout.offset(i), layout.length, 2);
    std::copy(piece.begin(), piece.end(), reinterpret_cast<char*>(memory + layout.length * i));
    bytes.replace(layout.offset(i), layout.length, piece);
  }
}

constexpr std::uint64_t kCopyLengths[] = {1 << 10,  2 << 10,  4 << 10,   8 << 10,   16 << 10,
                                          32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10};
constexpr unsigned kCopiesInFlight[] = {1, 2, 4, 8, 16, 32, 64};
constexpr std::uint64_t kSyncedFrom = 64 << 10;  // fsync takes its time

struct Copy {
  int from;
  int to;
  std::uint64_t size;
  std::uint64_t length;
  unsigned in_flight;
  bool synced;  // after each write, by fsync(2)
};

// Each slot reads a block, writes it, and goes on with the next that nobody has taken.
Troubles make_copy(Queue& queue, const Copy& copy, Address memory) {
  std::vector<Piece> pieces(copy.in_flight);
  std::uint64_t taken = 0;
  std::vector<bool> busy(copy.in_flight);
  const auto submit = [&](unsigned slot) -> Troubles {
    queue.prepare(slot, pieces[slot]);
    const Answer answer = queue.submit(std::span(&slot, 1));
    if (answer.value != 1) return {{"io_submit.returns_number_accepted", "io_submit of one: " + answer_text(answer)}};
    busy[slot] = true;
    return {};
  };
  const auto read_next = [&](unsigned slot) -> Troubles {
    if (taken >= copy.size) return {};
    const std::uint64_t length = std::min(copy.length, copy.size - taken);
    pieces[slot] = {kPread, copy.from, memory + copy.length * slot, length, static_cast<std::int64_t>(taken)};
    taken += length;
    return submit(slot);
  };
  for (unsigned slot = 0; slot < copy.in_flight; ++slot) {
    if (Troubles wrong = read_next(slot); !wrong.empty()) return wrong;
  }
  while (std::find(busy.begin(), busy.end(), true) != busy.end()) {
    const std::vector<Event> events = queue.collect(1);
    if (events.empty()) return {{"event.one_for_every_request", "no event for a read or write"}};
    for (const Event& event : events) {
      if (Troubles wrong = queue.judge(event); !wrong.empty()) return wrong;
      const unsigned slot = queue.slot_of(event);
      if (!busy[slot]) return {{"event.none_without_request", "a second event of one request"}};
      busy[slot] = false;
      const bool was_read = pieces[slot].opcode == kPread;
      if (!was_read && copy.synced && ::fsync(copy.to) != 0) return {{"data.fsync_after_write", "fsync(2) fails"}};
      pieces[slot].opcode = kPwrite;
      pieces[slot].fd = copy.to;
      if (Troubles wrong = was_read ? submit(slot) : read_next(slot); !wrong.empty()) return wrong;
    }
  }
  return {};
}

}  // namespace

DATA_TEST(written_bytes_are_read_back, {.holds = {"data.written_bytes_are_read_back"}}) {
  const Address memory = map(2 * kMostBytes);
  std::map<unsigned, std::vector<Queue>> all;
  for (const unsigned threads : kThreads) all.emplace(threads, queues(threads));
  for (const Mode& mode : modes()) {
    for (const Layout& layout : layouts((mode.flags & O_DIRECT) != 0 ? direct_unit() : 0)) {
      if (layout.shift != 0 && !may_share_blocks(mode)) continue;
      const Descriptor plain = file();
      const Descriptor fd = open_again(plain, mode.flags);
      std::string wanted;
      if (!make_blocks(layout, plain.get(), wanted)) continue;
      write_over(layout, memory, wanted);
      const auto perform = [&](Opcode opcode) {
        in_threads(layout.threads, [&](unsigned thread) {
          return all.at(layout.threads)[thread].perform(layout.pieces(thread, opcode, fd.get(), memory),
                                                        layout.in_flight);
        });
      };
      perform(kPwrite);
      ASSERT_EQ(difference(wanted, content(plain.get())), "") << layout.text(mode);
      std::fill_n(reinterpret_cast<char*>(memory), layout.length * layout.count(), kStale);
      perform(kPread);
      for (std::uint64_t i = 0; i < layout.count(); ++i) {
        const std::string seen = get(memory + layout.length * i, layout.length);
        ASSERT_EQ(difference(pattern(layout.offset(i), layout.length, 2), seen), "") << layout.text(mode) << ", read";
      }
    }
  }
}

DATA_TEST(a_copy_is_like_its_source, {.holds = {"data.copy_is_like_its_source", "data.fsync_after_write"}}) {
  const Address memory = map(64 * kCopyLengths[std::size(kCopyLengths) - 1]);
  Queue queue = queues(1).front();
  const std::string bytes = pattern(0, kMostBytes);
  for (const Mode& mode : modes()) {
    const bool direct = (mode.flags & O_DIRECT) != 0;
    const Descriptor original = file(bytes);
    const Descriptor source = open_again(original, mode.flags, O_RDONLY);
    for (const std::uint64_t length : kCopyLengths) {
      if (direct && length < direct_unit()) continue;
      for (const unsigned in_flight : kCopiesInFlight) {
        const Descriptor plain = file();
        const Descriptor target = open_again(plain, mode.flags, O_WRONLY);
        // Two blocks a slot, or one where writes take their time; buffered copies end within a block.
        const std::uint64_t blocks = (mode.flags & O_SYNC) != 0 ? in_flight : 2 * in_flight;
        const std::uint64_t size = std::min(kMostBytes, length * blocks) - (direct ? 0 : 100);
        blame(make_copy(queue, {source.get(), target.get(), size, length, in_flight, direct && length >= kSyncedFrom},
                        memory));
        claim("data.copy_is_like_its_source");
        ASSERT_EQ(difference(std::string_view(bytes).substr(0, size), content(plain.get())), "")
            << fmt::format("{}: {} bytes, blocks of {}, {} in flight", mode.name, size, length, in_flight);
      }
    }
  }
}

}  // namespace aio::suites
