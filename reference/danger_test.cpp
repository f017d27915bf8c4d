// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/danger.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

Program poll_with_resfd(Fd polled, Fd resfd) {
  IocbSpec spec;
  spec.opcode = kPoll;
  spec.fd = polled;
  spec.flags = kFlagResfd;
  spec.resfd = resfd;
  Submit submit;
  submit.iocbs.push_back(spec);
  return {{submit}};
}

TEST(Danger, a_poll_that_signals_what_it_polls_is_refused_before_6_1) {
  const Program program = poll_with_resfd(Fd::kEvent, Fd::kEvent);
  EXPECT_NE(danger_of(program, profile_for({5, 10})), nullptr);
  EXPECT_EQ(danger_of(program, profile_for({6, 1})), nullptr);
}

TEST(Danger, lanes_are_refused_where_waking_waiters_may_crash) {
  const Program program{{InLane{1}}};
  EXPECT_NE(danger_of(program, profile_for({6, 8})), nullptr);
  EXPECT_EQ(danger_of(program, profile_for({6, 12})), nullptr);
  EXPECT_EQ(danger_of(program, profile_for({6, 6})), nullptr);
}

TEST(Danger, a_poll_that_signals_another_eventfd_may_run_anywhere) {
  EXPECT_EQ(danger_of(poll_with_resfd(Fd::kEvent, Fd::kNbEvent), profile_for({4, 19})), nullptr);
}

TEST(Danger, a_child_that_moves_a_ring_is_refused_before_6_2) {
  for (const Program& program : {Program{{InChild{}, RingMap{}}}, Program{{InChild{}, Move{}, RingMap{}}}}) {
    EXPECT_NE(danger_of(program, profile_for({6, 1})), nullptr);
    EXPECT_EQ(danger_of(program, profile_for({6, 6})), nullptr);
  }
  EXPECT_EQ(danger_of({{InChild{}, Destroy{}, RingMap{}}}, profile_for({6, 1})), nullptr);
  EXPECT_EQ(danger_of({{InChild{}, RingMap{.action = MapAction::kUnmap}}}, profile_for({6, 1})), nullptr);
}

}  // namespace
}  // namespace aio
