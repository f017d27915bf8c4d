// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference/profile.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

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

// Whether a fix is in: since `first` of the mainline, or since a stable version that took it over.
constexpr bool fixed(Release release, Release first, std::initializer_list<Release> stable) {
  return release >= first || std::any_of(stable.begin(), stable.end(), [&](const Release& each) {
           return release.major == each.major && release.minor == each.minor && release >= each;
         });
}

// E41: one version of each stable release took over what the mainline never released.
constexpr std::array kCancelReturnsZero{Release{5, 4, 271}, Release{5, 10, 212}, Release{5, 15, 151},
                                        Release{6, 1, 81},  Release{6, 6, 21},   Release{6, 7, 9}};

// Where it is a stable version that was run, or whose source was read, an earlier one may have the fix too.
Profile rules_of(Release release) {
  Profile profile;
  profile.release = release;
  profile.compat_setup_undone = release >= Release{4, 10};
  profile.counts_user_nr = release >= Release{4, 14};
  profile.timeout_before_lookup = release >= Release{4, 15};
  profile.rw_flags = rw_flags_of(release);
  profile.nowait_buffered = release >= Release{4, 14};
  profile.has_fsync = release >= Release{4, 18};
  profile.has_pgetevents = release >= Release{4, 18};
  profile.has_ioprio = release >= Release{4, 18};
  profile.clamps_nr = release >= Release{4, 18};
  profile.fd_before_resfd = release < Release{4, 18} || fixed(release, {5, 1}, {{4, 19, 38}, {5, 0, 11}});
  profile.has_poll = release >= Release{4, 19};
  profile.flags_before_key = release >= Release{4, 13} && release < Release{4, 18};
  profile.poll_ready_anywhere = fixed(release, {5, 1}, {{4, 19, 38}, {5, 0, 11}});
  profile.compat_sigset = fixed(release, {5, 4}, {{5, 3, 16}});
  profile.pipe_has_two_queues = release >= Release{5, 6};
  profile.fsync_as_submitter = fixed(release, {5, 8}, {{4, 19, 222}, {5, 4, 286}});  // read
  profile.eventfd_reads = release >= Release{5, 8};
  profile.timer_reads = release >= Release{6, 10};
  profile.nice_may_use_rt = fixed(release, {5, 14}, {{5, 10, 198}});                              // run
  profile.guards_eventfds = fixed(release, {6, 1}, {{5, 15, 135}});                               // read
  profile.child_mremap_fails = fixed(release, {6, 2}, {{5, 4, 286}, {5, 10, 198}, {6, 1, 192}});  // run
  profile.cancel_in_progress =
      std::find(kCancelReturnsZero.begin(), kCancelReturnsZero.end(), release) == kCancelReturnsZero.end();
  profile.ioprio_hints = fixed(release, {6, 5}, {{6, 1, 192}});  // run
  profile.min_nr_wakes = release >= Release{6, 8};
  profile.pipe_nowait = release >= Release{6, 4};
  profile.null_nowait = release >= Release{5, 16};  // posted for 5.16; 5.10.198 without, 6.1.192 with
  profile.hangup_unkeyed = release >= Release{5, 6};
  profile.short_write_on_fault = release >= Release{5, 16};
  profile.vectors_in_order = release >= Release{6, 4};
  profile.clips_single_segment = release >= Release{6, 4};
  profile.held_read_pins = release >= Release{6, 12};  // run: 6.12.117 with, 6.1.192 without
  profile.pipe_fault_leaves_slot = release >= Release{5, 5} && release < Release{6, 14};
  profile.pipe_wakes_full_writers = release >= Release{5, 5} && release < Release{6, 14};
  return profile;
}

// The stable versions from which a rule above differs, or a danger (danger.cpp).
constexpr std::array kStable{
    Release{4, 19, 38},  Release{4, 19, 222}, Release{5, 0, 11},   Release{5, 3, 16},   Release{5, 4, 271},
    Release{5, 4, 272},  Release{5, 4, 286},  Release{5, 10, 198}, Release{5, 10, 212}, Release{5, 10, 213},
    Release{5, 15, 135}, Release{5, 15, 151}, Release{5, 15, 152}, Release{6, 1, 81},   Release{6, 1, 82},
    Release{6, 1, 192},  Release{6, 6, 21},   Release{6, 6, 22},   Release{6, 7, 9},    Release{6, 7, 10},
    Release{6, 8, 5},
};
constexpr Release kNewest{6, 18};

