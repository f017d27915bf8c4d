// SPDX-License-Identifier: GPL-2.0-or-later
//
// Histories by hand, in which lanes are sent signals and rings are moved.
#include <gtest/gtest.h>

#include "properties/story.h"
#include "reference/abi.h"

namespace aio {
namespace {

using Kind = HistoryCall::Kind;

// Lane 1 blocks the signal if `blocked`; its wait, with no event there, gets EINTR or nothing.
HistoryCall& wait_of_lane_1(Story& story, bool blocked, bool turns_mask, int error) {
  story.history().blocks = {false, blocked};
  HistoryCall& waiter = story.getevents(1, 1, {}, error);
  waiter.turns_mask = turns_mask;
  waiter.handled = blocked && error == kEINTR;
  return waiter;
}

TEST(HistorySignals, a_signal_that_is_let_in_makes_nothing_into_eintr) {
  for (const bool blocked : {false, true}) {
    for (const bool turns_mask : {false, true}) {
      for (const bool sent : {false, true}) {
        Story story;
        wait_of_lane_1(story, blocked, turns_mask, kEINTR);
        story.call(0, sent ? Kind::kInterrupt : Kind::kWrite, 0).target = 1;
        story.overlap(2);
        EXPECT_EQ(story.verdict(), sent && blocked == turns_mask ? kExplained : kUnexplained)
            << blocked << turns_mask << sent;
      }
    }
  }
}

TEST(HistorySignals, one_signal_ends_one_wait) {
  for (const int count : {1, 2}) {
    Story story;
    story.history().blocks = {false, true};
    for (int i = 0; i < count; ++i) story.call(0, Kind::kInterrupt, 0).target = 1;
    wait_of_lane_1(story, true, true, kEINTR);
    EXPECT_EQ(story.verdict(), kExplained) << "pending since before";
    if (count == 2) story.call(0, Kind::kInterrupt, 0).target = 1;
    wait_of_lane_1(story, true, true, kEINTR);
    EXPECT_EQ(story.verdict(), count == 2 ? kExplained : kUnexplained);
  }
}

TEST(HistorySignals, a_blocked_signal_stays_until_it_is_let_in) {
  Story story;
  story.call(0, Kind::kInterrupt, 0).target = 1;
  wait_of_lane_1(story, true, false, 0);
  EXPECT_EQ(story.verdict(), kExplained);
  wait_of_lane_1(story, true, true, 0);
  EXPECT_EQ(story.verdict(), kUnexplained) << "it is there";
  EXPECT_EQ(story.culprit(), 2u);
}

TEST(HistorySignals, events_are_kept_and_the_handler_runs) {
  for (const bool handled : {false, true}) {
    Story story;
    story.history().blocks = {false, true};
    story.submit(0, {at_once(1)});
    story.call(0, Kind::kInterrupt, 0).target = 1;
    HistoryCall& waiter = story.getevents(1, 1, {{1, 8}});
    waiter.turns_mask = true;
    waiter.handled = handled;
    EXPECT_EQ(story.verdict(), handled ? kExplained : kUnexplained);
  }
  Story lost;
  lost.submit(0, {at_once(1)});
  lost.call(0, Kind::kInterrupt, 0).target = 1;
  lost.getevents(1, 1, {}, kEINTR);
  lost.overlap(2);
  lost.getevents(0, 1, {});
  EXPECT_EQ(lost.verdict(), kUnexplained) << "EINTR with the event taken";
}

TEST(HistorySignals, einval_is_kept_and_the_handler_runs) {
  for (const bool handled : {false, true}) {
    Story story;
    story.history().blocks = {false, true};
    story.call(0, Kind::kDestroy, 0);
    story.call(0, Kind::kInterrupt, 0).target = 1;
    HistoryCall& waiter = story.getevents(1, 1, {}, kEINVAL);
    waiter.turns_mask = true;
    waiter.handled = handled;
    EXPECT_EQ(story.verdict(), handled ? kExplained : kUnexplained);
  }
}

TEST(HistorySignals, a_signal_outside_of_calls_may_be_over_or_not) {
  for (const int error : {int{kOk}, int{kEINTR}}) {
    Story story;
    story.call(0, Kind::kInterrupt, 0).target = 1;
    wait_of_lane_1(story, false, false, error);
    EXPECT_EQ(story.verdict(), kExplained);
  }
}

TEST(HistorySignals, the_mask_is_back) {
  Story story;
  story.getevents(0, 1, {}).mask_is_back = false;
  EXPECT_EQ(story.verdict(), kUnexplained);
  EXPECT_EQ(story.culprit(), 0u);
}

TEST(HistoryMoves, a_context_is_found_where_its_ring_is) {
  for (const std::uint8_t place : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
    for (const int error : {int{kOk}, int{kEINVAL}}) {
      Story story;
      story.submit(0, {at_once(1)});
      story.call(0, Kind::kMove, 0).new_place = 1;
      HistoryCall& waiter =
          story.getevents(0, 1, error == 0 ? std::vector<HistoryEvent>{{1, 8}} : std::vector<HistoryEvent>(), error);
      waiter.place = place;
      story.history().settled = false;
      EXPECT_EQ(story.verdict(), (place == 1) == (error == 0) ? kExplained : kUnexplained) << int{place};
    }
  }
}

TEST(HistoryMoves, one_of_two_that_meet_wins) {
  for (const int wins : {0, 1, 2}) {
    Story story;
    story.call(0, Kind::kMove, 0, wins < 1 ? kEFAULT : 0).new_place = 1;
    story.call(1, Kind::kMove, 0, wins < 2 ? kEFAULT : 0).new_place = 2;
    story.overlap(2);
    EXPECT_EQ(story.verdict(), wins == 1 ? kExplained : kUnexplained) << wins;
  }
}

TEST(HistoryMoves, a_dead_ring_does_not_move) {
  for (const int error : {int{kOk}, int{kEINVAL}, int{kEFAULT}}) {
    Story story;
    story.call(0, Kind::kDestroy, 0);
    story.call(1, Kind::kMove, 0, error).new_place = 1;
    EXPECT_EQ(story.verdict(), error != 0 ? kExplained : kUnexplained) << error;
    story.overlap(2);
    EXPECT_EQ(story.verdict(), kExplained) << error;
  }
}

}  // namespace
}  // namespace aio
