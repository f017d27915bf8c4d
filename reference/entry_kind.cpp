// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/entry_kind.h"

#include <algorithm>

namespace aio {
namespace {

struct Name {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<Name, kEntryKinds.size()> kNames{{
    {"native", "system calls"},
    {"libaio", "the library's wrappers"},
    {"compat32", "32-bit system calls, by int $0x80"},
}};

}  // namespace

std::string_view entry_name(EntryKind kind) { return kNames[static_cast<std::size_t>(kind)].name; }

std::string_view entry_text(EntryKind kind) { return kNames[static_cast<std::size_t>(kind)].text; }

std::optional<EntryKind> entry_of_name(std::string_view name) {
  const auto* const found =
      std::find_if(kEntryKinds.begin(), kEntryKinds.end(), [&](EntryKind kind) { return entry_name(kind) == name; });
  if (found == kEntryKinds.end()) return std::nullopt;
  return *found;
}

}  // namespace aio
