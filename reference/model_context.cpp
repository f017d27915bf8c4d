// SPDX-License-Identifier: GPL-2.0-or-later
//
// Contexts: io_setup, io_destroy and how every other call finds one. Source: semantics.md A.0, A.1 and A.6; fs/aio.c of
// v4.9: ioctx_alloc, lookup_ioctx, kill_ioctx.
#include <algorithm>
#include <cstring>

#include "reference/model.h"

namespace aio {
namespace {

// n of io_setup may not exceed this: 0x10000000 bytes of events.
constexpr std::uint32_t kMaxWanted = 0x10000000u / sizeof(Event);

}  // namespace

Model::Expected Model::setup(const Setup& op) {
  const auto nr = static_cast<std::uint32_t>(op.nr.offset);
  aio_nr_change_ = 0;
  aio_nr_rule_ = Req::kSetupFailureKeepsAioNr;
  const std::optional<std::uint64_t> before = read_variable(op.ctxp);
  if (!before) {
    if (nr == 0) return fail(Req::kSetupFaultBeforeNr, kEFAULT);
    return fail(Req::kSetupCtxpUnreadable, kEFAULT);
  }
  if (*before != 0) return fail(Req::kSetupCtxpNotZero, kEINVAL);
  if (nr == 0) return fail(Req::kSetupNrZero, kEINVAL);
  const std::uint32_t wanted = wanted_events(nr, machine_->possible_cpus);
  if (wanted > kMaxWanted) return fail(Req::kSetupNrTooLarge, kEINVAL);
  const std::uint64_t limit = machine_->aio_max_nr * (profile_->counts_user_nr ? 1 : 2);
  const std::uint64_t cost = profile_->counts_user_nr ? nr : wanted;
  if (wanted == 0) return fail(Req::kSetupNrWraps, kEAGAIN);
  if (cost > limit && machine_->aio_nr) return fail(Req::kSetupNrOverMax, kEAGAIN);
  const bool over =
      seen_->aio_nr_before ? *seen_->aio_nr_before + cost > limit : machine_->aio_nr && seen_->error == kEAGAIN;
  if (over) return fail(Req::kSetupSumOverMax, kEAGAIN);
  if (const std::size_t size = word_size(entry_); memory_.writable(op.ctxp, size) < size) {
    if (is_compat() && !profile_->compat_setup_undone && !in_child_) {
      // The context stays, and nobody knows where: E5.
      take_index();
      aio_nr_change_ = static_cast<std::int64_t>(cost);
    }
    return fail(Req::kSetupCtxpUnwritable, kEFAULT);
  }
  const bool half = is_compat() && memory_.get<std::uint64_t>(op.ctxp).value_or(0) != 0;
  const Expected expected = value(half ? Req::kCompatVariable : Req::kSetupSucceeds, 0);
  if (in_child_) {
    aio_nr_rule_ = Req::kExitGivesBackNr;
    aio_nr_change_ = rules_.wrong(Req::kExitGivesBackNr) ? 1 : 0;
    return expected;
  }
  aio_nr_rule_ = Req::kSetupCountsNr;
  aio_nr_change_ = static_cast<std::int64_t>(cost) + (rules_.wrong(Req::kSetupCountsNr) ? 1 : 0);
  if (seen_->result == 0) create_context(op, nr);
  return expected;
}

// The lowest that is free.
std::uint32_t Model::take_index() {
  const auto free = std::find(ids_.begin(), ids_.end(), false);
  const auto index = static_cast<std::uint32_t>(free - ids_.begin());
  if (free == ids_.end()) ids_.push_back(false);
  ids_[index] = true;
  return index;
}

// The context exists and its id was stored; where its ring lies is the kernel's choice.
void Model::create_context(const Setup& op, std::uint32_t nr) {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < arena::kAreas.size(); ++i) {
    const arena::Area& area = arena::kAreas[i];
    const std::size_t size = word_size(entry_);
    if (op.ctxp >= area.begin && op.ctxp + size <= area.begin + area.size && !seen_->memory[i].empty()) {
      std::memcpy(&id, seen_->memory[i].data() + (op.ctxp - area.begin), size);
    }
  }
  const bool page_aligned = id != 0 && id % machine_->page_size == 0 && in_user_half(id, machine_->page_size);
  const bool fresh = find(id) == nullptr && (id < arena::kBase || id >= arena::kEnd);
  if (!page_aligned || !fresh || rules_.wrong(Req::kSetupIdIsRing)) {
    diverge(Req::kSetupIdIsRing, Kind::kMemory, "the page-aligned address of a new ring", "another value");
    return;
  }
  rules_.exercise(Req::kSetupIdIsRing);
  if (is_compat()) {
    memory_.put(op.ctxp, static_cast<std::uint32_t>(id), Req::kSetupIdIsRing);
  } else {
    memory_.put(op.ctxp, id, Req::kSetupIdIsRing);
  }

