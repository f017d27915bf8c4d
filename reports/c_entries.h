// SPDX-License-Identifier: GPL-2.0-or-later
//
// Entries for C reproducers: the same calls as 32-bit calls, or as libaio makes them. Where these are needed, they take
// the place of syscall(2) for all parts behind them.
#pragma once

namespace aio {

// clang-format off
inline constexpr char kEntriesText[] =
R"(#include <stdarg.h>

/* Through which entry AIO calls are made from now on. */
enum { NATIVE, LIBAIO, COMPAT32 };
static int entry = NATIVE;

/* The number of an AIO call in the i386 table; 0 for other calls. */
static long narrow_number(long number)
{
	switch (number) {
	case 206: return 245; /* io_setup */
	case 207: return 246; /* io_destroy */
	case 208: return 247; /* io_getevents */
	case 209: return 248; /* io_submit */
	case 210: return 249; /* io_cancel */
	case 333: return 385; /* io_pgetevents */
	}
	return 0;
}

/* int $0x80: arguments are cut to 32 bits. */
static long narrow_call(long number, const long *a)
{
	int result = narrow_number(number);
	register long sixth __asm__("r12") = (uint32_t)a[5];

	__asm__ volatile("xchg %%rbp, %%r12\n\tint $0x80\n\txchg %%rbp, %%r12"
			 : "+a"(result), "+r"(sixth)
			 : "b"((long)(uint32_t)a[0]), "c"((long)(uint32_t)a[1]),
			   "d"((long)(uint32_t)a[2]), "S"((long)(uint32_t)a[3]),
			   "D"((long)(uint32_t)a[4])
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* Whether memory can be read: then the kernel can write it to a pipe. */
static int readable(uint64_t at, size_t size)
{
	int ends[2], can = 0;

	if (pipe(ends) == 0) {
		can = write(ends[1], (void *)at, size) == (ssize_t)size;
		close(ends[0]);
		close(ends[1]);
	}
	return can;
}

/* libaio answers for an empty ring where the timeout is zero. */
static int library_answers(const long *a)
{
	const uint32_t *ring = (const uint32_t *)a[0];
	const int64_t *timeout = (const int64_t *)a[4];

	return a[0] && a[0] % 8 == 0 && a[4] && readable(a[0], 32) && readable(a[4], 16) &&
	       ring[4] == 0xa10a10a1 && timeout[0] == 0 && timeout[1] == 0 && ring[2] == ring[3];
}

static long aio_syscall(long number, ...)
{
	uint64_t own_sigset[2] = { 0, 8 };
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (entry == COMPAT32 && narrow_number(number)) {
		long result = narrow_call(number, a);

		if (result >= 0 || result < -4095)
			return result;
		errno = -result;
		return -1;
	}
	if (entry == LIBAIO && (number == 208 || number == 333)) {
		int can_read = number == 208 || !a[5] || readable(a[5], 16);

		if (can_read && library_answers(a))
			return 0;
		if (number == 333 && can_read) {
			own_sigset[0] = a[5] ? *(uint64_t *)a[5] : 0;
			a[5] = (long)own_sigset;
		}
	}
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#define syscall(...) aio_syscall(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)

/* For calls that tasks of their own make. */
#define TASK_NUMBER(number) \
	(entry == COMPAT32 && narrow_number(number) ? narrow_number(number) : (number))
#define TASK_CALL(number, a) \
	(entry == COMPAT32 && narrow_number(number) ? narrow_call(number, a) : raw_call(number, a))
)";
// clang-format on

}  // namespace aio
