// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/memory.h"

#include <algorithm>

namespace aio {
namespace {

constexpr std::size_t kPages = (arena::kEnd - arena::kBase) / arena::kPage;

// For each page of the arena: where its bytes lie in the image, or -1, to which area it belongs, and whether the kernel
// may write it.
struct Page {
  std::int32_t offset = -1;
  std::uint8_t area = 0;
  bool writable = false;
};

constexpr std::array<Page, kPages> make_pages() {
  std::array<Page, kPages> pages{};
  std::int32_t offset = 0;
  std::uint8_t index = 0;
  for (const arena::Area& area : arena::kAreas) {
    for (std::uint64_t at = area.begin; at < area.begin + area.size; at += arena::kPage) {
      pages[(at - arena::kBase) / arena::kPage] = {offset, index, area.writable};
      offset += static_cast<std::int32_t>(arena::kPage);
    }
    ++index;
  }
  return pages;
}
constexpr std::array<Page, kPages> kPageTable = make_pages();

const std::array<std::byte, arena::kImageSize>& initial_image() {
  static const std::array<std::byte, arena::kImageSize> kImage = [] {
    std::array<std::byte, arena::kImageSize> bytes{};
    std::size_t next = 0;
    for (const arena::Area& area : arena::kAreas) {
      for (std::uint64_t i = 0; i < area.size; ++i) bytes[next++] = std::byte{arena::initial_byte(area.begin + i)};
    }
    return bytes;
  }();
  return kImage;
}

}  // namespace

void Memory::reset() {
  image_ = initial_image();
  forget_use();
}

Req Memory::rule_of(Address at) const {
  Req rule = Req::kMemoryOnlyByRules;
  for (const Write& write : writes_) {
    if (at >= write.at && at - write.at < write.size) rule = write.rule;
  }
  return rule;
}

void Memory::forget_use() {
  writes_.clear();
  used_.reset();
}

std::uint64_t Memory::accessible(Address at, std::uint64_t size, bool write) const {
  std::uint64_t found = 0;
  while (found < size) {
    const Address here = at + found;
    if (here < arena::kBase || here >= arena::kEnd) break;
    const Page& page = kPageTable[(here - arena::kBase) / arena::kPage];
    if (page.offset < 0) break;
    used_.set(page.area);
    if (write && !page.writable) break;
    found += arena::kPage - here % arena::kPage;
  }
  return std::min(found, size);
}

std::byte* Memory::locate(Address at) {
  const Page& page = kPageTable[(at - arena::kBase) / arena::kPage];
  return image_.data() + page.offset + at % arena::kPage;
}

std::uint64_t Memory::copy_from(Address at, std::span<std::byte> to) const {
  const std::uint64_t size = readable(at, to.size());
  // Adjacent accessible pages are adjacent in the image too.
  if (size > 0) std::memcpy(to.data(), const_cast<Memory*>(this)->locate(at), size);
  return size;
}

std::uint64_t Memory::copy_to(Address at, std::span<const std::byte> from, Req rule) {
  const std::uint64_t size = writable(at, from.size());
  if (size > 0) {
    std::memcpy(locate(at), from.data(), size);
    if (corrupt_ == rule) *locate(at) ^= std::byte{0x55};
    writes_.push_back({at, size, rule});
  }
  return size;
}

void Memory::store(Address at, std::span<const std::byte> bytes) {
  if (!bytes.empty()) std::memcpy(locate(at), bytes.data(), bytes.size());
}

std::span<const std::byte> Memory::area(std::size_t index) const {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < index; ++i) offset += arena::kAreas[i].size;
  return std::span(image_).subspan(offset, arena::kAreas[index].size);
}

}  // namespace aio
