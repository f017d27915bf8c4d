// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the minimizer tries: lists of programs that each differ from a given one by one edit for the
// plainer, the boldest edits first. Every edit makes the program smaller, or moves one value
// towards that of a default-constructed operation, so that repeating them comes to an end.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/program.h"

namespace aio {

// One chunk of `size` operations is left out; the last chunk first. Nothing is left of no program.
std::vector<Program> without_chunks(const Program& program, std::size_t size);
// Everything that names context 1, 2 or 3 names context 0, and its io_setups are gone.
std::vector<Program> with_one_context(const Program& program);
// Two io_submits that follow each other are one, of as many iocbs.
std::vector<Program> with_two_submits_merged(const Program& program);
// A move is left out, and from there on its CPU and the one that it left change places.
std::vector<Program> without_one_move(const Program& program);
// Operation `index` is another, or one without its arguments.
std::vector<Program> with_plainer_operation(const Program& program, std::size_t index);
// Operation `index` submits fewer iocbs, fewer times, or with fewer segments.
std::vector<Program> with_fewer_parts(const Program& program, std::size_t index);
// One field of operation `index` is plainer: the default first, then small numbers, fewer bits,
// and steps down.
std::vector<Program> with_plainer_values(const Program& program, std::size_t index);

}  // namespace aio
