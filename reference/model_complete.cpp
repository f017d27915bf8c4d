// SPDX-License-Identifier: GPL-2.0-or-later
//
// Completions: which requests become due, with what result, and what a completion sets off in turn. Source:
// semantics.md D (wake-ups) and H (what is deterministic on return).
#include <algorithm>

#include "reference/model.h"

namespace aio {

void Model::signal_resfd(const Request& request) {
  if (!request.resfd) return;
  counter_rule_ = Req::kResfdCountsCompletions;
  if (files_.counter(traits(*request.resfd).index) == ~0ull) counter_rule_ = Req::kResfdSaturates;
  files_.signal(*request.resfd, rules_);
}

// Where the rule that makes it due is wrong, a second event is waited for.
void Model::add_due(Context& context, const Request& request) {
  if (rules_.wrong(request.due_rule)) {
    context.due.push_back(request);
    context.due.back().at_return = false;
    context.script.push_back({ScriptStep::What::kLaunch, context.due.size() - 1});
  }
  context.due.push_back(request);
}

// The request completes inside the call, by the calling thread.
void Model::complete_now(Context& context, Request request) {
  request.at_return = true;
  add_due(context, request);
  const std::size_t index = context.due.size() - 1;
  signal_resfd(request);
  // What the request's own work woke comes before its event.
  deliver_wakes();
  context.script.push_back({ScriptStep::What::kComplete, index});
}

// The request will complete by itself, at any time from now on.
void Model::complete_later(Context& context, Request request) {
  if (request.resfd && !request.at_return) late_signals_.push_back(*request.resfd);
  add_due(context, request);
  context.script.push_back({ScriptStep::What::kLaunch, context.due.size() - 1});
  // What a completion at an unknown time sets off happens at an unknown time too.
  const bool outer = late_;
  late_ = late_ || !request.at_return;
  signal_resfd(request);
  deliver_wakes();
  late_ = outer;
}

bool Model::reads_late_signal(Fd fd) const {
  return traits(fd).kind == FileKind::kEventfd &&
         std::find(late_signals_.begin(), late_signals_.end(), fd) != late_signals_.end();
}

void Model::deliver_wakes() {
  for (std::vector<Wake> wakes = files_.take_wakes(); !wakes.empty(); wakes = files_.take_wakes()) {
    for (const Wake& wake : wakes) wake_pending(wake);
  }
}

void Model::wake_pending(const Wake& wake) {
  for (Context& context : contexts_) {
    for (std::size_t i = 0; i < context.pending.size();) {
      Request& request = context.pending[i];
      unsigned res = 0;
      if (files_.queue_of(request.fd) == wake.queue) {
        const unsigned ready = files_.poll_mask(request.fd) & request.want;
        if (wake.key == 0) {
          res = ready;
          request.rule = request.due_rule = Req::kPollHangup;
        } else if ((wake.key & request.want) != 0 || rules_.wrong(Req::kPollUnwantedKeyIgnored)) {
          // The waker's whole key, not only what was asked for.
          res = rules_.wrong(Req::kPollWakeKey) ? ready | 0x400u : wake.key;
          request.rule = Req::kPollWakeKey;
          request.due_rule = (wake.key & request.want) != 0 ? Req::kPollWakes : Req::kPollUnwantedKeyIgnored;
          if (request.resfd && ready != 0 && res != ready) request.other_res = ready;
          request.at_return = !request.resfd && !late_;
        } else {
          rules_.exercise(Req::kPollUnwantedKeyIgnored);
        }
      }
      if (res == 0) {
        ++i;
        continue;
      }
      request.res = res;
      const Request due = request;
      context.pending.erase(context.pending.begin() + static_cast<std::ptrdiff_t>(i));
      complete_later(context, due);
      files_.drop(due.fd);
    }
  }
}

}  // namespace aio
