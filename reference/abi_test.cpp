// SPDX-License-Identifier: GPL-2.0-or-later
//
// Holds our ABI types and constants against the headers of the system that compiles this.
#include "reference/abi.h"

#include <gtest/gtest.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>

namespace aio {
namespace {

#define SAME_FIELD(ours, field, theirs, name)                     \
  static_assert(offsetof(ours, field) == offsetof(theirs, name)); \
  static_assert(sizeof(ours::field) == sizeof(theirs::name))

static_assert(sizeof(Iocb) == sizeof(iocb));
SAME_FIELD(Iocb, data, iocb, aio_data);
SAME_FIELD(Iocb, key, iocb, aio_key);
SAME_FIELD(Iocb, rw_flags, iocb, aio_rw_flags);
SAME_FIELD(Iocb, opcode, iocb, aio_lio_opcode);
SAME_FIELD(Iocb, reqprio, iocb, aio_reqprio);
SAME_FIELD(Iocb, fildes, iocb, aio_fildes);
SAME_FIELD(Iocb, buf, iocb, aio_buf);
SAME_FIELD(Iocb, nbytes, iocb, aio_nbytes);
SAME_FIELD(Iocb, offset, iocb, aio_offset);
SAME_FIELD(Iocb, reserved2, iocb, aio_reserved2);
SAME_FIELD(Iocb, flags, iocb, aio_flags);
SAME_FIELD(Iocb, resfd, iocb, aio_resfd);

static_assert(sizeof(Event) == sizeof(io_event));
SAME_FIELD(Event, data, io_event, data);
SAME_FIELD(Event, obj, io_event, obj);
SAME_FIELD(Event, res, io_event, res);
SAME_FIELD(Event, res2, io_event, res2);

static_assert(sizeof(Iovec) == sizeof(iovec));
SAME_FIELD(Iovec, base, iovec, iov_base);
SAME_FIELD(Iovec, len, iovec, iov_len);

static_assert(sizeof(Timespec) == sizeof(__kernel_timespec));
SAME_FIELD(Timespec, sec, __kernel_timespec, tv_sec);
SAME_FIELD(Timespec, nsec, __kernel_timespec, tv_nsec);

// No header exports struct aio_ring and struct __aio_sigset; their layout is semantics.md C.1 and
// A.4.
static_assert(offsetof(RingHeader, id) == 0);
static_assert(offsetof(RingHeader, nr) == 4);
static_assert(offsetof(RingHeader, head) == 8);
static_assert(offsetof(RingHeader, tail) == 12);
static_assert(offsetof(RingHeader, magic) == 16);
static_assert(offsetof(RingHeader, compat_features) == 20);
static_assert(offsetof(RingHeader, incompat_features) == 24);
static_assert(offsetof(RingHeader, header_length) == 28);
static_assert(offsetof(AioSigset, mask) == 0);
static_assert(offsetof(AioSigset, size) == 8);
static_assert(kRingMagic == 0xa10a10a1);

static_assert(std::uint16_t{kPread} == IOCB_CMD_PREAD);
static_assert(std::uint16_t{kPwrite} == IOCB_CMD_PWRITE);
static_assert(std::uint16_t{kFsync} == IOCB_CMD_FSYNC);
static_assert(std::uint16_t{kFdsync} == IOCB_CMD_FDSYNC);
static_assert(std::uint16_t{kPoll} == IOCB_CMD_POLL);
static_assert(std::uint16_t{kNoop} == IOCB_CMD_NOOP);
static_assert(std::uint16_t{kPreadv} == IOCB_CMD_PREADV);
static_assert(std::uint16_t{kPwritev} == IOCB_CMD_PWRITEV);
static_assert(kFlagResfd == IOCB_FLAG_RESFD);
static_assert(kFlagIoprio == IOCB_FLAG_IOPRIO);

static_assert(kRwfHipri == RWF_HIPRI);
static_assert(kRwfDsync == RWF_DSYNC);
static_assert(kRwfSync == RWF_SYNC);
static_assert(kRwfNowait == RWF_NOWAIT);
static_assert(kRwfAppend == RWF_APPEND);
#ifdef RWF_NOAPPEND
static_assert(kRwfNoappend == RWF_NOAPPEND);
#endif
#ifdef RWF_ATOMIC
static_assert(kRwfAtomic == RWF_ATOMIC);
#endif
#ifdef RWF_DONTCACHE
static_assert(kRwfDontcache == RWF_DONTCACHE);
#endif
#ifdef RWF_NOSIGNAL
static_assert(kRwfNosignal == RWF_NOSIGNAL);
#endif

static_assert(kPollIn == POLLIN);
static_assert(kPollPri == POLLPRI);
static_assert(kPollOut == POLLOUT);
static_assert(kPollErr == POLLERR);
static_assert(kPollHup == POLLHUP);
static_assert(kPollNval == POLLNVAL);
static_assert(kPollRdnorm == POLLRDNORM);
static_assert(kPollRdband == POLLRDBAND);
static_assert(kPollWrnorm == POLLWRNORM);
static_assert(kPollWrband == POLLWRBAND);
static_assert(kPollMsg == POLLMSG);
static_assert(kPollRdhup == POLLRDHUP);

#define SAME_ERRNO(name)          \
  static_assert(k##name == name); \
  EXPECT_STREQ(errno_name(name), #name)

TEST(Abi, errno_values_and_names_are_those_of_the_system) {
  SAME_ERRNO(EPERM);
  SAME_ERRNO(EINTR);
  SAME_ERRNO(EIO);
  SAME_ERRNO(EBADF);
  SAME_ERRNO(EAGAIN);
  SAME_ERRNO(ENOMEM);
  SAME_ERRNO(EACCES);
  SAME_ERRNO(EFAULT);
  SAME_ERRNO(EINVAL);
  SAME_ERRNO(ENFILE);
  SAME_ERRNO(EFBIG);
  SAME_ERRNO(ENOSPC);
  SAME_ERRNO(ESPIPE);
  SAME_ERRNO(EPIPE);
  SAME_ERRNO(ENOSYS);
  SAME_ERRNO(EOVERFLOW);
  SAME_ERRNO(EOPNOTSUPP);
  SAME_ERRNO(ECONNRESET);
  SAME_ERRNO(EINPROGRESS);
}

TEST(Abi, an_errno_that_aio_never_answers_with_shows_its_number) {
  EXPECT_STREQ(errno_name(ENOENT), "errno 2");
  // ERESTARTSYS is internal to the kernel: seen by user space it is a leak that must be readable.
  EXPECT_STREQ(errno_name(512), "errno 512");
  EXPECT_STREQ(errno_name(4095), "errno 4095");
  EXPECT_STREQ(errno_name(4096), "errno out of range");
  EXPECT_STREQ(errno_name(-1), "errno out of range");
}

TEST(Abi, two_errno_names_hold_at_the_same_time) {
  EXPECT_EQ(std::string(errno_name(2)) + errno_name(3), std::string("errno 2errno 3"));
}

TEST(Abi, success_has_a_name) { EXPECT_STREQ(errno_name(kOk), "OK"); }

}  // namespace
}  // namespace aio
