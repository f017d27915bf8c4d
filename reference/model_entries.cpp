// SPDX-License-Identifier: GPL-2.0-or-later
//
// What differs by entry: how pairs of numbers and pointers lie in memory, and what libaio does by itself. Source:
// semantics.md G and C.2; libaio 0.3.113 src/aio_ring.h, src/io_pgetevents.c.
#include <cstring>

#include "reference/model.h"

namespace aio {

Model::Expected Model::apply(const Through& op) {
  skips_ = op.entry == EntryKind::kCompat && !machine_->compat;
  if (!skips_) entry_ = op.entry;
  return {0, 0, Req::kUserActions};
}

std::optional<Address> Model::read_pointer(Address list, std::int64_t index) const {
  const Address at = list + word_size(entry_) * static_cast<std::uint64_t>(index);
  return read_variable(at);
}

std::optional<std::uint64_t> Model::read_variable(Address at) const {
  if (!is_compat()) return memory_.get<std::uint64_t>(at);
  const auto narrow = memory_.get<std::uint32_t>(at);
  return narrow ? std::optional<std::uint64_t>(*narrow) : std::nullopt;
}

std::optional<Timespec> Model::read_timeout(Address at) const {
  if (!is_compat()) return memory_.get<Timespec>(at);
  const auto narrow = memory_.get<NarrowPair>(at);
  if (!narrow) return std::nullopt;
  return Timespec{static_cast<std::int32_t>(narrow->first), static_cast<std::int32_t>(narrow->second)};
}

std::optional<AioSigset> Model::read_sigset(Address at) const {
  if (!is_compat()) return memory_.get<AioSigset>(at);
  if (!profile_->compat_sigset) {
    // Both words as one pointer, then a size of 32 bits: E26.
    auto wide = memory_.get<AioSigset>(at);
    if (wide) wide->size &= 0xffffffff;
    return wide;
  }
  const auto narrow = memory_.get<NarrowPair>(at);
  return narrow ? std::optional(AioSigset{narrow->first, narrow->second}) : std::nullopt;
}

std::uint64_t Model::read_segments(Address at, std::vector<Iovec>& into) const {
  if (!is_compat()) return memory_.copy_from(at, std::as_writable_bytes(std::span(into))) / sizeof(Iovec);
  std::vector<NarrowPair> narrow(into.size());
  const std::uint64_t read = memory_.copy_from(at, std::as_writable_bytes(std::span(narrow))) / sizeof(NarrowPair);
  for (std::uint64_t i = 0; i < read; ++i) {
    const auto length = static_cast<std::int64_t>(static_cast<std::int32_t>(narrow[i].second));
    into[i] = {narrow[i].first, static_cast<std::uint64_t>(length)};
  }
  return read;
}

// libaio hands on the mask alone, with the size that the kernel wants.
std::optional<Model::Expected> Model::pass_sigset(AioSigset& sigset) {
  if (is_compat() && profile_->compat_sigset) {
    if (rules_.wrong(Req::kCompatSigset)) return Expected{-1, kEFAULT, Req::kCompatSigset};
    rules_.exercise(Req::kCompatSigset);
  }
  if (entry_ == EntryKind::kLibaio && sigset.size != 8) {
    if (rules_.wrong(Req::kLibaioSigset)) return Expected{-1, kEINVAL, Req::kLibaioSigset};
    rules_.exercise(Req::kLibaioSigset);
    sigset.size = 8;
  }
  return std::nullopt;
}

// It looks at whatever memory the id names as at a ring's header.
bool Model::library_answers(std::uint64_t id, Address timeout) const {
  if (entry_ != EntryKind::kLibaio || id == 0 || id % alignof(Event) != 0 || timeout == arena::kNull) return false;
  std::optional<RingHeader> header = memory_.get<RingHeader>(id);
  for (const Context& context : contexts_) {
    const std::uint64_t offset = id - context.id;
    if (context.ringless || offset > context.ring.size() - sizeof(RingHeader) || context.access == MapAction::kHide)
      continue;
    header.emplace();
    std::memcpy(&*header, context.ring.data() + offset, sizeof(RingHeader));
  }
  const auto time = memory_.get<Timespec>(timeout);
  return header && header->magic == kRingMagic && header->head == header->tail && time && time->sec == 0 &&
         time->nsec == 0;
}

}  // namespace aio
