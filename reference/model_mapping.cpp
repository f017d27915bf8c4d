// SPDX-License-Identifier: GPL-2.0-or-later
//
// The user's mapping of a ring, and children, which inherit mappings but no contexts. Source: semantics.md A.0, A.7 and
// C.3; fs/aio.c aio_ring_mremap, lookup_ioctx, mm_init_aio.
#include <algorithm>

#include "reference/byte_difference.h"
#include "reference/model.h"

namespace aio {

Model::Expected Model::apply(const RingMap& op) {
  Context* const context = find(static_cast<std::uint64_t>(op.ctx.offset));
  skips_ = context == nullptr;
  if (skips_) return {0, 0, Req::kUserActions};
  switch (op.action) {
    case MapAction::kMove:
      return in_child_ ? fail(Req::kChildMovesNothing, kEINVAL) : move_ring(*context);
    case MapAction::kGrow:
    case MapAction::kGrowHere:
      return fail(Req::kMapGrows, kEFAULT);
    case MapAction::kDuplicate:
      return fail(Req::kMapDuplicates, kEFAULT);
    case MapAction::kDontUnmap:
      return fail(Req::kMapDontUnmap, kEINVAL);
    case MapAction::kDrop:
      return value(context->locked ? Req::kMapLockIgnored : Req::kMapDropKeeps, 0);
    case MapAction::kLock:
      if (!in_child_) context->locked = true;
      break;
    case MapAction::kUnmap:
    case MapAction::kFree:
      if (!in_child_) unmap_ring(*context, Req::kMapUnmapped);
      break;
    case MapAction::kReplace:
      // No context has the index that is read there now.
      if (!in_child_) unmap_ring(*context, Req::kLookupIdWord);
      break;
    case MapAction::kHide:
    case MapAction::kFreeze:
    case MapAction::kOpen:
      if (!in_child_) context->access = op.action;
      break;
  }
  return {0, 0, Req::kUserActions};
}

// Where to is the kernel's choice; the user writes it where the old address was.
Model::Expected Model::move_ring(Context& context) {
  const Address to = seen_->moved_to;
  const Expected expected = value(Req::kMapMoves, 0);
  if (seen_->result != 0) return expected;
  const bool fresh = to % machine_->page_size == 0 && in_user_half(to, machine_->page_size) && find(to) == nullptr;
  if (!fresh) {
    diverge(Req::kMapMoves, Kind::kMemory, "a page-aligned address of the ring", hex(to));
    return expected;
  }
  for (unsigned slot = 0; slot < arena::kContextSlots; ++slot) {
    const Address variable = arena::context_slot(slot);
    if (memory_.get<std::uint64_t>(variable) == context.id) {
      memory_.store(variable, std::as_bytes(std::span(&to, 1)));
    }
  }
  former_ids_.push_back({context.id, Req::kMapMoves});
  forget_id(to);
  context.id = to;
  return expected;
}

// No call finds the context any more, by this rule, but all that it has in flight goes on.
void Model::unmap_ring(Context& context, Req rule) {
  former_ids_.push_back({context.id, rule});
  const auto place = contexts_.begin() + (&context - contexts_.data());
  lost_.push_back(std::move(*place));
  contexts_.erase(place);
}

void Model::forget_id(Address id) {
  std::erase_if(former_ids_, [id](const FormerId& each) { return each.id == id; });
}

const char* Model::refuses_map(const RingMap& map) const {
  if (!takes_ring_away(map.action)) return nullptr;
  const bool entered = std::any_of(sleepers_.begin(), sleepers_.end(), [&](const Sleeper& each) {
    const Context* const context = alive(each.context);
    return context != nullptr && context->id == static_cast<std::uint64_t>(map.ctx.offset);
  });
  return entered ? "user space unmaps a ring while a lane sleeps in a call on it" : nullptr;
}

}  // namespace aio
