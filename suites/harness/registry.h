// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tests there are, before any runs: SUITE_TEST (case.h) adds them here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/entry_kinds.h"

namespace aio::suites {

class Case;

inline constexpr unsigned kNativeOnly = 1u << static_cast<unsigned>(EntryKind::kNative);
inline constexpr unsigned kLibaioOnly = 1u << static_cast<unsigned>(EntryKind::kLibaio);
inline constexpr unsigned kCompatOnly = 1u << static_cast<unsigned>(EntryKind::kCompat);
// System calls without a library before them, which would look at wrong pointers itself.
inline constexpr unsigned kRawEntries = kNativeOnly | kCompatOnly;
inline constexpr unsigned kAllEntries = kRawEntries | kLibaioOnly;

struct About {
  std::vector<std::string_view> holds;  // ids of the requirements that it looks at; the first is blamed by default
  unsigned entries = kAllEntries;       // through which it is run
  std::string_view needs = "";          // beside what the requirements need (reference/needs.h)
  bool alone = false;                   // runs while no other test does: it looks at what is the whole machine's
  bool may_crash = false;               // an unfixed kernel may not survive it
  bool changes_system = false;          // it changes what others see
};

struct TestEntry {
  std::string_view suite;  // "io_setup": the file that it stands in
  std::string_view name;   // "nr_zero_is_einval"
  const char* file = "";
  int line = 0;
  About about;
  Case* (*make)() = nullptr;

  std::string full_name() const;  // "io_setup.nr_zero_is_einval"
  bool is_about(std::string_view requirement) const;
  bool runs_through(EntryKind kind) const { return (about.entries & (1u << static_cast<unsigned>(kind))) != 0; }
};

// By suite, in the order of their lines.
std::span<const TestEntry> tests();
bool add_test(const TestEntry& test);
// The suites' names, sorted.
std::vector<std::string_view> suite_names();

}  // namespace aio::suites
