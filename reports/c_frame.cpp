// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every C reproducer has: its beginning and its main().
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "reference/arena.h"
#include "reports/c_parts.h"

namespace aio {

std::string c_prologue() {
  std::string text = R"(#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The memory that is handed to the kernel, with pages between that cannot be touched. */
)";
  for (const arena::Area& area : arena::kAreas) {
    std::string name = area.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    text += fmt::format("#define {} {:#x}UL\n", name, area.begin);
  }
  text += R"(static const struct { uint64_t begin, size; } areas[] = {
)";
  for (const arena::Area& area : arena::kAreas) {
    text += fmt::format("\t{{ {:#x}, {} }},\n", area.begin, area.size);
  }
  text += fmt::format(R"(}};
#define ARENA {:#x}UL
#define ARENA_SIZE {:#x}UL
#define HOLE {:#x}UL
/* The context variables, which io_setup fills. */
#define CONTEXT(n) (((volatile uint64_t *)VARS)[n])
)",
                      arena::kBase, arena::kEnd - arena::kBase, arena::kUnmapped);
  text += R"(
static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* What a call returned, or -errno. */
__attribute__((unused)) static int64_t answer(long value)
{
	return value == -1 ? -errno : value;
}

static void map_arena(void)
{
	void *arena = mmap((void *)ARENA, ARENA_SIZE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (arena != (void *)ARENA || munmap((void *)HOLE, 4096))
		die("cannot map the arena");
	for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		mprotect((void *)areas[i].begin, areas[i].size, PROT_READ | PROT_WRITE);
		for (uint64_t at = areas[i].begin; at < areas[i].begin + areas[i].size; at++)
			*(volatile uint8_t *)at = 0x80 | ((at * 37 + (at >> 8) * 11) & 0x7f);
	}
	for (int i = 0; i < 4; i++)
		CONTEXT(i) = 0;
	mprotect((void *)READONLY, 4096, PROT_READ);
}

/* Pins to the CPU with that index among those allowed at the start. */
static void move_to_cpu(uint64_t index)
{
	static cpu_set_t allowed;
	cpu_set_t one;

	if (CPU_COUNT(&allowed) == 0)
		sched_getaffinity(0, sizeof(allowed), &allowed);
	index %= CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || index-- != 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			die("cannot pin to a CPU");
	}
}
)";
  return text;
}

std::string c_main(int hang_code, int death_code) {
  return fmt::format(R"(
int main(void)
{{
	pid_t child;
	int status;

	setvbuf(stdout, NULL, _IONBF, 0);
	child = fork();
	if (child == 0)
		_exit(program());
	if (child < 0)
		die("cannot fork");
	for (int ms = 0; ms < 20000; ms++) {{
		if (waitpid(child, &status, WNOHANG) == child) {{
			if (WIFEXITED(status))
				return WEXITSTATUS(status);
			printf("ended by signal %d\n", WTERMSIG(status));
			return {};
		}}
		usleep(1000);
	}}
	printf("still running after 20 seconds\n");
	kill(child, SIGKILL);
	return {};
}}
)",
                     death_code, hang_code);
}

}  // namespace aio
