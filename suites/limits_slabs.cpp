// SPDX-License-Identifier: GPL-2.0-or-later
//
// What calls leave in the kernel's own memory and locks, which no answer shows.
// Claims: a call that fails keeps no context, request, file or credentials; a request that is over keeps no file system
// from being frozen.
// Provoked by a thousand calls of each kind that fails, against /proc/slabinfo; and by FIFREEZE.
// Not seen: slabs that the kernel has merged with others; memory that does not come from them.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "suites/check_order_faults.h"
#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/slabs.h"

namespace aio::suites {
namespace {

constexpr unsigned kCalls = 1000;
// That many may come and go by themselves, as each CPU keeps some.
constexpr std::int64_t kSlack = kCalls / 2;

struct FailingCall {
  std::string what;
  std::function<void()> make;
};

// What grows when each of them is made again and again, and by whom; or nothing. `await` looks until it holds.
template <class Await>
std::string growth(const std::vector<FailingCall>& calls, const Await& await) {
  const auto repeat = [&] {
    for (unsigned i = 0; i < kCalls; ++i) {
      for (const FailingCall& call : calls) call.make();
    }
    let_go();
  };
  repeat();
  const SlabObjects before = slab_objects();
  repeat();
  std::string still;
  if (await([&] { return (still = grown(before, slab_objects(), kSlack)).empty(); })) return "";
  for (const FailingCall& call : calls) {
    if (calls.size() > 1) still += growth({call}, await);
  }
  return (calls.size() == 1 ? calls[0].what + ": " : "") + still + "\n";
}

}  // namespace

SUITE_TEST(limits, refused_iocbs_keep_nothing,
           {.holds = {"limits.failing_calls_keep_nothing"}, .entries = kNativeOnly, .alone = true}) {
  if (slab_objects().empty()) skip("/proc/slabinfo does not show the slabs of AIO");
  const Descriptor file = Case::file("some bytes"), ready = eventfd();
  const Descriptor path(::open(fmt::format("/proc/self/fd/{}", file.get()).c_str(), O_PATH | O_CLOEXEC));
  const Descriptor no_method(::open("/", O_RDONLY | O_CLOEXEC));
  const Pipe cannot_sync = pipe();
  const std::uint64_t ctx = setup();
  iovecs(std::array{Iovec{arena::kBuffers, ~std::uint64_t{0}}}, kNegativeVector);
  iovecs(std::array{Iovec{arena::kKernel, 8}}, kOutsideVector);
  std::vector<FailingCall> calls;
  const auto try_all = [&](const Iocb& good, const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
      if (fault.part == Part::kRing) continue;
      Wrong wrong{good};
      fault.spoil(wrong);
      calls.push_back({fmt::format("opcode {}, {}", good.opcode, fault.what),
                       [this, ctx, wrong] { io_submit(ctx, 1, list({store(wrong)})); }});
    }
  };
  for (const Opcode opcode : {kPwrite, kPreadv}) {
    const Files files{.path = path.get(), .no_eventfd = file.get(), .no_method = no_method.get()};
    const Iocb good = is_vectored(opcode) ? prepare(0, opcode, file.get(), iovecs({{arena::kBuffers, 8}}), 1)
                                          : prepare(0, opcode, file.get(), arena::kBuffers, 8);
    try_all(good, faults_of_transfers(files, opcode, kind(), profile().release));
  }
  const Files files{.path = path.get(), .no_eventfd = file.get(), .no_method = cannot_sync.read.get()};
  if (since(4, 18)) try_all(prepare(0, kFsync, file.get()), faults_of_fsync(files));
  if (since(4, 19)) {
    const Files of_poll{.path = path.get(), .no_eventfd = file.get(), .no_method = file.get()};
    try_all(prepare_poll(0, ready.get(), kPollOut), faults_of_poll(of_poll));
  }
  EXPECT_EQ(growth(calls, await), "");
}

