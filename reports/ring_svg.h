// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ring as a drawing.
#pragma once

#include <string>

#include "reports/step_views.h"

namespace aio {

// An SVG element that stands in a page: slots from left to right, filled where an event waits, with head and tail.
std::string ring_svg(const RingPicture& ring);
// The same in words: "ctx0: 2 events in 127 slots, head 125, tail 0; in flight: event; slots left 112, of CPU 0 14".
std::string ring_text(const RingPicture& ring);

}  // namespace aio
