// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations as C: the user's stores as statements, and the call as an expression.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>

#include "reports/c_parts.h"
#include "reports/trace.h"

namespace aio {

// What the text written so far makes necessary.
struct CNeeds {
  CParts parts;
  std::bitset<kFdCount> descriptors;
};

// "IOCBS + 0x40", or a number.
std::string c_address(Address address);
std::string c_number(std::int64_t number);
// "-EINVAL", or a number.
std::string c_result(std::int64_t result);
// "FD_PIPE_READ".
std::string c_descriptor(Fd fd);
// Text from elsewhere made fit for a comment: printable, and without an end of comment.
std::string c_comment(const std::string& text);
// A list of bytes for an initializer.
std::string c_bytes(const std::vector<std::uint8_t>& bytes);

// Statements, each a line with a tab before it, of what a call through this entry reads.
std::string c_stores(const Step& step, EntryKind entry, CNeeds& needs);
// An expression whose value is what the operation returns, -errno where it fails. Empty for an
// operation that is nothing but its stores, or that was not made (`skipped`).
std::string c_call(const Step& step, CNeeds& needs);
// The same for a call that sleeps, made by a task of its own; nothing is returned. Empty where the operation's never
// does.
std::string c_sleeping_call(const Step& step, CNeeds& needs);
// Whether what the call returns is looked at: not where it is a void expression.
bool c_returns(const Operation& operation);

}  // namespace aio
