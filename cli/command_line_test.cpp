// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_line.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "reference/requirement.h"

namespace aio::cli {
namespace {

struct Result {
  int exit = 0;
  std::string out;
  std::string err;
};

// What the command does with these words.
Result command(std::vector<const char*> words) {
  words.insert(words.begin(), "aio-cts");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Result result;
  result.exit = run_command_line(static_cast<int>(words.size()), words.data());
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string written(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// From here on io_setup answers ENOSYS to this process and its children.
bool hide_aio() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(code), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// The command's exit code in a child process without AIO.
int exit_without_aio(const std::vector<const char*>& words) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(hide_aio() ? command(words).exit : 99);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CommandLine, wrong_usage_exits_two_and_says_what_is_wrong) {
  struct Row {
    std::vector<const char*> words;
    const char* says;
  };
  const Row rows[] = {
      {{}, "subcommand"},
      {{"rum"}, "there is no command 'rum'; there are run, "},
      {{"run", "--sed", "1"}, "--sed"},
      {{"run", "extra"}, "extra"},
      {{"run", "--seed", "x"}, "--seed"},
      {{"run", "--seed", "-1"}, "--seed"},
      {{"run", "--cases", "-1"}, "--cases"},
      {{"run", "--jobs", "0"}, "--jobs"},
      {{"run", "--time", "-1"}, "--time"},
      {{"run", "--format", "xml"}, "there is no format 'xml'; the nearest: html"},
      {{"report", "/nowhere"}, "/nowhere: cannot be read: No such file"},
      {{"gate", "/nowhere"}, "/nowhere: cannot be read: No such file"},
      {{"compare", "/nowhere", "/nowhere"}, "/nowhere: cannot be read: No such file"},
      {{"run", "--suite", "io_setup"}, "there is no suite 'io_setup'"},
      {{"run", "--suite", "all", "--entry", "compat"}, "the nearest: compat32 (all of them: aio-cts list entries)"},
      {{"run", "--profile", "6.17x"}, "there is no profile '6.17x'"},
      {{"run", "--lie", "submit_einval_as_ebad"}, "the nearest: submit_einval_as_ebadf"},
      {{"run", "--mutant", "io_setup.nr_zero"}, "the nearest: io_setup.nr_zero_is_einval"},
      {{"run", "--cases", "1", "--stop-at", "nothing.of.the.kind"}, "there is no requirement 'nothing.of.the.kind'"},
      {{"run", "--cases", "1", "--dir", "/nowhere"}, "/nowhere"},
      {{"list"}, "what to list"},
      {{"list", "lies", "--by-source"}, "either --by-source or"},
      {{"list", "rules"}, "rules"},
      {{"explain", "io_setup.nr_zero"}, "the nearest: io_setup.nr_zero_is_einval"},
      {{"replay", "/nowhere.json"}, "/nowhere.json: cannot be read: No such file or directory"},
      {{"minimize", "/nowhere.json"}, "/nowhere.json"},
      {{"check", "/nowhere.json"}, "/nowhere.json"},
      {{"probe", "--dir", "/nowhere"}, "/nowhere"},
  };
  for (const Row& row : rows) {
    const Result result = command(row.words);
    EXPECT_EQ(result.exit, 2) << row.says;
    EXPECT_NE(result.err.find(row.says), std::string::npos) << row.says << " is not in: " << result.err;
    EXPECT_EQ(result.err.find("aio-cts: "), 0U) << result.err;
  }
}

TEST(CommandLine, malformed_traces_exit_two_with_file_and_line) {
  const std::string path = written("bad.json", "{\"version\":1,\n\"program\":[\n{\"op\":\"io_sit\"}]}\n");
  for (const char* name : {"replay", "minimize", "check"}) {
    const Result result = command({name, path.c_str()});
    EXPECT_EQ(result.exit, 2) << name;
    EXPECT_NE(result.err.find(path + ":3: "), std::string::npos) << result.err;
    EXPECT_TRUE(result.out.empty()) << result.out;
  }
}

TEST(CommandLine, a_trace_without_operations_exits_two) {
  const std::string path = written("empty.json", "{\"version\":1, \"program\":[]}\n");
  for (const char* name : {"replay", "minimize", "check"}) EXPECT_EQ(command({name, path.c_str()}).exit, 2) << name;
}

TEST(CommandLine, check_wants_observations) {
  const std::string path = written("bare.json", "{\"version\":1, \"program\":[{\"op\":\"io_setup\"}]}\n");
  const Result result = command({"check", path.c_str()});
  EXPECT_EQ(result.exit, 2);
  EXPECT_NE(result.err.find("no observations"), std::string::npos) << result.err;
}

TEST(CommandLine, help_and_version_exit_zero_on_standard_output) {
  EXPECT_EQ(command({"--version"}).out.find("aio-cts "), 0U);
  for (const char* name : {"run", "list", "explain", "replay", "minimize", "check", "probe", "bench"}) {
    const Result result = command({name, "--help"});
    EXPECT_EQ(result.exit, 0) << name;
    EXPECT_NE(result.out.find(std::string("\n  aio-cts ") + name), std::string::npos) << "no example: " << result.out;
  }
}

TEST(CommandLine, list_tsv_has_a_line_for_each_with_the_id_first) {
  for (const char* what : {"requirements", "mutants"}) {
    const Result result = command({"list", what, "--format", "tsv"});
    EXPECT_EQ(result.exit, 0);
    const std::vector<std::string> lines = lines_of(result.out);
    const std::size_t more = what == std::string("mutants") ? 0 : suite_requirements().size();
    ASSERT_EQ(lines.size(), kRequirementCount + more) << what;
    for (std::size_t i = 0; i < kRequirementCount; ++i) {
      EXPECT_EQ(lines[i].substr(0, lines[i].find('\t')), requirements()[i].id);
    }
  }
}

TEST(CommandLine, list_knows_operations_profiles_and_lies_and_no_suites) {
  EXPECT_EQ(lines_of(command({"list", "operations", "--format", "tsv"}).out)[0], "io_setup\tsystem call");
  EXPECT_NE(command({"list", "operations", "--format", "tsv"}).out.find("ring_store\tuser space\n"), std::string::npos);
  EXPECT_EQ(lines_of(command({"list", "profiles"}).out)[0], "4.9       the rules of Linux 4.9");
  EXPECT_EQ(command({"list", "lies"}).out.find("setup_einval_as_efault "), 0U);
  const Result suites = command({"list", "suites"});
  EXPECT_EQ(suites.exit, 0);
  EXPECT_TRUE(suites.out.empty()) << suites.out;
}

TEST(CommandLine, explain_says_sentence_source_releases_and_whether_it_applies) {
  const Result here = command({"explain", "io_setup.nr_zero_is_einval"});
  EXPECT_EQ(here.exit, 0);
  for (const char* part :
       {"nr_events 0 gives EINVAL.", "source     fs/aio.c io_setup; A.1 step 2", "releases   all", ": applies\n"}) {
    EXPECT_NE(here.out.find(part), std::string::npos) << part << " is not in: " << here.out;
  }
  const Result gone = command({"explain", "io_pgetevents.enosys"});
  EXPECT_NE(gone.out.find("does not apply: "), std::string::npos) << gone.out;
  EXPECT_NE(gone.out.find("no longer has it, since 4.18"), std::string::npos) << gone.out;
}

TEST(CommandLine, without_aio_runs_are_skipped_and_the_rest_works) {
  const std::string path = written("setup.json", "{\"version\":1, \"program\":[{\"op\":\"io_setup\"}]}\n");
  EXPECT_EQ(exit_without_aio({"run", "--cases", "1"}), 4);
  EXPECT_EQ(exit_without_aio({"replay", path.c_str()}), 4);
  EXPECT_EQ(exit_without_aio({"bench"}), 4);
  EXPECT_EQ(exit_without_aio({"probe"}), 0);
  EXPECT_EQ(exit_without_aio({"explain", "io_setup.nr_zero_is_einval"}), 0);
}

}  // namespace
}  // namespace aio::cli