SUITE_TEST(limits, failing_calls_keep_nothing,
           {.holds = {"limits.failing_calls_keep_nothing"}, .entries = kNativeOnly, .alone = true}) {
  if (slab_objects().empty()) skip("/proc/slabinfo does not show the slabs of AIO");
  const std::uint64_t ctx = setup();
  const Address slot = arena::context_slot(1), never = arena::kUnmapped;
  const Pipe empty = pipe();
  prepare(0, kPread, empty.read.get(), arena::kBuffers, 0);
  std::vector<FailingCall> calls;
  const auto flat = [&](const char* what, const std::function<void()>& call) { calls.push_back({what, call}); };
  at<std::uint64_t>(slot) = 0;
  flat("io_setup of no events", [&] { io_setup(0, slot); });
  flat("io_setup beyond the limit", [&] { io_setup(0x7fffffff, slot); });
  flat("io_setup with an id that is not 0", [&] { io_setup(1, arena::context_slot(0)); });
  flat("io_setup whose id cannot be stored", [&] { io_setup(1, arena::kReadOnly); });
  flat("io_destroy of nothing", [&] { io_destroy(never); });
  flat("io_submit to nothing", [&] { io_submit(never, 1, list({arena::iocb_slot(0)})); });
  flat("io_submit of less than none", [&] { io_submit(ctx, -1, list({arena::iocb_slot(0)})); });
  flat("io_submit of a list that cannot be read", [&] { io_submit(ctx, 1, never); });
  flat("io_getevents of nothing", [&] { io_getevents(never, 0, 1, arena::kEvents, 0); });
  flat("io_getevents of less than none", [&] { io_getevents(ctx, 1, 0, arena::kEvents, 0); });
  flat("io_getevents with a timeout that cannot be read", [&] { io_getevents(ctx, 0, 1, arena::kEvents, never); });
  flat("io_cancel of nothing", [&] { io_cancel(ctx, arena::iocb_slot(0)); });
  flat("io_cancel where there is no context", [&] { io_cancel(never, arena::iocb_slot(0)); });
  if (since(4, 18)) {
    flat("io_pgetevents with a mask of a wrong size",
         [&] { io_pgetevents(ctx, 0, 1, arena::kEvents, 0, sigset(arena::kBuffers, 1)); });
  }
  // It is good but for its place: the event stays, and its request is over.
  flat("io_getevents to where nothing can be written", [&] {
    if (in_ring(ctx) == 0) submit(ctx, {0});
    io_getevents(ctx, 1, 1, never, 0);
  });
  EXPECT_EQ(growth(calls, await), "");
}

SUITE_TEST(limits, what_is_over_lets_the_file_system_be_frozen,
           {.holds = {"limits.file_system_can_be_frozen"},
            .entries = kNativeOnly,
            .needs = "guest",
            .alone = true,
            .changes_system = true}) {
  const Descriptor file = Case::file("some bytes");
  const std::uint64_t ctx = setup(4);
  const auto freezes = [&](const char* after) {
    const int frozen = ::ioctl(file.get(), FIFREEZE, 0);
    if (frozen != 0 && (errno == EOPNOTSUPP || errno == ENOTTY)) skip("this file system cannot be frozen");
    EXPECT_EQ(frozen, 0) << "FIFREEZE after " << after << ": errno " << errno;
    EXPECT_EQ(::ioctl(file.get(), FITHAW, 0), 0) << "FITHAW after " << after << ": errno " << errno;
  };
  const auto once = [&](const char* what, Iocb made) {
    iocb(0) = made;
    if (submit(ctx, {0}).value == 1) collect(ctx, 1);
    freezes(what);
  };
  freezes("nothing");
  once("a write", prepare(0, kPwrite, file.get(), arena::kBuffers, 100));
  once("a write of nothing", prepare(0, kPwrite, file.get(), arena::kBuffers, 0));
  once("a write of vectors", prepare(0, kPwritev, file.get(), iovecs({{arena::kBuffers, 8}, {arena::kBuffers, 8}}), 2));
  once("a write from memory that is not there", prepare(0, kPwrite, file.get(), arena::kUnmapped, 8));
  once("a write that is cut short by that",
       prepare(0, kPwritev, file.get(), iovecs({{arena::kBuffers, 8}, {arena::kUnmapped, 8}}), 2));
  once("a write beyond the largest offset", prepare(0, kPwrite, file.get(), arena::kBuffers, 8, INT64_MAX - 8));
  once("a refused write", prepare(0, kPwrite, file.get(), arena::kBuffers, 8, -5));
  once("a read", prepare(0, kPread, file.get(), arena::kBuffers, 8));
  once("an fsync", prepare(0, kFsync, file.get()));
  if (since(4, 13)) {
    Iocb nowait = prepare(0, kPwrite, file.get(), arena::kBuffers, 8, 1 << 20);
    nowait.rw_flags = kRwfNowait;
    once("a write that may not wait", nowait);
  }
  const Descriptor direct(::open(fmt::format("/proc/self/fd/{}", file.get()).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
  if (direct) {
    once("direct writes", prepare(0, kPwrite, direct.get(), arena::kBuffers, arena::kPage));
    once("a direct write of a byte", prepare(0, kPwrite, direct.get(), arena::kBuffers, 1));
  }
}

}  // namespace aio::suites
