// SPDX-License-Identifier: GPL-2.0-or-later
//
// One test of a kernel: a few calls through the entry that it was made for, and what they must answer. It runs in a
// process of its own, pinned to one CPU, with a fresh arena (reference/arena.h), so a crash or a hang is this test's
// failure and no other's.
//
//   SUITE_TEST(io_setup, nr_zero_is_einval, {.holds = {"io_setup.nr_zero_is_einval"}}) {
//     EXPECT_ERROR(EINVAL, io_setup(0, arena::context_slot(0)));
//   }
//
// What the kernel does wrong is a failed expectation; what the machine lacks is skip(); what goes wrong in the test
// itself is an exception, which makes the run incomplete.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/cpu.h"
#include "fixtures/descriptor.h"
#include "fixtures/entry_kinds.h"
#include "reference/arena.h"
#include "suites/harness/expect.h"
#include "suites/harness/registry.h"
#include "suites/harness/setting.h"

namespace aio::suites {

class Case : public testing::Test {
 public:
  // Before anything else.
  void place(const TestEntry& test, EntryKind kind) {
    test_ = &test;
    kind_ = kind;
  }

 protected:
  virtual void run() = 0;

  EntryKind kind() const { return kind_; }
  Entry& entry() { return *entry_; }
  const CallNumbers& numbers() const { return call_numbers(kind_); }
  CpuPin& cpus() { return *cpus_; }
  static const Profile& profile() { return *setting().profile; }
  static const Machine& machine() { return setting().machine; }
  static bool since(int major, int minor) { return profile().release >= Release{major, minor}; }

  // The expectations that follow are about this requirement, one that the test names.
  static void claim(std::string_view requirement);
  // Ends the test: the machine lacks what it needs. The reason is a constant.
  [[noreturn]] static void skip(const char* reason);

  // The calls, through the entry.
  Answer io_setup(std::uint32_t nr, Address ctxp) { return entry_->io_setup(nr, ctxp); }
  Answer io_destroy(std::uint64_t ctx) { return entry_->io_destroy(ctx); }
  Answer io_submit(std::uint64_t ctx, std::int64_t nr, Address list) { return entry_->io_submit(ctx, nr, list); }
  Answer io_getevents(std::uint64_t ctx, std::int64_t min_nr, std::int64_t nr, Address events, Address timeout) {
    return entry_->io_getevents(ctx, min_nr, nr, events, timeout);
  }
  Answer io_pgetevents(std::uint64_t ctx, std::int64_t min_nr, std::int64_t nr, Address events, Address timeout,
                       Address sigset) {
    return entry_->io_pgetevents(ctx, min_nr, nr, events, timeout, sigset);
  }
  Answer io_cancel(std::uint64_t ctx, Address iocb, Address result = arena::kCancelResult) {
    return entry_->io_cancel(ctx, iocb, result);
  }

  // A new context for that many events, its id in context variable `slot`. The test ends where io_setup fails.
  std::uint64_t setup(std::uint32_t nr = 1, unsigned slot = 0);