using When = ProbedRule::When;
constexpr std::array kProbed{
    ProbedRule{"fd_before_resfd", &Profile::fd_before_resfd, {4, 18}, {5, 1}, When::kUntold},          // E23
    ProbedRule{"poll_ready_anywhere", &Profile::poll_ready_anywhere, {4, 19}, {5, 1}, When::kUntold},  // E24
    ProbedRule{"fsync_as_submitter", &Profile::fsync_as_submitter, {4, 18}, {5, 8}},                   // E29
    ProbedRule{"nice_may_use_rt", &Profile::nice_may_use_rt, {4, 18}, {5, 14}},                        // E33
    ProbedRule{"guards_eventfds", &Profile::guards_eventfds, {4, 19}, {6, 1}, When::kNotEver},         // E36
    ProbedRule{"child_mremap_fails", &Profile::child_mremap_fails, {4, 9}, {6, 2}, When::kNotEver},    // E37
    ProbedRule{"ioprio_hints", &Profile::ioprio_hints, {4, 18}, {6, 5}},                               // E39
};

std::vector<Release> all_releases() {
  std::vector<Release> releases(kStable.begin(), kStable.end());
  for (Release each{4, 9}; each <= kNewest; ++each.minor) {
    if (each == Release{4, 21} || each == Release{5, 20}) each = {each.major + 1, 0};
    releases.push_back(each);
  }
  std::sort(releases.begin(), releases.end());
  return releases;
}

// Names live as long as the profiles that point to them.
const Profile& kept(Profile profile, std::string name) {
  static std::map<std::string, Profile, std::less<>> known;
  const auto [at, made] = known.try_emplace(std::move(name), profile);
  if (made) at->second.name = at->first.c_str();
  return at->second;
}

std::vector<Profile> all_profiles() {
  const std::vector<Release> releases = all_releases();
  std::vector<Profile> profiles;
  for (std::size_t i = 0; i < releases.size(); ++i) {
    const Release& each = releases[i];
    const bool last = i + 1 == releases.size() || releases[i + 1].sublevel == 0;
    std::string name = std::to_string(each.major) + "." + std::to_string(each.minor);
    if (!last) name += "." + std::to_string(each.sublevel);
    profiles.push_back(kept(rules_of(each), std::move(name)));
  }
  return profiles;
}

// "4.19" or "4.19.20".
std::optional<Release> release_of(std::string_view name) {
  Release release;
  release.sublevel = kLastSublevel;
  for (int* const part : {&release.major, &release.minor, &release.sublevel}) {
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), *part);
    if (error != std::errc() || *part < 0) return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (name.empty()) return part == &release.major ? std::nullopt : std::optional(release);
    if (name.front() != '.') return std::nullopt;
    name.remove_prefix(1);
  }
  return std::nullopt;
}

}  // namespace

std::span<const Profile> profiles() {
  static const std::vector<Profile> kProfiles = all_profiles();
  return kProfiles;
}

std::span<const ProbedRule> probed_rules() { return kProbed; }

const Profile& profile_for(Release release) {
  const std::span<const Profile> all = profiles();
  const auto newer = std::find_if(all.begin(), all.end(), [&](const Profile& p) { return p.release > release; });
  return newer == all.begin() ? all.front() : *(newer - 1);
}

const Profile& with_rule(const Profile& profile, const ProbedRule& rule, bool holds) {
  if (profile.*rule.rule == holds) return profile;
  Profile other = profile;
  other.*rule.rule = holds;
  return kept(other, std::string(profile.name) + (holds ? "+" : "-") + rule.name);
}

const Profile* find_profile(std::string_view name) {
  const std::size_t base = std::min(name.find_first_of("+-"), name.size());
  const std::optional<Release> release = release_of(name.substr(0, base));
  const bool known = release && *release >= profiles().front().release &&
                     (release->major != kNewest.major || release->minor <= kNewest.minor) &&
                     release->major <= kNewest.major;
  if (!known) return nullptr;
  const Profile* found = &profile_for(*release);
  if (found->release.minor != release->minor) return nullptr;  // there was no such release
  for (name.remove_prefix(base); !name.empty();) {
    const bool holds = name.front() == '+';
    name.remove_prefix(1);
    const std::string_view rule = name.substr(0, std::min(name.find_first_of("+-"), name.size()));
    const auto* const probed =
        std::find_if(kProbed.begin(), kProbed.end(), [&](const ProbedRule& each) { return each.name == rule; });
    if (probed == kProbed.end()) return nullptr;
    found = &with_rule(*found, *probed, holds);
    name.remove_prefix(rule.size());
  }
  return found;
}

}  // namespace aio
