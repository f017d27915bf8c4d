// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/self_check.h"

#include <fmt/format.h>

#include <array>

#include "cli/record.h"
#include "properties/exhaustive.h"

namespace aio::cli {
namespace {

// Of the header of a ring, of an event, and of a word that io_submit writes into an iocb.
constexpr std::array kLies{"ring_header_altered", "event_obj_data_swapped", "key_not_written"};

// io_setup, a read, what is in the ring, and all of it by io_getevents.
Program layout_program() {
  constexpr unsigned kSubmitRead = 0;
  constexpr unsigned kGetAll = 8;
  Submit submit = std::get<Submit>(exhaustive_letter(kSubmitRead));
  submit.iocbs.front().key = 1;  // io_submit writes 0
  return {{Setup{}, submit, exhaustive_letter(kGetAll)}};
}

// The requirement that it shows to be broken; empty: none.
std::string shown(const Setting& setting) {
  for (const Outcome& outcome : run_alone(setting, layout_program(), 1)) {
    if (outcome.shown) return std::string(requirement(outcome.shown->requirement).id);
  }
  return "";
}

}  // namespace

std::vector<std::string> self_check(const Setting& setting) {
  std::vector<std::string> lines;
  if (const std::string broken = shown(setting); !broken.empty()) {
    lines.push_back(fmt::format("the first look at a ring and its events diverged: {}", broken));
  }
  Setting lying = setting;
  for (const char* const lie : kLies) {
    lying.lie = lie;
    if (shown(lying).empty()) lines.push_back(fmt::format("the lie {} was not noticed here", lie));
  }
  return lines;
}

}  // namespace aio::cli
