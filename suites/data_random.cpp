// SPDX-License-Identifier: GPL-2.0-or-later
//
// Data integrity of a file to which everything happens in turn.
// Claims: after any sequence of AIO batches, truncations, allocations, holes punched, and reads and writes by mapping
// and by plain calls, the file is what an image of it in memory is.
// Provoked by sequences drawn from fixed seeds; the requests of a batch are in flight together and do not overlap.
// Not seen: what more than one process does at a time (data_ends.cpp, data_stress.cpp).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <system_error>

#include "suites/data_case.h"

namespace aio::suites {
namespace {

constexpr std::uint64_t kMostBytes = 256 << 10;
constexpr std::uint64_t kMostOfBatch = 16;
constexpr unsigned kSteps = 300;
constexpr unsigned kSyncedSteps = 60;  // whose writes take their time
constexpr unsigned kSeeds[] = {1, 2};

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t length() const { return end - begin; }
};

// A file, its image, and what is done to both.
class Exerciser {
 public:
  Exerciser(unsigned seed, std::uint64_t unit, int plain, int fd, Queue& queue, Address memory)
      : random_(seed), unit_(unit), plain_(plain), fd_(fd), queue_(queue), memory_(memory) {}

  Troubles step() {
    ++generation_;
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return write();
      case 3:
      case 4:
      case 5:
        return read();
      case 6:
        return truncate();
      case 7:
        return below(2) == 0 ? allocate() : punch();
      case 8:
        return map();
      default:
        return call();
    }
  }
  Troubles whole_file() const {
    std::string seen(kMostBytes + 1, kStale);
    const ssize_t got = ::pread(plain_, seen.data(), seen.size(), 0);
    seen.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return compare(image_, seen, "the whole file");
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  // Of the file, a multiple of `unit` at both ends.
  Range range(std::uint64_t begin, std::uint64_t end, std::uint64_t unit) {
    const std::uint64_t first = begin + below(end - begin) / unit * unit;
    return {first, std::min(end, first + (1 + below(64 << 10) / unit) * unit)};
  }
  // Some that do not overlap.
  std::vector<Range> batch() {
    std::vector<Range> ranges;
    const std::uint64_t share = kMostBytes / (1 + below(kMostOfBatch)) / unit_ * unit_;
    for (std::uint64_t at = 0; at + share <= kMostBytes; at += share) {
      if (below(4) != 0) ranges.push_back(range(at, at + share, unit_));
    }
    std::shuffle(ranges.begin(), ranges.end(), random_);
    return ranges;
  }
  std::uint64_t there(const Range& range) const {
    return image_.size() > range.begin ? std::min(range.length(), image_.size() - range.begin) : 0;
  }
  static Troubles compare(std::string_view wanted, std::string_view seen, std::string_view what) {
    const std::string wrong = difference(wanted, seen);
    if (wrong.empty()) return {};
    return {{"data.file_follows_every_sequence", fmt::format("{}: {}", what, wrong)}};
  }
  static Troubles trouble(const char* what) { throw std::system_error(errno, std::generic_category(), what); }
  void store(const Range& range) {
    if (image_.size() < range.end) image_.resize(range.end);
    image_.replace(range.begin, range.length(), pattern(range.begin, range.length(), generation_));
  }

  Troubles write() {
    std::vector<Piece> pieces;
    for (const Range& each : batch()) {
      const Address at = memory_ + each.begin;
      store(each);
      std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(each.begin), each.length(), reinterpret_cast<char*>(at));
      pieces.push_back({kPwrite, fd_, at, each.length(), static_cast<std::int64_t>(each.begin)});
    }
    return queue_.perform(pieces, kMostOfBatch);
  }
  Troubles read() {
    std::fill_n(reinterpret_cast<char*>(memory_), kMostBytes, kStale);
    std::vector<Piece> pieces;
    for (const Range& each : batch()) {
      pieces.push_back(
          {kPread, fd_, memory_ + each.begin, each.length(), static_cast<std::int64_t>(each.begin), there(each)});
    }
    if (Troubles wrong = queue_.perform(pieces, kMostOfBatch); !wrong.empty()) return wrong;
    for (const Piece& each : pieces) {
      const auto begin = static_cast<std::uint64_t>(each.offset);
      const std::string_view seen(reinterpret_cast<const char*>(each.buf), *each.moved);
      Troubles wrong = compare(*each.moved == 0 ? "" : std::string_view(image_).substr(begin, *each.moved), seen,
                               fmt::format("a read from {}", begin));
      if (!wrong.empty()) return wrong;
    }
    return {};
  }
  Troubles truncate() {
    image_.resize(below(kMostBytes));
    return ::ftruncate(plain_, static_cast<off_t>(image_.size())) == 0 ? Troubles{} : trouble("cannot truncate");
  }
  Troubles allocate() {
    const Range each = range(0, kMostBytes, 1);
    const bool keep = below(2) == 0;
    if (::fallocate(plain_, keep ? FALLOC_FL_KEEP_SIZE : 0, static_cast<off_t>(each.begin),
                    static_cast<off_t>(each.length())) != 0) {
      return errno == EOPNOTSUPP ? Troubles{} : trouble("cannot allocate");
    }
    if (!keep && image_.size() < each.end) image_.resize(each.end);
    return {};
  }
  Troubles punch() {
    const Range each = range(0, kMostBytes, 1);
    if (::fallocate(plain_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(each.begin),
                    static_cast<off_t>(each.length())) != 0) {
      return errno == EOPNOTSUPP ? Troubles{} : trouble("cannot punch a hole");
    }
    if (each.begin < image_.size()) {
      std::fill_n(image_.begin() + static_cast<std::ptrdiff_t>(each.begin), there(each), '\0');
    }
    return {};
  }
  Troubles map() {
    if (image_.empty()) return {};
    void* const at = ::mmap(nullptr, image_.size(), PROT_READ | PROT_WRITE, MAP_SHARED, plain_, 0);
    if (at == MAP_FAILED) return trouble("cannot map a file");
    auto* const bytes = static_cast<char*>(at);
    Troubles wrong = compare(image_, {bytes, image_.size()}, "a mapping");
    Range each = range(0, image_.size(), 1);
    store(each);
    std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(each.begin), each.length(), bytes + each.begin);
    ::munmap(at, image_.size());
    return wrong;
  }
  Troubles call() {
    const Range each = range(0, kMostBytes, 1);
    std::string bytes(each.length(), kStale);
    if (below(2) == 0) {
      const ssize_t got = ::pread(plain_, bytes.data(), bytes.size(), static_cast<off_t>(each.begin));
      if (got < 0) return trouble("cannot read");
      bytes.resize(static_cast<std::size_t>(got));
      return compare(there(each) == 0 ? "" : image_.substr(each.begin, there(each)), bytes, "read(2)");
    }
    store(each);
    const ssize_t put = ::pwrite(plain_, image_.data() + each.begin, each.length(), static_cast<off_t>(each.begin));
    return put == static_cast<ssize_t>(each.length()) ? Troubles{} : trouble("cannot write");
  }

  std::mt19937 random_;
  std::uint64_t unit_;  // of AIO's offsets and lengths
  int plain_;
  int fd_;
  Queue& queue_;
  Address memory_;  // kMostBytes
  std::string image_;
  unsigned generation_ = 0;
};

}  // namespace

