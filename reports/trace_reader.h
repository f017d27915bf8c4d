// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the text form of traces, and of bare programs that people write by hand:
//   {"version":1, "program":[{"op":"io_setup","nr":4}, {"op":"io_submit","ctx":"context0"}]}
// Traces come from other people, so every text gives a trace within bounds or a ReadError, in
// bounded time and memory. Missing members have their default; unknown ones are errors.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "reports/trace.h"

namespace aio {

struct ReadError {
  std::string file;
  unsigned line = 0;   // 0 where the file itself is the trouble
  std::string reason;  // what was found, and what would be right; printable ASCII

  // "trace.json:7: found … right would be …"
  std::string text() const;
};

// `file` is for messages only.
tl::expected<Trace, ReadError> read_trace(std::string_view text, const std::string& file = "trace");
// The content of a regular file, or its first kMaxJsonBytes and some more where it is longer.
tl::expected<std::string, ReadError> read_bounded(const std::string& path);
// Reads at most kMaxJsonBytes of the file.
tl::expected<Trace, ReadError> load_trace(const std::string& path);

}  // namespace aio
