// SPDX-License-Identifier: GPL-2.0-or-later
//
// The gate file for C reproducers: its server speaks the kernel's FUSE protocol itself, so that the C file needs no
// library.
#pragma once

namespace aio {

// clang-format off
inline constexpr char kGateText[] =
R"(#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/uio.h>

/*
 * The gate file, /tmp/gate in a FUSE file system that a process of its own serves: reads, writes
 * and fsyncs stay in flight until they are released.
 */
#define GATE_NODE (FUSE_ROOT_ID + 1)
#define GATE_SIZE (1 << 20)
#define GATE_MAX_REQUEST (128 << 10)
#define GATE_MOST_HELD 4096
enum { GATE_READ, GATE_WRITE, GATE_FSYNC, GATE_FDATASYNC };
enum { GATE_CALL, GATE_OFFSET, GATE_LENGTH, GATE_UID, GATE_GID, GATE_SUM, GATE_FACTS };
enum { GATE_HOLD, GATE_COUNT, GATE_FACT, GATE_RELEASE, GATE_RELEASE_ALL };
struct gate_command { uint64_t what, which, cpu; int64_t result; };
struct gate_request { uint64_t unique; int64_t fact[GATE_FACTS]; };

/* The server's side: the program is at descriptor 0. */
static int gate_device, gate_holding;
static unsigned gate_count;
static struct gate_request gate_held[GATE_MOST_HELD];
static struct {
	struct fuse_in_header in;
	union {
		struct fuse_init_in init;
		struct fuse_read_in read;
		struct fuse_fsync_in fsync;
		char name[256];
		struct { struct fuse_write_in in; uint8_t data[GATE_MAX_REQUEST]; } write;
	};
} gate_asked;

static void gate_reply(uint64_t unique, int error, const void *body, size_t size)
{
	struct fuse_out_header out = { sizeof(out) + size, error, unique };
	struct iovec parts[2] = { { &out, sizeof(out) }, { (void *)body, size } };

	if (writev(gate_device, parts, size ? 2 : 1) < 0)
		return; /* Nobody waits for it any more. */
}

static void gate_end(const struct gate_request *request, int64_t result)
{
	static uint8_t bytes[GATE_MAX_REQUEST];
	int64_t call = request->fact[GATE_CALL];
	struct fuse_write_out written = { 0 };

	if (result < -511 || result == -ENOSYS) /* These mean something else to the kernel. */
		result = -EIO;
	if (result > request->fact[GATE_LENGTH])
		result = request->fact[GATE_LENGTH];
	written.size = result;
	for (int64_t i = 0; call == GATE_READ && i < result; i++) {
		uint64_t offset = request->fact[GATE_OFFSET] + i;

		bytes[i] = offset * 31 + (offset >> 8) * 7;
	}
	if (result < 0 || call == GATE_FSYNC || call == GATE_FDATASYNC)
		gate_reply(request->unique, result, NULL, 0);
	else if (call == GATE_READ)
		gate_reply(request->unique, 0, bytes, result);
	else
		gate_reply(request->unique, 0, &written, sizeof(written));
}

static void gate_take(int call, uint64_t offset, uint32_t length)
{
	const struct fuse_in_header *in = &gate_asked.in;
	struct gate_request request = { in->unique, { call, offset, length, in->uid, in->gid, -1 } };
	uint64_t sum = 0xcbf29ce484222325;

	for (uint32_t i = 0; call == GATE_WRITE && i < length; i++)
		sum = (sum ^ gate_asked.write.data[i]) * 0x100000001b3;
	if (call == GATE_WRITE)
		request.fact[GATE_SUM] = sum;
	if (gate_holding && gate_count < GATE_MOST_HELD)
		gate_held[gate_count++] = request;
	else
		gate_end(&request, GATE_MAX_REQUEST);
}

static void gate_obey_kernel(void)
{
	const uint64_t unique = gate_asked.in.unique, for_ever = 1000000000;
	uint32_t opcode = gate_asked.in.opcode;
	uint64_t node = opcode == FUSE_LOOKUP ? GATE_NODE : gate_asked.in.nodeid;
	struct fuse_attr attr = { .ino = node, .nlink = 1, .uid = geteuid(), .gid = getegid() };
	struct fuse_entry_out entry = { .nodeid = node, .entry_valid = for_ever,
					.attr_valid = for_ever };
	struct fuse_attr_out attributes = { .attr_valid = for_ever };
	struct fuse_open_out opened = { 0 };
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = GATE_MAX_REQUEST,
		.max_background = GATE_MOST_HELD, .congestion_threshold = GATE_MOST_HELD,
		.time_gran = 1, .max_pages = 32,
		.flags = FUSE_ASYNC_READ | FUSE_ASYNC_DIO | FUSE_BIG_WRITES | FUSE_MAX_PAGES };

