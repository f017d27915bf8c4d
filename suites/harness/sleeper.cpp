// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/harness/sleeper.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "fixtures/proc_stat.h"
#include "suites/harness/setting.h"

namespace aio::suites {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void caught(int /*number*/) { ++catches; }

// Before a lane is made: a process has the handlers of its beginning.
long with_a_handler(long number) {
  struct sigaction now {};
  ::sigaction(SIGUSR1, nullptr, &now);
  if (now.sa_handler == SIG_DFL) catch_signal(SIGUSR1);
  return number;
}

}  // namespace

std::atomic<int> catches{0};

Sleeper::Sleeper(unsigned cpu, long number, Lane::Kind kind) : number_(with_a_handler(number)), lane_(cpu, kind) {}

Sleeper::~Sleeper() {
  for (int i = 0; i < 1000 && lane_.settle(-1, milliseconds(1)) != Lane::State::kIdle; ++i) interrupt();
}

void Sleeper::start(std::function<Answer()> call) {
  lane_.start([this, call = std::move(call)] {
    task_ = static_cast<int>(::syscall(SYS_gettid));
    answer_ = call();
    returned_at_ = Clock::now();
  });
}

bool Sleeper::returned() const { return lane_.settle(-1, setting().patience) == Lane::State::kIdle; }

void Sleeper::interrupt() const { lane_.signal(SIGUSR1); }

bool Sleeper::stopped() const {
  const auto stat = proc_stat("/proc/" + std::to_string(task_));
  return stat && stat->state == 'T';
}

Answer Sleeper::answer() const {
  lane_.wait();
  return answer_;
}

Clock::time_point Sleeper::returned_at() const {
  lane_.wait();
  return returned_at_;
}

void catch_signal(int number, int flags) {
  struct sigaction action {};
  action.sa_handler = caught;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

void block(int number) {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, number);
  ::pthread_sigmask(SIG_BLOCK, &mask, nullptr);
}

bool stays_awake(const std::function<void()>& calls) {
  const auto sleeps = [] {
    rusage now{};
    ::getrusage(RUSAGE_THREAD, &now);
    return now.ru_nvcsw;
  };
  for (int i = 0; i < 5; ++i) {
    const long before = sleeps();
    calls();
    if (sleeps() == before) return true;
  }
  return false;
}

}  // namespace aio::suites
