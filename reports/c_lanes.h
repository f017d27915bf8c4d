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
	volatile int handlers; /* that signals ran */
	volatile uint64_t mask_changed;
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

static uint64_t raw_mask(void)
{
	uint64_t mask = 0;
	const long ask[6] = { SIG_BLOCK, 0, (long)&mask, sizeof(mask) };

	raw_call(SYS_rt_sigprocmask, ask);
	return mask;
}

/* SIGIO comes only through a mask of io_pgetevents. */
static int lane_main(void *argument)
{
	struct lane *lane = argument;
	const uint64_t blocked = 1ULL << (SIGIO - 1);
	const long die_with_parent[6] = { PR_SET_PDEATHSIG, SIGKILL }, code[6] = { 0 };
	const long block[6] = { SIG_BLOCK, (long)&blocked, 0, sizeof(blocked) };
	uint64_t mask;

	if (lane->process)
		raw_call(SYS_prctl, die_with_parent);
	raw_call(SYS_rt_sigprocmask, block);
	mask = raw_mask();
	lane->result = TASK_CALL(lane->call, lane->arguments);
	lane->mask_changed = mask ^ raw_mask();
	lane->returned = 1;
	raw_call(SYS_exit, code);
	return 0;
}

/* 'S', 'D', 'T', ... as /proc shows it. */
static char lane_state(int number)
{
	char path[40], line[256] = "", *state = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", lanes[number].task);
	file = fopen(path, "r");
	if (file && fgets(line, sizeof(line), file))
		state = strrchr(line, ')');
	if (file)
		fclose(file);
	return state ? state[2] : 0;
}

static int lane_sleeps(int number)
{
	struct lane *lane = &lanes[number];
	char path[40], state;
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
	state = lane_state(number);
	return call == lane->number && (state == 'S' || state == 'D');
}

/* What the lane's call returned; nothing that a call returns while it has not. */
__attribute__((unused)) static int64_t lane_result(int number)
{
	return lanes[number].returned ? lanes[number].result : INT64_MIN;
}

/* How often a signal ran a handler until the lane's call returned. */
__attribute__((unused)) static int64_t lane_handlers(int number)
{
	return lanes[number].returned ? lanes[number].handlers : INT64_MIN;
}

/* What calls that slept have changed of the signal masks. */
__attribute__((unused)) static int64_t lanes_mask_changed(void)
{
	uint64_t changed = 0;

	for (int i = 0; i < 4; i++)
		changed |= lanes[i].returned ? lanes[i].mask_changed : 0;
	return changed;
}

static void on_signal(int number)
{
	const long none[6] = { 0 };
	long task = raw_call(SYS_gettid, none);

	(void)number;
	for (int i = 0; i < 4; i++)
		lanes[i].handlers += lanes[i].task == task && !lanes[i].returned;
}

static void catch_signal(int number, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(number, &action, NULL);
}

/* Makes a call that is to sleep, and waits until it does, or has returned. */
__attribute__((unused)) static void lane_call(int number, long call, long a, long b, long c,
					     long d, long e, long f)
{
	struct lane *lane = &lanes[number];
	const long arguments[6] = { a, b, c, d, e, f };
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES;

	lane->process = number == 3;
	flags |= lane->process ? SIGCHLD : CLONE_SIGHAND | CLONE_THREAD;
	catch_signal(SIGUSR2, 0);
	catch_signal(SIGUSR1, SA_RESTART);
	catch_signal(SIGIO, 0);
	memcpy(lane->arguments, arguments, sizeof(arguments));
	lane->call = call;
	lane->number = TASK_NUMBER(call);
	lane->returned = 0;
	lane->handlers = 0;
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

static void lane_kill(int number, int signal)
{
	struct lane *lane = &lanes[number];

	syscall(SYS_tgkill, lane->process ? lane->task : getpid(), lane->task, signal);
}

/* A lane that is stopped goes on. */
__attribute__((unused)) static void lane_signal(int number, int signal)
{
	lane_kill(number, signal);
	for (int ms = 0; ms < 5000 && signal == SIGSTOP && lane_state(number) != 'T'; ms++)
		usleep(1000);
	if (signal == SIGSTOP)
		lane_kill(number, SIGCONT);
	for (int ms = 0; ms < 5000 && !lanes[number].returned && !lane_sleeps(number); ms++)
		usleep(1000);
}
)";
// clang-format on

}  // namespace aio
