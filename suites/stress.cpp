// SPDX-License-Identifier: GPL-2.0-or-later
//
// All calls at once, by several threads, for a moment.
// Claims: whatever the order, no request, event, signal, slot, context or memory comes out of nothing or is lost.
// Provoked by a storm (storm.h) of buffered transfers, FSYNC and POLL with and without RESFD, against io_getevents,
// io_cancel, io_destroy and io_setup.
// Not seen: moves and other misuse of the ring; O_DIRECT; bytes in files (data_stress.cpp); whether single answers have
// an order (free_lanes.cpp); leaks of a few bytes, or by one request in many.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

#include "suites/harness/case.h"
#include "suites/harness/objects.h"
#include "suites/slabs.h"
#include "suites/storm.h"

namespace aio::suites {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kTime{1500};
constexpr milliseconds kRound{100};
constexpr unsigned kRounds = 12;
constexpr unsigned kRoundsOfAioNr = 6;
constexpr unsigned kDoubts = 2;  // rounds in which it is hidden by what others do
// All rounds of a test together stay far within its time.
constexpr milliseconds::rep kShares = 10;
constexpr const char* kTooBusy = "the machine is too busy to tell";

std::string data() { return std::string(kStormFile, 'x'); }

// When a test has to come to its end: it has eight times the patience.
Clock::time_point end_of_rounds() { return Clock::now() + 4 * setting().patience; }

// What the kernel holds: objects of slabs, and pages.
SlabObjects held() {
  SlabObjects all = slab_objects();
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (std::int64_t count = 0; file >> name >> count;) {
    if (name == "nr_slab_unreclaimable" || name == "nr_file_pages" || name == "nr_dirty") all[name] = count;
  }
  return all;
}

// Many contexts in a short time, though each takes the kernel some to let go.
StormSetting of_contexts(StormSetting wanted) {
  wanted.threads = 16;
  wanted.passing = 16;
  wanted.renewals = 3;
  return wanted;
}

// From how much on a round has left something behind for most of what it did.
std::int64_t suspicious(std::string_view name, const Storm& storm) {
  constexpr std::int64_t kFewest = 16;  // that a slab counts at once, or a CPU keeps
  const auto requests = static_cast<std::int64_t>(storm.requests());
  std::int64_t many = static_cast<std::int64_t>(storm.contexts()) / 2;
  if (name == "aio_kiocb") many = requests / 2;
  if (name == "cred_jar") many = requests / 64;  // FSYNCs have some
  if (name == "nr_slab_unreclaimable") many = requests * 32 / static_cast<std::int64_t>(setting().machine.page_size);
  return std::max(kFewest, many);
}

}  // namespace

SUITE_TEST(stress, all_calls_at_once,
           {.holds = {"stress.one_event_for_each_request", "stress.results_fit", "stress.calls_answer",
                      "stress.head_and_tail_in_the_ring", "stress.ring_words_stay",
                      "stress.no_more_requests_than_slots", "stress.eagain_only_on_a_full_ring",
                      "stress.resfd_counts_each_request"},
            .entries = kNativeOnly}) {
  use_all(cpus());
  const Descriptor file = Case::file(data());
  const Address buffers = map(kStormBuffers);
  Storm storm(entry(), storm_here(file, buffers, std::min(kTime, setting().patience)));
  for (const Trouble& each : storm.run()) {
    claim(each.requirement);
    ADD_FAILURE() << each.text;
  }
}

// Others move fs.aio-nr too: a kernel that loses contexts is one where it never comes back.
SUITE_TEST(stress, aio_nr_comes_back, {.holds = {"stress.aio_nr_comes_back"}, .entries = kNativeOnly, .alone = true}) {
  if (::access("/proc/sys/fs/aio-nr", R_OK) != 0) skip("there is no fs.aio-nr here");
  use_all(cpus());
  const Descriptor file = Case::file(data());
  const Address buffers = map(kStormBuffers);
  std::string seen;
  bool fell = false;
  const auto end = end_of_rounds();
  for (unsigned i = 0; i < kRoundsOfAioNr; ++i) {
    if (Clock::now() > end) skip(kTooBusy);
    const std::uint64_t before = entry().aio_nr();
    Storm storm(entry(), storm_here(file, buffers, std::min(kRound, setting().patience / kShares)));
    if (!storm.run().empty()) skip("the calls themselves go wrong");
    const std::uint64_t after = entry().aio_nr();
    if (after == before) return;
    fell = fell || after < before;
    seen += fmt::format(" {} to {};", before, after);
  }
  if (fell) skip("other processes keep changing fs.aio-nr");
  ADD_FAILURE() << "storms that destroyed all their contexts moved fs.aio-nr:" << seen;
}

// Others take memory too. So each storm is followed by as much time without one: what a leaking
// kernel loses grows in the storms, and not beside them.
SUITE_TEST(stress, memory_does_not_grow,
           {.holds = {"stress.memory_does_not_grow"}, .entries = kNativeOnly, .alone = true}) {
  use_all(cpus());
  // What a file system on a disk keeps of its own is not AIO's.
  const Descriptor file = owned(::memfd_create("stress", MFD_CLOEXEC));
  write_bytes(file.get(), data());
  const Address buffers = map(kStormBuffers);
  struct Growth {
    std::string how;
    unsigned doubts = 0;
  };
  std::map<std::string, Growth> growing;
  for (const auto& [name, count] : held()) growing[name] = {};
  const auto end = end_of_rounds();
  for (unsigned i = 0; i < kRounds && !growing.empty(); ++i) {
    if (Clock::now() > end) skip(kTooBusy);
    const auto began = Clock::now();
    const SlabObjects before = held();
    Storm storm(entry(), of_contexts(storm_here(file, buffers, std::min(kRound, setting().patience / kShares))));
    if (!storm.run().empty()) skip("the calls themselves go wrong");
    let_go();
    const SlabObjects after = held();
    for (const auto until = Clock::now() + (Clock::now() - began); Clock::now() < until;) let_go();
    const SlabObjects later = held();
    for (auto each = growing.begin(); each != growing.end();) {
      auto& [name, growth] = *each;
      const std::int64_t in_storm = after.at(name) - before.at(name), beside = later.at(name) - after.at(name);
      growth.how += fmt::format(" {} to {}, {} later;", before.at(name), after.at(name), later.at(name));
      if (std::min(in_storm - beside, in_storm + beside) < suspicious(name, storm)) ++growth.doubts;
      each = growth.doubts <= kDoubts ? std::next(each) : growing.erase(each);
    }
  }
  if (!growing.empty() && keeps_what_is_freed()) skip("the kernel keeps what is freed for a while");
  for (const auto& [name, growth] : growing) ADD_FAILURE() << name << " grew with storms:" << growth.how;
}

}  // namespace aio::suites
