// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of the generator: a sample of programs, and tables of classes of arguments that must
// occur in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "properties/generator.h"

namespace aio {

inline constexpr std::uint64_t kSampledPrograms = 20'000;
inline constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

template <class T>
struct Class {
  const char* name;
  unsigned at_least;  // programs that contain one
  bool (*is)(const T&);
};

// Calls f(part) for each part of the program that is a T: an operation, or an iocb.
template <class T, class F>
void visit_parts(const Program& program, F&& f) {
  for (const Operation& operation : program.operations) {
    if constexpr (std::is_same_v<T, Operation>) {
      f(operation);
    } else if constexpr (std::is_same_v<T, IocbSpec>) {
      if (const auto* submit = std::get_if<Submit>(&operation)) {
        for (const IocbSpec& spec : submit->iocbs) f(spec);
      }
    } else if constexpr (std::is_same_v<T, Segment>) {
      visit_parts<IocbSpec>(program, [&](const IocbSpec& spec) {
        for (const Segment& segment : spec.segments) f(segment);
      });
    } else {
      if (const auto* op = std::get_if<T>(&operation)) f(*op);
    }
  }
}

inline const std::vector<Program>& sample() {
  static const std::vector<Program> programs = [] {
    std::vector<Program> made;
    // In a mix the kinds come in blocks, of which so few programs would have any number.
    for (std::uint64_t index = 0; index < kSampledPrograms; ++index) {
      const auto kind = index % 20 == 0   ? ProgramKind::kHeld
                        : index % 20 == 1 ? ProgramKind::kStepped
                                          : ProgramKind::kPlain;
      made.push_back(generate(1, index, {.kind = kind}));
    }
    return made;
  }();
  return programs;
}

template <class T>
void expect_classes(const std::vector<Class<T>>& classes) {
  for (const Class<T>& row : classes) {
    unsigned count = 0;
    for (const Program& program : sample()) {
      bool found = false;
      visit_parts<T>(program, [&](const T& part) { found = found || row.is(part); });
      count += found ? 1 : 0;
    }
    EXPECT_GE(count, row.at_least) << row.name;
  }
}

}  // namespace aio

// A predicate on x. A lambda without this macro would make every row of a table two lines.
#define IS(type, expression) [](const type& x) -> bool { return expression; }
