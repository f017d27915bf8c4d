// SPDX-License-Identifier: GPL-2.0-or-later
//
// The functions of fs/aio.c of Linux 4.9 (and aio_setup_ring of 5.5) with their lines, and which requirements of the
// catalogue are about each: so that none that a program can reach is forgotten.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reference/requirement.h"

namespace aio {

struct SourceFunction {
  std::string_view name;
  std::string_view tree;  // "4.9": of which release the lines are
  int first = 0;
  int last = 0;
  // The functions that do its work in today's source, between blanks; requirements name these.
  std::string_view today;
  // Why no program can see what it does; empty: one can.
  std::string_view unreachable = "";
};

std::span<const SourceFunction> source_functions();
// Those of the catalogue whose source names one of the function's names of today.
std::vector<const Requirement*> requirements_of(const SourceFunction& function);

}  // namespace aio
