// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/c_parts.h"

#include <array>

#include "reports/c_entries.h"
#include "reports/c_gate.h"
#include "reports/c_lanes.h"

namespace aio {
namespace {

// clang-format off
constexpr std::array<const char*, kCPartCount> kTexts{
kEntriesText,
R"(static int64_t io_setup(uint32_t nr, uint64_t ctxp)
{
	return answer(syscall(SYS_io_setup, (unsigned long)nr, ctxp));
}
)",
R"(static int64_t io_destroy(uint64_t ctx)
{
	return answer(syscall(SYS_io_destroy, ctx));
}
)",
R"(static int64_t io_submit(uint64_t ctx, int64_t nr, uint64_t list)
{
	return answer(syscall(SYS_io_submit, ctx, nr, list));
}
)",
R"(static int64_t io_getevents(uint64_t ctx, int64_t min_nr, int64_t nr, uint64_t events,
			    uint64_t timeout)
{
	return answer(syscall(SYS_io_getevents, ctx, min_nr, nr, events, timeout));
}
)",
R"(#ifndef SYS_io_pgetevents
#define SYS_io_pgetevents 333
#endif
static int64_t io_pgetevents(uint64_t ctx, int64_t min_nr, int64_t nr, uint64_t events,
			     uint64_t timeout, uint64_t sigset)
{
	return answer(syscall(SYS_io_pgetevents, ctx, min_nr, nr, events, timeout, sigset));
}
)",
R"(static int64_t io_cancel(uint64_t ctx, uint64_t iocb, uint64_t result)
{
	return answer(syscall(SYS_io_cancel, ctx, iocb, result));
}
)",
R"(/* An earlier call that takes another course than recorded: nothing can be said. */
static void expect(int operation, int64_t got, int64_t recorded)
{
	if (got == recorded)
		return;
	printf("operation %d returned %lld, not %lld as recorded\n", operation, (long long)got,
	       (long long)recorded);
	exit(2);
}
)",
R"(/* The user's store; none is made that does not fit into one area. */
static void store(uint64_t at, const void *bytes, uint64_t size)
{
	for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		uint64_t offset = at - areas[i].begin;

		if (offset > areas[i].size || size > areas[i].size - offset)
			continue;
		if (areas[i].begin == READONLY)
			mprotect((void *)READONLY, areas[i].size, PROT_READ | PROT_WRITE);
		memcpy((void *)at, bytes, size);
		if (areas[i].begin == READONLY)
			mprotect((void *)READONLY, areas[i].size, PROT_READ);
	}
}
#define STORE(at, type, ...) store(at, &(type){ __VA_ARGS__ }, sizeof(type))
typedef uint64_t pair[2];
typedef uint32_t narrow_pair[2];
)",
R"(/* Words of the mapped ring's header. */
enum { ID, NR, HEAD, TAIL, MAGIC, COMPAT, INCOMPAT, HEADER_LENGTH };
__attribute__((noipa)) static volatile uint32_t *ring_word(uint64_t ring, int word)
{
	return (volatile uint32_t *)ring + word;
}
)",
R"(/* Takes events off the ring without a system call. */
static int64_t reap(uint64_t ring, uint64_t count)
{
	uint32_t nr = *ring_word(ring, NR), head = *ring_word(ring, HEAD) % nr;
	uint32_t in_ring = (*ring_word(ring, TAIL) % nr + nr - head) % nr;

	if (count > in_ring)
		count = in_ring;
	*ring_word(ring, HEAD) = (head + count) % nr;
	return count;
}
)",
R"(/* Completions may come after the call; gives them a second. */
static void await_tail(uint64_t ring, uint32_t tail)
{
	for (int ms = 0; ms < 1000 && *ring_word(ring, TAIL) != tail; ms++)
		usleep(1000);
}
)",
R"(static void place(int number, int fd)
{
	if (fd < 0 || dup2(fd, number) < 0)
		die("cannot open a file");
	close(fd);
}
)",
R"(static void open_pipe(int read_end, int write_end, int flags)
{
	int ends[2];

	if (pipe2(ends, flags) || fcntl(ends[0], F_SETPIPE_SZ, 4096) < 0)
		die("cannot make a pipe");
	place(read_end, ends[0]);
	place(write_end, ends[1]);
}
)",
R"(static void open_sockets(int one, int other)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("cannot make a socket pair");
	place(one, ends[0]);
	place(other, ends[1]);
}
)",
R"(/* Regular files in the working directory, without a name: A (0) and B (1). */
static int files[2] = { -1, -1 };
static void make_file(int file, int size)
{
	char name[] = "./aio-XXXXXX";

	files[file] = mkostemp(name, 0);
	if (files[file] < 0 || unlink(name))
		die("cannot make a file in the working directory");
	for (int i = 0; i < size; i++) {
		uint8_t byte = 1 + (i * 7 + (i >> 8) * 13 + file * 101) % 251;

		if (pwrite(files[file], &byte, 1, i) != 1)
			die("cannot write a file");
	}
	fsync(files[file]);
}
static int reopen(int file, int flags)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", files[file]);
	return open(path, flags);
}
)",
R"(static int ready(int fd, int events)
{
	struct pollfd polled = { .fd = fd, .events = events };

	return fd < 0 || poll(&polled, 1, 0) == 1;
}
)",
R"(static const uint8_t *payload(uint64_t value)
{
	static uint8_t bytes[4096];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = value * 29 + i * 3 + 5;
	return bytes;
}
)",
R"(static uint8_t data[4096];
)",
R"(/* A signal every millisecond, until the call has returned. */
static void on_release(int number)
{
	(void)number;
}
static void release(int on)
{
	static int timer = -1;
	struct itimerspec every = { { 0, on ? 1000000 : 0 }, { 0, on ? 1000000 : 0 } };

	if (timer < 0) {
		struct sigaction action = { .sa_handler = on_release };
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };

		sigaction(SIGUSR2, &action, NULL);
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
			die("cannot make a timer");
	}
	syscall(SYS_timer_settime, timer, 0, &every, NULL);
}
)",
R"(/* An eventfd's counter; ~0 where the descriptor is not open. */
static uint64_t counter(int fd)
{
	char path[40], line[128];
	unsigned long long count = ~0ULL;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "eventfd-count: %llx", &count) == 1)
			break;
	if (info)
		fclose(info);
	return count;
}
)",
R"(static int64_t aio_nr(void)
{
	long long nr = -1;
	FILE *proc = fopen("/proc/sys/fs/aio-nr", "r");

	if (!proc || fscanf(proc, "%lld", &nr) != 1)
		die("cannot read fs.aio-nr");
	fclose(proc);
	return nr;
}
)",
R"(static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}
)",
R"(static void show_bytes(const char *what, const volatile uint8_t *bytes, int size)
{
	printf("%s", what);
	for (int i = 0; i < size; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}
)",
kGateText,
R"(/* Closes every descriptor of the program but `fd`: does it see the end of its other side? */
static int64_t end_seen(int fd)
{
	struct pollfd polled = { .fd = fd };

	for (int other = 200; other <= 222; other++)
		if (other != fd)
			close(other);
	return poll(&polled, 1, 1000) == 1 && (polled.revents & (POLLHUP | POLLERR)) != 0;
}
)",
kLanesText,
R"(#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
/* The length of the mapping that begins there. */
__attribute__((unused)) static size_t ring_bytes(uint64_t ring)
{
	unsigned long begin, end, bytes = 0;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &begin, &end) == 2 && begin == ring)
			bytes = end - begin;
	if (maps)
		fclose(maps);
	return bytes;
}
/* Moves the ring, and writes its new address where the old one was. */
static uint64_t moved_to;
__attribute__((unused)) static int64_t ring_move(uint64_t ring)
{
	size_t bytes = ring_bytes(ring);
	void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mremap((void *)ring, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, room) == MAP_FAILED)
		return -errno;
	moved_to = (uint64_t)room;
	for (int i = 0; i < 4; i++)
		if (CONTEXT(i) == ring)
			CONTEXT(i) = moved_to;
	return 0;
}
/* Nothing else is to come where the ring was: that could be taken for it. */
__attribute__((unused)) static int64_t ring_unmap(uint64_t ring)
{
	size_t bytes = ring_bytes(ring);

	if (munmap((void *)ring, bytes))
		return -errno;
	mmap((void *)ring, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return 0;
}
/* Memory with all bits set comes to the place of the ring. */
__attribute__((unused)) static int64_t ring_replace(uint64_t ring)
{
	size_t bytes = ring_bytes(ring);

	if (mmap((void *)ring, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	memset((void *)ring, 0xff, bytes);
	return 0;
}
/* To a page more, where it is. */
__attribute__((unused)) static int64_t ring_grow_here(uint64_t ring)
{
	size_t bytes = ring_bytes(ring);

	return mremap((void *)ring, bytes, bytes + 4096, 0) == MAP_FAILED ? -errno : 0;
}
/* Any other mremap: with the length as the old one or 0, and so much more. */
__attribute__((unused)) static int64_t ring_remap(uint64_t ring, int whole, size_t more, int flags)
{
	size_t bytes = ring_bytes(ring);
	void *got = mremap((void *)ring, whole ? bytes : 0, bytes + more, MREMAP_MAYMOVE | flags);

	return got == MAP_FAILED ? -errno : 0;
}
)",
R"(/* One call by a child; child_result() waits for it. */
static int64_t *from_child;
static pid_t fork_child(void)
{
	pid_t child;

	from_child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = from_child == MAP_FAILED ? -1 : fork();
	if (child < 0)
		die("cannot make a child");
	return child;
}
static void exit_child(int64_t result)
{
	*from_child = result;
	_exit(0);
}
static int64_t child_result(void)
{
	int status;

	if (wait(&status) < 0 || status != 0)
		die("a child did not exit");
	return *from_child;
}
)",
R"(/* Sets the timer so that it expires, and waits until it has. */
static int64_t expire(int timer)
{
	struct itimerspec at_once = { { 0, 0 }, { 0, 1 } };
	struct pollfd polled = { .fd = timer, .events = POLLIN };

	if (timerfd_settime(timer, 0, &at_once, NULL))
		return -errno;
	return poll(&polled, 1, 5000) == 1 ? 0 : -ETIME;
}
)",
R"(static int64_t signal_mask(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return (int64_t)mask;
}
)",
R"(static int64_t is_mapped(uint64_t at)
{
	unsigned char resident;

	return mincore((void *)at, 4096, &resident) == 0;
}
)"};
// clang-format on

// What a part uses that is a part itself.
CPart base_of(CPart part) {
  switch (part) {
    case CPart::kReap:
    case CPart::kAwait:
      return CPart::kRing;
    case CPart::kPipe:
    case CPart::kSockets:
    case CPart::kFile:
    case CPart::kGate:
      return CPart::kPlace;
    default:
      return part;
  }
}

}  // namespace

void CParts::need(CPart part) {
  needed_.set(static_cast<std::size_t>(part));
  needed_.set(static_cast<std::size_t>(base_of(part)));
}

std::string CParts::text() const {
  std::string text;
  for (std::size_t i = 0; i < kCPartCount; ++i) {
    if (needed_[i]) text += std::string("\n") + kTexts[i];
  }
  return text;
}

}  // namespace aio
