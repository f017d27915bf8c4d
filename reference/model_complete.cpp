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
  if (completing_cpu_) request.cpu = completing_cpu_;
  if (request.resfd && !request.at_return) late_signals_.push_back(*request.resfd);
  // What a completion at an unknown time sets off happens at an unknown time too.
  const bool outer = late_;
  late_ = late_ || !request.at_return;
  const auto is_it = [&](const Context& each) { return &each == &context; };
  if (std::any_of(dying_.begin(), dying_.end(), is_it)) {
    complete_unseen(request, Req::kDestroyLateResfd);
  } else if (std::any_of(lost_.begin(), lost_.end(), is_it)) {
    complete_unseen(request, Req::kMapCompletesUnmapped);
  } else {
    add_due(context, request);
    context.script.push_back({ScriptStep::What::kLaunch, context.due.size() - 1});
    signal_resfd(request);
  }
  deliver_wakes();
  late_ = outer;
}

// Its context has no ring any more in which its event could be seen.
void Model::complete_unseen(const Request& request, Req rule) {
  if (!request.resfd) return;
  if (!rules_.wrong(rule)) signal_resfd(request);
  counter_rule_ = rule;
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

// What a wake-up does to a POLL that is pending on its queue: true if it completes, with the result filled in.
bool Model::wakes(const Wake& wake, Request& request) {
  const unsigned ready = files_.poll_mask(request.fd) & request.want;
  if (wake.key == 0) {
    // Without a key a worker asks the file again.
    request.res = ready;
    request.rule = request.due_rule = Req::kPollHangup;
    return ready != 0;
  }
  const bool wanted = (wake.key & request.want) != 0;
  if (!wanted) rules_.exercise(Req::kPollUnwantedKeyIgnored);
  if (!wanted && !rules_.wrong(Req::kPollUnwantedKeyIgnored)) return false;
  // The waker's whole key, not only what was asked for.
  request.res = rules_.wrong(Req::kPollWakeKey) ? ready | 0x400u : wake.key;
  request.rule = Req::kPollWakeKey;
  request.due_rule = wanted ? Req::kPollWakes : Req::kPollUnwantedKeyIgnored;
  // A completion that signals an eventfd may be left to a worker, which asks the file again (E46).
  if (request.resfd && ready != 0 && request.res != ready) request.other_res = ready;
  request.at_return = !request.resfd && !late_;
  return true;
}

void Model::wake_pending(const Wake& wake) {
  for (Context& context : contexts_) wake_pending(context, wake);
  for (Context& context : dying_) wake_pending(context, wake);
  for (Context& context : lost_) wake_pending(context, wake);
}

void Model::wake_pending(Context& context, const Wake& wake) {
  // One completion may set off others in the same context: take out all that this wake-up completes first.
  std::vector<Request> woken;
  std::erase_if(context.pending, [&](Request& request) {
    if (!(request.queue == wake.queue)) return false;
    Request candidate = request;
    const bool completes = wakes(wake, candidate);
    if (completes) woken.push_back(candidate);
    return completes;
  });
  for (const Request& request : woken) {
    complete_later(context, request);
    files_.drop(request.fd);
  }
}

}  // namespace aio
