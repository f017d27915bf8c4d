// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/case.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include "fixtures/scratch_file.h"
#include "suites/harness/outcome.h"

namespace aio::suites {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

void Case::claim(std::string_view requirement) { Outcome::now().claim(requirement); }

void Case::skip(const char* reason) {
  Outcome::now().skip(reason);
  throw TestEnds();
}

void Case::require(const testing::AssertionResult& result, const char* file, int line) {
  if (result) return;
  GTEST_MESSAGE_AT_(file, line, result.message(), testing::TestPartResult::kNonFatalFailure);
  throw TestEnds();
}

std::uint64_t Case::setup(std::uint32_t nr, unsigned slot) {
  const Address variable = arena::context_slot(slot);
  at<std::uint64_t>(variable) = 0;
  require(returns("", "io_setup, which the rest of the test needs,", 0, io_setup(nr, variable)));
  return at<std::uint64_t>(variable);
}

Iocb& Case::prepare(unsigned slot, Opcode opcode, int fd, Address buf, std::uint64_t nbytes, std::int64_t offset) {
  Iocb& made = iocb(slot);
  made = Iocb{};
  made.data = 100 + slot;
  made.key = 7;
  made.opcode = opcode;
  made.fildes = static_cast<std::uint32_t>(fd);
  made.buf = buf;
  made.nbytes = nbytes;
  made.offset = offset;
  return made;
}

Iocb& Case::transfer(unsigned slot, Opcode opcode, int fd, Address buffer, std::uint64_t bytes,
                     std::int64_t offset) const {
  const Iovec segment{buffer, bytes};
  if (!is_vectored(opcode)) return prepare(slot, opcode, fd, buffer, bytes, offset);
  const Address vector = arena::kIovecs + sizeof(Iovec) * slot;
  return prepare(slot, opcode, fd, iovecs(std::span(&segment, 1), vector), 1, offset);
}

Iocb& Case::signal(Iocb& iocb, int resfd) {
  iocb.flags |= kFlagResfd;
  iocb.resfd = static_cast<std::uint32_t>(resfd);
  return iocb;
}

namespace {

// Numbers of the entry's size, one after the other.
Address put_words(EntryKind kind, Address where, std::initializer_list<std::uint64_t> words) {
  const std::size_t size = word_size(kind);
  Address at = where;
  for (const std::uint64_t word : words) {
    std::memcpy(reinterpret_cast<void*>(at), &word, size);
    at += size;
  }
  return where;
}

}  // namespace

Address Case::list(std::span<const Address> pointers, Address where) const {
  Address at = where;
  for (const Address each : pointers) {
    put_words(kind_, at, {each});
    at += word_size(kind_);
  }
  return where;
}

Answer Case::submit(std::uint64_t ctx, std::initializer_list<unsigned> slots) {
  std::vector<Address> pointers;
  for (const unsigned slot : slots) pointers.push_back(arena::iocb_slot(slot));
  return io_submit(ctx, static_cast<std::int64_t>(pointers.size()), list(pointers));
}

Address Case::iovecs(std::span<const Iovec> vectors, Address where) const {
  Address at = where;
  for (const Iovec& each : vectors) {
    put_words(kind_, at, {each.base, each.len});
    at += 2 * word_size(kind_);
  }
  return where;
}

Address Case::timeout(std::int64_t sec, std::int64_t nsec) const {
  return put_words(kind_, arena::kTimespec, {static_cast<std::uint64_t>(sec), static_cast<std::uint64_t>(nsec)});
}

Address Case::sigset(Address mask, std::uint64_t size) const { return put_words(kind_, arena::kSigset, {mask, size}); }

Address Case::sigset(std::initializer_list<int> signals) const {
  std::uint64_t mask = 0;
  for (const int signal : signals) mask |= std::uint64_t{1} << (signal - 1);
  at<std::uint64_t>(arena::kSignalMask) = mask;
  return sigset(arena::kSignalMask, sizeof mask);
}

std::uint32_t Case::in_ring(std::uint64_t ctx) {
  const RingHeader now = ring(ctx);
  // Where there is no ring to speak of it holds nothing.
  if (now.nr == 0) return 0;
  return (now.tail + now.nr - now.head) % now.nr;
}

void Case::put(Address where, std::string_view bytes) {
  std::memcpy(reinterpret_cast<void*>(where), bytes.data(), bytes.size());
}

std::string Case::get(Address where, std::size_t size) {
  return std::string(reinterpret_cast<const char*>(where), size);
}

Address Case::map(std::size_t size, int protection) {
  for (;;) {
    void* const mapped = ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (mapped == MAP_FAILED) fail("cannot map memory below 2 GiB");
    const auto begin = reinterpret_cast<Address>(mapped);
    // The arena's hole stays one: what was put there is left to lie, and unmapped with the process.
    if (begin >= arena::kEnd || begin + size <= arena::kBase) return begin;
    ::mprotect(mapped, size, PROT_NONE);
  }
}

std::vector<Event> Case::collect(std::uint64_t ctx, unsigned count) {
  const Answer got = io_getevents(ctx, count, count, arena::kEvents, timeout(setting().patience.count() / 1000 + 1, 0));
  require(returns("", fmt::format("io_getevents of {} event(s)", count).c_str(), count, got));
  std::vector<Event> events;
  for (unsigned i = 0; i < count; ++i) events.push_back(event(i));
  return events;
}

Event Case::complete(std::uint64_t ctx, unsigned slot) {
  require(returns("", "io_submit, which the rest of the test needs,", 1, submit(ctx, {slot})));
  return collect(ctx, 1).front();
}

bool Case::await(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + setting().patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

Descriptor Case::file(std::string_view content, int flags) {
  Descriptor made = make_scratch_file(setting().directory);
  if (::pwrite(made.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
    fail("cannot write a file");
  }
  if (flags == 0) return made;
  Descriptor again(::open(fmt::format("/proc/self/fd/{}", made.get()).c_str(), O_RDWR | O_CLOEXEC | flags));
  if (!again) fail("cannot open a file again");
  return again;
}

std::string Case::content(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail("cannot look at a file");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("cannot read a file");
  return bytes;
}

Case::Pipe Case::pipe(int flags) {
  int ends[2];
  if (::pipe2(ends, flags | O_CLOEXEC) != 0) fail("cannot make a pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor Case::eventfd(unsigned count, int flags) {
  Descriptor made(::eventfd(count, flags | EFD_CLOEXEC));
  if (!made) fail("cannot make an eventfd");
  return made;
}

std::uint64_t Case::drain(int eventfd) {
  const int flags = ::fcntl(eventfd, F_GETFL);
  ::fcntl(eventfd, F_SETFL, flags | O_NONBLOCK);
  std::uint64_t count = 0;
  if (::read(eventfd, &count, sizeof count) != sizeof count) count = 0;
  ::fcntl(eventfd, F_SETFL, flags);
  return count;
}

}  // namespace aio::suites
