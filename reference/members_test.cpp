// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/members.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace aio {
namespace {

FdSet set_of(std::initializer_list<Fd> fds) {
  FdSet set;
  for (const Fd fd : fds) set.set(static_cast<std::size_t>(fd));
  return set;
}

Program submitting(const IocbSpec& spec) {
  Submit submit;
  submit.iocbs = {spec};
  return {{submit}};
}

TEST(NamedMembers, names_resfd_where_it_is_stored) {
  IocbSpec spec;
  spec.fd = Fd::kNull;
  EXPECT_EQ(named_members(submitting(spec)), set_of({Fd::kNull}));
  spec.flags = kFlagResfd;
  EXPECT_EQ(named_members(submitting(spec)), set_of({Fd::kNull, Fd::kEvent}));
  spec.flags = 0;
  spec.resfd = Fd::kNbEvent;
  EXPECT_EQ(named_members(submitting(spec)), set_of({Fd::kNull, Fd::kNbEvent}));
}

TEST(NamedMembers, names_both_ends) {
  FdClose close;
  close.fd = Fd::kSocket1;
  EXPECT_EQ(named_members({{close}}), set_of({Fd::kSocket0, Fd::kSocket1}));
}

}  // namespace
}  // namespace aio
