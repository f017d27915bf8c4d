// SPDX-License-Identifier: GPL-2.0-or-later
//
// Histories by hand that end with their process.
#include <gtest/gtest.h>

#include "properties/story.h"
#include "reference/abi.h"

namespace aio {
namespace {

using Kind = HistoryCall::Kind;

HistoryRequest counted(HistoryRequest request) {
  request.resfd = 0;
  return request;
}

Story story_with_counter() {
  Story story;
  story.history().counters = 1;
  return story;
}

// The call that was made last has no answer.
void cut_off_last(Story& story) {
  HistoryCall& last = story.history().calls.back();
  last.cut_off = true;
  last.ended = HistoryCall::kNever;
}

// The process dies, and its counter then holds `count`.
HistoryVerdict verdict_of_end(Story& story, std::int64_t count) {
  story.call(1, Kind::kDie, 0);
  story.call(0, Kind::kRead, count, count == 0 ? int{kEAGAIN} : int{kOk});
  return story.verdict();
}

TEST(HistoryDeaths, requests_that_were_taken_are_counted_once) {
  for (const auto& request : {at_once(1), later(1), poll(1)}) {
    for (const std::int64_t count : {0, 1, 2}) {
      Story story = story_with_counter();
      story.submit(0, {counted(request)});
      EXPECT_EQ(verdict_of_end(story, count), count == 1 ? kExplained : kUnexplained) << count;
    }
  }
}

TEST(HistoryDeaths, a_submission_that_is_cut_off_was_made_or_not) {
  for (const std::int64_t count : {0, 1, 2, 3}) {
    Story story = story_with_counter();
    story.submit(0, {counted(poll(1)), counted(later(2))});
    cut_off_last(story);
    EXPECT_EQ(verdict_of_end(story, count), count == 0 || count == 2 ? kExplained : kUnexplained)
        << count << ": it goes on to the end of its list";
  }
}

TEST(HistoryDeaths, a_wait_that_is_cut_off_may_have_taken_events) {
  for (const bool is_cut_off : {false, true}) {
    Story story = story_with_counter();
    story.getevents(0, 1, {}).waits = true;
    if (is_cut_off) cut_off_last(story);
    story.submit(1, {at_once(1), at_once(2)});
    story.getevents(1, 2, {{2, 8}});
    EXPECT_EQ(verdict_of_end(story, 0), is_cut_off ? kExplained : kUnexplained);
  }
}

TEST(HistoryDeaths, a_read_that_is_cut_off_may_have_taken_the_count) {
  for (const std::int64_t count : {0, 1}) {
    Story story = story_with_counter();
    story.submit(1, {counted(at_once(1))});
    story.call(0, Kind::kRead, 0);
    cut_off_last(story);
    EXPECT_EQ(verdict_of_end(story, count), kExplained) << count;
  }
}

TEST(HistoryDeaths, an_end_waits_for_io_destroy) {
  for (const std::int64_t count : {0, 1}) {
    Story story = story_with_counter();
    story.submit(1, {counted(poll(1))});
    story.call(0, Kind::kDestroy, 0);
    cut_off_last(story);
    EXPECT_EQ(verdict_of_end(story, count), count == 1 ? kExplained : kUnexplained);
  }
}

TEST(HistoryDeaths, no_call_is_made_afterwards) {
  Story story = story_with_counter();
  story.submit(0, {at_once(1)});
  story.call(1, Kind::kDie, 0);
  story.getevents(0, 1, {{1, 8}});
  EXPECT_EQ(story.verdict(), kUnexplained);
}

TEST(HistoryFiles, the_file_has_what_was_taken_and_no_more) {
  for (const bool taken : {false, true}) {
    for (const bool in_file : {false, true}) {
      Story story;
      if (!taken) story.call(0, Kind::kDestroy, 0);
      story.submit(0, {at_once(1)}, taken ? int{kOk} : int{kEINVAL});
      if (taken) story.getevents(0, 1, {{1, 8}});
      story.history().in_file = {false, in_file};
      EXPECT_EQ(story.verdict(), taken == in_file ? kExplained : kUnexplained) << taken << in_file;
    }
  }
}

}  // namespace
}  // namespace aio
