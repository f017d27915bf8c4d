// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the kernel holds in memory of its own: objects of the slabs that AIO uses, as /proc/slabinfo counts them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace aio::suites {

// By name, of those that are there: a kernel may have merged them with others.
using SlabObjects = std::map<std::string, std::int64_t, std::less<>>;
SlabObjects slab_objects();

// The slab that has at least that many objects more than before, in words; "" if none has.
std::string grown(const SlabObjects& before, const SlabObjects& after, std::int64_t most);

// Whether this kernel lets freed objects lie for a while, to find who uses them still: KASAN does.
bool keeps_what_is_freed();

// What is freed after a grace period, or by a worker behind one, has been.
void let_go();

}  // namespace aio::suites
