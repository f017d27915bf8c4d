// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/trace_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "reports/json_tree.h"
#include "reports/testing.h"
#include "reports/trace_writer.h"

namespace aio {
namespace {

TEST(TraceReader, ReadsBackWhatWasWritten) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    testing::RandomWorld world(seed);
    const Trace trace = world.trace(12);
    const std::string text = trace_text(trace);
    const auto read = read_trace(text);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->steps, trace.steps);
    EXPECT_EQ(read->end, trace.end);
    EXPECT_EQ(read->divergence->signature, trace.divergence->signature);
    EXPECT_EQ(read->divergence->check, trace.divergence->check);
    EXPECT_EQ(trace_text(*read), text);
  }
}

TEST(TraceReader, ReadsBackABareProgram) {
  testing::RandomWorld world(3);
  Program program;
  for (int i = 0; i < 30; ++i) program.operations.push_back(world.operation());
  const auto read = read_trace(bare_trace_text(program));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(program_of(*read), program);
  EXPECT_FALSE(read->steps[0].observation);
}

TEST(TraceReader, ReadsAProgramWrittenByHand) {
  const auto read = read_trace(R"({"version": 1, "program": [
    {"op": "io_setup", "nr": "max_nr+1"},
    {"op": "io_submit", "nr": 1, "iocbs": [{"opcode": 5, "fd": "event", "at": "iocbs+0x40"}]}]})");
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->steps.size(), 2u);
  EXPECT_EQ(read->steps[0].operation, Operation(aio::Setup{Value(Symbol::kMaxNr, 1)}));
  const auto& submit = std::get<Submit>(read->steps[1].operation);
  EXPECT_EQ(submit.ctx, context(0));
  EXPECT_EQ(submit.iocbs.at(0).fd, Fd::kEvent);
  EXPECT_EQ(submit.iocbs.at(0).at, arena::iocb_slot(1));
}

TEST(TraceReader, ReadsSignalsOfEveryKindAndThoseOfBeforeAsCaught) {
  const auto read = read_trace(R"({"version": 1, "steps": [
    {"op": "interrupt", "number": 1, "seen": {"returns": [{"lane": 1, "result": -1, "error": "EINTR"}]}},
    {"op": "interrupt", "kind": "stop", "seen": {"returns": [{"lane": 3, "handlers": 0}]}}]})");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->steps[0].operation, Operation(Interrupt{1, SignalKind::kCaught}));
  EXPECT_EQ(read->steps[0].observation->returns.at(0).handlers, std::nullopt);
  EXPECT_EQ(read->steps[1].operation, Operation(Interrupt{0, SignalKind::kStop}));
  EXPECT_EQ(read->steps[1].observation->returns.at(0).handlers, 0u);
  EXPECT_FALSE(read_trace(R"({"version": 1, "program": [{"op": "interrupt", "kind": "kill"}]})"));
}

TEST(TraceReader, WritesAStepALine) {
  Program program;
  program.operations = {aio::Setup{}, Destroy{}};
  EXPECT_EQ(bare_trace_text(program),
            "{\n\"version\":1,\n\"program\":[\n{\"op\":\"io_setup\"},\n{\"op\":\"io_destroy\"}\n]\n}\n");
}

struct Refusal {
  const char* name;
  std::string text;
  unsigned line;
  const char* reason;  // a part of it
};

std::string program_with(const std::string& operations) { return "{\"version\":1,\n\"program\":[" + operations + "]}"; }
std::string step_seeing(const std::string& seen) {
  return "{\"version\":1,\n\"steps\":[\n{\"op\":\"move\",\"seen\":" + seen + "}]}";
}

class TraceReaderRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(TraceReaderRefuses, WithLineAndReason) {
  const auto read = read_trace(GetParam().text, "t.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().file, "t.json");
  EXPECT_EQ(read.error().line, GetParam().line);
  EXPECT_NE(read.error().reason.find(GetParam().reason), std::string::npos) << read.error().reason;
}

const std::vector<Refusal> kRefusals{
    {"nothing", "", 1, "not JSON"},
    {"no_json", "{\"version\":1,\n]", 2, "not JSON"},
    {"number_not_in_range", "{\"version\":1,\n\"repeats_of\":99999999999,\n\"steps\":[]}", 2, "from 0 to 4294967295"},
    {"no_version", "{\"steps\":[]}", 1, "\"version\" is missing"},
    {"other_version", "{\"version\":2,\"steps\":[]}", 1, "from 1 to 1"},
    {"no_steps", "{\"version\":1}", 1, "either \"steps\" or \"program\""},
    {"unknown_member", "{\"version\":1,\n\n\"foo\":1,\"steps\":[]}", 3, "unknown member \"foo\""},
    {"member_twice", "{\"version\":1,\"version\":1,\"steps\":[]}", 1, "comes twice"},
    {"unknown_operation", program_with("{\"op\":\"io_uring\"}"), 2, "one of io_setup"},
    {"unknown_field", program_with("{\"op\":\"io_setup\",\"fd\":\"file\"}"), 2, "known here: op, nr"},
    {"unknown_descriptor", program_with("{\"op\":\"fd_read\",\"fd\":\"tty\"}"), 2, "one of file,"},
    {"unknown_symbol", program_with("{\"op\":\"io_setup\",\"nr\":\"many\"}"), 2, "symbol"},
    {"a_fraction", program_with("{\"op\":\"store\",\"value\":1.5}"), 2, "whole number"},
    {"beyond_64_bits", program_with("{\"op\":\"store\",\"value\":18446744073709551616}"), 2, "whole number"},
    {"symbol_in_what_ran", "{\"version\":1,\"steps\":[{\"op\":\"io_destroy\",\"seen\":{}}]}", 1, "\"ctx\" is a symbol"},
    {"memory_outside", step_seeing("{\"memory\":{\"0x10\":\"00\"}}"), 3, "one piece of memory"},
    {"memory_over_the_end", step_seeing("{\"memory\":{\"vars+0xfff\":\"0000\"}}"), 3, "one piece of memory"},
    {"ranges_overlap", step_seeing("{\"memory\":{\"vars+0x1\":\"0000\",\"vars+0x2\":\"00\"}}"), 3, "must ascend"},
    {"odd_hex", step_seeing("{\"data\":\"123\"}"), 3, "even number"},
    {"big_ring", step_seeing("{\"rings\":[{\"id\":\"0x1000\",\"size\":67108865}]}"), 3, "a ring of"},
    {"tiny_ring", step_seeing("{\"rings\":[{\"id\":\"0x1000\",\"size\":31}]}"), 3, "a ring of"},
    {"change_beyond_ring",
     step_seeing("{\"rings\":[{\"id\":\"0x1000\",\"size\":4096,\"changes\":{\"0xfff\":\"0000\"}}]}"), 3,
     "outside the ring"},
    {"ring_twice", step_seeing("{\"rings\":[{\"id\":\"0x1000\"},{\"id\":\"0x1000\"}]}"), 3, "two rings"},
    {"change_beyond_file", step_seeing("{\"file_a\":{\"seen\":true,\"size\":1,\"changes\":{\"0x1\":\"00\"}}}"), 3,
     "beyond the file"},
    {"divergence_beyond_program",
     "{\"version\":1,\"steps\":[],\"divergence\":{\"requirement\":\"" + std::string(requirements()[0].id) +
         "\",\"kind\":\"errno\",\"operation\":1}}",
     1, "operation 1 of 0"},
    {"control_characters", "{\"version\":1,\"\\u001b[31m\":1,\"steps\":[]}", 1, "\"?[31m\""},
};
INSTANTIATE_TEST_SUITE_P(Table, TraceReaderRefuses, ::testing::ValuesIn(kRefusals),
                         [](const auto& param) { return param.param.name; });

TEST(TraceReader, BoundsTheDepth) {
  const auto read = read_trace(std::string(1'000'000, '['));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().reason.find("nested deeper"), std::string::npos);
}

TEST(TraceReader, BoundsTheOperations) {
  std::string operations = "{\"op\":\"move\"}";
  for (std::size_t i = 1; i < kMaxOperations; ++i) operations += ",{\"op\":\"move\"}";
  EXPECT_TRUE(read_trace(program_with(operations)));
  EXPECT_FALSE(read_trace(program_with(operations + ",{\"op\":\"move\"}")));
}

TEST(TraceReader, BoundsTheValues) {
  std::string text = "[0";
  for (std::size_t i = 0; i < kMaxJsonNodes; ++i) text += ",0";
  const auto read = read_trace(text + "]");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().reason.find("more than"), std::string::npos);
}

TEST(TraceReader, BoundsTheMemoryOfAllRings) {
  std::string rings;
  for (int i = 1; i <= 5; ++i) {
    if (i == 5) {
      EXPECT_TRUE(read_trace(step_seeing("{\"rings\":[" + rings + "]}")));
    }
    rings += fmt::format("{}{{\"id\":\"{:#x}\",\"size\":67108864}}", i == 1 ? "" : ",", i * 4096);
  }
  EXPECT_FALSE(read_trace(step_seeing("{\"rings\":[" + rings + "]}")));
}

TEST(TraceReader, BoundsTheText) {
  EXPECT_FALSE(read_trace(std::string(kMaxJsonBytes + 1, ' ')));
  const auto endless = load_trace("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_NE(endless.error().reason.find("longer than"), std::string::npos);
}

TEST(TraceReader, SaysWhyAFileCannotBeRead) {
  const auto missing = load_trace("reports/no-such-trace.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text(), "reports/no-such-trace.json: cannot be read: No such file or directory");
  EXPECT_FALSE(load_trace("/"));
}

}  // namespace
}  // namespace aio
