// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/data_case.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <system_error>
#include <thread>

#include "suites/harness/outcome.h"

namespace aio::suites {
namespace {

// A prime, so that no block is like the one before.
constexpr std::size_t kPeriod = 4099;
constexpr std::size_t kGenerationShift = 577;

const std::string& period() {
  static const std::string kBytes = [] {
    std::string bytes(kPeriod, '\0');
    std::uint32_t state = 1;
    for (char& byte : bytes) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<char>(1 + (state >> 16) % 169);
    }
    return bytes;
  }();
  return kBytes;
}

std::string byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? fmt::format("{:#04x}", static_cast<unsigned char>(bytes[at])) : "the end";
}

constexpr unsigned kMostEvents = 8;  // that one call takes

}  // namespace

std::string pattern(std::uint64_t offset, std::size_t size, unsigned generation) {
  std::string bytes;
  bytes.reserve(size);
  std::size_t at = (offset + generation * kGenerationShift) % kPeriod;
  while (bytes.size() < size) {
    bytes.append(period(), at, size - bytes.size());
    at = 0;
  }
  return bytes;
}

std::string difference(std::string_view wanted, std::string_view seen) {
  if (wanted == seen) return "";
  const auto [one, other] = std::mismatch(wanted.begin(), wanted.end(), seen.begin(), seen.end());
  const auto at = static_cast<std::size_t>(one - wanted.begin());
  return fmt::format("at {} of {} is {} instead of {}", at, wanted.size(), byte_at(seen, at), byte_at(wanted, at));
}

std::string strange_byte(std::string_view seen, std::uint64_t offset, std::span<const unsigned> generations,
                         Zero zero) {
  std::vector<std::string> allowed;
  if (zero == Zero::kToo) allowed.emplace_back(seen.size(), '\0');
  for (const unsigned each : generations) allowed.push_back(pattern(offset, seen.size(), each));
  for (const std::string& each : allowed) {
    if (seen == each) return "";
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (std::none_of(allowed.begin(), allowed.end(), [&](const std::string& each) { return each[i] == seen[i]; })) {
      return fmt::format("at {} is {}, which nobody wrote there", offset + i, byte_at(seen, i));
    }
  }
  return "";
}

std::string read_at(int fd, std::uint64_t offset, Address room, std::size_t length) {
  std::fill_n(reinterpret_cast<char*>(room), length, kStale);
  const ssize_t got = ::pread(fd, reinterpret_cast<void*>(room), length, static_cast<off_t>(offset));
  return {reinterpret_cast<const char*>(room), got > 0 ? static_cast<std::size_t>(got) : 0};
}

Queue::Queue(Entry& entry, EntryKind kind, std::uint64_t ctx, unsigned share, unsigned shares)
    : entry_(entry),
      kind_(kind),
      ctx_(ctx),
      share_(share),
      depth_(arena::kIocbSlots / shares),
      first_(share * depth_),
      moved_(depth_) {}

void Queue::prepare(unsigned slot, const Piece& piece) {
  Iocb& made = iocb(slot);
  made = Iocb{};
  made.data = 100 + first_ + slot;
  made.key = 7;
  made.opcode = piece.opcode;
  made.fildes = static_cast<std::uint32_t>(piece.fd);
  made.buf = piece.buf;
  made.nbytes = piece.length;
  made.offset = piece.offset;
  moved_[slot] = piece.moved.value_or(piece.length);
}

Answer Queue::submit(std::span<const unsigned> slots) {
  const std::size_t size = word_size(kind_);
  const Address list = arena::kPointers + 8 * first_;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Address pointer = arena::iocb_slot(first_ + slots[i]);
    std::memcpy(reinterpret_cast<void*>(list + i * size), &pointer, size);
  }
  const auto lock = one_at_a_time_if_lying();
  return entry_.io_submit(ctx_, static_cast<std::int64_t>(slots.size()), list);
}

std::vector<Event> Queue::collect(unsigned least) {
  const Address events = arena::kEvents + sizeof(Event) * kMostEvents * share_;
  const Address timeout = arena::kVars + 0x800 + sizeof(Timespec) * share_;
  const std::uint64_t seconds = least == 0 ? 0 : static_cast<std::uint64_t>(setting().patience.count() / 1000 + 1);
  const std::array<std::uint64_t, 2> time{seconds, 0};
  for (std::size_t i = 0; i < time.size(); ++i) {
    std::memcpy(reinterpret_cast<void*>(timeout + i * word_size(kind_)), &time[i], word_size(kind_));
  }
  const auto lock = one_at_a_time_if_lying();
  const Answer got = entry_.io_getevents(ctx_, std::min(least, kMostEvents), kMostEvents, events, timeout);
  const auto* const first = reinterpret_cast<const Event*>(events);
  return {first, first + std::clamp<std::int64_t>(got.value, 0, kMostEvents)};
}

