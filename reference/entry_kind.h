// SPDX-License-Identifier: GPL-2.0-or-later
//
// The entries there are, by name: native system calls, libaio's wrappers, and the i386 compat calls. They lead to the
// same rules; what differs is how pointers and times lie in memory, and what libaio does by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aio {

enum class EntryKind : std::uint8_t { kNative, kLibaio, kCompat };
inline constexpr std::array kEntryKinds{EntryKind::kNative, EntryKind::kLibaio, EntryKind::kCompat};
inline constexpr unsigned kEntryKindCount = kEntryKinds.size();

// "native", "libaio", "compat32".
std::string_view entry_name(EntryKind kind);
// What it is, in a few words.
std::string_view entry_text(EntryKind kind);
std::optional<EntryKind> entry_of_name(std::string_view name);

// Bytes of a pointer in the list of io_submit, and of each member of an iovec, a timespec and a sigset.
constexpr std::size_t word_size(EntryKind kind) { return kind == EntryKind::kCompat ? 4 : 8; }

}  // namespace aio