  Context context;
  context.id = id;
  context.serial = next_serial_++;
  context.geometry = geometry(nr, machine_->possible_cpus, machine_->page_size);
  context.nr = profile_->counts_user_nr ? nr : context.geometry.wanted;
  context.index = take_index();
  context.ring.resize(context.geometry.pages * machine_->page_size);
  RingHeader header;
  header.id = context.index;
  header.nr = context.geometry.ring_size;
  header.magic = kRingMagic;
  header.compat_features = kRingCompatFeatures;
  header.incompat_features = kRingIncompatFeatures;
  header.header_length = sizeof(RingHeader);
  if (rules_.wrong(Req::kSetupLowestId)) ++header.id;
  if (rules_.wrong(Req::kSetupRingSize)) ++header.nr;
  if (rules_.wrong(Req::kSetupRingMagic)) ++header.magic;
  if (rules_.wrong(Req::kSetupRingFeatures)) ++header.compat_features;
  if (rules_.wrong(Req::kSetupRingHeaderLength)) ++header.header_length;
  if (rules_.wrong(Req::kSetupRingEmpty)) header.tail = 1;
  context.set_header(header);
  if (rules_.wrong(Req::kSetupRingZeroed)) context.ring.back() = std::byte{1};
  context.head_rule = context.tail_rule = Req::kSetupRingEmpty;
  context.candidates.push_back(Quota(context.geometry, machine_->possible_cpus, rules_).fresh());
  forget_id(id);
  contexts_.push_back(std::move(context));
}

Context* Model::find(std::uint64_t id) {
  const auto found = std::find_if(contexts_.begin(), contexts_.end(), [id](const Context& c) { return c.id == id; });
  return found == contexts_.end() ? nullptr : &*found;
}

Context* Model::alive(std::uint64_t serial) {
  for (std::vector<Context>* const all : {&contexts_, &dying_, &lost_}) {
    for (Context& context : *all) {
      if (context.serial == serial) return &context;
    }
  }
  return nullptr;
}

Context* Model::lookup(std::uint64_t id, Req unknown, Expected& failure) {
  Context* context = find(id);
  if (in_child_) {
    failure = fail(context != nullptr ? Req::kChildHasNoContexts : unknown, kEINVAL);
    return nullptr;
  }
  if (context == nullptr) {
    const auto former =
        std::find_if(former_ids_.begin(), former_ids_.end(), [id](const FormerId& f) { return f.id == id; });
    const bool dying = std::any_of(dying_.begin(), dying_.end(), [id](const Context& c) { return c.id == id; });
    failure = fail(dying ? Req::kLookupDying : former != former_ids_.end() ? former->rule : unknown, kEINVAL);
    return nullptr;
  }
  if (context->access == MapAction::kHide) {
    failure = fail(Req::kMapUnreadable, kEINVAL);
    return nullptr;
  }
  // The id word is read from the ring, where the user may have changed it.
  if (context->header().id != context->index && !is_quirk(Req::kLookupIdWord, Kind::kErrno)) {
    if (rules_.wrong(Req::kLookupIdWord)) {
      rules_.exercise(Req::kLookupIdWord);
      failure = {0, 0, Req::kLookupIdWord};
    } else {
      failure = fail(Req::kLookupIdWord, kEINVAL);
    }
    return nullptr;
  }
  return context;
}

Model::Expected Model::destroy(const Destroy& op) {
  aio_nr_change_ = 0;
  aio_nr_rule_ = Req::kDestroyFailureKeepsAioNr;
  Expected failure;
  Context* context = lookup(static_cast<std::uint64_t>(op.ctx.offset), Req::kDestroyUnknown, failure);
  if (context == nullptr) return failure;
  aio_nr_rule_ = Req::kDestroyGivesBackNr;
  aio_nr_change_ = -static_cast<std::int64_t>(context->nr) + (rules_.wrong(Req::kDestroyGivesBackNr) ? 1 : 0);
  ids_[context->index] = false;
  former_ids_.push_back({context->id, Req::kLookupDestroyed});
  note_quota_exercised(*context);
  Context gone = std::move(*context);
  contexts_.erase(contexts_.begin() + (context - contexts_.data()));
  end_waits(gone);
  const bool inside = is_inside_submit(gone.serial);
  if (!inside) cancel_pending(gone);
  if (!inside && !in_flight(gone.serial)) {
    destroyed_ = gone.id;
    return value(Req::kDestroySucceeds, 0);
  }
  aio_nr_rule_ = Req::kDestroyNrFirst;
  if (rules_.wrong(Req::kDestroyNrFirst)) aio_nr_change_ = 0;
  Sleeper sleeper;
  sleeper.what = Sleeper::What::kDestroy;
  sleeper.context = gone.serial;
  dying_.push_back(std::move(gone));
  return fall_asleep(std::move(sleeper), Req::kDestroyWaits);
}

}  // namespace aio
