// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/profile.h"

#include <algorithm>
#include <array>

#include "reference/abi.h"

namespace aio {

namespace {

// RWF bits known to IOCB_CMD_PREAD and its kin: semantics.md A.2, RWF_SUPPORTED.
constexpr std::uint32_t rw_flags_of(Release release) {
  std::uint32_t flags = 0;
  if (release >= Release{4, 13}) flags |= kRwfHipri | kRwfDsync | kRwfSync | kRwfNowait;
  if (release >= Release{4, 16}) flags |= kRwfAppend;
  if (release >= Release{6, 9}) flags |= kRwfNoappend;
  if (release >= Release{6, 11}) flags |= kRwfAtomic;
  if (release >= Release{6, 14}) flags |= kRwfDontcache;
  if (release >= Release{6, 18}) flags |= kRwfNosignal;
  return flags;
}

// The rules of a release in its last stable versions: where stable took a fix, the fix is in. So
// E23 and E24 (4.19.38) hold in each release that has what they repair, and no release here answers
// as the few stable versions of E41 did.
constexpr Profile rules_of(const char* name, Release release) {
  Profile profile;
  profile.name = name;
  profile.release = release;
  profile.counts_user_nr = release >= Release{4, 14};
  profile.timeout_before_lookup = release >= Release{4, 15};
  profile.rw_flags = rw_flags_of(release);
  profile.has_fsync = release >= Release{4, 18};
  profile.has_pgetevents = release >= Release{4, 18};
  profile.has_ioprio = release >= Release{4, 18};
  profile.clamps_nr = release >= Release{4, 18};
  profile.fd_before_resfd = true;
  profile.has_poll = release >= Release{4, 19};
  profile.flags_before_key = release >= Release{4, 13} && release < Release{4, 18};
  profile.pipe_has_two_queues = release >= Release{5, 6};
  profile.eventfd_reads = release >= Release{5, 8};
  profile.timer_reads = release >= Release{6, 10};
  profile.cancel_in_progress = true;
  profile.ioprio_hints = release >= Release{6, 1};  // 6.5, and stable 6.1
  profile.min_nr_wakes = release >= Release{6, 8};
  profile.pipe_nowait = release >= Release{6, 4};
  profile.null_nowait = release >= Release{5, 16};  // posted for 5.16; 5.10.198 without, 6.1.192 with
  profile.hangup_unkeyed = release >= Release{5, 6};
  profile.short_write_on_fault = release >= Release{5, 16};
  profile.vectors_in_order = release >= Release{6, 4};
  profile.clips_single_segment = release >= Release{6, 4};
  profile.pipe_fault_leaves_slot = release < Release{6, 14};
  profile.pipe_wakes_full_writers = release < Release{6, 14};
  return profile;
}

// The long-term releases, and those between them from which a rule above differs.
constexpr std::array kProfiles{
    rules_of("4.9", {4, 9}),   rules_of("4.14", {4, 14}), rules_of("4.19", {4, 19}), rules_of("5.4", {5, 4}),
    rules_of("5.10", {5, 10}), rules_of("5.15", {5, 15}), rules_of("6.1", {6, 1}),   rules_of("6.6", {6, 6}),
    rules_of("6.8", {6, 8}),   rules_of("6.12", {6, 12}), rules_of("6.14", {6, 14}), rules_of("6.18", {6, 18}),
};

}  // namespace

std::span<const Profile> profiles() { return kProfiles; }

const Profile& profile_for(Release release) {
  const auto newer =
      std::find_if(kProfiles.begin(), kProfiles.end(), [&](const Profile& p) { return p.release > release; });
  return newer == kProfiles.begin() ? kProfiles.front() : *(newer - 1);
}

const Profile* find_profile(std::string_view name) {
  const auto found = std::find_if(kProfiles.begin(), kProfiles.end(), [&](const Profile& p) { return p.name == name; });
  return found == kProfiles.end() ? nullptr : &*found;
}

}  // namespace aio
