// SPDX-License-Identifier: GPL-2.0-or-later
//
// Pipes of one page: what fits, what is added to the page that is there, and what a fault leaves behind.
#include <gtest/gtest.h>

#include <algorithm>

#include "reference/files_harness.h"

namespace aio {
namespace {

using arena::kBuffers;

constexpr Fd kIn = Fd::kNbPipeWrite;
constexpr Fd kOut = Fd::kNbPipeRead;

void expect_outcome(const Outcome& outcome, std::int64_t res, Req rule, bool waited = false) {
  EXPECT_EQ(outcome.res, res);
  EXPECT_EQ(requirement(outcome.rule).id, requirement(rule).id);
  EXPECT_EQ(outcome.waited, waited);
}

TEST(FilesPipe, bytes_come_out_in_the_order_in_which_they_went_in) {
  FilesHarness h;
  expect_outcome(h.send(kIn, 10, 6), 6, Req::kPipeWriteCount);
  expect_outcome(h.send(kIn, 20, 6), 6, Req::kPipeWriteCount);
  expect_outcome(h.read(kOut, 8), 8, Req::kPipeReadCount);
  for (const auto& [at, byte] : {std::pair{0, 10}, {5, 15}, {6, 20}, {7, 21}}) {
    EXPECT_EQ(h.byte(kBuffers + static_cast<unsigned>(at)), byte);
  }
  expect_outcome(h.read(kOut, 100), 4, Req::kPipeReadCount);
  EXPECT_EQ(h.byte(kBuffers), 22);
  expect_outcome(h.read(kOut, 1), -kEAGAIN, Req::kNonblockingIsResult);
}

TEST(FilesPipe, nothing_is_zero_even_without_a_reader) {
  FilesHarness h;
  expect_outcome(h.read(kOut, 0), 0, Req::kReadZeroBytes);
  h.close(kOut);
  expect_outcome(h.write(kIn, 0), 0, Req::kWriteZeroBytes);
}

TEST(FilesPipe, an_empty_pipe_takes_a_page_and_a_larger_write_in_part) {
  for (const bool blocking : {false, true}) {
    FilesHarness h;
    const Fd in = blocking ? Fd::kPipeWrite : kIn;
    expect_outcome(h.write(in, 4096), 4096, Req::kPipeWriteCount);
    expect_outcome(h.write(in, 1), blocking ? -kEINTR : -kEAGAIN,
                   blocking ? Req::kSignalEndsRequest : Req::kNonblockingIsResult, blocking);
    FilesHarness large;
    expect_outcome(large.write(in, 4097), 4096, Req::kPipeWriteShort, blocking);
  }
}

TEST(FilesPipe, a_blocking_pipe_with_rwf_nowait_does_not_wait) {
  FilesHarness h;
  expect_outcome(h.read(Fd::kPipeRead, 1, {0, kRwfNowait}), -kEAGAIN, Req::kNonblockingIsResult);
  expect_outcome(h.read(Fd::kPipeRead, 1), -kEINTR, Req::kSignalEndsRequest, true);
  expect_outcome(h.write(Fd::kPipeWrite, 5000, {0, kRwfNowait}), 4096, Req::kPipeWriteShort);
}

struct Merge {
  const char* what;
  std::uint64_t first, read, second;
  std::int64_t res;
};

// A page with something in it takes only what fits behind that, and only a write's last part of a page.
TEST(FilesPipe, a_second_write_is_added_where_it_fits_behind_the_first) {
  constexpr Merge kMerges[] = {
      {"fits", 4000, 0, 96, 96},
      {"does not fit", 4000, 0, 97, -kEAGAIN},
      {"what was read leaves no room", 4000, 3999, 97, -kEAGAIN},
      {"what was read to the end does", 4000, 4000, 4096, 4096},
      {"a whole page", 1, 0, 4096, -kEAGAIN},
      {"a page and what fits", 1, 0, 4096 + 10, 10},
      {"a page and what does not fit", 4090, 0, 4096 + 10, -kEAGAIN},
  };
  for (const Merge& each : kMerges) {
    SCOPED_TRACE(each.what);
    FilesHarness h;
    ASSERT_EQ(h.write(kIn, each.first).res, static_cast<std::int64_t>(each.first));
    if (each.read > 0) {
      ASSERT_EQ(h.read(kOut, each.read).res, static_cast<std::int64_t>(each.read));
    }
    EXPECT_EQ(h.write(kIn, each.second).res, each.res);
    const auto added = static_cast<std::uint64_t>(std::max<std::int64_t>(each.res, 0));
    const std::uint64_t left = each.first - each.read + added;
    EXPECT_EQ(h.read(kOut, 8192).res, left > 0 ? static_cast<std::int64_t>(left) : -kEAGAIN);
  }
}

TEST(FilesPipe, a_read_that_faults_keeps_the_bytes_of_its_page) {
  FilesHarness h;
  h.send(kIn, 10, 20);
  expect_outcome(h.read(kOut, {{kHole, 5}}), -kEFAULT, Req::kReadFaultIsResult);
  expect_outcome(h.read(kOut, {{kLastTen, 20}}), -kEFAULT, Req::kReadFaultIsResult);
  // The bytes before the fault were copied all the same.
  EXPECT_EQ(h.byte(kLastTen + 9), 19);
  expect_outcome(h.read(kOut, 20), 20, Req::kPipeReadCount);
}

TEST(FilesPipe, a_write_that_faults_adds_nothing) {
  FilesHarness h;
  expect_outcome(h.write(kIn, {{kLastTen, 20}}), -kEFAULT, Req::kWriteFaultIsResult);
  expect_outcome(h.read(kOut, 1), -kEAGAIN, Req::kNonblockingIsResult);
  h.send(kIn, 10, 20);
  expect_outcome(h.write(kIn, {{kBuffers, 5}, {kHole, 5}}), -kEFAULT, Req::kWriteFaultIsResult);
  expect_outcome(h.read(kOut, 100), 20, Req::kPipeReadCount);
}

// Before 6.14 the page that was got ready for the bytes stays in the pipe, empty.
TEST(FilesPipe, a_fault_leaves_an_empty_page_before_6_14) {
  for (const auto& [name, leaves] : {std::pair{"6.12", true}, std::pair{"6.14", false}}) {
    SCOPED_TRACE(name);
    FilesHarness h(*find_profile(name));
    EXPECT_EQ(h.write(kIn, {{kHole, 20}}).res, -kEFAULT);
    EXPECT_EQ(h.files.poll_mask(kIn) & kPollOut, leaves ? 0 : kPollOut);
    EXPECT_EQ(h.files.poll_mask(kOut) & kPollIn, leaves ? kPollIn : 0);
    EXPECT_EQ(h.files.has_only_empty_pages(kOut), leaves);
    EXPECT_EQ(h.write(kIn, 4096).res, leaves ? -kEAGAIN : 4096);
  }
}

TEST(FilesPipe, closed_ends_are_seen_by_the_other) {
  FilesHarness h;
  h.send(kIn, 10, 4);
  h.close(kIn);
  expect_outcome(h.read(kOut, 100), 4, Req::kPipeReadCount);
  expect_outcome(h.read(kOut, 100), 0, Req::kPipeReadHangup);
  expect_outcome(h.read(kOut, {{kHole, 5}}), 0, Req::kPipeReadHangup);
  FilesHarness broken;
  broken.close(Fd::kPipeRead);
  expect_outcome(broken.write(Fd::kPipeWrite, 1), -kEPIPE, Req::kPipeWriteBroken);
  expect_outcome(broken.write(Fd::kPipeWrite, {{kHole, 1}}), -kEPIPE, Req::kPipeWriteBroken);
}

TEST(FilesPipe, the_two_pipes_have_nothing_in_common) {
  FilesHarness h;
  h.send(kIn, 10, 4);
  EXPECT_TRUE(h.read(Fd::kPipeRead, 1).waited);
  h.close(Fd::kPipeRead);
  EXPECT_EQ(h.send(kIn, 10, 4).res, 4);
}

}  // namespace
}  // namespace aio
