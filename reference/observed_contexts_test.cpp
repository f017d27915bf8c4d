// SPDX-License-Identifier: GPL-2.0-or-later
//
// io_setup, io_destroy and the quota on the kernels of observed.h, with 1, 2, 4 and 6 possible CPUs. Source:
// semantics.md A.1, A.6 and B; E5, E9.
#include "reference/observed.h"

namespace aio::observed {
namespace {

constexpr std::uint64_t kMaxNr = 65536;

// io_setup: aio-nr grows by so much, or it fails.
struct Made {
  std::int64_t aio_nr = 0;
  int error = 0;
  friend bool operator==(const Made&, const Made&) = default;
};
constexpr Made kAgain{0, kEAGAIN};
constexpr Made kInvalid{0, kEINVAL};

Machine machine_of(std::uint32_t cpus, std::uint64_t max_nr = kMaxNr) {
  Machine machine = fake_machine();
  machine.possible_cpus = cpus;
  machine.aio_max_nr = max_nr;
  return machine;
}

Verdict setup(const Profile& profile, const Machine& machine, std::uint32_t nr, std::uint64_t aio_nr,
              const Made& answer) {
  FakeKernel kernel(profile, {}, machine);
  kernel.aio_nr = aio_nr;
  const aio::Setup op{.nr = nr};
  return kernel.run(op, [&](FakeKernel& k) {
    if (answer.error != 0) return k.fails(answer.error);
    k.map_ring(op);
    k.aio_nr = aio_nr + static_cast<std::uint64_t>(answer.aio_nr);
  });
}

// "setupval.nr=N", "smp smp1", "smp smp4" and "smp smp2max6": before 4.14 the doubled count, four times the CPUs'
// number at least, is held against twice aio-max-nr. The size of the ring is the same in all releases.
TEST(ObservedContexts, what_a_context_counts_for) {
  for (const std::uint32_t cpus : {1u, 2u, 4u, 6u}) {
    const Machine machine = machine_of(cpus);
    for (const std::uint32_t nr : {1u, 2u, 8u, 0x10u, 0x3eu, 0x3fu, 0x40u, 0x64u, 0x7eu, 0x7fu, 0x80u, 0x81u, 0x3e8u,
                                   0x1000u, 0xffffu, 0x10000u}) {
      const std::int64_t doubled = 2 * std::max<std::int64_t>(nr, 4 * cpus);
      const Answers<Made> answers{{k4_9, {doubled, 0}, Req::kSetupCountsNr}, {k4_19, {nr, 0}, Req::kSetupCountsNr}};
      expect_told_apart(
          "setupval.nr=" + std::to_string(nr) + ", CPUs " + std::to_string(cpus), answers,
          [&](const Profile& profile, const Made& answer) { return setup(profile, machine, nr, 0, answer); });
    }
    // Counts that wrap when they are doubled: nothing but a release before 4.14 takes them.
    for (const std::uint32_t extra : {1u, 2u, 0x40u, 0x41u}) {
      const Answers<Made> answers{{k4_9, {2 * extra, 0}, Req::kSetupSucceeds}, {k4_19, kAgain, Req::kSetupNrOverMax}};
      expect_told_apart("setupval.nr=0x80000000+" + std::to_string(extra), answers,
                        [&](const Profile& profile, const Made& answer) {
                          return setup(profile, machine, 0x80000000 + extra, 0, answer);
                        });
    }
    // The same everywhere: beyond the limit, and beyond what a ring can hold.
    for (const auto& [nr, error] : {std::pair{0x10001u, kAgain},
                                    {0x20001u, kAgain},
                                    {0x400000u, kAgain},
                                    {0x400001u, kInvalid},
                                    {0x7fffffffu, kInvalid},
                                    {0x80000000u, kAgain},
                                    {0x80400000u, kAgain},
                                    {0x80400001u, kInvalid},
                                    {0xffffffffu, kInvalid}}) {
      for (const Release& release : kKernels) {
        EXPECT_FALSE(setup(profile_for(release), machine, nr, 0, error).divergence) << nr << " on " << cpus;
      }
    }
  }
}

TEST(ObservedContexts, how_much_fits_below_aio_max_nr) {
  const Since<Made> old{k4_9, kAgain, Req::kSetupNrOverMax};
  const Since<Made> since{k4_19, {1, 0}, Req::kSetupSucceeds};
  const struct {
    const char* check;
    std::uint64_t max_nr;
    std::uint32_t nr;
    std::uint64_t before;  // what others count for: as of the release
    std::uint64_t before_4_9;
    Answers<Made> answers;
  } rows[] = {
      {"setupquota.65535 then 1", kMaxNr, 1, 65535, 131070, {{k4_9, kAgain, Req::kSetupSumOverMax}, since}},
      {"setupquota.aio-max-nr=1 nr=1", 1, 1, 0, 0, {old, since}},
      {"setupquota.aio-max-nr=2 nr=1", 2, 1, 0, 0, {old, since}},
      {"setupquota.aio-max-nr=7 nr=1; 3 to 6 on 4.9.337", 7, 1, 0, 0, {old, since}},
      {"setupquota.huge max nr=0x80000001",
       ~0ull,
       0x80000001,
       0,
       0,
       {{k4_9, {2, 0}, Req::kSetupCountsNr}, {k4_19, {0x80000001, 0}, Req::kSetupCountsNr}}},
      {"setupquota.huge max nr=0x80000040",
       ~0ull,
       0x80000040,
       0,
       0,
       {{k4_9, {128, 0}, Req::kSetupCountsNr}, {k4_19, {0x80000040, 0}, Req::kSetupCountsNr}}},
  };
  for (const auto& each : rows) {
    const Machine machine = machine_of(2, each.max_nr);
    expect_told_apart(each.check, each.answers, [&](const Profile& profile, const Made& answer) {
      return setup(profile, machine, each.nr, profile.counts_user_nr ? each.before : each.before_4_9, answer);
    });
  }
  for (const std::uint64_t max_nr : {3u, 4u, 5u, 6u, 8u}) {
    const Made right = max_nr < 8 ? kAgain : Made{16, 0};
    EXPECT_FALSE(setup(profile_for(kKernels[k4_9]), machine_of(2, max_nr), 1, 0, right).divergence) << max_nr;
  }
  // "setupquota.65535+1 then 1": not on 4.9.337, where the second did not fit.
  const Answers<Made> full{{k4_19, kAgain, Req::kSetupSumOverMax}};
  expect_told_apart("setupquota.65535+1 then 1", full, [&](const Profile& profile, const Made& answer) {
    return setup(profile, machine_of(2), 1, 65536, answer);
  });
}

// A program that unmaps its ring keeps the context; one that destroys it gives its count back, before it waits.
TEST(ObservedContexts, what_a_destroyed_context_gives_back) {
  for (const char* check : {"destroy.aio-nr meanwhile", "munmap.aio-nr delta"}) {
    const bool unmapped = std::string_view(check) == "munmap.aio-nr delta";
    const Answers<std::int64_t> answers{{k4_9, 16, unmapped ? Req::kSetupCountsNr : Req::kDestroyGivesBackNr},
                                        {k4_19, 8, unmapped ? Req::kSetupCountsNr : Req::kDestroyGivesBackNr}};
    expect_told_apart(check, answers, [&](const Profile& profile, std::int64_t count) {
      if (unmapped) return setup(profile, fake_machine(), 8, 0, {count, 0});
      FakeKernel kernel(profile);
      EXPECT_FALSE(kernel.setup(8).divergence);
      kernel.aio_nr = 16;  // with what others have
      return kernel.run(Destroy{kernel.ctx()}, [&](FakeKernel& k) {
        k.rings.clear();
        k.aio_nr -= static_cast<std::uint64_t>(count);
      });
    });
  }
}

// "int80.io_setup RO ctxp aio-nr delta", "c32.io_setup RO ctxp": before 4.10 the context stayed.
TEST(ObservedContexts, a_32_bit_io_setup_that_cannot_store_its_id) {
  const Answers<std::int64_t> answers{{k4_9, 16, Req::kSetupFailureKeepsAioNr},
                                      {k4_19, 0, Req::kSetupFailureKeepsAioNr}};
  expect_told_apart("c32.io_setup RO ctxp", answers, [](const Profile& profile, std::int64_t count) {
    FakeKernel kernel(profile);
    EXPECT_FALSE(kernel.run(Through{EntryKind::kCompat}).divergence);
    kernel.memory.store(arena::kReadOnly, std::vector<std::byte>(8));
    return kernel.run(aio::Setup{.nr = 1, .ctxp = arena::kReadOnly}, [&](FakeKernel& k) {
      k.fails(kEFAULT);
      k.aio_nr += static_cast<std::uint64_t>(count);
    });
  });
}

// Requests in flight that one CPU gets: "quota.in-flight polls", "quota.then", and those of smp. Before 4.19 there is
// no POLL. Each CPU's share follows from how many are possible.
TEST(ObservedContexts, polls_in_flight) {
  struct Row {
    std::uint32_t cpus;
    std::int64_t most;
  };
  for (const Row& row : {Row{1, 124}, Row{2, 120}, Row{4, 126}, Row{6, 125}}) {
    const auto cpus = row.cpus;
    const auto most = row.most;
    const Machine machine = machine_of(cpus);
    IocbSpec poll;
    poll.opcode = kPoll;
    poll.fd = Fd::kNbPipeRead;
    poll.buf = kPollIn;
    const Answers<std::int64_t> answers{{k4_9, -kEINVAL, Req::kSubmitBadOpcode}, {k4_19, most, Req::kSubmitCounts}};
    expect_told_apart("quota.in-flight polls, CPUs " + std::to_string(cpus), answers,
                      [&](const Profile& profile, std::int64_t answer) {
                        FakeKernel kernel(profile, {}, machine);
                        EXPECT_FALSE(kernel.setup().divergence);
                        const Submit op{.ctx = kernel.ctx(), .nr = 500, .fill = 500, .iocbs = {poll}};
                        return kernel.run(op, [&](FakeKernel& k) {
                          k.store_word(poll.at + 8, 0, 4);
                          if (answer < 0) return k.fails(static_cast<int>(-answer));
                          k.result = answer;
                        });
                      });
    const Answers<int> next{{k4_9, kEINVAL, Req::kSubmitBadOpcode}, {k4_19, kEAGAIN, Req::kSubmitFullIsEagain}};
    expect_told_apart("quota.then, CPUs " + std::to_string(cpus), next, [&](const Profile& profile, int answer) {
      FakeKernel kernel(profile, {}, machine);
      EXPECT_FALSE(kernel.setup().divergence);
      const Submit op{.ctx = kernel.ctx(), .nr = most, .fill = most, .iocbs = {poll}};
      EXPECT_FALSE(kernel
                       .run(op,
                            [&](FakeKernel& k) {
                              k.store_word(poll.at + 8, 0, 4);
                              k.result = profile.has_poll ? most : -1;
                              k.error = profile.has_poll ? 0 : kEINVAL;
                            })
                       .divergence);
      return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {poll}}, [&](FakeKernel& k) {
        if (!profile.has_poll) k.store_word(poll.at + 8, 0, 4);
        k.fails(answer);
      });
    });
  }
}

