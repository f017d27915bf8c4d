// SPDX-License-Identifier: GPL-2.0-or-later
//
// A libFuzzer target for the reader of traces. Built only on request, by Clang with
// -fsanitize=fuzzer and AIO_FUZZER defined; everywhere else this file is empty.
#ifdef AIO_FUZZER

#include <cstdio>
#include <cstdlib>

#include "reports/exercise_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = aio::testing::exercise_reader({reinterpret_cast<const char*>(data), size});
  if (!result.complaint.empty()) {
    std::fprintf(stderr, "%s\n", result.complaint.c_str());
    std::abort();
  }
  return 0;
}

#endif
