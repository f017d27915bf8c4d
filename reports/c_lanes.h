// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lanes for C reproducers: a call that sleeps is made by a task of its own, which shares memory and descriptors.
#pragma once

namespace aio {

// clang-format off
inline constexpr char kLanesText[] =
R"(#include <sys/prctl.h>

#ifndef TASK_CALL
#define TASK_NUMBER(number) (number)
#define TASK_CALL(number, a) raw_call(number, a)
#endif

/* A lane is a task for as long as its call sleeps: a thread, or for lane 3 a process that shares
 * memory and descriptors. All other calls of a lane are made by main, on the lane's CPU. */
static struct lane {
	long number, arguments[6]; /* the number as /proc shows it */
	long call;
	volatile int64_t result; /* -errno where the call failed */
	volatile int returned;
	volatile pid_t task;
	int process;
	_Alignas(16) char stack[65536];
} lanes[4];

/* Without errno, which all tasks share. */
static long raw_call(long number, const long *a)
{
	long result;
	register long a3 __asm__("r10") = a[3];
	register long a4 __asm__("r8") = a[4];
	register long a5 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(a3), "r"(a4), "r"(a5)
			 : "rcx", "r11", "memory");
	return result;
}

static int lane_main(void *argument)
{
	struct lane *lane = argument;
	const long die_with_parent[6] = { PR_SET_PDEATHSIG, SIGKILL }, code[6] = { 0 };

	if (lane->process)
		raw_call(SYS_prctl, die_with_parent);
	lane->result = TASK_CALL(lane->call, lane->arguments);
	lane->returned = 1;
	raw_call(SYS_exit, code);
	return 0;
}

static int lane_sleeps(int number)
{
	struct lane *lane = &lanes[number];
	char path[40], line[256] = "", *state = NULL;
	long call = -1;
	FILE *file;

	if (!lane->task || lane->returned)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/syscall", lane->task);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%ld", &call) != 1)
		call = -1;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", lane->task);
	file = fopen(path, "r");
	if (file && fgets(line, sizeof(line), file))
		state = strrchr(line, ')');
	if (file)
		fclose(file);
	return call == lane->number && state && (state[2] == 'S' || state[2] == 'D');
}

/* What the lane's call returned; nothing that a call returns while it has not. */
__attribute__((unused)) static int64_t lane_result(int number)
{
	return lanes[number].returned ? lanes[number].result : INT64_MIN;
}

static void on_interrupt(int number)
{
	(void)number;
}

/* Makes a call that is to sleep, and waits until it does, or has returned. */
__attribute__((unused)) static void lane_call(int number, long call, long a, long b, long c,
					     long d, long e, long f)
{
	struct lane *lane = &lanes[number];
	const long arguments[6] = { a, b, c, d, e, f };
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES;
	struct sigaction action = { .sa_handler = on_interrupt };

	lane->process = number == 3;
	flags |= lane->process ? SIGCHLD : CLONE_SIGHAND | CLONE_THREAD;
	sigaction(SIGUSR2, &action, NULL);
	memcpy(lane->arguments, arguments, sizeof(arguments));
	lane->call = call;
	lane->number = TASK_NUMBER(call);
	lane->returned = 0;
	lane->task = clone(lane_main, lane->stack + sizeof(lane->stack), flags, lane);
	if (lane->task < 0)
		die("cannot make a lane");
	for (int ms = 0; ms < 5000 && !lane->returned && !lane_sleeps(number); ms++)
		usleep(1000);
}

/* The call has returned by now, as it was recorded. */
__attribute__((unused)) static void lane_returned(int number, int64_t recorded)
{
	for (int ms = 0; ms < 5000 && !lanes[number].returned; ms++)
		usleep(1000);
	if (lane_result(number) == recorded)
		return;
	printf("lane %d took another course than recorded\n", number);
	exit(2);
}

__attribute__((unused)) static void lane_asleep(int number)
{
	if (lane_sleeps(number))
		return;
	printf("lane %d does not sleep as recorded\n", number);
	exit(2);
}

__attribute__((unused)) static void lane_interrupt(int number)
{
	struct lane *lane = &lanes[number];

	for (int ms = 0; ms < 5000 && !lane->returned; ms++) {
		syscall(SYS_tgkill, lane->process ? lane->task : getpid(), lane->task, SIGUSR2);
		usleep(1000);
	}
}
)";
// clang-format on

}  // namespace aio