// "smp smp2max6 quota.*": 4.9.337 had 6 possible CPUs there and 6.12.117 had 2, so the difference is the machine's. The
// table of quota_test.cpp has both.
TEST(ObservedContexts, buffered_reads_until_the_ring_is_full) {
  struct Row {
    std::uint32_t cpus, nr;
    std::int64_t most;
  };
  for (const auto& [cpus, nr, most] : {Row{1, 1, 124},
                                       {2, 1, 120},
                                       {2, 64, 248},
                                       {4, 1, 126},
                                       {4, 64, 240},
                                       {6, 1, 125},
                                       {6, 64, 250},
                                       {6, 128, 375}}) {
    const Machine machine = machine_of(cpus);
    for (const Release& release : kKernels) {
      const IocbSpec spec;
      for (const std::int64_t count : {most, most + 1, most - 1}) {
        FakeKernel fresh(profile_for(release), {}, machine);
        ASSERT_FALSE(fresh.setup(nr).divergence);
        if (count == fresh.rings[0].size) continue;  // the tail would come round to where it was
        const Submit op{.ctx = fresh.ctx(), .nr = 500, .fill = 500, .iocbs = {spec}};
        FakeKernel::Answer answer = [&, count = count](FakeKernel& k) {
          k.result = count;
          k.store_word(spec.at + 8, 0, 4);
          for (std::int64_t i = 0; i < count; ++i) k.rings[0].add({0, spec.at, 0, 0});
        };
        EXPECT_EQ(fresh.run(op, answer).divergence.has_value(), count != most) << count << " on " << cpus << ", " << nr;
      }
    }
  }
}

}  // namespace
}  // namespace aio::observed
