// SPDX-License-Identifier: GPL-2.0-or-later
//
// Histories by hand, good and bad.
#include <gtest/gtest.h>

#include "properties/story.h"
#include "reference/abi.h"

namespace aio {
namespace {

using Kind = HistoryCall::Kind;
using RequestKind = HistoryRequest::Kind;

TEST(HistoryCheck, one_lane_is_in_order) {
  Story good;
  good.submit(0, {at_once(1), at_once(2)});
  good.getevents(0, 4, {{1, 8}, {2, 8}});
  EXPECT_EQ(good.verdict(), kExplained);
  Story swapped;
  swapped.submit(0, {at_once(1), at_once(2)});
  swapped.getevents(0, 4, {{2, 8}, {1, 8}});
  EXPECT_EQ(swapped.verdict(), kUnexplained);
  EXPECT_EQ(swapped.culprit(), 1u);
  Story fewer;
  fewer.submit(0, {at_once(1), at_once(2)});
  fewer.getevents(0, 4, {{1, 8}});
  EXPECT_EQ(fewer.verdict(), kUnexplained) << "it takes all that is there";
  Story wrong;
  wrong.submit(0, {at_once(1)});
  wrong.getevents(0, 1, {{1, 7}});
  EXPECT_EQ(wrong.verdict(), kUnexplained);
}

TEST(HistoryCheck, a_batch_is_seen_half) {
  for (const std::size_t seen : {0u, 1u, 2u, 3u}) {
    Story story;
    const std::vector<HistoryEvent> all{{1, 8}, {2, 8}, {3, 8}};
    story.submit(0, {at_once(1), at_once(2), at_once(3)});
    story.getevents(1, 4, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(seen)});
    story.overlap(2);
    story.getevents(1, 4, {all.begin() + static_cast<std::ptrdiff_t>(seen), all.end()});
    EXPECT_EQ(story.verdict(), kExplained) << seen;
  }
  Story early;
  early.getevents(1, 4, {{1, 8}});
  early.submit(0, {at_once(1)});
  EXPECT_EQ(early.verdict(), kUnexplained) << "before it was submitted";
  EXPECT_EQ(early.culprit(), 0u);
}

TEST(HistoryCheck, an_event_goes_to_one_waiter) {
  for (const bool both : {false, true}) {
    Story story;
    story.submit(0, {at_once(1)});
    story.getevents(0, 1, {{1, 8}});
    story.getevents(1, 1, both ? std::vector<HistoryEvent>{{1, 8}} : std::vector<HistoryEvent>{});
    story.overlap(2);
    EXPECT_EQ(story.verdict(), both ? kUnexplained : kExplained);
  }
}

TEST(HistoryCheck, nothing_that_is_to_come_is_lost) {
  for (const RequestKind kind : {RequestKind::kAtOnce, RequestKind::kLater}) {
    Story story;
    story.submit(0, {{kind, 1, 0, 0}});
    story.getevents(0, 4, {});
    story.history().settled = false;
    EXPECT_EQ(story.verdict(), kind == RequestKind::kLater ? kExplained : kUnexplained);
    story.history().settled = true;
    EXPECT_EQ(story.verdict(), kUnexplained);
  }
  Story waits;
  waits.submit(0, {poll(1)});
  waits.getevents(0, 4, {});
  EXPECT_EQ(waits.verdict(), kExplained) << "nobody has woken it";
  waits.call(1, Kind::kWrite, 0);
  waits.getevents(0, 4, {});
  EXPECT_EQ(waits.verdict(), kUnexplained);
  EXPECT_EQ(waits.culprit(), std::nullopt);
}

TEST(HistoryCheck, a_poll_is_woken_or_cancelled_and_gives_one_event) {
  const struct {
    int cancel;
    std::vector<HistoryEvent> events;
    HistoryVerdict verdict;
  } cases[] = {
      {kEINPROGRESS, {{1, 0}}, kExplained},      {kEINPROGRESS, {{1, 1}}, kExplained},
      {kEINVAL, {{1, 1}}, kExplained},           {kEINVAL, {{1, 0}}, kUnexplained},
      {kEINPROGRESS, {}, kUnexplained},          {kEINPROGRESS, {{1, 0}, {1, 1}}, kUnexplained},
      {kEINVAL, {{1, 1}, {1, 1}}, kUnexplained},
  };
  for (const auto& each : cases) {
    Story story;
    story.submit(0, {poll(1)});
    story.cancel(0, 1, each.cancel);
    story.call(1, Kind::kWrite, 0);
    story.overlap(2);
    story.getevents(0, 4, each.events);
    EXPECT_EQ(story.verdict(), each.verdict) << each.cancel << ", " << each.events.size();
  }
  Story sequential;
  sequential.submit(0, {poll(1)});
  sequential.cancel(0, 1, kEINVAL);
  sequential.call(1, Kind::kWrite, 0);
  sequential.getevents(0, 4, {{1, 1}});
  EXPECT_EQ(sequential.verdict(), kUnexplained) << "it was in flight when it was cancelled";
}

TEST(HistoryCheck, a_ready_poll_that_is_woken_while_it_is_submitted_completes_later) {
  for (const bool meets : {true, false}) {
    Story story;
    story.call(1, Kind::kWrite, 0);
    story.submit(0, {poll(1), at_once(2)});
    story.call(1, Kind::kWrite, 0);
    if (meets) story.overlap(2);
    story.getevents(0, 4, {{2, 8}, {1, 1}});
    EXPECT_EQ(story.verdict(), meets ? kExplained : kUnexplained);
  }
  Story cancelled;
  cancelled.call(1, Kind::kWrite, 0);
  cancelled.submit(0, {poll(1)});
  cancelled.call(1, Kind::kWrite, 0);
  cancelled.overlap(2);
  cancelled.cancel(0, 1, kEINPROGRESS);
  cancelled.getevents(0, 4, {{1, 0}});
  EXPECT_EQ(cancelled.verdict(), kExplained);
}

TEST(HistoryCheck, an_event_is_in_the_ring_before_it_is_counted) {
  for (const bool is_there : {true, false}) {
    Story story;
    story.history().counters = 1;
    HistoryRequest counted = at_once(1);
    counted.resfd = 0;
    story.submit(0, {counted, at_once(2)});
    story.call(1, Kind::kRead, 1);
    story.overlap(2);
    story.getevents(1, 1, is_there ? std::vector<HistoryEvent>{{1, 8}} : std::vector<HistoryEvent>());
    story.history().calls.front().ended = story.history().calls.back().ended + 1;
    story.history().settled = false;
    EXPECT_EQ(story.verdict(), is_there ? kExplained : kUnexplained);
  }
  Story lost;
  lost.history().counters = 1;
  HistoryRequest counted = later(1);
  counted.resfd = 0;
  lost.submit(0, {counted});
  lost.getevents(0, 1, {{1, 0}});
  lost.call(0, Kind::kRead, 0, kEAGAIN);
  EXPECT_EQ(lost.verdict(), kUnexplained) << "its count has not come";
  lost.call(0, Kind::kRead, 1);
  EXPECT_EQ(lost.verdict(), kExplained) << "it has come later";
}

TEST(HistoryCheck, a_context_is_dead_before_nobody_finds_it) {
  for (const bool is_over : {false, true}) {
    Story story;
    story.call(1, Kind::kDestroy, 0);
    story.getevents(0, 1, {}, kEINVAL);
    story.submit(0, {at_once(1)});
    if (!is_over) story.history().calls.front().ended = story.history().calls.back().ended + 1;
    EXPECT_EQ(story.verdict(), is_over ? kUnexplained : kExplained);
  }
}

TEST(HistoryCheck, a_wait_that_has_its_least_number_takes_no_more) {
  Story story;
  story.submit(1, {at_once(1)});
  HistoryCall& waiter = story.getevents(0, 2, {{1, 8}, {2, 8}});
  waiter.min_nr = 1;
  waiter.waits = true;
  story.getevents(1, 1, {});
  story.submit(1, {at_once(2)});
  story.history().calls[1].ended = story.history().calls.back().ended + 1;
  EXPECT_EQ(story.verdict(), kUnexplained);
  story.history().calls[1].min_nr = 2;
  EXPECT_EQ(story.verdict(), kExplained);
}

TEST(HistoryCheck, a_wait_into_nowhere_takes_nothing) {
  for (const bool is_there : {false, true}) {
    for (const bool fails : {false, true}) {
      Story story;
      if (is_there) story.submit(0, {at_once(1)});
      story.getevents(0, 1, {}, fails ? int{kEFAULT} : int{kOk}).unwritable = true;
      if (is_there) story.getevents(0, 1, {{1, 8}});
      EXPECT_EQ(story.verdict(), is_there == fails ? kExplained : kUnexplained) << is_there << fails;
    }
  }
  Story lost;
  lost.submit(0, {at_once(1)});
  lost.getevents(0, 1, {}, kEFAULT).unwritable = true;
  lost.getevents(0, 1, {});
  EXPECT_EQ(lost.verdict(), kUnexplained) << "the event stays";
}

TEST(HistoryCheck, who_reaps_takes_what_is_there) {
  for (const std::size_t seen : {0u, 1u, 2u}) {
    Story story;
    const std::vector<HistoryEvent> all{{1, 8}, {2, 8}};
    story.submit(0, {at_once(1), at_once(2)});
    HistoryCall& reap = story.call(1, Kind::kReap, static_cast<std::int64_t>(seen));
    reap.nr = 2;
    reap.events = {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(seen)};
    story.history().settled = false;
    EXPECT_EQ(story.verdict(), seen == 2 ? kExplained : kUnexplained);
    story.overlap(2);
    EXPECT_EQ(story.verdict(), kExplained);
  }
}

TEST(HistoryCheck, one_of_two_destroys_wins) {
  for (const int wins : {0, 1, 2}) {
    Story story;
    story.call(0, Kind::kDestroy, 0, wins < 1 ? kEINVAL : 0);
    story.call(1, Kind::kDestroy, 0, wins < 2 ? kEINVAL : 0);
    story.overlap(2);
    EXPECT_EQ(story.verdict(), wins == 1 ? kExplained : kUnexplained) << wins;
  }
}

TEST(HistoryCheck, a_context_that_ends_lets_nobody_in) {
  for (const bool overlaps : {false, true}) {
    Story story;
    story.call(0, Kind::kDestroy, 0);
    story.submit(1, {at_once(1)});
    if (overlaps) story.overlap(2);
    EXPECT_EQ(story.verdict(), overlaps ? kExplained : kUnexplained);
    Story refused;
    refused.call(0, Kind::kDestroy, 0);
    refused.submit(1, {at_once(1)}, kEINVAL);
    if (overlaps) refused.overlap(2);
    EXPECT_EQ(refused.verdict(), kExplained);
  }
  Story early;
  early.submit(0, {at_once(1)}, kEINVAL);
  early.call(0, Kind::kDestroy, 0);
  EXPECT_EQ(early.verdict(), kUnexplained);
}

TEST(HistoryCheck, a_waiter_on_a_context_that_ends_has_its_part_or_einval) {
  const struct {
    std::vector<HistoryEvent> events;
    int error;
    HistoryVerdict verdict;
  } cases[] = {{{{1, 8}}, 0, kExplained}, {{}, kEINVAL, kExplained}, {{}, 0, kUnexplained}};
  for (const auto& each : cases) {
    Story story;
    story.submit(0, {at_once(1)});
    if (each.events.empty()) story.getevents(0, 1, {{1, 8}});
    HistoryCall& waiter = story.getevents(0, 2, each.events, each.error);
    waiter.min_nr = 2;
    waiter.waits = true;
    waiter.may_time_out = false;
    story.call(1, Kind::kDestroy, 0);
    story.overlap(2);
    EXPECT_EQ(story.verdict(), each.verdict) << each.events.size() << ", " << each.error;
  }
}

TEST(HistoryCheck, destroy_returns_when_nobody_is_inside) {
  Story story;
  story.getevents(0, 1, {}, kEINVAL).waits = true;
  story.call(1, Kind::kDestroy, 0);
  story.overlap(2);
  EXPECT_EQ(story.verdict(), kExplained);
  Story other(2);
  other.submit(1, {at_once(1)});
  HistoryCall& waiter = other.getevents(0, 1, {});
  waiter.waits = true;
  waiter.min_nr = 1;
  other.call(1, Kind::kDestroy, 0);
  other.overlap(2);
  EXPECT_EQ(other.verdict(), kUnexplained) << "an event was there all the time";
}

TEST(HistoryCheck, too_many_configurations_are_undecided) {
  Story story;
  for (RequestNumber lane = 0; lane < 4; ++lane) {
    const auto first = static_cast<RequestNumber>(10 * lane);
    story.submit(lane, {later(first), later(static_cast<RequestNumber>(first + 1)),
                        poll(static_cast<RequestNumber>(first + 2))});
  }
  story.overlap(4);
  story.history().settled = false;
  EXPECT_EQ(check_history(story.history(), 100).verdict, HistoryVerdict::kUndecided);
}

}  // namespace
}  // namespace aio
