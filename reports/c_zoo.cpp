// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/c_zoo.h"

#include <fmt/format.h>

namespace aio {
namespace {

std::string open_statement(Fd fd) {
  const std::string name = c_descriptor(fd);
  const auto place = [&](const std::string& opened) { return fmt::format("\tplace({}, {});\n", name, opened); };
  switch (fd) {
    case Fd::kFile:
      return place("reopen(0, O_RDWR)");
    case Fd::kFileRo:
      return place("reopen(0, O_RDONLY)");
    case Fd::kFileWo:
      return place("reopen(0, O_WRONLY)");
    case Fd::kFileAppend:
      return place("reopen(0, O_RDWR | O_APPEND)");
    case Fd::kPath:
      return place("reopen(0, O_PATH)");
    case Fd::kDirect:
      return place("reopen(1, O_RDWR | O_DIRECT)");
    case Fd::kPipeRead:
      return fmt::format("\topen_pipe({}, {}, 0);\n", name, c_descriptor(Fd::kPipeWrite));
    case Fd::kNbPipeRead:
      return fmt::format("\topen_pipe({}, {}, O_NONBLOCK);\n", name, c_descriptor(Fd::kNbPipeWrite));
    case Fd::kSocket0:
      return fmt::format("\topen_sockets({}, {});\n", name, c_descriptor(Fd::kSocket1));
    case Fd::kEvent:
      return place("eventfd(0, 0)");
    case Fd::kNbEvent:
      return place("eventfd(0, EFD_NONBLOCK)");
    case Fd::kSemEvent:
      return place("eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE)");
    case Fd::kDirectory:
      return place("open(\".\", O_RDONLY | O_DIRECTORY)");
    case Fd::kNull:
      return place("open(\"/dev/null\", O_RDWR)");
    case Fd::kZero:
      return place("open(\"/dev/zero\", O_RDWR)");
    case Fd::kTimer:
      return place("timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)");
    case Fd::kGate:
      return place("gate_open()");
    default:
      return "";  // the other end of a pair, or nothing that is open
  }
}

}  // namespace

std::string c_open_zoo(CNeeds& needs) {
  auto& named = needs.descriptors;
  const auto has = [&](Fd fd) { return named[static_cast<std::size_t>(fd)]; };
  for (const Fd first : {Fd::kPipeRead, Fd::kNbPipeRead, Fd::kSocket0}) {
    const auto i = static_cast<std::size_t>(first);
    const bool either = named[i] || named[i + 1];
    named[i] = either;
    named[i + 1] = either;
  }
  std::string text;
  if (has(Fd::kFile) || has(Fd::kFileRo) || has(Fd::kFileWo) || has(Fd::kFileAppend) || has(Fd::kPath)) {
    needs.parts.need(CPart::kFile);
    text += fmt::format("\tmake_file(0, {});\n", kFileSize);
  }
  if (has(Fd::kDirect)) {
    needs.parts.need(CPart::kFile);
    text += fmt::format("\tmake_file(1, {});\n", kDirectFileSize);
  }
  if (has(Fd::kGate)) needs.parts.need(CPart::kGate);
  if (has(Fd::kPipeRead) || has(Fd::kNbPipeRead)) needs.parts.need(CPart::kPipe);
  if (has(Fd::kSocket0)) needs.parts.need(CPart::kSockets);
  for (unsigned i = 0; i < kFdCount; ++i) {
    if (!named[i]) continue;
    const std::string statement = open_statement(static_cast<Fd>(i));
    if (statement.find("place") != std::string::npos) needs.parts.need(CPart::kPlace);
    text += statement;
  }
  return text;
}

std::string c_descriptor_names(const CNeeds& needs) {
  std::string text;
  for (unsigned i = 0; i < kFdCount; ++i) {
    if (!needs.descriptors[i]) continue;
    const auto fd = static_cast<Fd>(i);
    text += fmt::format("\t{} = {},\n", c_descriptor(fd), static_cast<int>(fd_number(fd)));
  }
  return text.empty() ? "" : "\n/* The numbers of the open files. */\nenum {\n" + text + "};\n";
}

}  // namespace aio