  // An iocb in the arena, to be written as memory.
  static Iocb& iocb(unsigned slot) { return at<Iocb>(arena::iocb_slot(slot)); }
  // Fills it: data is 100 + slot, the key 7 (which io_submit must overwrite), all else zero.
  static Iocb& prepare(unsigned slot, Opcode opcode, int fd, Address buf = 0, std::uint64_t nbytes = 0,
                       std::int64_t offset = 0);
  static Iocb& prepare_poll(unsigned slot, int fd, std::uint64_t events) { return prepare(slot, kPoll, fd, events); }
  // The iocb of a read or write, with a vector of one segment where the opcode takes that.
  Iocb& transfer(unsigned slot, Opcode opcode, int fd, Address buffer = arena::kBuffers, std::uint64_t bytes = 16,
                 std::int64_t offset = 0) const;
  static Iocb& signal(Iocb& iocb, int resfd);
  // Writes the list that io_submit takes, pointers of the entry's size, and returns its address.
  Address list(std::span<const Address> pointers, Address where = arena::kPointers) const;
  Address list(std::initializer_list<Address> pointers) const { return list(std::span(pointers)); }
  // Submits the iocbs of these slots.
  Answer submit(std::uint64_t ctx, std::initializer_list<unsigned> slots);
  // Writes iovecs of the entry's size and returns their address.
  Address iovecs(std::span<const Iovec> vectors, Address where = arena::kIovecs) const;
  Address iovecs(std::initializer_list<Iovec> vectors) const { return iovecs(std::span(vectors)); }
  // Writes a timespec of the entry's size. Through 32-bit entries the numbers are cut.
  Address timeout(std::int64_t sec, std::int64_t nsec) const;
  // Writes a struct __aio_sigset of the entry's size.
  Address sigset(Address mask, std::uint64_t size) const;
  // The same with a mask of these signals.
  Address sigset(std::initializer_list<int> signals) const;

  // Objects in memory that may be touched.
  template <class T>
  static T& at(Address address) {
    return *reinterpret_cast<T*>(address);
  }
  static Event event(unsigned index) { return at<Event>(arena::kEvents + sizeof(Event) * index); }
  static RingHeader& ring(std::uint64_t ctx) { return at<RingHeader>(ctx); }
  static Event& ring_event(std::uint64_t ctx, std::uint32_t index) {
    return at<Event>(ctx + sizeof(RingHeader) + sizeof(Event) * index);
  }
  static std::uint32_t in_ring(std::uint64_t ctx);
  static void put(Address where, std::string_view bytes);
  static std::string get(Address where, std::size_t size);
  // Pages below 2 GiB, which every entry can name; gone with the test.
  static Address map(std::size_t size, int protection = 3 /* PROT_READ | PROT_WRITE */);

  // Waits until that many events are in the ring, and takes them. The test ends where they stay away.
  std::vector<Event> collect(std::uint64_t ctx, unsigned count);
  // The event of one iocb that is submitted alone, in an otherwise empty ring. The test ends where io_submit refuses
  // it.
  Event complete(std::uint64_t ctx, unsigned slot);
  // Its result.
  std::int64_t result(std::uint64_t ctx, unsigned slot) { return complete(ctx, slot).res; }
  // Looks again and again until it holds, or the patience is over.
  static bool await(const std::function<bool()>& holds);

  // A file without a name, of that content, open for reading and writing with these flags.
  static Descriptor file(std::string_view content = "", int flags = 0);
  static std::string content(int fd);
  struct Pipe {
    Descriptor read;
    Descriptor write;
  };
  static Pipe pipe(int flags = 0);
  static Descriptor eventfd(unsigned count = 0, int flags = 0);
  // What a nonblocking read of the eventfd takes from it; 0 if nothing.
  static std::uint64_t drain(int eventfd);

  // Ends the test unless it holds, with the text as the failure.
  static void require(const testing::AssertionResult& result, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE());

 private:
  void TestBody() final;
  std::string perform();

  const TestEntry* test_ = nullptr;
  EntryKind kind_ = EntryKind::kNative;
  std::unique_ptr<Entry> honest_;
  std::unique_ptr<Entry> lying_;
  Entry* entry_ = nullptr;
  std::unique_ptr<CpuPin> cpus_;
};

}  // namespace aio::suites

#define SUITE_TEST(suite, name, ...)                                                                \
  namespace {                                                                                       \
  class suite##_##name final : public ::aio::suites::Case {                                         \
    void run() override;                                                                            \
  };                                                                                                \
  [[maybe_unused]] const bool suite##_##name##_added =                                              \
      ::aio::suites::add_test({#suite, #name, __FILE__, __LINE__, ::aio::suites::About __VA_ARGS__, \
                               []() -> ::aio::suites::Case* { return new suite##_##name; }});       \
  }                                                                                                 \
  void suite##_##name::run()
