// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/expect.h"

#include <fmt/format.h>

#include <cstring>
#include <ostream>

namespace aio {
namespace suites {
namespace {

std::string error_text(int error) {
  const char* const name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

testing::AssertionResult differs(const char* call, const std::string& wanted, const Answer& seen) {
  return testing::AssertionFailure() << call << "\n  expected  " << wanted << "\n  seen      " << answer_text(seen);
}

}  // namespace

std::string answer_text(const Answer& answer) {
  return answer.value == -1 ? error_text(answer.error) : fmt::format("{}", answer.value);
}

testing::AssertionResult error_is(const char*, const char* call, int wanted, const Answer& seen) {
  if (seen.value == -1 && seen.error == wanted) return testing::AssertionSuccess();
  return differs(call, error_text(wanted), seen);
}

testing::AssertionResult returns(const char*, const char* call, std::int64_t wanted, const Answer& seen) {
  if (seen.value == wanted) return testing::AssertionSuccess();
  return differs(call, fmt::format("{}", wanted), seen);
}

}  // namespace suites

void PrintTo(const Answer& answer, std::ostream* out) { *out << suites::answer_text(answer); }

void PrintTo(const Event& event, std::ostream* out) {
  *out << fmt::format("{{data {:#x}, obj {:#x}, res {}, res2 {}}}", event.data, event.obj, event.res, event.res2);
}

}  // namespace aio
