// SPDX-License-Identifier: GPL-2.0-or-later
//
// How addresses, values, flags and opcodes are written in traces and reports, and read back. Each
// has exactly one spelling, so equal text means equal data; the readers take no other spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reference/program.h"

namespace aio {

// "iocbs+0x40", "buffers", "null", "noaccess", "unmapped", "kernel+0x8", "noncanonical",
// "user_end-0x10" (the end of the user's half), otherwise hex.
std::string address_text(Address address);
// The inverse of address_text; nothing for any text that address_text never gives.
std::optional<Address> parse_address(std::string_view text);

// "-3", "quota+1", "context0"; literals and offsets from 2^28 on in hex.
std::string value_text(const Value& value);
// The inverse of value_text; nothing for any text that value_text never gives.
std::optional<Value> parse_value(std::string_view text);

// "DSYNC|NOWAIT|0x200", "0".
std::string rw_flags_text(std::uint32_t flags);
// "IN|HUP|0x800", "0".
std::string poll_text(std::uint16_t mask);
// "pread", "poll", …; "op9" for an opcode without a name.
std::string opcode_text(std::uint16_t opcode);

}  // namespace aio