DATA_TEST(a_file_follows_every_sequence, {.holds = {"data.file_follows_every_sequence"}}) {
  const Address memory = map(kMostBytes);
  Queue queue = queues(1).front();
  for (const Mode& mode : modes()) {
    for (const unsigned seed : kSeeds) {
      const Descriptor plain = file();
      const Descriptor fd = open_again(plain, mode.flags);
      const std::uint64_t unit = (mode.flags & O_DIRECT) != 0 ? direct_unit() : 1;
      Exerciser exerciser(seed, unit, plain.get(), fd.get(), queue, memory);
      for (unsigned i = 0; i < ((mode.flags & O_SYNC) != 0 ? kSyncedSteps : kSteps); ++i) {
        SCOPED_TRACE(fmt::format("{}, seed {}, step {}", mode.name, seed, i));
        blame(exerciser.step());
        if (i % 16 == 15) blame(exerciser.whole_file());
      }
    }
  }
}

DATA_TEST(a_misaligned_direct_transfer_is_einval,
          {.holds = {"data.misaligned_direct_transfer_is_result_einval", "data.misaligned_memory_is_result_einval"}}) {
  require_direct();
  if (machine().direct_align < 2) skip("the file system takes direct transfers of any alignment");
  const std::uint64_t unit = machine().direct_align;
  const std::string before = pattern(0, 64 * 1024);
  const Descriptor fd = file(before, O_DIRECT);
  const std::uint64_t ctx = setup();
  const Address memory = map(8 * unit);
  const struct {
    const char* what;
    std::uint64_t offset;
    std::uint64_t length;
    std::uint64_t in_memory;
  } cases[] = {{"offset 1", 1, unit, 0},
               {"offset half a block", unit / 2, unit, 0},
               {"offset one less", 2 * unit - 1, 2 * unit, 0},
               {"length 1", 0, 1, 0},
               {"length one less", unit, unit - 1, 0},
               {"length one more", unit, unit + 1, 0},
               {"offset and length", 1, unit - 1, 0},
               {"memory", unit, unit, 1}};
  for (const auto& each : cases) {
    for (const Opcode opcode : {kPread, kPwrite}) {
      prepare(0, opcode, fd.get(), memory + each.in_memory, each.length, static_cast<std::int64_t>(each.offset));
      claim(each.in_memory != 0 ? "data.misaligned_memory_is_result_einval"
                                : "data.misaligned_direct_transfer_is_result_einval");
      EXPECT_EQ(result(ctx, 0), -EINVAL) << each.what << (opcode == kPread ? ", read" : ", write");
    }
  }
}

}  // namespace aio::suites