	attr.mode = node == GATE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700;
	attr.size = node == GATE_NODE ? GATE_SIZE : 0;
	entry.attr = attributes.attr = attr;
	if (opcode == FUSE_INIT) {
		if (gate_asked.init.minor < init.minor)
			init.minor = gate_asked.init.minor;
		init.max_readahead = gate_asked.init.max_readahead;
		init.flags &= gate_asked.init.flags;
		gate_reply(unique, 0, &init, sizeof(init));
	} else if (opcode == FUSE_LOOKUP && strcmp(gate_asked.name, "gate") == 0) {
		gate_reply(unique, 0, &entry, sizeof(entry));
	} else if (opcode == FUSE_LOOKUP) {
		gate_reply(unique, -ENOENT, NULL, 0);
	} else if (opcode == FUSE_GETATTR) {
		gate_reply(unique, 0, &attributes, sizeof(attributes));
	} else if (opcode == FUSE_OPEN) {
		gate_reply(unique, 0, &opened, sizeof(opened));
	} else if (opcode == FUSE_READ) {
		gate_take(GATE_READ, gate_asked.read.offset, gate_asked.read.size);
	} else if (opcode == FUSE_WRITE) {
		gate_take(GATE_WRITE, gate_asked.write.in.offset, gate_asked.write.in.size);
	} else if (opcode == FUSE_FSYNC) {
		gate_take(gate_asked.fsync.fsync_flags & 1 ? GATE_FDATASYNC : GATE_FSYNC, 0, 0);
	} else if (opcode == FUSE_RELEASE) {
		gate_reply(unique, 0, NULL, 0);
	} else if (opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT) {
		gate_reply(unique, -ENOSYS, NULL, 0);
	}
}

static int64_t gate_obey_program(const struct gate_command *command)
{
	uint64_t which = command->which;
	struct gate_request request;

	switch (command->what) {
	case GATE_HOLD:
		return gate_holding = 1;
	case GATE_COUNT:
		return gate_count;
	case GATE_FACT:
		return which < gate_count && command->cpu < GATE_FACTS ?
			       gate_held[which].fact[command->cpu] : -1;
	case GATE_RELEASE:
		if (gate_count == 0)
			return 0;
		which %= gate_count--;
		request = gate_held[which];
		memmove(&gate_held[which], &gate_held[which + 1],
			(gate_count - which) * sizeof(request));
		move_to_cpu(command->cpu);
		gate_end(&request, command->result);
		move_to_cpu(0);
		return 1;
	default:
		gate_holding = 0;
		for (unsigned i = 0; i < gate_count; i++)
			gate_end(&gate_held[i], GATE_MAX_REQUEST);
		return gate_count = 0;
	}
}

/* Whether a process exits or is to: what it has in flight keeps it, in the kernel. */
static int gate_exiting(pid_t process)
{
	char path[40], line[1024] = "";
	unsigned flags = 4;
	unsigned long signals = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", process);
	stat = fopen(path, "r");
	if (stat && fgets(line, sizeof(line), stat) && strrchr(line, ')'))
		sscanf(strrchr(line, ')'), ") %*s %*s %*s %*s %*s %*s %u"
		       " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
		       " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu", &flags, &signals);
	if (stat)
		fclose(stat);
	/* PF_EXITING, SIGKILL */
	return getppid() != process || (flags & 4) || (signals & 1UL << (SIGKILL - 1));
}

static void gate_write(const char *path, const char *format, unsigned id)
{
	int file = open(path, O_WRONLY);

	dprintf(file, format, id, id);
	close(file);
}

/* In a mount namespace of its own: the mount is nowhere to be seen. */
static int gate_mount(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char text[100];

	if (unshare(CLONE_NEWNS)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			return -1;
		gate_write("/proc/self/setgroups", "deny", 0);
		gate_write("/proc/self/uid_map", "%u %u 1", uid);
		gate_write("/proc/self/gid_map", "%u %u 1", gid);
	}
	gate_device = open("/dev/fuse", O_RDWR | O_NONBLOCK);
	if (gate_device < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=%u,group_id=%u,max_read=%d",
		 gate_device, uid, gid, GATE_MAX_REQUEST);
	return mount("gate", "/tmp", "fuse", MS_NOSUID | MS_NODEV, text);
}

