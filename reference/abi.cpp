// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/abi.h"

#include <array>
#include <cstdio>

namespace aio {

namespace {

// The kernel returns -1 to -4095 as errors (MAX_ERRNO). A name has to outlive the call, so all of
// them are kept.
constexpr std::size_t kErrorCount = 4096;
using ErrorText = std::array<char, 12>;

std::array<ErrorText, kErrorCount> number_texts() {
  std::array<ErrorText, kErrorCount> texts{};
  for (std::size_t error = 0; error < kErrorCount; ++error) {
    std::snprintf(texts[error].data(), texts[error].size(), "errno %u", static_cast<unsigned>(error) % 10000);
  }
  return texts;
}

const char* number_text(int error) {
  static const auto kTexts = number_texts();
  const auto index = static_cast<std::size_t>(error);
  return index < kTexts.size() ? kTexts[index].data() : "errno out of range";
}

}  // namespace

const char* errno_name(int error) {
  switch (error) {
    case kOk:
      return "OK";
    case kEPERM:
      return "EPERM";
    case kEINTR:
      return "EINTR";
    case kEIO:
      return "EIO";
    case kEBADF:
      return "EBADF";
    case kEAGAIN:
      return "EAGAIN";
    case kENOMEM:
      return "ENOMEM";
    case kEACCES:
      return "EACCES";
    case kEFAULT:
      return "EFAULT";
    case kEINVAL:
      return "EINVAL";
    case kENFILE:
      return "ENFILE";
    case kEFBIG:
      return "EFBIG";
    case kENOSPC:
      return "ENOSPC";
    case kESPIPE:
      return "ESPIPE";
    case kEPIPE:
      return "EPIPE";
    case kENOSYS:
      return "ENOSYS";
    case kEOVERFLOW:
      return "EOVERFLOW";
    case kEOPNOTSUPP:
      return "EOPNOTSUPP";
    case kECONNRESET:
      return "ECONNRESET";
    case kEINPROGRESS:
      return "EINPROGRESS";
    default:
      return number_text(error);
  }
}

}  // namespace aio
