// SPDX-License-Identifier: GPL-2.0-or-later
//
// For tests of the model by what seven kernels really answered (4.9.337, 4.19.222, 5.4.286, 5.10.198, 6.1.192 and two
// builds of 6.12.117, which agree but for timing): the model of each must find its own answer conforming, and the
// answers of the others a divergence of the rule that its own follows.
//
// The first string of a case is the name of the check under which the answers were recorded.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "reference/fake_kernel.h"

namespace aio::observed {

enum Kernel : unsigned { k4_9, k4_19, k5_4, k5_10, k6_1, k6_12 };
inline constexpr std::array<Release, 6> kKernels{Release{4, 9, 337}, {4, 19, 222}, {5, 4, 286},
                                                 {5, 10, 198},       {6, 1, 192},  {6, 12, 117}};

// What the kernels answered from `since` on, and the rule by which.
template <class Answer>
struct Since {
  Kernel since;
  Answer answer;
  Req rule;
};
template <class Answer>
using Answers = std::vector<Since<Answer>>;

inline std::string id_of(const std::optional<Divergence>& divergence) {
  if (!divergence) return "conforming";
  return std::string(requirement(divergence->signature.requirement).id) + ": " + divergence->expected + ", not " +
         divergence->seen;
}

// `judge(profile, answer)` is a Verdict.
template <class Answer, class Judge>
void expect_told_apart(const std::string& check, const Answers<Answer>& answers, Judge&& judge) {
  for (unsigned kernel = 0; kernel < kKernels.size(); ++kernel) {
    if (answers.front().since > kernel) continue;  // not run, or nothing to see
    const Profile& profile = profile_for(kKernels[kernel]);
    const Since<Answer>* own = &answers.front();
    for (const Since<Answer>& each : answers) {
      if (each.since <= kernel) own = &each;
    }
    const Verdict right = judge(profile, own->answer);
    EXPECT_TRUE(!right.divergence && right.certainty != Certainty::kUndecided)
        << check << " on " << profile.name << ": " << right.reason << id_of(right.divergence);
    for (const Since<Answer>& each : answers) {
      if (each.answer == own->answer) continue;
      const Verdict wrong = judge(profile, each.answer);
      EXPECT_TRUE(wrong.divergence && wrong.divergence->signature.requirement == own->rule)
          << check << " on " << profile.name << " as of " << kKernels[each.since].major << "."
          << kKernels[each.since].minor << " is " << id_of(wrong.divergence) << ", not of "
          << requirement(own->rule).id;
    }
  }
}

// io_submit of one iocb: accepted, with an event or none yet; or refused.
struct Submitted {
  int error = 0;
  std::optional<std::int64_t> res;
  bool key_written = true;
  friend bool operator==(const Submitted&, const Submitted&) = default;
};
inline Submitted event(std::int64_t res) { return {0, res, true}; }
inline Submitted pending() { return {0, std::nullopt, true}; }
inline Submitted refused(int error) { return {error, std::nullopt, true}; }
inline Submitted refused_before_key(int error) { return {error, std::nullopt, false}; }

// What a transfer of that result moves, where it is one of the regular file.
inline void move_bytes(FakeKernel& kernel, const IocbSpec& spec, std::int64_t res) {
  const bool transfers = is_transfer(spec.opcode) && traits(spec.fd).kind == FileKind::kRegular;
  if (!transfers || res <= 0) return;
  std::vector<std::byte>& file = kernel.files[traits(spec.fd).index];
  const bool write = is_write(spec.opcode);
  const bool append =
      write && ((spec.rw_flags & kRwfAppend) != 0 || (traits(spec.fd).append && (spec.rw_flags & kRwfNoappend) == 0));
  const std::size_t offset = append ? file.size() : static_cast<std::size_t>(spec.offset.offset);
  const Address at = spec.segments.empty() ? spec.buf : spec.segments[0].base;
  const auto count = static_cast<std::size_t>(res);
  if (write && file.size() < offset + count) file.resize(offset + count);
  for (std::size_t i = 0; i < count; ++i) {
    if (write) file[offset + i] = std::byte{*kernel.memory.get<std::uint8_t>(at + i)};
    if (!write) kernel.store_word(at + i, std::to_integer<std::uint64_t>(file[offset + i]), 1);
  }
}

inline Verdict submit(FakeKernel& kernel, const IocbSpec& spec, const Submitted& answer) {
  return kernel.run(Submit{.ctx = kernel.ctx(), .iocbs = {spec}}, [&](FakeKernel& k) {
    if (answer.key_written) k.store_word(spec.at + 8, 0, 4);
    if (answer.error != 0) return k.fails(answer.error);
    k.result = 1;
    if (!answer.res) return;
    move_bytes(k, spec, *answer.res);
    k.rings[0].add({spec.data, spec.at, *answer.res, 0});
  });
}

inline IocbSpec poll_of(Fd fd, std::uint64_t events) {
  IocbSpec spec;
  spec.key = 9;
  spec.opcode = kPoll;
  spec.fd = fd;
  spec.buf = events;
  return spec;
}

}  // namespace aio::observed
