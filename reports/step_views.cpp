// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/step_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reference/members.h"
#include "reference/model.h"
#include "reference/print.h"
#include "reports/lane_columns.h"

namespace aio {
namespace {

std::string answer_text(const Step& step) {
  if (!step.observation) return "";
  const RecordedObservation& seen = *step.observation;
  if (seen.skipped) return "not made";
  std::string text = seen.asleep                                         ? "sleeps"
                     : is_system_call(step.operation) || seen.error != 0 ? result_text(seen.result, seen.error)
                                                                         : "";
  for (const LaneReturn& each : seen.returns) {
    text += fmt::format("{}lane {}: {}", text.empty() ? "" : "; ", each.lane, result_text(each.result, each.error));
  }
  return text;
}

// What the ring that comes with this operation is called.
std::string name_of_ring(const Operation& operation) {
  if (const auto* const setup = std::get_if<Setup>(&operation)) {
    const std::string where = ctxp_text(setup->ctxp);
    return where.starts_with('&') ? where.substr(1) : where;
  }
  if (const auto* const map = std::get_if<RingMap>(&operation)) return ctx_text(map->ctx);
  return "a ring";
}

// The rings as the kernel shows them; what it does not show comes from the model, as long as that agrees.
class Pictures {
 public:
  explicit Pictures(const Trace& trace) : trace_(trace) {
    const Profile* const profile = find_profile(trace.profile);
    if (profile == nullptr) return;
    if (trace.quirks) quirks_.emplace();
    for (const Signature& each : trace.quirks.value_or(std::vector<Signature>())) quirks_->add(each);
    model_.emplace(*profile, trace.machine, Rules(), quirks_ ? &*quirks_ : nullptr);
    const Program program = program_of(trace);
    model_->begin_case(named_members(program), is_stepped(program));
  }

  std::vector<RingPicture> next(const Step& step) {
    std::vector<RingPicture> rings;
    if (!step.observation) {
      model_.reset();
      return rings;
    }
    const Observation& seen = replayer_.next(*step.observation);
    if (model_) {
      model_->begin(step.resolved, seen);
      const Verdict verdict = model_->judge(seen);
      if (verdict.divergence || verdict.lost_track) model_.reset();
    }
    name_new_ones(step);
    for (const RecordedRing& ring : step.observation->rings) rings.push_back(picture(ring));
    return rings;
  }

 private:
  // After the variable that the program has of it.
  void name_new_ones(const Step& step) {
    std::map<Address, std::string> names;
    for (const RecordedRing& ring : step.observation->rings) {
      const auto known = names_.find(ring.id);
      names[ring.id] = known == names_.end() ? name_of_ring(step.operation) : known->second;
    }
    names_ = std::move(names);
  }

  RingPicture picture(const RecordedRing& ring) {
    RingPicture picture;
    picture.context = names_[ring.id];
    picture.slots = ring.header[static_cast<std::size_t>(RingField::kNr)];
    picture.head = ring.header[static_cast<std::size_t>(RingField::kHead)];
    picture.tail = ring.header[static_cast<std::size_t>(RingField::kTail)];
    if (model_) add_what_the_model_knows(ring.id, picture);
    return picture;
  }

  void add_what_the_model_knows(Address id, RingPicture& picture) const {
    for (const Context& context : model_->contexts()) {
      if (context.id != id) continue;
      for (const Request& each : model_->in_flight(context)) picture.in_flight.emplace_back(fd_name(each.fd));
      if (context.widened || context.candidates.size() != 1) return;
      Slots slots = context.candidates[0];
      picture.unreserved = slots.global;
      for (unsigned cpu = 0; cpu < trace_.machine.possible_cpus; ++cpu) {
        if (slots.local[cpu] != 0) picture.reserved[cpu] = slots.local[cpu];
      }
    }
  }

  const Trace& trace_;
  std::optional<Quirks> quirks_;
  std::optional<Model> model_;
  TraceReplayer replayer_;
  std::map<Address, std::string> names_;  // of the rings that are there
};

}  // namespace

std::vector<StepView> step_views(const Trace& trace) {
  const LaneColumns lanes = lane_columns(trace);
  Pictures pictures(trace);
  std::vector<StepView> views;
  for (std::size_t i = 0; i < trace.steps.size(); ++i) {
    StepView& view = views.emplace_back();
    view.operation = operation_text(trace.steps[i].operation);
    view.lanes = lanes.rows[i].columns;
    view.kernel = answer_text(trace.steps[i]);
    view.rings = pictures.next(trace.steps[i]);
    if (trace.divergence && trace.divergence->operation == i) view.model = trace.divergence->expected;
  }
  return views;
}

}  // namespace aio
