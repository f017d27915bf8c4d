// SPDX-License-Identifier: GPL-2.0-or-later
//
// The language of a requirement's `needs`: tokens between commas, all of which must hold.
//   >=A.B <A.B      release of the profile
//   min_nr_wakes child_mremap_fails poll_ready_anywhere    switches of the profile (semantics.md E40, E37, E24)
//   aio_nr          fs.aio-nr and fs.aio-max-nr can be read
//   cpus2           this process may run on two CPUs or more
//   nowait no_nowait dontcache          what the file system of the regular files takes
//   nowait_write_fails bounded_files    buffered RWF_NOWAIT writes fail; files end before the largest offset
//   direct direct_queues                O_DIRECT can be opened; its requests complete later
//   gate                                the gate file can be had
//   guest                               somebody outside sees whether the kernel survives
//   rt no_rt                            whether this process may ask for real-time I/O priority
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/profile.h"

namespace aio {

// A token that is a switch of the profile.
struct Switch {
  std::string_view token;
  bool Profile::*rule;
  const char* releases;  // that have it
};
// nullptr where the token is none.
const Switch* find_switch(std::string_view token);

// The tokens in their order; none of "".
std::vector<std::string_view> split_needs(std::string_view needs);
// Whether one token holds; nothing if there is no such token, which is a mistake in the catalogue.
std::optional<bool> need_holds(std::string_view token, const Profile& profile, const Machine& machine);
// Whether all tokens hold; one that does not exist does not.
bool all_hold(std::string_view needs, const Profile& profile, const Machine& machine);
// Whether the profile's release has what needs them, whatever the machine.
bool in_release(std::string_view needs, const Profile& profile);
// The releases in which all tokens can hold, as text: "4.19 and later", "before 4.18", "all".
std::string releases_text(std::string_view needs);

}  // namespace aio