unsigned Queue::slot_of(const Event& event) const {
  const Address begin = arena::iocb_slot(first_);
  const Address at = event.obj - begin;
  return event.obj >= begin && at < sizeof(Iocb) * depth_ && at % sizeof(Iocb) == 0
             ? static_cast<unsigned>(at / sizeof(Iocb))
             : depth_;
}

Troubles Queue::judge(const Event& event) const {
  const unsigned slot = slot_of(event);
  if (slot == depth_) return {{"event.obj_is_iocb_address", fmt::format("obj {:#x} is no iocb's address", event.obj)}};
  const Iocb& made = iocb(slot);
  Troubles troubles;
  if (event.data != 100 + first_ + slot) {
    troubles.push_back({"event.data_as_submitted", fmt::format("data is {}", event.data)});
  }
  if (event.res2 != 0) troubles.push_back({"event.res2_is_zero", fmt::format("res2 is {}", event.res2)});
  if (event.res != static_cast<std::int64_t>(moved_[slot])) {
    const bool read = is_read(made.opcode);
    troubles.push_back({read ? "read.returns_bytes_read" : "write.returns_bytes_written",
                        fmt::format("{} {} bytes at {}, where {} can be: res is {}", read ? "reading" : "writing",
                                    made.nbytes, made.offset, moved_[slot], event.res)});
  }
  return troubles;
}

Troubles Queue::perform(std::span<const Piece> pieces, unsigned in_flight) {
  std::vector<bool> busy(depth_);
  std::vector<unsigned> free(std::min(in_flight, depth_));
  std::iota(free.rbegin(), free.rend(), 0u);
  for (std::size_t begun = 0, done = 0; done < pieces.size();) {
    std::vector<unsigned> slots;
    while (begun < pieces.size() && !free.empty()) {
      slots.push_back(free.back());
      free.pop_back();
      busy[slots.back()] = true;
      prepare(slots.back(), pieces[begun++]);
    }
    if (!slots.empty()) {
      const Answer taken = submit(slots);
      if (taken.value != static_cast<std::int64_t>(slots.size())) {
        return {{"io_submit.returns_number_accepted",
                 fmt::format("io_submit of {} transfers: {}", slots.size(), answer_text(taken))}};
      }
    }
    const std::vector<Event> events = collect(1);
    if (events.empty()) {
      return {{"event.one_for_every_request", fmt::format("{} of {} transfers ended", done, pieces.size())}};
    }
    for (const Event& event : events) {
      if (Troubles wrong = judge(event); !wrong.empty()) return wrong;
      const unsigned slot = slot_of(event);
      if (!busy[slot]) return {{"event.none_without_request", "a second event of one request"}};
      busy[slot] = false;
      free.push_back(slot);
      ++done;
    }
  }
  if (!collect(0).empty()) return {{"event.none_without_request", "an event more than there were requests"}};
  return {};
}

std::vector<Mode> DataCase::modes() {
  std::vector<Mode> all{{"buffered", 0}, {"O_SYNC", O_SYNC}};
  if (machine().direct) all.insert(all.end(), {{"O_DIRECT", O_DIRECT}, {"O_DIRECT|O_SYNC", O_DIRECT | O_SYNC}});
  return all;
}

void DataCase::require_direct() {
  if (!machine().direct) skip("the file system knows no O_DIRECT");
}

Descriptor DataCase::open_again(const Descriptor& file, int flags, int access) {
  Descriptor again(::open(fmt::format("/proc/self/fd/{}", file.get()).c_str(), access | O_CLOEXEC | flags));
  if (!again) throw std::system_error(errno, std::generic_category(), "cannot open a file again");
  return again;
}

std::vector<Queue> DataCase::queues(unsigned count, unsigned nr) {
  std::vector<Queue> made;
  for (unsigned i = 0; i < count; ++i) made.emplace_back(entry(), kind(), setup(nr), i, count);
  return made;
}

void DataCase::in_threads(unsigned count, const std::function<Troubles(unsigned)>& body) {
  std::vector<Troubles> seen(count);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      // Where the CPU cannot be had, the thread shares its maker's.
      static_cast<void>(pin_to(cpus().number(i % cpus().count())));
      seen[i] = body(i);
    });
  }
  for (std::thread& each : threads) each.join();
  for (const Troubles& each : seen) blame(each);
}

void DataCase::blame(const Troubles& troubles) {
  for (const Trouble& each : troubles) {
    claim(each.requirement);
    ADD_FAILURE() << each.text;
  }
  if (!troubles.empty()) throw TestEnds();
}

About with_rules_of_transfers(About about) {
  about.holds.insert(about.holds.end(),
                     {"write.returns_bytes_written", "read.returns_bytes_read", "io_submit.returns_number_accepted",
                      "event.one_for_every_request", "event.none_without_request", "event.obj_is_iocb_address",
                      "event.data_as_submitted", "event.res2_is_zero"});
  return about;
}

}  // namespace aio::suites
