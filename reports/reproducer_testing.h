// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of reproducers: traces built step by step, and a folder in which C files are compiled and run.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "reports/testing.h"

namespace aio {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "aio-reproducer-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // The exit code of a shell command in the folder; -1 where it was killed.
  int run(const std::string& command) const {
    const int status = std::system(("cd '" + path_.string() + "' && " + command).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int compile(const std::string& c, const std::string& options = "-O2") const {
    std::ofstream(path_ / "r.c") << c;
    return run("gcc -Wall -Werror " + options + " -o r r.c");
  }

 private:
  std::filesystem::path path_;
};

inline RecordedRing ring_with_tail(std::uint32_t tail, Address id) {
  RecordedRing ring;
  ring.id = id;
  ring.size = 4096;
  ring.header = {0, 127, 0, tail, kRingMagic, 1, 0, 32};
  return ring;
}

// Builds a trace of steps whose context is that of variable 0, with a ring of the given tail.
class TraceBuilder {
 public:
  TraceBuilder& step(const Operation& operation, std::int64_t answer, std::uint32_t tail = 0) {
    RecordedObservation seen;
    seen.result = answer < 0 ? -1 : answer;
    seen.error = answer < 0 ? static_cast<int>(-answer) : 0;
    if (live_ || (std::holds_alternative<aio::Setup>(operation) && answer == 0)) {
      live_ = true;
      seen.rings = {ring_with_tail(tail, ring_)};
    }
    Operation resolved = testing::RandomWorld::resolved(operation);
    if (auto* const map = std::get_if<RingMap>(&resolved)) map->ctx = static_cast<std::int64_t>(ring_);
    trace_.steps.push_back({operation, resolved, seen});
    return *this;
  }
  // A read of the step's iocb came to the gate file.
  TraceBuilder& arrives() {
    trace_.steps.back().observation->arrived.emplace_back();
    return *this;
  }
  // The step has moved the ring.
  TraceBuilder& moves() {
    ring_ += 0x100000;
    trace_.steps.back().observation->moved_to = ring_;
    trace_.steps.back().observation->rings[0].id = ring_;
    return *this;
  }
  // The step is made by that lane, and its call sleeps.
  TraceBuilder& asleep(unsigned lane) {
    trace_.steps.back().observation->lane = lane;
    trace_.steps.back().observation->asleep = true;
    return *this;
  }
  TraceBuilder& by(unsigned lane) {
    trace_.steps.back().observation->lane = lane;
    return *this;
  }
  TraceBuilder& returns(unsigned lane, std::int64_t answer) {
    const bool fails = answer < 0;
    trace_.steps.back().observation->returns.push_back(
        {lane, fails ? -1 : answer, fails ? static_cast<int>(-answer) : 0});
    return *this;
  }
  TraceBuilder& released() {
    trace_.steps.back().observation->signals = 1;
    return *this;
  }
  // The divergence is in the last step.
  Trace diverging(Kind kind, std::optional<Check> check) {
    trace_.kernel = "6.18.44";
    trace_.divergence = Divergence{{Req{}, kind}, trace_.steps.size() - 1, "this", "that", check};
    return trace_;
  }
  Trace diverging_at_end(Check check) {
    Trace trace = diverging(Kind::kFile, check);
    trace.divergence->operation = trace.steps.size();
    return trace;
  }

 private:
  Trace trace_;
  bool live_ = false;
  Address ring_ = 0x7f0000000000;
};

}  // namespace aio
