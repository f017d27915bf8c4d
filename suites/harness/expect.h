// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a system call is expected to answer. A failure says what was called, what was allowed and what was seen:
//
//   EXPECT_ERROR(EINVAL, io_setup(0, context_slot(0)));
//   EXPECT_RETURNS(1, submit({0}));
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fixtures/entry.h"

namespace aio::suites {

std::string answer_text(const Answer& answer);
testing::AssertionResult error_is(const char* wanted_text, const char* call, int wanted, const Answer& seen);
testing::AssertionResult returns(const char* wanted_text, const char* call, std::int64_t wanted, const Answer& seen);

}  // namespace aio::suites

#define EXPECT_ERROR(wanted, call) EXPECT_PRED_FORMAT2(::aio::suites::error_is, wanted, call)
#define ASSERT_ERROR(wanted, call) ASSERT_PRED_FORMAT2(::aio::suites::error_is, wanted, call)
#define EXPECT_RETURNS(wanted, call) EXPECT_PRED_FORMAT2(::aio::suites::returns, wanted, call)
#define ASSERT_RETURNS(wanted, call) ASSERT_PRED_FORMAT2(::aio::suites::returns, wanted, call)

namespace aio {

// For GoogleTest's messages.
void PrintTo(const Answer& answer, std::ostream* out);
void PrintTo(const Event& event, std::ostream* out);

}  // namespace aio