/* Where the process ends, so does what it holds. */
__attribute__((noreturn)) static void gate_serve(int control, pid_t owner)
{
	struct gate_command command;
	int64_t reply;
	ssize_t got;

	if (control != 0)
		dup2(control, 0);
	if (syscall(436 /* close_range */, 1, ~0U, 0))
		for (int fd = 1; fd < 65536; fd++)
			close(fd);
	if (open("/dev/null", O_RDWR) != 1 || dup(1) != 2)
		_exit(2);
	move_to_cpu(0);
	reply = gate_mount() ? errno : 0;
	for (;;) {
		struct pollfd polled[2] = { { 0, POLLIN, 0 }, { gate_device, POLLIN, 0 } };

		if (send(0, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			_exit(0);
		do {
			if (poll(polled, 2, gate_count ? 50 : 1000) == 0 && gate_exiting(owner))
				_exit(0);
			if (polled[0].revents && recv(0, &command, sizeof(command), 0) <= 0)
				_exit(0);
			/* All that came before the command, too. */
			while ((got = read(gate_device, &gate_asked, sizeof(gate_asked))) > 0)
				gate_obey_kernel();
			if (errno == ENODEV)
				_exit(0);
		} while (!polled[0].revents);
		reply = gate_obey_program(&command);
	}
}

/* The program's side. */
static int gate_control = -1;

static int64_t gate_answer(const char *otherwise)
{
	int64_t reply;
	ssize_t got;

	do
		got = recv(gate_control, &reply, sizeof(reply), 0);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		errno = ECONNRESET;
	if (got != sizeof(reply))
		die(otherwise);
	return reply;
}

static int64_t gate_ask(uint64_t what, uint64_t which, uint64_t cpu, int64_t result)
{
	struct gate_command command = { what, which, cpu, result };

	if (send(gate_control, &command, sizeof(command), MSG_NOSIGNAL) < 0)
		die("cannot reach the gate file's server");
	return gate_answer("the gate file's server is gone");
}

/* Starts the server and opens the file. */
__attribute__((unused)) static int gate_open(void)
{
	static const char failure[] = "cannot serve the gate file";
	pid_t owner = getpid(), server;
	int ends[2], file = -1;
	char path[40];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		die(failure);
	server = fork();
	if (server == 0)
		gate_serve(ends[1], owner);
	if (server < 0)
		die(failure);
	close(ends[1]);
	gate_control = ends[0];
	errno = gate_answer(failure);
	if (errno == 0) {
		snprintf(path, sizeof(path), "/proc/%d/root/tmp/gate", server);
		file = open(path, O_RDWR | O_DIRECT);
	}
	if (file < 0)
		die(failure);
	/* From the first poll on, which it knows nothing of, all are answered alike. */
	poll(&(struct pollfd){ file, POLLIN, 0 }, 1, 0);
	return file;
}

/* From here on requests are held. */
__attribute__((unused)) static void gate_hold(void)
{
	gate_ask(GATE_HOLD, 0, 0, 0);
}

/* Waits until so many are held. */
__attribute__((unused)) static void gate_arrived(unsigned count)
{
	for (int ms = 0; gate_ask(GATE_COUNT, 0, 0, 0) < count; ms++) {
		errno = ETIMEDOUT;
		if (ms == 5000)
			die("requests do not reach the gate file's server");
		usleep(1000);
	}
}

/* A fact (GATE_CALL, ...) about a held request, by the order of coming; -1 where there is none. */
__attribute__((unused)) static int64_t gate_fact(unsigned index, int what)
{
	return gate_ask(GATE_FACT, index, what, 0);
}

/* Ends a held request with a count or -errno, on the CPU with that index. */
__attribute__((unused)) static void gate_release(uint64_t which, int64_t result, uint64_t cpu)
{
	gate_ask(GATE_RELEASE, which, cpu, result);
}

/* Ends all with all that was asked for, and holds nothing from here on. */
__attribute__((unused)) static void gate_release_all(void)
{
	gate_ask(GATE_RELEASE_ALL, 0, 0, 0);
}
)";
// clang-format on

}  // namespace aio
