// SPDX-License-Identifier: GPL-2.0-or-later
//
// Second opinion: what a request does is what plain calls (preadv2, pwritev2, fsync, poll) and io_uring do.
// Claims: result, memory, file content and file position agree, but for the differences that are listed here.
// Provoked by tables of operation, kind of file, flags, length, offset and buffer; each row begins with new files.
// Not seen: rows with two faults, where each interface looks at its arguments in an order of its own. An AIO read that
// a signal interrupts completes with -EINTR, where read(2) may begin again.
#include <csignal>

#include "suites/harness/case.h"
#include "suites/second_opinion_request.h"

namespace aio::suites {
namespace {

// Rows in which AIO and another interface differ for a reason.
struct Difference {
  const char* why;
  bool (*applies)(const Request& request);
};

bool has_old_method_only(const Request& request) {
  const std::string_view name = request.kind->name;
  const bool is_counter = name.starts_with("eventfd");
  return (name == "directory" && is_read(request.opcode)) || (is_counter && is_write(request.opcode));
}

constexpr Difference kFromPlainCalls[] = {
    {"AIO asks for ->read_iter and ->write_iter and says EINVAL; others take ->read and ->write, or say EISDIR",
     has_old_method_only},
    {"preadv2 and pwritev2 of 0 bytes return 0 without asking the file",
     [](const Request& request) {
       const Kind& kind = *request.kind;
       return request.length == 0 && is_transfer(request.opcode) &&
              (kind.is("eventfd of 0") || kind.is("eventfd of 5") || kind.is("empty socket without peer"));
     }},
};
constexpr Difference kFromIoUring[] = {
    {"AIO asks for ->read_iter and ->write_iter and says EINVAL; others take ->read and ->write, or say EISDIR",
     has_old_method_only},
    {"io_uring takes RWF_HIPRI on rings that poll only; AIO ignores it",
     [](const Request& request) { return (request.flags & kRwfHipri) != 0; }},
    {"io_uring tries without waiting first: /dev/zero then ends with a page where the task is to give its CPU away",
     [](const Request& request) {
       return request.kind->is("zero device") && is_read(request.opcode) && request.length > arena::kPage;
     }},
    {"io_uring says EAGAIN where a file refuses to be written without waiting (EOPNOTSUPP): it would try again "
     "otherwise",
     [](const Request& request) {
       const std::string_view name = request.kind->name;
       return (request.flags & kRwfNowait) != 0 && !is_read(request.opcode) && name.find("file") != name.npos;
     }},
    {"io_uring waits for a file that is not ready, whatever O_NONBLOCK says",
     [](const Request& request) {
       const Kind& kind = *request.kind;
       return is_transfer(request.opcode) && request.length > 0 &&
              ((kind.is("empty socket") && is_read(request.opcode)) || kind.is("empty pipe") || kind.is("full pipe") ||
               kind.is("eventfd of 0"));
     }},
};

std::vector<Request> without(std::vector<Request> requests, std::span<const Difference> differences) {
  for (const Difference& each : differences) std::erase_if(requests, each.applies);
  return requests;
}

// At most one thing is wrong with each.
std::vector<Request> transfers(const Profile& profile, const Machine& machine, EntryKind entry) {
  std::vector<Request> all;
  const auto add = [&](const Request& request) {
    const Kind& kind = *request.kind;
    if (kind.is("direct file") && !machine.direct) return;
    if (std::string_view(kind.name).starts_with("eventfd") && !profile.eventfd_reads) return;
    // Iovecs of 32 bits cannot name it.
    if (request.buffer == Buffer::kKernel && is_vectored(request.opcode) && entry == EntryKind::kCompat) return;
    const bool is_plain = request.flags == 0 && request.offset == 0 && request.buffer == Buffer::kGood;
    if (kind.takes_transfer(request.opcode) || is_plain) all.push_back(request);
  };
  for (const Kind& kind : kinds()) {
    const bool has_positions = kind.offset == Offset::kUsed;
    for (const Opcode opcode : {kPread, kPwrite, kPreadv, kPwritev}) {
      for (const std::uint64_t length : {0u, 1u, 8u, 100u, 4096u, 6000u}) {
        for (const std::int64_t offset : {0, 1, 4096, 5000, 7000, -2}) {
          if (has_positions || offset <= 1) add({&kind, opcode, 0, length, offset});
        }
      }
      for (const Buffer buffer : {Buffer::kUnmapped, Buffer::kHalf, Buffer::kReadOnly, Buffer::kKernel}) {
        for (const std::uint64_t length : {100u, 4096u}) add({&kind, opcode, 0, length, 0, buffer});
      }
      for (std::uint32_t flag = kRwfHipri; flag <= kRwfNosignal; flag <<= 1) {
        if ((profile.rw_flags & flag) == 0) continue;
        add({&kind, opcode, flag, 100, 0});
        if (has_positions) add({&kind, opcode, flag, 100, 4096});
      }
    }
  }
  return all;
}

std::vector<Request> syncs() {
  std::vector<Request> all;
  for (const Kind& kind : kinds()) {
    for (const Opcode opcode : {kFsync, kFdsync}) all.push_back({&kind, opcode});
  }
  return all;
}

constexpr std::uint64_t kEvents[] = {
    kPollIn, kPollOut, kPollIn | kPollOut, kPollRdnorm | kPollWrnorm, kPollIn | kPollRdnorm | kPollPri | kPollRdhup,
    0x2fff};

std::vector<Request> polls() {
  std::vector<Request> all;
  for (const Kind& kind : kinds()) {
    for (const std::uint64_t events : kEvents) all.push_back({&kind, kPoll, 0, events});
  }
  return all;
}

std::vector<Request> woken_polls() {
  std::vector<Request> all;
  for (const Kind& kind : kinds()) {
    const bool reads = kind.is("empty pipe") || kind.is("empty socket") || kind.is("eventfd of 0");
    if (!reads && !kind.is("full pipe")) continue;
    const std::uint64_t events = reads ? kPollIn : kPollOut;
    for (const std::uint64_t more : {std::uint64_t{0}, std::uint64_t{kPollPri}, std::uint64_t{kPollRdhup}}) {
      all.push_back({&kind, kPoll, 0, events | more, 0, Buffer::kGood, true});
    }
  }
  return all;
}

constexpr std::size_t kMostShown = 8;  // differences, of which there may be thousands

class OpinionCase : public Case {
 protected:
  std::vector<Opinion> aio_opinions(std::span<const Request> requests) {
    // A pipe without reader sends it; what counts here is the result.
    ::signal(SIGPIPE, SIG_IGN);
    const std::uint64_t ctx = setup();
    return opinions(requests, [&](const Request& each, const Subject& subject) { return perform(ctx, each, subject); });
  }

