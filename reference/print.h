// SPDX-License-Identifier: GPL-2.0-or-later
//
// Programs as text, in the way a kernel developer would write them down. A field at its default may
// be left out, but two different operations never print the same.
//
//   io_submit(ctx0, 1, [pread(file, buffers+0x10, 512, offset 0) resfd=event])
//   io_getevents(ctx0, min 0, nr quota+1, events, {0,0})
//   ring.head(ctx0) = tail+1
#pragma once

#include <string>

#include "reference/notation.h"
#include "reference/program.h"

namespace aio {

// Of a context argument and of where io_setup stores one, by the short name of the variable: "ctx1+8", "&ctx1".
std::string ctx_text(const Value& ctx);
std::string ctxp_text(Address ctxp);
// One line, without its end.
std::string operation_text(const Operation& operation);
// One line an operation, numbered from 0 as in a divergence.
std::string program_text(const Program& program);

}  // namespace aio
