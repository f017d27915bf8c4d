// SPDX-License-Identifier: GPL-2.0-or-later
#include "properties/minimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "properties/bounds.h"
#include "properties/generator.h"

namespace aio {
namespace {

using Predicate = std::function<bool(const Program&)>;

// A program shows the signature whenever the predicate holds.
Trial always(Predicate shows) {
  return [shows](const std::vector<Program>& candidates, unsigned repeats) {
    std::vector<unsigned> shown;
    for (const Program& program : candidates) shown.push_back(shows(program) ? repeats : 0);
    return shown;
  };
}

// Where the predicate holds, that many of a hundred runs show it.
Trial sometimes(unsigned percent, Predicate shows) {
  auto coin = std::make_shared<std::mt19937>(1);
  return [=](const std::vector<Program>& candidates, unsigned repeats) {
    std::vector<unsigned> shown;
    for (const Program& program : candidates) {
      unsigned count = 0;
      for (unsigned i = 0; i < repeats; ++i) {
        // The engine's sequence is fixed by the standard; distributions are not.
        if ((*coin)() % 100 < percent && shows(program)) ++count;
      }
      shown.push_back(count);
    }
    return shown;
  };
}

template <class Op>
bool has(const Program& program, bool (*is)(const Op&)) {
  return std::any_of(program.operations.begin(), program.operations.end(), [&](const Operation& operation) {
    const Op* op = std::get_if<Op>(&operation);
    return op != nullptr && is(*op);
  });
}

bool cancels_kernel_address(const Program& program) {
  return has<Cancel>(program, [](const Cancel& op) { return op.iocb == arena::kKernel; });
}
bool polls_a_pipe(const Program& program) {
  return has<Submit>(program, [](const Submit& op) {
    return std::any_of(op.iocbs.begin(), op.iocbs.end(),
                       [](const IocbSpec& spec) { return spec.opcode == kPoll && spec.fd == Fd::kPipeRead; });
  });
}

// Generated programs for which the predicate holds.
std::vector<Program> found(const Predicate& shows, std::size_t count) {
  std::vector<Program> programs;
  for (std::uint64_t index = 0; index < 100'000 && programs.size() < count; ++index) {
    Program program = generate(1, index);
    if (shows(program)) programs.push_back(std::move(program));
  }
  EXPECT_EQ(programs.size(), count);
  return programs;
}

TEST(Minimizer, one_operation_is_left_of_what_one_shows) {
  for (const Program& program : found(cancels_kernel_address, 20)) {
    const Minimized minimized = minimize(program, always(cancels_kernel_address));
    EXPECT_EQ(minimized.program, (Program{{Cancel{.iocb = arena::kKernel}}}));
    EXPECT_EQ(minimized.shown, minimized.of);
    EXPECT_EQ(minimized.of, 20u);
    EXPECT_FALSE(minimized.out_of_budget);
  }
}

TEST(Minimizer, one_plain_iocb_is_left_of_a_batch) {
  Submit wanted;
  wanted.iocbs.resize(1);
  wanted.iocbs[0].opcode = kPoll;
  wanted.iocbs[0].fd = Fd::kPipeRead;
  for (const Program& program : found(polls_a_pipe, 20)) {
    EXPECT_EQ(minimize(program, always(polls_a_pipe)).program, Program{{wanted}});
  }
}

TEST(Minimizer, order_of_operations_is_kept) {
  const auto moves_then_reaps = [](const Program& program) {
    bool moved = false;
    for (const Operation& operation : program.operations) {
      if (std::holds_alternative<Move>(operation)) moved = true;
      if (moved && std::holds_alternative<Reap>(operation)) return true;
    }
    return false;
  };
  for (const Program& program : found(moves_then_reaps, 20)) {
    EXPECT_EQ(minimize(program, always(moves_then_reaps)).program, (Program{{Move{}, Reap{}}}));
  }
}

TEST(Minimizer, a_move_there_and_back_becomes_one) {
  const auto cancels_on_two_cpus = [](const Program& program) {
    std::vector<Value> cpus;
    Value here = 0;
    for (const Operation& operation : program.operations) {
      if (const auto* move = std::get_if<Move>(&operation)) here = move->cpu;
      if (std::holds_alternative<Cancel>(operation)) cpus.push_back(here);
    }
    return cpus.size() == 2 && cpus[0] != cpus[1];
  };
  const Program there_and_back{{Move{1}, Cancel{}, Reap{}, Move{0}, Cancel{}, Move{1}}};
  EXPECT_EQ(minimize(there_and_back, always(cancels_on_two_cpus)).program, (Program{{Cancel{}, Move{1}, Cancel{}}}));
}

TEST(Minimizer, submits_that_add_up_become_one) {
  const auto submits_five = [](const Program& program) {
    std::int64_t sum = 0;
    for (const Operation& operation : program.operations) {
      if (const auto* op = std::get_if<Submit>(&operation)) sum += op->nr.offset;
    }
    return sum == 5;
  };
  const auto submit = [](std::int64_t nr) { return Submit{.nr = nr, .fill = nr, .iocbs = {IocbSpec{}}}; };
  const Program minimized = minimize({{submit(2), submit(2), submit(1)}}, always(submits_five)).program;
  ASSERT_EQ(minimized.operations.size(), 1u);
  EXPECT_EQ(std::get<Submit>(minimized.operations[0]).nr, Value(5));
}

TEST(Minimizer, segments_go_one_by_one) {
  const auto reads_into_two = [](const Program& program) {
    return has<Submit>(program, [](const Submit& op) {
      return std::any_of(op.iocbs.begin(), op.iocbs.end(), [](const IocbSpec& spec) {
        return spec.opcode == kPreadv && spec.nbytes == 2 && spec.segments.size() >= 2;
      });
    });
  };
  Submit wanted;
  wanted.iocbs.resize(1);
  wanted.iocbs[0].opcode = kPreadv;
  wanted.iocbs[0].nbytes = 2;
  wanted.iocbs[0].segments.resize(2);
  for (const Program& program : found(reads_into_two, 10)) {
    EXPECT_EQ(minimize(program, always(reads_into_two)).program, Program{{wanted}});
  }
}

TEST(Minimizer, values_come_down_to_the_boundary) {
  const auto reads_far = [](const Program& program) {
    return has<Submit>(program, [](const Submit& op) {
      return op.iocbs.at(0).opcode == kPread && op.iocbs[0].offset.offset > 5000 && op.iocbs[0].nbytes >= 7;
    });
  };
  Program program;
  program.operations = {aio::Setup{}, Submit{.nr = 3, .fill = 3, .iocbs = {{}}}};
  std::get<Submit>(program.operations[1]).iocbs[0].offset = 19'999;
  std::get<Submit>(program.operations[1]).iocbs[0].nbytes = 4097;
  Submit wanted;
  wanted.iocbs.resize(1);
  wanted.iocbs[0].offset = 5001;
  wanted.iocbs[0].nbytes = 7;
  EXPECT_EQ(minimize(program, always(reads_far)).program, Program{{wanted}});
}

TEST(Minimizer, fills_become_counts) {
  const auto submits_three = [](const Program& program) {
    return has<Submit>(program, [](const Submit& op) {
      const bool big = op.fill.symbol == Symbol::kQuota || op.fill.offset >= 3;
      return big && op.nr == op.fill;
    });
  };
  const Submit wanted{.nr = 3, .fill = 3, .iocbs = {{}}};
  for (const Program& program : found(submits_three, 10)) {
    EXPECT_EQ(minimize(program, always(submits_three)).program, Program{{wanted}});
  }
}

TEST(Minimizer, contexts_become_one) {
  const auto destroys = [](const Program& program) {
    bool up = false;
    for (const Operation& operation : program.operations) {
      const auto* setup = std::get_if<aio::Setup>(&operation);
      const auto* destroy = std::get_if<Destroy>(&operation);
      if (setup != nullptr && setup->ctxp == arena::context_slot(0)) up = true;
      if (destroy != nullptr && up) return true;
    }
    return false;
  };
  Program program{{aio::Setup{}, aio::Setup{.ctxp = arena::context_slot(1)}, Destroy{context(1)}}};
  EXPECT_EQ(minimize(program, always(destroys)).program, (Program{{aio::Setup{}, Destroy{}}}));
}

TEST(Minimizer, pgetevents_becomes_getevents) {
  const auto waits = [](const Program& program) {
    const auto is = [](const auto& op) { return op.nr == Value(7); };
    return has<Getevents>(program, is) || has<Pgetevents>(program, is);
  };
  const Program program{{Pgetevents{.nr = 7, .sec = -1, .size = 4}}};
  EXPECT_EQ(minimize(program, always(waits)).program, (Program{{Getevents{.nr = 7}}}));
}

TEST(Minimizer, candidates_keep_the_bounds) {
  const auto waits_for_ever = [](const Program& program) {
    return has<Getevents>(program, [](const Getevents& op) { return op.sec != 0; });
  };
  const Trial trial = [&](const std::vector<Program>& candidates, unsigned repeats) {
    for (const Program& program : candidates) {
      for (const Operation& operation : program.operations) EXPECT_TRUE(within_bounds(operation));
    }
    return always(waits_for_ever)(candidates, repeats);
  };
  const Program program{{Getevents{.sec = 9'223'372'036'854'775'807}}};
  EXPECT_EQ(minimize(program, trial).program, (Program{{Getevents{.sec = -1}}}));
}

TEST(Minimizer, batches_are_as_large_as_asked_and_never_repeat_a_rejected_candidate) {
  std::vector<std::uint64_t> rejected;
  MinimizeOptions options;
  options.batch = 8;
  const Trial trial = [&](const std::vector<Program>& candidates, unsigned repeats) {
    EXPECT_LE(candidates.size(), 8u);
    for (const Program& program : candidates) {
      if (cancels_kernel_address(program)) continue;
      const std::uint64_t id = hash(program);
      // Those behind the first success of a batch may come again.
      EXPECT_EQ(std::count(rejected.begin(), rejected.end(), id), 0);
    }
    const auto shown = always(cancels_kernel_address)(candidates, repeats);
    for (std::size_t i = 0; i < candidates.size() && shown[i] == 0; ++i) {
      rejected.push_back(hash(candidates[i]));
    }
    return shown;
  };
  for (const Program& program : found(cancels_kernel_address, 3)) {
    rejected.clear();
    minimize(program, trial, options);
    EXPECT_GT(rejected.size(), 0u);
  }
}

TEST(Minimizer, minimization_is_deterministic) {
  for (const Program& program : found(polls_a_pipe, 5)) {
    const Minimized once = minimize(program, always(polls_a_pipe));
    const Minimized twice = minimize(program, always(polls_a_pipe));
    EXPECT_EQ(once.program, twice.program);
    EXPECT_EQ(once.tried, twice.tried);
  }
}

TEST(Minimizer, flaky_signatures_are_not_lost) {
  unsigned longer = 0;
  for (const Program& program : found(polls_a_pipe, 10)) {
    const Minimized minimized = minimize(program, sometimes(30, polls_a_pipe));
    EXPECT_TRUE(polls_a_pipe(minimized.program));
    if (minimized.program.operations.size() > 1) ++longer;
    EXPECT_EQ(minimized.of, 20u);
    EXPECT_GT(minimized.shown, 0u);
    EXPECT_LT(minimized.shown, 20u);
  }
  // A last step may be missed now and then.
  EXPECT_LE(longer, 1u);
}

TEST(Minimizer, rare_signatures_are_tried_often_enough) {
  unsigned most = 0;
  const Trial coin = sometimes(5, polls_a_pipe);
  const Trial trial = [&](const std::vector<Program>& candidates, unsigned repeats) {
    most = std::max(most, repeats);
    return coin(candidates, repeats);
  };
  const Minimized minimized = minimize(found(polls_a_pipe, 2)[1], trial);
  EXPECT_TRUE(polls_a_pipe(minimized.program));
  // One step may fail though it was tried so often.
  EXPECT_LE(minimized.program.operations.size(), 2u);
  // 0.95^90 is 1 %.
  EXPECT_GE(most, 60u);
  EXPECT_LE(most, MinimizeOptions{}.max_repeats);
}

TEST(Minimizer, signatures_that_never_show_leave_the_program_alone) {
  const Program program = generate(1, 5);
  const Minimized minimized = minimize(program, always([](const Program&) { return false; }));
  EXPECT_EQ(minimized.program, program);
  EXPECT_EQ(minimized.shown, 0u);
  EXPECT_GT(minimized.of, 0u);
  EXPECT_EQ(minimized.tried, 0u);
}

TEST(Minimizer, budget_ends_the_search_with_the_best_so_far) {
  std::chrono::steady_clock::time_point now{};
  MinimizeOptions options;
  options.budget = std::chrono::milliseconds(1000);
  options.now = [&] { return now; };
  const Trial slow = [&](const std::vector<Program>& candidates, unsigned repeats) {
    now += std::chrono::milliseconds(300);
    return always(polls_a_pipe)(candidates, repeats);
  };
  const Predicate is_long = [](const Program& program) {
    return program.operations.size() > 30 && polls_a_pipe(program);
  };
  const Program program = found(is_long, 1)[0];
  const Minimized minimized = minimize(program, slow, options);
  EXPECT_TRUE(minimized.out_of_budget);
  EXPECT_TRUE(polls_a_pipe(minimized.program));
  EXPECT_LT(minimized.program.operations.size(), program.operations.size());
  EXPECT_GT(minimized.of, 0u);
  // The budget, the trial under way when it ended, and the last count.
  EXPECT_LE(now.time_since_epoch(), std::chrono::milliseconds(1000 + 3 * 300));
}

TEST(Minimizer, progress_tells_each_smaller_program) {
  std::vector<Program> told;
  unsigned tried = 0;
  const Program program = found(cancels_kernel_address, 1)[0];
  const Minimized minimized =
      minimize(program, always(cancels_kernel_address), {}, [&](const Program& best, unsigned n) {
        EXPECT_TRUE(cancels_kernel_address(best));
        EXPECT_GE(n, tried);
        tried = n;
        told.push_back(best);
      });
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), minimized.program);
  EXPECT_LE(tried, minimized.tried);
}

}  // namespace
}  // namespace aio
