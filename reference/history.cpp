// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference/model.h"

namespace aio {
namespace {

std::string request_text(const HistoryRequest& request) {
  const std::string resfd = request.resfd ? fmt::format(" resfd=counter{}", *request.resfd) : "";
  switch (request.kind) {
    case HistoryRequest::Kind::kAtOnce:
      return fmt::format("{}: at once{}", request.number, resfd);
    case HistoryRequest::Kind::kLater:
      return fmt::format("{}: later{}", request.number, resfd);
    case HistoryRequest::Kind::kPoll:
      break;
  }
  return fmt::format("{}: poll(eventfd{}){}", request.number, request.eventfd, resfd);
}

// "ctx0", and "ctx0@2" where its ring was moved to.
std::string context_text(const HistoryCall& call) {
  return call.place == HistoryCall::kFirstPlace ? fmt::format("ctx{}", call.context)
                                                : fmt::format("ctx{}@{}", call.context, call.place);
}

std::string wait_text(const HistoryCall& call) {
  const char* const time = call.for_ever ? ", for ever" : call.waits ? "" : ", {0,0}";
  return fmt::format("{}({}, min {}, nr {}{}{}{})", call.turns_mask ? "io_pgetevents" : "io_getevents",
                     context_text(call), call.min_nr, call.nr, call.unwritable ? ", to nowhere" : "", time,
                     call.turns_mask ? ", other mask" : "");
}

}  // namespace

bool lets_signal_in(const History& history, const HistoryCall& call) {
  return holds_for(history.blocks, call.lane) == call.turns_mask;
}

std::string asked_text(const HistoryCall& call) {
  std::string list;
  switch (call.kind) {
    case HistoryCall::Kind::kSubmit:
      for (const HistoryRequest& each : call.requests) list += (list.empty() ? "" : ", ") + request_text(each);
      return fmt::format("io_submit({}, [{}])", context_text(call), list);
    case HistoryCall::Kind::kGetevents:
      return wait_text(call);
    case HistoryCall::Kind::kCancel:
      return fmt::format("io_cancel({}, {})", context_text(call), call.cancelled);
    case HistoryCall::Kind::kDestroy:
      return fmt::format("io_destroy({})", context_text(call));
    case HistoryCall::Kind::kInterrupt:
      return fmt::format("tkill(lane {})", call.target);
    case HistoryCall::Kind::kDie:
      return call.death == HistoryCall::Death::kExit   ? "exit_group()"
             : call.death == HistoryCall::Death::kKill ? "kill(SIGKILL)"
                                                       : "execve()";
    case HistoryCall::Kind::kReap:
      return fmt::format("reap({}, nr {})", context_text(call), call.nr);
    case HistoryCall::Kind::kMove:
      return fmt::format("mremap({}, to @{})", context_text(call), call.new_place);
    case HistoryCall::Kind::kRead:
      return fmt::format("read(counter{})", call.counter);
    case HistoryCall::Kind::kWrite:
      break;
  }
  return fmt::format("write(eventfd{})", call.eventfd);
}

std::string answer_text(const HistoryCall& call) {
  std::string text = result_text(call.result, call.error);
  for (const HistoryEvent& each : call.events) text += fmt::format(" [{}: {}]", each.number, each.res);
  if (call.handled) text += ", and the handler ran";
  if (!call.mask_is_back) text += ", and the lane's signal mask is another one";
  return text;
}

bool is_destroyed(const History& history, unsigned context) {
  return std::any_of(history.calls.begin(), history.calls.end(), [&](const HistoryCall& each) {
    return each.kind == HistoryCall::Kind::kDestroy && each.context == context && each.result == 0;
  });
}

std::vector<HistoryRequest> ended_requests(const History& history, unsigned context) {
  std::vector<bool> cancelled(256);
  std::vector<bool> written(history.eventfds);
  bool all = is_destroyed(history, context);
  for (const HistoryCall& each : history.calls) {
    if (each.kind == HistoryCall::Kind::kWrite) written[each.eventfd] = true;
    if (each.kind == HistoryCall::Kind::kCancel && each.error == kEINPROGRESS) cancelled[each.cancelled] = true;
    if (each.kind == HistoryCall::Kind::kDie) all = true;
  }
  std::vector<HistoryRequest> found;
  for (const HistoryCall& each : history.calls) {
    if (each.kind != HistoryCall::Kind::kSubmit || each.context != context) continue;
    for (std::int64_t i = 0; i < std::min(each.result, std::ssize(each.requests)); ++i) {
      const HistoryRequest& request = each.requests[static_cast<std::size_t>(i)];
      const bool is_poll = request.kind == HistoryRequest::Kind::kPoll;
      if (all || !is_poll || written[request.eventfd] || cancelled[request.number]) found.push_back(request);
    }
  }
  return found;
}

std::string history_text(const History& history, std::optional<std::size_t> marked) {
  struct Line {
    std::uint64_t at;
    std::size_t call;
    bool is_end;
  };
  std::vector<Line> lines;
  std::size_t lanes = 0;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const HistoryCall& call = history.calls[i];
    if (call.began == HistoryCall::kNever) continue;
    lines.push_back({call.began, i, false});
    if (call.ended != HistoryCall::kNever) lines.push_back({call.ended, i, true});
    lanes = std::max<std::size_t>(lanes, call.lane + 1U);
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text;
  for (std::size_t i = 0; i < history.blocks.size(); ++i) {
    if (history.blocks[i]) text += fmt::format("lane {} blocks the signal, except in io_pgetevents\n", i);
  }
  for (std::size_t i = 0; i < history.sharing.size(); ++i) {
    if (history.sharing[i]) text += fmt::format("lane {} is a process that shares the memory\n", i);
  }
  std::string columns(2 * lanes, ' ');
  for (std::size_t i = 0; i < lanes; ++i) columns[2 * i] = static_cast<char>('0' + i % 10);
  text += columns + " lane (+ calls, | is inside, = returns)\n";
  for (std::size_t i = 0; i < lanes; ++i) columns[2 * i] = '.';
  for (const Line& line : lines) {
    const HistoryCall& call = history.calls[line.call];
    char& column = columns[2 * static_cast<std::size_t>(call.lane)];
    column = line.is_end ? '=' : '+';
    text += columns + " " + (line.is_end ? "  " + answer_text(call) : asked_text(call));
    if (line.call == marked && line.is_end) text += "   <- no order explains it";
    if (call.ended == HistoryCall::kNever) text += call.cut_off ? "   (cut off)" : "   <- it never returned";
    text += "\n";
    column = line.is_end ? '.' : '|';
  }
  return text;
}

}  // namespace aio