  // The first requirement is about results, the second about all else that can be seen.
  static void expect_same(std::span<const Request> requests, std::span<const Opinion> aio,
                          std::span<const Opinion> other, std::string_view results, std::string_view bytes) {
    ASSERT_EQ(aio.size(), other.size());
    std::size_t shown = 0;
    for (std::size_t i = 0; i < requests.size() && shown < kMostShown; ++i) {
      claim(results);
      EXPECT_EQ(result_text(aio[i].result), result_text(other[i].result)) << text_of(requests[i]);
      claim(bytes);
      EXPECT_EQ(aio[i].state, other[i].state) << text_of(requests[i]);
      if (aio[i].result != other[i].result || aio[i].state != other[i].state) ++shown;
    }
  }
  static std::vector<Opinion> ask_io_uring(std::span<const Request> requests) {
    auto all = io_uring_opinions(requests);
    if (!all) skip("there is no io_uring to be had");
    return std::move(*all);
  }

 private:
  std::int64_t perform(std::uint64_t ctx, const Request& request, const Subject& subject) {
    Iocb& made = prepare(0, request.opcode, subject.fd());
    made.rw_flags = request.flags;
    made.offset = request.offset;
    if (request.opcode == kPoll) made.buf = request.length;
    if (is_vectored(request.opcode)) {
      const std::vector<Iovec> segments = segments_of(request);
      made.buf = iovecs(segments);
      made.nbytes = segments.size();
    } else if (is_transfer(request.opcode)) {
      made.buf = address_of(request);
      made.nbytes = request.length;
    }
    const Answer answer = submit(ctx, {0});
    if (answer.value != 1) return -answer.error;
    if (request.opcode != kPoll || in_ring(ctx) != 0) return collect(ctx, 1).front().res;
    if (request.woken) {
      subject.wake();
      return collect(ctx, 1).front().res;
    }
    // What io_cancel answers is not the matter here.
    static_cast<void>(io_cancel(ctx, arena::iocb_slot(0)));
    static_cast<void>(collect(ctx, 1));
    return kWaits;
  }
};

#define OPINION_TEST(name, ...)                                                                \
  class second_opinion_##name final : public OpinionCase {                                     \
    void run() override;                                                                       \
  };                                                                                           \
  [[maybe_unused]] const bool second_opinion_##name##_added =                                  \
      add_test({"second_opinion", #name, __FILE__, __LINE__, ::aio::suites::About __VA_ARGS__, \
                []() -> Case* { return new second_opinion_##name; }});                         \
  void second_opinion_##name::run()

OPINION_TEST(transfers_are_as_by_plain_calls,
             {.holds = {"second_opinion.plain_calls_agree_on_results", "second_opinion.plain_calls_agree_on_bytes"}}) {
  const std::vector<Request> rows = without(transfers(profile(), machine(), kind()), kFromPlainCalls);
  const std::vector<Opinion> aio = aio_opinions(rows);
  expect_same(rows, aio, opinions(rows, perform_plainly), "second_opinion.plain_calls_agree_on_results",
              "second_opinion.plain_calls_agree_on_bytes");
}

OPINION_TEST(transfers_are_as_by_io_uring,
             {.holds = {"second_opinion.io_uring_agrees_on_results", "second_opinion.io_uring_agrees_on_bytes"}}) {
  const std::vector<Request> rows = without(transfers(profile(), machine(), kind()), kFromIoUring);
  // Before this process has a context: the other one is forked from it.
  const std::vector<Opinion> other = ask_io_uring(rows);
  expect_same(rows, aio_opinions(rows), other, "second_opinion.io_uring_agrees_on_results",
              "second_opinion.io_uring_agrees_on_bytes");
}

OPINION_TEST(syncs_are_as_by_plain_calls, {.holds = {"second_opinion.plain_fsync_agrees"}}) {
  const std::vector<Request> rows = syncs();
  const std::vector<Opinion> aio = aio_opinions(rows);
  expect_same(rows, aio, opinions(rows, perform_plainly), "second_opinion.plain_fsync_agrees",
              "second_opinion.plain_fsync_agrees");
}

OPINION_TEST(syncs_are_as_by_io_uring,
             {.holds = {"second_opinion.io_uring_agrees_on_results", "second_opinion.io_uring_agrees_on_bytes"}}) {
  const std::vector<Request> rows = syncs();
  const std::vector<Opinion> other = ask_io_uring(rows);
  expect_same(rows, aio_opinions(rows), other, "second_opinion.io_uring_agrees_on_results",
              "second_opinion.io_uring_agrees_on_bytes");
}

OPINION_TEST(polls_are_as_by_plain_calls, {.holds = {"second_opinion.plain_poll_agrees"}}) {
  const std::vector<Request> rows = polls();
  const std::vector<Opinion> aio = aio_opinions(rows);
  expect_same(rows, aio, opinions(rows, perform_plainly), "second_opinion.plain_poll_agrees",
              "second_opinion.plain_poll_agrees");
}

OPINION_TEST(polls_are_as_by_io_uring,
             {.holds = {"second_opinion.io_uring_agrees_on_results", "second_opinion.io_uring_agrees_on_bytes"}}) {
  const std::vector<Request> rows = polls();
  std::vector<Opinion> other = ask_io_uring(rows);
  // It tells of POLLRDHUP unasked.
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (other[i].result > 0) other[i].result &= static_cast<std::int64_t>(rows[i].wanted());
  }
  expect_same(rows, aio_opinions(rows), other, "second_opinion.io_uring_agrees_on_results",
              "second_opinion.io_uring_agrees_on_bytes");
}

// AIO tells all bits of the wake-up, poll(2) those that hold then, io_uring the one or the other.
OPINION_TEST(a_woken_poll_tells_what_others_do, {.holds = {"second_opinion.woken_poll_tells_what_others_do"}}) {
  const std::vector<Request> rows = woken_polls();
  const auto uring = io_uring_opinions(rows);
  const std::vector<Opinion> aio = aio_opinions(rows);
  const std::vector<Opinion> plain = opinions(rows, perform_plainly);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_GT(aio[i].result, 0) << text_of(rows[i]);
    EXPECT_EQ(aio[i].result & plain[i].result, plain[i].result) << text_of(rows[i]) << ", poll(2)";
    EXPECT_NE(aio[i].result & static_cast<std::int64_t>(rows[i].wanted()), 0) << text_of(rows[i]);
    EXPECT_EQ(aio[i].state, plain[i].state) << text_of(rows[i]);
    if (!uring || !since(6, 1)) continue;
    const std::int64_t told = (*uring)[i].result & static_cast<std::int64_t>(rows[i].wanted());
    EXPECT_EQ(aio[i].result & told, told) << text_of(rows[i]) << ", io_uring";
  }
}

}  // namespace
}  // namespace aio::suites
