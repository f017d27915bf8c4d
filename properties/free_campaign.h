// SPDX-License-Identifier: GPL-2.0-or-later
//
// Many programs of free lanes, each history of which is judged: in processes of which many are at work at once, as most
// of their time goes by in io_destroy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fixtures/free_lanes.h"

namespace aio {

struct FreeSetting {
  std::string directory = "/dev/shm";  // for files
  std::string lie;                     // one of racing_lies(); normally empty
  std::size_t processes = 1;           // at once
  std::chrono::milliseconds patience{5000};
};

// How many processes are good for a machine with so many CPUs: fewer where their contexts would take up more than half
// of fs.aio-max-nr.
std::size_t free_processes(unsigned cpus);

struct FreeFinding {
  std::uint64_t program = 0;
  std::string text;  // its history (reference/history.h), or how its process died
};

struct FreeResult {
  std::uint64_t programs = 0;
  std::uint64_t undecided = 0;
  std::uint64_t configurations = 0;
  std::vector<FreeFinding> findings;  // by program
  std::vector<std::string> problems;  // what kept a process from its work: that says nothing of the kernel
};

using FreeSource = std::function<FreeProgram(std::uint64_t index)>;

// Programs `first` and up to `count` of them, until `most` findings are there; none is begun when the time is over.
// Throws std::system_error where there can be no process.
FreeResult run_free_programs(
    const FreeSetting& setting, const FreeSource& source, std::uint64_t first, std::uint64_t count, std::size_t most,
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

// Without calls and requests that the finding does not need, and what it then looks like, as far as one comes until the
// time is over. Each smaller program is run `tries` times.
struct SmallFree {
  FreeProgram program;
  std::string text;
};
SmallFree minimize_free(const FreeSetting& setting, const FreeProgram& program, const std::string& text,
                        std::uint64_t tries, std::chrono::steady_clock::time_point deadline);

}  // namespace aio
