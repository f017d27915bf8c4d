// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/step_views.h"

#include <gtest/gtest.h>

#include "reports/ring_svg.h"
#include "reports/testing.h"

namespace aio {
namespace {

RecordedObservation with_ring(std::uint32_t head, std::uint32_t tail) {
  RecordedObservation seen;
  RecordedRing ring;
  ring.id = 0x7f0000000000;
  ring.size = 4096;
  ring.header[static_cast<std::size_t>(RingField::kNr)] = 127;
  ring.header[static_cast<std::size_t>(RingField::kHead)] = head;
  ring.header[static_cast<std::size_t>(RingField::kTail)] = tail;
  seen.rings.push_back(ring);
  return seen;
}

TEST(StepViews, show_answers_and_rings) {
  Trace trace;  // of no profile: nothing is known but what was seen
  RecordedObservation failed = with_ring(125, 2);
  failed.result = -1;
  failed.error = 22;
  failed.returns = {{1, 3, 0}};
  RecordedObservation asleep = with_ring(125, 2);
  asleep.asleep = true;
  const Operation submit{Submit{}};
  const Operation wait{Getevents{}};
  trace.steps = {{submit, submit, failed}, {wait, wait, asleep}, {wait, wait, std::nullopt}};
  trace.divergence = Divergence{{Req::kSubmitCounts, Kind::kCount}, 1, "it returns 2", "it sleeps", std::nullopt};
  const std::vector<StepView> views = step_views(trace);
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0].kernel, "EINVAL (22); lane 1: 3");
  EXPECT_EQ(views[0].model, "");
  ASSERT_EQ(views[0].rings.size(), 1u);
  EXPECT_EQ(ring_text(views[0].rings[0]), "a ring: 4 events in 127 slots, head 125, tail 2");
  EXPECT_EQ(views[1].kernel, "sleeps");
  EXPECT_EQ(views[1].model, "it returns 2");
  EXPECT_EQ(views[2].kernel, "");
  EXPECT_TRUE(views[2].rings.empty());
}

TEST(StepViews, rings_have_the_names_of_their_variables) {
  Trace trace;
  const Operation setup{aio::Setup{.ctxp = arena::context_slot(2)}};
  const Operation wait{Getevents{}};
  const Operation move{RingMap{.ctx = context(1)}};
  RecordedObservation moved = with_ring(0, 0);
  moved.rings[0].id += 0x1000;
  trace.steps = {{setup, setup, with_ring(0, 0)}, {wait, wait, with_ring(0, 0)}, {move, move, moved}};
  const std::vector<StepView> views = step_views(trace);
  EXPECT_EQ(views[0].rings[0].context, "ctx2");
  EXPECT_EQ(views[1].rings[0].context, "ctx2");
  EXPECT_EQ(views[2].rings[0].context, "ctx1");
}

TEST(StepViews, any_trace_has_one_a_step) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    testing::RandomWorld world(seed);
    TraceRecorder recorder;
    for (unsigned i = 0; i < 10; ++i) {
      const Operation operation = world.operation();
      recorder.add(operation, testing::RandomWorld::resolved(operation), world.observe());
    }
    EXPECT_EQ(step_views(recorder.trace()).size(), 10u) << seed;
  }
}

TEST(RingDrawing, has_a_filled_slot_for_each_event_that_is_shown) {
  RingPicture ring{"ctx0", 127, 125, 2, {"event"}, 112, {{0, 14}}};
  EXPECT_EQ(ring_text(ring),
            "ctx0: 4 events in 127 slots, head 125, tail 2; 1 in flight: event; quota left 112 + CPU 0: 14");
  const auto filled = [](const std::string& drawing) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = drawing.find("class=\"event\"", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(filled(ring_svg(ring)), 4u);
  ring.tail = 125;
  EXPECT_EQ(filled(ring_svg(ring)), 0u);
  ring.tail = 60;
  EXPECT_EQ(filled(ring_svg(ring)), 18u) << "as many as are shown, but for the two before the head";
  ring.head = 4000;
  EXPECT_EQ(ring_svg(ring), "") << "no slot of this ring";
}

}  // namespace
}  // namespace aio
