// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a history can be explained: is there an order of the calls' steps, each within its call, by which a kernel
// that keeps the rules answers as was seen? All orders are followed at once, as a set of configurations: what the
// contexts hold, and how far each running call is (Wing and Gong, 1993; equal configurations are one, Lowe, 2017).
//
// Steps, from fs/aio.c (semantics.md A and D): each call looks its context up first, and finds it until io_destroy has
// taken it out, or not where its ring was moved from; io_submit then takes one iocb after the other; io_getevents takes
// all that the ring has, up to nr, once or, where it waits, more often; io_destroy marks the context dead, and returns
// when no other call is in it and nothing is in flight; a request that a worker completes does so at any time, its
// event before its RESFD. A signal is handled between calls, or on the way out of a wait that it ends. Where the
// process dies calls go on as far as they must (io_submit to the end of its list), and then all contexts end.
#pragma once

#include <cstddef>
#include <optional>

#include "reference/history.h"

namespace aio {

enum class HistoryVerdict : std::uint8_t {
  kExplained,
  kUnexplained,
  kUndecided,  // more configurations than were allowed
};

struct HistoryCheck {
  HistoryVerdict verdict = HistoryVerdict::kExplained;
  // Of kUnexplained: the call whose answer no order explains, as an index; none where only the end is: something that
  // was to come has not.
  std::optional<std::size_t> call;
  bool is_file_wrong = false;      // that has not what the call wrote, or more than that
  std::size_t configurations = 0;  // that were looked at
};

HistoryCheck check_history(const History& history, std::size_t most_configurations = 200'000);

}  // namespace aio
